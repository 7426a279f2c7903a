/* SPDX-License-Identifier: MIT */
/* Shared libraries that are loaded for the life of the process. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @path: absolute. What the library needs is looked for beside it, too, and what it defines can be found by others. NULL: @out_reason (transfer full) says
 * why. */
gpointer malt_library_open (const char *path, char **out_reason);

/* NULL: it has none of that name. */
gpointer malt_library_find (gpointer library, const char *name);

G_END_DECLS
