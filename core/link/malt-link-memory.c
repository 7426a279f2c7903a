/* SPDX-License-Identifier: MIT */
/*
 * Memory for what comes in.
 *
 * Large bodies are mapped, with huge pages where there are any: a length alone then costs
 * nothing, and the memory goes back to the system at once when nobody needs it. But that
 * the kernel zeroes new pages is nearly half of the time that a large array takes to
 * arrive. So the mapping that was freed last is spared, for SPARE_MS, in case another one
 * of about that size is needed; the kernel is told that it may take the pages, so that
 * under pressure it costs nobody anything.
 */
#include "link/malt-link-memory.h"

#include "base/malt-memory.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"

enum
{
  MAPPED_BYTES = 1024 * 1024, /* bodies from this size on are mapped */
  SPARE_MS = 1000,
};

#define MOST_SPARED_BYTES ((gsize) 256 * 1024 * 1024)

typedef struct
{
  gpointer data;
  gsize n_bytes;
} Mapping;

static struct
{
  GMutex lock; /* guards the rest */
  Mapping *mapping; /* (owned) (nullable) */
  guint n_given; /* how often a mapping has been put there */
} spare;

static void
unmap (Mapping *mapping)
{
  malt_platform_unmap_pages (mapping->data, mapping->n_bytes);
  g_free (mapping);
}

/* Unless another one has been put there since. */
static gboolean
on_time_over (gpointer data)
{
  Mapping *mapping = NULL;

  g_mutex_lock (&spare.lock);
  if (spare.n_given == GPOINTER_TO_UINT (data))
    mapping = g_steal_pointer (&spare.mapping);
  g_mutex_unlock (&spare.lock);
  g_clear_pointer (&mapping, unmap);
  return G_SOURCE_REMOVE;
}

static void
end_sparing_later (guint n_given)
{
  GSource *timer = g_timeout_source_new (SPARE_MS);

  g_source_set_static_name (timer, "malt: spared memory");
  g_source_set_callback (timer, on_time_over, GUINT_TO_POINTER (n_given), NULL);
  g_source_attach (timer, malt_io_thread_get_context ());
  g_source_unref (timer);
}

static void
mapping_free (gpointer data)
{
  Mapping *mapping = data;
  Mapping *before;
  guint n_given;

  if (mapping->n_bytes > MOST_SPARED_BYTES || malt_platform_is_forked (NULL))
    {
      unmap (mapping);
      return;
    }
  malt_platform_offer_pages (mapping->data, mapping->n_bytes);
  g_mutex_lock (&spare.lock);
  before = spare.mapping;
  spare.mapping = mapping;
  n_given = ++spare.n_given;
  g_mutex_unlock (&spare.lock);
  g_clear_pointer (&before, unmap);
  end_sparing_later (n_given);
}

/* One that is large enough, and not much larger. (nullable) */
static Mapping *
take_spare (gsize n_bytes)
{
  Mapping *mapping = NULL;

  g_mutex_lock (&spare.lock);
  if (spare.mapping != NULL && spare.mapping->n_bytes >= n_bytes &&
      spare.mapping->n_bytes / 2 <= n_bytes)
    mapping = g_steal_pointer (&spare.mapping);
  g_mutex_unlock (&spare.lock);
  return mapping;
}

/* Where memory is short what is spared is in the way. FALSE: there was none. */
static gboolean
drop_spare (void)
{
  Mapping *mapping;

  g_mutex_lock (&spare.lock);
  mapping = g_steal_pointer (&spare.mapping);
  g_mutex_unlock (&spare.lock);
  if (mapping == NULL)
    return FALSE;
  unmap (mapping);
  return TRUE;
}

static Mapping *
mapping_new (gsize n_bytes)
{
  gpointer data = malt_platform_map_pages (n_bytes);
  Mapping *mapping;

  if (data == NULL)
    return NULL;
  if (!malt_memory_check (MALT_MEMORY_LARGE_BYTES, NULL))
    {
      malt_platform_unmap_pages (data, n_bytes);
      return NULL;
    }
  mapping = g_new (Mapping, 1);
  mapping->data = data;
  mapping->n_bytes = n_bytes;
  return mapping;
}

GBytes *
malt_link_memory_new (gsize n_bytes, guint8 **out_data)
{
  Mapping *mapping;

  if (n_bytes < MAPPED_BYTES)
    {
      *out_data = malt_memory_new (n_bytes, NULL);
      return *out_data != NULL ? g_bytes_new_take (*out_data, n_bytes) : NULL;
    }
  mapping = take_spare (n_bytes);
  if (mapping == NULL)
    mapping = mapping_new (n_bytes);
  if (mapping == NULL && drop_spare ())
    mapping = mapping_new (n_bytes);
  if (mapping == NULL)
    return NULL;
  *out_data = mapping->data;
  return g_bytes_new_with_free_func (mapping->data, n_bytes, mapping_free, mapping);
}
