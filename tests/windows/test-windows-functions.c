/* SPDX-License-Identifier: MIT */
/* Functions of the host that workers on Windows call, of the backend that the argument names. */
#include "windows-test.h"

#include <string.h>

#define N_CALLS 20

static gint64
add (gint64 a, gint64 b, G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return a + b;
}

static gboolean export(MaltWorker *worker, const char *name, MaltHostFunc func,
                       gpointer user_data, MaltExportFlags flags)
{
  g_autoptr (GError) error = NULL;

  if (malt_worker_export_func (worker, name, func, user_data, NULL, flags, &error))
    return TRUE;
  MALT_TEST_FAIL ("%s: %s", name, error->message);
  return FALSE;
}

static void
arguments_and_results_are_passed (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_export (worker, "add", "i64(i64,i64)", MALT_EXPORT_DEFAULT,
                                   G_CALLBACK (add), NULL, NULL, &error));
  malt_assert_no_error (error);
  malt_assert_int (windows_test_get_int (worker, "host add 40 2", &error), 42);
  malt_assert_no_error (error);
  windows_test_get_int (worker, "host add 40 two", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
}

static void
many_calls_at_once_are_answered_each (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  MaltFuture *futures[N_CALLS];
  int n_right = 0;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_export (worker, "add", "i64(i64,i64)", MALT_EXPORT_DEFAULT,
                                   G_CALLBACK (add), NULL, NULL, NULL));
  for (int i = 0; i < N_CALLS; i++)
    {
      g_autofree char *line = g_strdup_printf ("host add 100 %d", i);

      futures[i] = malt_worker_remote_eval (worker, NULL, line);
    }
  for (int i = 0; i < N_CALLS; i++)
    {
      g_autoptr (MaltValue) value = malt_future_fetch (futures[i], NULL, NULL);

      n_right += value != NULL && malt_value_get_int64 (value) == 100 + i ? 1 : 0;
      g_object_unref (futures[i]);
    }
  malt_assert_int (n_right, N_CALLS);
}

static MaltValue *
fail (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
      G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no %s here",
               malt_value_as_string (arguments[0], NULL));
  return NULL;
}

static void
error_of_a_function_is_thrown (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (export(worker, "fail", fail, NULL, MALT_EXPORT_DEFAULT));
  windows_test_get_int (worker, "host fail gr\xc3\xbcn", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "g-io-error-quark");
  malt_assert_string (malt_error_get_exception_message (error), "no gr\xc3\xbcn here");
}

/* Calls the worker that has called it. */
static MaltValue *
call_back (MaltWorker *worker, MaltValue **arguments, G_GNUC_UNUSED gsize n_arguments,
           G_GNUC_UNUSED gpointer user_data, GError **error)
{
  g_autofree char *line =
      g_strdup_printf ("int %" G_GINT64_FORMAT, malt_value_get_int64 (arguments[0]) + 1);

  return malt_worker_remote_eval_fetch (worker, NULL, line, NULL, error);
}

static void
function_may_use_the_worker (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (export(worker, "call_back", call_back, NULL, MALT_EXPORT_DEFAULT));
  malt_assert_int (windows_test_get_int (worker, "host call_back 6", &error), 7);
  malt_assert_no_error (error);
}

static MaltValue *
note_thread (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
             G_GNUC_UNUSED gsize n_arguments, gpointer user_data,
             G_GNUC_UNUSED GError **error)
{
  *(GThread **) user_data = g_thread_self ();
  return NULL;
}

static void
function_runs_in_a_thread_or_in_the_context_of_its_host (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_auto (MaltTestAwait) await = { 0 };
  g_autoptr (MaltValue) value = NULL;
  GThread *threads[2] = { NULL, NULL };

  malt_assert (worker != NULL);
  malt_assert (
      export(worker, "elsewhere", note_thread, &threads[0], MALT_EXPORT_DEFAULT));
  malt_assert (export(worker, "here", note_thread, &threads[1], MALT_EXPORT_IN_CONTEXT));
  windows_test_get_int (worker, "host elsewhere", NULL);
  malt_assert (threads[0] != NULL && threads[0] != g_thread_self ());
  malt_worker_remote_eval_async (worker, NULL, "host here", NULL, malt_test_on_ready,
                                 malt_test_expect (&await));
  malt_test_await (&await);
  value = malt_worker_remote_eval_finish (worker, await.result, NULL);
  malt_assert (value != NULL);
  malt_assert (threads[1] == g_thread_self ());
}

static void
function_that_is_not_exported_is_an_error (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  windows_test_get_int (worker, "host nobody 1", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert (strstr (error->message, "the host exports no function nobody") != NULL);
}

static gboolean
knows (MaltWorker *worker, const char *name)
{
  g_autofree char *line = g_strconcat ("exports ", name, NULL);
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, line, NULL, NULL);

  return value != NULL && malt_value_get_bool (value);
}

static void
name_that_is_taken_back_is_gone_on_both_sides (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (export(worker, "fail", fail, NULL, MALT_EXPORT_DEFAULT));
  malt_assert (knows (worker, "fail"));
  malt_assert (malt_worker_unexport (worker, "fail"));
  malt_assert (!knows (worker, "fail"));
  windows_test_get_int (worker, "host fail x", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert (strstr (error->message, "exports no function") != NULL);
}

/* The worker dies while the function runs. */

typedef struct
{
  GAsyncQueue *begun; /* (owned) */
  GAsyncQueue *gate; /* (owned) */
  GAsyncQueue *done; /* (owned) */
} Slow;

static MaltValue *
run_slowly (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
            G_GNUC_UNUSED gsize n_arguments, gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  Slow *slow = user_data;

  g_async_queue_push (slow->begun, slow);
  g_async_queue_pop (slow->gate);
  return malt_value_new_int64 (1);
}

static void
on_let_go (gpointer user_data)
{
  Slow *slow = user_data;

  g_async_queue_push (slow->done, slow);
}

static void
worker_may_die_while_its_call_is_served (void)
{
  static Slow slow;
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  slow = (Slow){ g_async_queue_new (), g_async_queue_new (), g_async_queue_new () };
  malt_assert (worker != NULL);
  malt_assert (malt_worker_export_func (worker, "slow", run_slowly, &slow, on_let_go,
                                        MALT_EXPORT_DEFAULT, &error));
  future = malt_worker_remote_eval (worker, NULL, "host slow");
  g_async_queue_pop (slow.begun);
  malt_assert (malt_worker_kill (worker, 9, &error));
  malt_assert (malt_future_fetch (future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  g_clear_object (&worker);
  g_async_queue_push (slow.gate, &slow);
  g_async_queue_pop (slow.done);
  g_async_queue_unref (slow.begun);
  g_async_queue_unref (slow.gate);
  g_async_queue_unref (slow.done);
}

static CU_TestInfo tests[] = {
  MALT_TEST (arguments_and_results_are_passed),
  MALT_TEST (many_calls_at_once_are_answered_each),
  MALT_TEST (error_of_a_function_is_thrown),
  MALT_TEST (function_may_use_the_worker),
  MALT_TEST (function_runs_in_a_thread_or_in_the_context_of_its_host),
  MALT_TEST (function_that_is_not_exported_is_an_error),
  MALT_TEST (name_that_is_taken_back_is_gone_on_both_sides),
  MALT_TEST (worker_may_die_while_its_call_is_served),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "functions of the host on Windows", tests);
}
