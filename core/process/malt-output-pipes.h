/* SPDX-License-Identifier: MIT */
/* The pipes of a worker process on this machine: what evaluated code writes to its
 * standard output and error. */
#pragma once

#include "link/malt-link.h"
#include "platform/malt-pipe.h"

G_BEGIN_DECLS

typedef struct _MaltOutputPipes MaltOutputPipes;

/* Reads the options `output` and `output-prefix` of the worker, to which it keeps a weak
 * reference only. */
MaltOutputPipes *malt_output_pipes_new (MaltWorker *worker, MaltLink *link);
void malt_output_pipes_free (MaltOutputPipes *output);

/* What PID stands for in the prefix of forwarded lines. */
void malt_output_pipes_set_pid (MaltOutputPipes *output, gint64 pid);

/* Starts reading what the worker writes: two pipes that stay the caller's, or NULL for a
 * worker that has the host's output. */
void malt_output_pipes_start (MaltOutputPipes *output, MaltPipe *standard_output,
                              MaltPipe *standard_error);

/* Hands on all that has been written until now. Any thread; does not block. */
void malt_output_pipes_drain (MaltOutputPipes *output);

/* Hands on something that came another way. */
void malt_output_pipes_handle (MaltOutputPipes *output, MaltStream stream,
                               guint32 call_id, GBytes *bytes);

/* Drains, and reads no more. I/O thread only, before the pipes are freed. */
void malt_output_pipes_stop (MaltOutputPipes *output);

/* The last lines of standard error; NULL if there are none. */
char *malt_output_pipes_dup_tail (MaltOutputPipes *output);

G_END_DECLS
