/* SPDX-License-Identifier: MIT */
/* The pipes of a worker process: what evaluated code writes to its standard output and error. */
#pragma once

#include "link/malt-link.h"
#include "process/malt-process-launcher.h"

G_BEGIN_DECLS

typedef struct _MaltProcessOutput MaltProcessOutput;

/* Reads the options `output` and `output-prefix` of the worker, to which it keeps a weak reference only. */
MaltProcessOutput *malt_process_output_new (MaltWorker *worker, MaltLink *link);
void malt_process_output_free (MaltProcessOutput *output);

/* Starts reading what the child writes. */
void malt_process_output_start (MaltProcessOutput *output, MaltChild *child);

/* Hands on all that has been written until now. Any thread; does not block. */
void malt_process_output_drain (MaltProcessOutput *output);

/* Hands on something that came another way. */
void malt_process_output_handle (MaltProcessOutput *output, MaltStream stream,
                                 guint32 call_id, GBytes *bytes);

/* Drains, and reads no more. I/O thread only, before the child closes its descriptors. */
void malt_process_output_stop (MaltProcessOutput *output);

/* The last lines of standard error; NULL if there are none. */
char *malt_process_output_dup_tail (MaltProcessOutput *output);

G_END_DECLS
