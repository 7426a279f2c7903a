/* SPDX-License-Identifier: MIT */
/* What core does with a backend that misbehaves, and which slots it calls: seen by the
 * counters of the fake backends. */
#include "faults-fake.h"
#include "fake-worker.h"

#include <string.h>

static MaltFuture *
start_named (MaltWorker *worker, const char *function, gint64 argument)
{
  g_autoptr (MaltCall) call = malt_call_new (function);

  malt_call_take_argument (call, malt_value_new_int64 (argument));
  return malt_worker_remote_call (worker, call);
}

static gboolean
are_more_answers_refused (gpointer data)
{
  return fake_get_n_refused_answers () > *(guint *) data;
}

static void
b01_a_second_answer_is_refused (void)
{
  MaltWorker *worker = contract_shared ();
  guint n_refused = fake_get_n_refused_answers ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = start_named (worker, "answer_twice", 6);
  malt_assert (contract_gives_int (future, 6));
  malt_assert (
      contract_until (are_more_answers_refused, &n_refused, CONTRACT_DEADLINE_MS));
  malt_assert (contract_gives_int (future, 6));
}

static void
b01_an_answer_to_an_unknown_call_is_refused (void)
{
  MaltWorker *worker = contract_shared ();
  guint n_refused = fake_get_n_refused_answers ();
  g_autoptr (MaltFuture) bystander = NULL;
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  bystander = contract_start_int (worker, CONTRACT_SLEEP_MS, 50);
  future = start_named (worker, "answer_unknown", 6);
  malt_assert (contract_gives_int (future, 6));
  malt_assert (contract_gives_int (bystander, 50));
  malt_assert_int (fake_get_n_refused_answers (), n_refused + 1);
}

static void
b01_a_late_answer_is_refused (void)
{
  MaltWorker *worker = contract_shared ();
  guint n_refused = fake_get_n_refused_answers ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_SLEEP_MS, 500);
  malt_future_cancel (future);
  malt_assert (
      contract_until (are_more_answers_refused, &n_refused, CONTRACT_DEADLINE_MS));
  malt_assert (contract_fails (future, MALT_ERROR_CANCELLED));
}

static void
count (gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
b08_an_end_that_is_told_too_early_and_again_counts_once (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  guint n_refused = fake_get_n_refused_answers ();
  g_autoptr (MaltFuture) future = NULL;
  guint n_exits = 0;

  malt_assert (worker != NULL);
  g_signal_connect_swapped (worker, "exited", G_CALLBACK (count), &n_exits);
  future = start_named (worker, "exit_too_early", 1);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  malt_assert (
      contract_until (are_more_answers_refused, &n_refused, CONTRACT_DEADLINE_MS));
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_signal_handlers_disconnect_by_data (worker, &n_exits);
  malt_assert_int (n_exits, 1);
}

/* Whichever of the fake backends does the work. */
static void
set_launch (MaltConfig *config, const char *value)
{
  malt_config_set_for (config, FAKE_BACKEND_NAME, "launch", value);
  malt_config_set_for (config, FAKE_BARE_BACKEND_NAME, "launch", value);
}

static void
b08_a_launch_that_fails_says_why (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  contract_drop_shared ();
  set_launch (config, "fails");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (strstr (error->message, "\"fails\"") != NULL);
}

static gboolean
on_time_to_cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void
b09_a_launch_that_hangs_can_be_cancelled (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ContractAwait) await = { 0 };
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  set_launch (config, "hangs");
  malt_worker_launch_async (config, cancellable, contract_on_ready,
                            contract_expect (&await));
  g_timeout_add (20, on_time_to_cancel, cancellable);
  malt_assert (contract_await (&await));
  worker = malt_worker_launch_finish (await.result, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
}

static void
b09_no_slot_sees_an_ended_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 1);
  guint n_before[FAKE_N_SLOTS];

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  for (int slot = 0; slot < FAKE_N_SLOTS; slot++)
    n_before[slot] = fake_get_n_slot_calls ((FakeSlot) slot);
  g_object_unref (malt_worker_remote_call (worker, call));
  malt_worker_remote_do (worker, call, NULL);
  malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_FORCE, NULL, NULL);
  malt_worker_kill (worker, SIGKILL, NULL);
  malt_worker_is_running (worker);
  malt_worker_stop (worker, NULL, NULL);
  malt_worker_channel (worker, NULL, "channel 1", NULL, NULL);
  for (int slot = 0; slot < FAKE_N_SLOTS; slot++)
    malt_assert_int (fake_get_n_slot_calls ((FakeSlot) slot), n_before[slot]);
}

static void
b10_no_slot_is_asked_to_interrupt_nothing (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) done = NULL;
  guint n_before;

  malt_assert (worker != NULL);
  done = contract_start_int (worker, CONTRACT_ECHO, 1);
  malt_assert (contract_gives_int (done, 1));
  n_before = fake_get_n_slot_calls (FAKE_SLOT_INTERRUPT);
  malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_FORCE, NULL, NULL);
  malt_worker_interrupt (worker, done, MALT_INTERRUPT_FORCE, NULL, NULL);
  malt_future_interrupt (done, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_assert_int (fake_get_n_slot_calls (FAKE_SLOT_INTERRUPT), n_before);
}

static void
b14_no_slot_is_called_whose_capability_is_clear (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltFuture) future = NULL;
  guint n_interrupts = fake_get_n_slot_calls (FAKE_SLOT_INTERRUPT);
  guint n_kills = fake_get_n_slot_calls (FAKE_SLOT_KILL);

  malt_config_set_backend (config, FAKE_BARE_BACKEND_NAME);
  worker = contract_launch_config (config);
  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_SLEEP_MS, 50);
  malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_worker_kill (worker, SIGKILL, NULL);
  malt_assert (malt_worker_channel (worker, NULL, "channel 1", NULL, NULL) == NULL);
  malt_assert (contract_gives_int (future, 50));
  malt_assert_int (fake_get_n_slot_calls (FAKE_SLOT_INTERRUPT), n_interrupts);
  malt_assert_int (fake_get_n_slot_calls (FAKE_SLOT_KILL), n_kills);
}

static gboolean
is_live_at (gpointer data)
{
  return fake_get_n_live () == *(guint *) data;
}

static void
b15_nothing_of_a_dropped_worker_lives_on (void)
{
  guint n_live = 0;

  contract_drop_shared ();
  malt_assert (contract_until (is_live_at, &n_live, CONTRACT_DEADLINE_MS));
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (MaltWorker) worker = contract_launch ();

      malt_assert (worker != NULL);
      for (int k = 0; k < 10; k++)
        g_object_unref (contract_start (worker, CONTRACT_NEVER));
      g_object_unref (contract_start_int (worker, CONTRACT_SPIN_MS, 0));
    }
  malt_assert (contract_until (is_live_at, &n_live, CONTRACT_DEADLINE_MS));
}

static void
b17_items_without_credit_are_refused (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  guint n_refused = fake_get_n_refused_items ();

  malt_assert (worker != NULL);
  channel = malt_worker_channel (worker, NULL, "greedy_channel 100000", NULL, NULL);
  if (!contract_can (worker, MALT_CAPABILITY_CHANNELS))
    {
      malt_assert (channel == NULL);
      return;
    }
  malt_assert (channel != NULL);
  malt_assert (contract_works (worker));
  malt_assert (fake_get_n_refused_items () > n_refused);
}

const ContractTest faults_fake[] = {
  CONTRACT_TEST (b01_a_second_answer_is_refused),
  CONTRACT_TEST (b01_an_answer_to_an_unknown_call_is_refused),
  CONTRACT_TEST (b01_a_late_answer_is_refused),
  CONTRACT_TEST (b08_an_end_that_is_told_too_early_and_again_counts_once),
  CONTRACT_TEST (b08_a_launch_that_fails_says_why),
  CONTRACT_TEST (b09_a_launch_that_hangs_can_be_cancelled),
  CONTRACT_TEST (b09_no_slot_sees_an_ended_worker),
  CONTRACT_TEST (b10_no_slot_is_asked_to_interrupt_nothing),
  CONTRACT_TEST (b14_no_slot_is_called_whose_capability_is_clear),
  CONTRACT_TEST (b15_nothing_of_a_dropped_worker_lives_on),
  CONTRACT_TEST (b17_items_without_credit_are_refused),
  CONTRACT_END,
};
