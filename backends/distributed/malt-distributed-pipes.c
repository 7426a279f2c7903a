/* SPDX-License-Identifier: MIT */
/* Pipes that a process which is no child of the host opens. */
#include "malt-distributed-pipes.h"

gboolean
malt_distributed_pipes_open (MaltDistributedPipes *pipes)
{
  for (int i = 0; i < 2; i++)
    pipes->pipes[i] = malt_pipe_new_named ();
  if (pipes->pipes[0] != NULL && pipes->pipes[1] != NULL)
    return TRUE;
  malt_distributed_pipes_close (pipes);
  return FALSE;
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
