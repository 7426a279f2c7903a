/* SPDX-License-Identifier: MIT */
/* The command on Unix. */
#include "malt-cli-host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif
#include <unistd.h>

enum
{
  N_DESCRIPTORS = 9,
  N_THREADS = 8,
  N_STREAMS = 3,
  N_CLOSED = 256,
  ASK_MS = 100 /* after a signal */
};

static int found_flags[N_STREAMS]; /* of the standard streams; -1: closed */
static GArray *found_descriptors; /* (owned): of int, beyond these */

/* Signals that are waited for: the handler writes a byte for each, the number and
 * whether the terminal sent it. */
static struct
{
  int fds[2];
  sigset_t ignored; /* at the beginning */
  MaltCliSignalFunc func;
  gpointer user_data;
  gboolean is_in_doubt; /* whose a signal is that the terminal has not sent */
} watched;

/* A signal of which it is not known yet whether the whole process group has got it. */
typedef struct
{
  int signum;
  gboolean is_told; /* the terminal has sent it: what is asked is of no interest */
  gint64 came_us;
  gint64 asked_us;
} Doubt;

/* Who knows: a process of the group that has all signals blocked, and says when it is
 * asked which of them are pending. */
static struct
{
  pid_t pid; /* 0: there is none */
  int fd;
  GQueue doubts; /* of Doubt (owned): those that were asked about */
  gint64 shared_us[NSIG]; /* when it was last asked and said so */
} witness;

static pid_t stopping_child; /* the worker, whose stops are the command's; 0: none */

static void
ignore_signal (G_GNUC_UNUSED int signum)
{
}

/* What is closed stays closed for the worker, but nothing of ours gets its number. */
static void
hold_streams (void)
{
  for (int fd = 0; fd < N_STREAMS; fd++)
    {
      found_flags[fd] = fcntl (fd, F_GETFL);
      if (found_flags[fd] < 0)
        open ("/dev/null", (fd == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    }
}

/* Of int: beyond the standard streams. (transfer full) */
static GArray *
list_descriptors (void)
{
  GArray *descriptors = g_array_new (FALSE, FALSE, sizeof (int));
  DIR *folder = opendir ("/dev/fd");
  const struct dirent *entry;

  while (folder && (entry = readdir (folder)))
    {
      int fd = atoi (entry->d_name);

      if (fd >= N_STREAMS && fd != dirfd (folder))
        g_array_append_val (descriptors, fd);
    }
  if (folder)
    closedir (folder);
  return descriptors;
}

/* What was open at the beginning is the caller's, and is inherited by itself. */
void
malt_cli_host_hide_descriptors (void)
{
  g_autoptr (GArray) descriptors = list_descriptors ();

  for (guint i = 0; i < descriptors->len; i++)
    {
      int fd = g_array_index (descriptors, int, i);
      guint n = 0;

      while (n < found_descriptors->len &&
             g_array_index (found_descriptors, int, n) != fd)
        n++;
      if (n == found_descriptors->len)
        fcntl (fd, F_SETFD, FD_CLOEXEC);
    }
}

char **
malt_cli_host_begin (G_GNUC_UNUSED int *argc, char **argv)
{
  struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };
  struct sigaction found;

  hold_streams ();
  found_descriptors = list_descriptors ();
  /* A handler, since a signal that is ignored would be ignored in the worker, too. */
  if (sigaction (SIGPIPE, NULL, &found) == 0 && found.sa_handler != SIG_IGN)
    sigaction (SIGPIPE, &action, NULL);
  return argv;
}

/* Julia makes pipes and sockets non-blocking, which everybody shares who has them. */
static void
restore_streams (void)
{
  for (int fd = 0; fd < N_STREAMS; fd++)
    if (found_flags[fd] >= 0 && fcntl (fd, F_GETFL) != found_flags[fd])
      fcntl (fd, F_SETFL, found_flags[fd]);
}

void
malt_cli_host_end (int signum)
{
  sigset_t set;

  restore_streams ();
  if (witness.pid > 0)
    {
      close (witness.fd);
      waitpid (witness.pid, NULL, 0);
    }
  if (signum == 0)
    return;
#ifdef PR_SET_DUMPABLE
  prctl (PR_SET_DUMPABLE, 0);
#else
  setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 });
#endif
  signal (signum, SIG_DFL);
  sigemptyset (&set);
  sigaddset (&set, signum);
  pthread_sigmask (SIG_UNBLOCK, &set, NULL);
  raise (signum);
}

gboolean
malt_cli_host_is_terminal (int descriptor)
{
  return isatty (descriptor);
}

gboolean
malt_cli_host_has_colors (int descriptor)
{
  return malt_cli_host_is_terminal (descriptor);
}

gboolean
malt_cli_host_get_size (guint *out_rows, guint *out_columns)
{
  struct winsize size = { 0 };

  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
      size.ws_row == 0 || size.ws_col == 0)
    return FALSE;
  *out_rows = size.ws_row;
  *out_columns = size.ws_col;
  return TRUE;
}

static gpointer
wait_for_gate (gpointer gate)
{
  g_mutex_lock (gate);
  g_mutex_unlock (gate);
  return NULL;
}

static gboolean
has_threads (void)
{
  GThread *threads[N_THREADS];
  guint n = 0;
  GMutex gate;

  g_mutex_init (&gate);
  g_mutex_lock (&gate);
  while (n < N_THREADS &&
         (threads[n] = g_thread_try_new (NULL, wait_for_gate, &gate, NULL)) != NULL)
    n++;
  g_mutex_unlock (&gate);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  g_mutex_clear (&gate);
  errno = EAGAIN;
  return n == N_THREADS;
}

gboolean
malt_cli_host_has_resources (void)
{
  int fds[N_DESCRIPTORS];
  guint n = 0;
  int error_number;

  while (n < N_DESCRIPTORS && (fds[n] = dup (STDERR_FILENO)) >= 0)
    n++;
  error_number = errno;
  for (guint i = 0; i < n; i++)
    close (fds[i]);
  errno = error_number;
  return (n == N_DESCRIPTORS || errno == EBADF) && has_threads ();
}

static gboolean
is_from_terminal (const siginfo_t *info)
{
#ifdef SI_KERNEL
  /* The hang-up of a terminal goes to the leader of its session alone. */
  return info->si_code == SI_KERNEL &&
         (info->si_signo != SIGHUP || getsid (0) != getpid ());
#else
  return info->si_pid == 0;
#endif
}

enum
{
  SHARED_BIT = 0x80
};

static void
on_signal (int signum, siginfo_t *info, G_GNUC_UNUSED void *context)
{
  int saved_errno = errno;
  guint8 byte = (guint8) (signum | (is_from_terminal (info) ? SHARED_BIT : 0));

  if (signum == SIGCHLD && info->si_code != CLD_STOPPED)
    return;
  if (write (watched.fds[1], &byte, 1) != 1)
    errno = saved_errno; /* so many that the pipe is full */
  errno = saved_errno;
}

static const int signals[] = {
  SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP
};
static const gsize n_signals = G_N_ELEMENTS (signals) - 1; /* but for SIGTSTP */
static const struct sigaction watching = { .sa_sigaction = on_signal,
                                           .sa_flags = SA_SIGINFO | SA_RESTART };

/* The witness */

/* Until the command has ended. It holds nothing that somebody may wait for. */
static void
be_witness (int fd)
{
  guint8 question;

  for (int other = 0; other < N_CLOSED; other++)
    if (other != fd)
      close (other);
  for (guint i = 0; i < found_descriptors->len; i++)
    if (g_array_index (found_descriptors, int, i) != fd)
      close (g_array_index (found_descriptors, int, i));
  while (read (fd, &question, 1) == 1)
    {
      guint32 pending = 0;
      sigset_t set;
      int signum;

      for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
        if (sigpending (&set) == 0 && sigismember (&set, signals[i]) == 1)
          {
            sigemptyset (&set);
            sigaddset (&set, signals[i]);
            sigwait (&set, &signum);
            pending |= (guint32) 1 << signals[i];
          }
      if (write (fd, &pending, sizeof pending) != sizeof pending)
        break;
    }
  _exit (0);
}

static void
tell (int signum, gboolean is_shared)
{
  if (signum == SIGTSTP)
    {
      if (!is_shared)
        kill (stopping_child, SIGTSTP);
      return;
    }
  watched.func (
      signum,
      (is_shared ? MALT_CLI_SIGNAL_SHARED : 0) |
          (sigismember (&watched.ignored, signum) ? MALT_CLI_SIGNAL_IGNORED : 0),
      watched.user_data);
}

static void
decide (Doubt *doubt, guint32 pending)
{
  if (pending & (guint32) 1 << doubt->signum)
    witness.shared_us[doubt->signum] = doubt->asked_us;
  if (!doubt->is_told)
    tell (doubt->signum, doubt->came_us <= witness.shared_us[doubt->signum]);
  g_free (doubt);
}

static gboolean
on_testimony (int fd, G_GNUC_UNUSED GIOCondition condition,
              G_GNUC_UNUSED gpointer user_data)
{
  guint32 pending = 0;

  if (read (fd, &pending, sizeof pending) == sizeof pending)
    {
      decide (g_queue_pop_head (&witness.doubts), pending);
      return G_SOURCE_CONTINUE;
    }
  /* Somebody has killed it. */
  while (!g_queue_is_empty (&witness.doubts))
    decide (g_queue_pop_head (&witness.doubts), 0);
  close (fd);
  waitpid (witness.pid, NULL, 0);
  witness.pid = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
ask (gpointer data)
{
  Doubt *doubt = data;
  guint8 question = 0;

  doubt->asked_us = g_get_monotonic_time ();
  if (witness.pid > 0 && send (witness.fd, &question, 1, MSG_NOSIGNAL) == 1)
    g_queue_push_tail (&witness.doubts, doubt);
  else
    decide (doubt, 0);
  return G_SOURCE_REMOVE;
}

/* Where there can be none, each signal counts as the command's own. */
static void
call_witness (void)
{
  sigset_t all;
  sigset_t found;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) != 0)
    return;
  fcntl (fds[0], F_SETFD, FD_CLOEXEC);
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &found);
  witness.pid = fork ();
  if (witness.pid == 0)
    be_witness (fds[1]);
  pthread_sigmask (SIG_SETMASK, &found, NULL);
  close (fds[1]);
  witness.fd = fds[0];
  if (witness.pid > 0)
    g_unix_fd_add (witness.fd, G_IO_IN, on_testimony, NULL);
  else
    close (witness.fd);
}

/* Signals that come */

/* The worker has stopped, by whatever signal: so the shell is to see the command stop. */
static void
stop_as_child (void)
{
  siginfo_t info = { 0 };
  struct sigaction found;
  struct sigaction stopping = { .sa_handler = SIG_DFL };

  if (waitid (P_PID, (id_t) stopping_child, &info, WSTOPPED | WNOHANG) != 0 ||
      info.si_pid == 0)
    return;
  if (info.si_status == SIGSTOP)
    raise (SIGSTOP);
  else if (sigaction (info.si_status, &stopping, &found) == 0)
    {
      raise (info.si_status);
      sigaction (info.si_status, &found, NULL);
    }
  kill (stopping_child, SIGCONT);
  /* That has ended what was pending. Whoever has stopped the worker has done it by now. */
  witness.shared_us[SIGTSTP] = g_get_monotonic_time ();
}

static gboolean
on_signal_seen (int fd, G_GNUC_UNUSED GIOCondition condition,
                G_GNUC_UNUSED gpointer user_data)
{
  guint8 byte;
  gboolean is_shared;
  int signum;

  if (read (fd, &byte, 1) != 1)
    return G_SOURCE_CONTINUE;
  is_shared = (byte & SHARED_BIT) != 0;
  signum = byte & ~SHARED_BIT;
  if (signum == SIGCHLD)
    {
      stop_as_child ();
      return G_SOURCE_CONTINUE;
    }
  if (is_shared || !watched.is_in_doubt)
    tell (signum, is_shared);
  /* Also of what is told: the witness is not to say it of the next one. */
  if (watched.is_in_doubt)
    {
      Doubt *doubt = g_new0 (Doubt, 1);

      doubt->signum = signum;
      doubt->is_told = is_shared;
      doubt->came_us = g_get_monotonic_time ();
      g_timeout_add (ASK_MS, ask, doubt);
    }
  return G_SOURCE_CONTINUE;
}

void
malt_cli_host_watch_signals (MaltCliSignalFunc func, gboolean has_all, gpointer user_data)
{
  struct sigaction found;

  sigemptyset (&watched.ignored);
  if (!g_unix_open_pipe (watched.fds, FD_CLOEXEC, NULL))
    return;
  g_unix_set_fd_nonblocking (watched.fds[1], TRUE, NULL);
  watched.func = func;
  watched.user_data = user_data;
  if (has_all)
    call_witness ();
  for (gsize i = 0; i < (has_all ? n_signals : 3); i++)
    if (sigaction (signals[i], NULL, &found) == 0 && found.sa_handler == SIG_IGN)
      sigaddset (&watched.ignored, signals[i]);
    else
      sigaction (signals[i], &watching, NULL);
  g_unix_fd_add (watched.fds[0], G_IO_IN, on_signal_seen, NULL);
}

void
malt_cli_host_share_signals (gint64 pid)
{
  siginfo_t info;
  struct sigaction found;

  watched.is_in_doubt = TRUE;
  for (gsize i = 0; i < n_signals; i++)
    if (sigismember (&watched.ignored, signals[i]))
      sigaction (signals[i], &watching, NULL);

  if (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      !malt_cli_host_shares_terminal (pid))
    return;
  stopping_child = (pid_t) pid;
  for (int i = 0; i < 2; i++)
    {
      int signum = i == 0 ? SIGCHLD : SIGTSTP;

      if (sigaction (signum, NULL, &found) == 0 && found.sa_handler == SIG_DFL)
        sigaction (signum, &watching, NULL);
    }
}

gboolean
malt_cli_host_shares_stdin (void)
{
  return TRUE;
}

gboolean
malt_cli_host_shares_terminal (gint64 pid)
{
  return getpgid ((pid_t) pid) == getpgrp ();
}

gssize
malt_cli_host_write (int descriptor, const char *text, gsize n_bytes)
{
  for (;;)
    {
      ssize_t n = write (descriptor, text, n_bytes);

      if (n >= 0)
        return n;
      if (errno == EAGAIN)
        poll (&(struct pollfd){ .fd = descriptor, .events = POLLOUT }, 1, -1);
      else if (errno != EINTR)
        return -1;
    }
}
