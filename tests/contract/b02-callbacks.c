/* SPDX-License-Identifier: MIT */
/* B2: callbacks run in the starter's thread-default main context, never inside the call
 * that started them, and with no lock held. */
#include "malt-contract.h"

/* In the starter's context, and not inside the starting call */

typedef void (*StartFunc) (MaltWorker *worker, ContractAwait *await);

static void
start_call (MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 1);

  malt_worker_remote_call_async (worker, call, NULL, contract_on_ready,
                                 contract_expect (await));
}

static void
start_cancelled_call (MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  malt_worker_remote_call_async (worker, call, cancellable, contract_on_ready,
                                 contract_expect (await));
}

static void
start_eval (MaltWorker *worker, ContractAwait *await)
{
  malt_worker_remote_eval_async (worker, NULL, contract_get_dialect ()->source_two, NULL,
                                 contract_on_ready, contract_expect (await));
}

static void
start_fetch_of_done (MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_ECHO, 1);

  contract_is_done_soon (future);
  malt_future_fetch_async (future, NULL, contract_on_ready, contract_expect (await));
}

static void
start_fetch_of_cancelled (MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_ECHO, 1);

  malt_future_fetch_async (future, NULL, contract_on_ready, contract_expect (await));
  malt_future_cancel (future);
}

static void
start_interrupt_of_nothing (MaltWorker *worker, ContractAwait *await)
{
  malt_worker_interrupt_async (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL,
                               contract_on_ready, contract_expect (await));
}

static void
start_interrupt_of_done (MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_ECHO, 1);

  contract_is_done_soon (future);
  malt_future_interrupt_async (future, MALT_INTERRUPT_DEFAULT, NULL, contract_on_ready,
                               contract_expect (await));
}

static void
start_channel (MaltWorker *worker, ContractAwait *await)
{
  g_autofree char *source =
      g_strdup_printf (contract_get_dialect ()->source_closing_channel, 1);

  malt_worker_channel_async (worker, NULL, source, NULL, contract_on_ready,
                             contract_expect (await));
}

static void
start_launch (G_GNUC_UNUSED MaltWorker *worker, ContractAwait *await)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_config_set_backend (config, "no-such-backend");
  malt_worker_launch_async (config, NULL, contract_on_ready, contract_expect (await));
}

static void
start_stop (MaltWorker *worker, ContractAwait *await)
{
  malt_worker_stop_async (worker, 1000, 1000, NULL, contract_on_ready,
                          contract_expect (await));
}

static const StartFunc starters[] = {
  start_call,
  start_cancelled_call,
  start_eval,
  start_fetch_of_done,
  start_fetch_of_cancelled,
  start_interrupt_of_nothing,
  start_interrupt_of_done,
  start_channel,
  start_launch,
};

static gboolean
is_called_back_here (MaltWorker *worker, StartFunc start, gsize index)
{
  g_auto (ContractAwait) await = { 0 };

  await.is_starting = TRUE;
  start (worker, &await);
  await.is_starting = FALSE;
  if (!contract_await (&await))
    contract_note ("starter %" G_GSIZE_FORMAT ": no callback", index);
  else if (await.was_inside)
    contract_note ("starter %" G_GSIZE_FORMAT ": called back inside the starting call",
                   index);
  else if (await.thread != g_thread_self ())
    contract_note ("starter %" G_GSIZE_FORMAT ": called back in another thread", index);
  else
    return TRUE;
  return FALSE;
}

typedef struct
{
  MaltWorker *worker;
  gint n_wrong; /* atomic */
} Callbacks;

static void
try_all_starters (G_GNUC_UNUSED guint index, gpointer data)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  Callbacks *self = data;

  g_assert (context != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (starters); i++)
    {
      if (!is_called_back_here (self->worker, starters[i], i))
        g_atomic_int_inc (&self->n_wrong);
    }
}

static void
b02_callbacks_run_in_the_main_context_of_the_main_thread (void)
{
  Callbacks self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (starters); i++)
    malt_assert (is_called_back_here (self.worker, starters[i], i));
}

static void
b02_callbacks_run_in_the_context_of_the_thread_that_started_them (void)
{
  Callbacks self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  contract_in_threads (3, try_all_starters, &self);
  malt_assert (self.n_wrong == 0);
}

static void
b02_callbacks_of_an_ended_worker_come_in_the_same_way (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  malt_assert (worker != NULL);
  malt_assert (is_called_back_here (worker, start_stop, 0));
  malt_assert (is_called_back_here (worker, start_stop, 1));
  for (gsize i = 0; i < G_N_ELEMENTS (starters); i++)
    malt_assert (is_called_back_here (worker, starters[i], i));
}

typedef struct
{
  GThread *thread;
  guint n_calls;
  gboolean is_inside;
  gboolean was_inside;
} SignalSeen;

static void
on_exited (gpointer user_data)
{
  SignalSeen *seen = user_data;

  seen->thread = g_thread_self ();
  seen->n_calls++;
  seen->was_inside = seen->was_inside || seen->is_inside;
}

static gboolean
has_exited (gpointer data)
{
  return ((SignalSeen *) data)->n_calls > 0;
}

static void
b02_exited_is_emitted_in_the_context_of_the_launcher (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  SignalSeen seen = { 0 };

  malt_assert (worker != NULL);
  g_signal_connect_swapped (worker, "exited", G_CALLBACK (on_exited), &seen);
  seen.is_inside = TRUE;
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  seen.is_inside = FALSE;
  malt_assert (contract_until (has_exited, &seen, CONTRACT_DEADLINE_MS));
  malt_assert (seen.thread == g_thread_self ());
  malt_assert (!seen.was_inside);
  g_signal_handlers_disconnect_by_data (worker, &seen);
}

/* No lock held: a callback may do whatever any code may. */

typedef struct
{
  ContractAwait await;
  MaltWorker *worker;
  MaltFuture *future;
  gboolean is_right;
} Reentry;

static void
use_everything (gpointer data)
{
  Reentry *self = data;
  g_autofree char *summary = malt_worker_dup_summary (self->worker);
  g_autoptr (MaltFuture) other = contract_start (self->worker, CONTRACT_NEVER);
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 5);
  g_autoptr (MaltValue) value =
      malt_worker_remote_call_fetch (self->worker, call, NULL, NULL);

  malt_worker_interrupt (self->worker, other, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_future_cancel (other);
  malt_future_cancel (self->future);
  self->is_right = summary != NULL && value != NULL &&
                   malt_value_get_int64 (value) == 5 &&
                   malt_worker_is_running (self->worker) &&
                   malt_worker_remote_do (self->worker, call, NULL) &&
                   malt_future_is_done (self->future) && contract_works (self->worker);
}

static void
b02_a_callback_may_use_the_whole_interface (void)
{
  Reentry self = { .await = { .on_ready = use_everything, .data = &self },
                   .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  self.future = contract_start_int (self.worker, CONTRACT_SLEEP_MS, 5);
  malt_future_fetch_async (self.future, NULL, contract_on_ready,
                           contract_expect (&self.await));
  contract_await (&self.await);
  g_clear_object (&self.future);
  contract_await_clear (&self.await);
  malt_assert (self.is_right);
}

static void
stop (gpointer data)
{
  Reentry *self = data;

  self->is_right = malt_worker_stop_full (self->worker, 1000, 1000, NULL, NULL, NULL) &&
                   !malt_worker_is_running (self->worker);
}

static void
b02_a_callback_may_stop_its_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) pending = NULL;
  Reentry self = { .await = { .on_ready = stop, .data = &self }, .worker = worker };

  malt_assert (worker != NULL);
  pending = contract_start (worker, CONTRACT_NEVER);
  self.future = contract_start_int (worker, CONTRACT_ECHO, 1);
  malt_future_fetch_async (self.future, NULL, contract_on_ready,
                           contract_expect (&self.await));
  contract_await (&self.await);
  g_clear_object (&self.future);
  contract_await_clear (&self.await);
  malt_assert (self.is_right);
  malt_assert (contract_fails (pending, MALT_ERROR_WORKER_TERMINATED));
}

const ContractTest contract_b02[] = {
  CONTRACT_TEST (b02_callbacks_run_in_the_main_context_of_the_main_thread),
  CONTRACT_TEST (b02_callbacks_run_in_the_context_of_the_thread_that_started_them),
  CONTRACT_TEST (b02_callbacks_of_an_ended_worker_come_in_the_same_way),
  CONTRACT_TEST (b02_exited_is_emitted_in_the_context_of_the_launcher),
  CONTRACT_TEST (b02_a_callback_may_use_the_whole_interface),
  CONTRACT_TEST (b02_a_callback_may_stop_its_worker),
  CONTRACT_END,
};
