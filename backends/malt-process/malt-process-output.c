/* SPDX-License-Identifier: MIT */
/*
 * Output of evaluated code.
 *
 * Both pipes are read as soon as something is in them, by the I/O thread, so that code that prints never waits (rule B12). Before an answer is handed on, the
 * thread that read the answer drains both pipes as well: what the call wrote is in them by then (rule B16). One lock keeps the two from
 * overtaking each other. It is held while output is handed on, which never waits for anybody.
 *
 * The end of a pipe is not waited for when the worker has ended: a process that evaluated code started may hold it open for ever.
 */
#include "malt-process-output.h"

#include "link/malt-io-thread.h"
#include "link/malt-weak-worker.h"
#include "malt-process-console.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum
{
  CHUNK_BYTES = 64 * 1024,
  MAX_DRAIN_BYTES =
      1024 * 1024, /* the most a pipe can hold: what came before the answer is among it */
  TAIL_BYTES = 4096,
  TAIL_LINES = 20
};

typedef enum
{
  OUTPUT_FORWARD,
  OUTPUT_SIGNAL,
  OUTPUT_DISCARD,
} OutputMode;

typedef struct
{
  MaltStream stream;
  int fd; /* (unowned): -1: closed or not open yet */
  GSource *source; /* (owned) (nullable): changed by the I/O thread, after start */
  gboolean is_line_open; /* the last thing forwarded did not end with a newline */
} Pipe;

struct _MaltProcessOutput
{
  MaltWeakWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  OutputMode mode;
  char *
      prefix; /* (owned) (nullable): of forwarded lines; with the pid in it once started */
  GMutex lock; /* guards reading from the pipes, prefix, and the rest */
  Pipe pipes[2];
  char *chunk; /* (owned) */
  GString *tail; /* (owned) */
};

MaltProcessOutput *
malt_process_output_new (MaltWorker *worker, MaltLink *link)
{
  MaltProcessOutput *output = g_new0 (MaltProcessOutput, 1);
  const char *mode = malt_worker_get_option (worker, "output");

  g_mutex_init (&output->lock);
  output->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  output->link = malt_link_ref (link);
  output->prefix = g_strdup (malt_worker_get_option (worker, "output-prefix"));
  output->tail = g_string_new (NULL);
  output->chunk = g_malloc (CHUNK_BYTES);
  output->pipes[0] = (Pipe){ .stream = MALT_STREAM_STDOUT, .fd = -1 };
  output->pipes[1] = (Pipe){ .stream = MALT_STREAM_STDERR, .fd = -1 };
  if (g_strcmp0 (mode, "signal") == 0)
    output->mode = OUTPUT_SIGNAL;
  else if (g_strcmp0 (mode, "discard") == 0)
    output->mode = OUTPUT_DISCARD;
  return output;
}

void
malt_process_output_free (MaltProcessOutput *output)
{
  malt_weak_worker_unref (output->worker);
  malt_link_unref (output->link);
  g_free (output->prefix);
  g_free (output->chunk);
  g_string_free (output->tail, TRUE);
  g_mutex_clear (&output->lock);
  g_free (output);
}

/* Handing on, with lock held */

static void
keep_tail (MaltProcessOutput *output, const char *text, gsize n_bytes)
{
  g_string_append_len (output->tail, text, (gssize) n_bytes);
  if (output->tail->len > (gsize) 2 * TAIL_BYTES)
    g_string_erase (output->tail, 0, (gssize) (output->tail->len - TAIL_BYTES));
}

/* Every line gets the prefix, where it begins. */
static void
forward (MaltProcessOutput *output, Pipe *pipe, const char *text, gsize n_bytes)
{
  const char *end = text + n_bytes;
  g_autoptr (GString) lines = NULL;

  if (output->prefix == NULL || *output->prefix == '\0')
    {
      malt_process_console_write (pipe->stream, text, n_bytes);
      return;
    }
  lines = g_string_sized_new (n_bytes + n_bytes / 8 + strlen (output->prefix));
  while (text < end)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *line_end = newline != NULL ? newline + 1 : end;
      if (!pipe->is_line_open)
        g_string_append (lines, output->prefix);
      g_string_append_len (lines, text, line_end - text);
      pipe->is_line_open = newline == NULL;
      text = line_end;
    }
  malt_process_console_write (pipe->stream, lines->str, lines->len);
}

static void
hand_on (MaltProcessOutput *output, Pipe *pipe, guint32 call_id, const char *text,
         gsize n_bytes)
{
  if (pipe->stream == MALT_STREAM_STDERR)
    keep_tail (output, text, n_bytes);
  if (output->mode == OUTPUT_FORWARD)
    forward (output, pipe, text, n_bytes);
  else if (output->mode == OUTPUT_SIGNAL)
    {
      g_autoptr (MaltWorker) worker = malt_weak_worker_dup (output->worker);
      g_autoptr (GBytes) bytes = g_bytes_new (text, n_bytes);
      if (worker != NULL)
        malt_worker_emit_output (worker, pipe->stream, call_id, bytes);
    }
}

void
malt_process_output_handle (MaltProcessOutput *output, MaltStream stream, guint32 call_id,
                            GBytes *bytes)
{
  gsize n_bytes;
  const char *text = g_bytes_get_data (bytes, &n_bytes);

  g_mutex_lock (&output->lock);
  hand_on (output, &output->pipes[stream == MALT_STREAM_STDERR], call_id, text, n_bytes);
  g_mutex_unlock (&output->lock);
}

/* Reading */

static void
close_pipe (Pipe *pipe)
{
  pipe->fd = -1;
  if (pipe->source != NULL)
    g_source_destroy (pipe->source);
  g_clear_pointer (&pipe->source, g_source_unref);
}

/* With lock held. A read that is not full has emptied the pipe. */
static void
read_pipe (MaltProcessOutput *output, Pipe *pipe)
{
  gsize n_total = 0;
  ssize_t n = CHUNK_BYTES;

  while (pipe->fd >= 0 && n == CHUNK_BYTES && n_total < MAX_DRAIN_BYTES)
    {
      n = read (pipe->fd, output->chunk, CHUNK_BYTES);
      if (n > 0)
        {
          n_total += (gsize) n;
          hand_on (output, pipe, malt_link_get_sole_call (output->link), output->chunk,
                   (gsize) n);
        }
      else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe (pipe);
    }
}

void
malt_process_output_drain (MaltProcessOutput *output)
{
  struct pollfd fds[2];

  g_mutex_lock (&output->lock);
  for (int i = 0; i < 2; i++)
    fds[i] = (struct pollfd){ .fd = output->pipes[i].fd, .events = POLLIN };
  if (poll (fds, 2, 0) > 0)
    for (int i = 0; i < 2; i++)
      if (fds[i].revents != 0)
        read_pipe (output, &output->pipes[i]);
  g_mutex_unlock (&output->lock);
}

typedef struct
{
  MaltProcessOutput *output; /* (unowned): stop comes before free */
  Pipe *pipe;
} Target;

static gboolean
on_pipe_ready (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Target *target = data;

  g_mutex_lock (&target->output->lock);
  read_pipe (target->output, target->pipe);
  g_mutex_unlock (&target->output->lock);
  return G_SOURCE_CONTINUE;
}

/* With lock held. */
static void
insert_pid (MaltProcessOutput *output, gint64 pid)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, pid);
  g_autoptr (GString) prefix = g_string_new (output->prefix);

  g_string_replace (prefix, "PID", number, 1);
  g_free (output->prefix);
  output->prefix = g_strdup (prefix->str);
}

void
malt_process_output_start (MaltProcessOutput *output, MaltChild *child)
{
  g_mutex_lock (&output->lock);
  insert_pid (output, malt_child_get_pid (child));
  output->pipes[0].fd = malt_child_get_stdout_fd (child);
  output->pipes[1].fd = malt_child_get_stderr_fd (child);
  for (int i = 0; i < 2; i++)
    {
      Pipe *pipe = &output->pipes[i];
      Target *target = g_new (Target, 1);
      target->output = output;
      target->pipe = pipe;
      pipe->source = g_unix_fd_source_new (pipe->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
      g_source_set_static_name (pipe->source, "malt: output");
      g_source_set_callback (pipe->source, G_SOURCE_FUNC (on_pipe_ready), target, g_free);
      g_source_attach (pipe->source, malt_io_thread_get_context ());
    }
  g_mutex_unlock (&output->lock);
}

void
malt_process_output_stop (MaltProcessOutput *output)
{
  malt_process_output_drain (output);
  g_mutex_lock (&output->lock);
  for (int i = 0; i < 2; i++)
    {
      Pipe *pipe = &output->pipes[i];
      if (pipe->is_line_open)
        malt_process_console_write (pipe->stream, "\n", 1);
      pipe->is_line_open = FALSE;
      close_pipe (pipe);
    }
  g_mutex_unlock (&output->lock);
}

char *
malt_process_output_dup_tail (MaltProcessOutput *output)
{
  const char *text;
  const char *start;
  guint n_lines = 0;
  char *tail = NULL;

  g_mutex_lock (&output->lock);
  text = output->tail->str;
  start = text + output->tail->len;
  while (start > text && g_ascii_isspace (start[-1]))
    start--;
  g_string_truncate (output->tail, (gsize) (start - text));
  while (start > text && (n_lines += start[-1] == '\n') < TAIL_LINES &&
         text + output->tail->len - start < TAIL_BYTES)
    start--;
  if (output->tail->len > 0)
    tail = g_utf8_make_valid (start, -1);
  g_mutex_unlock (&output->lock);
  return tail;
}
