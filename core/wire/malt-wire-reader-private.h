/* SPDX-License-Identifier: MIT */
/* What the three parts of the reader share: bytes (malt-wire-reader.c), descriptors
 * and elements, values. */
#pragma once

#include "malt-wire-reader.h"
#include "malt-wire-tags.h"

G_BEGIN_DECLS

/* A macro, so that the compiler sees that it is FALSE. */
#define fail(...) (malt_wire_reader_set_failure (__VA_ARGS__), FALSE)

/* The message, and at which offset. */
void malt_wire_reader_set_failure (const MaltWireReader *reader, GError **error,
                                   const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Is there memory for so many values? Each is small, but the peer has chosen how many. */
gboolean malt_wire_reader_has_room (gsize n_values, GError **error);

static inline gsize
malt_wire_reader_n_left (const MaltWireReader *reader)
{
  return reader->n_bytes - reader->offset;
}

static inline gboolean
malt_wire_reader_take (MaltWireReader *reader, gsize n_bytes, const guint8 **out_bytes,
                       GError **error)
{
  if (G_UNLIKELY (malt_wire_reader_n_left (reader) < n_bytes))
    return fail (reader, error,
                 "expected %" G_GSIZE_FORMAT " bytes, got the last %" G_GSIZE_FORMAT,
                 n_bytes, malt_wire_reader_n_left (reader));
  *out_bytes = reader->data + reader->offset;
  reader->offset += n_bytes;
  return TRUE;
}

/* A count of things that take at least so many bytes each is believed only if they can
 * be there. */
gboolean malt_wire_reader_check_count (MaltWireReader *reader, guint64 count,
                                       gsize n_bytes_each, GError **error);
/* One level deeper; the caller goes back by lowering the depth. */
gboolean malt_wire_reader_enter (MaltWireReader *reader, GError **error);

/* Sets of kinds of descriptors. */
#define MALT_WIRE_TYPES (1u << MALT_DESCRIPTOR_TYPE)
#define MALT_WIRE_NAMED_TUPLES (1u << MALT_DESCRIPTOR_NAMED_TUPLE)
#define MALT_WIRE_STRUCTS (1u << MALT_DESCRIPTOR_STRUCT)
#define MALT_WIRE_TUPLES (1u << MALT_DESCRIPTOR_TUPLE)
#define MALT_WIRE_PRIMITIVES (1u << MALT_DESCRIPTOR_PRIMITIVE)

/* A descriptor of one of these kinds, which belongs to the reader; NULL after a
 * failure. */
MaltDescriptor *malt_wire_reader_take_descriptor (MaltWireReader *reader, guint kinds,
                                                  GError **error);
/* The caller's; NULL after a failure. */
MaltElement *malt_wire_reader_take_element (MaltWireReader *reader, GError **error);

G_END_DECLS
