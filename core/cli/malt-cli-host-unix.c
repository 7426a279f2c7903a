/* SPDX-License-Identifier: MIT */
/* The command on Unix. */
#include "malt-cli-host.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum
{
  N_DESCRIPTORS = 8,
  N_THREADS = 8
};

char **
malt_cli_host_begin (G_GNUC_UNUSED int *argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  return argv;
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

guint
malt_cli_host_add_signal (int signum, GSourceFunc func, gpointer user_data)
{
  return g_unix_signal_add (signum, func, user_data);
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
