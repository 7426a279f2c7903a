/* SPDX-License-Identifier: MIT */
/*
 * Handing on output of evaluated code: forwarded to the host's own streams, each line
 * with a prefix; emitted as a signal of the worker; or discarded. A worker that has the
 * host's own descriptors (`inherit`) brings none.
 *
 * Output may come in several ways at once, and several threads may bring it. One lock
 * keeps pieces whole and in order. It is held while a piece is handed on, which never
 * waits for anybody: the console keeps what it cannot write, and core queues emissions.
 * Whoever reads output from a place that other threads read, too, takes the lock around
 * reading and handing on.
 *
 * The end of stderr is kept, whatever becomes of the rest: it says why a worker has
 * ended, or why it could not start.
 */
#include "process/malt-output.h"

#include "base/malt-memory.h"
#include "platform/malt-console.h"
#include "process/malt-julia-command.h"
#include "worker/malt-weak-worker.h"

#include <malt/malt-worker-class.h>
#include <string.h>

enum
{
  N_STREAMS = 2,
  TAIL_BYTES = 4096,
  PIECE_BYTES = 64 * 1024, /* that is forwarded at a time */
  TAIL_LINES = 20
};

typedef enum
{
  OUTPUT_FORWARD,
  OUTPUT_SIGNAL,
  OUTPUT_DISCARD,
  OUTPUT_INHERIT,
} OutputMode;

struct _MaltOutput
{
  MaltWeakWorker *worker; /* (owned) */
  OutputMode mode;
  GMutex lock; /* guards the rest, and what its holder reads from */
  char
      *prefix; /* (owned) (nullable): of forwarded lines; with the pid in it once known */
  gboolean is_line_open
      [N_STREAMS]; /* the last thing forwarded there did not end with a newline */
  GString *tail; /* (owned) */
};

gboolean
malt_output_is_hosts (MaltWorker *worker)
{
  return malt_julia_inherits (worker, "output");
}

gboolean
malt_output_prepare (MaltWorker *worker, GError **error)
{
  const char *backend = malt_worker_get_backend_name (worker);

  if (!malt_output_is_hosts (worker))
    return TRUE;
  if (malt_config_get_for (malt_worker_get_config (worker), backend, "output-prefix") !=
      NULL)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                   "option 'output-prefix': expected it unset in [malt] and [%s], since "
                   "option 'output' is 'inherit'",
                   backend);
      return FALSE;
    }
  malt_worker_set_capabilities (worker, malt_worker_get_capabilities (worker) &
                                            ~(MaltCapabilities) MALT_CAPABILITY_OUTPUT);
  return TRUE;
}

MaltOutput *
malt_output_new (MaltWorker *worker)
{
  MaltOutput *output = g_new0 (MaltOutput, 1);
  const char *mode = malt_worker_get_option (worker, "output");

  g_mutex_init (&output->lock);
  output->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  output->prefix = g_strdup (malt_worker_get_option (worker, "output-prefix"));
  output->tail = g_string_new (NULL);
  if (g_strcmp0 (mode, "signal") == 0)
    output->mode = OUTPUT_SIGNAL;
  else if (g_strcmp0 (mode, "discard") == 0)
    output->mode = OUTPUT_DISCARD;
  else if (malt_output_is_hosts (worker))
    output->mode = OUTPUT_INHERIT;
  return output;
}

void
malt_output_free (MaltOutput *output)
{
  malt_weak_worker_unref (output->worker);
  g_free (output->prefix);
  g_string_free (output->tail, TRUE);
  g_mutex_clear (&output->lock);
  g_free (output);
}

void
malt_output_lock (MaltOutput *output)
{
  g_mutex_lock (&output->lock);
}

void
malt_output_unlock (MaltOutput *output)
{
  g_mutex_unlock (&output->lock);
}

void
malt_output_set_pid (MaltOutput *output, gint64 pid)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, pid);
  g_autoptr (GString) prefix = NULL;

  g_mutex_lock (&output->lock);
  prefix = g_string_new (output->prefix);
  g_string_replace (prefix, "PID", number, 1);
  g_free (output->prefix);
  output->prefix = g_strdup (prefix->str);
  g_mutex_unlock (&output->lock);
}

/* Handing on, with lock held */

static void
keep_tail (MaltOutput *output, const char *text, gsize n_bytes)
{
  gsize n_kept = MIN (n_bytes, TAIL_BYTES);

  g_string_append_len (output->tail, text + n_bytes - n_kept, (gssize) n_kept);
  if (output->tail->len > (gsize) 2 * TAIL_BYTES)
    g_string_erase (output->tail, 0, (gssize) (output->tail->len - TAIL_BYTES));
}

/* Every line gets the prefix, where it begins. */
static void
forward (MaltOutput *output, MaltStream stream, const char *text, gsize n_bytes)
{
  gboolean *is_line_open = &output->is_line_open[stream == MALT_STREAM_STDERR];
  const char *end = text + n_bytes;
  g_autoptr (GString) lines = NULL;

  if (output->prefix == NULL || *output->prefix == '\0')
    {
      malt_console_write (stream, text, n_bytes);
      return;
    }
  lines = g_string_sized_new (n_bytes + n_bytes / 8 + strlen (output->prefix));
  while (text < end)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *line_end = newline != NULL ? newline + 1 : end;
      if (!*is_line_open)
        g_string_append (lines, output->prefix);
      g_string_append_len (lines, text, line_end - text);
      *is_line_open = newline == NULL;
      text = line_end;
    }
  malt_console_write (stream, lines->str, lines->len);
}

static void
emit (MaltOutput *output, MaltStream stream, guint32 call_id, const char *text,
      gsize n_bytes)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (output->worker);
  g_autoptr (GBytes) bytes = malt_memory_new_bytes (text, n_bytes, NULL);

  if (worker != NULL && bytes != NULL)
    malt_worker_emit_output (worker, stream, call_id, bytes);
}

void
malt_output_handle_locked (MaltOutput *output, MaltStream stream, guint32 call_id,
                           const char *text, gsize n_bytes)
{
  if (stream == MALT_STREAM_STDERR)
    keep_tail (output, text, n_bytes);
  /* What has not gone to the host's descriptors by itself still goes there. */
  if (output->mode == OUTPUT_INHERIT)
    malt_console_write (stream, text, n_bytes);
  else if (output->mode == OUTPUT_FORWARD)
    for (gsize i = 0; i < n_bytes; i += PIECE_BYTES)
      forward (output, stream, text + i, MIN (n_bytes - i, PIECE_BYTES));
  else if (output->mode == OUTPUT_SIGNAL)
    emit (output, stream, call_id, text, n_bytes);
}

void
malt_output_handle (MaltOutput *output, MaltStream stream, guint32 call_id,
                    const char *text, gsize n_bytes)
{
  g_mutex_lock (&output->lock);
  malt_output_handle_locked (output, stream, call_id, text, n_bytes);
  g_mutex_unlock (&output->lock);
}

void
malt_output_end (MaltOutput *output)
{
  static const MaltStream streams[N_STREAMS] = { MALT_STREAM_STDOUT, MALT_STREAM_STDERR };

  g_mutex_lock (&output->lock);
  for (gsize i = 0; i < N_STREAMS; i++)
    {
      if (output->is_line_open[i])
        malt_console_write (streams[i], "\n", 1);
      output->is_line_open[i] = FALSE;
    }
  g_mutex_unlock (&output->lock);
}

/* The tail */

void
malt_output_add_to_tail (MaltOutput *output, const char *text, gsize n_bytes)
{
  g_mutex_lock (&output->lock);
  keep_tail (output, text, n_bytes);
  g_mutex_unlock (&output->lock);
}

char *
malt_output_dup_tail (MaltOutput *output)
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
  else if (output->mode == OUTPUT_INHERIT)
    tail = g_strdup ("(it wrote to the host's own standard error)");
  g_mutex_unlock (&output->lock);
  return tail;
}
