/* SPDX-License-Identifier: MIT */
/* Pipes into which a worker on this machine writes its standard output and error: the
 * host makes them, the worker opens them by their names. Where there is no such thing,
 * output comes by other ways. */
#pragma once

#include "platform/malt-pipe.h"

G_BEGIN_DECLS

typedef struct
{
  MaltPipe *pipes
      [2]; /* (owned) (nullable): NULL: closed, or never there; of stdout and stderr */
} MaltDistributedPipes;

/* Where the system has such pipes; elsewhere they stay NULL. Errors: RESOURCES, FAILED. */
gboolean malt_distributed_pipes_open (MaltDistributedPipes *pipes, GError **error);

/* The worker has opened them, or never will. */
void malt_distributed_pipes_close_writers (MaltDistributedPipes *pipes);
void malt_distributed_pipes_close (MaltDistributedPipes *pipes);

G_END_DECLS
