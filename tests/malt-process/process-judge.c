/* SPDX-License-Identifier: MIT */
/* Interrupts that only the judge makes possible, of worker processes of any backend: of
 * busy calls that are not alone, that compile, that catch the exception, of fresh
 * workers. */
#include "process-test.h"

#include <string.h>

enum
{
  N_COMPILED = 6,
  N_TERMS = 150,
};

static gboolean
was_interrupted_with (MaltFuture *future, MaltInterruptResult expected)
{
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result =
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);

  if (error != NULL || result != expected)
    g_printerr ("\nexpected %d, got %d: %s\n", (int) expected, (int) result,
                error != NULL ? error->message : "no error");
  return error == NULL && result == expected;
}

static gpointer
interrupt_in_thread (gpointer future)
{
  return GINT_TO_POINTER (
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, NULL));
}

static void
busy_call_is_stopped_while_others_are_queued_and_cancelled (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltFuture) queued = NULL;
  g_autoptr (MaltFuture) cancelled = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  busy = process_test_start_running (worker, PROCESS_TEST_SPIN);
  queued = malt_worker_remote_eval (worker, NULL, "[2]; 2");
  cancelled = malt_worker_remote_eval (worker, NULL, "3");
  malt_future_cancel (cancelled);
  CHECK (was_interrupted_with (busy, MALT_INTERRUPT_DELIVERED));
  CHECK (malt_future_wait (busy, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (process_test_was_interrupted (busy));
  value = malt_future_fetch (queued, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == 2);
}

static void
busy_call_is_stopped_beside_one_that_waits (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) waiting = NULL;
  g_autoptr (MaltFuture) busy = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  waiting = process_test_start_running (worker, "begun(); take!(Channel{Int}(0))");
  busy = process_test_start_running (worker, PROCESS_TEST_SPIN);
  CHECK (was_interrupted_with (busy, MALT_INTERRUPT_DELIVERED));
  CHECK (malt_future_wait (busy, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (process_test_was_interrupted (busy));
  CHECK (!malt_future_is_done (waiting));
  CHECK (was_interrupted_with (waiting, MALT_INTERRUPT_DELIVERED));
}

/* The one that waits is asked for first: what is busy is ended first all the same. */
static void
both_are_stopped_the_one_that_waits_and_the_busy_one (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) waiting = NULL;
  g_autoptr (MaltFuture) busy = NULL;
  MaltInterruptResult result = MALT_INTERRUPT_IDLE;
  GThread *thread;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  waiting = process_test_start_running (worker, "begun(); run(`sleep 60`)");
  busy = process_test_start_running (worker, PROCESS_TEST_SPIN);
  thread = g_thread_new ("interrupts", interrupt_in_thread, waiting);
  g_usleep (G_USEC_PER_SEC / 2);
  CHECK (was_interrupted_with (busy, MALT_INTERRUPT_DELIVERED));
  result = (MaltInterruptResult) GPOINTER_TO_INT (g_thread_join (thread));
  CU_ASSERT_EQUAL (result, MALT_INTERRUPT_DELIVERED);
  CHECK (process_test_was_interrupted (busy));
  CHECK (process_test_was_interrupted (waiting));
}

static void
exception_that_is_caught_was_delivered (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (
      worker, "try; " PROCESS_TEST_SPIN "; catch e; e isa InterruptException; end");
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_bool (value));
}

/* The request that the judge has obeyed is read when the code waits again. */
static void
one_request_throws_once (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  for (int i = 0; i < 2; i++)
    {
      /* The first one is in the boot. */
      g_autoptr (MaltFuture) future = NULL;
      g_autoptr (MaltValue) value = NULL;
      const char *source = "try; while true end; catch; sleep(0.2); GC.gc(); 5; end";

      if (i == 1)
        g_free (process_test_eval (worker, "string([1])"));
      future = malt_worker_remote_eval (worker, NULL, source);
      g_usleep (300 * 1000);
      CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
      value = malt_future_fetch (future, NULL, &error);
      CHECK_NO_ERROR (error);
      CHECK (malt_value_get_int64 (value) == 5);
    }
}

/* Each is thrown, also into a call that has caught one before. */
static void
second_interrupt_throws_again (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (
      worker, "let spin() = (while true end); begun(); "
              "try; try; spin(); catch; spin(); end; catch; 7; end; end");
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
  CHECK (!malt_future_is_done (future));
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == 7);
}

static void
call_that_was_hit_and_sleeps_in_c_was_hit (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (
      worker,
      "begun(); try; while true end; catch; ccall(:sleep, Cint, (Cint,), 6); 5; end");
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == 5);
}

/* The module of the runtime has no name, but the function of a call's task is of it. */
#define IN_RUNTIME "let m = typeof(current_task().code).name.module; "

#define BREAK_COMPILER IN_RUNTIME "Core.eval(m, :(can_compile() = false)); end"

static void
worker_whose_compiler_an_interrupt_has_broken_ends_and_says_so (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltTermination *termination;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "[1]"));
  g_free (process_test_eval (worker, BREAK_COMPILER));
  /* It has no safepoint, so the exception is forced. */
  future = process_test_start_running (
      worker, "let spin() = (while true end); begun(); spin(); end");
  malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  value = malt_future_fetch (future, NULL, &error);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  termination = malt_error_get_termination (error);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_EXITED);
  CHECK (malt_termination_get_exit_status (termination) == 1);
  CHECK (strstr (malt_termination_get_stderr (termination),
                 "the compiler does not work any more") != NULL);
}

/* Julia ends the process when a signal is pending at the end of a task. */
static void
tasks_of_a_call_end_in_peace (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (
      worker, "let t = @async (begun(); yield(); let t = time_ns(); while time_ns() < t "
              "+ 2_000_000_000; end; end); wait(t); 9; end");
  malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (process_test_eval_int (worker, "20 + 1") == 21);
  CHECK (malt_worker_is_running (worker));
}

static void
keep_output (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltStream stream,
             G_GNUC_UNUSED guint id, GBytes *bytes, gpointer text)
{
  gsize n_bytes;
  const char *data = g_bytes_get_data (bytes, &n_bytes);

  g_string_append_len (text, data, (gssize) n_bytes);
}

/* Julia swallows what is thrown into one, and prints it. */
static void
finalizers_are_not_hit (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=signal");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_signal_connect (worker, "output", G_CALLBACK (keep_output), text);
  g_free (process_test_eval (worker, "mutable struct Busy; x; end; string(1)"));
  future = process_test_start_running (
      worker, "let make() = (finalizer(x -> (t = time_ns(); while time_ns() < t + "
              "1_500_000_000; global X = [rand(3)]; end), Busy(1)); nothing); make(); "
              "begun(); GC.gc(); GC.gc(); 7; end");
  malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (process_test_eval_int (worker, "20 + 1") == 21);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  CU_ASSERT_STRING_EQUAL (text->str, "");
}

static void
first_call_of_a_fresh_worker_is_stopped (void)
{
  /* What defines something at top level is interpreted. */
  static const char *const sources[] = { "while true end", "sleep(100)",
                                         "let g(x) = x; while true end; end",
                                         "wait(Condition())" };

  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (NULL);
      g_autoptr (MaltFuture) future = NULL;

      CHECK (worker != NULL);
      future = malt_worker_remote_eval (worker, NULL, sources[i]);
      g_usleep ((gulong) i * 20000);
      CHECK (was_interrupted_with (future, MALT_INTERRUPT_DELIVERED));
      CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
      CHECK (process_test_was_interrupted (future));
      CHECK (process_test_eval_int (worker, "20 + 1") == 21);
    }
}

/* Code that is new each time, and takes long to compile. */
static char *
make_large_code (int i)
{
  return g_strdup_printf (
      "let b = Expr(:block); for i in 1:%d; push!(b.args, :(x = sin(x) * $i + sin(x) / "
      "($i + y); y = cos(y) + cos(x))); end; push!(b.args, :(x + y)); f = "
      "eval(:(function "
      "(x, y) $b end)); Base.invokelatest(f, 1.0, 2.0); end; %d",
      N_TERMS + i, i);
}

static void
interrupts_of_compiling_code_end_no_worker (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  for (int i = 0; i < N_COMPILED; i++)
    {
      g_autofree char *source = make_large_code (i);
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);
      g_autoptr (MaltValue) value = NULL;
      g_autoptr (GError) error = NULL;

      g_usleep (20000);
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
      CHECK_NO_ERROR (error);
      value = malt_future_fetch (future, NULL, &error);
      CHECK (value != NULL ? malt_value_get_int64 (value) == i
                           : process_test_was_interrupted (future));
      CHECK (process_test_eval_int (worker, "20 + 1") == 21);
    }
}

/* A sleep in C code is not cut short, and its value is the right one. */
static void
code_that_sleeps_in_c_goes_on (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (worker,
                                       "begun(); Int(ccall(:sleep, Cint, (Cint,), 6))");
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_UNDELIVERABLE));
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == 0);
}

/* A mutex that is locked twice: code in C that nothing wakes. */
#define DEADLOCK                                                          \
  "let m = zeros(UInt64, 16), lock() = ccall(:pthread_mutex_lock, Cint, " \
  "(Ptr{UInt64},), m); lock(); begun(); lock(); end"

static void
deadlock_in_c_is_ended_only_where_unjudged_throws_are_permitted (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_survived;
  MaltInterruptResult result;

  CHECK (worker != NULL);
  is_survived = process_test_eval_int (worker, "Int(VERSION < v\"1.10-\")") == 1;
  future = process_test_start_running (worker, DEADLOCK);
  CHECK (was_interrupted_with (future, MALT_INTERRUPT_UNDELIVERABLE));
  result = malt_future_interrupt (future, MALT_INTERRUPT_UNJUDGED, NULL, &error);
  CHECK_NO_ERROR (error);
  CU_ASSERT_EQUAL (result,
                   is_survived ? MALT_INTERRUPT_DELIVERED : MALT_INTERRUPT_UNDELIVERABLE);
  CU_ASSERT (is_survived || !malt_future_is_done (future));
  if (is_survived)
    {
      CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
      CU_ASSERT (process_test_was_interrupted (future));
      CU_ASSERT_EQUAL (process_test_eval_int (worker, "20 + 1"), 21);
    }
}

const ProcessTest process_judge_tests[] = {
  { "busy_call_is_stopped_while_others_are_queued_and_cancelled",
    busy_call_is_stopped_while_others_are_queued_and_cancelled },
  { "busy_call_is_stopped_beside_one_that_waits",
    busy_call_is_stopped_beside_one_that_waits },
  { "both_are_stopped_the_one_that_waits_and_the_busy_one",
    both_are_stopped_the_one_that_waits_and_the_busy_one },
  { "exception_that_is_caught_was_delivered", exception_that_is_caught_was_delivered },
  { "one_request_throws_once", one_request_throws_once },
  { "second_interrupt_throws_again", second_interrupt_throws_again },
  { "call_that_was_hit_and_sleeps_in_c_was_hit",
    call_that_was_hit_and_sleeps_in_c_was_hit },
  { "worker_whose_compiler_an_interrupt_has_broken_ends_and_says_so",
    worker_whose_compiler_an_interrupt_has_broken_ends_and_says_so },
  { "tasks_of_a_call_end_in_peace", tasks_of_a_call_end_in_peace },
  { "finalizers_are_not_hit", finalizers_are_not_hit },
  { "first_call_of_a_fresh_worker_is_stopped", first_call_of_a_fresh_worker_is_stopped },
  { "interrupts_of_compiling_code_end_no_worker",
    interrupts_of_compiling_code_end_no_worker },
  { "code_that_sleeps_in_c_goes_on", code_that_sleeps_in_c_goes_on },
  { "deadlock_in_c_is_ended_only_where_unjudged_throws_are_permitted",
    deadlock_in_c_is_ended_only_where_unjudged_throws_are_permitted },
  { NULL, NULL },
};
