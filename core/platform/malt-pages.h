/* SPDX-License-Identifier: MIT */
/* Memory by the page, straight from the system: it is zero, and costs nothing before it is touched. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* NULL: there is not that much. */
gpointer malt_pages_map (gsize n_bytes);
void malt_pages_unmap (gpointer pages, gsize n_bytes);

/* The system may take what is in them, and the memory, until they are written to again. */
void malt_pages_offer (gpointer pages, gsize n_bytes);

G_END_DECLS
