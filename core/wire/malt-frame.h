/* SPDX-License-Identifier: MIT */
/* The header of a frame: the numbers of docs/protocol.md, section 1, and how they are
 * read, checked and written. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define MALT_WIRE_MAGIC "MALT\r\n\x1a"
#define MALT_WIRE_MAGIC_BYTES 8 /* with the NUL */
#define MALT_WIRE_MAJOR 1
#define MALT_WIRE_MINOR 0

#define MALT_FRAME_HEADER_BYTES 16
#define MALT_FRAME_DEFAULT_MAX_BYTES (G_GUINT64_CONSTANT (8) << 30)

/* Limits of section 5. */
#define MALT_WIRE_MAX_DESCRIPTORS 65536
#define MALT_WIRE_MAX_VALUES (G_GUINT64_CONSTANT (1) << 26)
#define MALT_WIRE_ARRAY_ALIGNMENT 16

typedef enum
{
  /* host to runtime */
  MALT_FRAME_HELLO = 0x01,
  MALT_FRAME_LOAD = 0x02,
  MALT_FRAME_EVAL = 0x03,
  MALT_FRAME_CALL = 0x04,
  MALT_FRAME_INTERRUPT = 0x05,
  MALT_FRAME_PING = 0x06,
  MALT_FRAME_FENCE = 0x07,
  MALT_FRAME_CHANNEL_OPEN = 0x08,
  MALT_FRAME_CHANNEL_CREDIT = 0x09,
  MALT_FRAME_CHANNEL_PUT = 0x0a,
  MALT_FRAME_CHANNEL_CLOSE = 0x0b,
  MALT_FRAME_CHANNEL_STATE = 0x0c,
  MALT_FRAME_CHANNEL_FORGET = 0x0d,
  MALT_FRAME_RELEASE = 0x0e,
  MALT_FRAME_SHUTDOWN = 0x0f,
  MALT_FRAME_HOST_RESULT = 0x10,
  MALT_FRAME_EXPORT = 0x11,
  MALT_FRAME_NATIVE = 0x12,
  /* runtime to host */
  MALT_FRAME_RUNTIME_HELLO = 0x81,
  MALT_FRAME_OK = 0x82,
  MALT_FRAME_ERROR = 0x83,
  MALT_FRAME_ACK = 0x84,
  MALT_FRAME_PONG = 0x85,
  MALT_FRAME_CHANNEL_ITEM = 0x86,
  MALT_FRAME_CHANNEL_CLOSED = 0x87,
  MALT_FRAME_HOST_CALL = 0x88,
  MALT_FRAME_OUTPUT = 0x89,
  MALT_FRAME_LOADING = 0x8a,
} MaltFrameKind;

/* Flags of EVAL and CALL: one of the modes, with or without the bits. */
enum
{
  MALT_FRAME_MODE_VALUE = 0,
  MALT_FRAME_MODE_NOTHING = 1,
  MALT_FRAME_MODE_DISPLAY = 2,
  MALT_FRAME_MODE_HANDLE = 3,
  MALT_FRAME_MODE_MASK = 7,
  MALT_FRAME_PROGRAM = 0x20, /* of EVAL: the file is the program of the worker */
  MALT_FRAME_SILENT = 1 << 3,
};

/* Flag of OK and ERROR: an InterruptException was thrown into the code of the call. */
#define MALT_FRAME_WAS_INTERRUPTED 1

/* Flag of HOST_RESULT. */
#define MALT_FRAME_HOST_RESULT_IS_ERROR 1

/* Flag of EXPORT: the name is taken back. */
#define MALT_FRAME_EXPORT_IS_OVER 1
/* Another flag of EXPORT: the function is at an address in this process. */
#define MALT_FRAME_EXPORT_DIRECT 2

/* Classes of ERROR. */
enum
{
  MALT_FRAME_ERROR_REMOTE_EXCEPTION = 1,
  MALT_FRAME_ERROR_ENCODE = 2,
  MALT_FRAME_ERROR_DECODE = 3,
};

/* Bodies of ACK. */
enum
{
  MALT_FRAME_ACK_DELIVERED = 0,
  MALT_FRAME_ACK_GONE = 1,
  MALT_FRAME_ACK_LATE = 2, /* to be asked again, if it is still wanted */
};

/* Streams of OUTPUT. */
enum
{
  MALT_FRAME_STREAM_STDOUT = 1,
  MALT_FRAME_STREAM_STDERR = 2,
};

typedef struct
{
  guint64 n_body_bytes;
  guint32 id;
  MaltFrameKind kind;
  guint8 flags;
} MaltFrameHeader;

/* NULL for an unknown kind. */
const char *malt_frame_kind_to_string (guint8 kind);
gboolean malt_frame_kind_is_from_runtime (guint8 kind);
/* Reads and checks MALT_FRAME_HEADER_BYTES bytes: zero, kind, flags, length, in this
 * order. Either direction. */
gboolean malt_frame_header_parse (const guint8 *bytes, guint64 max_body_bytes,
                                  MaltFrameHeader *out_header, GError **error);
void malt_frame_header_write (const MaltFrameHeader *header, guint8 *bytes);

G_END_DECLS
