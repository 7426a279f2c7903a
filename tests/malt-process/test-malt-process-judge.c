/* SPDX-License-Identifier: MIT */
/* Interrupts that only the judge makes possible: of busy calls that are not alone, that compile, that catch the exception, of fresh workers. */
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

static void
first_call_of_a_fresh_worker_is_stopped (void)
{
  static const char *const sources[] = { "while true end", "sleep(100)",
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

int
main (int argc, char **argv)
{
  static const ProcessTest tests[] = {
    { "busy_call_is_stopped_while_others_are_queued_and_cancelled",
      busy_call_is_stopped_while_others_are_queued_and_cancelled },
    { "busy_call_is_stopped_beside_one_that_waits",
      busy_call_is_stopped_beside_one_that_waits },
    { "exception_that_is_caught_was_delivered", exception_that_is_caught_was_delivered },
    { "first_call_of_a_fresh_worker_is_stopped",
      first_call_of_a_fresh_worker_is_stopped },
    { "interrupts_of_compiling_code_end_no_worker",
      interrupts_of_compiling_code_end_no_worker },
    { "code_that_sleeps_in_c_goes_on", code_that_sleeps_in_c_goes_on },
    { NULL, NULL },
  };

  return process_test_main_with_julia (argc, argv, "judge", tests);
}
