/* SPDX-License-Identifier: MIT */
/* Moves descriptors away from the numbers that have a meaning. */
#include "platform/unix/malt-descriptor.h"

#include "base/malt-error-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/resource.h>
#include <unistd.h>

int
malt_descriptor_raise (int fd)
{
  int raised;
  int saved_errno;

  if (fd < 0 || fd >= MALT_DESCRIPTOR_FIRST)
    return fd;
  raised = fcntl (fd, F_DUPFD_CLOEXEC, MALT_DESCRIPTOR_FIRST);
  saved_errno = errno;
  close (fd);
  errno = saved_errno;
  return raised;
}

gboolean
malt_descriptor_raise_pair (int fds[2])
{
  int saved_errno;

  fds[0] = malt_descriptor_raise (fds[0]);
  if (fds[0] >= 0)
    {
      fds[1] = malt_descriptor_raise (fds[1]);
      if (fds[1] >= 0)
        return TRUE;
    }
  saved_errno = errno;
  for (int i = 0; i < 2; i++)
    if (fds[i] >= 0)
      close (fds[i]);
  errno = saved_errno;
  return FALSE;
}

gboolean
malt_descriptor_open_pipe (int fds[2], GError **error)
{
  if (g_unix_open_pipe (fds, FD_CLOEXEC, NULL) && malt_descriptor_raise_pair (fds))
    return TRUE;
  return malt_error_set_by_errno (error, MALT_ERROR_FAILED, "cannot make a pipe");
}

gboolean
malt_descriptor_may_hold (gsize n_bytes)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
         limit.rlim_cur >= n_bytes;
}
