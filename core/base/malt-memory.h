/* SPDX-License-Identifier: MIT */
/* Memory whose size somebody else has chosen: a peer, or a caller. GLib ends the process
 * where it gets none. Internal to the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* From this size on an allocation may fail; below it is GLib's. */
#define MALT_MEMORY_LARGE_BYTES ((gsize) 64 * 1024)

/* NULL: there is not that much; error is nullable. Freed by g_free(). Errors: RESOURCES.
 * (transfer full) */
gpointer malt_memory_new (gsize n_bytes, GError **error);
/* The same, as g_realloc(); what was there stays if it fails. (transfer full) */
gpointer malt_memory_renew (gpointer memory, gsize n_bytes, GError **error);
/* A copy of bytes, or of a text; NULL gives NULL. (transfer full) */
GBytes *malt_memory_new_bytes (gconstpointer data, gsize n_bytes, GError **error);
char *malt_memory_dup_text (const char *text, GError **error);

/* Could so much be had now, in whatever pieces? For what is made of many small ones.
 * Errors: RESOURCES. */
gboolean malt_memory_check (gsize n_bytes, GError **error);

G_END_DECLS
