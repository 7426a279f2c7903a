/* SPDX-License-Identifier: MIT */
/* Shared libraries that are loaded for the life of the process. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @path: absolute. What the library needs is looked for beside it, too, and what it
 * defines can be found by others. NULL: @out_reason (transfer full) says why. */
gpointer malt_library_open (const char *path, char **out_reason);

/* NULL: it has none of that name. */
gpointer malt_library_find (gpointer library, const char *name);

/* Libraries that are asked for by their name alone are looked for in this folder, too,
 * where a system looks for them beside the program and not beside who asks. NULL: in
 * none. For the whole process. Returns what was so before, which is to be given back:
 * (transfer full) (nullable). */
char *malt_library_swap_folder (const char *folder);

/* Is a shared library whole, as far as its loader needs to be spared? Some die of files
 * that were cut off; what else is wrong they find themselves. */
gboolean malt_library_is_whole (const char *bytes, gsize n_bytes);

/* The folder of libraries in the prefix that this library was installed to, wherever that
 * was moved. NULL: not known from where it was loaded. */
char *malt_library_dup_folder (void);

G_END_DECLS
