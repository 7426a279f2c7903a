/* SPDX-License-Identifier: MIT */
/* Pipes that a process which is no child of the host opens. */
#include "malt-distributed-pipes.h"

gboolean
malt_distributed_pipes_open (MaltDistributedPipes *pipes, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      GError *failure = NULL;

      pipes->pipes[i] = malt_pipe_new_named (&failure);
      if (failure != NULL)
        {
          malt_distributed_pipes_close (pipes);
          g_propagate_error (error, failure);
          return FALSE;
        }
    }
  return TRUE;
}

void
malt_distributed_pipes_close_writers (MaltDistributedPipes *pipes)
{
  for (int i = 0; i < 2; i++)
    if (pipes->pipes[i] != NULL)
      malt_pipe_forget_name (pipes->pipes[i]);
}

void
malt_distributed_pipes_close (MaltDistributedPipes *pipes)
{
  for (int i = 0; i < 2; i++)
    g_clear_pointer (&pipes->pipes[i], malt_pipe_free);
}
