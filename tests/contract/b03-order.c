/* SPDX-License-Identifier: MIT */
/* B3: calls on one worker are concurrent, and start in the order in which they were sent. */
#include "malt-contract.h"

#define N_ORDERED 1000
#define N_SLEEPERS 50

/* Longer than a loaded machine keeps the answer to another call. */
#define SLOW_MS 3000

static void
b03_others_run_while_one_sleeps (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) sleeper = NULL;

  malt_assert (worker != NULL);
  sleeper = contract_start (worker, CONTRACT_NEVER);
  for (int i = 0; i < 20; i++)
    malt_assert (contract_works (worker));
  malt_assert (!malt_future_is_done (sleeper));
  malt_future_cancel (sleeper);
}

static void
b03_sleeping_calls_sleep_side_by_side (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 start_ms;

  malt_assert (worker != NULL);
  start_ms = contract_now_ms ();
  for (int i = 0; i < N_SLEEPERS; i++)
    g_ptr_array_add (futures, contract_start_int (worker, CONTRACT_SLEEP_MS, 200));
  for (guint i = 0; i < futures->len; i++)
    malt_assert (contract_gives_int (g_ptr_array_index (futures, i), 200));
  malt_assert (contract_now_ms () - start_ms < 200 * N_SLEEPERS / 2);
}

static void
b03_a_later_call_may_end_first (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) slow = NULL;
  g_autoptr (MaltFuture) quick = NULL;

  malt_assert (worker != NULL);
  slow = contract_start_int (worker, CONTRACT_SLEEP_MS, SLOW_MS);
  quick = contract_start_int (worker, CONTRACT_SLEEP_MS, 20);
  malt_assert (contract_gives_int (quick, 20));
  malt_assert (!malt_future_is_done (slow));
  malt_assert (contract_gives_int (slow, SLOW_MS));
}

static gboolean
is_counted_up (MaltWorker *worker, guint n_marks)
{
  g_autoptr (GArray) record = NULL;

  if (!contract_dup_record (worker, &record))
    return FALSE;
  if (record->len != n_marks)
    {
      contract_note ("%u marks expected; seen: %u", n_marks, record->len);
      return FALSE;
    }
  for (guint i = 0; i < record->len; i++)
    {
      if (g_array_index (record, gint64, i) == i)
        continue;
      contract_note ("mark %u is %" G_GINT64_FORMAT, i,
                     g_array_index (record, gint64, i));
      return FALSE;
    }
  return TRUE;
}

static gboolean
forget_record (MaltWorker *worker)
{
  g_autoptr (MaltCall) call = contract_call (CONTRACT_FORGET_RECORD);

  return malt_worker_remote_call_wait (worker, call, NULL, NULL);
}

static void
b03_calls_start_in_the_order_sent (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  malt_assert (worker != NULL);
  malt_assert (forget_record (worker));
  for (int i = 0; i < N_ORDERED; i++)
    g_ptr_array_add (futures, contract_start_int (worker, CONTRACT_RECORD, i));
  for (guint i = 0; i < futures->len; i++)
    malt_assert (contract_gives_int (g_ptr_array_index (futures, i), i));
  malt_assert (is_counted_up (worker, N_ORDERED));
}

static void
b03_calls_without_an_answer_keep_their_place (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  malt_assert (forget_record (worker));
  for (int i = 0; i < N_ORDERED; i++)
    {
      g_autoptr (MaltCall) call = contract_call_int (CONTRACT_RECORD, i);

      if (i % 3 != 0)
        malt_assert (malt_worker_remote_do (worker, call, NULL));
      if (i % 3 == 0)
        g_object_unref (malt_worker_remote_call (worker, call));
    }
  malt_assert (is_counted_up (worker, N_ORDERED));
}

static void
b03_a_future_that_is_dropped_still_runs (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  malt_assert (forget_record (worker));
  g_object_unref (contract_start_int (worker, CONTRACT_RECORD, 0));
  malt_assert (contract_works (worker));
  malt_assert (is_counted_up (worker, 1));
}

const ContractTest contract_b03[] = {
  CONTRACT_TEST (b03_others_run_while_one_sleeps),
  CONTRACT_TEST (b03_sleeping_calls_sleep_side_by_side),
  CONTRACT_TEST (b03_a_later_call_may_end_first),
  CONTRACT_TEST (b03_calls_start_in_the_order_sent),
  CONTRACT_TEST (b03_calls_without_an_answer_keep_their_place),
  CONTRACT_TEST (b03_a_future_that_is_dropped_still_runs),
  CONTRACT_END,
};
