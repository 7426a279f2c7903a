/* SPDX-License-Identifier: MIT */
/* MaltWorker: one evaluator, whatever its backend; its state, and what is outstanding
 * on it.
 *
 * States, in the field `state`:
 *
 *   NEW -> LAUNCHING -> RUNNING -> STOPPING -> ENDED
 *
 * It only moves forward, and may leave states out. LAUNCHING: the backend's init runs
 * (malt-worker-launch.c). RUNNING: init has succeeded; calls are accepted in this
 * state only. STOPPING: a stop was asked for (malt-worker-control.c). ENDED: the
 * backend called malt_worker_exited(), or the worker is disposed of, or it was never
 * started.
 *
 * Outstanding calls. malt_worker_begin() makes the future of a call or of a request of
 * core's own, numbers it and puts it into a table by number and a list by age; the
 * worker owns it there. It leaves them in one of two ways: the backend answers
 * (malt_worker_complete_call()), or the worker ends. Giving a future up does not take
 * it out, since the worker runs the call all the same: it can still be interrupted,
 * and no signal that is meant for another call may hit it.
 *
 * The end. end_worker() is the only place that ends a worker. It takes everything that
 * waits out of the tables under the lock, and tells it afterwards without the lock:
 * futures oldest first, then channels, then stops, then handlers of `exited`. Host
 * functions are let go last, because that may call the host.
 *
 * Ownership. Nothing that is outstanding owns the worker: futures, channels and queued
 * emissions refer to it through the MaltWeakWorker, handles through the
 * MaltHandleHome. So the last reference of the host ends it.
 *
 * Forks. In a process that was forked from the host a worker counts as ended: whoever asks for
 * its state, or begins a call, finds that out before any lock is taken, since the thread that
 * held it may be missing. The object is never finalized there, so that nothing that is
 * shared with the host is let go.
 *
 * Threads. Everything here may run in any thread. No slot of the backend and no
 * foreign code is called with the lock held; only release_handles runs under a lock,
 * that of the handle home, which keeps the worker from going away meanwhile. */
#include "platform/malt-platform.h"
#include "selection/malt-config-private.h"
#include "worker/malt-call-private.h"
#include "worker/malt-channel-private.h"
#include "worker/malt-worker-state.h"

#include <malt/malt-error-construction.h>

/**
 * MaltWorker:
 *
 * One evaluator of Julia code, whatever its backend. Calls on one worker run concurrently, as
 * Julia tasks, and start in the order in which they were made. Every method can be used in
 * any thread and in any state of the worker.
 *
 * Dropping the last reference ends the worker in the background.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (MaltWorker, malt_worker, G_TYPE_OBJECT)

enum
{
  PROP_CONFIG = 1,
};

MaltWorkerPrivate *
malt_worker_get_private (MaltWorker *worker)
{
  return malt_worker_get_instance_private (worker);
}

/* State */

MaltWorkerState
malt_worker_get_state (MaltWorker *worker)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  if (malt_platform_is_forked (NULL))
    return MALT_WORKER_ENDED;
  return (MaltWorkerState) g_atomic_int_get (&priv->state);
}

gboolean
malt_worker_advance (MaltWorker *worker, MaltWorkerState state)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  gboolean is_forward;

  g_mutex_lock (&priv->lock);
  is_forward = priv->state < (gint) state;
  if (is_forward)
    g_atomic_int_set (&priv->state, (gint) state);
  g_mutex_unlock (&priv->lock);
  return is_forward;
}

gboolean
malt_worker_is_alive (MaltWorker *worker)
{
  return malt_worker_get_state (worker) != MALT_WORKER_ENDED;
}

GError *
malt_worker_new_terminated_error (MaltWorker *worker, MaltCall *call)
{
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *summary = NULL;
  g_autofree char *call_summary = NULL;
  GError *error = NULL;

  if (malt_platform_is_forked (&error))
    return error;
  termination = malt_worker_dup_termination (worker);
  summary = malt_worker_dup_summary (worker);
  call_summary = call != NULL ? malt_call_to_string (call) : NULL;
  return malt_error_new_terminated (termination, summary, call_summary);
}

/* Outstanding calls */

guint32
malt_worker_next_id (guint32 *last, GHashTable *taken)
{
  do
    *last = *last == G_MAXINT32 ? 1 : *last + 1;
  while (g_hash_table_contains (taken, GUINT_TO_POINTER (*last)));
  return *last;
}

/* Takes over the reference. */
static void
add_outstanding_locked (MaltWorkerPrivate *priv, MaltFuture *future)
{
  guint32 id = malt_worker_next_id (&priv->last_call_id, priv->outstanding);

  malt_future_set_id (future, id);
  g_hash_table_insert (priv->outstanding, GUINT_TO_POINTER (id), future);
  g_queue_push_tail_link (&priv->order, malt_future_get_link (future));
  if (!malt_future_is_request (future))
    priv->n_calls++;
}

/* Gives the reference away. NULL: no such call is outstanding. */
static MaltFuture *
take_outstanding_locked (MaltWorkerPrivate *priv, guint32 id)
{
  gpointer future;

  if (!g_hash_table_steal_extended (priv->outstanding, GUINT_TO_POINTER (id), NULL,
                                    &future))
    return NULL;
  g_queue_unlink (&priv->order, malt_future_get_link (future));
  if (!malt_future_is_request (future))
    priv->n_calls--;
  return future;
}

/* Its numbers are those of another worker's calls. */
static GError *
new_wrapped_error (void)
{
  return g_error_new_literal (MALT_ERROR, MALT_ERROR_FAILED,
                              "the worker belongs to another one that wraps it");
}

MaltFuture *
malt_worker_begin (MaltWorker *worker, MaltCall *call, gboolean *out_is_pending)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  MaltFuture *future = malt_future_new (priv->weak, call);
  gboolean is_wrapped = malt_worker_is_wrapped (worker);
  gboolean is_running = FALSE;

  if (call != NULL)
    malt_call_seal (call);
  if (!malt_platform_is_forked (NULL))
    {
      g_mutex_lock (&priv->lock);
      is_running = priv->state == (gint) MALT_WORKER_RUNNING && !is_wrapped;
      if (is_running)
        add_outstanding_locked (priv, g_object_ref (future));
      g_mutex_unlock (&priv->lock);
    }

  if (is_wrapped)
    malt_future_complete (future, NULL, new_wrapped_error ());
  else if (!is_running)
    malt_future_complete (future, NULL, malt_worker_new_terminated_error (worker, call));
  *out_is_pending = is_running;
  return future;
}

MaltFuture *
malt_worker_begin_request (MaltWorker *worker, gboolean *out_is_pending)
{
  return malt_worker_begin (worker, NULL, out_is_pending);
}

static gboolean
drop_answer (MaltValue *value, GError *error)
{
  g_clear_pointer (&value, malt_value_unref);
  g_clear_error (&error);
  return FALSE;
}

static gboolean
complete_call_of_front (MaltWorker *worker, guint32 call_id, MaltValue *value,
                        GError *error)
{
  g_autoptr (MaltWorker) front = malt_worker_dup_front (worker);

  if (front == NULL)
    return drop_answer (value, error);
  return malt_worker_complete_call (front, call_id, value, error);
}

/**
 * malt_worker_complete_call:
 * @worker: a worker
 * @call_id: number of the call
 * @value: (transfer full) (nullable): its value; %NULL without an error stands for `nothing`
 * @error: (transfer full) (nullable): why it failed
 *
 * Ends a call. For backends: this is the one way in which answers come in. It may be called in
 * any thread, also inside the slot that was given the call, but never while the backend holds
 * a lock that a slot takes.
 *
 * Returns: %FALSE: nobody waits for the answer any more, or the number is unknown; nothing
 *   happened
 */
gboolean
malt_worker_complete_call (MaltWorker *worker, guint32 call_id, MaltValue *value,
                           GError *error)
{
  MaltWorkerPrivate *priv;
  g_autoptr (MaltFuture) future = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  if (malt_worker_is_wrapped (worker))
    return complete_call_of_front (worker, call_id, value, error);
  priv = malt_worker_get_private (worker);
  g_mutex_lock (&priv->lock);
  future = take_outstanding_locked (priv, call_id);
  g_mutex_unlock (&priv->lock);

  if (future != NULL)
    return malt_future_complete (future, value, error);
  return drop_answer (value, error);
}

static MaltFuture *
find_newest_call_locked (MaltWorkerPrivate *priv)
{
  for (GList *link = priv->order.tail; link != NULL; link = link->prev)
    if (!malt_future_is_request (link->data))
      return link->data;
  return NULL;
}

MaltFuture *
malt_worker_dup_interrupted (MaltWorker *worker, MaltFuture *future)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  MaltFuture *found;

  g_mutex_lock (&priv->lock);
  if (future == NULL)
    found = find_newest_call_locked (priv);
  else
    found = g_hash_table_lookup (priv->outstanding,
                                 GUINT_TO_POINTER (malt_future_get_id (future)));
  if (future != NULL && found != future)
    found = NULL;
  if (found != NULL)
    g_object_ref (found);
  g_mutex_unlock (&priv->lock);
  return found;
}

/* The end */

typedef struct
{
  GQueue futures; /* by their own links; each owned */
  GSList *channels; /* (owned): of MaltChannel (owned) */
  GSList *stops; /* (owned): of MaltWaiter (owned) */
} Leftovers;

static void
take_leftovers_locked (MaltWorkerPrivate *priv, Leftovers *leftovers)
{
  GHashTableIter iter;
  gpointer ref;

  leftovers->futures = priv->order;
  g_queue_init (&priv->order);
  g_hash_table_steal_all (priv->outstanding);
  priv->n_calls = 0;

  leftovers->channels = NULL;
  g_hash_table_iter_init (&iter, priv->channels);
  while (g_hash_table_iter_next (&iter, NULL, &ref))
    {
      MaltChannel *channel = g_weak_ref_get (ref);

      if (channel != NULL)
        leftovers->channels = g_slist_prepend (leftovers->channels, channel);
    }
  /* While the channels are held: no weak reference is left to be cleared as its object goes. */
  g_hash_table_remove_all (priv->channels);
  leftovers->stops = g_slist_reverse (g_steal_pointer (&priv->stops));
}

static void
fail_futures (MaltWorker *worker, GQueue *futures, MaltTermination *termination)
{
  g_autofree char *summary = NULL;
  GList *link;

  if (futures->length > 0)
    summary = malt_worker_dup_summary (worker);
  while ((link = g_queue_pop_head_link (futures)) != NULL)
    {
      g_autoptr (MaltFuture) future = link->data;
      MaltCall *call = malt_future_get_call (future);
      g_autofree char *call_summary = NULL;

      if (malt_future_is_done (future))
        continue;
      call_summary = call != NULL ? malt_call_to_string (call) : NULL;
      malt_future_complete (
          future, NULL, malt_error_new_terminated (termination, summary, call_summary));
    }
}

static void
close_channels (GSList *channels, MaltTermination *termination)
{
  g_autofree char *what = malt_termination_to_string (termination);
  g_autofree char *reason = g_strdup_printf ("the worker %s", what);

  for (GSList *l = channels; l != NULL; l = l->next)
    malt_channel_lose (l->data, reason);
  g_slist_free_full (channels, g_object_unref);
}

static void
finish_stops (GSList *stops)
{
  for (GSList *l = stops; l != NULL; l = l->next)
    if (malt_waiter_claim (l->data))
      malt_waiter_return_int (l->data, TRUE);
  g_slist_free_full (stops, (GDestroyNotify) malt_waiter_unref);
}

/* The call that ran. NULL: none did, or it is not known which: there were several, or
 * calls without an answer, of whose ends core does not hear. */
static char *
dup_last_call_locked (MaltWorkerPrivate *priv)
{
  if (priv->n_calls != 1 || g_atomic_int_get (&priv->has_silent_calls))
    return NULL;
  return malt_call_to_string (malt_future_get_call (find_newest_call_locked (priv)));
}

/* FALSE if it had ended before. */
static gboolean
end_worker (MaltWorker *worker, MaltTermination *termination)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  g_autofree char *call = NULL;
  Leftovers leftovers;
  gpointer attachment;

  if (malt_platform_is_forked (NULL))
    return FALSE;
  g_mutex_lock (&priv->lock);
  if (priv->state == (gint) MALT_WORKER_ENDED)
    {
      g_mutex_unlock (&priv->lock);
      return FALSE;
    }
  g_atomic_int_set (&priv->state, (gint) MALT_WORKER_ENDED);
  if (malt_termination_get_call (termination) == NULL)
    call = dup_last_call_locked (priv);
  priv->termination = malt_termination_copy_for_call (termination, call);
  take_leftovers_locked (priv, &leftovers);
  attachment = priv->attachment; /* one that is made from now on is closed by its maker */
  g_mutex_unlock (&priv->lock);

  malt_handle_home_close (priv->home);
  fail_futures (worker, &leftovers.futures, termination);
  close_channels (leftovers.channels, termination);
  finish_stops (leftovers.stops);
  if (attachment != NULL)
    priv->attachment_kind->close (attachment);
  return TRUE;
}

/**
 * malt_worker_exited:
 * @worker: a worker
 * @termination: why it ended
 *
 * Ends the worker: what is pending fails, oldest first, channels are closed, stops that are
 * under way succeed, and #MaltWorker::exited is emitted. For backends, once the evaluator is
 * gone; a second time does nothing. Never while the backend holds a lock that a slot takes.
 */
void
malt_worker_exited (MaltWorker *worker, MaltTermination *termination)
{
  g_autoptr (MaltWorker) front = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (termination != NULL);
  if (end_worker (worker, termination))
    malt_worker_queue_exited (worker, malt_worker_get_private (worker)->termination);
  front = malt_worker_dup_front (worker);
  if (front != NULL)
    malt_worker_exited (front, termination);
}

/* Life */

MaltWeakWorker *
malt_worker_get_weak (MaltWorker *worker)
{
  return malt_worker_get_private (worker)->weak;
}

MaltHandleHome *
malt_worker_get_handle_home (MaltWorker *worker)
{
  return malt_worker_get_private (worker)->home;
}

gpointer
malt_worker_get_attachment (MaltWorker *worker, const MaltAttachmentKind *kind)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  gpointer attachment = g_atomic_pointer_get (&priv->attachment);

  if (attachment != NULL)
    return attachment;
  g_mutex_lock (&priv->lock);
  attachment = priv->attachment;
  if (attachment == NULL)
    {
      attachment = kind->make ();
      if (malt_worker_get_state (worker) == MALT_WORKER_ENDED)
        kind->close (attachment);
      priv->attachment_kind = kind;
      g_atomic_pointer_set (&priv->attachment, attachment);
    }
  g_mutex_unlock (&priv->lock);
  return attachment;
}

/* The worker is there: end_worker(), which disposal runs, closes the home, and that
 * waits for this. */
static void
on_handle_released (guint64 id, gpointer data)
{
  MaltWorker *worker = data;

  MALT_WORKER_GET_CLASS (worker)->release_handles (worker, &id, 1);
}

void
malt_worker_share_home (MaltWorker *worker, MaltWorker *inner)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  g_clear_pointer (&priv->home, malt_handle_home_unref);
  priv->home = malt_handle_home_ref (malt_worker_get_handle_home (inner));
  malt_handle_home_set_user_data (priv->home, worker);
}

static void
malt_worker_init (MaltWorker *worker)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  malt_platform_watch_forks ();
  malt_platform_keep_in_forks (&priv->kept, &G_OBJECT (worker)->ref_count);
  g_mutex_init (&priv->lock);
  priv->context = g_main_context_ref_thread_default ();
  priv->weak = malt_weak_worker_new (worker);
  priv->home = malt_handle_home_new (on_handle_released, worker);
  priv->outstanding = g_hash_table_new (NULL, NULL);
  priv->channels = malt_worker_channel_table_new ();
  g_queue_init (&priv->order);
}

static void
malt_worker_constructed (GObject *object)
{
  MaltWorker *worker = MALT_WORKER (object);
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);

  if (priv->config == NULL)
    {
      priv->config = malt_config_new ();
      malt_config_seal (priv->config);
    }
  g_atomic_int_set (&priv->capabilities,
                    (gint) MALT_WORKER_GET_CLASS (worker)->capabilities);
  G_OBJECT_CLASS (malt_worker_parent_class)->constructed (object);
}

static void
malt_worker_dispose (GObject *object)
{
  g_autoptr (MaltTermination) termination = NULL;

  if (malt_platform_is_forked (NULL))
    {
      g_object_ref (object); /* for good: whoever disposes of an object may do so */
      return;
    }
  termination = malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);
  end_worker (MALT_WORKER (object), termination);
  G_OBJECT_CLASS (malt_worker_parent_class)->dispose (object);
}

static void
malt_worker_finalize (GObject *object)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (MALT_WORKER (object));

  malt_platform_forget_in_forks (&priv->kept);
  g_clear_object (&priv->inner);
  g_clear_pointer (&priv->front, malt_weak_worker_unref);
  g_clear_object (&priv->config);
  g_clear_pointer (&priv->context, g_main_context_unref);
  g_clear_pointer (&priv->weak, malt_weak_worker_unref);
  g_clear_pointer (&priv->home, malt_handle_home_unref);
  if (priv->attachment != NULL)
    priv->attachment_kind->free (priv->attachment);
  g_clear_pointer (&priv->termination, malt_termination_unref);
  g_clear_pointer (&priv->outstanding, g_hash_table_unref);
  g_clear_pointer (&priv->channels, g_hash_table_unref);
  g_mutex_clear (&priv->lock);
  G_OBJECT_CLASS (malt_worker_parent_class)->finalize (object);
}

static void
malt_worker_get_property (GObject *object, guint property_id, GValue *value,
                          GParamSpec *pspec)
{
  if (property_id == PROP_CONFIG)
    g_value_set_object (value, malt_worker_get_private (MALT_WORKER (object))->config);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
malt_worker_set_property (GObject *object, guint property_id, const GValue *value,
                          GParamSpec *pspec)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (MALT_WORKER (object));
  MaltConfig *config;

  if (property_id != PROP_CONFIG)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      return;
    }
  config = g_value_get_object (value);
  if (config == NULL)
    return;
  priv->config = malt_config_copy (config);
  malt_config_seal (priv->config);
}

/* What a class does that leaves these slots alone; so whoever calls them need not ask. */

static gboolean
malt_worker_real_drive (G_GNUC_UNUSED MaltWorker *worker,
                        G_GNUC_UNUSED MaltFuture *future,
                        G_GNUC_UNUSED gint64 deadline_us,
                        G_GNUC_UNUSED GCancellable *cancellable)
{
  return FALSE;
}

static void
malt_worker_real_release_handles (G_GNUC_UNUSED MaltWorker *worker,
                                  G_GNUC_UNUSED const guint64 *ids,
                                  G_GNUC_UNUSED gsize n_ids)
{
}

static void
malt_worker_real_spin (G_GNUC_UNUSED MaltWorker *worker,
                       G_GNUC_UNUSED const gint *is_done)
{
}

static void
malt_worker_class_init (MaltWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  klass->drive = malt_worker_real_drive;
  klass->release_handles = malt_worker_real_release_handles;
  klass->spin = malt_worker_real_spin;

  object_class->constructed = malt_worker_constructed;
  object_class->dispose = malt_worker_dispose;
  object_class->finalize = malt_worker_finalize;
  object_class->get_property = malt_worker_get_property;
  object_class->set_property = malt_worker_set_property;

  /**
   * MaltWorker:config: (getter get_config)
   *
   * The config that the worker was launched with; a copy that is not changed any more.
   */
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_object ("config", NULL, NULL, MALT_TYPE_CONFIG,
                           G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                               G_PARAM_STATIC_STRINGS));
  malt_worker_install_signals (klass);
}
