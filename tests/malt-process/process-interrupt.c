/* SPDX-License-Identifier: MIT */
/* Interrupts of real Julia code: which call is hit, and when a signal is needed. Tests
 * for all backends whose workers are processes with a link. */
#include "process-test.h"

#include "link/malt-link-worker.h"

#include <string.h>

static MaltLinkCounters
get_counters (MaltWorker *worker)
{
  MaltLinkCounters counters;
  malt_link_get_counters (MALT_LINK_WORKER_GET_CLASS (worker)->get_link (worker),
                          &counters);
  return counters;
}

/* A worker that has compiled what interrupts need. */
static MaltWorker *
launch_warm (void)
{
  MaltWorker *worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;

  if (worker == NULL)
    return NULL;
  g_free (process_test_eval (worker, "string(1)"));
  future = malt_worker_remote_eval (worker, NULL, "sleep(100)");
  malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_future_wait (future, 30000, NULL, NULL);
  return worker;
}

static void
check_interrupt (MaltWorker *worker, const char *source, gboolean needs_signal)
{
  guint n_before = get_counters (worker).n_signals;
  g_autoptr (MaltFuture) future = process_test_start_running (worker, source);
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;

  CHECK (!malt_future_is_done (future));
  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (result, MALT_INTERRUPT_DELIVERED);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CU_ASSERT (process_test_was_interrupted (future));
  CU_ASSERT (needs_signal == (get_counters (worker).n_signals > n_before));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "20 + 1"), 21);
}

/* Another call is outstanding, so that no signal may be sent, however long the worker
 * takes to read the request. */
static MaltFuture *
start_bystander (MaltWorker *worker)
{
  return malt_worker_remote_eval (worker, NULL, "sleep(1000)");
}

static void
waiting_calls_are_hit_without_a_signal (void)
{
  g_autoptr (MaltWorker) worker = launch_warm ();
  g_autoptr (MaltFuture) bystander = NULL;

  CHECK (worker != NULL);
  bystander = start_bystander (worker);
  check_interrupt (worker, "begun(); sleep(100)", FALSE);
  check_interrupt (worker, "begun(); wait(Condition())", FALSE);
  check_interrupt (worker, "begun(); take!(Channel(0))", FALSE);
  CU_ASSERT (!malt_future_is_done (bystander));
}

static void
busy_calls_are_hit_by_signals (void)
{
  g_autoptr (MaltWorker) worker = launch_warm ();

  CHECK (worker != NULL);
  check_interrupt (worker, PROCESS_TEST_ALLOCATE, TRUE);
  check_interrupt (worker, PROCESS_TEST_SPIN, TRUE);
}

static void
interrupt_of_a_sleeping_call_never_hits_a_busy_one (void)
{
  g_autoptr (MaltWorker) worker = launch_warm ();
  G_GNUC_UNUSED g_autoptr (MaltFuture) bystander = NULL;
  g_autoptr (MaltFuture) sleeping = NULL;
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;

  CHECK (worker != NULL);
  bystander = start_bystander (worker);
  sleeping = process_test_start_running (worker, "begun(); sleep(100)");
  busy =
      malt_worker_remote_eval (worker, NULL, "t = time(); while time() < t + 2; end; 99");
  CHECK (!malt_future_wait (busy, 200, NULL, NULL));
  result = malt_worker_interrupt (worker, sleeping, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (result, MALT_INTERRUPT_DELIVERED);
  CU_ASSERT (process_test_was_interrupted (sleeping));
  value = malt_future_fetch (busy, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (malt_value_get_int64 (value), 99);
}

static gboolean
is_receiving (gpointer worker)
{
  return get_counters (worker).is_receiving;
}

static void
interrupt_during_a_large_reply_sends_no_signal (void)
{
  g_autoptr (MaltWorker) worker = launch_warm ();
  guint n_before;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "BIG = zeros(UInt8, 200_000_000); sizeof(BIG)") ==
         200000000);
  g_free (process_test_eval (worker, "zeros(UInt8, 100_000)"));
  n_before = get_counters (worker).n_signals;
  for (int i = 0; i < 5; i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, "BIG");
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = NULL;

      CHECK (process_test_wait (is_receiving, worker, PROCESS_TEST_PATIENCE_MS));
      malt_future_wait (future, (gint64) 20 * i, NULL, NULL);
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);
      CHECK_NO_ERROR (error);
      value = malt_future_fetch (future, NULL, &error);
      CHECK (value != NULL ||
             g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION));
      g_clear_error (&error);
    }
  CU_ASSERT_EQUAL (get_counters (worker).n_signals, n_before);
  CHECK (process_test_eval_int (worker, "5") == 5);
}

/* The runtime knows that the host has not given it up meanwhile, however long it has
 * looked at nothing. */
static void
what_is_read_late_is_not_asked_again (void)
{
  g_autoptr (MaltWorker) worker = launch_warm ();
  g_autoptr (MaltCall) call = malt_call_new ("sleep");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  guint n_before;

  CHECK (worker != NULL);
  malt_call_take_argument (call, malt_value_new_int64 (60));
  future = malt_worker_remote_call (worker, call);
  malt_future_wait (future, 2500, NULL, NULL);
  n_before = get_counters (worker).n_interrupt_frames;
  CU_ASSERT_EQUAL (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error),
      MALT_INTERRUPT_DELIVERED);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (get_counters (worker).n_interrupt_frames, n_before + 1);
}

static void
idle_worker_has_nothing_to_interrupt (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "5") == 5);
  CU_ASSERT_EQUAL (
      malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_FORCE, NULL, &error),
      MALT_INTERRUPT_IDLE);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (get_counters (worker).n_interrupt_frames, 0);
}

typedef struct
{
  MaltWorker *worker; /* (unowned) */
  guint n_before;
} Signals;

static gboolean
has_more_signals (gpointer data)
{
  Signals *signals = data;
  return get_counters (signals->worker).n_signals > signals->n_before;
}

static void
count_result (G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result,
              gpointer n_results)
{
  ++*(int *) n_results;
}

static void
calls_made_while_signals_are_sent_are_not_hit (void)
{
  static int n_results;
  g_autoptr (MaltWorker) worker = launch_warm ();

  CHECK (worker != NULL);
  n_results = 0;
  for (int i = 0; i < 5; i++)
    {
      g_autoptr (MaltFuture) busy =
          process_test_start_running (worker, PROCESS_TEST_SPIN);
      Signals signals = { worker, get_counters (worker).n_signals };
      g_autoptr (MaltFuture) next = NULL;
      g_autoptr (MaltValue) value = NULL;
      g_autoptr (GError) error = NULL;

      malt_worker_interrupt_async (worker, busy, MALT_INTERRUPT_DEFAULT, NULL,
                                   count_result, &n_results);
      CHECK (process_test_wait (has_more_signals, &signals, PROCESS_TEST_PATIENCE_MS));
      next = malt_worker_remote_eval (worker, NULL, "sum(1:100)");
      CHECK (malt_future_wait (busy, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
      CU_ASSERT (process_test_was_interrupted (busy));
      value = malt_future_fetch (next, NULL, &error);
      CHECK_NO_ERROR (error);
      CU_ASSERT_EQUAL (malt_value_get_int64 (value), 5050);
    }
  /* Each interrupt keeps the worker until its result has come, which may be after the answer. */
  while (n_results < 5)
    g_main_context_iteration (NULL, TRUE);
}

/* The runtime is loaded for the one that waits, while the code of the other ends. */
static void
first_call_is_hit_while_another_waits (void)
{
  for (int i = 0; i < 4; i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (NULL);
      g_autoptr (MaltFuture) busy = NULL;
      g_autoptr (MaltFuture) next = NULL;
      g_autoptr (MaltValue) value = NULL;
      g_autoptr (GError) error = NULL;

      CHECK (worker != NULL);
      busy =
          malt_worker_remote_eval (worker, NULL,
                                   i % 2 == 0 ? "let n = 0; while true; n += 1; end; end"
                                              : "while true; global X = [rand(10)]; end");
      CHECK (!malt_future_wait (busy, 300, NULL, NULL));
      next = malt_worker_remote_eval (worker, NULL, "names(Base); 21");
      CU_ASSERT_EQUAL (malt_future_interrupt (busy, MALT_INTERRUPT_DEFAULT, NULL, &error),
                       MALT_INTERRUPT_DELIVERED);
      CHECK_NO_ERROR (error);
      CU_ASSERT (process_test_was_interrupted (busy));
      value = malt_future_fetch (next, NULL, &error);
      CHECK_NO_ERROR (error);
      CU_ASSERT_EQUAL (malt_value_get_int64 (value), 21);
    }
}

const ProcessTest process_interrupt_tests[] = {
  { "first_call_is_hit_while_another_waits", first_call_is_hit_while_another_waits },
  { "waiting_calls_are_hit_without_a_signal", waiting_calls_are_hit_without_a_signal },
  { "busy_calls_are_hit_by_signals", busy_calls_are_hit_by_signals },
  { "interrupt_of_a_sleeping_call_never_hits_a_busy_one",
    interrupt_of_a_sleeping_call_never_hits_a_busy_one },
  { "interrupt_during_a_large_reply_sends_no_signal",
    interrupt_during_a_large_reply_sends_no_signal },
  { "what_is_read_late_is_not_asked_again", what_is_read_late_is_not_asked_again },
  { "idle_worker_has_nothing_to_interrupt", idle_worker_has_nothing_to_interrupt },
  { "calls_made_while_signals_are_sent_are_not_hit",
    calls_made_while_signals_are_sent_are_not_hit },
  { NULL, NULL },
};
