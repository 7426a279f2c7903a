/* SPDX-License-Identifier: MIT */
/* Memory by the page on Windows. */
#include "platform/malt-pages.h"

#include "platform/windows/malt-handle.h"

gpointer
malt_pages_map (gsize n_bytes)
{
  return VirtualAlloc (NULL, n_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void
malt_pages_unmap (gpointer pages, G_GNUC_UNUSED gsize n_bytes)
{
  VirtualFree (pages, 0, MEM_RELEASE);
}

void
malt_pages_offer (gpointer pages, gsize n_bytes)
{
  VirtualAlloc (pages, n_bytes, MEM_RESET, PAGE_READWRITE);
}
