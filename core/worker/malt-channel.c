/* SPDX-License-Identifier: MIT */
/* MaltChannel: a Julia channel, seen from the host.
 *
 * Items are pushed: the worker takes them out of the Julia channel and sends them as
 * long as it has credit, so that a take finds its item here. The credit, a window of
 * MALT_CHANNEL_WINDOW items, bounds the queue; what is taken gives it back, half a
 * window at a time. A worker that pushes without credit breaks the protocol.
 *
 * An item has one owner at each moment: the queue, or the taker to whom it was handed.
 * Takers stand in line when the queue is empty, so one of `items` and `takers` always
 * is; an arriving item goes to the first taker whose wait has not been given up.
 * Whether it has is decided by the claim of its waiter (malt-waiter.c), so a take that
 * is cancelled has either got its item or lost none.
 *
 * A channel is open, then closed: by the worker (it was closed there, and everything
 * in it has been sent), or because the worker ended (it is lost). What is in the queue
 * can still be taken. The worker is referred to weakly, and knows the channel weakly
 * by its number; when the host drops the channel the worker is told to send no more.
 *
 * Requests (put, close, state) are answered through futures of their own. */
#include "platform/malt-platform.h"
#include "value/malt-value-private.h"
#include "worker/malt-channel-private.h"
#include "worker/malt-future-private.h"

#include <malt/malt-worker-class.h>

/**
 * MaltChannel:
 *
 * A Julia channel on a worker, seen from the host. Items come in order; each goes to one
 * taker. A channel keeps no worker alive. When it is closed, or the worker ends, what has
 * arrived can still be taken.
 */
struct _MaltChannel
{
  GObject parent_instance;
  GList kept; /* in forks */

  MaltWeakWorker *worker; /* (owned) */
  guint32 id;

  GMutex lock; /* guards what follows */
  GQueue items; /* of MaltValue (owned) */
  GQueue takers; /* of MaltWaiter (owned): each gets one item */
  GQueue watchers; /* of MaltWaiter (owned): all learn of an item */
  guint n_credit; /* items that the worker may still send */
  guint n_taken; /* items for which it has not been given new credit */
  gboolean is_closed;
  gboolean is_lost; /* closed because the worker ended */
  char *reason; /* (owned) (nullable): why it was closed */
};

G_DEFINE_FINAL_TYPE (MaltChannel, malt_channel, G_TYPE_OBJECT)

static void
malt_channel_finalize (GObject *object)
{
  MaltChannel *channel = MALT_CHANNEL (object);
  g_autoptr (MaltWorker) worker = NULL;

  malt_platform_forget_in_forks (&channel->kept);
  if (!malt_platform_is_forked (NULL))
    worker = malt_weak_worker_dup (channel->worker);
  if (worker != NULL)
    {
      malt_worker_remove_channel (worker, channel->id);
      if (!channel->is_closed && malt_worker_is_alive (worker))
        MALT_WORKER_GET_CLASS (worker)->channel_forget (worker, channel->id);
    }
  g_clear_pointer (&channel->worker, malt_weak_worker_unref);
  g_queue_clear_full (&channel->items, (GDestroyNotify) malt_value_unref);
  g_queue_clear_full (&channel->takers, (GDestroyNotify) malt_waiter_unref);
  g_queue_clear_full (&channel->watchers, (GDestroyNotify) malt_waiter_unref);
  g_free (channel->reason);
  g_mutex_clear (&channel->lock);
  G_OBJECT_CLASS (malt_channel_parent_class)->finalize (object);
}

static void
malt_channel_class_init (MaltChannelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = malt_channel_finalize;
}

static void
malt_channel_init (MaltChannel *channel)
{
  g_mutex_init (&channel->lock);
  g_queue_init (&channel->items);
  g_queue_init (&channel->takers);
  g_queue_init (&channel->watchers);
  channel->n_credit = MALT_CHANNEL_WINDOW;
  malt_platform_keep_in_forks (&channel->kept, &G_OBJECT (channel)->ref_count);
}

MaltChannel *
malt_channel_new (MaltWorker *worker)
{
  MaltChannel *channel = g_object_new (MALT_TYPE_CHANNEL, NULL);

  channel->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  channel->id = malt_worker_add_channel (worker, channel);
  return channel;
}

/**
 * malt_channel_get_id:
 * @channel: a channel
 *
 * Gives the number by which the worker knows the channel. For backends.
 *
 * Returns: the number, never 0
 */
guint32
malt_channel_get_id (MaltChannel *channel)
{
  g_return_val_if_fail (MALT_IS_CHANNEL (channel), 0);
  return channel->id;
}

MaltWeakWorker *
malt_channel_get_weak_worker (MaltChannel *channel)
{
  return channel->worker;
}

void
malt_channel_get_state (MaltChannel *channel, MaltChannelState *out_state)
{
  g_mutex_lock (&channel->lock);
  out_state->has_items = channel->items.length > 0;
  out_state->is_closed = channel->is_closed;
  out_state->is_lost = channel->is_lost;
  g_mutex_unlock (&channel->lock);
}

static GError *
new_closed_error_locked (MaltChannel *channel)
{
  if (channel->reason == NULL)
    return g_error_new_literal (MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED,
                                "the channel is closed");
  return g_error_new (MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED, "the channel is closed: %s",
                      channel->reason);
}

GError *
malt_channel_new_closed_error (MaltChannel *channel)
{
  GError *error;

  g_mutex_lock (&channel->lock);
  error = new_closed_error_locked (channel);
  g_mutex_unlock (&channel->lock);
  return error;
}

/* Arrivals */

/* The first waiter in line that has not been given up, claimed. Those that were go to
 * @given_up. */
static MaltWaiter *
claim_first_locked (GQueue *waiters, GSList **given_up)
{
  MaltWaiter *waiter;

  while ((waiter = g_queue_pop_head (waiters)) != NULL)
    {
      if (malt_waiter_claim (waiter))
        return waiter;
      *given_up = g_slist_prepend (*given_up, waiter);
    }
  return NULL;
}

static void
drop_waiters (GSList *waiters)
{
  g_slist_free_full (waiters, (GDestroyNotify) malt_waiter_unref);
}

/* An item was taken. Returns how much credit to give to the worker now. */
static guint
count_taken_locked (MaltChannel *channel)
{
  guint n_credit;

  channel->n_taken++;
  if (channel->n_taken < MALT_CHANNEL_WINDOW / 2 || channel->is_closed)
    return 0;
  n_credit = channel->n_taken;
  channel->n_taken = 0;
  channel->n_credit += n_credit;
  return n_credit;
}

static void
give_credit (MaltChannel *channel, guint n_credit)
{
  g_autoptr (MaltWorker) worker = NULL;

  if (n_credit == 0)
    return;
  worker = malt_weak_worker_dup (channel->worker);
  if (worker != NULL && malt_worker_is_alive (worker))
    MALT_WORKER_GET_CLASS (worker)->channel_credit (worker, channel, n_credit);
}

/* A waiter that only wants to know. */
static void
return_ready (MaltWaiter *waiter)
{
  malt_waiter_return_pointer (waiter, malt_value_new_nothing (),
                              (GDestroyNotify) malt_value_unref);
}

/* Takes over the value. Returns the taker that gets it; NULL: it was queued, and
 * @out_watchers are to learn of it. */
static MaltWaiter *
accept_item_locked (MaltChannel *channel, MaltValue *value, GSList **out_watchers,
                    GSList **given_up)
{
  MaltWaiter *taker = claim_first_locked (&channel->takers, given_up);
  MaltWaiter *watcher;

  if (taker != NULL)
    return taker;
  g_queue_push_tail (&channel->items, value);
  while ((watcher = claim_first_locked (&channel->watchers, given_up)) != NULL)
    *out_watchers = g_slist_prepend (*out_watchers, watcher);
  return NULL;
}

/**
 * malt_channel_push:
 * @channel: a channel
 * @value: (transfer full): an item that came from the worker
 *
 * Hands an item to the channel. For backends. It may call slots in turn, so never while the
 * backend holds a lock that a slot takes.
 *
 * Returns: %FALSE: the worker had no credit for it, which breaks the protocol; the item was
 *   dropped
 */
gboolean
malt_channel_push (MaltChannel *channel, MaltValue *value)
{
  GSList *watchers = NULL;
  GSList *given_up = NULL;
  MaltWaiter *taker = NULL;
  gboolean has_credit;
  guint n_credit = 0;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_mutex_lock (&channel->lock);
  has_credit = channel->n_credit > 0;
  if (channel->is_closed || !has_credit)
    {
      gboolean is_closed = channel->is_closed;

      g_mutex_unlock (&channel->lock);
      malt_value_unref (value);
      return is_closed;
    }
  channel->n_credit--;
  taker = accept_item_locked (channel, value, &watchers, &given_up);
  if (taker != NULL)
    n_credit = count_taken_locked (channel);
  g_mutex_unlock (&channel->lock);

  if (taker != NULL)
    {
      malt_waiter_return_pointer (taker, value, (GDestroyNotify) malt_value_unref);
      malt_waiter_unref (taker);
    }
  watchers = g_slist_reverse (watchers);
  for (GSList *l = watchers; l != NULL; l = l->next)
    return_ready (l->data);
  drop_waiters (watchers);
  drop_waiters (given_up);
  give_credit (channel, n_credit);
  return TRUE;
}

static void
close_locally (MaltChannel *channel, const char *reason, gboolean is_lost)
{
  g_autoptr (GError) error = NULL;
  GSList *given_up = NULL;
  GSList *waiting = NULL;
  MaltWaiter *waiter;

  g_mutex_lock (&channel->lock);
  if (channel->is_closed)
    {
      channel->is_lost |= is_lost;
      g_mutex_unlock (&channel->lock);
      return;
    }
  channel->is_closed = TRUE;
  channel->is_lost = is_lost;
  channel->reason = reason != NULL ? g_utf8_make_valid (reason, -1) : NULL;
  error = new_closed_error_locked (channel);
  while ((waiter = claim_first_locked (&channel->takers, &given_up)) != NULL)
    waiting = g_slist_prepend (waiting, waiter);
  while ((waiter = claim_first_locked (&channel->watchers, &given_up)) != NULL)
    waiting = g_slist_prepend (waiting, waiter);
  g_mutex_unlock (&channel->lock);

  waiting = g_slist_reverse (waiting);
  for (GSList *l = waiting; l != NULL; l = l->next)
    malt_waiter_return_error (l->data, g_error_copy (error));
  drop_waiters (waiting);
  drop_waiters (given_up);
}

/**
 * malt_channel_push_closed:
 * @channel: a channel
 * @reason: (nullable): the exception that it was closed with; %NULL: none
 *
 * Says that nothing more will come. For backends.
 */
void
malt_channel_push_closed (MaltChannel *channel, const char *reason)
{
  g_return_if_fail (MALT_IS_CHANNEL (channel));
  close_locally (channel, reason, FALSE);
}

void
malt_channel_lose (MaltChannel *channel, const char *reason)
{
  close_locally (channel, reason, TRUE);
}

/* Take and wait */

/* What a take gets is told to be an item for which there was no memory only here. Takes the
 * value over. */
static MaltValue *
check_item (MaltValue *value, GError **error)
{
  if (value == NULL || !malt_value_is_short (value))
    return value;
  malt_value_set_short_error (error);
  return NULL;
}

static void
on_wait_cancelled (MaltWaiter *waiter, gpointer data)
{
  MaltChannel *channel = data;
  gboolean is_found;

  g_mutex_lock (&channel->lock);
  is_found = g_queue_remove (&channel->takers, waiter) ||
             g_queue_remove (&channel->watchers, waiter);
  g_mutex_unlock (&channel->lock);
  if (is_found)
    malt_waiter_unref (waiter);
}

/* TRUE: there is an answer now, the item or an error. */
static gboolean
take_now_locked (MaltChannel *channel, MaltValue **out_value, guint *out_n_credit,
                 GError **error)
{
  *out_n_credit = 0;
  *out_value = g_queue_pop_head (&channel->items);
  if (*out_value != NULL)
    *out_n_credit = count_taken_locked (channel);
  else if (channel->is_closed)
    *error = new_closed_error_locked (channel);
  return *out_value != NULL || *error != NULL;
}

gboolean
malt_channel_is_given_up (GCancellable *cancellable, GError **error)
{
  if (malt_platform_is_forked (error))
    return TRUE;
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CANCELLED,
                       "the operation was cancelled");
  return TRUE;
}

/* Answers the waiter, or has it stand in line. */
static void
take_or_queue (MaltChannel *channel, MaltWaiter *waiter)
{
  MaltValue *value = NULL;
  GError *error = NULL;
  guint n_credit = 0;

  g_mutex_lock (&channel->lock);
  if (take_now_locked (channel, &value, &n_credit, &error))
    malt_waiter_claim (waiter);
  else
    g_queue_push_tail (&channel->takers, malt_waiter_ref (waiter));
  g_mutex_unlock (&channel->lock);

  if (value != NULL)
    malt_waiter_return_pointer (waiter, value, (GDestroyNotify) malt_value_unref);
  else if (error != NULL)
    malt_waiter_return_error (waiter, error);
  else
    malt_waiter_watch_cancellable (waiter, on_wait_cancelled, g_object_ref (channel),
                                   g_object_unref);
  give_credit (channel, n_credit);
}

/**
 * malt_channel_take_async:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting; no item is lost
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_channel_take() does without blocking.
 */
void
malt_channel_take_async (MaltChannel *channel, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_CHANNEL (channel));
  waiter = malt_waiter_new (channel, cancellable, callback, user_data,
                            malt_channel_take_async);
  if (malt_channel_is_given_up (cancellable, &error))
    malt_waiter_return_error (waiter, error);
  else
    take_or_queue (channel, waiter);
}

/**
 * malt_channel_take_finish:
 * @channel: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_channel_take_async(). The errors are those of malt_channel_take().
 *
 * Returns: (transfer full): the item, or %NULL with an error
 */
MaltValue *
malt_channel_take_finish (MaltChannel *channel, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, channel), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_channel_take_async), NULL);
  return check_item (g_task_propagate_pointer (G_TASK (result), error), error);
}

/**
 * malt_channel_take:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting; no item is lost
 * @error: return location for an error
 *
 * Takes the next item, and waits until there is one. Takers are served in the order in
 * which they came. May be called in any thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_CHANNEL_CLOSED: the channel is closed, or the worker has ended, and
 * all that arrived was taken; %MALT_ERROR_CANCELLED; %MALT_ERROR_RESOURCES: there was no
 * memory for the item, which is lost.
 *
 * Returns: (transfer full): the item, or %NULL with an error
 */
MaltValue *
malt_channel_take (MaltChannel *channel, GCancellable *cancellable, GError **error)
{
  MaltValue *value = NULL;
  GError *failure = NULL;
  guint n_credit = 0;
  gboolean is_answered;
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), NULL);
  if (malt_channel_is_given_up (cancellable, error))
    return NULL;
  g_mutex_lock (&channel->lock);
  is_answered = take_now_locked (channel, &value, &n_credit, &failure);
  g_mutex_unlock (&channel->lock);
  if (is_answered)
    {
      give_credit (channel, n_credit);
      if (failure != NULL)
        g_propagate_error (error, failure);
      return check_item (value, error);
    }
  if (malt_weak_worker_is_waited_for (channel->worker, error))
    return NULL;
  waiter = malt_waiter_new_blocking (cancellable);
  take_or_queue (channel, waiter);
  return check_item (malt_waiter_await_pointer (waiter, error), error);
}

/* Answers the waiter, or has it stand in line. */
static void
watch_or_queue (MaltChannel *channel, GCancellable *cancellable, MaltWaiter *waiter)
{
  gboolean is_ready;
  GError *error = NULL;

  if (malt_channel_is_given_up (cancellable, &error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  g_mutex_lock (&channel->lock);
  is_ready = channel->items.length > 0;
  if (!is_ready && channel->is_closed)
    error = new_closed_error_locked (channel);
  else if (!is_ready)
    g_queue_push_tail (&channel->watchers, malt_waiter_ref (waiter));
  g_mutex_unlock (&channel->lock);

  if (is_ready)
    return_ready (waiter);
  else if (error != NULL)
    malt_waiter_return_error (waiter, error);
  else
    malt_waiter_watch_cancellable (waiter, on_wait_cancelled, g_object_ref (channel),
                                   g_object_unref);
}

/**
 * malt_channel_wait_async:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_channel_wait() does without blocking.
 */
void
malt_channel_wait_async (MaltChannel *channel, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_if_fail (MALT_IS_CHANNEL (channel));
  waiter = malt_waiter_new (channel, cancellable, callback, user_data,
                            malt_channel_wait_async);
  watch_or_queue (channel, cancellable, waiter);
}

/**
 * malt_channel_wait_finish:
 * @channel: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_channel_wait_async(). The errors are those of malt_channel_wait().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_wait_finish (MaltChannel *channel, GAsyncResult *result, GError **error)
{
  g_autoptr (MaltValue) value = NULL;

  g_return_val_if_fail (g_task_is_valid (result, channel), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_channel_wait_async),
                        FALSE);
  value = g_task_propagate_pointer (G_TASK (result), error);
  return value != NULL;
}

/**
 * malt_channel_wait:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting
 * @error: return location for an error
 *
 * Waits until an item is ready, and does not take it: another taker may. May be called in
 * any thread; no main loop need run.
 *
 * Errors: those of malt_channel_take().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_wait (MaltChannel *channel, GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  g_autoptr (MaltValue) nothing = NULL;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  if (malt_platform_is_forked (error) ||
      malt_weak_worker_is_waited_for (channel->worker, error))
    return FALSE;
  waiter = malt_waiter_new_blocking (cancellable);
  watch_or_queue (channel, cancellable, waiter);
  nothing = malt_waiter_await_pointer (waiter, error);
  return nothing != NULL;
}
