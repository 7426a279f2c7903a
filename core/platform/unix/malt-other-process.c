/* SPDX-License-Identifier: MIT */
/* Other processes on Unix: by a pidfd, where the system has them (Linux 5.3). */
#include "platform/malt-other-process.h"

#include "platform/unix/malt-descriptor.h"
#include "platform/unix/malt-group-guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__linux__) && !defined(SYS_pidfd_open)
#define SYS_pidfd_open 434
#endif
#if defined(__linux__) && !defined(SYS_pidfd_send_signal)
#define SYS_pidfd_send_signal 424
#endif

struct _MaltOtherProcess
{
  pid_t pid;
  int fd;
  MaltGroupGuard *guard; /* (owned) (nullable): of its own group, until it has ended */
};

/* A source that looks at a process. */
typedef struct
{
  GSource base; /* first */
  MaltOtherProcess *process; /* (unowned) */
} Watch;

MaltOtherProcess *
malt_other_process_new (gint64 pid)
{
  MaltOtherProcess *process = NULL;
#ifdef SYS_pidfd_open
  int fd = malt_descriptor_raise ((int) syscall (SYS_pidfd_open, (pid_t) pid, 0));

  if (fd < 0)
    return NULL;
  process = g_new0 (MaltOtherProcess, 1);
  process->pid = (pid_t) pid;
  process->fd = fd;
  if (getpgid (process->pid) == process->pid)
    process->guard = malt_group_guard_new (pid);
  /* The guard may be of a group that has got the number since. */
  if (syscall (SYS_pidfd_send_signal, fd, 0, NULL, 0) != 0)
    g_clear_pointer (&process->guard, malt_group_guard_free);
#endif
  return process;
}

void
malt_other_process_free (MaltOtherProcess *process)
{
  g_clear_pointer (&process->guard, malt_group_guard_free);
  close (process->fd);
  g_free (process);
}

gboolean
malt_other_process_signal (MaltOtherProcess *process, int signum)
{
  gboolean is_sent = FALSE;
#ifdef SYS_pidfd_send_signal
  /* Whoever leads a group has its number; it is taken as long as the leader has not been
   * collected. */
  if (signum == SIGKILL && getpgid (process->pid) == process->pid &&
      syscall (SYS_pidfd_send_signal, process->fd, 0, NULL, 0) == 0)
    kill (-process->pid, SIGKILL);
  is_sent = syscall (SYS_pidfd_send_signal, process->fd, signum, NULL, 0) == 0;
  if (!is_sent && errno == EPERM && signum == SIGKILL && process->guard != NULL)
    {
      malt_group_guard_fire (process->guard);
      is_sent = TRUE;
    }
#endif
  return is_sent;
}

gboolean
malt_other_process_ask_judge (MaltOtherProcess *process, MaltJudge *judge, guint64 call)
{
  const MaltJudgeTarget target = { process->pid, process->pid, process->fd };

  return malt_judge_ask (judge, &target, call);
}

static gboolean
dispatch_watch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_clear_pointer (&((Watch *) source)->process->guard, malt_group_guard_free);
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs watch_funcs = { .dispatch = dispatch_watch };

GSource *
malt_other_process_watch_new (MaltOtherProcess *process)
{
  GSource *source = g_source_new (&watch_funcs, sizeof (Watch));

  ((Watch *) source)->process = process;
  g_source_set_static_name (source, "malt other process");
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_add_unix_fd (source, process->fd, G_IO_IN);
  return source;
}
