/* SPDX-License-Identifier: MIT */
/* Reads the body of one frame: docs/protocol.md, sections 3 to 5.
 *
 * What bounds the memory that hostile bytes can make the reader allocate: each value,
 * name and field takes at least one byte of the body, so a count is refused when it is
 * larger than the bytes that are left, less those that the containers around it have
 * already been promised (n_reserved). All references of all containers together are
 * then no more than there are bytes. Nesting is bounded, of values and of the elements
 * of arrays. */
#include "malt-wire-reader-private.h"

#include "base/malt-memory.h"

#include <malt/malt-error.h>
#include <string.h>

#define VALUE_BYTES 64 /* what a small one takes, and its reference */

void
malt_wire_reader_init (MaltWireReader *reader, GBytes *body, MaltHandleHome *home)
{
  memset (reader, 0, sizeof *reader);
  reader->body = g_bytes_ref (body);
  reader->data = g_bytes_get_data (body, &reader->n_bytes);
  reader->home = home != NULL ? malt_handle_home_ref (home) : NULL;
}

void
malt_wire_reader_set_borrow (MaltWireReader *reader, MaltWireBorrowFunc borrow)
{
  reader->borrow = borrow;
}

void
malt_wire_reader_clear (MaltWireReader *reader)
{
  for (gsize i = 0; i < reader->n_descriptors; i++)
    malt_descriptor_unref (reader->descriptors[i]);
  reader->n_descriptors = 0;
  g_clear_pointer (&reader->descriptors, g_free);
  g_clear_pointer (&reader->home, malt_handle_home_unref);
  g_clear_pointer (&reader->body, g_bytes_unref);
}

void
malt_wire_reader_set_failure (const MaltWireReader *reader, GError **error,
                              const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL, "%s at offset %" G_GSIZE_FORMAT,
               message, reader->offset);
}

/* Bytes */

gboolean
malt_wire_reader_take_raw (MaltWireReader *reader, gsize n_bytes,
                           const guint8 **out_bytes, GError **error)
{
  return malt_wire_reader_take (reader, n_bytes, out_bytes, error);
}

gboolean
malt_wire_reader_take_u8 (MaltWireReader *reader, guint8 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!malt_wire_reader_take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  *out_value = bytes[0];
  return TRUE;
}

gboolean
malt_wire_reader_take_u16 (MaltWireReader *reader, guint16 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!malt_wire_reader_take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_u32 (MaltWireReader *reader, guint32 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!malt_wire_reader_take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_u64 (MaltWireReader *reader, guint64 *out_value, GError **error)
{
  const guint8 *bytes;

  if (!malt_wire_reader_take (reader, sizeof *out_value, &bytes, error))
    return FALSE;
  memcpy (out_value, bytes, sizeof *out_value);
  return TRUE;
}

gboolean
malt_wire_reader_take_text (MaltWireReader *reader, const char **out_text,
                            gsize *out_n_bytes, GError **error)
{
  const guint8 *bytes;
  guint64 n_bytes;

  if (!malt_wire_reader_take_u64 (reader, &n_bytes, error) ||
      !malt_wire_reader_take (reader, n_bytes, &bytes, error))
    return FALSE;
  *out_text = (const char *) bytes;
  *out_n_bytes = n_bytes;
  return TRUE;
}

GBytes *
malt_wire_reader_take_rest (MaltWireReader *reader)
{
  gsize offset = reader->offset;

  reader->offset = reader->n_bytes;
  return g_bytes_new_from_bytes (reader->body, offset, reader->n_bytes - offset);
}

gboolean
malt_wire_reader_finish (MaltWireReader *reader, GError **error)
{
  if (malt_wire_reader_n_left (reader) == 0)
    return TRUE;
  return fail (reader, error,
               "expected the end of the body, got %" G_GSIZE_FORMAT " more bytes",
               malt_wire_reader_n_left (reader));
}

/* A count of things that take at least so many bytes each is believed only if they can
 * be there. */
gboolean
malt_wire_reader_check_count (MaltWireReader *reader, guint64 count, gsize n_bytes_each,
                              GError **error)
{
  gsize n_free = malt_wire_reader_n_left (reader) > reader->n_reserved
                     ? malt_wire_reader_n_left (reader) - reader->n_reserved
                     : 0;

  if (count <= n_free / n_bytes_each)
    return TRUE;
  return fail (reader, error,
               "expected %" G_GUINT64_FORMAT " items, got room for %" G_GSIZE_FORMAT,
               count, n_free / n_bytes_each);
}

gboolean
malt_wire_reader_has_room (gsize n_values, GError **error)
{
  return malt_memory_check (n_values * VALUE_BYTES, error);
}

gboolean
malt_wire_reader_enter (MaltWireReader *reader, GError **error)
{
  if (reader->depth == MALT_VALUE_MAX_WIRE_DEPTH)
    return fail (reader, error, "expected at most %d levels of nesting",
                 MALT_VALUE_MAX_WIRE_DEPTH);
  reader->depth++;
  return TRUE;
}

char *
malt_wire_reader_take_string_value (MaltWireReader *reader, GError **error)
{
  guint8 tag;
  const char *text;
  gsize n_bytes;
  char *copy;

  if (!malt_wire_reader_take_u8 (reader, &tag, error))
    return NULL;
  if (tag != MALT_TAG_STRING)
    {
      reader->offset--;
      malt_wire_reader_set_failure (reader, error, "expected a String, got tag %02x",
                                    tag);
      return NULL;
    }
  if (!malt_wire_reader_take_text (reader, &text, &n_bytes, error))
    return NULL;
  copy = malt_memory_new (n_bytes + 1, error);
  if (copy == NULL)
    return NULL;
  if (n_bytes > 0)
    memcpy (copy, text, n_bytes);
  copy[n_bytes] = '\0';
  return copy;
}
