/* SPDX-License-Identifier: MIT */
/* Bytes that nobody can guess, and that are forgotten. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Errors: LAUNCH_FAILED. */
gboolean malt_secret_fill (guint8 *bytes, gsize n_bytes, GError **error);

/* Overwrites them, also where nobody reads them afterwards. */
void malt_secret_erase (guint8 *bytes, gsize n_bytes);

G_END_DECLS
