/* SPDX-License-Identifier: MIT */
/* B9: stop says whether the worker had been running; stop, kill, interrupt and is_running
 * are safe in any state. */
#include "malt-contract.h"

static void
b09_stop_says_whether_the_worker_had_been_running (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (GError) error = NULL;
  gboolean was_running = FALSE;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_is_running (worker));
  malt_assert (malt_worker_stop_full (worker, 5000, 5000, &was_running, NULL, &error));
  malt_assert (was_running);
  malt_assert (!malt_worker_is_running (worker));
  malt_assert (malt_worker_stop_full (worker, 5000, 5000, &was_running, NULL, &error));
  malt_assert (!was_running);
}

static void
b09_stop_async_says_whether_the_worker_had_been_running (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_auto (ContractAwait) first = { 0 };
  g_auto (ContractAwait) second = { 0 };
  gboolean was_running = FALSE;

  malt_assert (worker != NULL);
  malt_worker_stop_async (worker, 5000, 5000, NULL, contract_on_ready,
                          contract_expect (&first));
  malt_assert (contract_await (&first));
  malt_assert (malt_worker_stop_finish (worker, first.result, &was_running, NULL));
  malt_assert (was_running);
  malt_worker_stop_async (worker, 5000, 5000, NULL, contract_on_ready,
                          contract_expect (&second));
  malt_assert (contract_await (&second));
  malt_assert (malt_worker_stop_finish (worker, second.result, &was_running, NULL));
  malt_assert (!was_running);
}

typedef struct
{
  MaltWorker *worker;
  gint n_stopped; /* atomic */
  gint n_was_running; /* atomic */
} Stopping;

static void
stop_in_thread (G_GNUC_UNUSED guint index, gpointer data)
{
  Stopping *self = data;
  gboolean was_running = FALSE;

  if (malt_worker_stop_full (self->worker, 5000, 5000, &was_running, NULL, NULL) &&
      !malt_worker_is_running (self->worker))
    g_atomic_int_inc (&self->n_stopped);
  if (was_running)
    g_atomic_int_inc (&self->n_was_running);
}

static void
b09_stops_from_many_threads_all_succeed (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  Stopping self = { .worker = worker };

  malt_assert (worker != NULL);
  contract_in_threads (8, stop_in_thread, &self);
  malt_assert (self.n_stopped == 8);
  malt_assert (self.n_was_running >= 1);
}

/* kill works where it can, and says so where it cannot. */
static gboolean
kill_does_what_it_says (MaltWorker *worker, int signum)
{
  g_autoptr (GError) error = NULL;
  gboolean is_sent = malt_worker_kill (worker, signum, &error);

  if (contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    return is_sent && error == NULL;
  return !is_sent && g_error_matches (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
}

/* An interrupt of an ended worker, or of a call that ended with it, is no error: there is
 * nothing to hit. */
static gboolean
interrupt_finds_nothing (MaltWorker *worker, MaltFuture *future,
                         MaltInterruptResult expected)
{
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result =
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);

  if (!contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING |
                                 MALT_CAPABILITY_CAN_INTERRUPT_BUSY) &&
      g_error_matches (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED))
    return TRUE;
  if (error != NULL)
    contract_note ("interrupt: %s", error->message);
  else if (result != expected)
    contract_note ("interrupt: result %d expected; seen: %d", (int) expected,
                   (int) result);
  return error == NULL && result == expected;
}

static gboolean
is_safe_when_ended (MaltWorker *worker, MaltFuture *future)
{
  gboolean was_running = TRUE;

  return !malt_worker_is_running (worker) && kill_does_what_it_says (worker, SIGTERM) &&
         kill_does_what_it_says (worker, SIGKILL) &&
         interrupt_finds_nothing (worker, NULL, MALT_INTERRUPT_IDLE) &&
         interrupt_finds_nothing (worker, future, MALT_INTERRUPT_GONE) &&
         malt_worker_stop_full (worker, 100, 100, &was_running, NULL, NULL) &&
         !was_running && !malt_worker_is_running (worker);
}

static void
b09_all_four_are_safe_on_a_stopped_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start (worker, CONTRACT_NEVER);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert (is_safe_when_ended (worker, future));
}

static gboolean
has_ended (gpointer worker)
{
  return !malt_worker_is_running (worker);
}

static void
b09_all_four_are_safe_on_a_worker_that_died (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start (worker, CONTRACT_NEVER);
  contract_end_abruptly (worker);
  malt_assert (contract_until (has_ended, worker, CONTRACT_DEADLINE_MS));
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  malt_assert (is_safe_when_ended (worker, future));
}

static void
b09_all_four_are_safe_while_the_worker_stops (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_auto (ContractAwait) await = { 0 };

  malt_assert (worker != NULL);
  future = contract_start (worker, CONTRACT_NEVER);
  malt_worker_stop_async (worker, 5000, 5000, NULL, contract_on_ready,
                          contract_expect (&await));
  malt_worker_is_running (worker);
  malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_assert (kill_does_what_it_says (worker, SIGTERM));
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert (contract_await (&await));
  malt_assert (malt_worker_stop_finish (worker, await.result, NULL, NULL));
  malt_assert (!malt_worker_is_running (worker));
}

static void
b09_all_four_are_safe_on_an_idle_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  malt_assert (worker != NULL);
  malt_assert (malt_worker_is_running (worker));
  malt_assert (interrupt_finds_nothing (worker, NULL, MALT_INTERRUPT_IDLE));
  malt_assert (contract_works (worker));
  malt_assert (kill_does_what_it_says (worker, SIGKILL));
  if (contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    malt_assert (contract_until (has_ended, worker, CONTRACT_DEADLINE_MS));
  malt_assert (malt_worker_stop (worker, NULL, NULL));
}

/* Everything that starts something on an ended worker fails with the same code. */

static void
b09_blocking_forms_fail_on_an_ended_worker (void)
{
  const ContractDialect *dialect = contract_get_dialect ();
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 1);
  g_autoptr (MaltValue) code = malt_value_new_int64 (1);
  g_autoptr (MaltFuture) future = NULL;
  GError *errors[6] = { NULL };

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert (malt_worker_remote_call_fetch (worker, call, NULL, &errors[0]) == NULL);
  malt_assert (!malt_worker_remote_call_wait (worker, call, NULL, &errors[1]));
  malt_assert (!malt_worker_remote_do (worker, call, &errors[2]));
  malt_assert (malt_worker_remote_eval_fetch (worker, NULL, dialect->source_two, NULL,
                                              &errors[3]) == NULL);
  malt_assert (!malt_worker_remote_eval_wait (worker, NULL, dialect->source_two, NULL,
                                              &errors[4]));
  for (gsize i = 0; i < 5; i++)
    {
      malt_assert_error (errors[i], MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
      g_clear_error (&errors[i]);
    }
  future = malt_worker_remote_eval_value (worker, NULL, code);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  malt_assert (malt_worker_channel (worker, NULL, dialect->source_closing_channel, NULL,
                                    &errors[5]) == NULL);
  malt_assert_error (errors[5], MALT_ERROR,
                     contract_can (worker, MALT_CAPABILITY_CHANNELS)
                         ? MALT_ERROR_WORKER_TERMINATED
                         : MALT_ERROR_NOT_SUPPORTED);
  g_clear_error (&errors[5]);
}

static void
b09_async_forms_fail_on_an_ended_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 1);
  g_auto (ContractAwait) called = { 0 };
  g_auto (ContractAwait) evaluated = { 0 };
  g_autoptr (GError) call_error = NULL;
  g_autoptr (GError) eval_error = NULL;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_worker_remote_call_async (worker, call, NULL, contract_on_ready,
                                 contract_expect (&called));
  malt_worker_remote_eval_async (worker, NULL, contract_get_dialect ()->source_two, NULL,
                                 contract_on_ready, contract_expect (&evaluated));
  malt_assert (contract_await (&called));
  malt_assert (contract_await (&evaluated));
  malt_assert (malt_worker_remote_call_finish (worker, called.result, &call_error) ==
               NULL);
  malt_assert (malt_worker_remote_eval_finish (worker, evaluated.result, &eval_error) ==
               NULL);
  malt_assert_error (call_error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert_error (eval_error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
}

/* Stopping. A stop that waits for its timeout in vain takes longer than these: one that
 * asks for it, and the usual one of a worker. */
#define LONG_STOP_MS 30000
#define USUAL_STOP_MS 15000

static void
b09_a_waiting_call_does_not_hold_a_stop_up (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  gint64 start_ms;

  malt_assert (worker != NULL);
  future = contract_start (worker, CONTRACT_NEVER);
  malt_assert (contract_works (worker));
  start_ms = contract_now_ms ();
  malt_assert (malt_worker_stop_full (worker, LONG_STOP_MS, 0, NULL, NULL, NULL));
  malt_assert (contract_now_ms () - start_ms < LONG_STOP_MS);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
}

static void
b09_a_worker_that_hogs_the_processor_is_stopped_harder (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gboolean was_running = FALSE;
  gint64 start_ms;

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    {
      malt_assert (kill_does_what_it_says (worker, SIGKILL));
      return;
    }
  future = contract_start_int (worker, CONTRACT_SPIN_MS, 0);
  start_ms = contract_now_ms ();
  malt_assert (malt_worker_stop_full (worker, 200, 200, &was_running, NULL, &error));
  malt_assert (was_running);
  malt_assert (contract_now_ms () - start_ms < USUAL_STOP_MS);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
}

static void
b09_a_stop_whose_caller_gives_up_goes_on (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  g_cancellable_cancel (cancellable);
  if (!malt_worker_stop_full (worker, 5000, 5000, NULL, cancellable, &error))
    malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert (!malt_worker_is_running (worker));
}

/* Launching */

static gboolean
on_time_to_cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
launch_and_cancel_after (guint delay_ms)
{
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ContractAwait) await = { 0 };

  malt_worker_launch_async (config, cancellable, contract_on_ready,
                            contract_expect (&await));
  g_timeout_add (delay_ms, on_time_to_cancel, cancellable);
  if (!contract_await (&await))
    return FALSE;
  worker = malt_worker_launch_finish (await.result, &error);
  while (!g_cancellable_is_cancelled (cancellable))
    g_main_context_iteration (NULL, TRUE);
  if (worker != NULL)
    return contract_works (worker) && malt_worker_stop (worker, NULL, NULL);
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED))
    contract_note ("launch cancelled after %u ms: %s", delay_ms, error->message);
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED);
}

static void
b09_a_launch_can_be_cancelled_at_any_moment (void)
{
  static const guint delays_ms[] = { 0, 1, 5, 20, 60, 120, 180 };

  for (gsize i = 0; i < G_N_ELEMENTS (delays_ms); i++)
    malt_assert (launch_and_cancel_after (delays_ms[i]));
}

/* So often that asking the evaluator each time, however quickly it answered, would take
 * far longer than looking. */
#define N_LOOKS 1000000
#define ASK_US 10

static void
b09_is_running_is_cheap (void)
{
  MaltWorker *worker = contract_shared ();
  gint64 start_ms;

  malt_assert (worker != NULL);
  start_ms = contract_now_ms ();
  for (int i = 0; i < N_LOOKS; i++)
    malt_assert (malt_worker_is_running (worker));
  malt_assert (contract_now_ms () - start_ms < N_LOOKS * ASK_US / 1000);
}

const ContractTest contract_b09[] = {
  CONTRACT_TEST (b09_stop_says_whether_the_worker_had_been_running),
  CONTRACT_TEST (b09_stop_async_says_whether_the_worker_had_been_running),
  CONTRACT_TEST (b09_stops_from_many_threads_all_succeed),
  CONTRACT_TEST (b09_all_four_are_safe_on_an_idle_worker),
  CONTRACT_TEST (b09_all_four_are_safe_while_the_worker_stops),
  CONTRACT_TEST (b09_all_four_are_safe_on_a_stopped_worker),
  CONTRACT_TEST (b09_all_four_are_safe_on_a_worker_that_died),
  CONTRACT_TEST (b09_blocking_forms_fail_on_an_ended_worker),
  CONTRACT_TEST (b09_async_forms_fail_on_an_ended_worker),
  CONTRACT_TEST (b09_a_waiting_call_does_not_hold_a_stop_up),
  CONTRACT_TEST (b09_a_worker_that_hogs_the_processor_is_stopped_harder),
  CONTRACT_TEST (b09_a_stop_whose_caller_gives_up_goes_on),
  CONTRACT_TEST (b09_a_launch_can_be_cancelled_at_any_moment),
  CONTRACT_TEST (b09_is_running_is_cheap),
  CONTRACT_END,
};
