/* SPDX-License-Identifier: MIT */
/*
 * Julia takes SIGSEGV, SIGBUS, SIGFPE and SIGUSR2 for good: it needs them for stack
 * overflows, read-only memory, divisions and its threads. What it does to SIGINT,
 * SIGTRAP, SIGUSR1, SIGABRT, SIGILL and SIGSYS is undone, so that the host's handlers and
 * Ctrl-C work as before. SIGPIPE stays ignored. In the Julia thread itself all other
 * signals are blocked: handlers of the host run in threads of the host.
 *
 * While libjulia is loaded, that of Julia 1.9 to 1.13 starts a process, waits for it, and
 * ends the program if it cannot (cli/loader_lib.c, libstdcxxprobe). So SIGCHLD is not
 * ignored for the moment in a host that ignores it.
 */
#include "malt-inprocess-signals.h"

#include <signal.h>

static const int restored_signals[] = {
  SIGINT, SIGTRAP, SIGUSR1, SIGABRT, SIGILL, SIGSYS
};

/* Those that a thread cannot leave to others. */
static const int own_signals[] = { SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                   SIGTRAP, SIGABRT, SIGSYS, SIGUSR2 };

/* Julia is initialised once. */
static struct sigaction before[G_N_ELEMENTS (restored_signals)];

static struct sigaction before_load;

void
malt_inprocess_signals_before_load (void)
{
  struct sigaction action = { .sa_handler = SIG_DFL };

  sigemptyset (&action.sa_mask);
  sigaction (SIGCHLD, NULL, &before_load);
  if ((before_load.sa_flags & SA_NOCLDWAIT) != 0 || before_load.sa_handler == SIG_IGN)
    sigaction (SIGCHLD, &action, NULL);
}

void
malt_inprocess_signals_after_load (void)
{
  sigaction (SIGCHLD, &before_load, NULL);
}

void
malt_inprocess_signals_before_init (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (restored_signals); i++)
    sigaction (restored_signals[i], NULL, &before[i]);
}

void
malt_inprocess_signals_after_init (void)
{
  sigset_t set;

  for (gsize i = 0; i < G_N_ELEMENTS (restored_signals); i++)
    sigaction (restored_signals[i], &before[i], NULL);
  sigfillset (&set);
  for (gsize i = 0; i < G_N_ELEMENTS (own_signals); i++)
    sigdelset (&set, own_signals[i]);
  pthread_sigmask (SIG_SETMASK, &set, NULL);
}
