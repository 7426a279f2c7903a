/* SPDX-License-Identifier: MIT */
/* The state machine of a worker: launch, calls, interrupt, end, signals, handles. */
#include "base/malt-signals.h"
#include "malt-test.h"
#include "stub-worker.h"
#include "worker/malt-worker-private.h"

#include <string.h>

#define N_THREADS 8
#define N_CALLS 10000
#define BLOCK_BYTES ((gsize) 1024 * 1024)

static MaltFuture *
start_call (MaltWorker *worker, const char *function)
{
  g_autoptr (MaltCall) call = malt_call_new (function);

  return malt_worker_remote_call (worker, call);
}

/* Launch */

static void
launch_async_gives_a_running_worker (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (MaltWorker) worker = NULL;

  stub_worker_register ();
  malt_config_set_backend (config, "stub");
  malt_worker_launch_async (config, NULL, malt_test_on_ready, malt_test_expect (&await));
  malt_assert (await.result == NULL);
  malt_test_await (&await);
  worker = malt_worker_launch_finish (await.result, NULL);
  malt_assert (worker != NULL);
  malt_assert (malt_worker_is_running (worker));
  malt_assert_string (malt_worker_get_backend_name (worker), "stub");
  malt_assert (malt_worker_get_config (worker) != config);
}

static void
failed_launch_says_why (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) async_error = NULL;
  g_auto (MaltTestAwait) await = { .result = NULL };

  stub_worker_register ();
  malt_config_set_backend (config, "stub");
  malt_config_set_for (config, "stub", "fail", "no julia today");
  malt_assert (malt_worker_launch (config, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert_string (error->message, "no julia today");
  malt_worker_launch_async (config, NULL, malt_test_on_ready, malt_test_expect (&await));
  malt_test_await (&await);
  malt_assert (malt_worker_launch_finish (await.result, &async_error) == NULL);
  malt_assert_error (async_error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
}

static void
launch_that_fails_without_a_reason_says_so (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;

  stub_worker_register ();
  malt_config_set_backend (config, "stub");
  malt_config_set_for (config, "stub", "fail", "");
  malt_assert (malt_worker_launch (config, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert_string (error->message, "the backend gave no reason");
}

/* Calls */

static void
ids_of_calls_differ_and_requests_are_not_counted (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) first = start_call (worker, "hold");
  g_autoptr (MaltFuture) second = start_call (worker, "hold");
  gboolean is_pending;
  g_autoptr (MaltFuture) request = malt_worker_begin_request (worker, &is_pending);

  malt_assert (is_pending);
  malt_assert (malt_future_get_id (first) != malt_future_get_id (second));
  malt_assert (malt_worker_get_n_pending (worker) == 2);
  malt_assert (malt_worker_is_pending (worker, malt_future_get_id (request)));
  malt_assert (!malt_worker_complete_call (worker, 12345, NULL, NULL));
}

static void
call_for_a_handle_is_not_sent_where_there_are_none (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltCall) call = malt_call_new ("hold");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  malt_worker_set_capabilities (worker, MALT_CAPABILITY_ISOLATED);
  future = malt_worker_remote_call (worker, call);
  malt_assert (malt_future_is_done (future));
  malt_assert (malt_future_fetch (future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert (stub_record.n_calls == 0);
  malt_assert (malt_worker_get_n_pending (worker) == 0);
}

static void
one_shot_call_is_cancelled_with_its_cancellable (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltCall) call = malt_call_new ("hold");
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) too_late = NULL;

  malt_worker_remote_call_async (worker, call, cancellable, malt_test_on_ready,
                                 malt_test_expect (&await));
  g_cancellable_cancel (cancellable);
  malt_test_await (&await);
  malt_assert (malt_worker_remote_call_finish (worker, await.result, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (stub_record.n_calls == 1);
  malt_assert (malt_worker_remote_call_fetch (worker, call, cancellable, &too_late) ==
               NULL);
  malt_assert_error (too_late, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (stub_record.n_calls == 1);
}

static void
remote_call_wait_discards_on_the_worker (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltCall) call = malt_call_new (STUB_AT_ONCE);

  malt_assert (malt_worker_remote_call_wait (worker, call, NULL, NULL));
  malt_assert (malt_call_get_result_mode (call) == MALT_RESULT_VALUE);
}

static gpointer
call_many_times (gpointer data)
{
  guint n_wrong = 0;

  for (guint i = 0; i < N_CALLS; i++)
    {
      g_autoptr (MaltCall) call = malt_call_new (STUB_AT_ONCE);
      g_autoptr (MaltValue) value =
          malt_worker_remote_call_fetch (data, call, NULL, NULL);

      n_wrong += value == NULL || malt_value_get_int64 (value) != 42;
    }
  return GUINT_TO_POINTER (n_wrong);
}

static void
many_threads_use_one_worker (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("calls", call_many_times, worker);
  for (guint i = 0; i < N_THREADS; i++)
    malt_assert (g_thread_join (threads[i]) == NULL);
  malt_assert (stub_record.n_calls == N_THREADS * N_CALLS);
  malt_assert (malt_worker_get_n_pending (worker) == 0);
}

/* The end */

static void
end_fails_each_future_with_its_own_call (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) first = start_call (worker, "first");
  g_autoptr (MaltFuture) second = start_call (worker, "second");
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  stub_worker_end (worker, SIGSEGV);
  malt_assert (!malt_worker_is_running (worker));
  malt_assert (malt_future_is_done (first));
  malt_assert (malt_future_fetch (second, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert_string (error->message,
                      "stub worker 7 was ended by SIGSEGV; no answer to second()");
  malt_assert_string (malt_termination_get_stderr (malt_error_get_termination (error)),
                      "last words\n");
  termination = malt_worker_dup_termination (worker);
  malt_assert (malt_termination_get_signal (termination) == SIGSEGV);
}

static void
everything_is_safe_on_a_worker_that_has_ended (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) old = start_call (worker, "hold");
  g_autoptr (MaltCall) call = malt_call_new ("hold");
  g_autoptr (GError) call_error = NULL;
  g_autoptr (GError) do_error = NULL;
  gboolean was_running = TRUE;

  stub_worker_end (worker, SIGKILL);
  malt_assert (malt_worker_remote_call_fetch (worker, call, NULL, &call_error) == NULL);
  malt_assert_error (call_error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (!malt_worker_remote_do (worker, call, &do_error));
  malt_assert_error (do_error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, NULL) ==
               MALT_INTERRUPT_IDLE);
  malt_assert (malt_worker_interrupt (worker, old, MALT_INTERRUPT_DEFAULT, NULL, NULL) ==
               MALT_INTERRUPT_GONE);
  malt_assert (malt_worker_kill (worker, SIGKILL, NULL));
  malt_assert (malt_worker_stop_full (worker, 0, 0, &was_running, NULL, NULL));
  malt_assert (!was_running);
  malt_assert (stub_record.n_calls == 1 && stub_record.n_kills == 0);
  malt_assert (stub_record.n_stops == 0);
}

static void
stops_at_the_same_time_all_finish (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_auto (MaltTestAwait) first = { .result = NULL };
  g_auto (MaltTestAwait) second = { .result = NULL };
  gboolean first_was_running = FALSE;
  gboolean second_was_running = FALSE;

  malt_worker_stop_async (worker, -1, -1, NULL, malt_test_on_ready,
                          malt_test_expect (&first));
  malt_worker_stop_async (worker, 0, 0, NULL, malt_test_on_ready,
                          malt_test_expect (&second));
  malt_test_await (&first);
  malt_test_await (&second);
  malt_assert (malt_worker_stop_finish (worker, first.result, &first_was_running, NULL));
  malt_assert (
      malt_worker_stop_finish (worker, second.result, &second_was_running, NULL));
  malt_assert (first_was_running);
  malt_assert (!malt_worker_is_running (worker));
}

static void
stop_takes_its_patience_from_the_config (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();

  malt_assert (malt_worker_stop (worker, NULL, NULL));
  malt_assert_int (stub_record.exit_timeout_ms, 1234);
  malt_assert_int (stub_record.term_timeout_ms, 15000);
}

static void
missing_capabilities_are_not_supported (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (GError) kill_error = NULL;
  g_autoptr (GError) interrupt_error = NULL;
  g_autoptr (GError) channel_error = NULL;

  malt_worker_set_capabilities (worker, MALT_CAPABILITY_ISOLATED);
  malt_assert (!malt_worker_kill (worker, SIGKILL, &kill_error));
  malt_assert_error (kill_error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, &interrupt_error);
  malt_assert_error (interrupt_error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert (malt_worker_channel (worker, NULL, "c", NULL, &channel_error) == NULL);
  malt_assert_error (channel_error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
}

static void
interrupt_without_a_future_means_the_newest_call (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) first = start_call (worker, "first");
  g_autoptr (MaltFuture) second = start_call (worker, "second");
  gboolean is_pending;
  G_GNUC_UNUSED g_autoptr (MaltFuture) request =
      malt_worker_begin_request (worker, &is_pending);

  malt_assert (malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, NULL) ==
               MALT_INTERRUPT_DELIVERED);
  malt_assert (stub_record.last_interrupted_id == malt_future_get_id (second));
  malt_assert (malt_future_interrupt (first, MALT_INTERRUPT_DEFAULT, NULL, NULL) ==
               MALT_INTERRUPT_DELIVERED);
  malt_assert (stub_record.last_interrupted_id == malt_future_get_id (first));
}

/* Signals */

typedef struct
{
  GString *order;
  gboolean is_pending_done;
  MaltFuture *pending; /* (unowned) */
} Seen;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream, guint call_id,
           GBytes *bytes, gpointer user_data)
{
  Seen *seen = user_data;

  g_string_append_printf (
      seen->order, "%s%u:%.*s ", stream == MALT_STREAM_STDERR ? "err" : "out", call_id,
      (int) g_bytes_get_size (bytes), (const char *) g_bytes_get_data (bytes, NULL));
}

static void
on_exited (G_GNUC_UNUSED MaltWorker *worker, MaltTermination *termination,
           gpointer user_data)
{
  Seen *seen = user_data;

  seen->is_pending_done = malt_future_is_done (seen->pending);
  g_string_append_printf (seen->order, "exited:%d",
                          malt_termination_get_signal (termination));
}

static void
on_fetched (G_GNUC_UNUSED GObject *object, G_GNUC_UNUSED GAsyncResult *result,
            gpointer user_data)
{
  g_string_append (((Seen *) user_data)->order, "fetched ");
}

static gpointer
print_and_answer (gpointer data)
{
  MaltFuture *future = data;
  g_autoptr (MaltWorker) worker = malt_future_dup_worker (future);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hi", 2);

  malt_worker_emit_output (worker, MALT_STREAM_STDERR, 9, bytes);
  malt_worker_complete_call (worker, malt_future_get_id (future), NULL, NULL);
  stub_worker_end (worker, SIGTERM);
  return NULL;
}

static void
output_comes_before_the_answer_and_exited_last (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) future = start_call (worker, "hold");
  g_autoptr (MaltFuture) pending = start_call (worker, "hold");
  g_autoptr (GString) order = g_string_new (NULL);
  Seen seen = { order, FALSE, pending };
  gboolean was_inside;

  g_signal_connect (worker, "output", G_CALLBACK (on_output), &seen);
  g_signal_connect (worker, "exited", G_CALLBACK (on_exited), &seen);
  malt_future_fetch_async (future, NULL, on_fetched, &seen);
  g_thread_join (g_thread_new ("backend", print_and_answer, future));
  was_inside = order->len > 0;
  while (strstr (order->str, "exited") == NULL)
    g_main_context_iteration (NULL, TRUE);
  malt_assert (!was_inside);
  malt_assert_string (order->str, "err9:hi fetched exited:15");
  malt_assert (seen.is_pending_done);
}

static void
output_that_nobody_reads_is_bounded_and_keeps_no_worker (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltFuture) pending = start_call (worker, "hold");
  g_autofree char *block = g_malloc0 (BLOCK_BYTES);
  g_autoptr (GBytes) bytes = g_bytes_new_static (block, BLOCK_BYTES);
  g_autoptr (GString) order = g_string_new (NULL);
  Seen seen = { order, FALSE, pending };

  malt_worker_emit_output (worker, MALT_STREAM_STDOUT, 0, bytes);
  g_signal_connect (worker, "output", G_CALLBACK (on_output), &seen);
  for (guint i = 0; i < 100; i++)
    malt_worker_emit_output (worker, MALT_STREAM_STDOUT, 0, bytes);
  g_clear_object (&worker);
  malt_assert (stub_record.n_disposed == 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  malt_assert_string (order->str, "");
}

static void
count_output (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltStream stream,
              G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  gsize *counts = user_data;

  counts[0]++;
  counts[1] += g_bytes_get_size (bytes);
}

static void
emit_text (MaltWorker *worker, MaltStream stream, guint call_id, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  malt_worker_emit_output (worker, stream, call_id, bytes);
}

static void
waiting_output_is_joined_per_stream_and_call (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (GString) order = g_string_new (NULL);
  Seen seen = { order, FALSE, NULL };

  g_signal_connect (worker, "output", G_CALLBACK (on_output), &seen);
  emit_text (worker, MALT_STREAM_STDOUT, 1, "a");
  emit_text (worker, MALT_STREAM_STDOUT, 1, "");
  emit_text (worker, MALT_STREAM_STDOUT, 1, "b");
  emit_text (worker, MALT_STREAM_STDERR, 1, "c");
  emit_text (worker, MALT_STREAM_STDERR, 2, "d");
  emit_text (worker, MALT_STREAM_STDOUT, 1, "e");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  emit_text (worker, MALT_STREAM_STDOUT, 1, "f");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  malt_assert_string (order->str, "out1:ab err1:c err2:d out1:e out1:f ");
}

static void
waiting_output_is_bounded_by_what_it_costs (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  gsize counts[2] = { 0, 0 };

  g_signal_connect (worker, "output", G_CALLBACK (count_output), counts);
  for (guint i = 0; i < 300000; i++)
    emit_text (worker, i % 2 ? MALT_STREAM_STDERR : MALT_STREAM_STDOUT, 1, "x");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  malt_assert (counts[0] >= 100000 && counts[0] < 150000);
  for (guint i = 0; i < 300000; i++)
    emit_text (worker, MALT_STREAM_STDOUT, 1, "x");
  counts[0] = counts[1] = 0;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  malt_assert (counts[0] < 100 && counts[1] == 300000);
}

/* Handles */

static void
dropped_handles_are_released_while_the_worker_lives (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  MaltHandleHome *home = malt_handle_home_ref (malt_worker_get_handle_home (worker));

  malt_handle_home_release (home, 77);
  malt_assert (stub_record.last_released_handle == 77);
  stub_worker_end (worker, SIGKILL);
  malt_handle_home_release (home, 78);
  malt_assert (stub_record.last_released_handle == 77);
  g_clear_object (&worker);
  malt_handle_home_release (home, 79);
  malt_assert (stub_record.last_released_handle == 77);
  malt_handle_home_unref (home);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "launch_async_gives_a_running_worker", launch_async_gives_a_running_worker },
    { "failed_launch_says_why", failed_launch_says_why },
    { "launch_that_fails_without_a_reason_says_so",
      launch_that_fails_without_a_reason_says_so },
    { "ids_of_calls_differ_and_requests_are_not_counted",
      ids_of_calls_differ_and_requests_are_not_counted },
    { "call_for_a_handle_is_not_sent_where_there_are_none",
      call_for_a_handle_is_not_sent_where_there_are_none },
    { "one_shot_call_is_cancelled_with_its_cancellable",
      one_shot_call_is_cancelled_with_its_cancellable },
    { "remote_call_wait_discards_on_the_worker",
      remote_call_wait_discards_on_the_worker },
    { "many_threads_use_one_worker", many_threads_use_one_worker },
    { "end_fails_each_future_with_its_own_call",
      end_fails_each_future_with_its_own_call },
    { "everything_is_safe_on_a_worker_that_has_ended",
      everything_is_safe_on_a_worker_that_has_ended },
    { "stops_at_the_same_time_all_finish", stops_at_the_same_time_all_finish },
    { "stop_takes_its_patience_from_the_config",
      stop_takes_its_patience_from_the_config },
    { "missing_capabilities_are_not_supported", missing_capabilities_are_not_supported },
    { "interrupt_without_a_future_means_the_newest_call",
      interrupt_without_a_future_means_the_newest_call },
    { "output_comes_before_the_answer_and_exited_last",
      output_comes_before_the_answer_and_exited_last },
    { "waiting_output_is_joined_per_stream_and_call",
      waiting_output_is_joined_per_stream_and_call },
    { "waiting_output_is_bounded_by_what_it_costs",
      waiting_output_is_bounded_by_what_it_costs },
    { "output_that_nobody_reads_is_bounded_and_keeps_no_worker",
      output_that_nobody_reads_is_bounded_and_keeps_no_worker },
    { "dropped_handles_are_released_while_the_worker_lives",
      dropped_handles_are_released_while_the_worker_lives },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "worker", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
