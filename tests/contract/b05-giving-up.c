/* SPDX-License-Identifier: MIT */
/* B5: cancelling or timing out abandons the answer and leaves the worker alone;
 * malt_future_interrupt() does not. */
#include "malt-contract.h"

/* The record has @mark in it, now or soon. A mark is made after as many milliseconds: so
 * many that a loaded machine gives the call up, or interrupts it, before. */
typedef struct
{
  MaltWorker *worker;
  gint64 mark;
} Mark;

static gboolean
is_recorded (gpointer data)
{
  Mark *self = data;
  g_autoptr (GArray) record = NULL;

  if (!contract_dup_record (self->worker, &record))
    return FALSE;
  for (guint i = 0; i < record->len; i++)
    {
      if (g_array_index (record, gint64, i) == self->mark)
        return TRUE;
    }
  return FALSE;
}

static void
b05_code_goes_on_when_its_call_is_cancelled (void)
{
  Mark mark = { .worker = contract_shared (), .mark = 1071 };
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (mark.worker != NULL);
  future = contract_start_int (mark.worker, CONTRACT_RECORD_LATER, mark.mark);
  malt_future_cancel (future);
  malt_assert (contract_fails (future, MALT_ERROR_CANCELLED));
  malt_assert (contract_until (is_recorded, &mark, CONTRACT_DEADLINE_MS));
  malt_assert (contract_works (mark.worker));
}

static void
b05_code_goes_on_when_its_call_times_out (void)
{
  Mark mark = { .worker = contract_shared (), .mark = 1172 };
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (mark.worker != NULL);
  call = contract_call_int (CONTRACT_RECORD_LATER, mark.mark);
  malt_call_set_timeout_ms (call, 20);
  future = malt_worker_remote_call (mark.worker, call);
  malt_assert (contract_fails (future, MALT_ERROR_TIMED_OUT));
  malt_assert (contract_until (is_recorded, &mark, CONTRACT_DEADLINE_MS));
  malt_assert (contract_works (mark.worker));
}

static void
b05_code_ends_when_its_call_is_interrupted (void)
{
  Mark mark = { .worker = contract_shared (), .mark = 3373 };
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltFuture) later = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (mark.worker != NULL);
  future = contract_start_int (mark.worker, CONTRACT_RECORD_LATER, mark.mark);
  malt_assert (contract_works (mark.worker));
  if (!contract_can (mark.worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING))
    {
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
      return;
    }
  malt_assert (malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error) ==
               MALT_INTERRUPT_DELIVERED);
  malt_assert (contract_throws (future, "InterruptException"));
  later = contract_start_int (mark.worker, CONTRACT_SLEEP_MS, mark.mark + 100);
  malt_assert (contract_gives_int (later, mark.mark + 100));
  malt_assert (!is_recorded (&mark));
}

static void
b05_a_call_that_was_given_up_can_still_be_interrupted (void)
{
  Mark mark = { .worker = contract_shared (), .mark = 3374 };
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltFuture) later = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (mark.worker != NULL);
  future = contract_start_int (mark.worker, CONTRACT_RECORD_LATER, mark.mark);
  malt_assert (contract_works (mark.worker));
  malt_future_cancel (future);
  if (!contract_can (mark.worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING))
    {
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
      return;
    }
  malt_assert (malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error) ==
               MALT_INTERRUPT_DELIVERED);
  malt_assert (contract_fails (future, MALT_ERROR_CANCELLED));
  later = contract_start_int (mark.worker, CONTRACT_SLEEP_MS, mark.mark + 100);
  malt_assert (contract_gives_int (later, mark.mark + 100));
  malt_assert (!is_recorded (&mark));
}

static gboolean
on_time_to_cancel (gpointer data)
{
  g_cancellable_cancel (data);
  return G_SOURCE_REMOVE;
}

static gpointer
cancel_in_thread (gpointer data)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  GSource *timer = g_timeout_source_new (50);

  g_source_set_callback (timer, on_time_to_cancel, data, NULL);
  g_source_attach (timer, context);
  while (!g_cancellable_is_cancelled (data))
    g_main_context_iteration (context, TRUE);
  g_source_unref (timer);
  return NULL;
}

static void
b05_a_cancellable_ends_a_blocking_call (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_NEVER);
  thread = g_thread_new ("cancel", cancel_in_thread, cancellable);
  value = malt_worker_remote_call_fetch (worker, call, cancellable, &error);
  g_thread_join (thread);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (contract_works (worker));
}

static void
b05_a_cancellable_that_fired_before_ends_a_call_at_once (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_NEVER);
  g_cancellable_cancel (cancellable);
  value = malt_worker_remote_call_fetch (worker, call, cancellable, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (contract_works (worker));
}

const ContractTest contract_b05[] = {
  CONTRACT_TEST (b05_code_goes_on_when_its_call_is_cancelled),
  CONTRACT_TEST (b05_code_goes_on_when_its_call_times_out),
  CONTRACT_TEST (b05_code_ends_when_its_call_is_interrupted),
  CONTRACT_TEST (b05_a_call_that_was_given_up_can_still_be_interrupted),
  CONTRACT_TEST (b05_a_cancellable_ends_a_blocking_call),
  CONTRACT_TEST (b05_a_cancellable_that_fired_before_ends_a_call_at_once),
  CONTRACT_END,
};
