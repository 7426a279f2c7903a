/* SPDX-License-Identifier: MIT */
/* Reads the body of one frame. Everything in it is taken for hostile. Does no I/O.
 *
 * All take functions fail with MALT_ERROR_PROTOCOL and name the offset; after a
 * failure only malt_wire_reader_clear() may be called. Outputs are written on success
 * only. */
#pragma once

#include "malt-frame.h"
#include "value/malt-value-private.h"

G_BEGIN_DECLS

/* Makes bytes of memory that a runtime of this process has lent: they give it back by its
 * number when nobody refers to them any more. */
typedef GBytes *(*MaltWireBorrowFunc) (gconstpointer data, gsize n_bytes, guint64 loan);

/* For the stack. The fields are private. */
typedef struct
{
  MaltWireBorrowFunc borrow; /* (nullable): NULL: nothing is lent */
  GBytes *body; /* (owned) */
  const guint8 *data;
  gsize n_bytes;
  gsize offset;
  /* How many bytes the values that were announced and are not yet read need at least. */
  gsize n_reserved;
  /* Of the value that is being read. */
  guint depth;
  /* (owned) (nullable): given to handles. */
  MaltHandleHome *home;
  /* (owned), and each of them (owned); in the order of their index. */
  MaltDescriptor **descriptors;
  gsize n_descriptors;
  gsize n_allocated_descriptors;
} MaltWireReader;

void malt_wire_reader_init (MaltWireReader *reader, GBytes *body, MaltHandleHome *home);
/* Only for frames of a runtime that lives in this process, and is trusted. */
void malt_wire_reader_set_borrow (MaltWireReader *reader, MaltWireBorrowFunc borrow);
void malt_wire_reader_clear (MaltWireReader *reader);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MaltWireReader, malt_wire_reader_clear)

gboolean malt_wire_reader_take_u8 (MaltWireReader *reader, guint8 *out_value,
                                   GError **error);
gboolean malt_wire_reader_take_u16 (MaltWireReader *reader, guint16 *out_value,
                                    GError **error);
gboolean malt_wire_reader_take_u32 (MaltWireReader *reader, guint32 *out_value,
                                    GError **error);
gboolean malt_wire_reader_take_u64 (MaltWireReader *reader, guint64 *out_value,
                                    GError **error);
/* The text is borrowed from the body and not NUL-terminated. */
gboolean malt_wire_reader_take_text (MaltWireReader *reader, const char **out_text,
                                     gsize *out_n_bytes, GError **error);
/* Borrowed from the body. */
gboolean malt_wire_reader_take_raw (MaltWireReader *reader, gsize n_bytes,
                                    const guint8 **out_bytes, GError **error);
/* All that is left, without a copy. */
GBytes *malt_wire_reader_take_rest (MaltWireReader *reader);
MaltValue *malt_wire_reader_take_value (MaltWireReader *reader, GError **error);
/* The value must be a String: its text, NUL-terminated. */
char *malt_wire_reader_take_string_value (MaltWireReader *reader, GError **error);
/* FALSE unless the body has been used up exactly. */
gboolean malt_wire_reader_finish (MaltWireReader *reader, GError **error);

G_END_DECLS
