/* SPDX-License-Identifier: MIT */
/* Functions of the host that run in threads of the library, where Julia runs in the same
 * process. */
#include "inprocess-test.h"

#include <string.h>

#define DEPTH 25
#define N_THREADS 8
#define N_CALLS 200

/* Calls itself through Julia, @n times; below 77 lies the ground, as it does below 0. */
static gint64
go_down (gint64 n, gpointer worker, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new ("Malt.host.go_down");
  g_autoptr (MaltValue) value = NULL;

  if (n < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the ground is reached");
      return 0;
    }
  if (n == 0)
    return 0;
  malt_call_take_argument (call, malt_value_new_int64 (n == 77 ? -1 : n - 1));
  value = malt_worker_remote_call_fetch (worker, call, NULL, error);
  return value != NULL ? malt_value_get_int64 (value) + 1 : 0;
}

static MaltWorker *
launch_with_function (const char *option)
{
  MaltWorker *worker = inprocess_test_launch (option, NULL);

  if (worker != NULL &&
      !malt_worker_export (worker, "go_down", "i64(i64)", MALT_EXPORT_DEFAULT,
                           G_CALLBACK (go_down), worker, NULL, NULL))
    g_clear_object (&worker);
  return worker;
}

static void
functions_call_each_other_to_a_depth (void)
{
  g_autoptr (MaltWorker) worker = launch_with_function (NULL);
  g_autofree char *source = g_strdup_printf ("Malt.host.go_down(%d)", DEPTH);

  malt_assert (worker != NULL);
  malt_assert_int (inprocess_test_eval_int (worker, source), DEPTH);
}

static void
workers_have_functions_of_their_own (void)
{
  g_autoptr (MaltWorker) one = launch_with_function ("module=new");
  g_autoptr (MaltWorker) other = launch_with_function ("module=new");

  malt_assert (one != NULL && other != NULL);
  malt_assert_int (inprocess_test_eval_int (one, "Malt.host.go_down(3)"), 3);
  malt_assert (malt_worker_stop (one, NULL, NULL));
  malt_assert_int (inprocess_test_eval_int (other, "Malt.host.go_down(4)"), 4);
}

static void
error_and_exception_cross_both_borders (void)
{
  g_autoptr (MaltWorker) worker = launch_with_function (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  malt_assert (worker != NULL);
  value =
      malt_worker_remote_eval_fetch (worker, NULL, "Malt.host.go_down(-1)", NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_message (error), "the ground is reached");
  g_clear_error (&error);
  malt_assert (inprocess_test_is (
      worker, "try Malt.host.go_down(79) catch e; sprint(showerror, e) end",
      "\"the ground is reached\""));
}

static gpointer
call_many (gpointer worker)
{
  gsize n_wrong = 0;

  for (int i = 0; i < N_CALLS; i++)
    {
      g_autofree char *source = g_strdup_printf ("Malt.host.go_down(%d)", i % 5);

      n_wrong += inprocess_test_eval_int (worker, source) != i % 5;
    }
  return GSIZE_TO_POINTER (n_wrong);
}

static void
functions_run_while_all_threads_of_the_host_wait (void)
{
  g_autoptr (MaltWorker) worker = launch_with_function (NULL);
  GThread *threads[N_THREADS];
  gsize n_wrong = 0;

  malt_assert (worker != NULL);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("caller", call_many, worker);
  for (int i = 0; i < N_THREADS; i++)
    n_wrong += GPOINTER_TO_SIZE (g_thread_join (threads[i]));
  malt_assert (n_wrong == 0);
}

static gint64
count_in_context (gint64 n, gpointer counter, G_GNUC_UNUSED GError **error)
{
  *(GThread **) counter = g_thread_self ();
  return n + 1;
}

static gboolean
is_done (gpointer future)
{
  return malt_future_is_done (future);
}

static void
function_runs_in_the_context_of_the_exporter (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  GThread *thread = NULL;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_export (worker, "count", "i64(i64)", MALT_EXPORT_IN_CONTEXT,
                                   G_CALLBACK (count_in_context), &thread, NULL, NULL));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.count(41)");
  malt_assert (inprocess_test_until (is_done, future, INPROCESS_DEADLINE_MS));
  malt_assert (thread == g_thread_self ());
}

static const CU_TestInfo tests[] = {
  MALT_TEST (functions_call_each_other_to_a_depth),
  MALT_TEST (workers_have_functions_of_their_own),
  MALT_TEST (error_and_exception_cross_both_borders),
  MALT_TEST (functions_run_while_all_threads_of_the_host_wait),
  MALT_TEST (function_runs_in_the_context_of_the_exporter),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process host functions", tests, NULL);
}
