/* SPDX-License-Identifier: MIT */
/* Builds one frame. Small things are copied into a buffer; the memory of large arrays
 * is borrowed, so that the frame can be sent with writev() and nothing large is
 * copied. Does no I/O. */
#pragma once

#include "malt-frame.h"
#include "value/malt-value-private.h"

G_BEGIN_DECLS

/* Arrays and strings of at least this size are borrowed. */
#define MALT_WIRE_BORROW_BYTES 32768u

/* Arrays of at least this size are lent to a runtime in this process. */
#define MALT_WIRE_LEND_BYTES 4096u

/* A finished frame, header included. The first segment starts with the header. */
typedef struct
{
  gsize n_bytes; /* of all segments: header and body */
  GPtrArray *loans; /* (owned) (nullable): GBytes, arrays of which it holds addresses */
  gsize n_segments;
  GBytes *segments[]; /* (owned) */
} MaltWireFrame;

void malt_wire_frame_free (MaltWireFrame *frame);
/* The body in one piece: what the in-process backend and the tests need. */
GBytes *malt_wire_frame_dup_body (MaltWireFrame *frame);

/* From now on there is one segment. Errors: RESOURCES; it is as it was. */
gboolean malt_wire_frame_join (MaltWireFrame *frame, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltWireFrame, malt_wire_frame_free)

/* For the stack: malt_wire_writer_init(), any number of puts,
 * malt_wire_writer_finish(), malt_wire_writer_clear(). After a put of a value has
 * failed only malt_wire_writer_clear() may be called. The fields are private. */
typedef struct
{
  /* (unowned) (nullable): of the worker that the frame goes to. */
  MaltHandleHome *home;
  /* (owned) (nullable): the piece that is being written. */
  guint8 *data;
  gsize n_bytes;
  gsize n_allocated;
  /* (unowned): start of the first piece. */
  guint8 *header;
  /* (owned) (nullable): the pieces before it, GBytes, and their size. */
  GPtrArray *segments;
  gsize n_finished_bytes;
  /* (owned), and each of them (owned); in the order of their index. */
  MaltDescriptor **descriptors;
  gsize n_descriptors;
  /* (owned) (nullable): from descriptor to index, made when there are many. */
  GHashTable *descriptor_index;
  guint64 n_values;
  gboolean lends;
  gboolean
      is_short; /* there was no memory for what was put: nothing is written any more */
  GPtrArray *loans; /* (owned) (nullable) */
} MaltWireWriter;

void malt_wire_writer_init (MaltWireWriter *writer, MaltHandleHome *home);
/* For a reader in this process: of large arrays the frame holds the address and the
 * GBytes that keeps the memory, which the reader refs to keep it longer than the frame. */
void malt_wire_writer_set_lends (MaltWireWriter *writer, gboolean lends);
/* An address, and the GBytes that keeps what is there; for such a reader only. */
void malt_wire_writer_put_loan (MaltWireWriter *writer, gconstpointer address,
                                GBytes *owner);
void malt_wire_writer_clear (MaltWireWriter *writer);

/* After puts of bytes or text whose size somebody else has chosen; those of values check
 * it by themselves. What is small always has room. Errors: RESOURCES. */
gboolean malt_wire_writer_check (MaltWireWriter *writer, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MaltWireWriter, malt_wire_writer_clear)

void malt_wire_writer_put_u8 (MaltWireWriter *writer, guint8 value);
void malt_wire_writer_put_u16 (MaltWireWriter *writer, guint16 value);
void malt_wire_writer_put_u32 (MaltWireWriter *writer, guint32 value);
void malt_wire_writer_put_u64 (MaltWireWriter *writer, guint64 value);
/* A count and the bytes; a length of -1 means up to the NUL. */
void malt_wire_writer_put_text (MaltWireWriter *writer, const char *text, gssize n_bytes);
/* The bytes alone. */
void malt_wire_writer_put_raw (MaltWireWriter *writer, gconstpointer bytes,
                               gsize n_bytes);
/* The bytes alone, borrowed if they are many. */
void malt_wire_writer_put_bytes (MaltWireWriter *writer, GBytes *bytes);
/* NULL is written as `nothing`. Fails with MALT_ERROR_INVALID_ARGUMENT (a handle of
 * another worker) and MALT_ERROR_ENCODE (nested too deep, too many values or types). */
gboolean malt_wire_writer_put_value (MaltWireWriter *writer, MaltValue *value,
                                     GError **error);
/* Shorthands for values that need no MaltValue. A NULL string is written as `nothing`. */
void malt_wire_writer_put_nothing (MaltWireWriter *writer);
void malt_wire_writer_put_string_value (MaltWireWriter *writer, const char *text);
/* Never fails; the writer is empty afterwards and can be used for the next frame. */
MaltWireFrame *malt_wire_writer_finish (MaltWireWriter *writer, MaltFrameKind kind,
                                        guint8 flags, guint32 id);

/* A whole frame HOST_RESULT: malt-wire-host-result.c */

/* The answer to a call of a host function, with an error if there is one. A value that
 * cannot be sent becomes the error that says so. @writer is for the value: empty, and only
 * to be cleared afterwards. */
MaltWireFrame *malt_wire_frame_new_host_result (MaltWireWriter *writer, guint32 id,
                                                MaltValue *value, const GError *error);

G_END_DECLS
