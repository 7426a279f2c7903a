/* SPDX-License-Identifier: MIT */
/*
 * The pipes of a worker process.
 *
 * Both are read as soon as something is in them, by the I/O thread, so that code that
 * prints never waits (rule B12). Before an answer is handed on, the thread that read the
 * answer drains both pipes as well: what the call wrote is in them by then (rule B16).
 * The lock of MaltOutput keeps the two from overtaking each other.
 *
 * The end of a pipe is not waited for when the worker has ended: a process that evaluated
 * code started may hold it open for ever.
 */
#include "process/malt-output-pipes.h"

#include "platform/malt-io-thread.h"
#include "process/malt-output.h"

enum
{
  CHUNK_BYTES = 64 * 1024,
  MAX_DRAIN_BYTES =
      1024 * 1024 /* the most a pipe can hold: what came before the answer is among it */
};

typedef struct
{
  MaltStream stream;
  GSource *source; /* (owned) (nullable): changed by the I/O thread, after start */
} Reader;

struct _MaltOutputPipes
{
  MaltOutput *output; /* (owned): its lock guards reading from the pipes, and the rest */
  MaltLink *link; /* (owned) */
  MaltPipe *pipes[2]; /* (unowned) (nullable): NULL: ended or not there yet */
  Reader readers[2];
  char *chunk; /* (owned) */
};

MaltOutputPipes *
malt_output_pipes_new (MaltWorker *worker, MaltLink *link)
{
  MaltOutputPipes *output = g_new0 (MaltOutputPipes, 1);

  output->output = malt_output_new (worker);
  output->link = malt_link_ref (link);
  output->chunk = g_malloc (CHUNK_BYTES);
  output->readers[0].stream = MALT_STREAM_STDOUT;
  output->readers[1].stream = MALT_STREAM_STDERR;
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
leave_pipe (MaltOutputPipes *output, int i)
{
  Reader *reader = &output->readers[i];

  output->pipes[i] = NULL;
  if (reader->source != NULL)
    g_source_destroy (reader->source);
  g_clear_pointer (&reader->source, g_source_unref);
}

/* With lock held. A read that is not full has emptied the pipe. */
static void
read_pipe (MaltOutputPipes *output, int i)
{
  gsize n_total = 0;
  gssize n = CHUNK_BYTES;

  while (output->pipes[i] != NULL && n == CHUNK_BYTES && n_total < MAX_DRAIN_BYTES)
    {
      n = malt_pipe_read (output->pipes[i], output->chunk, CHUNK_BYTES);
      if (n > 0)
        {
          n_total += (gsize) n;
          malt_output_handle_locked (output->output, output->readers[i].stream,
                                     malt_link_get_sole_call (output->link),
                                     output->chunk, (gsize) n);
        }
      else if (n == 0)
        leave_pipe (output, i);
    }
}

void
malt_output_pipes_drain (MaltOutputPipes *output)
{
  gboolean is_ready[2];

  malt_output_lock (output->output);
  if (malt_pipe_look (output->pipes, 2, is_ready))
    for (int i = 0; i < 2; i++)
      if (is_ready[i])
        read_pipe (output, i);
  malt_output_unlock (output->output);
}

typedef struct
{
  MaltOutputPipes *output; /* (unowned): stop comes before free */
  int i;
} Target;

static gboolean
on_pipe_ready (gpointer data)
{
  Target *target = data;

  malt_output_lock (target->output->output);
  read_pipe (target->output, target->i);
  malt_output_unlock (target->output->output);
  return G_SOURCE_CONTINUE;
}

void
malt_output_pipes_set_pid (MaltOutputPipes *output, gint64 pid)
{
  malt_output_set_pid (output->output, pid);
}

void
malt_output_pipes_start (MaltOutputPipes *output, MaltPipe *standard_output,
                         MaltPipe *standard_error)
{
  malt_output_lock (output->output);
  output->pipes[0] = standard_output;
  output->pipes[1] = standard_error;
  for (int i = 0; i < 2 && output->pipes[i] != NULL; i++)
    {
      Target *target = g_new (Target, 1);

      target->output = output;
      target->i = i;
      output->readers[i].source = malt_io_thread_attach (
          malt_pipe_source_new (output->pipes[i]), on_pipe_ready, target, g_free);
    }
  malt_output_unlock (output->output);
}

void
malt_output_pipes_stop (MaltOutputPipes *output)
{
  malt_output_pipes_drain (output);
  malt_output_lock (output->output);
  for (int i = 0; i < 2; i++)
    leave_pipe (output, i);
  malt_output_unlock (output->output);
  malt_output_end (output->output);
}
