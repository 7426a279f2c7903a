/* SPDX-License-Identifier: MIT */
/* MaltFuture: the answer to a call that is under way.
 *
 * A future is pending, then done, once and for good; `is_done` is the state, and
 * malt_future_complete() the only place that changes it. Whoever comes first decides: the
 * worker's answer, its end, malt_future_cancel(), the deadline. A future that was given
 * up in one of the last two ways is done, but its call stays outstanding on the worker
 * (malt-worker.c), which is why it can still be interrupted.
 *
 * The lock guards what is written until then. The value and the error are written before
 * is_done, atomically, and never after, so a done future is read without the lock.
 *
 * Who waits:
 *   - blocked threads, on the condition; or one of them inside the backend (`drive`),
 *     reading its own answer, which saves a switch of threads; the waker gets it out when
 *     another thread completes the future;
 *   - watches of backends, which the thread that completes the future runs, after it has
 *     let go of the lock;
 *   - waiters of main loops, which are sent the answer, in the order in which they came,
 *     by the thread that completes the future, after it has let go of the lock.
 *
 * The deadline is a source of the I/O thread that owns a reference to the future and dies
 * with its completion. The worker is referred to weakly: futures keep no worker alive. */
#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "worker/malt-future-private.h"

#include <malt/malt-worker-class.h>

/**
 * MaltFuture:
 *
 * The answer to a call that is under way. It is done once: with a value, an exception, the
 * end of the worker, cancellation or a deadline; and then stays so. Any number of threads
 * and callbacks may wait for it. It keeps no worker alive.
 */
struct _MaltFuture
{
  GObject parent_instance;
  GList kept; /* in forks */

  MaltWeakWorker *worker; /* (owned) */
  MaltCall *call; /* (owned) (nullable): NULL: a request of core's own */
  guint32 id; /* set before the future is shared */
  gint64 deadline_ms; /* set before the deadline is started; for its error */
  GList link; /* guarded by the worker's lock */

  gint is_done; /* atomic */
  MaltValue *value; /* (owned) (nullable): constant once is_done */
  GError *error; /* (owned) (nullable): constant once is_done */

  GMutex lock; /* guards is_done being set, and what follows */
  GCond done; /* is_done was set, or a cancellable of a blocked thread fired */
  GSList *waiters; /* (owned): of MaltWaiter, newest first */
  GSList *watches; /* (owned): of Watch, newest first */
  GSource *deadline; /* (owned) (nullable) */
  GDestroyNotify wake; /* (nullable) */
  gpointer wake_data;
  GThread *waker_thread; /* (unowned): that which set wake */
};

G_DEFINE_FINAL_TYPE (MaltFuture, malt_future, G_TYPE_OBJECT)

/* What malt_future_add_watch() was given. */
typedef struct
{
  MaltFutureFunc func;
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */
} Watch;

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  if (watch->destroy != NULL)
    watch->destroy (watch->user_data);
  g_free (watch);
}

static void
malt_future_finalize (GObject *object)
{
  MaltFuture *future = MALT_FUTURE (object);

  malt_platform_forget_in_forks (&future->kept);
  g_slist_free_full (future->watches, watch_free);
  g_clear_pointer (&future->worker, malt_weak_worker_unref);
  g_clear_pointer (&future->call, malt_call_unref);
  g_clear_pointer (&future->value, malt_value_unref);
  g_clear_error (&future->error);
  g_mutex_clear (&future->lock);
  g_cond_clear (&future->done);
  G_OBJECT_CLASS (malt_future_parent_class)->finalize (object);
}

static void
malt_future_class_init (MaltFutureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = malt_future_finalize;
}

static void
malt_future_init (MaltFuture *future)
{
  g_mutex_init (&future->lock);
  g_cond_init (&future->done);
  future->link.data = future;
  malt_platform_keep_in_forks (&future->kept, &G_OBJECT (future)->ref_count);
}

MaltFuture *
malt_future_new (MaltWeakWorker *worker, MaltCall *call)
{
  MaltFuture *future = g_object_new (MALT_TYPE_FUTURE, NULL);

  future->worker = malt_weak_worker_ref (worker);
  future->call = call != NULL ? malt_call_ref (call) : NULL;
  return future;
}

void
malt_future_set_id (MaltFuture *future, guint32 id)
{
  future->id = id;
}

GList *
malt_future_get_link (MaltFuture *future)
{
  return &future->link;
}

gboolean
malt_future_is_request (MaltFuture *future)
{
  return future->call == NULL;
}

/* Completion */

static MaltValue *
dup_result (MaltFuture *future, GError **error)
{
  if (future->error == NULL)
    return malt_value_ref (future->value);
  if (error != NULL)
    *error = g_error_copy (future->error);
  return NULL;
}

static void
answer_waiter (MaltFuture *future, MaltWaiter *waiter)
{
  GError *error = NULL;
  MaltValue *value;

  if (!malt_waiter_claim (waiter))
    return;
  value = dup_result (future, &error);
  if (value != NULL)
    malt_waiter_return_pointer (waiter, value, (GDestroyNotify) malt_value_unref);
  else
    malt_waiter_return_error (waiter, error);
}

static void
answer_waiters (MaltFuture *future, GSList *waiters)
{
  for (GSList *l = waiters = g_slist_reverse (waiters); l != NULL; l = l->next)
    {
      answer_waiter (future, l->data);
      malt_waiter_unref (l->data);
    }
  g_slist_free (waiters);
}

/* Takes the list over. */
static void
run_watches (MaltFuture *future, GSList *watches)
{
  for (GSList *l = watches = g_slist_reverse (watches); l != NULL; l = l->next)
    {
      Watch *watch = l->data;

      watch->func (future, watch->user_data);
    }
  g_slist_free_full (watches, watch_free);
}

gboolean
malt_future_complete (MaltFuture *future, MaltValue *value, GError *error)
{
  GSList *watches;
  GSList *waiters;
  GSource *deadline;

  g_mutex_lock (&future->lock);
  if (future->is_done)
    {
      g_mutex_unlock (&future->lock);
      g_clear_pointer (&value, malt_value_unref);
      g_clear_error (&error);
      return FALSE;
    }
  future->value = value != NULL || error != NULL ? value : malt_value_new_nothing ();
  future->error = error;
  g_atomic_int_set (&future->is_done, TRUE);
  watches = g_steal_pointer (&future->watches);
  waiters = g_steal_pointer (&future->waiters);
  deadline = g_steal_pointer (&future->deadline);
  if (future->wake != NULL && future->waker_thread != g_thread_self ())
    future->wake (future->wake_data);
  g_cond_broadcast (&future->done);
  g_mutex_unlock (&future->lock);

  if (deadline != NULL)
    {
      g_source_destroy (deadline);
      g_source_unref (deadline);
    }
  run_watches (future, watches);
  answer_waiters (future, waiters);
  return TRUE;
}

static gboolean
on_deadline (gpointer data)
{
  MaltFuture *future = data;
  GError *error =
      g_error_new (MALT_ERROR, MALT_ERROR_TIMED_OUT,
                   "no answer within %" G_GINT64_FORMAT " ms", future->deadline_ms);

  malt_future_complete (future, NULL, error);
  return G_SOURCE_REMOVE;
}

void
malt_future_start_deadline (MaltFuture *future, gint64 timeout_ms)
{
  guint interval_ms = (guint) CLAMP (timeout_ms, 0, G_MAXUINT);
  GSource *source = g_timeout_source_new (interval_ms);

  future->deadline_ms = timeout_ms;
  g_source_set_static_name (source, "malt: deadline of a call");
  g_source_set_callback (source, on_deadline, g_object_ref (future), g_object_unref);
  g_mutex_lock (&future->lock);
  if (!future->is_done)
    {
      future->deadline = g_source_ref (source);
      g_source_attach (source, malt_io_thread_get_context ());
    }
  g_mutex_unlock (&future->lock);
  g_source_unref (source);
}

/**
 * malt_future_set_waker:
 * @future: a future
 * @wake: (nullable): what wakes the thread that reads for the future; %NULL: nobody does
 * @data: passed to @wake
 *
 * Has @wake called when another thread than the calling one completes the future. For
 * backends; malt-worker-class.h has the rules.
 *
 * Returns: %FALSE: the future is done, and @wake will not be called
 */
gboolean
malt_future_set_waker (MaltFuture *future, GDestroyNotify wake, gpointer data)
{
  gboolean is_pending;

  g_return_val_if_fail (MALT_IS_FUTURE (future), FALSE);
  g_mutex_lock (&future->lock);
  is_pending = !future->is_done;
  future->wake = is_pending ? wake : NULL;
  future->wake_data = data;
  future->waker_thread = g_thread_self ();
  g_mutex_unlock (&future->lock);
  return is_pending;
}

/**
 * malt_future_add_watch:
 * @future: a future
 * @func: called when the future is done
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data, after @func if that is called
 *
 * Has @func called once, in the thread that completes the future, before callbacks of
 * main loops; or at once if the future is done. For backends that want to know what became
 * of a call. @func must not block. What it is given must not hold the worker: futures that
 * are pending are the worker's, and would keep it alive; malt_future_dup_worker() gives it.
 */
void
malt_future_add_watch (MaltFuture *future, MaltFutureFunc func, gpointer user_data,
                       GDestroyNotify destroy)
{
  Watch *watch;
  gboolean is_done;

  g_return_if_fail (MALT_IS_FUTURE (future));
  g_return_if_fail (func != NULL);
  watch = g_new (Watch, 1);
  *watch = (Watch){ .func = func, .user_data = user_data, .destroy = destroy };
  g_mutex_lock (&future->lock);
  is_done = future->is_done;
  if (!is_done)
    future->watches = g_slist_prepend (future->watches, watch);
  g_mutex_unlock (&future->lock);
  if (is_done)
    run_watches (future, g_slist_prepend (NULL, watch));
}

/* Waiting in a blocked thread */

static gboolean
has_passed (gint64 deadline_us)
{
  return deadline_us >= 0 && g_get_monotonic_time () >= deadline_us;
}

static void
on_wait_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  MaltFuture *future = data;

  if (malt_platform_is_forked (NULL))
    return;
  g_mutex_lock (&future->lock);
  g_cond_broadcast (&future->done);
  g_mutex_unlock (&future->lock);
}

static void
wait_until_done (MaltFuture *future, gint64 deadline_us, GCancellable *cancellable)
{
  gulong handler = 0;

  if (cancellable != NULL)
    handler =
        g_cancellable_connect (cancellable, G_CALLBACK (on_wait_cancelled), future, NULL);
  g_mutex_lock (&future->lock);
  while (!future->is_done && !g_cancellable_is_cancelled (cancellable))
    {
      if (deadline_us < 0)
        g_cond_wait (&future->done, &future->lock);
      else if (!g_cond_wait_until (&future->done, &future->lock, deadline_us))
        break;
    }
  g_mutex_unlock (&future->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
}

/* Lets the backend read in this thread for as long as it wants to. */
static void
drive_until_done (MaltFuture *future, gint64 deadline_us, GCancellable *cancellable)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (future->worker);

  if (worker == NULL)
    return;
  while (!malt_future_is_done (future) && !has_passed (deadline_us) &&
         !g_cancellable_is_cancelled (cancellable))
    if (!MALT_WORKER_GET_CLASS (worker)->drive (worker, future, deadline_us, cancellable))
      return;
}

/* FALSE, with an error, if the wait was given up. */
static gboolean
await_done (MaltFuture *future, gint64 deadline_us, GCancellable *cancellable,
            GError **error)
{
  if (malt_platform_is_forked (error))
    return FALSE;
  if (malt_future_is_done (future))
    return TRUE;
  if (malt_weak_worker_is_waited_for (future->worker, error))
    return FALSE;
  drive_until_done (future, deadline_us, cancellable);
  if (!malt_future_is_done (future))
    wait_until_done (future, deadline_us, cancellable);
  if (malt_future_is_done (future))
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CANCELLED,
                         "the wait was cancelled");
  else
    g_set_error_literal (error, MALT_ERROR, MALT_ERROR_TIMED_OUT,
                         "the wait timed out; the call goes on");
  return FALSE;
}

/**
 * malt_future_is_done:
 * @future: a future
 *
 * Says whether the answer is there, or will never come. Never blocks.
 *
 * Returns: %TRUE: fetching will not block
 */
gboolean
malt_future_is_done (MaltFuture *future)
{
  g_return_val_if_fail (MALT_IS_FUTURE (future), TRUE);
  return g_atomic_int_get (&future->is_done) || malt_platform_is_forked (NULL);
}

/**
 * malt_future_fetch:
 * @future: a future
 * @cancellable: (nullable): gives up this wait; the future stays pending
 * @error: return location for an error
 *
 * Waits for the answer. May be called in any thread, by several at once and again; no main
 * loop need run.
 *
 * Errors: %MALT_ERROR_REMOTE_EXCEPTION, %MALT_ERROR_WORKER_TERMINATED,
 * %MALT_ERROR_TIMED_OUT (the deadline of the call), %MALT_ERROR_CANCELLED (the wait, or the
 * future), %MALT_ERROR_ENCODE and %MALT_ERROR_DECODE; %MALT_ERROR_NOT_SUPPORTED: a handle was
 * asked for, see %MALT_CAPABILITY_HANDLES; %MALT_ERROR_FAILED: this is the thread of Julia, see
 * malt_worker_invoke_on_julia_thread(), which would wait for itself; the future stays pending.
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_future_fetch (MaltFuture *future, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (MALT_IS_FUTURE (future), NULL);
  if (!await_done (future, -1, cancellable, error))
    return NULL;
  return dup_result (future, error);
}

MaltValue *
malt_future_fetch_or_cancel (MaltFuture *future, GCancellable *cancellable,
                             GError **error)
{
  MaltValue *value = malt_future_fetch (future, cancellable, error);

  if (value == NULL && !malt_future_is_done (future))
    malt_future_cancel (future);
  return value;
}

/**
 * malt_future_wait:
 * @future: a future
 * @timeout_ms: milliseconds to wait; -1: for ever
 * @cancellable: (nullable): gives up this wait; the future stays pending
 * @error: return location for an error
 *
 * Waits until the future is done, whatever the result; malt_future_fetch() gives it. May be
 * called in any thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_TIMED_OUT and %MALT_ERROR_CANCELLED: the wait was given up, the future
 * stays pending.
 *
 * Returns: %TRUE if the future is done, or %FALSE with an error
 */
gboolean
malt_future_wait (MaltFuture *future, gint64 timeout_ms, GCancellable *cancellable,
                  GError **error)
{
  gint64 deadline_us = -1;

  g_return_val_if_fail (MALT_IS_FUTURE (future), FALSE);
  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  if (timeout_ms >= 0 && timeout_ms < G_MAXINT64 / 2 / G_TIME_SPAN_MILLISECOND)
    deadline_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  return await_done (future, deadline_us, cancellable, error);
}

/* Waiting with a main loop */

static void
forget_waiter (MaltFuture *future, MaltWaiter *waiter)
{
  GSList *link;

  g_mutex_lock (&future->lock);
  link = g_slist_find (future->waiters, waiter);
  if (link != NULL)
    future->waiters = g_slist_delete_link (future->waiters, link);
  g_mutex_unlock (&future->lock);
  if (link != NULL)
    malt_waiter_unref (waiter);
}

static void
on_answer_cancelled (MaltWaiter *waiter, gpointer data)
{
  forget_waiter (data, waiter);
}

static void
on_call_cancelled (MaltWaiter *waiter, gpointer data)
{
  forget_waiter (data, waiter);
  malt_future_cancel (data);
}

void
malt_future_answer (MaltFuture *future, MaltWaiter *waiter, MaltCancelScope scope)
{
  GError *error = NULL;
  gboolean is_done;

  if (malt_platform_is_forked (&error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  malt_waiter_watch_cancellable (
      waiter, scope == MALT_CANCEL_FUTURE ? on_call_cancelled : on_answer_cancelled,
      g_object_ref (future), g_object_unref);
  g_mutex_lock (&future->lock);
  is_done = future->is_done;
  if (!is_done)
    future->waiters = g_slist_prepend (future->waiters, malt_waiter_ref (waiter));
  g_mutex_unlock (&future->lock);
  if (is_done)
    answer_waiter (future, waiter);
}

/**
 * malt_future_fetch_async:
 * @future: a future
 * @cancellable: (nullable): gives up this wait; the future stays pending
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Waits for the answer without blocking.
 */
void
malt_future_fetch_async (MaltFuture *future, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_if_fail (MALT_IS_FUTURE (future));
  waiter =
      malt_waiter_new (future, cancellable, callback, user_data, malt_future_fetch_async);
  malt_future_answer (future, waiter, MALT_CANCEL_WAIT);
}

/**
 * malt_future_fetch_finish:
 * @future: a future
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_future_fetch_async(). The errors are those of malt_future_fetch().
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_future_fetch_finish (MaltFuture *future, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, future), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Giving up */

/**
 * malt_future_cancel:
 * @future: a future
 *
 * Gives up the answer: the future fails with %MALT_ERROR_CANCELLED at once, and the answer is
 * dropped when it comes. The worker is not told and goes on; malt_future_interrupt() stops it,
 * also afterwards. Does nothing to a future that is done.
 */
void
malt_future_cancel (MaltFuture *future)
{
  g_return_if_fail (MALT_IS_FUTURE (future));
  if (malt_future_is_done (future))
    return;
  malt_future_complete (
      future, NULL,
      g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED, "the call was cancelled"));
}

/* What it is */

/**
 * malt_future_dup_worker:
 * @future: a future
 *
 * Gives the worker that the call was made on.
 *
 * Returns: (transfer full) (nullable): the worker; %NULL: nobody refers to it any more
 */
MaltWorker *
malt_future_dup_worker (MaltFuture *future)
{
  g_return_val_if_fail (MALT_IS_FUTURE (future), NULL);
  if (malt_platform_is_forked (NULL))
    return NULL;
  return malt_weak_worker_dup (future->worker);
}

/**
 * malt_future_get_call:
 * @future: a future
 *
 * Gives the call.
 *
 * Returns: (transfer none): the call
 */
MaltCall *
malt_future_get_call (MaltFuture *future)
{
  g_return_val_if_fail (MALT_IS_FUTURE (future), NULL);
  return future->call;
}

/**
 * malt_future_get_id:
 * @future: a future
 *
 * Gives the number of the call, which is unique among the calls of the worker that have no
 * answer yet, and which #MaltWorker::output names.
 *
 * Returns: the number; 0: the call was not sent, because the worker did not run
 */
guint32
malt_future_get_id (MaltFuture *future)
{
  g_return_val_if_fail (MALT_IS_FUTURE (future), 0);
  return future->id;
}
