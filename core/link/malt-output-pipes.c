/* SPDX-License-Identifier: MIT */
/*
 * The pipes of a worker process.
 *
 * Both are read as soon as something is in them, by the I/O thread, so that code that prints never waits (rule B12). Before an answer is handed on, the
 * thread that read the answer drains both pipes as well: what the call wrote is in them by then (rule B16). The lock of MaltOutput keeps the two from
 * overtaking each other.
 *
 * The end of a pipe is not waited for when the worker has ended: a process that evaluated code started may hold it open for ever.
 */
#include "link/malt-output-pipes.h"

#include "link/malt-io-thread.h"
#include "link/malt-output.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

enum
{
  CHUNK_BYTES = 64 * 1024,
  MAX_DRAIN_BYTES =
      1024 * 1024 /* the most a pipe can hold: what came before the answer is among it */
};

typedef struct
{
  MaltStream stream;
  int fd; /* (unowned): -1: closed or not open yet */
  GSource *source; /* (owned) (nullable): changed by the I/O thread, after start */
} Pipe;

struct _MaltOutputPipes
{
  MaltOutput *output; /* (owned): its lock guards reading from the pipes, and the rest */
  MaltLink *link; /* (owned) */
  Pipe pipes[2];
  char *chunk; /* (owned) */
};

MaltOutputPipes *
malt_output_pipes_new (MaltWorker *worker, MaltLink *link)
{
  MaltOutputPipes *output = g_new0 (MaltOutputPipes, 1);

  output->output = malt_output_new (worker);
  output->link = malt_link_ref (link);
  output->chunk = g_malloc (CHUNK_BYTES);
  output->pipes[0] = (Pipe){ .stream = MALT_STREAM_STDOUT, .fd = -1 };
  output->pipes[1] = (Pipe){ .stream = MALT_STREAM_STDERR, .fd = -1 };
  return output;
}

void
malt_output_pipes_free (MaltOutputPipes *output)
{
  malt_output_free (output->output);
  malt_link_unref (output->link);
  g_free (output->chunk);
  g_free (output);
}

void
malt_output_pipes_handle (MaltOutputPipes *output, MaltStream stream, guint32 call_id,
                          GBytes *bytes)
{
  malt_output_handle (output->output, stream, call_id, g_bytes_get_data (bytes, NULL),
                      g_bytes_get_size (bytes));
}

char *
malt_output_pipes_dup_tail (MaltOutputPipes *output)
{
  return malt_output_dup_tail (output->output);
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
read_pipe (MaltOutputPipes *output, Pipe *pipe)
{
  gsize n_total = 0;
  ssize_t n = CHUNK_BYTES;

  while (pipe->fd >= 0 && n == CHUNK_BYTES && n_total < MAX_DRAIN_BYTES)
    {
      n = read (pipe->fd, output->chunk, CHUNK_BYTES);
      if (n > 0)
        {
          n_total += (gsize) n;
          malt_output_handle_locked (output->output, pipe->stream,
                                     malt_link_get_sole_call (output->link),
                                     output->chunk, (gsize) n);
        }
      else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe (pipe);
    }
}

void
malt_output_pipes_drain (MaltOutputPipes *output)
{
  struct pollfd fds[2];

  malt_output_lock (output->output);
  for (int i = 0; i < 2; i++)
    fds[i] = (struct pollfd){ .fd = output->pipes[i].fd, .events = POLLIN };
  if (poll (fds, 2, 0) > 0)
    for (int i = 0; i < 2; i++)
      if (fds[i].revents != 0)
        read_pipe (output, &output->pipes[i]);
  malt_output_unlock (output->output);
}

typedef struct
{
  MaltOutputPipes *output; /* (unowned): stop comes before free */
  Pipe *pipe;
} Target;

static gboolean
on_pipe_ready (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  Target *target = data;

  malt_output_lock (target->output->output);
  read_pipe (target->output, target->pipe);
  malt_output_unlock (target->output->output);
  return G_SOURCE_CONTINUE;
}

void
malt_output_pipes_set_pid (MaltOutputPipes *output, gint64 pid)
{
  malt_output_set_pid (output->output, pid);
}

void
malt_output_pipes_start (MaltOutputPipes *output, int stdout_fd, int stderr_fd)
{
  malt_output_lock (output->output);
  output->pipes[0].fd = stdout_fd;
  output->pipes[1].fd = stderr_fd;
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
  malt_output_unlock (output->output);
}

void
malt_output_pipes_stop (MaltOutputPipes *output)
{
  malt_output_pipes_drain (output);
  malt_output_lock (output->output);
  for (int i = 0; i < 2; i++)
    close_pipe (&output->pipes[i]);
  malt_output_unlock (output->output);
  malt_output_end (output->output);
}
