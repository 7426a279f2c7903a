/* SPDX-License-Identifier: MIT */
/* Interrupting the call of a future: what its worker does, if there is still one. */
#include "platform/malt-platform.h"
#include "worker/malt-waiter.h"
#include <malt/malt-worker.h>

/**
 * malt_future_interrupt:
 * @future: a future
 * @flags: how far the interrupt may go
 * @cancellable: (nullable): gives up waiting for the result
 * @error: return location for an error
 *
 * Throws InterruptException into the call of this future, and says what became of it; see
 * malt_worker_interrupt(). A future that was cancelled or timed out can still be interrupted
 * while the worker runs its call.
 *
 * Returns: what became of it; meaningless with an error
 */
MaltInterruptResult
malt_future_interrupt (MaltFuture *future, MaltInterruptFlags flags,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;

  g_return_val_if_fail (MALT_IS_FUTURE (future), MALT_INTERRUPT_GONE);
  if (malt_platform_is_forked (error))
    return MALT_INTERRUPT_UNDELIVERABLE;
  worker = malt_future_dup_worker (future);
  if (worker == NULL)
    return MALT_INTERRUPT_GONE;
  return malt_worker_interrupt (worker, future, flags, cancellable, error);
}

static void
on_interrupted (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = user_data;
  GError *error = NULL;
  MaltInterruptResult outcome =
      malt_worker_interrupt_finish (MALT_WORKER (object), result, &error);

  if (error != NULL)
    malt_waiter_return_error (waiter, error);
  else
    malt_waiter_return_int (waiter, (gssize) outcome);
}

/**
 * malt_future_interrupt_async:
 * @future: a future
 * @flags: how far the interrupt may go
 * @cancellable: (nullable): gives up waiting for the result
 * @callback: (nullable): called in the thread-default main context of the caller
 * @user_data: passed to @callback
 *
 * Does what malt_future_interrupt() does without blocking.
 */
void
malt_future_interrupt_async (MaltFuture *future, MaltInterruptFlags flags,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltWaiter) waiter = NULL;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_FUTURE (future));
  waiter = malt_waiter_new (future, cancellable, callback, user_data,
                            malt_future_interrupt_async);
  if (malt_platform_is_forked (&error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  worker = malt_future_dup_worker (future);
  if (worker == NULL)
    malt_waiter_return_int (waiter, MALT_INTERRUPT_GONE);
  else
    malt_worker_interrupt_async (worker, future, flags, cancellable, on_interrupted,
                                 g_steal_pointer (&waiter));
}

/**
 * malt_future_interrupt_finish:
 * @future: a future
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_future_interrupt_async().
 *
 * Returns: what became of it; meaningless with an error
 */
MaltInterruptResult
malt_future_interrupt_finish (MaltFuture *future, GAsyncResult *result, GError **error)
{
  gssize outcome;

  g_return_val_if_fail (g_task_is_valid (result, future), MALT_INTERRUPT_GONE);
  outcome = g_task_propagate_int (G_TASK (result), error);
  return outcome < 0 ? MALT_INTERRUPT_UNDELIVERABLE : (MaltInterruptResult) outcome;
}
