/* SPDX-License-Identifier: MIT */
/*
 * Makes child processes, from one thread that lives as long as the process.
 *
 * Why one thread: Linux sends a child its parent-death signal when the *thread* that made
 * it ends, and the threads of a host come and go.
 *
 * How: on Linux with clone(CLONE_VM | CLONE_VFORK), as posix_spawn() does. The child
 * borrows the host's memory until it becomes another program, so a host of many gigabytes
 * pays nothing; the spawner thread stands still meanwhile, the others run on. The price
 * is that the child may call only async-signal-safe functions and allocate nothing:
 * everything is made before, in MaltSpawnPlan. All signals are blocked in the spawner
 * thread, hence in the child until it has set every disposition to the default: no
 * handler of the host can run in the borrowed memory. Elsewhere it is vfork().
 *
 * Since the child borrows the memory, it writes into the plan what it fails at, and has
 * either done so or become the other program when the spawner thread goes on. Nothing is
 * read and nothing is waited for: a pipe that closes on exec would stay open in a process
 * that the host forks meanwhile.
 *
 * Threads: callers put a SpawnJob into the queue and wait for it. The queue and the
 * thread are made once and never end.
 */
#include "platform/unix/malt-process-spawner.h"

#include "platform/unix/malt-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum
{
  CHILD_STACK_BYTES = 128 * 1024,
  FIRST_FOREIGN_FD = MALT_SPAWN_N_STREAMS,
  FALLBACK_MAX_FD = 65536, /* where close_range() is missing */
  CLOSE_RANGE_CLOEXEC_BIT = 4 /* CLOSE_RANGE_CLOEXEC */
};

typedef struct
{
  MaltSpawnPlan *plan; /* (unowned) */
  pid_t pid;
  int pidfd;
  GMutex lock; /* guards is_done */
  GCond cond;
  gboolean is_done;
} SpawnJob;

/* In the child. Borrowed memory: no allocation, no locks, no sanitizer. */

#define IN_CHILD __attribute__ ((no_sanitize_address, noinline))

IN_CHILD static void
child_fail (MaltSpawnPlan *plan, MaltSpawnStep step)
{
  plan->report = (MaltSpawnReport){ step, errno };
  _exit (127);
}

IN_CHILD static void
child_reset_signals (gboolean may_ignore)
{
  struct sigaction action;
  struct sigaction current;
  action.sa_handler = SIG_DFL;
  action.sa_flags = 0;
  sigemptyset (&action.sa_mask);
  for (int signum = 1; signum < NSIG; signum++)
    if (!may_ignore || sigaction (signum, NULL, &current) != 0 ||
        current.sa_handler != SIG_IGN)
      sigaction (signum, &action, NULL);
}

/* Marks everything of the host's that is not close-on-exec. */
IN_CHILD static void
child_close_foreign (void)
{
#ifdef __linux__
  if (syscall (SYS_close_range, FIRST_FOREIGN_FD, ~0U, CLOSE_RANGE_CLOEXEC_BIT) == 0)
    return;
#endif
  long max_fd = sysconf (_SC_OPEN_MAX);
  if (max_fd < 0 || max_fd > FALLBACK_MAX_FD)
    max_fd = FALLBACK_MAX_FD;
  for (int fd = FIRST_FOREIGN_FD; fd < max_fd; fd++)
    fcntl (fd, F_SETFD, FD_CLOEXEC);
}

IN_CHILD static void
child_place_descriptors (MaltSpawnPlan *plan)
{
  if (!plan->has_hosts_descriptors)
    child_close_foreign ();
  for (int target = 0; target < MALT_SPAWN_N_STREAMS; target++)
    if (plan->fds[target] >= 0 && dup2 (plan->fds[target], target) < 0)
      child_fail (plan, MALT_SPAWN_STEP_DESCRIPTORS);
  for (int i = 0; i < MALT_CHILD_MAX_GIVEN; i++)
    if (plan->given[i] > 0 && fcntl (plan->given[i], F_SETFD, 0) < 0)
      child_fail (plan, MALT_SPAWN_STEP_DESCRIPTORS);
}

IN_CHILD static int
child_main (void *data)
{
  MaltSpawnPlan *plan = data;
  sigset_t none;

  child_reset_signals (!plan->is_group_leader);
#ifdef __linux__
  /* The host may have died before the signal was asked for. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != plan->host_pid)
    child_fail (plan, MALT_SPAWN_STEP_ORPHANED);
#endif
  if (plan->is_group_leader && setpgid (0, 0) < 0)
    child_fail (plan, MALT_SPAWN_STEP_GROUP);
  child_place_descriptors (plan);
  if (plan->cwd != NULL && chdir (plan->cwd) < 0)
    child_fail (plan, MALT_SPAWN_STEP_CWD);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, plan->is_group_leader ? &none : &plan->blocked, NULL);
  execve (plan->argv[0], (char *const *) plan->argv, (char *const *) plan->envp);
  child_fail (plan, MALT_SPAWN_STEP_EXEC);
  return 0;
}

/* In the spawner thread. */

static pid_t
fork_child (MaltSpawnPlan *plan, int *out_pidfd)
{
#ifdef __linux__
  static char *stack; /* only the spawner thread is here */
  pid_t pid;

  if (stack == NULL)
    {
      stack = mmap (NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
      if (stack == MAP_FAILED)
        {
          stack = NULL;
          return -1;
        }
    }
  *out_pidfd = -1;
  pid = clone (child_main, stack + CHILD_STACK_BYTES,
               CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, plan, out_pidfd);
  if (pid < 0 && errno == EINVAL)
    pid = clone (child_main, stack + CHILD_STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD,
                 plan);
  return pid;
#else
  pid_t pid = vfork ();
  *out_pidfd = -1;
  if (pid == 0)
    child_main (plan);
  return pid;
#endif
}

static void
run_job (SpawnJob *job)
{
  MaltSpawnPlan *plan = job->plan;
  int pidfd = -1;

  plan->host_pid = getpid ();
  plan->report = (MaltSpawnReport){ MALT_SPAWN_STEP_NONE, 0 };
  job->pid = fork_child (plan, &pidfd);
  if (job->pid < 0)
    plan->report = (MaltSpawnReport){ MALT_SPAWN_STEP_FORK, errno };
  job->pidfd = malt_descriptor_raise (pidfd);
}

static gpointer
run_spawner (gpointer queue)
{
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, NULL);
  for (;;)
    {
      SpawnJob *job = g_async_queue_pop (queue);
      run_job (job);
      g_mutex_lock (&job->lock);
      job->is_done = TRUE;
      g_cond_signal (&job->cond);
      g_mutex_unlock (&job->lock);
    }
  return NULL;
}

/* NULL: there is no thread for it, and none can be made. */
static GAsyncQueue *
get_spawner_queue (void)
{
  static GMutex lock; /* guards the queue */
  static GAsyncQueue *queue;
  GThread *thread;

  g_mutex_lock (&lock);
  if (queue == NULL)
    {
      queue = g_async_queue_new ();
      thread = g_thread_try_new ("malt-spawner", run_spawner, queue, NULL);
      if (thread != NULL)
        g_thread_unref (thread);
      else
        g_clear_pointer (&queue, g_async_queue_unref);
    }
  g_mutex_unlock (&lock);
  return queue;
}

pid_t
malt_process_spawn (MaltSpawnPlan *plan, int *out_pidfd)
{
  SpawnJob job = { .plan = plan, .pidfd = -1 };
  GAsyncQueue *queue = get_spawner_queue ();

  if (queue == NULL)
    {
      plan->report = (MaltSpawnReport){ MALT_SPAWN_STEP_FORK, EAGAIN };
      return -1;
    }
  g_mutex_init (&job.lock);
  g_cond_init (&job.cond);
  g_async_queue_push (queue, &job);
  g_mutex_lock (&job.lock);
  while (!job.is_done)
    g_cond_wait (&job.cond, &job.lock);
  g_mutex_unlock (&job.lock);
  g_mutex_clear (&job.lock);
  g_cond_clear (&job.cond);

  if (job.pid >= 0 && plan->report.step != MALT_SPAWN_STEP_NONE)
    {
      /* It said why and ended: nobody else has seen it. */
      while (waitpid (job.pid, NULL, 0) < 0 && errno == EINTR)
        ;
      if (job.pidfd >= 0)
        close (job.pidfd);
      job.pid = -1;
    }
  *out_pidfd = job.pid >= 0 ? job.pidfd : -1;
  return job.pid;
}
