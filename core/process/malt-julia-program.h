/* SPDX-License-Identifier: MIT */
/* Which julia is used. Internal to the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @julia: what the option says: a path, a name, or `+CHANNEL` of juliaup; (nullable).
 * Returns an absolute path, which may be that of juliaup's launcher. Starts nothing. */
char *malt_julia_find_program (const char *julia, GError **error);

/* The same for a launch: of juliaup the julia itself, with what malt_juliaup_dup_julia()
 * says about @cwd, time and errors. */
char *malt_julia_get_program (const char *julia, const char *cwd, gint64 timeout_ms,
                              GCancellable *cancellable, GError **error);

G_END_DECLS
