/* SPDX-License-Identifier: MIT */
/* Workers that wrap another worker.
 *
 * A backend may forward what it is asked to a worker of another backend, its inner one:
 * each slot calls the same slot of the inner worker's class, with the inner worker and
 * otherwise the same arguments. Nothing is numbered anew. The futures, channels and host
 * functions are those of the wrapping worker, the front, and so are their numbers;
 * the inner worker's own tables stay empty. What the inner worker's backend tells core
 * (an answer, output, an item, a call of a host function, the end) is therefore said of
 * the front: every function that a backend tells something by begins by asking whether
 * the worker is wrapped. Only the end counts for both.
 *
 * Handles come from the home that the inner worker's backend knows, so the front shares that
 * home, and is the one that is told of handles that go.
 *
 * The front owns the inner worker until it is finalized; the inner one refers to the
 * front weakly, as everything that is outstanding does. Both references are set once, during
 * the launch of the front. An inner worker may wrap another in turn. */
#include "worker/malt-worker-state.h"

gboolean
malt_worker_is_wrapped (MaltWorker *worker)
{
  return g_atomic_pointer_get (&malt_worker_get_private (worker)->front) != NULL;
}

MaltWorker *
malt_worker_dup_front (MaltWorker *worker)
{
  MaltWeakWorker *front = g_atomic_pointer_get (&malt_worker_get_private (worker)->front);

  return front != NULL ? malt_weak_worker_dup (front) : NULL;
}

MaltJuliaThreadCheck
malt_worker_get_julia_thread_check (MaltWorker *worker)
{
  MaltWorkerClass *klass = MALT_WORKER_GET_CLASS (worker);
  MaltWorker *inner = malt_worker_get_private (worker)->inner;

  if (klass->is_julia_thread != NULL || inner == NULL)
    return klass->is_julia_thread;
  return malt_worker_get_julia_thread_check (inner);
}

/* FALSE for a worker that is in use, or in another's. */
static gboolean
can_be_wrapped (MaltWorker *worker)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  gboolean is_unused;

  g_mutex_lock (&priv->lock);
  is_unused = g_hash_table_size (priv->outstanding) == 0 &&
              g_hash_table_size (priv->channels) == 0;
  g_mutex_unlock (&priv->lock);
  return is_unused && !malt_worker_is_wrapped (worker);
}

/**
 * malt_worker_set_inner:
 * @worker: a worker that is being launched
 * @inner: the worker that it wraps, which runs, and which nobody has used yet
 *
 * Makes a worker the front of another one. From now on what the backend of @inner says of
 * @inner (answers, output, items of channels, calls of host functions, its end) is said
 * of @worker, so that the slots of @worker can hand what they are given to the same slots of
 * @inner, as it is. What @inner cannot do is taken from the capabilities of @worker. @worker
 * keeps @inner, and drops it when it goes. For backends, once, during the launch;
 * malt-worker-class.h has the rules.
 */
void
malt_worker_set_inner (MaltWorker *worker, MaltWorker *inner)
{
  g_autoptr (MaltTermination) termination = NULL;
  MaltWorkerPrivate *priv;
  MaltWorkerPrivate *inner_priv;

  g_return_if_fail (MALT_IS_WORKER (worker) && MALT_IS_WORKER (inner));
  g_return_if_fail (worker != inner && can_be_wrapped (inner));
  priv = malt_worker_get_private (worker);
  inner_priv = malt_worker_get_private (inner);
  g_return_if_fail (priv->inner == NULL);
  g_return_if_fail (malt_worker_get_state (worker) < MALT_WORKER_RUNNING);

  priv->inner = g_object_ref (inner);
  malt_worker_set_capabilities (worker, malt_worker_get_capabilities (worker) &
                                            malt_worker_get_capabilities (inner));
  malt_worker_share_home (worker, inner);
  g_atomic_pointer_set (&inner_priv->front, malt_weak_worker_ref (priv->weak));

  /* It may have ended before it could be told that it is wrapped. */
  termination = malt_worker_dup_termination (inner);
  if (termination != NULL)
    malt_worker_exited (worker, termination);
}

/**
 * malt_worker_get_inner:
 * @worker: a worker
 *
 * Gives the worker that malt_worker_set_inner() has put into this one. For backends.
 *
 * Returns: (transfer none) (nullable): the inner worker; it lives as long as @worker
 */
MaltWorker *
malt_worker_get_inner (MaltWorker *worker)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  return malt_worker_get_private (worker)->inner;
}
