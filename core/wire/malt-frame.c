/* SPDX-License-Identifier: MIT */
/* The header of a frame. */
#include "malt-frame.h"

#include <malt/malt-error.h>
#include <string.h>

typedef struct
{
  const char *name;
  guint8 modes; /* highest result mode, 0 if the kind has none */
  guint8 flags; /* the other flags that are known */
} FrameKind;

static const FrameKind host_kinds[] = {
  [MALT_FRAME_HELLO] = { .name = "HELLO" },
  [MALT_FRAME_LOAD] = { .name = "LOAD" },
  [MALT_FRAME_EVAL] = { .name = "EVAL",
                        .modes = MALT_FRAME_MODE_HANDLE,
                        .flags = MALT_FRAME_SILENT | MALT_FRAME_PROGRAM },
  [MALT_FRAME_CALL] = { .name = "CALL",
                        .modes = MALT_FRAME_MODE_HANDLE,
                        .flags = MALT_FRAME_SILENT },
  [MALT_FRAME_INTERRUPT] = { .name = "INTERRUPT" },
  [MALT_FRAME_PING] = { .name = "PING" },
  [MALT_FRAME_FENCE] = { .name = "FENCE" },
  [MALT_FRAME_CHANNEL_OPEN] = { .name = "CHANNEL_OPEN" },
  [MALT_FRAME_CHANNEL_CREDIT] = { .name = "CHANNEL_CREDIT" },
  [MALT_FRAME_CHANNEL_PUT] = { .name = "CHANNEL_PUT" },
  [MALT_FRAME_CHANNEL_CLOSE] = { .name = "CHANNEL_CLOSE" },
  [MALT_FRAME_CHANNEL_STATE] = { .name = "CHANNEL_STATE" },
  [MALT_FRAME_CHANNEL_FORGET] = { .name = "CHANNEL_FORGET" },
  [MALT_FRAME_RELEASE] = { .name = "RELEASE" },
  [MALT_FRAME_SHUTDOWN] = { .name = "SHUTDOWN" },
  [MALT_FRAME_HOST_RESULT] = { .name = "HOST_RESULT",
                               .flags = MALT_FRAME_HOST_RESULT_IS_ERROR },
  [MALT_FRAME_NATIVE] = { .name = "NATIVE" },
  [MALT_FRAME_EXPORT] = { .name = "EXPORT",
                          .flags = MALT_FRAME_EXPORT_IS_OVER | MALT_FRAME_EXPORT_DIRECT },
};

#define FROM_RUNTIME 0x80

static const FrameKind runtime_kinds[] = {
  [MALT_FRAME_RUNTIME_HELLO - FROM_RUNTIME] = { .name = "HELLO (runtime)" },
  [MALT_FRAME_OK - FROM_RUNTIME] = { .name = "OK", .flags = MALT_FRAME_WAS_INTERRUPTED },
  [MALT_FRAME_ERROR -
      FROM_RUNTIME] = { .name = "ERROR", .flags = MALT_FRAME_WAS_INTERRUPTED },
  [MALT_FRAME_ACK - FROM_RUNTIME] = { .name = "ACK" },
  [MALT_FRAME_PONG - FROM_RUNTIME] = { .name = "PONG" },
  [MALT_FRAME_CHANNEL_ITEM - FROM_RUNTIME] = { .name = "CHANNEL_ITEM" },
  [MALT_FRAME_CHANNEL_CLOSED - FROM_RUNTIME] = { .name = "CHANNEL_CLOSED" },
  [MALT_FRAME_HOST_CALL - FROM_RUNTIME] = { .name = "HOST_CALL" },
  [MALT_FRAME_OUTPUT - FROM_RUNTIME] = { .name = "OUTPUT" },
  [MALT_FRAME_LOADING - FROM_RUNTIME] = { .name = "LOADING" },
};

static const FrameKind *
find_kind (guint8 kind)
{
  const FrameKind *found = NULL;

  if (kind < G_N_ELEMENTS (host_kinds))
    found = &host_kinds[kind];
  else if (kind >= FROM_RUNTIME &&
           kind - FROM_RUNTIME < (int) G_N_ELEMENTS (runtime_kinds))
    found = &runtime_kinds[kind - FROM_RUNTIME];
  return found != NULL && found->name != NULL ? found : NULL;
}

const char *
malt_frame_kind_to_string (guint8 kind)
{
  const FrameKind *found = find_kind (kind);

  return found != NULL ? found->name : NULL;
}

gboolean
malt_frame_kind_is_from_runtime (guint8 kind)
{
  return kind >= FROM_RUNTIME;
}

static gboolean
flags_are_known (const FrameKind *kind, guint8 flags)
{
  guint8 mode = flags & MALT_FRAME_MODE_MASK;

  if (kind->modes == 0)
    return (flags & ~kind->flags) == 0;
  return mode <= kind->modes && ((flags & ~MALT_FRAME_MODE_MASK) & ~kind->flags) == 0;
}

gboolean
malt_frame_header_parse (const guint8 *bytes, guint64 max_body_bytes,
                         MaltFrameHeader *out_header, GError **error)
{
  const FrameKind *kind = find_kind (bytes[12]);
  guint64 n_body_bytes;
  guint32 id;

  memcpy (&n_body_bytes, bytes, sizeof n_body_bytes);
  memcpy (&id, bytes + 8, sizeof id);
  n_body_bytes = GUINT64_FROM_LE (n_body_bytes);
  if (bytes[14] != 0 || bytes[15] != 0)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                   "expected zero at the end of a frame header, got %02x%02x", bytes[14],
                   bytes[15]);
      return FALSE;
    }
  if (kind == NULL)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL, "unknown kind of frame %02x",
                   bytes[12]);
      return FALSE;
    }
  if (!flags_are_known (kind, bytes[13]))
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                   "unknown flags %02x in a frame %s", bytes[13], kind->name);
      return FALSE;
    }
  if (n_body_bytes > max_body_bytes)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                   "a frame %s of %" G_GUINT64_FORMAT
                   " bytes is larger than the limit of %" G_GUINT64_FORMAT,
                   kind->name, n_body_bytes, max_body_bytes);
      return FALSE;
    }
  out_header->n_body_bytes = n_body_bytes;
  out_header->id = GUINT32_FROM_LE (id);
  out_header->kind = bytes[12];
  out_header->flags = bytes[13];
  return TRUE;
}

void
malt_frame_header_write (const MaltFrameHeader *header, guint8 *bytes)
{
  guint64 n_body_bytes = GUINT64_TO_LE (header->n_body_bytes);
  guint32 id = GUINT32_TO_LE (header->id);

  memcpy (bytes, &n_body_bytes, sizeof n_body_bytes);
  memcpy (bytes + 8, &id, sizeof id);
  bytes[12] = (guint8) header->kind;
  bytes[13] = header->flags;
  bytes[14] = 0;
  bytes[15] = 0;
}
