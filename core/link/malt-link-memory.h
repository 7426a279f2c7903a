/* SPDX-License-Identifier: MIT */
/* Memory for what comes in. Internal to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that will be written to, at *out_data, before anybody else sees them. NULL: there
 * is no memory. (transfer full) */
GBytes *malt_link_memory_new (gsize n_bytes, guint8 **out_data);

G_END_DECLS
