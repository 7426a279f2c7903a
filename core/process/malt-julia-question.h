/* SPDX-License-Identifier: MIT */
/* A julia that is run to its end for what it says. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  const char *const *arguments; /* argv[0] is the path of the program */
  const char *cwd; /* (nullable): the host's where NULL */
  const char *what; /* it is to say: for messages, as in "where it is" */
  gint64 timeout_ms;
} MaltJuliaQuestion;

/* What it has said on its standard output, (transfer full); of very much, the beginning.
 * It has the host's environment and an empty standard input, and does not outlive the
 * call.
 *
 * Errors: LAUNCH_FAILED: it has not ended in time; CANCELLED of G_IO_ERROR;
 * BACKEND_UNAVAILABLE: it cannot be run, or has failed, with what it has complained
 * of. */
char *malt_julia_question_ask (const MaltJuliaQuestion *question,
                               GCancellable *cancellable, GError **error);

/* BACKEND_UNAVAILABLE, with what it has said in the place of what was expected. */
void malt_julia_question_fail (const MaltJuliaQuestion *question, const char *answer,
                               GError **error);

G_END_DECLS
