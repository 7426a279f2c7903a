/* SPDX-License-Identifier: MIT */
/* Pipes that a process which is no child of the host opens. */
#include "malt-distributed-pipes.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

gboolean
malt_distributed_pipes_open (MaltDistributedPipes *pipes)
{
  gboolean is_open = TRUE;

  *pipes = (MaltDistributedPipes){ { -1, -1 }, { -1, -1 } };
#ifdef __linux__
  for (int i = 0; i < 2 && is_open; i++)
    {
      int fds[2];

      is_open = g_unix_open_pipe (fds, FD_CLOEXEC, NULL);
      if (!is_open)
        break;
      pipes->read_fds[i] = fds[0];
      pipes->write_fds[i] = fds[1];
      is_open = g_unix_set_fd_nonblocking (fds[0], TRUE, NULL);
    }
#else
  is_open = FALSE;
#endif
  if (!is_open)
    malt_distributed_pipes_close (pipes);
  return is_open;
}

char *
malt_distributed_pipes_dup_path (const MaltDistributedPipes *pipes, guint index)
{
  return g_strdup_printf ("/proc/%d/fd/%d", (int) getpid (), pipes->write_fds[index]);
}

void
malt_distributed_pipes_close_writers (MaltDistributedPipes *pipes)
{
  close_fd (&pipes->write_fds[0]);
  close_fd (&pipes->write_fds[1]);
}

void
malt_distributed_pipes_close (MaltDistributedPipes *pipes)
{
  malt_distributed_pipes_close_writers (pipes);
  close_fd (&pipes->read_fds[0]);
  close_fd (&pipes->read_fds[1]);
}
