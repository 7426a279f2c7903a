/* SPDX-License-Identifier: MIT */
/* interrupt-busy = force: code that hogs the Julia thread is interrupted. In a host of
 * its own, which this may end. */
#include "inprocess-test.h"

#include <signal.h>
#include <string.h>

static const char *const busy_sources[] = {
  "while true end",
  "let h(x) = x; while true end; end",
  "(f() = while true; sum(rand(10)); end; f())",
  "(g() = (s = 0.0; while true; s += sqrt(abs(sin(s + 1))); end); g())",
};

static volatile sig_atomic_t n_signals;

static void
on_signal (G_GNUC_UNUSED int signum)
{
  n_signals++;
}

static gboolean
is_interrupted (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltFuture) future = inprocess_test_begin (worker, source);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltInterruptResult result;

  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  value = malt_future_fetch (future, NULL, &error);
  return result == MALT_INTERRUPT_DELIVERED && value == NULL &&
         g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") == 0;
}

static int
be_host_that_forces (void)
{
  struct sigaction action = { .sa_handler = on_signal };
  struct sigaction after;
  g_autoptr (MaltWorker) worker = NULL;

  sigaction (SIGINT, &action, NULL);
  worker = inprocess_test_launch ("interrupt-busy=force");
  if (worker == NULL ||
      !(malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_INTERRUPT_BUSY))
    return 10;
  for (gsize i = 0; i < G_N_ELEMENTS (busy_sources); i++)
    if (!is_interrupted (worker, busy_sources[i]) ||
        inprocess_test_eval_int (worker, "6 * 7") != 42)
      return 20 + (int) i;
  sigaction (SIGINT, NULL, &after);
  raise (SIGINT);
  return after.sa_handler == on_signal && n_signals == 1 ? 0 : 30;
}

static void
busy_code_is_interrupted_and_the_handler_of_the_host_is_back (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("force", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static void
busy_code_goes_on_without_the_option (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltInterruptResult result;

  malt_assert (worker != NULL);
  malt_assert (
      !(malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_INTERRUPT_BUSY));
  malt_assert_int (inprocess_test_eval_int (worker, "1 + 1"), 2);
  future =
      inprocess_test_begin (worker, "let t = time(); while time() - t < 3; end; 5 end");
  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_FORCE, NULL, NULL);
  /* Where the machine is busy as well it may have ended before Julia had its time. */
  malt_assert (result == MALT_INTERRUPT_UNDELIVERABLE || result == MALT_INTERRUPT_GONE);
  value = malt_future_fetch (future, NULL, NULL);
  malt_assert (value != NULL && malt_value_get_int64 (value) == 5);
}

static void
force_needs_the_signals_of_julia (void)
{
  static const char *const options[] = { "interrupt-busy=force", "handle-signals=false",
                                         NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = inprocess_test_launch_with (options, &error);

  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
}

static const InProcessRole roles[] = {
  { "force", be_host_that_forces },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (busy_code_is_interrupted_and_the_handler_of_the_host_is_back),
  MALT_TEST (busy_code_goes_on_without_the_option),
  MALT_TEST (force_needs_the_signals_of_julia),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process force", tests, roles);
}
