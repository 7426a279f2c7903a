/* SPDX-License-Identifier: MIT */
/* Interrupts of code that hogs the Julia thread: interrupt-busy = force. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Before and after Julia is initialised, in the thread that does it: who of the new threads waits for signals, and what Julia does on SIGINT. */
void malt_inprocess_force_before_init (void);
void malt_inprocess_force_after_init (void);

/* In the Julia thread: two functions of Julia's, one that gives the address of the running task and one that throws an InterruptException into
 * it; and the number of tasks in user code. */
void malt_inprocess_force_set_up (gpointer get_task, gpointer throw_interrupt,
                                  const gint64 *n_users);

/* In the Julia thread: a call of a worker that wants this has entered user code, in the task of this address, or left it. */
void malt_inprocess_force_enter (guint64 host, guint32 call_id, guintptr task);
void malt_inprocess_force_leave (guint64 host, guint32 call_id);

/* The n-th try, counted from 1, to interrupt a call. In the I/O thread; does not wait for the outcome. TRUE: a SIGINT is under way, and may come
 * late. */
gboolean malt_inprocess_force_try (guint64 host, guint32 call_id, guint n);

/* No further try will be made for calls of this worker. With the last one the host's handler of SIGINT is back. */
void malt_inprocess_force_end (guint64 host);

/* Can this be done here? */
gboolean malt_inprocess_force_is_supported (void);

G_END_DECLS
