/* SPDX-License-Identifier: MIT */
/* Interrupting, stopping and killing a worker.
 *
 * The asynchronous slots of the backend are called in the I/O thread, whatever the
 * caller's thread, so that they always end, also when nobody runs the caller's main
 * context any more. The answer travels by a waiter, which the first of these claims:
 * the backend's answer, the end of the worker (stops only), the cancellable. Blocking
 * forms are the asynchronous ones, run in a private main context. */
#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "selection/malt-option.h"
#include "worker/malt-worker-state.h"

/* Of both timeouts of a stop, where the backend has no options for them; that of Malt.jl. */
#define DEFAULT_STOP_TIMEOUT_MS 15000

/* One interrupt or stop, on its way through the I/O thread. */
typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltWaiter *waiter; /* (owned) */
  MaltFuture *future; /* (owned) (nullable): of an interrupt */
  MaltInterruptFlags flags;
  gint64 exit_timeout_ms;
  gint64 term_timeout_ms;
} Operation;

static void
operation_free (gpointer data)
{
  Operation *operation = data;

  g_clear_object (&operation->worker);
  g_clear_object (&operation->future);
  g_clear_pointer (&operation->waiter, malt_waiter_unref);
  g_free (operation);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_free)

static Operation *
operation_new (MaltWorker *worker, MaltWaiter *waiter)
{
  Operation *operation = g_new0 (Operation, 1);

  operation->worker = g_object_ref (worker);
  operation->waiter = malt_waiter_ref (waiter);
  return operation;
}

/* Runs the function, which takes over the operation, in the I/O thread. */
static void
run_in_io_thread (Operation *operation, GSourceFunc func)
{
  GSource *source = g_idle_source_new ();

  g_source_set_static_name (source, "malt: interrupt or stop");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, operation, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  g_source_unref (source);
}

/* Interrupt */

/* The object is the worker, or one that it wraps; whose slot was called is for whose to end. */
static void
on_interrupted (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) operation = user_data;
  MaltWorker *worker = operation->worker;
  GError *error = NULL;
  MaltInterruptResult outcome =
      MALT_WORKER_GET_CLASS (worker)->interrupt_finish (worker, result, &error);

  if (!malt_waiter_claim (operation->waiter))
    g_clear_error (&error);
  else if (error != NULL)
    malt_waiter_return_error (operation->waiter, error);
  else
    malt_waiter_return_int (operation->waiter, (gssize) outcome);
}

static gboolean
start_interrupt (gpointer data)
{
  Operation *operation = data;

  MALT_WORKER_GET_CLASS (operation->worker)
      ->interrupt_async (operation->worker, operation->future, operation->flags, NULL,
                         on_interrupted, operation);
  return G_SOURCE_REMOVE;
}

/* Has the waiter answered. */
static void
begin_interrupt (MaltWorker *worker, MaltFuture *future, MaltInterruptFlags flags,
                 MaltWaiter *waiter)
{
  const MaltCapabilities needed =
      MALT_CAPABILITY_CAN_INTERRUPT_WAITING | MALT_CAPABILITY_CAN_INTERRUPT_BUSY;
  g_autoptr (MaltFuture) target = NULL;
  GError *error = NULL;
  Operation *operation;

  if (malt_platform_is_forked (&error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  if (!(malt_worker_get_capabilities (worker) & needed))
    {
      malt_waiter_return_error (
          waiter, g_error_new_literal (MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                                       "calls on this worker cannot be interrupted"));
      return;
    }
  target = malt_worker_dup_interrupted (worker, future);
  if (target == NULL)
    {
      malt_waiter_return_int (waiter,
                              future != NULL ? MALT_INTERRUPT_GONE : MALT_INTERRUPT_IDLE);
      return;
    }
  malt_waiter_watch_cancellable (waiter, NULL, NULL, NULL);
  operation = operation_new (worker, waiter);
  operation->future = g_steal_pointer (&target);
  operation->flags = flags;
  run_in_io_thread (operation, start_interrupt);
}

/* What a caller is told; a negative outcome stands for an error. */
static MaltInterruptResult
result_of_outcome (gssize outcome)
{
  return outcome < 0 ? MALT_INTERRUPT_UNDELIVERABLE : (MaltInterruptResult) outcome;
}

/**
 * malt_worker_interrupt_async:
 * @worker: a worker
 * @future: (nullable): the call that is meant; %NULL: the newest that runs
 * @flags: how far the interrupt may go
 * @cancellable: (nullable): gives up waiting for the result
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_worker_interrupt() does without blocking.
 */
void
malt_worker_interrupt_async (MaltWorker *worker, MaltFuture *future,
                             MaltInterruptFlags flags, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (future == NULL || MALT_IS_FUTURE (future));
  waiter = malt_waiter_new (worker, cancellable, callback, user_data,
                            malt_worker_interrupt_async);
  begin_interrupt (worker, future, flags, waiter);
}

/**
 * malt_worker_interrupt_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_interrupt_async(). The errors are those of malt_worker_interrupt().
 *
 * Returns: what became of it; meaningless with an error
 */
MaltInterruptResult
malt_worker_interrupt_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, worker), MALT_INTERRUPT_UNDELIVERABLE);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_interrupt_async),
                        MALT_INTERRUPT_UNDELIVERABLE);
  return result_of_outcome (g_task_propagate_int (G_TASK (result), error));
}

/**
 * malt_worker_interrupt:
 * @worker: a worker
 * @future: (nullable): the call that is meant; %NULL: the newest that runs
 * @flags: how far the interrupt may go
 * @cancellable: (nullable): gives up waiting for the result
 * @error: return location for an error
 *
 * Throws InterruptException into a call, and says what became of it. The call that is meant
 * is hit, or nothing is. Calls that were cancelled or timed out still run on the worker and
 * count. The call ends as it likes: normally its future fails with
 * %MALT_ERROR_REMOTE_EXCEPTION. On a worker that has ended nothing is left to interrupt, and
 * that is no error. Blocks until the result is known; in any thread.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED: see malt_worker_get_capabilities();
 * %MALT_ERROR_CANCELLED.
 *
 * Returns: what became of it; meaningless with an error
 */
MaltInterruptResult
malt_worker_interrupt (MaltWorker *worker, MaltFuture *future, MaltInterruptFlags flags,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), MALT_INTERRUPT_UNDELIVERABLE);
  g_return_val_if_fail (future == NULL || MALT_IS_FUTURE (future),
                        MALT_INTERRUPT_UNDELIVERABLE);
  waiter = malt_waiter_new_blocking (cancellable);
  begin_interrupt (worker, future, flags, waiter);
  return result_of_outcome (malt_waiter_await_int (waiter, error));
}

/* Stop */

/* The backend has nothing more to do. Success normally came from malt_worker_exited()
 * before. */
static void
on_stopped (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) operation = user_data;
  MaltWorker *worker = operation->worker;
  GError *error = NULL;
  gboolean is_stopped =
      MALT_WORKER_GET_CLASS (worker)->stop_finish (worker, result, &error);

  if (!malt_waiter_claim (operation->waiter))
    g_clear_error (&error);
  else if (is_stopped)
    malt_waiter_return_int (operation->waiter, TRUE);
  else
    malt_waiter_return_error (operation->waiter, error);
}

static gboolean
start_stop (gpointer data)
{
  Operation *operation = data;

  MALT_WORKER_GET_CLASS (operation->worker)
      ->stop_async (operation->worker, operation->exit_timeout_ms,
                    operation->term_timeout_ms, NULL, on_stopped, operation);
  return G_SOURCE_REMOVE;
}

/* FALSE: the worker has ended. */
static gboolean
enter_stopping (MaltWorker *worker, MaltWaiter *waiter)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (worker);
  gboolean is_alive;

  g_mutex_lock (&priv->lock);
  is_alive = priv->state < (gint) MALT_WORKER_ENDED;
  if (is_alive)
    {
      g_atomic_int_set (&priv->state, (gint) MALT_WORKER_STOPPING);
      priv->stops = g_slist_prepend (priv->stops, malt_waiter_ref (waiter));
    }
  g_mutex_unlock (&priv->lock);
  return is_alive;
}

/* A stop that was given up waits no more for the end of the worker. */
static void
on_stop_cancelled (MaltWaiter *waiter, gpointer data)
{
  MaltWorkerPrivate *priv = malt_worker_get_private (data);
  GSList *link;

  g_mutex_lock (&priv->lock);
  link = g_slist_find (priv->stops, waiter);
  if (link != NULL)
    priv->stops = g_slist_delete_link (priv->stops, link);
  g_mutex_unlock (&priv->lock);
  if (link != NULL)
    malt_waiter_unref (waiter);
}

static gint64
effective_timeout_ms (MaltWorker *worker, gint64 timeout_ms, const char *option_name)
{
  if (timeout_ms >= 0)
    return timeout_ms;
  if (malt_option_find (MALT_WORKER_GET_CLASS (worker)->options, option_name) != NULL)
    return malt_worker_get_option_int (worker, option_name);
  if (malt_worker_get_inner (worker) != NULL)
    return effective_timeout_ms (malt_worker_get_inner (worker), timeout_ms, option_name);
  return DEFAULT_STOP_TIMEOUT_MS;
}

/* Has the waiter answered. */
static void
begin_stop (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
            MaltWaiter *waiter)
{
  GError *error = NULL;
  Operation *operation;

  if (malt_platform_is_forked (&error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  if (!enter_stopping (worker, waiter))
    {
      malt_waiter_return_int (waiter, FALSE);
      return;
    }
  malt_waiter_watch_cancellable (waiter, on_stop_cancelled, g_object_ref (worker),
                                 g_object_unref);
  operation = operation_new (worker, waiter);
  operation->exit_timeout_ms =
      effective_timeout_ms (worker, exit_timeout_ms, "exit-timeout-ms");
  operation->term_timeout_ms =
      effective_timeout_ms (worker, term_timeout_ms, "term-timeout-ms");
  run_in_io_thread (operation, start_stop);
}

/* What a caller is told; a negative outcome stands for an error. */
static gboolean
take_stop_outcome (gssize was_running, gboolean *out_was_running)
{
  if (was_running >= 0 && out_was_running != NULL)
    *out_was_running = was_running != 0;
  return was_running >= 0;
}

/**
 * malt_worker_stop_async:
 * @worker: a worker
 * @exit_timeout_ms: milliseconds for a polite end; -1: what the worker's config says, else
 *   15 s
 * @term_timeout_ms: milliseconds more after SIGTERM, before SIGKILL; -1: what the worker's
 *   config says, else 15 s
 * @cancellable: (nullable): gives up waiting; the worker goes on ending
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_worker_stop_full() does without blocking.
 */
void
malt_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                        gint64 term_timeout_ms, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (exit_timeout_ms >= -1 && term_timeout_ms >= -1);
  waiter =
      malt_waiter_new (worker, cancellable, callback, user_data, malt_worker_stop_async);
  begin_stop (worker, exit_timeout_ms, term_timeout_ms, waiter);
}

/**
 * malt_worker_stop_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @out_was_running: (out) (optional): whether the worker had not ended before
 * @error: return location for an error
 *
 * Ends malt_worker_stop_async(). The errors are those of malt_worker_stop_full().
 *
 * Returns: %TRUE: the worker has ended; or %FALSE with an error
 */
gboolean
malt_worker_stop_finish (MaltWorker *worker, GAsyncResult *result,
                         gboolean *out_was_running, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, worker), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_stop_async), FALSE);
  return take_stop_outcome (g_task_propagate_int (G_TASK (result), error),
                            out_was_running);
}

/**
 * malt_worker_stop_full:
 * @worker: a worker
 * @exit_timeout_ms: milliseconds for a polite end; -1: what the worker's config says, else
 *   15 s
 * @term_timeout_ms: milliseconds more after SIGTERM, before SIGKILL; -1: what the worker's
 *   config says, else 15 s
 * @out_was_running: (out) (optional): whether the worker had not ended before
 * @cancellable: (nullable): gives up waiting; the worker goes on ending
 * @error: return location for an error
 *
 * Ends the worker and waits until it is gone: first politely, so that `atexit` hooks run, then
 * with SIGTERM, then with SIGKILL. Calls are refused from now on. Can be called again, also
 * while another stop is under way, and on a worker that has ended. May be called in any
 * thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_CANCELLED.
 *
 * Returns: %TRUE: the worker has ended; or %FALSE with an error
 */
gboolean
malt_worker_stop_full (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
                       gboolean *out_was_running, GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (MaltWaiter) waiter = NULL;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (exit_timeout_ms >= -1 && term_timeout_ms >= -1, FALSE);
  waiter = malt_waiter_new_blocking (cancellable);
  begin_stop (worker, exit_timeout_ms, term_timeout_ms, waiter);
  return take_stop_outcome (malt_waiter_await_int (waiter, error), out_was_running);
}

/**
 * malt_worker_stop:
 * @worker: a worker
 * @cancellable: (nullable): gives up waiting; the worker goes on ending
 * @error: return location for an error
 *
 * Ends the worker, with the default patience, and waits until it is gone; see
 * malt_worker_stop_full().
 *
 * Returns: %TRUE: the worker has ended; or %FALSE with an error
 */
gboolean
malt_worker_stop (MaltWorker *worker, GCancellable *cancellable, GError **error)
{
  return malt_worker_stop_full (worker, -1, -1, NULL, cancellable, error);
}

/**
 * malt_worker_kill:
 * @worker: a worker
 * @signum: number of the signal, such as SIGKILL
 * @error: return location for an error
 *
 * Sends a signal to the worker's process now. Never blocks. A worker that has ended is no
 * error.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED: see malt_worker_get_capabilities();
 * %MALT_ERROR_INVALID_ARGUMENT: there is no such signal; %MALT_ERROR_FAILED: this process
 * has become another user and may not send it.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_kill (MaltWorker *worker, int signum, GError **error)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  if (malt_platform_is_forked (error))
    return FALSE;
  if (!(malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_KILL))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                           "this worker cannot be killed");
      return FALSE;
    }
  if (!malt_worker_is_alive (worker))
    return TRUE;
  return MALT_WORKER_GET_CLASS (worker)->kill (worker, signum, error);
}
