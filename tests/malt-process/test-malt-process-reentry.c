/* SPDX-License-Identifier: MIT */
/* Host functions of a worker process: where they run, what they may do there, and what
 * ends while they run. */
#include "process-test.h"

#include <string.h>

enum
{
  DEPTH = 25,
  N_THREADS = 8,
  N_CALLS = 60
};

/* 1 plus what the worker makes of one level less, or 0: each level is a call of the worker
 * from a host function from a call of the worker. */
static gint64
descend (gint64 level, gpointer user_data, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new ("n -> Malt.host.descend(n)");
  g_autoptr (MaltValue) value = NULL;

  if (level == 0)
    return 0;
  malt_call_take_argument (call, malt_value_new_int64 (level - 1));
  value = malt_worker_remote_call_fetch (user_data, call, NULL, error);
  return value != NULL ? 1 + malt_value_get_int64 (value) : -1;
}

static gboolean
export_with (MaltWorker *worker, const char *name, const char *signature,
             MaltExportFlags flags, GCallback function, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (malt_worker_export (worker, name, signature, flags, function, user_data, NULL,
                          &error))
    return TRUE;
  g_printerr ("\n%s: %s\n", name, error->message);
  return FALSE;
}

static void
functions_may_call_the_worker_that_calls_them_to_any_depth (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (worker != NULL);
  CHECK (export_with (worker, "descend", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (descend), worker));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt.host.descend(25)"), DEPTH);
}

static gpointer
fetch_descent (gpointer worker)
{
  return GINT_TO_POINTER ((gint) process_test_eval_int (worker, "Malt.host.descend(25)"));
}

static void
all_threads_of_the_host_may_be_blocked_meanwhile (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  GThread *threads[N_THREADS];

  CHECK (worker != NULL);
  CHECK (export_with (worker, "descend", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (descend), worker));
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("descent", fetch_descent, worker);
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt.host.descend(25)"), DEPTH);
  for (guint i = 0; i < N_THREADS; i++)
    CU_ASSERT_EQUAL (GPOINTER_TO_INT (g_thread_join (threads[i])), DEPTH);
}

/* Threads */

typedef struct
{
  gint n_running; /* atomic */
  gint n_most; /* atomic */
} Sleepers;

static void
record_running (Sleepers *sleepers, gint change)
{
  gint n = g_atomic_int_add (&sleepers->n_running, change) + change;
  gint n_most = g_atomic_int_get (&sleepers->n_most);

  while (n > n_most && !g_atomic_int_compare_and_exchange (&sleepers->n_most, n_most, n))
    n_most = g_atomic_int_get (&sleepers->n_most);
}

/* Returns only when ten calls are here. */
static gboolean
meet (gpointer user_data, G_GNUC_UNUSED GError **error)
{
  Sleepers *sleepers = user_data;
  gint64 deadline_us = g_get_monotonic_time () + (gint64) PROCESS_TEST_PATIENCE_MS * 1000;

  record_running (sleepers, 1);
  while (g_atomic_int_get (&sleepers->n_most) < 10 &&
         g_get_monotonic_time () < deadline_us)
    g_usleep (1000);
  return g_atomic_int_get (&sleepers->n_most) >= 10;
}

static void
calls_run_at_once_and_the_worker_goes_on (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  Sleepers sleepers = { 0 };
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  CHECK (export_with (worker, "meet", "bool()", MALT_EXPORT_DEFAULT, G_CALLBACK (meet),
                      &sleepers));
  future = malt_worker_remote_eval (
      worker, NULL, "all(fetch.([@async Malt.host.meet() for i in 1:10]))");
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "1 + 1"), 2);
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT (malt_value_get_bool (value));
}

static gint64
twice (gint64 number, G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return 2 * number;
}

static gint64
refuse (gint64 number, G_GNUC_UNUSED gpointer user_data, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no %d", (gint) number);
  return 0;
}

static gint64
ask_back (gint64 number, gpointer user_data, GError **error)
{
  g_autofree char *source = g_strdup_printf ("Malt.host.twice(%d) + 1", (gint) number);
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (user_data, NULL, source, NULL, error);

  return value != NULL ? malt_value_get_int64 (value) : 0;
}

static gboolean
is_right (MaltWorker *worker, gint i)
{
  static const char *const bodies[] = {
    "Malt.host.twice(i) == 2i",
    "Malt.host.ask_back(i) == 2i + 1",
    "try; Malt.host.refuse(i); catch e; e.message == \"no $i\"; end",
    "i == i",
  };
  g_autofree char *source = g_strdup_printf ("let i = %d; %s; end", i, bodies[i % 4]);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  value = malt_worker_remote_eval_fetch (worker, NULL, source, NULL, &error);
  if (value == NULL)
    g_printerr ("\n%s: %s\n", source, error->message);
  return value != NULL && malt_value_get_bool (value);
}

static gpointer
call_many (gpointer worker)
{
  gint n_right = 0;

  for (gint i = 0; i < N_CALLS; i++)
    n_right += is_right (worker, i);
  return GINT_TO_POINTER (n_right);
}

static void
many_threads_mix_calls_of_all_kinds (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  GThread *threads[N_THREADS];

  CHECK (worker != NULL);
  CHECK (export_with (worker, "twice", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (twice), NULL));
  CHECK (export_with (worker, "refuse", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (refuse), NULL));
  CHECK (export_with (worker, "ask_back", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (ask_back), worker));
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("calls", call_many, worker);
  for (guint i = 0; i < N_THREADS; i++)
    CU_ASSERT_EQUAL (GPOINTER_TO_INT (g_thread_join (threads[i])), N_CALLS);
}

/* Exporting, replacing and removing while calls run: each call gives the answer of one
 * version, or says that there is none. */
static gpointer
keep_exporting (gpointer worker)
{
  for (gint i = 0; i < 100; i++)
    {
      malt_worker_export (worker, "twice", "i64(i64)", MALT_EXPORT_DEFAULT,
                          G_CALLBACK (twice), NULL, NULL, NULL);
      if (i % 5 == 0)
        malt_worker_unexport (worker, "twice");
    }
  return NULL;
}

static void
names_may_change_while_they_are_called (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  GThread *threads[3];

  CHECK (worker != NULL);
  CHECK (export_with (worker, "twice", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (twice), NULL));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("exports", keep_exporting, worker);
  for (gint i = 0; i < 200; i++)
    {
      g_autofree char *text = process_test_eval (
          worker, "try; Malt.host.twice(4); catch e; occursin(\"exports no function "
                  "twice\", sprint(showerror, e)); end");
      CU_ASSERT (g_strcmp0 (text, "8") == 0 || g_strcmp0 (text, "true") == 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  CHECK (export_with (worker, "twice", "i64(i64)", MALT_EXPORT_DEFAULT,
                      G_CALLBACK (twice), NULL));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt.host.twice(21)"), 42);
}

/* Functions that wait until the test lets them go on. A worker may outlive the test's last
 * reference for a moment, so what its functions use is static. */

typedef struct
{
  gint has_begun; /* atomic */
  gint may_end; /* atomic */
  gint has_ended; /* atomic */
  gint n_destroyed; /* atomic */
} Gate;

static gboolean
is_set (gpointer flag)
{
  return g_atomic_int_get ((gint *) flag) != 0;
}

static gint64
pass_gate (gpointer user_data, G_GNUC_UNUSED GError **error)
{
  Gate *gate = user_data;

  g_atomic_int_set (&gate->has_begun, TRUE);
  process_test_wait (is_set, &gate->may_end, PROCESS_TEST_PATIENCE_MS);
  g_atomic_int_set (&gate->has_ended, TRUE);
  return 1;
}

static void
on_gate_destroyed (gpointer user_data)
{
  g_atomic_int_inc (&((Gate *) user_data)->n_destroyed);
}

static gboolean
export_gate (MaltWorker *worker, Gate *gate)
{
  return malt_worker_export (worker, "gate", "i64()", MALT_EXPORT_DEFAULT,
                             G_CALLBACK (pass_gate), gate, on_gate_destroyed, NULL);
}

static gint64
give_two (G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
  return 2;
}

static void
a_call_under_way_finishes_with_the_function_it_began_with (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  static Gate gate;

  CHECK (worker != NULL);
  CHECK (export_gate (worker, &gate));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.gate()");
  CHECK (process_test_wait (is_set, &gate.has_begun, PROCESS_TEST_PATIENCE_MS));
  CHECK (export_with (worker, "gate", "i64()", MALT_EXPORT_DEFAULT, G_CALLBACK (give_two),
                      NULL));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt.host.gate()"), 2);
  CU_ASSERT (malt_worker_unexport (worker, "gate"));
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.n_destroyed), 0);
  g_atomic_int_set (&gate.may_end, TRUE);
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL);
  CU_ASSERT_EQUAL (malt_value_get_int64 (value), 1);
  CU_ASSERT (process_test_wait (is_set, &gate.n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.n_destroyed), 1);
}

static void
a_worker_killed_during_a_call_does_no_harm (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  static Gate gate;

  CHECK (worker != NULL);
  CHECK (export_gate (worker, &gate));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.gate()");
  CHECK (process_test_wait (is_set, &gate.has_begun, PROCESS_TEST_PATIENCE_MS));
  malt_worker_kill (worker, 9, NULL);
  CHECK (malt_future_fetch (future, NULL, &error) == NULL);
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.has_ended), FALSE);
  g_clear_object (&worker);
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.n_destroyed), 0);
  g_atomic_int_set (&gate.may_end, TRUE);
  CU_ASSERT (process_test_wait (is_set, &gate.n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (g_atomic_int_get (&gate.has_ended));
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.n_destroyed), 1);
}

/* The function has the last reference while it runs. */
static void
the_last_reference_may_go_during_a_call (void)
{
  MaltWorker *worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  GWeakRef weak;
  static Gate gate;

  CHECK (worker != NULL);
  g_weak_ref_init (&weak, worker);
  CHECK (export_gate (worker, &gate));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.gate()");
  CHECK (process_test_wait (is_set, &gate.has_begun, PROCESS_TEST_PATIENCE_MS));
  g_object_unref (worker);
  g_atomic_int_set (&gate.may_end, TRUE);
  CU_ASSERT (process_test_wait (is_set, &gate.n_destroyed, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL) ||
             malt_future_is_done (future));
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.n_destroyed), 1);
  worker = g_weak_ref_get (&weak);
  CU_ASSERT (worker == NULL);
  g_weak_ref_clear (&weak);
}

static void
a_call_that_waits_for_the_host_is_interrupted (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  static Gate gate;
  MaltInterruptResult result;

  CHECK (worker != NULL);
  CHECK (export_gate (worker, &gate));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.gate()");
  CHECK (process_test_wait (is_set, &gate.has_begun, PROCESS_TEST_PATIENCE_MS));
  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (result, MALT_INTERRUPT_DELIVERED);
  CHECK (malt_future_fetch (future, NULL, &error) == NULL);
  CU_ASSERT_STRING_EQUAL (malt_error_get_exception_type (error), "InterruptException");
  CU_ASSERT_EQUAL (g_atomic_int_get (&gate.has_ended), FALSE);
  g_atomic_int_set (&gate.may_end, TRUE);
  CU_ASSERT (process_test_wait (is_set, &gate.has_ended, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "Malt.host.gate()"), 1);
}

/* The exporter's context */

typedef struct
{
  GThread *thread;
  gint n_calls; /* atomic */
  gint n_destroyed; /* atomic */
} Contextual;

static gboolean
is_in_its_thread (gpointer user_data, G_GNUC_UNUSED GError **error)
{
  Contextual *contextual = user_data;

  g_atomic_int_inc (&contextual->n_calls);
  return contextual->thread == g_thread_self ();
}

static void
on_contextual_destroyed (gpointer user_data)
{
  g_atomic_int_inc (&((Contextual *) user_data)->n_destroyed);
}

static gboolean
export_contextual_in (GMainContext *context, MaltWorker *worker, Contextual *contextual)
{
  gboolean is_ok;

  contextual->thread = g_thread_self ();
  g_main_context_push_thread_default (context);
  is_ok = malt_worker_export (worker, "here", "bool()", MALT_EXPORT_IN_CONTEXT,
                              G_CALLBACK (is_in_its_thread), contextual,
                              on_contextual_destroyed, NULL);
  g_main_context_pop_thread_default (context);
  return is_ok;
}

static void
on_answer (GObject *future, GAsyncResult *result, gpointer user_data)
{
  MaltValue **answer = user_data;

  *answer = malt_future_fetch_finish (MALT_FUTURE (future), result, NULL);
}

static void
functions_run_in_the_context_they_were_exported_in (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) answer = NULL;
  static Contextual contextual;

  CHECK (worker != NULL);
  g_main_context_push_thread_default (context);
  CHECK (export_contextual_in (context, worker, &contextual));
  future = malt_worker_remote_eval (
      worker, NULL, "all(fetch.([@async Malt.host.here() for i in 1:5]))");
  malt_future_fetch_async (future, NULL, on_answer, &answer);
  while (answer == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  CU_ASSERT (malt_value_get_bool (answer));
  CU_ASSERT_EQUAL (contextual.n_calls, 5);
}

static gboolean
has_something_to_run (gpointer context)
{
  return g_main_context_pending (context);
}

/* A thread that blocks does not run its context; the call can be given up. Only the
 * function is ever attached to that context, so what it has to run is the call. */
static void
a_blocked_thread_runs_no_functions_of_its_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  static Contextual contextual;

  CHECK (worker != NULL);
  CHECK (export_contextual_in (context, worker, &contextual));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.here()");
  CHECK (process_test_wait (has_something_to_run, context, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (!malt_future_wait (future, 100, NULL, NULL));
  CU_ASSERT_EQUAL (contextual.n_calls, 0);
  CU_ASSERT_EQUAL (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL),
      MALT_INTERRUPT_DELIVERED);
  CU_ASSERT_EQUAL (contextual.n_calls, 0);
  while (g_main_context_iteration (context, FALSE))
    continue;
  CU_ASSERT_EQUAL (contextual.n_calls, 1);
}

static gboolean
run_once (gpointer context)
{
  return g_main_context_iteration (context, FALSE);
}

static void
a_call_that_waits_for_its_context_keeps_no_worker (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  MaltWorker *worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  static Contextual contextual;

  CHECK (worker != NULL);
  CHECK (export_contextual_in (context, worker, &contextual));
  future = malt_worker_remote_eval (worker, NULL, "Malt.host.here()");
  CHECK (process_test_wait (has_something_to_run, context, PROCESS_TEST_PATIENCE_MS));
  g_object_unref (worker);
  /* What the context has to run now is the end of the function. */
  CU_ASSERT (process_test_wait (run_once, context, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT (malt_future_is_done (future));
  CU_ASSERT_EQUAL (contextual.n_destroyed, 1);
  while (g_main_context_iteration (context, FALSE))
    continue;
  CU_ASSERT_EQUAL (contextual.n_calls, 0);
}

static const ProcessTest tests[] = {
  { "functions_may_call_the_worker_that_calls_them_to_any_depth",
    functions_may_call_the_worker_that_calls_them_to_any_depth },
  { "all_threads_of_the_host_may_be_blocked_meanwhile",
    all_threads_of_the_host_may_be_blocked_meanwhile },
  { "calls_run_at_once_and_the_worker_goes_on",
    calls_run_at_once_and_the_worker_goes_on },
  { "many_threads_mix_calls_of_all_kinds", many_threads_mix_calls_of_all_kinds },
  { "names_may_change_while_they_are_called", names_may_change_while_they_are_called },
  { "a_call_under_way_finishes_with_the_function_it_began_with",
    a_call_under_way_finishes_with_the_function_it_began_with },
  { "a_worker_killed_during_a_call_does_no_harm",
    a_worker_killed_during_a_call_does_no_harm },
  { "the_last_reference_may_go_during_a_call", the_last_reference_may_go_during_a_call },
  { "a_call_that_waits_for_the_host_is_interrupted",
    a_call_that_waits_for_the_host_is_interrupted },
  { "functions_run_in_the_context_they_were_exported_in",
    functions_run_in_the_context_they_were_exported_in },
  { "a_blocked_thread_runs_no_functions_of_its_context",
    a_blocked_thread_runs_no_functions_of_its_context },
  { "a_call_that_waits_for_its_context_keeps_no_worker",
    a_call_that_waits_for_its_context_keeps_no_worker },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "calls from Julia", tests);
}
