/* SPDX-License-Identifier: MIT */
/*
 * Forwards to the host's standard output and error.
 *
 * Whoever reads these may be slow, or not read at all; then neither the I/O thread nor a caller may hang. So a piece is written only when poll()
 * says that there is room, and in pieces that a pipe with room takes whole. The rest is kept, and the I/O thread writes on when there is room. What is
 * kept is bounded: beyond MAX_PENDING_BYTES output is dropped, and a line says how much.
 *
 * The host's descriptors exist once in a process, so this state is global, one for each stream, each with its own lock.
 */
#include "malt-process-console.h"

#include "link/malt-io-thread.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_PENDING_BYTES ((gsize) 64 << 20)

enum
{
  PIECE_BYTES = 4096 /* not more than PIPE_BUF on any system of ours */
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

static Console consoles[] = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };

static gboolean
has_room (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
  return poll (&poll_fd, 1, 0) == 1;
}

static gboolean
is_regular_file (int fd)
{
  struct stat status;
  return fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
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

/* Returns how much was written; what nobody can ever read counts as written. */
static gsize
write_while_there_is_room (int fd, const char *text, gsize n_bytes)
{
  gsize piece = is_regular_file (fd) ? n_bytes : PIECE_BYTES;
  gsize done = 0;

  while (done < n_bytes && has_room (fd))
    {
      ssize_t n = write_quietly (fd, text + done, MIN (n_bytes - done, piece));
      if (n >= 0)
        done += (gsize) n;
      else if (errno == EAGAIN)
        break;
      else if (errno != EINTR)
        return n_bytes;
    }
  return done;
}

static gboolean
on_room (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Console *console = data;
  gboolean is_done;

  g_mutex_lock (&console->lock);
  console->n_written +=
      write_while_there_is_room (console->fd, console->pending->str + console->n_written,
                                 console->pending->len - console->n_written);
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
      console->source = g_unix_fd_source_new (console->fd, G_IO_OUT);
      g_source_set_callback (console->source, G_SOURCE_FUNC (on_room), console, NULL);
      g_source_attach (console->source, malt_io_thread_get_context ());
    }
  if (console->pending->len - console->n_written + n_bytes > MAX_PENDING_BYTES)
    {
      console->n_dropped += n_bytes;
      return;
    }
  if (console->n_written > console->pending->len / 2)
    {
      g_string_erase (console->pending, 0, (gssize) console->n_written);
      console->n_written = 0;
    }
  g_string_append_len (console->pending, text, (gssize) n_bytes);
}

void
malt_process_console_write (MaltStream stream, const char *text, gsize n_bytes)
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
