/* SPDX-License-Identifier: MIT */
/* Calls and evaluations, in all their forms; each is made of malt_worker_remote_call()
 * and a future. */
#include "platform/malt-platform.h"
#include "worker/malt-call-private.h"
#include "worker/malt-worker-state.h"

static gboolean
check_call (MaltWorker *worker, MaltCall *call, GError **error)
{
  if (malt_call_get_result_mode (call) != MALT_RESULT_HANDLE ||
      (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_HANDLES) != 0)
    return malt_call_check (call, error);
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                       "objects cannot stay on this worker: it has no handles");
  return FALSE;
}

/**
 * malt_worker_remote_call:
 * @worker: a worker
 * @call: what to run; cannot be changed any more
 *
 * Sends a call and returns at once. Calls start on the worker in the order in which they
 * were sent, and then run concurrently, as Julia tasks. If the worker does not run, the
 * future has failed already.
 *
 * Returns: (transfer full): the answer to come
 */
MaltFuture *
malt_worker_remote_call (MaltWorker *worker, MaltCall *call)
{
  MaltFuture *future;
  gboolean is_pending;
  GError *error = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (call != NULL, NULL);
  future = malt_worker_begin (worker, call, &is_pending);
  if (!is_pending)
    return future;
  if (!check_call (worker, call, &error))
    {
      malt_worker_complete_call (worker, malt_future_get_id (future), NULL, error);
      return future;
    }
  if (malt_call_get_timeout_ms (call) >= 0)
    malt_future_start_deadline (future, malt_call_get_timeout_ms (call));
  MALT_WORKER_GET_CLASS (worker)->remote_call (worker, future);
  return future;
}

/* A call whose answer nobody can get is not sent. */
static gboolean
is_cancelled (GCancellable *cancellable, GError **error)
{
  if (malt_platform_is_forked (error))
    return TRUE;
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CANCELLED,
                       "the call was cancelled before it was sent");
  return TRUE;
}

/**
 * malt_worker_remote_call_fetch:
 * @worker: a worker
 * @call: what to run
 * @cancellable: (nullable): gives up the answer; the worker goes on
 * @error: return location for an error
 *
 * Sends a call and waits for its value. May be called in any thread; no main loop need run.
 *
 * Errors: those of malt_future_fetch().
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_worker_remote_call_fetch (MaltWorker *worker, MaltCall *call,
                               GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltFuture) future = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (call != NULL, NULL);
  if (is_cancelled (cancellable, error))
    return NULL;
  future = malt_worker_remote_call (worker, call);
  return malt_future_fetch_or_cancel (future, cancellable, error);
}

/**
 * malt_worker_remote_call_wait:
 * @worker: a worker
 * @call: what to run
 * @cancellable: (nullable): gives up waiting; the worker goes on
 * @error: return location for an error
 *
 * Sends a call and waits until it has ended. Its value is discarded on the worker.
 *
 * Errors: those of malt_future_fetch().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_remote_call_wait (MaltWorker *worker, MaltCall *call,
                              GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltCall) discarding = NULL;
  g_autoptr (MaltValue) value = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (call != NULL, FALSE);
  discarding = malt_call_dup_discarding (call);
  value = malt_worker_remote_call_fetch (worker, discarding, cancellable, error);
  return value != NULL;
}

/**
 * malt_worker_remote_do:
 * @worker: a worker
 * @call: what to run
 * @error: return location for an error
 *
 * Sends a call without asking for an answer. It starts in order with other calls. An
 * exception in it is reported on the worker's standard error. Never blocks.
 *
 * Errors: %MALT_ERROR_WORKER_TERMINATED; %MALT_ERROR_ENCODE: an argument cannot be sent;
 * %MALT_ERROR_RESOURCES.
 *
 * Returns: %TRUE if it was sent, or %FALSE with an error
 */
gboolean
malt_worker_remote_do (MaltWorker *worker, MaltCall *call, GError **error)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (call != NULL, FALSE);
  if (malt_worker_get_state (worker) != MALT_WORKER_RUNNING)
    {
      g_propagate_error (error, malt_worker_new_terminated_error (worker, call));
      return FALSE;
    }
  if (!malt_call_check (call, error))
    return FALSE;
  malt_call_seal (call);
  g_atomic_int_set (&malt_worker_get_private (worker)->has_silent_calls, TRUE);
  return MALT_WORKER_GET_CLASS (worker)->remote_do (worker, call, error);
}

static void
start_call (MaltWorker *worker, MaltCall *call, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag)
{
  g_autoptr (MaltWaiter) waiter =
      malt_waiter_new (worker, cancellable, callback, user_data, source_tag);
  g_autoptr (MaltFuture) future = NULL;
  GError *error = NULL;

  if (is_cancelled (cancellable, &error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  future = malt_worker_remote_call (worker, call);
  malt_future_answer (future, waiter, MALT_CANCEL_FUTURE);
}

/**
 * malt_worker_remote_call_async:
 * @worker: a worker
 * @call: what to run
 * @cancellable: (nullable): gives up the answer; the worker goes on
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Sends a call and waits for its value without blocking.
 */
void
malt_worker_remote_call_async (MaltWorker *worker, MaltCall *call,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (call != NULL);
  start_call (worker, call, cancellable, callback, user_data,
              malt_worker_remote_call_async);
}

/**
 * malt_worker_remote_call_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_remote_call_async(). The errors are those of malt_future_fetch().
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_worker_remote_call_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, worker), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_remote_call_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Evaluations */

/**
 * malt_worker_remote_eval:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, a dotted path from the module that the
 *   worker was given, which is mostly Main, or from Main if it begins so; %NULL: the
 *   worker's module
 * @source: Julia source; several expressions are evaluated in order, the last gives the value
 *
 * Sends source text for evaluation at top level and returns at once.
 *
 * Returns: (transfer full): the answer to come
 */
MaltFuture *
malt_worker_remote_eval (MaltWorker *worker, const char *module, const char *source)
{
  g_autoptr (MaltCall) call = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (source != NULL, NULL);
  call = malt_call_new_eval (module, source);
  return malt_worker_remote_call (worker, call);
}

/**
 * malt_worker_remote_eval_value:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @code: the code, normally an Expr
 *
 * Sends code that was built as a value for evaluation at top level and returns at once.
 *
 * Returns: (transfer full): the answer to come
 */
MaltFuture *
malt_worker_remote_eval_value (MaltWorker *worker, const char *module, MaltValue *code)
{
  g_autoptr (MaltCall) call = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (code != NULL, NULL);
  call = malt_call_new_eval_value (module, code);
  return malt_worker_remote_call (worker, call);
}

/**
 * malt_worker_remote_eval_fetch:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @source: Julia source
 * @cancellable: (nullable): gives up the answer; the worker goes on
 * @error: return location for an error
 *
 * Evaluates source text at top level and waits for the value.
 *
 * Errors: those of malt_future_fetch().
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_worker_remote_eval_fetch (MaltWorker *worker, const char *module, const char *source,
                               GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltCall) call = NULL;

  g_return_val_if_fail (source != NULL, NULL);
  call = malt_call_new_eval (module, source);
  return malt_worker_remote_call_fetch (worker, call, cancellable, error);
}

/**
 * malt_worker_remote_eval_wait:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @source: Julia source
 * @cancellable: (nullable): gives up waiting; the worker goes on
 * @error: return location for an error
 *
 * Evaluates source text at top level and waits until that has ended. The value is discarded
 * on the worker.
 *
 * Errors: those of malt_future_fetch().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_remote_eval_wait (MaltWorker *worker, const char *module, const char *source,
                              GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltCall) call = NULL;

  g_return_val_if_fail (source != NULL, FALSE);
  call = malt_call_new_eval (module, source);
  malt_call_set_result_mode (call, MALT_RESULT_DISCARD);
  return malt_worker_remote_call_wait (worker, call, cancellable, error);
}

/**
 * malt_worker_remote_eval_async:
 * @worker: a worker
 * @module: (nullable): the module to evaluate in, as in malt_worker_remote_eval()
 * @source: Julia source
 * @cancellable: (nullable): gives up the answer; the worker goes on
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Evaluates source text at top level and waits for the value without blocking.
 */
void
malt_worker_remote_eval_async (MaltWorker *worker, const char *module, const char *source,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (MaltCall) call = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (source != NULL);
  call = malt_call_new_eval (module, source);
  start_call (worker, call, cancellable, callback, user_data,
              malt_worker_remote_eval_async);
}

/**
 * malt_worker_remote_eval_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_remote_eval_async(). The errors are those of malt_future_fetch().
 *
 * Returns: (transfer full): the value, or %NULL with an error
 */
MaltValue *
malt_worker_remote_eval_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, worker), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_remote_eval_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
