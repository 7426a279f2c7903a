/* SPDX-License-Identifier: MIT */
/* The signals of a worker: `output` and `exited`.
 *
 * Backends cause them in threads of their own. Handlers run in the main context that
 * was the default of the thread that launched the worker: each emission is a source of
 * that context, of the same priority as the answers of waiters, so that what a call
 * printed is seen before its callback runs. If nobody runs that context, emissions
 * wait there; they refer to the worker weakly, so that they do not keep it. Nothing is
 * queued when there is no handler.
 *
 * Output that waits is bounded, since evaluated code may print for ever. What counts is
 * what an emission costs in memory, not how much text it has: a piece of one byte costs
 * some 400. So small pieces of the same stream and call that follow each other are joined
 * in the emission that waits last, and pieces without text are dropped. Joining only makes
 * text earlier, so what a call wrote still comes before its answer. */
#include "base/malt-memory.h"
#include "platform/malt-platform.h"
#include "worker/malt-worker-state.h"

#include <malt/malt-enum-types.h>
#include <string.h>

/* Emissions of output that cost more than this are not kept for a main context that
 * nobody runs. */
#define MAX_QUEUED_OUTPUT_BYTES ((gsize) 64 * 1024 * 1024)

enum
{
  EMISSION_BYTES = 512, /* what an emission costs beside its text: it, its source */
  MAX_JOINED_BYTES = 64 * 1024 /* longer texts are not joined */
};

enum
{
  SIGNAL_OUTPUT,
  SIGNAL_EXITED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

struct _MaltEmission
{
  MaltWeakWorker *weak; /* (owned) */
  guint signal_id;
  MaltStream stream;
  guint call_id;
  GByteArray *text; /* (owned) (nullable): of `output`; while it is the last one, guarded
                     * by the worker's lock */
  MaltTermination *termination; /* (owned) (nullable): of `exited` */
};

void
malt_worker_install_signals (MaltWorkerClass *klass)
{
  /**
   * MaltWorker::output:
   * @worker: the worker
   * @stream: where it was written
   * @call_id: the call that wrote it, see malt_future_get_id(); 0: not known
   * @bytes: what was written; not always whole lines or characters
   *
   * Evaluated code has written something to standard output or standard error. Emitted in
   * the main context that was the default of the thread that launched the worker. All
   * that a call wrote before it returned is emitted before callbacks of that call run in
   * the same context. When nobody runs that context, what was written is kept there. Pieces of the
   * same stream and call that follow each other may come as one. All that waits takes at most
   * 64 MiB of memory; more is dropped, as is what there is no memory for.
   */
  signals[SIGNAL_OUTPUT] =
      g_signal_new ("output", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 3, MALT_TYPE_STREAM, G_TYPE_UINT, G_TYPE_BYTES);

  /**
   * MaltWorker::exited:
   * @worker: the worker
   * @termination: why it ended
   *
   * The worker has ended, for whatever reason. Everything that was pending has failed by
   * now. Emitted once, in the main context that was the default of the thread that launched
   * the worker.
   */
  signals[SIGNAL_EXITED] =
      g_signal_new ("exited", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, MALT_TYPE_TERMINATION);
}

/* What it takes in memory: arrays that grow do so to powers of two. */
static gsize
cost_of_text (gsize n_bytes)
{
  if (n_bytes > MAX_JOINED_BYTES)
    return EMISSION_BYTES + n_bytes;
  return EMISSION_BYTES + MAX (16, (gsize) 1 << g_bit_storage ((gulong) n_bytes - 1));
}

/* Nothing is joined to it from now on, and its text does not wait any more. (transfer full) */
static GBytes *
take_text (MaltEmission *emission, MaltWorker *worker)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  g_mutex_lock (&priv->lock);
  if (priv->last_output == emission)
    priv->last_output = NULL;
  priv->n_queued_output_bytes -= cost_of_text (emission->text->len);
  g_mutex_unlock (&priv->lock);
  return g_byte_array_free_to_bytes (g_steal_pointer (&emission->text));
}

/* One that was not emitted still has its text. */
static void
emission_free (gpointer data)
{
  MaltEmission *emission = data;
  g_autoptr (MaltWorker) worker = NULL;

  if (emission->text != NULL && !malt_platform_is_forked (NULL))
    worker = malt_weak_worker_dup (emission->weak);
  if (worker != NULL)
    g_bytes_unref (take_text (emission, worker));
  malt_weak_worker_unref (emission->weak);
  g_clear_pointer (&emission->text, g_byte_array_unref);
  g_clear_pointer (&emission->termination, malt_termination_unref);
  g_free (emission);
}

static gboolean
on_emission (gpointer data)
{
  MaltEmission *emission = data;
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (emission->weak);
  g_autoptr (GBytes) bytes = NULL;

  if (worker == NULL)
    return G_SOURCE_REMOVE;
  if (emission->signal_id == signals[SIGNAL_EXITED])
    {
      g_signal_emit (worker, emission->signal_id, 0, emission->termination);
      return G_SOURCE_REMOVE;
    }
  bytes = take_text (emission, worker);
  g_signal_emit (worker, emission->signal_id, 0, emission->stream, emission->call_id,
                 bytes);
  return G_SOURCE_REMOVE;
}

/* Takes over what the emission refers to. */
static MaltEmission *
queue_emission (MaltWorker *worker, const MaltEmission *template)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  MaltEmission *emission = g_memdup2 (template, sizeof *template);
  GSource *source = g_idle_source_new ();

  emission->weak = malt_weak_worker_ref (priv->weak);
  g_source_set_static_name (source, "malt: signal");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_emission, emission, emission_free);
  g_source_attach (source, priv->context);
  g_source_unref (source);
  return emission;
}

static gboolean
has_handler (MaltWorker *worker, guint signal_id)
{
  return g_signal_has_handler_pending (worker, signal_id, 0, TRUE);
}

void
malt_worker_queue_exited (MaltWorker *worker, MaltTermination *termination)
{
  if (has_handler (worker, signals[SIGNAL_EXITED]))
    queue_emission (worker, &(MaltEmission){
                                .signal_id = signals[SIGNAL_EXITED],
                                .termination = malt_termination_ref (termination),
                            });
}

/* With lock held. Joins the text to the emission that waits last, or queues a new one. */
static void
queue_output_locked (MaltWorker *worker, MaltStream stream, guint32 call_id,
                     const guint8 *text, gsize n_bytes)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  MaltEmission *last = priv->last_output;
  gboolean is_joined = last != NULL && last->stream == stream &&
                       last->call_id == call_id && n_bytes <= MAX_JOINED_BYTES &&
                       last->text->len + n_bytes <= MAX_JOINED_BYTES;
  gsize n_saved = is_joined ? cost_of_text (last->text->len) : 0;
  guint8 *copy = NULL;
  gsize n_after = priv->n_queued_output_bytes - n_saved +
                  cost_of_text (is_joined ? last->text->len + n_bytes : n_bytes);

  if (n_after > MAX_QUEUED_OUTPUT_BYTES)
    return;
  if (!is_joined)
    copy = malt_memory_check (MALT_MEMORY_LARGE_BYTES, NULL)
               ? malt_memory_new (n_bytes, NULL)
               : NULL;
  if (!is_joined && copy == NULL)
    return;
  priv->n_queued_output_bytes = n_after;
  if (is_joined)
    g_byte_array_append (last->text, text, (guint) n_bytes);
  else
    priv->last_output = queue_emission (
        worker, &(MaltEmission){
                    .signal_id = signals[SIGNAL_OUTPUT],
                    .stream = stream,
                    .call_id = call_id,
                    .text = g_byte_array_new_take (memcpy (copy, text, n_bytes), n_bytes),
                });
}

/**
 * malt_worker_emit_output:
 * @worker: a worker
 * @stream: where it was written
 * @call_id: the call that wrote it; 0: not known
 * @bytes: what was written
 *
 * Has #MaltWorker::output emitted, where handlers are connected. For backends; before the
 * call that wrote it is completed. Never blocks.
 */
void
malt_worker_emit_output (MaltWorker *worker, MaltStream stream, guint32 call_id,
                         GBytes *bytes)
{
  MaltWorkerPrivate *priv;
  const guint8 *text;
  gsize n_bytes;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (bytes != NULL);
  if (malt_worker_is_wrapped (worker))
    {
      g_autoptr (MaltWorker) front = malt_worker_dup_front (worker);

      if (front != NULL)
        malt_worker_emit_output (front, stream, call_id, bytes);
      return;
    }
  priv = malt_worker_get_private (worker);
  text = g_bytes_get_data (bytes, &n_bytes);
  if (n_bytes == 0 || n_bytes > MAX_QUEUED_OUTPUT_BYTES ||
      !malt_worker_is_alive (worker) || !has_handler (worker, signals[SIGNAL_OUTPUT]))
    return;
  g_mutex_lock (&priv->lock);
  queue_output_locked (worker, stream, call_id, text, n_bytes);
  g_mutex_unlock (&priv->lock);
}
