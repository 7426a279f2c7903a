/* SPDX-License-Identifier: MIT */
/* The signals of a worker: `output` and `exited`.
 *
 * Backends cause them in threads of their own. Handlers run in the main context that
 * was the default of the thread that launched the worker: each emission is a source of
 * that context, of the same priority as the answers of waiters, so that what a call
 * printed is seen before its callback runs. If nobody runs that context, emissions
 * wait there; they refer to the worker weakly, so that they do not keep it, and output
 * that waits is bounded, since evaluated code may print for ever. Nothing is queued
 * when there is no handler. */
#include "worker/malt-worker-state.h"

#include <malt/malt-enum-types.h>

/* More output than this, in bytes, is not kept for a main context that nobody runs. */
#define MAX_QUEUED_OUTPUT_BYTES ((gssize) 64 * 1024 * 1024)

enum
{
  SIGNAL_OUTPUT,
  SIGNAL_EXITED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

typedef struct
{
  MaltWeakWorker *weak; /* (owned) */
  guint signal_id;
  MaltStream stream;
  guint call_id;
  GBytes *bytes; /* (owned) (nullable): of `output` */
  MaltTermination *termination; /* (owned) (nullable): of `exited` */
} Emission;

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
   * the same context. When nobody runs that context, what was written is kept there, up to 64 MiB;
   * more is dropped.
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

static void
emission_free (gpointer data)
{
  Emission *emission = data;

  malt_weak_worker_unref (emission->weak);
  g_clear_pointer (&emission->bytes, g_bytes_unref);
  g_clear_pointer (&emission->termination, malt_termination_unref);
  g_free (emission);
}

static gboolean
on_emission (gpointer data)
{
  Emission *emission = data;
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (emission->weak);
  MaltWorkerPrivate *priv;

  if (worker == NULL)
    return G_SOURCE_REMOVE;
  if (emission->signal_id == signals[SIGNAL_EXITED])
    {
      g_signal_emit (worker, emission->signal_id, 0, emission->termination);
      return G_SOURCE_REMOVE;
    }
  priv = malt_worker_get_private (worker);
  g_atomic_pointer_add (&priv->n_queued_output_bytes,
                        -(gssize) g_bytes_get_size (emission->bytes));
  g_signal_emit (worker, emission->signal_id, 0, emission->stream, emission->call_id,
                 emission->bytes);
  return G_SOURCE_REMOVE;
}

/* Takes over what the emission refers to. */
static void
queue_emission (MaltWorker *worker, const Emission *template)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  Emission *emission = g_memdup2 (template, sizeof *template);
  GSource *source = g_idle_source_new ();

  emission->weak = malt_weak_worker_ref (priv->weak);
  g_source_set_static_name (source, "malt: signal");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_emission, emission, emission_free);
  g_source_attach (source, priv->context);
  g_source_unref (source);
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
    queue_emission (worker, &(Emission){
                                .signal_id = signals[SIGNAL_EXITED],
                                .termination = malt_termination_ref (termination),
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
  gssize n_bytes;

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
  n_bytes = (gssize) g_bytes_get_size (bytes);
  if (!malt_worker_is_alive (worker) || !has_handler (worker, signals[SIGNAL_OUTPUT]))
    return;
  if (g_atomic_pointer_add (&priv->n_queued_output_bytes, n_bytes) + n_bytes >
      MAX_QUEUED_OUTPUT_BYTES)
    {
      g_atomic_pointer_add (&priv->n_queued_output_bytes, -n_bytes);
      return;
    }
  queue_emission (worker, &(Emission){
                              .signal_id = signals[SIGNAL_OUTPUT],
                              .stream = stream,
                              .call_id = call_id,
                              .bytes = g_bytes_ref (bytes),
                          });
}
