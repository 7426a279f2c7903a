/* SPDX-License-Identifier: MIT */
/* How hosts end: by leaving main() whatever Julia does, and by what evaluated code may do
 * to them. And what does not end them. */
#include "inprocess-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Much less than anything that Julia is occupied with would take. */
#define EXIT_LIMIT_US (G_GINT64_CONSTANT (10) * 1000 * 1000)
#define SLOW_EXIT_US ((gulong) G_USEC_PER_SEC)

/* main() returns while Julia does something */

static const struct
{
  const char *name;
  const char *source; /* (nullable): nothing */
} occupations[] = {
  { "nothing", NULL },
  { "sleeping", "sleep(600)" },
  { "waiting for ever", "wait(Condition())" },
  { "a tight loop", "while true; end" },
  { "a loop that allocates", "while true; zeros(1000); end" },
  { "compiling",
    "for i in 1:100000; f = eval(:(x -> $(Expr(:call, :+, [:(x^$j + sin(x)) for j in "
    "1:200]...)))); Base.invokelatest(f, 1.0); end" },
  { "printing", "while true; println(devnull, 1); end" },
  { "running a program",
    "run(pipeline(`sleep 30`, stdout = devnull, stderr = devnull))" },
  { "many tasks that sleep", "@sync for i in 1:100; @async sleep(600); end" },
};

/* Registered before Julia is loaded, and so run after libraries of Julia's have been destroyed. */
static void
exit_slowly (void)
{
  g_usleep (SLOW_EXIT_US);
}

static int
be_host_that_leaves (void)
{
  const char *source = occupations[atoi (g_getenv ("OCCUPATION"))].source;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltFuture) future = NULL;

  if (g_getenv ("SLOW") != NULL)
    atexit (exit_slowly);
  worker = inprocess_test_launch (NULL);
  if (worker == NULL || inprocess_test_eval_int (worker, "1 + 1") != 2)
    return 1;
  if (source != NULL)
    {
      future = inprocess_test_begin (worker, source);
      malt_future_wait (future, 300, NULL, NULL);
      if (malt_future_is_done (future))
        return 2;
    }
  if (g_getenv ("KEEP") != NULL)
    {
      g_steal_pointer (&worker);
      g_steal_pointer (&future);
    }
  g_print ("%" G_GINT64_FORMAT "\n", g_get_monotonic_time ());
  return 0;
}

static void
check_leaving (guint occupation, const char *way)
{
  g_autofree char *variable = g_strdup_printf ("OCCUPATION=%u", occupation);
  g_autoptr (InProcessHost) host = inprocess_test_host ("leave", variable, way, NULL);
  gint64 left_us;

  malt_assert (inprocess_host_exited (host, 0));
  malt_assert_string (host->errors, "");
  left_us = g_ascii_strtoll (host->output, NULL, 10);
  if (host->ended_us - left_us > EXIT_LIMIT_US)
    MALT_TEST_FAIL ("while it was %s, the host took %" G_GINT64_FORMAT " us to end",
                    occupations[occupation].name, host->ended_us - left_us);
}

static void
host_that_leaves_main_ends_whatever_julia_does (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (occupations); i++)
    {
      check_leaving (i, "KEEP=1");
      check_leaving (i, NULL);
      check_leaving (i, "SLOW=1");
    }
}

/* A process that the host forks has no Julia */

enum
{
  FORK_STATUS = 7,
  FORK_LIFE_S = 20
};

typedef struct
{
  MaltWorker *worker;
  MaltNative *native;
  int status; /* of the fork; -1: not yet known */
} Fork;

/* What a Julia thread would be asked for, or would run at once if this were it. */
static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

static void
be_fork (Fork *self)
{
  g_autoptr (GError) call_error = NULL;
  g_autoptr (GError) errand_error = NULL;
  gint64 result;
  gboolean is_done;

  alarm (FORK_LIFE_S);
  is_done =
      malt_native_call (self->native, &result, NULL, &call_error) ||
      malt_worker_invoke_on_julia_thread (self->worker, do_nothing, NULL, &errand_error);
  exit (!is_done && g_error_matches (call_error, MALT_ERROR, MALT_ERROR_FORKED) &&
                g_error_matches (errand_error, MALT_ERROR, MALT_ERROR_FORKED)
            ? FORK_STATUS
            : 1);
}

static void
run_fork (gpointer data)
{
  Fork *self = data;
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    be_fork (self);
  if (waitpid (pid, &status, 0) == pid && WIFEXITED (status))
    self->status = WEXITSTATUS (status);
}

/* Forks while Julia does something, in another thread and in Julia's own; the atexit hook
 * of Julia's would say so. */
static int
be_host_that_forks (void)
{
  const char *source = occupations[atoi (g_getenv ("OCCUPATION"))].source;
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  Fork self = { .worker = worker, .status = -1 };

  if (worker == NULL ||
      inprocess_test_eval_int (worker,
                               "atexit(() -> ccall(:_exit, Cvoid, (Cint,), 9)); 2") != 2)
    return 1;
  self.native = malt_native_new (worker, "() -> 5", "i64()", NULL, NULL);
  if (self.native == NULL ||
      !malt_worker_invoke_on_julia_thread (worker, run_fork, &self, NULL) ||
      self.status != FORK_STATUS)
    return 2;
  future = source != NULL ? inprocess_test_begin (worker, source) : NULL;
  self.status = -1;
  run_fork (&self);
  malt_native_unref (self.native);
  return self.status == FORK_STATUS ? 0 : 3;
}

static void
process_that_the_host_forks_ends_whatever_julia_does (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (occupations); i += 5)
    {
      g_autofree char *variable = g_strdup_printf ("OCCUPATION=%u", i);
      g_autoptr (InProcessHost) host = inprocess_test_host ("fork", variable, NULL);

      malt_assert (inprocess_host_exited (host, 0));
      malt_assert_string (host->errors, "");
    }
}

/* What evaluated code does to the host */

static int
be_host_of_the_code (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  if (worker == NULL || inprocess_test_eval_int (worker, "1 + 1") != 2)
    return 1;
  g_free (inprocess_test_eval (worker, g_getenv ("CODE")));
  return 2;
}

static void
exit_in_evaluated_code_ends_the_host_with_its_status (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("code", "CODE=exit(3)", NULL);
  g_autoptr (InProcessHost) task = inprocess_test_host (
      "code", "CODE=println(\"before\"); @async exit(4); sleep(60)", NULL);

  malt_assert (inprocess_host_exited (host, 3));
  malt_assert (inprocess_host_exited (task, 4));
  malt_assert_string (task->output, "before\n");
}

/* As a worker of malt-process it would only end itself. That is what capability ISOLATED
 * is about. */
static void
abort_in_evaluated_code_ends_the_host (void)
{
  g_autoptr (InProcessHost) host =
      inprocess_test_host ("code", "CODE=ccall(:abort, Cvoid, ())", NULL);

  malt_assert (inprocess_host_was_ended_by (host, SIGABRT));
}

/* What does not end it */

static gboolean
throws (MaltWorker *worker, const char *source, const char *exception_type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, source, NULL, &error);
  const char *seen = value == NULL ? malt_error_get_exception_type (error) : "a value";

  if (g_strcmp0 (seen, exception_type) == 0)
    return TRUE;
  g_printerr ("\n      %s: %s expected; seen: %s\n", source, exception_type,
              seen != NULL ? seen : error->message);
  return FALSE;
}

static void
faults_that_julia_survives_are_exceptions (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  for (int i = 0; i < 3; i++)
    {
      malt_assert (throws (worker, "deeper(n) = 1 + deeper(n + 1); deeper(0)",
                           "StackOverflowError"));
      malt_assert (throws (worker, "Vector{Int}(undef, 2^58)", "OutOfMemoryError"));
      malt_assert (throws (worker, "zeros(2^28, 2^28)", "OutOfMemoryError"));
      malt_assert (throws (worker, "1 ÷ 0", "DivideError"));
      malt_assert (throws (
          worker,
          "using Mmap; p = tempname(); write(p, zeros(UInt8, 4096)); m = open(io -> "
          "Mmap.mmap(io, Vector{UInt8}), p); rm(p); m[1] = 0x01",
          "ReadOnlyMemoryError"));
      malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
    }
}

static void
deep_recursion_of_a_task_is_an_exception (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  malt_assert (throws (worker,
                       "down(n) = 1 + down(n + 1); try; fetch(@async down(0)); catch e; "
                       "throw(e isa TaskFailedException ? e.task.exception : e); end",
                       "StackOverflowError"));
  malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
}

/* Interrupts */

enum
{
  N_SLEEPERS = 5,
  MEANT = 2,
};

static void
waiting_call_is_hit_and_no_other (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (GPtrArray) sleepers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  malt_assert (worker != NULL);
  for (int i = 0; i < N_SLEEPERS; i++)
    g_ptr_array_add (
        sleepers, malt_worker_remote_eval (worker, NULL,
                                           i == MEANT ? "sleep(600); 7" : "sleep(1); 7"));
  malt_assert_int (
      malt_future_interrupt (sleepers->pdata[MEANT], MALT_INTERRUPT_DEFAULT, NULL, NULL),
      MALT_INTERRUPT_DELIVERED);
  value = malt_future_fetch (sleepers->pdata[MEANT], NULL, &error);
  malt_assert (value == NULL);
  malt_assert_string (malt_error_get_exception_type (error), "InterruptException");
  for (int i = 0; i < N_SLEEPERS; i++)
    {
      g_autoptr (MaltValue) other =
          i == MEANT ? NULL : malt_future_fetch (sleepers->pdata[i], NULL, NULL);

      malt_assert (i == MEANT || (other != NULL && malt_value_get_int64 (other) == 7));
    }
}

static void
call_that_hogs_the_processor_is_undeliverable_and_goes_on (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;

  malt_assert (worker != NULL);
  future = inprocess_test_begin (worker, "t = time(); while time() - t < 5; end; 7");
  malt_assert_int (malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, NULL),
                   MALT_INTERRUPT_UNDELIVERABLE);
  malt_assert (!malt_future_is_done (future));
  value = malt_future_fetch (future, NULL, NULL);
  malt_assert (value != NULL);
  malt_assert_int (malt_value_get_int64 (value), 7);
  malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
}

static void
call_that_has_not_begun_is_interrupted (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) busy = NULL;
  g_autoptr (MaltFuture) queued = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;

  malt_assert (worker != NULL);
  malt_assert_int (inprocess_test_eval_int (worker, "began = false; 0"), 0);
  busy = malt_worker_remote_eval (worker, NULL,
                                  "t = time(); while time() - t < 0.6; end; 7");
  queued = malt_worker_remote_eval (worker, NULL, "global began = true; sleep(600)");
  result = malt_future_interrupt (queued, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  malt_assert (result == MALT_INTERRUPT_DELIVERED ||
               result == MALT_INTERRUPT_UNDELIVERABLE);
  if (result == MALT_INTERRUPT_DELIVERED)
    {
      value = malt_future_fetch (queued, NULL, &error);
      malt_assert (value == NULL);
    }
  value = malt_future_fetch (busy, NULL, NULL);
  malt_assert (value != NULL);
  malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
  if (result == MALT_INTERRUPT_UNDELIVERABLE)
    malt_assert_int (malt_future_interrupt (queued, MALT_INTERRUPT_DEFAULT, NULL, NULL),
                     MALT_INTERRUPT_DELIVERED);
}

static const InProcessRole roles[] = {
  { "leave", be_host_that_leaves },
  { "fork", be_host_that_forks },
  { "code", be_host_of_the_code },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (host_that_leaves_main_ends_whatever_julia_does),
  MALT_TEST (process_that_the_host_forks_ends_whatever_julia_does),
  MALT_TEST (exit_in_evaluated_code_ends_the_host_with_its_status),
  MALT_TEST (abort_in_evaluated_code_ends_the_host),
  MALT_TEST (faults_that_julia_survives_are_exceptions),
  MALT_TEST (deep_recursion_of_a_task_is_an_exception),
  MALT_TEST (waiting_call_is_hit_and_no_other),
  MALT_TEST (call_that_hogs_the_processor_is_undeliverable_and_goes_on),
  MALT_TEST (call_that_has_not_begun_is_interrupted),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process ends", tests, roles);
}
