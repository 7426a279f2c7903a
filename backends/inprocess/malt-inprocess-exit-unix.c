/* SPDX-License-Identifier: MIT */
/*
 * The end of the process, while Julia may be busy.
 *
 * exit() runs the destructors of libraries, of LLVM among others, while other threads go
 * on. A Julia thread that compiles at that moment, if only what an idle worker compiles
 * ahead, would meet what is destroyed already and crash; with exit handlers of the host
 * that take time it is sure to. So a handler of ours, registered last and therefore run
 * first, brings the Julia thread to rest:
 *
 *   asked    it is woken, and rests where it next looks for work
 *            (malt_inprocess_exit_is_near()). That is where it mostly is.
 *   forced   ASKED_MS later, it is busy: a signal makes it rest wherever it is, except
 *            inside the libraries whose locks the exiting thread will need: the C library
 *            (malloc(), stdio), the dynamic loader, GLib, and this one. Then the signal
 *            is tried again.
 *   left     after N_FORCED tries it goes on: it is in a long call of one of these, and
 *            harms nobody there.
 *
 * The signal is SIGUSR2, which is Julia's own and is not blocked there. A thread that
 * rests does so until the process ends. Where evaluated code calls exit(), or in a forked
 * child, which has no Julia thread, there is nothing to be done.
 */
#include "malt-inprocess-exit.h"

#include "platform/malt-platform.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

enum
{
  ASKED_MS = 50,
  FORCED_MS = 2,
  N_FORCED = 50,
  N_LIBRARIES = 4,
};

/* Where a library is in memory: its first address, and the one behind its last. */
typedef struct
{
  guintptr first;
  guintptr end;
} Library;

/* Constant once the Julia thread has called malt_inprocess_exit_watch(), but for what is
 * remarked. */
static struct
{
  pthread_t thread;
  void (*wake) (void);
  gint is_near; /* atomic */
  sem_t rests; /* posted when the thread rests */
  Library libraries[N_LIBRARIES]; /* in which it must not */
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

static gboolean
holds_no_lock_at (guintptr address)
{
  for (int i = 0; i < N_LIBRARIES; i++)
    if (address >= watch.libraries[i].first && address < watch.libraries[i].end)
      return FALSE;
  return TRUE;
}

static void
on_signal (G_GNUC_UNUSED int signum, G_GNUC_UNUSED siginfo_t *info, void *context)
{
  if (pthread_equal (pthread_self (), watch.thread) &&
      holds_no_lock_at (get_program_counter (context)))
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
  if (malt_platform_is_forked (NULL) || pthread_equal (pthread_self (), watch.thread))
    return;
  g_atomic_int_set (&watch.is_near, TRUE);
  watch.wake ();
  if (!rests_within (ASKED_MS))
    force ();
}

/* @data: a Library of which any address is known, its first one so far. */
static int
on_library (struct dl_phdr_info *info, G_GNUC_UNUSED size_t size, void *data)
{
  Library *library = data;
  Library found = { G_MAXSIZE, 0 };

  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      guintptr first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

      if (info->dlpi_phdr[i].p_type != PT_LOAD)
        continue;
      found.first = MIN (found.first, first);
      found.end = MAX (found.end, first + info->dlpi_phdr[i].p_memsz);
    }
  if (library->first < found.first || library->first >= found.end)
    return 0;
  *library = found;
  return 1;
}

static void
find_libraries (void)
{
  const guintptr inside[N_LIBRARIES] = {
    (guintptr) malloc_usable_size,
    (guintptr) getauxval (AT_BASE),
    (guintptr) g_mutex_lock,
    (guintptr) find_libraries,
  };

  for (int i = 0; i < N_LIBRARIES; i++)
    {
      watch.libraries[i].first = inside[i];
      dl_iterate_phdr (on_library, &watch.libraries[i]);
    }
}

void
malt_inprocess_exit_watch (void (*wake) (void))
{
  watch.thread = pthread_self ();
  watch.wake = wake;
  sem_init (&watch.rests, FALSE, 0);
  find_libraries ();
  atexit (on_process_exit);
}
