/* SPDX-License-Identifier: MIT */
/* Pipes into which a worker on this machine writes its standard output and error: the host makes them, the worker opens them by the host's
 * /proc entry. Where there is no such thing, output comes by other ways. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int read_fds[2]; /* -1: closed, or never there; of stdout and stderr */
  int write_fds[2];
} MaltDistributedPipes;

/* FALSE: there are none, and all descriptors are -1. */
gboolean malt_distributed_pipes_open (MaltDistributedPipes *pipes);

/* What the worker opens for writing. */
char *malt_distributed_pipes_dup_path (const MaltDistributedPipes *pipes, guint index);

/* The worker has opened them, or never will. */
void malt_distributed_pipes_close_writers (MaltDistributedPipes *pipes);
void malt_distributed_pipes_close (MaltDistributedPipes *pipes);

G_END_DECLS
