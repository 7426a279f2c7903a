/* SPDX-License-Identifier: MIT */
/* What a channel asks of the worker: to put an item, to close, and what state it is in
 * there. */
#include "platform/malt-platform.h"
#include "worker/malt-channel-private.h"
#include "worker/malt-future-private.h"

#include <malt/malt-error-construction.h>
#include <malt/malt-worker-class.h>

/* What Julia throws when a closed channel is used. */
#define CLOSED_EXCEPTION "InvalidStateException"

/* The future of a request; *out_worker is set if it is to be given to a slot.
 * (transfer full) */
static MaltFuture *
begin_request (MaltChannel *channel, MaltWorker **out_worker)
{
  MaltWeakWorker *weak = malt_channel_get_weak_worker (channel);
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (weak);
  gboolean is_pending = FALSE;
  MaltFuture *future;

  if (worker != NULL)
    {
      future = malt_worker_begin_request (worker, &is_pending);
      *out_worker = is_pending ? g_steal_pointer (&worker) : NULL;
      return future;
    }
  future = malt_future_new (weak, NULL);
  malt_future_complete (future, NULL, malt_error_new_terminated (NULL, NULL, NULL));
  *out_worker = NULL;
  return future;
}

/* Put */

static MaltFuture *
start_put (MaltChannel *channel, MaltValue *value)
{
  g_autoptr (MaltWorker) worker = NULL;
  MaltFuture *future = begin_request (channel, &worker);

  if (worker != NULL)
    MALT_WORKER_GET_CLASS (worker)->channel_put (worker, channel, value, future);
  return future;
}

/* TRUE, with an error, if the channel was closed and that is known here. */
static gboolean
is_closed_to_puts (MaltChannel *channel, GError **error)
{
  MaltChannelState state;

  malt_channel_get_state (channel, &state);
  if (!state.is_closed || state.is_lost)
    return FALSE;
  g_propagate_error (error, malt_channel_new_closed_error (channel));
  return TRUE;
}

/* Takes over the value and the error. */
static gboolean
finish_put (MaltValue *value, GError *failure, GError **error)
{
  if (value != NULL)
    {
      malt_value_unref (value);
      return TRUE;
    }
  if (g_strcmp0 (malt_error_get_exception_type (failure), CLOSED_EXCEPTION) == 0)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED,
                           "the channel is closed");
      g_error_free (failure);
    }
  else
    g_propagate_error (error, failure);
  return FALSE;
}

/**
 * malt_channel_put:
 * @channel: a channel
 * @value: the item
 * @cancellable: (nullable): gives up waiting; the item may still be put
 * @error: return location for an error
 *
 * Puts an item into the channel on the worker, and waits until there was room for it. May be
 * called in any thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_CHANNEL_CLOSED, %MALT_ERROR_WORKER_TERMINATED, %MALT_ERROR_CANCELLED,
 * %MALT_ERROR_ENCODE, %MALT_ERROR_REMOTE_EXCEPTION: the channel does not take such items.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_put (MaltChannel *channel, MaltValue *value, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (MaltFuture) future = NULL;
  GError *failure = NULL;
  MaltValue *answer;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  if (malt_channel_is_given_up (cancellable, error) || is_closed_to_puts (channel, error))
    return FALSE;
  future = start_put (channel, value);
  answer = malt_future_fetch_or_cancel (future, cancellable, &failure);
  return finish_put (answer, failure, error);
}

/**
 * malt_channel_put_async:
 * @channel: a channel
 * @value: the item
 * @cancellable: (nullable): gives up waiting; the item may still be put
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_channel_put() does without blocking.
 */
void
malt_channel_put_async (MaltChannel *channel, MaltValue *value, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  g_autoptr (MaltFuture) future = NULL;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_CHANNEL (channel));
  g_return_if_fail (value != NULL);
  waiter =
      malt_waiter_new (channel, cancellable, callback, user_data, malt_channel_put_async);
  if (malt_channel_is_given_up (cancellable, &error) ||
      is_closed_to_puts (channel, &error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  future = start_put (channel, value);
  malt_future_answer (future, waiter, MALT_CANCEL_FUTURE);
}

/**
 * malt_channel_put_finish:
 * @channel: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_channel_put_async(). The errors are those of malt_channel_put().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_put_finish (MaltChannel *channel, GAsyncResult *result, GError **error)
{
  GError *failure = NULL;
  MaltValue *answer;

  g_return_val_if_fail (g_task_is_valid (result, channel), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_channel_put_async), FALSE);
  answer = g_task_propagate_pointer (G_TASK (result), &failure);
  return finish_put (answer, failure, error);
}

/* Close */

static MaltFuture *
start_close (MaltChannel *channel)
{
  g_autoptr (MaltWorker) worker = NULL;
  MaltFuture *future = begin_request (channel, &worker);

  if (worker != NULL)
    MALT_WORKER_GET_CLASS (worker)->channel_close (worker, channel, future);
  return future;
}

/* A channel whose worker has ended is closed. Takes over the value and the error. */
static gboolean
finish_close (MaltValue *value, GError *failure, GError **error)
{
  if (value != NULL)
    {
      malt_value_unref (value);
      return TRUE;
    }
  if (g_error_matches (failure, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    {
      g_error_free (failure);
      return TRUE;
    }
  g_propagate_error (error, failure);
  return FALSE;
}

/**
 * malt_channel_close:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting; the channel may still be closed
 * @error: return location for an error
 *
 * Closes the channel on the worker. What is in it can still be taken. On a channel that is
 * closed, or whose worker has ended, it succeeds at once. May be called in any thread; no
 * main loop need run.
 *
 * Errors: %MALT_ERROR_CANCELLED, %MALT_ERROR_REMOTE_EXCEPTION.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_close (MaltChannel *channel, GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltFuture) future = NULL;
  MaltChannelState state;
  GError *failure = NULL;
  MaltValue *answer;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  if (malt_platform_is_forked (error))
    return FALSE;
  malt_channel_get_state (channel, &state);
  if (state.is_closed)
    return TRUE;
  if (malt_channel_is_given_up (cancellable, error))
    return FALSE;
  future = start_close (channel);
  answer = malt_future_fetch_or_cancel (future, cancellable, &failure);
  return finish_close (answer, failure, error);
}

/**
 * malt_channel_close_async:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting; the channel may still be closed
 * @callback: (nullable): called in the thread-default main context of the caller, always
 *   after this function has returned
 * @user_data: passed to @callback
 *
 * Does what malt_channel_close() does without blocking.
 */
void
malt_channel_close_async (MaltChannel *channel, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  g_autoptr (MaltFuture) future = NULL;
  MaltChannelState state;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_CHANNEL (channel));
  waiter = malt_waiter_new (channel, cancellable, callback, user_data,
                            malt_channel_close_async);
  if (malt_platform_is_forked (&error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  malt_channel_get_state (channel, &state);
  if (state.is_closed)
    {
      malt_waiter_return_pointer (waiter, malt_value_new_nothing (),
                                  (GDestroyNotify) malt_value_unref);
      return;
    }
  if (malt_channel_is_given_up (cancellable, &error))
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  future = start_close (channel);
  malt_future_answer (future, waiter, MALT_CANCEL_FUTURE);
}

/**
 * malt_channel_close_finish:
 * @channel: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_channel_close_async(). The errors are those of malt_channel_close().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_channel_close_finish (MaltChannel *channel, GAsyncResult *result, GError **error)
{
  GError *failure = NULL;
  MaltValue *answer;

  g_return_val_if_fail (g_task_is_valid (result, channel), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_channel_close_async),
                        FALSE);
  answer = g_task_propagate_pointer (G_TASK (result), &failure);
  return finish_close (answer, failure, error);
}

/* State */

typedef struct
{
  gboolean is_open;
  gint64 n_ready; /* in the Julia channel, not yet sent */
} RemoteState;

static gboolean
read_remote_state (MaltValue *answer, RemoteState *out_state, GError **error)
{
  g_autoptr (MaltValue) open = NULL;
  g_autoptr (MaltValue) ready = NULL;

  if (malt_value_get_kind (answer) != MALT_VALUE_TUPLE ||
      malt_value_get_n_children (answer) != 2)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                           "expected the state of a channel as a tuple of two");
      return FALSE;
    }
  open = malt_value_dup_child (answer, 0);
  ready = malt_value_dup_child (answer, 1);
  return malt_value_as_bool (open, &out_state->is_open, error) &&
         malt_value_as_int64 (ready, &out_state->n_ready, error);
}

/* A worker that has ended has no open channels; that is no error. */
static gboolean
ask_remote_state (MaltChannel *channel, RemoteState *out_state, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) answer = NULL;
  GError *failure = NULL;

  future = begin_request (channel, &worker);
  if (worker != NULL)
    MALT_WORKER_GET_CLASS (worker)->channel_state (worker, channel, future);
  answer = malt_future_fetch_or_cancel (future, cancellable, &failure);
  if (answer != NULL)
    return read_remote_state (answer, out_state, error);
  if (!g_error_matches (failure, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_error_free (failure);
  *out_state = (RemoteState){ .is_open = FALSE, .n_ready = 0 };
  return TRUE;
}

/**
 * malt_channel_is_ready:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting for the worker's answer
 * @error: return location for an error
 *
 * Says whether a take would get an item without waiting for somebody to put one. If none
 * has arrived the worker is asked, which blocks. May be called in any thread; no main loop
 * need run.
 *
 * Errors: %MALT_ERROR_CANCELLED.
 *
 * Returns: %TRUE if there is an item; %FALSE if there is none, or with an error
 */
gboolean
malt_channel_is_ready (MaltChannel *channel, GCancellable *cancellable, GError **error)
{
  MaltChannelState state;
  RemoteState remote;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  if (malt_platform_is_forked (error))
    return FALSE;
  malt_channel_get_state (channel, &state);
  if (state.has_items || state.is_closed)
    return state.has_items;
  if (!ask_remote_state (channel, &remote, cancellable, error))
    return FALSE;
  /* What the worker had sent before it answered has arrived by now. */
  malt_channel_get_state (channel, &state);
  return state.has_items || remote.n_ready > 0;
}

/**
 * malt_channel_is_open:
 * @channel: a channel
 * @cancellable: (nullable): gives up waiting for the worker's answer
 * @error: return location for an error
 *
 * Says whether items can be put into the channel. Unless it is known to be closed the worker
 * is asked, which blocks. May be called in any thread; no main loop need run.
 *
 * Errors: %MALT_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it is open; %FALSE if it is closed or its worker has ended, or with an
 *   error
 */
gboolean
malt_channel_is_open (MaltChannel *channel, GCancellable *cancellable, GError **error)
{
  MaltChannelState state;
  RemoteState remote;

  g_return_val_if_fail (MALT_IS_CHANNEL (channel), FALSE);
  if (malt_platform_is_forked (error))
    return FALSE;
  malt_channel_get_state (channel, &state);
  if (state.is_closed)
    return FALSE;
  return ask_remote_state (channel, &remote, cancellable, error) && remote.is_open;
}
