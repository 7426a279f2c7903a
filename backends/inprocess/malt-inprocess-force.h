/* SPDX-License-Identifier: MIT */
/* Interrupts of code that hogs the Julia thread: interrupt-busy = force. */
#pragma once

#include "platform/malt-judge.h"

G_BEGIN_DECLS

/* Before and after Julia is initialised, in the thread that does it: which of the new
 * threads waits for signals, and what Julia does on SIGINT. */
void malt_inprocess_force_before_init (void);
void malt_inprocess_force_after_init (void);

/* Can this be done here? */
gboolean malt_inprocess_force_is_supported (void);

/* The judge of this process (nullable), and the thread of Julia. */
MaltJudge *malt_inprocess_force_get_judge (void);
gint64 malt_inprocess_force_get_thread (void);

/* In the Julia thread: the judge takes its place. The address of its page, or NULL. */
gpointer malt_inprocess_force_load (void);

/* Machine code by which Julia enters evaluated code, so that backtraces end there; or 0. */
guintptr malt_inprocess_force_get_entry (void);

/* malt_judge_ask(), for a call of this worker. */
gboolean malt_inprocess_force_ask (guint host, MaltJudge *judge, guint64 call);

/* No call of this worker is interrupted any more. With the last one the host's handler of
 * SIGINT is back. */
void malt_inprocess_force_end (guint host);

G_END_DECLS
