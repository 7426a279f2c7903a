/* SPDX-License-Identifier: MIT */
/*
 * The program's standard streams, while Julia is initialised.
 *
 * Julia opens the three streams for its event loop, which makes them non-blocking. That
 * is a property of what a descriptor refers to, and so of the host's own streams, too:
 * reading from standard input would fail at once, and what is printed faster than it is
 * read would be lost. So Julia gets descriptors of its own for the pipes among them, opened
 * by way of /proc, each with properties of its own. A socket cannot be opened that way, and
 * is made as it was before. Files and terminals are no problem: Julia does nothing to files,
 * and opens terminals itself once more.
 *
 * A stream that the host has closed becomes an empty one, and stays it: Julia's event loop
 * ends the process where it finds something else under its number.
 */
#include "malt-inprocess-stdio.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* -1: not possible. A pipe that nobody reads cannot be opened either. */
static int
open_pipe_anew (int descriptor)
{
  g_autofree char *path = NULL;
  struct stat info;

  if (fstat (descriptor, &info) != 0 || !S_ISFIFO (info.st_mode))
    return -1;
  path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  return open (path, (descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_NONBLOCK |
                         O_CLOEXEC);
}

/* Other threads may use the descriptor meanwhile: it is the same pipe. */
static int
replace (int descriptor)
{
  int anew = open_pipe_anew (descriptor);
  int kept;

  if (anew < 0)
    return -1;
  kept = fcntl (descriptor, F_DUPFD_CLOEXEC, MALT_INPROCESS_N_STREAMS);
  if (kept >= 0)
    dup2 (anew, descriptor);
  close (anew);
  return kept;
}

static void
fill_holes (void)
{
  int fd = -1;

  do
    fd = open ("/dev/null", O_RDWR);
  while (fd >= 0 && fd < MALT_INPROCESS_N_STREAMS);
  if (fd >= 0)
    close (fd);
}

void
malt_inprocess_stdio_before_init (MaltInProcessStdio *stdio)
{
  fill_holes ();
  for (int i = 0; i < MALT_INPROCESS_N_STREAMS; i++)
    {
      stdio->descriptor_flags[i] = fcntl (i, F_GETFD);
      stdio->status_flags[i] = fcntl (i, F_GETFL);
      stdio->kept[i] = replace (i);
    }
}

void
malt_inprocess_stdio_after_init (MaltInProcessStdio *stdio)
{
  for (int i = 0; i < MALT_INPROCESS_N_STREAMS; i++)
    {
      if (stdio->kept[i] >= 0)
        {
          dup2 (stdio->kept[i], i);
          close (stdio->kept[i]);
          fcntl (i, F_SETFD, stdio->descriptor_flags[i]);
        }
      else if (stdio->status_flags[i] >= 0 &&
               fcntl (i, F_GETFL) != stdio->status_flags[i])
        fcntl (i, F_SETFL, stdio->status_flags[i]);
    }
}
