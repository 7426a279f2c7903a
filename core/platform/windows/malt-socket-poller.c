/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a socket on Windows.
 *
 * A socket can be told to set an event when something has happened to it, one event at a
 * time; told anew, it sets it at once if it is ready already. So the event of the source
 * is the one that is told, and while a thread waits in malt_socket_poller_wait() that
 * thread's is. A change of interest is one system call, which wakes nobody. While
 * somebody waits, the source's interest in writing makes the wait end, too; whoever
 * waited then wakes the I/O thread (is_writable).
 *
 * The system reports the end of a stream once. It is remembered (is_ended).
 */
#include "platform/malt-socket-poller.h"

#include "platform/windows/malt-handle.h"

#include <gio/gio.h>

struct _MaltSocketPoller
{
  HANDLE source_event; /* (owned): until it is reset */
  HANDLE wait_event; /* (owned): until it is reset */
  HANDLE wake_event; /* (owned): resets itself */

  GMutex lock; /* guards the rest */
  int fd; /* (unowned): -1: none */
  MaltSocketPoll interest;
  gboolean is_waiting;
  gboolean is_ended;
  gboolean
      is_writable; /* a wait has been told that it is; the source has not been asked since */
};

MaltSocketPoller *
malt_socket_poller_new (GError **error)
{
  MaltSocketPoller *poller = g_new0 (MaltSocketPoller, 1);

  g_mutex_init (&poller->lock);
  poller->fd = -1;
  poller->source_event = CreateEventW (NULL, TRUE, FALSE, NULL);
  poller->wait_event = CreateEventW (NULL, TRUE, FALSE, NULL);
  poller->wake_event = CreateEventW (NULL, FALSE, FALSE, NULL);
  if (poller->source_event == NULL || poller->wait_event == NULL ||
      poller->wake_event == NULL)
    {
      malt_handle_set_error (error, "cannot watch the connection", GetLastError ());
      g_clear_pointer (&poller, malt_socket_poller_free);
    }
  return poller;
}

void
malt_socket_poller_free (MaltSocketPoller *poller)
{
  malt_handle_clear (&poller->source_event);
  malt_handle_clear (&poller->wait_event);
  malt_handle_clear (&poller->wake_event);
  g_mutex_clear (&poller->lock);
  g_free (poller);
}

/* With lock held: tells the socket what to report, and to whom. */
static gboolean
arm (MaltSocketPoller *poller)
{
  gboolean wants_read = poller->is_waiting || (poller->interest & MALT_SOCKET_POLL_READ);
  gboolean wants_write = (poller->interest & MALT_SOCKET_POLL_WRITE) != 0;
  long events = (wants_read ? FD_READ | FD_CLOSE : 0) | (wants_write ? FD_WRITE : 0);
  HANDLE event = poller->is_waiting ? poller->wait_event : poller->source_event;

  if (poller->fd < 0)
    return TRUE;
  return WSAEventSelect ((SOCKET) poller->fd, event, events) == 0;
}

/* With lock held: what has been reported, which is forgotten; resets the event. */
static long
take_events (MaltSocketPoller *poller, HANDLE event)
{
  WSANETWORKEVENTS events = { 0 };

  if (poller->fd < 0 || WSAEnumNetworkEvents ((SOCKET) poller->fd, event, &events) != 0)
    {
      ResetEvent (event);
      return 0;
    }
  if (events.lNetworkEvents & FD_CLOSE)
    poller->is_ended = TRUE;
  return events.lNetworkEvents;
}

gboolean
malt_socket_poller_set_fd (MaltSocketPoller *poller, int fd, GError **error)
{
  gboolean is_armed;

  g_mutex_lock (&poller->lock);
  if (poller->fd >= 0)
    WSAEventSelect ((SOCKET) poller->fd, NULL, 0);
  poller->fd = fd;
  poller->is_ended = FALSE;
  poller->is_writable = FALSE;
  is_armed = arm (poller);
  g_mutex_unlock (&poller->lock);
  return is_armed || malt_handle_set_error (error, "cannot watch the connection",
                                            (DWORD) WSAGetLastError ());
}

void
malt_socket_poller_set_interest (MaltSocketPoller *poller, MaltSocketPoll interest)
{
  g_mutex_lock (&poller->lock);
  if (interest != poller->interest)
    {
      poller->interest = interest;
      arm (poller);
    }
  g_mutex_unlock (&poller->lock);
}

/* The source */

typedef struct
{
  GSource source;
  GPollFD poll;
  MaltSocketPoller *poller; /* (unowned) */
} PollerSource;

static gboolean
prepare (GSource *source, int *timeout_ms)
{
  MaltSocketPoller *poller = ((PollerSource *) source)->poller;
  gboolean is_ready;

  g_mutex_lock (&poller->lock);
  is_ready = poller->is_ended && poller->fd >= 0 && !poller->is_waiting &&
             (poller->interest & MALT_SOCKET_POLL_READ) != 0;
  g_mutex_unlock (&poller->lock);
  *timeout_ms = -1;
  return is_ready;
}

static gboolean
check (GSource *source)
{
  return (((PollerSource *) source)->poll.revents & G_IO_IN) != 0;
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { .prepare = prepare,
                                     .check = check,
                                     .dispatch = dispatch };

GSource *
malt_socket_poller_source_new (MaltSocketPoller *poller)
{
  GSource *source = g_source_new (&source_funcs, sizeof (PollerSource));
  PollerSource *poller_source = (PollerSource *) source;

  poller_source->poller = poller;
  poller_source->poll.fd = (gintptr) poller->source_event;
  poller_source->poll.events = G_IO_IN;
  g_source_set_static_name (source, "malt: connection");
  g_source_add_poll (source, &poller_source->poll);
  return source;
}

MaltSocketPoll
malt_socket_poller_get_ready (MaltSocketPoller *poller)
{
  MaltSocketPoll ready = MALT_SOCKET_POLL_NONE;
  long events = 0;

  g_mutex_lock (&poller->lock);
  /* What the socket reports while somebody waits is for whoever waits. */
  if (poller->is_waiting)
    ResetEvent (poller->source_event);
  else
    events = take_events (poller, poller->source_event);
  if ((events & (FD_READ | FD_CLOSE)) ||
      (poller->is_ended && (poller->interest & MALT_SOCKET_POLL_READ)))
    ready |= MALT_SOCKET_POLL_READ;
  if ((events & FD_WRITE) || ((poller->is_waiting || poller->is_writable) &&
                              (poller->interest & MALT_SOCKET_POLL_WRITE)))
    ready |= MALT_SOCKET_POLL_WRITE;
  poller->is_writable = FALSE;
  g_mutex_unlock (&poller->lock);
  return ready;
}

/* The blocking wait */

static DWORD
get_timeout_ms (gint64 deadline_us)
{
  gint64 left_us = deadline_us - g_get_monotonic_time ();

  if (deadline_us < 0)
    return INFINITE;
  return (DWORD) CLAMP ((left_us + 999) / 1000, 0, G_MAXINT);
}

/* FALSE: there is nothing to wait for. */
static gboolean
begin_wait (MaltSocketPoller *poller)
{
  gboolean is_ended;

  g_mutex_lock (&poller->lock);
  is_ended = poller->is_ended && poller->fd >= 0;
  if (!is_ended)
    {
      poller->is_waiting = TRUE;
      ResetEvent (poller->wait_event);
      arm (poller);
    }
  g_mutex_unlock (&poller->lock);
  return !is_ended;
}

static void
end_wait (MaltSocketPoller *poller)
{
  g_mutex_lock (&poller->lock);
  if (take_events (poller, poller->wait_event) & FD_WRITE)
    {
      poller->is_writable = TRUE;
      SetEvent (poller->source_event);
    }
  poller->is_waiting = FALSE;
  arm (poller);
  g_mutex_unlock (&poller->lock);
}

void
malt_socket_poller_wait (MaltSocketPoller *poller, gint64 deadline_us)
{
  HANDLE handles[2] = { poller->wake_event, poller->wait_event };

  if (!begin_wait (poller))
    return;
  WaitForMultipleObjects (2, handles, FALSE, get_timeout_ms (deadline_us));
  end_wait (poller);
}

void
malt_socket_poller_wake (MaltSocketPoller *poller)
{
  SetEvent (poller->wake_event);
}

/* The system reports ends that come from the peer only. */
void
malt_socket_poller_end (MaltSocketPoller *poller)
{
  g_mutex_lock (&poller->lock);
  poller->is_ended = TRUE;
  g_mutex_unlock (&poller->lock);
  SetEvent (poller->source_event);
  SetEvent (poller->wake_event);
}
