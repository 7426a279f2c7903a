/* SPDX-License-Identifier: MIT */
/*
 * Forwards to the host's standard output and error.
 *
 * Whoever reads these may be slow, or not read at all; then neither the I/O thread nor a
 * caller may hang. That poll() says that there is room does not say how much (a
 * terminal), nor that it is still there (others write, too). The host's descriptors must
 * stay as they are: whether they block is a property that they share with other
 * processes. So a terminal or a pipe is opened once more, without blocking, for as long
 * as something is to be written, and not longer, since whoever reads a pipe waits for its
 * last writer; a socket is told with each piece. Where neither can be done, a piece is no
 * larger than what a pipe with room takes whole. The rest is kept, and the I/O thread
 * writes on when there is room. What is kept is bounded: beyond MAX_PENDING_BYTES output
 * is dropped, and a line says how much.
 *
 * The host's descriptors exist once in a process, so this state is global, one for each
 * stream, each with its own lock.
 */
#include "platform/malt-console.h"

#include "base/malt-memory.h"
#include "platform/malt-io-thread.h"
#include "platform/unix/malt-descriptor.h"
#include "platform/unix/malt-poll.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A power of two: strings grow to such, so what is kept costs no more. What is written
 * counts until it is taken out, which moves the rest. */
#define MAX_PENDING_BYTES ((gsize) 64 << 20)

enum
{
  PIECE_BYTES = 4096, /* not more than PIPE_BUF on any system of ours */
  REST_MS = 20 /* when there was room that took nothing */
};

typedef struct
{
  GMutex lock; /* guards the rest */
  int fd;
  GString *pending; /* (owned) (nullable): what is not yet written */
  gsize n_written; /* of pending */
  gsize n_dropped;
  GSource *source; /* (owned) (nullable): while something is pending */
} Console;

/* One of the host's descriptors, to be written to now. */
typedef struct
{
  int fd;
  gboolean is_own; /* opened here, so that it does not block */
  gboolean is_socket;
  gsize max_piece_bytes;
} Outlet;

static Console consoles[] = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };

static gboolean
has_room (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
  return malt_poll (&poll_fd, 1, &(const struct timespec){ 0 }) == 1;
}

static Outlet
outlet_open (int fd)
{
  Outlet outlet = { .fd = fd, .max_piece_bytes = PIECE_BYTES };
  struct stat status;
  char path[32];
  int own_fd;

  if (fstat (fd, &status) < 0)
    return outlet;
  if (S_ISREG (status.st_mode))
    outlet.max_piece_bytes = G_MAXSSIZE;
  outlet.is_socket = S_ISSOCK (status.st_mode);
  if (!S_ISFIFO (status.st_mode) && !(S_ISCHR (status.st_mode) && isatty (fd)))
    return outlet;
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  own_fd =
      malt_descriptor_raise (open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (own_fd >= 0)
    {
      outlet.fd = own_fd;
      outlet.is_own = TRUE;
    }
  return outlet;
}

static void
outlet_close (const Outlet *outlet)
{
  if (outlet->is_own)
    close (outlet->fd);
}

/* write(), without the signal that a pipe nobody reads would send to the host. */
static ssize_t
write_quietly (int fd, const char *text, gsize n_bytes)
{
  const struct timespec no_time = { 0, 0 };
  sigset_t pipe_signal;
  sigset_t saved;
  sigset_t pending;
  gboolean was_pending;
  ssize_t n;
  int saved_errno;

  sigemptyset (&pipe_signal);
  sigaddset (&pipe_signal, SIGPIPE);
  sigpending (&pending);
  was_pending = sigismember (&pending, SIGPIPE) == 1;
  pthread_sigmask (SIG_BLOCK, &pipe_signal, &saved);
  n = write (fd, text, n_bytes);
  saved_errno = errno;
  if (n < 0 && saved_errno == EPIPE && !was_pending)
    while (sigtimedwait (&pipe_signal, NULL, &no_time) < 0 && errno == EINTR)
      ;
  pthread_sigmask (SIG_SETMASK, &saved, NULL);
  errno = saved_errno;
  return n;
}

static ssize_t
outlet_write (const Outlet *outlet, const char *text, gsize n_bytes)
{
  gsize n_piece_bytes = MIN (n_bytes, outlet->max_piece_bytes);

  if (outlet->is_socket)
    return send (outlet->fd, text, n_piece_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  return write_quietly (outlet->fd, text, n_piece_bytes);
}

/* Returns how much was written; what nobody can ever read counts as written. */
static gsize
write_while_there_is_room (int fd, const char *text, gsize n_bytes)
{
  Outlet outlet = outlet_open (fd);
  gsize done = 0;

  while (done < n_bytes && has_room (outlet.fd))
    {
      ssize_t n = outlet_write (&outlet, text + done, n_bytes - done);
      if (n >= 0)
        done += (gsize) n;
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        break;
      else if (errno != EINTR)
        done = n_bytes;
    }
  outlet_close (&outlet);
  return done;
}

/* With lock held: takes the place of the source there was. */
static void
set_source (Console *console, GSource *source, GSourceFunc callback)
{
  if (console->source != NULL)
    g_source_destroy (console->source);
  g_clear_pointer (&console->source, g_source_unref);
  console->source = source;
  g_source_set_static_name (source, "malt: console");
  g_source_set_callback (source, callback, console, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
}

static gboolean on_room (int fd, GIOCondition condition, gpointer data);

/* With lock held. */
static void
wait_for_room (Console *console)
{
  set_source (console, g_unix_fd_source_new (console->fd, G_IO_OUT),
              G_SOURCE_FUNC (on_room));
}

static gboolean
on_rested (gpointer data)
{
  Console *console = data;

  g_mutex_lock (&console->lock);
  wait_for_room (console);
  g_mutex_unlock (&console->lock);
  return G_SOURCE_REMOVE;
}

static gboolean
on_room (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Console *console = data;
  gboolean is_done;
  gsize n;

  g_mutex_lock (&console->lock);
  n = write_while_there_is_room (console->fd, console->pending->str + console->n_written,
                                 console->pending->len - console->n_written);
  console->n_written += n;
  is_done = console->n_written == console->pending->len;
  if (is_done && console->n_dropped > 0)
    {
      g_string_printf (console->pending,
                       "\n[%" G_GSIZE_FORMAT " bytes of output dropped]\n",
                       console->n_dropped);
      console->n_dropped = 0;
      console->n_written = 0;
      is_done = FALSE;
    }
  if (is_done)
    {
      g_string_free (g_steal_pointer (&console->pending), TRUE);
      g_clear_pointer (&console->source, g_source_unref);
    }
  else if (n == 0)
    set_source (console, g_timeout_source_new (REST_MS), on_rested);
  g_mutex_unlock (&console->lock);
  return is_done ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* With lock held. */
static void
keep (Console *console, const char *text, gsize n_bytes)
{
  if (console->pending == NULL)
    {
      console->pending = g_string_new (NULL);
      console->n_written = 0;
      wait_for_room (console);
    }
  if (console->n_written > console->pending->len / 2)
    {
      g_string_erase (console->pending, 0, (gssize) console->n_written);
      console->n_written = 0;
    }
  /* A text that grows doubles. */
  if (console->pending->len + n_bytes >= MAX_PENDING_BYTES ||
      (console->pending->len + n_bytes >= console->pending->allocated_len &&
       !malt_memory_check (2 * (console->pending->len + n_bytes), NULL)))
    {
      console->n_dropped += n_bytes;
      return;
    }
  g_string_append_len (console->pending, text, (gssize) n_bytes);
}

void
malt_console_write (MaltStream stream, const char *text, gsize n_bytes)
{
  Console *console = &consoles[stream == MALT_STREAM_STDERR];
  gsize n_done = 0;

  g_mutex_lock (&console->lock);
  if (console->pending == NULL)
    n_done = write_while_there_is_room (console->fd, text, n_bytes);
  if (n_done < n_bytes)
    keep (console, text + n_done, n_bytes - n_done);
  g_mutex_unlock (&console->lock);
}
