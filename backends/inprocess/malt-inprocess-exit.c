/* SPDX-License-Identifier: MIT */
/*
 * The end of the process, while Julia may be busy.
 *
 * exit() runs the destructors of libraries, of LLVM among others, while other threads go on. A Julia thread that compiles at that moment, if
 * only what an idle worker compiles ahead, would meet what is destroyed already and crash; with exit handlers of the host that take
 * time it is sure to. So a handler of ours, registered last and therefore run first, brings the Julia thread to rest:
 *
 *   asked    it is woken, and rests where it next looks for work (malt_inprocess_exit_is_near()). That is where it mostly is.
 *   forced   ASKED_MS later, it is busy: a signal makes it rest wherever it is, except inside the C library, whose locks (of malloc(), of
 *            stdio) the exiting thread will need. Then the signal is tried again.
 *   left     after N_FORCED tries it goes on: it is in a long call of the C library, and harms nobody there.
 *
 * The signal is SIGUSR2, which is Julia's own and is not blocked there. A thread that rests does so until the process ends. Where evaluated code calls
 * exit(), or in a forked child, which has no Julia thread, there is nothing to be done.
 */
#include "malt-inprocess-exit.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum
{
  ASKED_MS = 50,
  FORCED_MS = 2,
  N_FORCED = 50,
};

/* Constant once the Julia thread has called malt_inprocess_exit_watch(), but for what is remarked. */
static struct
{
  pthread_t thread;
  pid_t pid;
  void (*wake) (void);
  gint is_near; /* atomic */
  sem_t rests; /* posted when the thread rests */
  guintptr c_library[2]; /* first address and the one behind the last */
} watch;

gboolean
malt_inprocess_exit_is_near (void)
{
  return g_atomic_int_get (&watch.is_near);
}

/* Also in a signal handler. */
void
malt_inprocess_exit_rest (void)
{
  sem_post (&watch.rests);
  for (;;)
    pause ();
}

static guintptr
get_program_counter (const ucontext_t *context)
{
#if defined(__x86_64__)
  return (guintptr) context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (guintptr) context->uc_mcontext.pc;
#else
  return 0;
#endif
}

static void
on_signal (G_GNUC_UNUSED int signum, G_GNUC_UNUSED siginfo_t *info, void *context)
{
  guintptr at = get_program_counter (context);

  if (pthread_equal (pthread_self (), watch.thread) &&
      (at < watch.c_library[0] || at >= watch.c_library[1]))
    malt_inprocess_exit_rest ();
}

static gboolean
rests_within (gint64 timeout_ms)
{
  struct timespec until;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_nsec += timeout_ms * 1000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  while (sem_timedwait (&watch.rests, &until) != 0)
    if (errno != EINTR)
      return FALSE;
  return TRUE;
}

static void
force (void)
{
  struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

  sigemptyset (&action.sa_mask);
  sigaction (SIGUSR2, &action, NULL);
  for (int i = 0; i < N_FORCED; i++)
    {
      pthread_kill (watch.thread, SIGUSR2);
      if (rests_within (FORCED_MS))
        return;
    }
}

/* In the thread that exits. */
static void
on_process_exit (void)
{
  if (getpid () != watch.pid || pthread_equal (pthread_self (), watch.thread))
    return;
  g_atomic_int_set (&watch.is_near, TRUE);
  watch.wake ();
  if (!rests_within (ASKED_MS))
    force ();
}

static int
on_library (struct dl_phdr_info *info, G_GNUC_UNUSED size_t size, void *base)
{
  if (info->dlpi_addr != (guintptr) base)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD)
      watch.c_library[1] =
          MAX (watch.c_library[1],
               info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz);
  watch.c_library[0] = info->dlpi_addr;
  return 1;
}

void
malt_inprocess_exit_watch (void (*wake) (void))
{
  Dl_info info;

  watch.thread = pthread_self ();
  watch.pid = getpid ();
  watch.wake = wake;
  sem_init (&watch.rests, FALSE, 0);
  if (dladdr ((gpointer) (guintptr) malloc_usable_size, &info) != 0)
    dl_iterate_phdr (on_library, info.dli_fbase);
  atexit (on_process_exit);
}
