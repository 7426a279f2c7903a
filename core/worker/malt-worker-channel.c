/* SPDX-License-Identifier: MIT */
/* Opening channels, and the table by which items find them. */
#include "platform/malt-platform.h"
#include "worker/malt-channel-private.h"
#include "worker/malt-worker-state.h"

/* The channels of a worker, by their numbers */

static void
weak_ref_free (gpointer data)
{
  GWeakRef *ref = data;

  g_weak_ref_clear (ref);
  g_free (ref);
}

GHashTable *
malt_worker_channel_table_new (void)
{
  return g_hash_table_new_full (NULL, NULL, NULL, weak_ref_free);
}

guint32
malt_worker_add_channel (MaltWorker *worker, MaltChannel *channel)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  GWeakRef *ref = g_new0 (GWeakRef, 1);
  guint32 id;

  g_weak_ref_init (ref, channel);
  g_mutex_lock (&priv->lock);
  id = malt_worker_next_id (&priv->last_channel_id, priv->channels);
  g_hash_table_insert (priv->channels, GUINT_TO_POINTER (id), ref);
  g_mutex_unlock (&priv->lock);
  return id;
}

void
malt_worker_remove_channel (MaltWorker *worker, guint32 id)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  g_mutex_lock (&priv->lock);
  g_hash_table_remove (priv->channels, GUINT_TO_POINTER (id));
  g_mutex_unlock (&priv->lock);
}

/**
 * malt_worker_dup_channel:
 * @worker: a worker
 * @channel_id: number of a channel
 *
 * Finds the channel that an item is for. For backends.
 *
 * Returns: (transfer full) (nullable): the channel; %NULL: nobody listens to it any more
 */
MaltChannel *
malt_worker_dup_channel (MaltWorker *worker, guint32 channel_id)
{
  MaltWorkerPrivate *priv;
  MaltChannel *channel = NULL;
  GWeakRef *ref;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  if (malt_worker_is_wrapped (worker))
    {
      g_autoptr (MaltWorker) front = malt_worker_dup_front (worker);

      return front != NULL ? malt_worker_dup_channel (front, channel_id) : NULL;
    }
  priv = malt_worker_get_private (worker);
  g_mutex_lock (&priv->lock);
  ref = g_hash_table_lookup (priv->channels, GUINT_TO_POINTER (channel_id));
  if (ref != NULL)
    channel = g_weak_ref_get (ref);
  g_mutex_unlock (&priv->lock);
  return channel;
}

/* Opening */

static gboolean
has_channels (MaltWorker *worker, GError **error)
{
  if (malt_platform_is_forked (error))
    return FALSE;
  if ((malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CHANNELS) &&
      MALT_WORKER_GET_CLASS (worker)->channel_open != NULL)
    return TRUE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                       "this worker has no channels");
  return FALSE;
}

/* The future of the request; the channel is open when it has succeeded. (transfer
 * full) */
static MaltFuture *
start_open (MaltWorker *worker, const char *module, const char *source,
            MaltChannel **out_channel)
{
  MaltChannel *channel = malt_channel_new (worker);
  gboolean is_pending;
  MaltFuture *future = malt_worker_begin_request (worker, &is_pending);

  if (is_pending)
    MALT_WORKER_GET_CLASS (worker)->channel_open (worker, channel, module, source,
                                                  MALT_CHANNEL_WINDOW, future);
  *out_channel = channel;
  return future;
}

/**
 * malt_worker_channel:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @source: Julia source of an expression that gives a channel
 * @cancellable: (nullable): gives up waiting
 * @error: return location for an error
 *
 * Evaluates an expression to a Julia channel and connects to it: its items are sent to the
 * host as they come. May be called in any thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED: see malt_worker_get_capabilities();
 * %MALT_ERROR_REMOTE_EXCEPTION: the expression threw, or gave something else;
 * %MALT_ERROR_WORKER_TERMINATED; %MALT_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the channel, or %NULL with an error
 */
MaltChannel *
malt_worker_channel (MaltWorker *worker, const char *module, const char *source,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) answer = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (source != NULL, NULL);
  if (!has_channels (worker, error) || malt_channel_is_given_up (cancellable, error))
    return NULL;
  future = start_open (worker, module, source, &channel);
  answer = malt_future_fetch_or_cancel (future, cancellable, error);
  return answer != NULL ? g_steal_pointer (&channel) : NULL;
}

/**
 * malt_worker_channel_async:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @source: Julia source of an expression that gives a channel
 * @cancellable: (nullable): gives up waiting
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_worker_channel() does without blocking.
 */
void
malt_worker_channel_async (MaltWorker *worker, const char *module, const char *source,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  g_autoptr (MaltFuture) future = NULL;
  MaltChannel *channel;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (source != NULL);
  waiter = malt_waiter_new (worker, cancellable, callback, user_data,
                            malt_worker_channel_async);
  if (!has_channels (worker, &error) || malt_channel_is_given_up (cancellable, &error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  future = start_open (worker, module, source, &channel);
  g_task_set_task_data (malt_waiter_get_task (waiter), channel, g_object_unref);
  malt_future_answer (future, waiter, MALT_CANCEL_FUTURE);
}

/**
 * malt_worker_channel_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_channel_async(). The errors are those of malt_worker_channel().
 *
 * Returns: (transfer full): the channel, or %NULL with an error
 */
MaltChannel *
malt_worker_channel_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  g_autoptr (MaltValue) answer = NULL;

  g_return_val_if_fail (g_task_is_valid (result, worker), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_channel_async),
                        NULL);
  answer = g_task_propagate_pointer (G_TASK (result), error);
  if (answer == NULL)
    return NULL;
  return g_object_ref (g_task_get_task_data (G_TASK (result)));
}
