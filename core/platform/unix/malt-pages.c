/* SPDX-License-Identifier: MIT */
/* Memory by the page on Unix, with huge pages where there are any. */
#include "platform/malt-pages.h"

#include <sys/mman.h>

gpointer
malt_pages_map (gsize n_bytes)
{
  gpointer pages = mmap (NULL, n_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (pages == MAP_FAILED)
    return NULL;
#ifdef MADV_HUGEPAGE
  madvise (pages, n_bytes, MADV_HUGEPAGE);
#endif
  return pages;
}

void
malt_pages_unmap (gpointer pages, gsize n_bytes)
{
  munmap (pages, n_bytes);
}

void
malt_pages_offer (G_GNUC_UNUSED gpointer pages, G_GNUC_UNUSED gsize n_bytes)
{
#ifdef MADV_FREE
  madvise (pages, n_bytes, MADV_FREE);
#endif
}
