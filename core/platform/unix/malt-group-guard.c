/* SPDX-License-Identifier: MIT */
/*
 * Takes process groups along when the host dies.
 *
 * Who asks Linux for it gets a signal when something happens to a descriptor (O_ASYNC):
 * any signal (F_SETSIG), also for a whole process group (F_SETOWN of -group). So for each
 * group there is a pipe that nobody writes to, whose ends both ask for SIGKILL for that
 * group. When this process dies, the system closes one end after the other, and the end
 * that is still there tells the group. In which order does not matter.
 *
 * The pipes must not be open anywhere else, such as in a process that the host forks and
 * that outlives it. Therefore they belong to a thread, the keeper, which has a descriptor
 * table of its own: what is in it is in no other thread's, and so in no child's. The
 * keeper does nothing but open and close these pipes when asked to, and never ends.
 * (Where it cannot have a table of its own the pipes are in that of the host.)
 *
 * PR_SET_PDEATHSIG, which the children have as well, ends a child only. It may come
 * first; that does no harm, since a group is known to the system as long as it has
 * members.
 */
#include "platform/unix/malt-group-guard.h"

#ifdef __linux__
#include "platform/unix/malt-descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum
{
  CLOSE_RANGE_UNSHARE_BIT = 2, /* CLOSE_RANGE_UNSHARE, since Linux 5.9 */
  FALLBACK_MAX_FD = 65536
};

struct _MaltGroupGuard
{
  pid_t group;
  int fds[2]; /* (owned): in the keeper's table; -1: not armed */
};

/* What the keeper is asked to do; its caller waits. */
typedef struct
{
  void (*run) (MaltGroupGuard *guard);
  MaltGroupGuard *guard;
  GMutex lock; /* guards is_done */
  GCond cond;
  gboolean is_done;
} Errand;

/* In the keeper */

static void
take_own_table (void)
{
  long max_fd;

  if (syscall (SYS_close_range, 0U, ~0U, CLOSE_RANGE_UNSHARE_BIT) == 0 ||
      unshare (CLONE_FILES) != 0)
    return;
  max_fd = sysconf (_SC_OPEN_MAX);
  if (max_fd < 0 || max_fd > FALLBACK_MAX_FD)
    max_fd = FALLBACK_MAX_FD;
  for (int fd = 0; fd < max_fd; fd++)
    close (fd);
}

static void
disarm (MaltGroupGuard *guard)
{
  for (int i = 0; i < 2; i++)
    if (guard->fds[i] >= 0)
      fcntl (guard->fds[i], F_SETFL, 0);
  for (int i = 0; i < 2; i++)
    if (guard->fds[i] >= 0)
      close (guard->fds[i]);
  guard->fds[0] = guard->fds[1] = -1;
}

static void
fire (MaltGroupGuard *guard)
{
  if (guard->fds[0] >= 0)
    close (guard->fds[0]);
  guard->fds[0] = -1;
}

static void
arm (MaltGroupGuard *guard)
{
  if (!malt_descriptor_open_pipe (guard->fds, NULL))
    {
      guard->fds[0] = guard->fds[1] = -1;
      return;
    }
  for (int i = 0; i < 2; i++)
    if (fcntl (guard->fds[i], F_SETOWN, -guard->group) < 0 ||
        fcntl (guard->fds[i], F_SETSIG, SIGKILL) < 0 ||
        fcntl (guard->fds[i], F_SETFL, O_ASYNC) < 0)
      {
        disarm (guard);
        return;
      }
}

static gpointer
run_keeper (gpointer errands)
{
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, NULL);
  take_own_table ();
  for (;;)
    {
      Errand *errand = g_async_queue_pop (errands);

      errand->run (errand->guard);
      g_mutex_lock (&errand->lock);
      errand->is_done = TRUE;
      g_cond_signal (&errand->cond);
      g_mutex_unlock (&errand->lock);
    }
  return NULL;
}

/* In any thread */

/* NULL: there is no thread to be had at the moment. */
static GAsyncQueue *
get_errands (void)
{
  static GMutex lock;
  static GAsyncQueue *errands; /* guarded by lock */
  GAsyncQueue *found;
  GThread *keeper;

  g_mutex_lock (&lock);
  if (errands == NULL)
    {
      errands = g_async_queue_new ();
      keeper = g_thread_try_new ("malt-keeper", run_keeper, errands, NULL);
      if (keeper == NULL)
        g_clear_pointer (&errands, g_async_queue_unref);
      else
        g_thread_unref (keeper);
    }
  found = errands;
  g_mutex_unlock (&lock);
  return found;
}

static void
send_keeper (MaltGroupGuard *guard, void (*run) (MaltGroupGuard *guard))
{
  Errand errand = { .run = run, .guard = guard };
  GAsyncQueue *errands = get_errands ();

  if (errands == NULL)
    return;
  g_mutex_init (&errand.lock);
  g_cond_init (&errand.cond);
  g_async_queue_push (errands, &errand);
  g_mutex_lock (&errand.lock);
  while (!errand.is_done)
    g_cond_wait (&errand.cond, &errand.lock);
  g_mutex_unlock (&errand.lock);
  g_mutex_clear (&errand.lock);
  g_cond_clear (&errand.cond);
}

MaltGroupGuard *
malt_group_guard_new (gint64 group)
{
  MaltGroupGuard *guard = g_new (MaltGroupGuard, 1);

  *guard = (MaltGroupGuard){ .group = (pid_t) group, .fds = { -1, -1 } };
  send_keeper (guard, arm);
  if (guard->fds[0] < 0)
    g_clear_pointer (&guard, g_free);
  return guard;
}

void
malt_group_guard_free (MaltGroupGuard *guard)
{
  send_keeper (guard, disarm);
  g_free (guard);
}

void
malt_group_guard_fire (MaltGroupGuard *guard)
{
  send_keeper (guard, fire);
}

#else

MaltGroupGuard *
malt_group_guard_new (G_GNUC_UNUSED gint64 group)
{
  return NULL;
}

void
malt_group_guard_free (G_GNUC_UNUSED MaltGroupGuard *guard)
{
}

void
malt_group_guard_fire (G_GNUC_UNUSED MaltGroupGuard *guard)
{
}
#endif
