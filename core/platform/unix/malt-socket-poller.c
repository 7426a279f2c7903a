/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a socket on Linux.
 *
 * The socket is in an epoll set of its own, and the source watches the descriptor of that
 * set: changing the set's interest is one cheap system call in the calling thread, while
 * changing a GPollFD would have to wake the I/O thread. The driver's wait is a poll() of
 * the socket and of an eventfd.
 */
#include "platform/malt-socket-poller.h"

#include "base/malt-error-private.h"
#include "platform/unix/malt-descriptor.h"
#include "platform/unix/malt-poll.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct _MaltSocketPoller
{
  int epoll_fd; /* (owned) */
  int wake_fd; /* (owned): an eventfd */
  int fd; /* (unowned): -1: none. Only changed while nobody waits */
  MaltSocketPoll interest; /* what the epoll set has; changed by one thread at a time */
};

static gboolean
set_errno_error (GError **error)
{
  return malt_error_set_by_errno (error, MALT_ERROR_LAUNCH_FAILED,
                                  "cannot watch the connection");
}

MaltSocketPoller *
malt_socket_poller_new (GError **error)
{
  MaltSocketPoller *poller = g_new0 (MaltSocketPoller, 1);

  poller->fd = -1;
  poller->wake_fd = -1;
  poller->epoll_fd = malt_descriptor_raise (epoll_create1 (EPOLL_CLOEXEC));
  if (poller->epoll_fd >= 0)
    poller->wake_fd = malt_descriptor_raise (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (poller->wake_fd < 0)
    {
      set_errno_error (error);
      g_clear_pointer (&poller, malt_socket_poller_free);
    }
  return poller;
}

void
malt_socket_poller_free (MaltSocketPoller *poller)
{
  if (poller->epoll_fd >= 0)
    close (poller->epoll_fd);
  if (poller->wake_fd >= 0)
    close (poller->wake_fd);
  g_free (poller);
}

static guint32
interest_to_events (MaltSocketPoll interest)
{
  guint32 events = 0;
  if (interest & MALT_SOCKET_POLL_READ)
    events |= EPOLLIN | EPOLLRDHUP;
  if (interest & MALT_SOCKET_POLL_WRITE)
    events |= EPOLLOUT;
  return events;
}

gboolean
malt_socket_poller_set_fd (MaltSocketPoller *poller, int fd, GError **error)
{
  struct epoll_event event = { .events = interest_to_events (poller->interest) };

  if (poller->fd >= 0)
    epoll_ctl (poller->epoll_fd, EPOLL_CTL_DEL, poller->fd, NULL);
  poller->fd = fd;
  if (fd >= 0 && epoll_ctl (poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    return set_errno_error (error);
  return TRUE;
}

void
malt_socket_poller_set_interest (MaltSocketPoller *poller, MaltSocketPoll interest)
{
  struct epoll_event event = { .events = interest_to_events (interest) };

  if (interest == poller->interest)
    return;
  poller->interest = interest;
  if (poller->fd >= 0)
    epoll_ctl (poller->epoll_fd, EPOLL_CTL_MOD, poller->fd, &event);
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

GSource *
malt_socket_poller_source_new (MaltSocketPoller *poller)
{
  GSource *source = g_source_new (&source_funcs, sizeof (GSource));

  g_source_set_static_name (source, "malt: connection");
  g_source_add_unix_fd (source, poller->epoll_fd, G_IO_IN);
  return source;
}

MaltSocketPoll
malt_socket_poller_get_ready (MaltSocketPoller *poller)
{
  struct epoll_event event;
  MaltSocketPoll ready = MALT_SOCKET_POLL_NONE;

  if (epoll_wait (poller->epoll_fd, &event, 1, 0) == 1)
    {
      if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        ready |= MALT_SOCKET_POLL_READ;
      if (event.events & EPOLLOUT)
        ready |= MALT_SOCKET_POLL_WRITE;
    }
  return ready;
}

void
malt_socket_poller_wait (MaltSocketPoller *poller, gint64 deadline_us)
{
  struct pollfd fds[2] = { { .fd = poller->fd, .events = POLLIN },
                           { .fd = poller->wake_fd, .events = POLLIN } };
  struct timespec timeout = { 0, 0 };

  if (deadline_us >= 0)
    {
      gint64 left_us = MAX (deadline_us - g_get_monotonic_time (), 0);
      timeout.tv_sec = left_us / G_USEC_PER_SEC;
      timeout.tv_nsec = left_us % G_USEC_PER_SEC * 1000;
    }
  if (malt_poll (fds, G_N_ELEMENTS (fds), deadline_us >= 0 ? &timeout : NULL) > 0 &&
      fds[1].revents != 0)
    {
      guint64 n_wakes;
      if (read (poller->wake_fd, &n_wakes, sizeof n_wakes) < 0)
        g_debug ("eventfd: %s", g_strerror (errno));
    }
}

void
malt_socket_poller_wake (MaltSocketPoller *poller)
{
  guint64 one = 1;
  if (write (poller->wake_fd, &one, sizeof one) < 0)
    g_debug ("eventfd: %s", g_strerror (errno));
}

/* The socket itself is readable then. */
void
malt_socket_poller_end (G_GNUC_UNUSED MaltSocketPoller *poller)
{
}
