/* SPDX-License-Identifier: MIT */
/* What the bridge is asked. Calls are (transfer full). */
#pragma once

#include "malt-distributed-pipes.h"

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* The worker of these options, which connects to @port, proves itself with @secrets,
 * loads the judge of that name unless it is "", and writes into @pipes if there are any.
 * NULL and an error if the options contradict each other, or there is no julia. */
MaltCall *malt_distributed_call_new_add (gint64 number, MaltWorker *worker, guint port,
                                         GBytes *secrets, const char *judge,
                                         const MaltDistributedPipes *pipes,
                                         GError **error);
MaltCall *malt_distributed_call_new_signal (gint64 number, int signum);
/* Waits for what workers have written past their runtime: an array of (number, stream as
 * 1 or 2, bytes). */
MaltCall *malt_distributed_call_new_printed (void);
/* The worker gets @patience_s to end by itself. Gives (exit code, signal, last lines);
 * -1: not known. */
MaltCall *malt_distributed_call_new_bury (gint64 number, double patience_s);

/* Is the worker one that the bridge itself launches, on this machine? */
gboolean malt_distributed_is_local (MaltWorker *worker);

/* The standard streams of the host that the worker is to have, as digits. */
const char *malt_distributed_get_lent_streams (MaltWorker *worker);

G_END_DECLS
