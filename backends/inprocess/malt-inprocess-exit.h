/* SPDX-License-Identifier: MIT */
/* The end of the process, while Julia may be busy. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Called once, in the Julia thread, after all of Julia has been loaded. @wake makes that
 * thread look at malt_inprocess_exit_is_near(); it is called in the thread that exits. */
void malt_inprocess_exit_watch (void (*wake) (void));

/* The process is about to end: the Julia thread has to call malt_inprocess_exit_rest(). */
gboolean malt_inprocess_exit_is_near (void);

/* Waits for the end of the process. */
void malt_inprocess_exit_rest (void) G_GNUC_NORETURN;

G_END_DECLS
