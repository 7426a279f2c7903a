/* SPDX-License-Identifier: MIT */
/* Memory whose size somebody else has chosen.
 *
 * What is left must do for the small allocations that follow, errors among them, so a large
 * one is only taken if RESERVE_BYTES more could be had. */
#include "base/malt-memory.h"

#include <malt/malt-error.h>
#include <string.h>

#define RESERVE_BYTES ((gsize) 1024 * 1024)

static gboolean
set_error (gsize n_bytes, GError **error)
{
  g_set_error (error, MALT_ERROR, MALT_ERROR_RESOURCES,
               "no memory for %" G_GSIZE_FORMAT " bytes", n_bytes);
  return FALSE;
}

static gboolean
has_reserve (void)
{
  gpointer reserve = g_try_malloc (RESERVE_BYTES);
  /* What nobody looks at the compiler would not allocate. */
  gboolean is_there = *(gpointer volatile *) &reserve != NULL;

  g_free (reserve);
  return is_there;
}

gpointer
malt_memory_new (gsize n_bytes, GError **error)
{
  return malt_memory_renew (NULL, n_bytes, error);
}

gpointer
malt_memory_renew (gpointer memory, gsize n_bytes, GError **error)
{
  gpointer renewed;

  if (n_bytes < MALT_MEMORY_LARGE_BYTES)
    return g_realloc (memory, n_bytes);
  renewed = has_reserve () ? g_try_realloc (memory, n_bytes) : NULL;
  if (renewed == NULL)
    set_error (n_bytes, error);
  return renewed;
}

GBytes *
malt_memory_new_bytes (gconstpointer data, gsize n_bytes, GError **error)
{
  gpointer copy;

  if (n_bytes < MALT_MEMORY_LARGE_BYTES)
    return g_bytes_new (data, n_bytes);
  copy = malt_memory_new (n_bytes, error);
  if (copy == NULL)
    return NULL;
  memcpy (copy, data, n_bytes);
  return g_bytes_new_take (copy, n_bytes);
}

char *
malt_memory_dup_text (const char *text, GError **error)
{
  gsize n_bytes;
  char *copy;

  if (text == NULL)
    return NULL;
  n_bytes = strlen (text) + 1;
  copy = malt_memory_new (n_bytes, error);
  if (copy != NULL)
    memcpy (copy, text, n_bytes);
  return copy;
}

gboolean
malt_memory_check (gsize n_bytes, GError **error)
{
  gpointer memory;

  if (n_bytes < MALT_MEMORY_LARGE_BYTES)
    return TRUE;
  memory = g_try_malloc (n_bytes + RESERVE_BYTES);
  g_free (memory);
  return *(gpointer volatile *) &memory != NULL || set_error (n_bytes, error);
}
