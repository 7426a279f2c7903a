/* SPDX-License-Identifier: MIT */
/* The host's signals stay the host's. Each test is a host of its own, because Julia is
 * loaded once only. */
#include "inprocess-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPIN "t = time(); while time() - t < 4; end; 7"

static const int kept_signals[] = {
  SIGINT, SIGTERM, SIGHUP,  SIGTRAP, SIGUSR1, SIGABRT,
  SIGILL, SIGSYS,  SIGQUIT, SIGCHLD, SIGALRM, SIGWINCH
};

static volatile sig_atomic_t n_caught;
static volatile sig_atomic_t is_caught_by_host;
static pthread_t julia_free_thread; /* of main(), which is no thread of Julia's */

static void
on_signal (G_GNUC_UNUSED int signum)
{
  n_caught++;
  is_caught_by_host = pthread_equal (pthread_self (), julia_free_thread);
}

static void
catch_signal (int signum)
{
  struct sigaction action = { .sa_handler = on_signal };

  julia_free_thread = pthread_self ();
  sigemptyset (&action.sa_mask);
  sigaction (signum, &action, NULL);
}

/* The C library sets a flag of its own (SA_RESTORER) in whatever goes through its hands. */
#define OUR_FLAGS                                                               \
  (SA_SIGINFO | SA_NODEFER | SA_NOCLDSTOP | SA_NOCLDWAIT | (int) SA_RESETHAND | \
   SA_RESTART | SA_ONSTACK)

static gboolean
are_same (const struct sigaction *a, const struct sigaction *b)
{
  if ((a->sa_flags & OUR_FLAGS) != (b->sa_flags & OUR_FLAGS))
    return FALSE;
  if ((a->sa_flags & SA_SIGINFO) != 0)
    return a->sa_sigaction == b->sa_sigaction;
  return a->sa_handler == b->sa_handler;
}

static gboolean
are_same_masks (const sigset_t *a, const sigset_t *b)
{
  for (int signum = 1; signum < NSIG; signum++)
    if (sigismember (a, signum) != sigismember (b, signum))
      return FALSE;
  return TRUE;
}

/* Dispositions before and after */

static int
compare_dispositions (void)
{
  struct sigaction before[G_N_ELEMENTS (kept_signals)];
  struct sigaction after[G_N_ELEMENTS (kept_signals)];
  sigset_t mask_before;
  sigset_t mask_after;
  g_autoptr (MaltWorker) worker = NULL;
  int n_changed = 0;

  pthread_sigmask (SIG_BLOCK, NULL, &mask_before);
  for (gsize i = 0; i < G_N_ELEMENTS (kept_signals); i++)
    sigaction (kept_signals[i], NULL, &before[i]);
  worker = inprocess_test_launch (NULL);
  if (worker == NULL || inprocess_test_eval_int (worker, "GC.gc(); 1 + 1") != 2)
    return 100;
  pthread_sigmask (SIG_BLOCK, NULL, &mask_after);
  for (gsize i = 0; i < G_N_ELEMENTS (kept_signals); i++)
    {
      sigaction (kept_signals[i], NULL, &after[i]);
      if (are_same (&before[i], &after[i]))
        continue;
      g_printerr ("signal %d is handled in another way\n", kept_signals[i]);
      n_changed++;
    }
  return n_changed + (are_same_masks (&mask_before, &mask_after) ? 0 : 50);
}

static int
be_host_with_handlers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept_signals); i++)
    catch_signal (kept_signals[i]);
  return compare_dispositions ();
}

static int
be_host_that_ignores (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept_signals); i++)
    signal (kept_signals[i], SIG_IGN);
  return compare_dispositions ();
}

/* Signals while Julia idles, and while it is busy */

static gboolean
has_caught (gpointer n)
{
  return n_caught >= GPOINTER_TO_INT (n);
}

static gboolean
is_caught (int n)
{
  return inprocess_test_until (has_caught, GINT_TO_POINTER (n), INPROCESS_DEADLINE_MS) &&
         is_caught_by_host;
}

/* Exit status 0: all as it must be. Else the step that was not. */
static int
catch_while_busy_and_idle (int signum)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;

  catch_signal (signum);
  worker = inprocess_test_launch (NULL);
  if (worker == NULL || inprocess_test_eval_int (worker, "1 + 1") != 2)
    return 1;
  raise (signum);
  if (!is_caught (1))
    return 2;
  kill (getpid (), signum);
  if (!is_caught (2))
    return 3;
  future = inprocess_test_begin (worker, SPIN);
  kill (getpid (), signum);
  if (!is_caught (3) || malt_future_is_done (future))
    return 4;
  value = malt_future_fetch (future, NULL, NULL);
  if (value == NULL || inprocess_test_eval_int (worker, "2 + 2") != 4)
    return 5;
  return n_caught == 3 ? 0 : 6;
}

static int
be_host_that_catches_sigint (void)
{
  return catch_while_busy_and_idle (SIGINT);
}

static int
be_host_that_catches_sigterm (void)
{
  return catch_while_busy_and_idle (SIGTERM);
}

static int
be_host_that_catches_sigusr1 (void)
{
  return catch_while_busy_and_idle (SIGUSR1);
}

/* The environment says which signal comes, and whether Julia is busy then. */
static int
be_host_that_is_ended (void)
{
  int signum = atoi (g_getenv ("SIGNUM"));
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;

  if (worker == NULL || inprocess_test_eval_int (worker, "1 + 1") != 2)
    return 1;
  if (g_getenv ("BUSY") != NULL)
    future = inprocess_test_begin (worker, "while true; end");
  kill (getpid (), signum);
  pause ();
  return 2;
}

static int
be_host_that_keeps_a_pipe (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  int ends[2];

  if (worker == NULL || pipe (ends) != 0)
    return 1;
  close (ends[0]);
  return write (ends[1], "x", 1) == -1 ? 0 : 2;
}

/* Tests */

static void
check_role (const char *role)
{
  g_autoptr (InProcessHost) host = inprocess_test_host (role, NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static void
dispositions_are_the_same_after_a_launch (void)
{
  check_role ("defaults");
  check_role ("handlers");
  check_role ("ignores");
}

static void
handlers_of_the_host_run_in_its_own_threads (void)
{
  check_role ("catch-sigint");
  check_role ("catch-sigterm");
  check_role ("catch-sigusr1");
}

static void
default_dispositions_end_the_host (void)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGQUIT };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_autofree char *variable = g_strdup_printf ("SIGNUM=%d", signals[i]);
      g_autoptr (InProcessHost) idle = inprocess_test_host ("ended", variable, NULL);
      g_autoptr (InProcessHost) busy =
          inprocess_test_host ("ended", variable, "BUSY=1", NULL);

      malt_assert (inprocess_host_was_ended_by (idle, signals[i]));
      malt_assert (inprocess_host_was_ended_by (busy, signals[i]));
    }
}

static void
broken_pipes_are_errors_and_do_not_end_the_host (void)
{
  check_role ("pipe");
}

static const InProcessRole roles[] = {
  { "defaults", compare_dispositions },
  { "handlers", be_host_with_handlers },
  { "ignores", be_host_that_ignores },
  { "catch-sigint", be_host_that_catches_sigint },
  { "catch-sigterm", be_host_that_catches_sigterm },
  { "catch-sigusr1", be_host_that_catches_sigusr1 },
  { "ended", be_host_that_is_ended },
  { "pipe", be_host_that_keeps_a_pipe },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (dispositions_are_the_same_after_a_launch),
  MALT_TEST (handlers_of_the_host_run_in_its_own_threads),
  MALT_TEST (default_dispositions_end_the_host),
  MALT_TEST (broken_pipes_are_errors_and_do_not_end_the_host),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process signals", tests, roles);
}
