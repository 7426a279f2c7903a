/* SPDX-License-Identifier: MIT */
/* Signals by number. */
#include "base/malt-signals.h"

typedef struct
{
  int number;
  const char *name;
} SignalName;

static const SignalName signal_names[] = {
  { SIGABRT, "SIGABRT" }, { SIGFPE, "SIGFPE" },   { SIGILL, "SIGILL" },
  { SIGINT, "SIGINT" },   { SIGSEGV, "SIGSEGV" }, { SIGTERM, "SIGTERM" },
  { SIGKILL, "SIGKILL" },
#ifdef SIGALRM
  { SIGALRM, "SIGALRM" }, { SIGBUS, "SIGBUS" },   { SIGHUP, "SIGHUP" },
  { SIGPIPE, "SIGPIPE" }, { SIGQUIT, "SIGQUIT" }, { SIGSYS, "SIGSYS" },
  { SIGTRAP, "SIGTRAP" }, { SIGUSR1, "SIGUSR1" }, { SIGUSR2, "SIGUSR2" },
  { SIGXCPU, "SIGXCPU" }, { SIGXFSZ, "SIGXFSZ" },
#endif
};

char *
malt_signal_dup_name (int signum)
{
  for (gsize i = 0; i < G_N_ELEMENTS (signal_names); i++)
    if (signal_names[i].number == signum)
      return g_strdup (signal_names[i].name);
  return g_strdup_printf ("signal %d", signum);
}
