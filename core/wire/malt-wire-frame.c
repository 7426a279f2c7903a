/* SPDX-License-Identifier: MIT */
/* Finished frames: what malt-wire-writer.c has made. */
#include "malt-wire-writer.h"

#include "base/malt-memory.h"

#include <string.h>

void
malt_wire_frame_free (MaltWireFrame *frame)
{
  for (gsize i = 0; i < frame->n_segments; i++)
    g_bytes_unref (frame->segments[i]);
  g_clear_pointer (&frame->loans, g_ptr_array_unref);
  g_free (frame);
}

GBytes *
malt_wire_frame_dup_body (MaltWireFrame *frame)
{
  gsize n_body_bytes = frame->n_bytes - MALT_FRAME_HEADER_BYTES;
  guint8 *body;
  gsize offset = 0;

  if (n_body_bytes == 0)
    return g_bytes_new (NULL, 0);
  body = g_malloc (n_body_bytes);
  for (gsize i = 0; i < frame->n_segments; i++)
    {
      gsize n_bytes;
      const guint8 *data = g_bytes_get_data (frame->segments[i], &n_bytes);
      gsize n_skipped = i == 0 ? MALT_FRAME_HEADER_BYTES : 0;

      memcpy (body + offset, data + n_skipped, n_bytes - n_skipped);
      offset += n_bytes - n_skipped;
    }
  return g_bytes_new_take (body, n_body_bytes);
}

gboolean
malt_wire_frame_join (MaltWireFrame *frame, GError **error)
{
  guint8 *bytes;
  gsize offset = 0;

  if (frame->n_segments == 1)
    return TRUE;
  bytes = malt_memory_new (frame->n_bytes, error);
  if (bytes == NULL)
    return FALSE;
  for (gsize i = 0; i < frame->n_segments; i++)
    {
      gsize n_bytes;
      gconstpointer data = g_bytes_get_data (frame->segments[i], &n_bytes);

      memcpy (bytes + offset, data, n_bytes);
      offset += n_bytes;
      g_bytes_unref (frame->segments[i]);
    }
  frame->segments[0] = g_bytes_new_take (bytes, frame->n_bytes);
  frame->n_segments = 1;
  return TRUE;
}
