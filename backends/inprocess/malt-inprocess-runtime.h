/* SPDX-License-Identifier: MIT */
/* The one Julia of this process: its thread, and the queue of what is to be done there. */
#pragma once

#include "link/malt-link.h"

G_BEGIN_DECLS

/* A number by which Julia knows the link. Its frames are given to it in the Julia thread. */
guint64 malt_inprocess_runtime_add_host (MaltLink *link);

/* No frame comes any more once this has returned, but one may be under way in the Julia
 * thread. Its calls end at their next chance. */
void malt_inprocess_runtime_remove_host (guint64 host);

/* Takes the frame, unless the host was removed: then FALSE. Any thread; never blocks. */
gboolean malt_inprocess_runtime_send (guint64 host, MaltWireFrame *frame);

/* TRUE: the INTERRUPT of this call was still in the queue and is gone. */
gboolean malt_inprocess_runtime_withdraw_interrupt (guint64 host, guint32 call_id);

/* Memory that Julia has lent: MaltWireBorrowFunc. */
GBytes *malt_inprocess_runtime_borrow (gconstpointer data, gsize n_bytes, guint64 loan);

/* Runs a function in the Julia thread, as a task of Julia's. Any thread; does not wait. */
void malt_inprocess_runtime_run (MaltJuliaThreadFunc func, gpointer data);

gboolean malt_inprocess_runtime_is_current_thread (void);

/* Waits for a moment, as long as a small call takes, whether the future is done, or the
 * number, which is atomic, is not 0. */
void malt_inprocess_runtime_spin (MaltFuture *future);
void malt_inprocess_runtime_spin_for (const gint *is_done);

/* The text that Julia evaluates first, and does not return from. */
char *malt_inprocess_runtime_dup_boot (gboolean has_stdin);

G_END_DECLS
