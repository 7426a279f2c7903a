/* SPDX-License-Identifier: MIT */
/* juliaup's launcher, which looks like a julia and starts that of a channel. Internal to
 * the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @program: an absolute path. Starts nothing. */
gboolean malt_juliaup_is_launcher (const char *program);

/* The julia that @launcher would start in the directory @cwd, the host's where NULL: that
 * of @channel, or where NULL of the one that the host's environment and juliaup's
 * configuration say. An absolute path. (transfer full)
 *
 * The launcher is asked once, which blocks for as long as a start of Julia takes; the
 * answer is kept while juliaup's configuration and that julia stay the same. Errors: as
 * malt_julia_question_ask(). */
char *malt_juliaup_dup_julia (const char *launcher, const char *channel, const char *cwd,
                              gint64 timeout_ms, GCancellable *cancellable,
                              GError **error);

G_END_DECLS
