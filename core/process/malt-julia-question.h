/* SPDX-License-Identifier: MIT */
/* A julia that is run to its end for what it says. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What it has said on its standard output, (transfer full); of very much, the beginning.
 * @arguments: argv[0] is the path of the program. It has the host's environment and an
 * empty standard input, and does not outlive the call.
 *
 * Errors: LAUNCH_FAILED: it has not ended in time; CANCELLED of G_IO_ERROR;
 * BACKEND_UNAVAILABLE: it cannot be run, or has failed, with what it has complained
 * of. */
char *malt_julia_question (const char *const *arguments, gint64 timeout_ms,
                           GCancellable *cancellable, GError **error);

/* For a message: what it has said in the place of what was expected. (transfer full) */
char *malt_julia_answer_to_line (const char *answer);

G_END_DECLS
