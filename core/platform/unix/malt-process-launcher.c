/* SPDX-License-Identifier: MIT */
/*
 * Launches and watches a child process on Unix.
 *
 * A child goes through three states: it runs; it has ended and is a zombie (exit_fd is
 * readable); it has been collected (is_reaped). Only malt_child_reap() collects, under
 * the lock under which malt_child_signal() signals, so a signal cannot reach a process
 * that was given the same number later. Where the system has pidfds (Linux 5.3), exit_fd
 * is one. Elsewhere a thread for each child waits for its end without collecting it, and
 * writes into a pipe.
 *
 * If something else in the host collects all children (waitpid (-1), or SIGCHLD ignored),
 * the end is noticed all the same, and since Linux 6.15 the pidfd tells the status;
 * before, it is lost.
 */
#include "platform/malt-process-launcher.h"

#include "base/malt-error-private.h"
#include "platform/malt-child-private.h"
#include "platform/unix/malt-descriptor.h"
#include "platform/unix/malt-group-guard.h"
#include "platform/unix/malt-poll.h"
#include "platform/unix/malt-process-spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

#define LOST_STATUS_PATIENCE_NS 5000000

enum
{
  HIGH_FD = 1000
};

struct _MaltChild
{
  MaltChildBase base; /* first */
  pid_t pid;
  gboolean is_group_leader;
  int exit_fd; /* (owned): readable once the child has ended */
  gboolean is_pidfd;
  GMutex lock; /* guards what follows, and is held while a signal is sent */
  MaltGroupGuard *guard; /* (owned) (nullable): of its own group, until it has ended */
  gboolean is_reaped;
  int wait_status; /* as waitpid() gave it; -1: not known */
};

/* Descriptors that are closed when the plan has been carried out. */
typedef struct
{
  int child_fds[MALT_SPAWN_N_STREAMS]; /* (owned) */
  MaltPipe *output[2]; /* (owned) (nullable): the ends of stdout and stderr that stay */
} Ends;

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
ends_clear (Ends *ends)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends->child_fds); i++)
    close_fd (&ends->child_fds[i]);
  for (int i = 0; i < 2; i++)
    g_clear_pointer (&ends->output[i], malt_pipe_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ends, ends_clear)

static gboolean
set_errno_error (GError **error, const char *what)
{
  return malt_error_set_by_errno (error, MALT_ERROR_LAUNCH_FAILED, what);
}

static gboolean
open_stdin (const MaltProcessLauncher *launcher, Ends *ends, GError **error)
{
  int fds[2];
  gsize n_bytes;
  gconstpointer bytes;
  ssize_t n_written;

  /* Closed, where the host has none: what that means is for the child to say, as after exec. */
  if (launcher->stdin_source == MALT_CHILD_STDIN_INHERIT)
    return TRUE;
  if (launcher->stdin_source != MALT_CHILD_STDIN_BYTES)
    {
      ends->child_fds[0] =
          malt_descriptor_raise (open ("/dev/null", O_RDONLY | O_CLOEXEC));
      return ends->child_fds[0] >= 0 || set_errno_error (error, "cannot open /dev/null");
    }
  if (!malt_descriptor_open_pipe (fds, error))
    return FALSE;
  bytes = g_bytes_get_data (launcher->stdin_bytes, &n_bytes);
  n_written = write (fds[1], bytes, n_bytes);
  close (fds[1]);
  ends->child_fds[0] = fds[0];
  return n_written == (ssize_t) n_bytes ||
         set_errno_error (error, "cannot fill the child's standard input");
}

static gboolean
open_output (Ends *ends, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      gintptr writer;
      ends->output[i] = malt_pipe_new (&writer, error);
      if (ends->output[i] == NULL)
        return FALSE;
      ends->child_fds[i + 1] = (int) writer;
    }
  return TRUE;
}

static gboolean
open_ends (const MaltProcessLauncher *launcher, Ends *ends, GError **error)
{
  return open_stdin (launcher, ends, error) &&
         (launcher->has_hosts_output || open_output (ends, error));
}

gboolean
malt_child_can_inherit (int stream)
{
  int flags = fcntl (stream, F_GETFD);

  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

/* What a child is given */

int
malt_child_give (int fd, GError **error)
{
  int given = -1;

  /* Below the limit, whatever that is; and not so high that a table of that size costs
   * something. */
  errno = EMFILE;
  for (int first = HIGH_FD; given < 0 && first >= MALT_DESCRIPTOR_FIRST &&
                            (errno == EMFILE || errno == EINVAL);
       first /= 2)
    given = fcntl (fd, F_DUPFD_CLOEXEC, first);
  errno = errno == EINVAL ? EMFILE : errno;
  if (given < 0)
    set_errno_error (error, "cannot give the child a descriptor");
  return given;
}

/* Each child its own: where opening a descriptor's name means duplicating it, the place
 * in the file is shared. */
static int
open_text (const char *text)
{
  gsize n_bytes = strlen (text);
  int fd;

#ifdef __linux__
  fd = malt_descriptor_raise (memfd_create ("malt-boot", MFD_CLOEXEC));
#else
  g_autofree char *path = NULL;

  fd = malt_descriptor_raise (g_file_open_tmp ("malt-XXXXXX", &path, NULL));
  if (fd >= 0)
    unlink (path);
  if (fd >= 0)
    fcntl (fd, F_SETFD, FD_CLOEXEC);
#endif
  if (fd < 0 ||
      (write (fd, text, n_bytes) == (ssize_t) n_bytes && lseek (fd, 0, SEEK_SET) == 0))
    return fd;
  close (fd);
  return -1;
}

int
malt_child_give_text (const char *text, GError **error)
{
  int fd;
  int given;

  if (!malt_descriptor_may_hold (strlen (text)))
    return 0;
  fd = open_text (text);
  if (fd < 0)
    {
      set_errno_error (error, "cannot make the file of the boot text");
      return -1;
    }
  given = malt_child_give (fd, error);
  close (fd);
  return given;
}

void
malt_child_close_given (const int given[MALT_CHILD_MAX_GIVEN])
{
  for (int i = 0; i < MALT_CHILD_MAX_GIVEN; i++)
    if (given[i] > 0)
      close (given[i]);
}

char *
malt_child_dup_given_path (int given)
{
#ifdef __linux__
  return g_strdup_printf ("/proc/self/fd/%d", given);
#else
  return g_strdup_printf ("/dev/fd/%d", given);
#endif
}

static void
set_spawn_error (GError **error, const MaltProcessLauncher *launcher,
                 const MaltSpawnReport *report)
{
  MaltError code =
      malt_error_code_of_errno (report->error_number, MALT_ERROR_LAUNCH_FAILED);
  const char *reason = g_strerror (report->error_number);

  if (report->step == MALT_SPAWN_STEP_EXEC)
    g_set_error (error, MALT_ERROR, code, "cannot run '%s': %s", launcher->argv[0],
                 reason);
  else if (report->step == MALT_SPAWN_STEP_CWD)
    g_set_error (error, MALT_ERROR, code, "cannot change to the directory '%s': %s",
                 launcher->cwd, reason);
  else
    g_set_error (error, MALT_ERROR, code, "cannot make a process for '%s': %s (step %d)",
                 launcher->argv[0], reason, (int) report->step);
}

/* Where there are no pidfds: a thread that waits for the end, without collecting it. */

typedef struct
{
  pid_t pid;
  /* (owned): a byte tells, since a process that the host has forked may keep it open */
  int end_fd;
} Waiter;

static gpointer
wait_for_end (gpointer data)
{
  Waiter *waiter = data;
  siginfo_t info;

  while (waitid (P_PID, (id_t) waiter->pid, &info, WEXITED | WNOWAIT) < 0 &&
         errno == EINTR)
    ;
  if (write (waiter->end_fd, "", 1) < 0)
    g_debug ("end of a child: %s", g_strerror (errno));
  close (waiter->end_fd);
  g_free (waiter);
  return NULL;
}

static int
start_waiter (pid_t pid)
{
  int fds[2];
  Waiter *waiter;
  GThread *thread;

  if (!malt_descriptor_open_pipe (fds, NULL))
    return -1;
  waiter = g_new (Waiter, 1);
  waiter->pid = pid;
  waiter->end_fd = fds[1];
  thread = g_thread_try_new ("malt-waiter", wait_for_end, waiter, NULL);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return fds[0];
    }
  close (fds[0]);
  close (fds[1]);
  g_free (waiter);
  errno = EAGAIN;
  return -1;
}

static gboolean
child_open_exit_fd (MaltChild *child, int pidfd, GError **error)
{
#ifdef __linux__
  if (pidfd < 0)
    pidfd = malt_descriptor_raise ((int) syscall (SYS_pidfd_open, child->pid, 0));
#endif
  child->is_pidfd = pidfd >= 0;
  child->exit_fd = pidfd >= 0 ? pidfd : start_waiter (child->pid);
  return child->exit_fd >= 0 || set_errno_error (error, "cannot watch the child");
}

/**
 * malt_process_launcher_spawn:
 * @launcher: what to run
 * @error: %MALT_ERROR_LAUNCH_FAILED if it cannot be run, with the reason; %MALT_ERROR_RESOURCES
 *
 * Makes the child and returns once it is the other program, or has failed to become it.
 * The child is killed if it is still alive when its last reference goes.
 */
MaltChild *
malt_process_launcher_spawn (const MaltProcessLauncher *launcher, GError **error)
{
  g_auto (Ends) ends = { { -1, -1, -1 }, { NULL, NULL } };
  MaltSpawnPlan plan = { 0 };
  MaltChild *child;
  int pidfd;
  pid_t pid;

  if (!open_ends (launcher, &ends, error))
    return NULL;
  plan.argv = launcher->argv;
  plan.envp = launcher->envp;
  plan.cwd = launcher->cwd;
  plan.is_group_leader = launcher->is_group_leader;
  pthread_sigmask (SIG_SETMASK, NULL, &plan.blocked);
  memcpy (plan.fds, ends.child_fds, sizeof plan.fds);
  memcpy (plan.given, launcher->given, sizeof plan.given);
  plan.has_hosts_descriptors = launcher->has_hosts_descriptors;
  pid = malt_process_spawn (&plan, &pidfd);
  if (pid < 0)
    {
      set_spawn_error (error, launcher, &plan.report);
      return NULL;
    }

  child = g_new0 (MaltChild, 1);
  g_atomic_ref_count_init (&child->base.ref_count);
  g_mutex_init (&child->lock);
  child->pid = pid;
  child->is_group_leader = launcher->is_group_leader;
  child->wait_status = -1;
  if (child->is_group_leader)
    child->guard = malt_group_guard_new (pid);
  for (int i = 0; i < 2; i++)
    child->base.output[i] = g_steal_pointer (&ends.output[i]);
  if (!child_open_exit_fd (child, pidfd, error))
    g_clear_pointer (&child, malt_child_unref);
  return child;
}

void
malt_child_unref (MaltChild *child)
{
  if (!g_atomic_ref_count_dec (&child->base.ref_count))
    return;
  if (malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP))
    while (waitpid (child->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  g_clear_pointer (&child->guard, malt_group_guard_free);
  malt_child_close_output (child);
  close_fd (&child->exit_fd);
  g_mutex_clear (&child->lock);
  g_free (child);
}

gint64
malt_child_get_pid (MaltChild *child)
{
  return child->pid;
}

/* GUnixFDSourceFunc that calls the GSourceFunc that was set on the source. */
static gboolean
dispatch_watch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs watch_funcs = { .dispatch = dispatch_watch };

GSource *
malt_child_watch_new (MaltChild *child)
{
  GSource *source = g_source_new (&watch_funcs, sizeof (GSource));

  g_source_set_static_name (source, "malt child watch");
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_add_unix_fd (source, child->exit_fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  return source;
}

#ifdef __linux__
/* struct pidfd_info of linux/pidfd.h, as it was in Linux 6.15. */
typedef struct
{
  guint64 mask;
  guint64 cgroup_id;
  guint32 ids[11];
  gint32 exit_code;
} PidfdInfo;

#define PIDFD_INFO_EXIT_BIT ((guint64) 1 << 3)
#define PIDFD_GET_INFO_REQUEST _IOWR (0xFF, 11, PidfdInfo)
#endif

/* Of a child that somebody else has collected; -1: not known. The kernel tells it a
 * moment after our waitpid() fails, and that it can be read by a hang-up. */
static int
read_lost_status (MaltChild *child)
{
  int status = -1;
#ifdef __linux__
  PidfdInfo info = { .mask = PIDFD_INFO_EXIT_BIT };
  struct pollfd collected = { .fd = child->exit_fd };

  if (!child->is_pidfd || ioctl (child->exit_fd, PIDFD_GET_INFO_REQUEST, &info) < 0)
    return -1;
  if ((info.mask & PIDFD_INFO_EXIT_BIT) == 0)
    {
      malt_poll (&collected, 1,
                 &(const struct timespec){ .tv_nsec = LOST_STATUS_PATIENCE_NS });
      info = (PidfdInfo){ .mask = PIDFD_INFO_EXIT_BIT };
      if (ioctl (child->exit_fd, PIDFD_GET_INFO_REQUEST, &info) < 0)
        return -1;
    }
  if ((info.mask & PIDFD_INFO_EXIT_BIT) != 0)
    status = info.exit_code;
#endif
  return status;
}

/* What is left of the group is let go before anybody learns of the end: who does may
 * end the host. */
gboolean
malt_child_reap (MaltChild *child)
{
  MaltGroupGuard *guard = NULL;
  int status = -1;
  pid_t pid;

  g_mutex_lock (&child->lock);
  if (!child->is_reaped)
    {
      do
        pid = waitpid (child->pid, &status, WNOHANG);
      while (pid < 0 && errno == EINTR);
      child->is_reaped = pid != 0;
      child->wait_status = pid < 0 ? read_lost_status (child) : status;
      if (child->is_reaped)
        {
          close_fd (&child->exit_fd);
          guard = g_steal_pointer (&child->guard);
        }
    }
  pid = child->is_reaped;
  g_mutex_unlock (&child->lock);
  g_clear_pointer (&guard, malt_group_guard_free);
  return pid != 0;
}

MaltChildEnd
malt_child_get_end (MaltChild *child, int *out_number)
{
  int status;

  g_mutex_lock (&child->lock);
  status = child->wait_status;
  g_mutex_unlock (&child->lock);
  *out_number = 0;
  if (status == -1)
    return MALT_CHILD_END_UNKNOWN;
  *out_number = WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status);
  return WIFEXITED (status) ? MALT_CHILD_END_EXITED : MALT_CHILD_END_SIGNALLED;
}

MaltChildEnd
malt_child_end_of_code (gint64 code, int *out_number)
{
  *out_number = (int) code;
  return MALT_CHILD_END_EXITED;
}

static int
signal_process (MaltChild *child, int signum)
{
#ifdef __linux__
  if (child->is_pidfd)
    return (int) syscall (SYS_pidfd_send_signal, child->exit_fd, signum, NULL, 0);
#endif
  return kill (child->pid, signum);
}

/* A child may have left its group, and the group may live on without it. A host that has
 * become another user since may signal neither. */
static gboolean
signal_group (MaltChild *child, int signum)
{
  gboolean is_sent = kill (-child->pid, signum) == 0;

  if (!is_sent || signum == SIGKILL)
    is_sent = signal_process (child, signum) == 0;
  if (!is_sent && errno == EPERM && signum == SIGKILL && child->guard != NULL)
    {
      malt_group_guard_fire (child->guard);
      is_sent = TRUE;
    }
  return is_sent;
}

gboolean
malt_child_is_forbidden (MaltChild *child)
{
  gboolean is_forbidden;

  g_mutex_lock (&child->lock);
  is_forbidden = !child->is_reaped && signal_process (child, 0) < 0 && errno == EPERM;
  g_mutex_unlock (&child->lock);
  return is_forbidden;
}

gboolean
malt_child_signal (MaltChild *child, int signum, MaltChildTarget target)
{
  gboolean is_sent = FALSE;

  g_mutex_lock (&child->lock);
  if (!child->is_reaped)
    is_sent = target == MALT_CHILD_TARGET_GROUP && child->is_group_leader
                  ? signal_group (child, signum)
                  : signal_process (child, signum) == 0;
  g_mutex_unlock (&child->lock);
  return is_sent;
}

gboolean
malt_child_ask_judge (MaltChild *child, MaltJudge *judge, guint64 call)
{
  const MaltJudgeTarget target = { child->pid, child->pid, -1 };
  gboolean is_asked;

  g_mutex_lock (&child->lock);
  is_asked = !child->is_reaped && malt_judge_ask (judge, &target, call);
  g_mutex_unlock (&child->lock);
  return is_asked;
}
