/* SPDX-License-Identifier: MIT */
/* Host functions of a worker process: exports that are given up, and who lets go of functions. */
#include "process-test.h"

static gint8
echo (gint8 value, G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return value;
}

static void
count (gpointer user_data)
{
  g_atomic_int_inc ((gint *) user_data);
}

/* Lifetimes. A worker may outlive the test's last reference for a moment, so counters are
 * static. */

static gboolean
is_one (gpointer counter)
{
  return g_atomic_int_get ((gint *) counter) == 1;
}

static gboolean
export_counted (MaltWorker *worker, const char *name, gint *counter, GError **error)
{
  return malt_worker_export (worker, name, "i8(i8)", MALT_EXPORT_DEFAULT,
                             G_CALLBACK (echo), counter, count, error);
}

static void
functions_are_let_go_when_replaced_removed_or_the_worker_goes (void)
{
  MaltWorker *worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  static gint counts[4];

  CHECK (worker != NULL);
  for (guint i = 0; i < 4; i++)
    CHECK (export_counted (worker, i < 2 ? "f" : i == 2 ? "g" : "h", &counts[i], &error));
  CU_ASSERT (counts[0] == 1 && counts[1] == 0);
  CU_ASSERT (malt_worker_unexport (worker, "g"));
  CU_ASSERT (counts[2] == 1 && counts[3] == 0);
  g_object_unref (worker);
  for (guint i = 0; i < 4; i++)
    CU_ASSERT (process_test_wait (is_one, &counts[i], PROCESS_TEST_PATIENCE_MS));
}

static void
functions_are_let_go_when_the_worker_ends (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  static gint n_destroyed;
  gint n_refused = 0;

  CHECK (worker != NULL);
  CHECK (export_counted (worker, "f", &n_destroyed, &error));
  malt_worker_kill (worker, 9, NULL);
  CU_ASSERT (process_test_wait (is_one, &n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CHECK (!export_counted (worker, "f", &n_refused, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CU_ASSERT_EQUAL (n_refused, 1);
  CU_ASSERT (!malt_worker_unexport (worker, "f"));
  g_clear_object (&worker);
  CU_ASSERT_EQUAL (n_destroyed, 1);
}

/* Giving up */

#define LATE_TIMEOUT_MS 100

static void
hand_over (GObject *source, GAsyncResult *result, gpointer user_data)
{
  (void) source;
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* A worker whose Julia reads nothing for longer than the tests wait for it, and after that. */
static MaltWorker *
launch_busy (MaltFuture **out_busy)
{
  MaltWorker *worker = process_test_launch (NULL);
  static gint n_others;

  if (worker != NULL && export_counted (worker, "other", &n_others, NULL))
    *out_busy = process_test_start_running (
        worker, "begun(); t = time(); while time() - t < 2; end; 5");
  return worker;
}

/* What was given up is not found when the worker has heard of it after all. */
static void
check_given_up (MaltWorker *worker, MaltFuture *busy, gint *n_destroyed)
{
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *names = NULL;

  CU_ASSERT (process_test_wait (is_one, n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (!malt_worker_unexport (worker, "late"));
  value = malt_future_fetch (busy, NULL, NULL);
  CHECK (value != NULL);
  names = process_test_eval (worker, "propertynames(Malt.host)");
  CU_ASSERT_STRING_EQUAL (names, "(:other,)");
}

static void
an_export_that_is_not_answered_in_time_is_taken_back (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GError) error = NULL;
  static gint n_destroyed;

  CHECK (busy != NULL);
  CHECK (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                   G_CALLBACK (echo), &n_destroyed, count,
                                   LATE_TIMEOUT_MS, NULL, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  CU_ASSERT_STRING_EQUAL (error->message, "no answer within 100 ms");
  check_given_up (worker, busy, &n_destroyed);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep ((gulong) LATE_TIMEOUT_MS * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
an_export_that_is_cancelled_is_taken_back (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) early_error = NULL;
  static gint n_destroyed;
  gint n_early = 0;
  GThread *thread;

  CHECK (busy != NULL);
  thread = g_thread_new ("canceller", cancel_soon, cancellable);
  CU_ASSERT (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                       G_CALLBACK (echo), &n_destroyed, count, -1,
                                       cancellable, &error));
  g_thread_join (thread);
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
  CU_ASSERT (!malt_worker_export_full (worker, "late", "i8(i8)", MALT_EXPORT_DEFAULT,
                                       G_CALLBACK (echo), &n_early, count, -1,
                                       cancellable, &early_error));
  CU_ASSERT (g_error_matches (early_error, MALT_ERROR, MALT_ERROR_CANCELLED));
  CU_ASSERT_EQUAL (n_early, 1);
  check_given_up (worker, busy, &n_destroyed);
}

static gboolean
export_in_loop (MaltWorker *worker, const char *name, gint *counter, gint64 timeout_ms,
                GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  malt_worker_export_async (worker, name, "i8(i8)", MALT_EXPORT_DEFAULT,
                            G_CALLBACK (echo), counter, count, timeout_ms, NULL,
                            hand_over, &result);
  CU_ASSERT (result == NULL);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return malt_worker_export_finish (worker, result, error);
}

static void
exports_need_not_block (void)
{
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltWorker) worker = launch_busy (&busy);
  g_autoptr (GError) error = NULL;
  static gint n_late;
  static gint n_good;

  CHECK (busy != NULL);
  CU_ASSERT (!export_in_loop (worker, "late", &n_late, LATE_TIMEOUT_MS, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  check_given_up (worker, busy, &n_late);
  CU_ASSERT (export_in_loop (worker, "good", &n_good, -1, NULL));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Int(Malt.host.good(4))"), 4);
  CU_ASSERT_EQUAL (n_good, 0);
}

/* The thread of the last call of note_thread(). */
static GThread *destroyer; /* (unowned) (nullable) (atomic) */

static void
note_thread (G_GNUC_UNUSED gpointer user_data)
{
  g_atomic_pointer_set (&destroyer, g_thread_self ());
}

static const MaltExportFlags ways_to_end[] = { MALT_EXPORT_IN_CONTEXT,
                                               MALT_EXPORT_DESTROY_IN_CONTEXT };

static gboolean
export_here (MaltWorker *worker, MaltExportFlags flags)
{
  destroyer = NULL;
  return worker != NULL &&
         malt_worker_export (worker, "here", "i8(i8)", flags, G_CALLBACK (echo),
                             &destroyer, note_thread, NULL);
}

/* A function of a context of its own, whose worker has ended. */
static GMainContext *
make_orphan (MaltExportFlags flags)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  g_main_context_push_thread_default (context);
  CU_ASSERT (export_here (worker, flags));
  g_main_context_pop_thread_default (context);
  if (worker != NULL)
    CU_ASSERT (malt_worker_stop (worker, NULL, NULL));
  return context;
}

static gboolean
is_pending (gpointer context)
{
  return g_main_context_pending (context);
}

static void
a_function_of_a_context_is_let_go_there (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways_to_end); i++)
    {
      g_autoptr (GMainContext) context = make_orphan (ways_to_end[i]);

      CHECK (process_test_wait (is_pending, context, PROCESS_TEST_PATIENCE_MS));
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
      while (g_main_context_iteration (context, FALSE))
        continue;
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
    }
}

static void
a_function_of_a_context_that_is_freed_is_let_go (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ways_to_end); i++)
    {
      GMainContext *context = make_orphan (ways_to_end[i]);

      CHECK (process_test_wait (is_pending, context, PROCESS_TEST_PATIENCE_MS));
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
      g_main_context_unref (context);
      CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
    }
}

static void
a_function_that_ends_in_its_context_runs_elsewhere (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (export_here (worker, MALT_EXPORT_DESTROY_IN_CONTEXT));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Int(Malt.host.here(4))"), 4);
  CU_ASSERT (g_atomic_pointer_get (&destroyer) == NULL);
  CU_ASSERT (malt_worker_unexport (worker, "here"));
  CU_ASSERT (g_atomic_pointer_get (&destroyer) == g_thread_self ());
}

static const ProcessTest tests[] = {
  PROCESS_TEST (functions_are_let_go_when_replaced_removed_or_the_worker_goes),
  PROCESS_TEST (functions_are_let_go_when_the_worker_ends),
  PROCESS_TEST (an_export_that_is_not_answered_in_time_is_taken_back),
  PROCESS_TEST (an_export_that_is_cancelled_is_taken_back),
  PROCESS_TEST (exports_need_not_block),
  PROCESS_TEST (a_function_of_a_context_is_let_go_there),
  PROCESS_TEST (a_function_of_a_context_that_is_freed_is_let_go),
  PROCESS_TEST (a_function_that_ends_in_its_context_runs_elsewhere),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "ends of exported functions", tests);
}
