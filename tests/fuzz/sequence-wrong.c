/* SPDX-License-Identifier: MIT */
/* How the frames of the worker travel, and what is wrong with them. In memory, where
 * addresses in frames are trusted, bodies are never changed; their order, ids, kinds and
 * flags are. */
#include "sequence.h"

#include "fuzz-mutate.h"
#include "platform/malt-socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum
{
  MAX_PAST_FRAMES = 32,
  MAX_PAST_BYTES = 4096,
  POLL_MS = 10,
  N_PIECES = 4
};

static gboolean
has_ended (Sequence *sequence)
{
  g_autofree char *end = link_peer_dup_end (sequence->peer);

  return end != NULL;
}

/* Does not wait for a host that has stopped to read. */
static gboolean
write_some (Sequence *sequence, const guint8 *bytes, gsize n_bytes)
{
  gint64 deadline_us = sequence_deadline ();

  while (n_bytes > 0)
    {
      struct pollfd writable = { .fd = sequence->peer->fd, .events = POLLOUT };
      ssize_t n = send (sequence->peer->fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n > 0)
        {
          bytes += n;
          n_bytes -= (gsize) n;
          continue;
        }
      if (errno != EAGAIN || has_ended (sequence))
        return FALSE;
      poll (&writable, 1, POLL_MS);
      if (g_get_monotonic_time () > deadline_us)
        {
          sequence_find (sequence, "the host has stopped to read");
          return FALSE;
        }
    }
  return TRUE;
}

/* In one piece or in several. */
static void
write_bytes (Sequence *sequence, const guint8 *bytes, gsize n_bytes)
{
  guint n_pieces = sequence_pick (sequence, 3) == 0 ? N_PIECES : 1;

  if (sequence->is_silent)
    return;
  if (sequence->is_memory)
    {
      link_peer_write_raw (sequence->peer, bytes, n_bytes);
      return;
    }
  for (guint i = 0; i < n_pieces && n_bytes > 0; i++)
    {
      gsize n = i + 1 == n_pieces
                    ? n_bytes
                    : sequence_pick (sequence, (guint) MIN (n_bytes, G_MAXINT32));

      if (!write_some (sequence, bytes, n))
        {
          sequence->is_silent = TRUE;
          return;
        }
      bytes += n;
      n_bytes -= n;
      if (n_pieces > 1 && sequence->is_stepped && n < 10000)
        sequence_settle ();
    }
}

static void
write_frame (Sequence *sequence, GBytes *frame)
{
  gsize n_bytes;
  const guint8 *bytes = g_bytes_get_data (frame, &n_bytes);

  write_bytes (sequence, bytes, n_bytes);
}

/* Its length is that of the frame. */
static GBytes *
frame_new (GByteArray *bytes)
{
  guint64 n_body_bytes;

  if (bytes->len >= MALT_FRAME_HEADER_BYTES)
    {
      n_body_bytes = bytes->len - MALT_FRAME_HEADER_BYTES;
      memcpy (bytes->data, &n_body_bytes, sizeof n_body_bytes);
    }
  return g_byte_array_free_to_bytes (bytes);
}

static GByteArray *
copy (GBytes *frame)
{
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, g_bytes_get_data (frame, NULL),
                       (guint) g_bytes_get_size (frame));
  return bytes;
}

static GBytes *
change_body (Sequence *sequence, GBytes *frame)
{
  gsize n_bytes;
  const guint8 *data = g_bytes_get_data (frame, &n_bytes);
  GByteArray *bytes = g_byte_array_new ();
  g_autoptr (GByteArray) body = g_byte_array_new ();

  g_byte_array_append (body, data + MALT_FRAME_HEADER_BYTES,
                       (guint) (n_bytes - MALT_FRAME_HEADER_BYTES));
  for (guint n = 1 + sequence_pick (sequence, 3); n > 0; n--)
    fuzz_mutate (sequence->random, body, sequence->bodies);
  g_byte_array_append (bytes, data, MALT_FRAME_HEADER_BYTES);
  g_byte_array_append (bytes, body->data, body->len);
  return frame_new (bytes);
}

/* Another id, kind, flag, or what must be zero. */
static GBytes *
change_header (Sequence *sequence, GBytes *frame)
{
  GByteArray *bytes = copy (frame);
  guint32 id = (guint32) fuzz_pick_number (sequence->random);
  guint offset = 12 + sequence_pick (sequence, 4);

  if (sequence_pick (sequence, 2) == 0)
    memcpy (bytes->data + 8, &id, sizeof id);
  else if (offset == 12)
    bytes->data[offset] =
        (guint8) (MALT_FRAME_RUNTIME_HELLO + sequence_pick (sequence, 11));
  else
    bytes->data[offset] ^= (guint8) (1u << sequence_pick (sequence, 8));
  return g_byte_array_free_to_bytes (bytes);
}

/* The length, too: what follows is read from the wrong place. */
static GBytes *
change_anything (Sequence *sequence, GBytes *frame)
{
  GByteArray *bytes = copy (frame);
  guint64 number = fuzz_pick_number (sequence->random);

  if (sequence_pick (sequence, 2) == 0)
    memcpy (bytes->data, &number, sizeof number);
  else
    fuzz_mutate (sequence->random, bytes, sequence->bodies);
  return g_byte_array_free_to_bytes (bytes);
}

static void
remember (Sequence *sequence, GBytes *frame)
{
  if (g_bytes_get_size (frame) > MAX_PAST_BYTES)
    return;
  if (sequence->past->len == MAX_PAST_FRAMES)
    g_ptr_array_remove_index_fast (sequence->past, 0);
  g_ptr_array_add (sequence->past, g_bytes_ref (frame));
}

static void
send_repeated (Sequence *sequence)
{
  if (sequence->past->len > 0)
    write_frame (sequence,
                 g_ptr_array_index (sequence->past,
                                    sequence_pick (sequence, sequence->past->len)));
}

static void
send_cut_off (Sequence *sequence, GBytes *frame)
{
  guint n_bytes = (guint) g_bytes_get_size (frame);

  write_bytes (sequence, g_bytes_get_data (frame, NULL),
               sequence_pick (sequence, n_bytes));
  sequence_hang_up (sequence);
}

static void
send_wrong (Sequence *sequence, GBytes *frame)
{
  g_autoptr (GBytes) changed = NULL;

  switch (sequence_pick (sequence, sequence->is_memory ? 3 : 8))
    {
    case 0:
      g_ptr_array_add (sequence->kept, g_bytes_ref (frame));
      return;
    case 1:
      write_frame (sequence, frame);
      send_repeated (sequence);
      return;
    case 2:
      changed = change_header (sequence, frame);
      break;
    case 3:
      changed = change_anything (sequence, frame);
      break;
    case 4:
      if (sequence_pick (sequence, 4) == 0)
        {
          send_cut_off (sequence, frame);
          return;
        }
      changed = change_body (sequence, frame);
      break;
    default:
      changed = change_body (sequence, frame);
      break;
    }
  write_frame (sequence, changed);
}

void
sequence_send (Sequence *sequence, MaltWireWriter *writer, MaltFrameKind kind,
               guint8 flags, guint32 id)
{
  g_autoptr (MaltWireFrame) frame = malt_wire_writer_finish (writer, kind, flags, id);
  gboolean lends = frame->loans != NULL;
  const MaltFrameHeader header = { frame->n_bytes - MALT_FRAME_HEADER_BYTES, id, kind,
                                   flags };

  sequence_trace (sequence, "sent", &header);
  malt_wire_frame_join (frame, NULL);
  if (!sequence->is_calm && !lends && sequence_pick (sequence, 4) == 0)
    send_wrong (sequence, frame->segments[0]);
  else
    write_frame (sequence, frame->segments[0]);
  if (!lends)
    remember (sequence, frame->segments[0]);
}

void
sequence_introduce (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MAJOR);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_u32 (&writer, 1);
  malt_wire_writer_put_text (&writer, "1.0", -1);
  sequence_send (sequence, &writer, MALT_FRAME_RUNTIME_HELLO, 0, 0);
}

void
sequence_send_kept (Sequence *sequence)
{
  g_autoptr (GBytes) frame = NULL;

  if (sequence->kept->len == 0)
    return;
  frame = g_ptr_array_steal_index (sequence->kept,
                                   sequence_pick (sequence, sequence->kept->len));
  write_frame (sequence, frame);
}

void
sequence_send_nonsense (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  guint8 bytes[64];

  malt_wire_writer_init (&writer, NULL);
  switch (sequence_pick (sequence, sequence->is_memory ? 2 : 5))
    {
    case 0:
      sequence_send (sequence, &writer,
                     (MaltFrameKind) (1 + sequence_pick (sequence, MALT_FRAME_NATIVE)), 0,
                     sequence_pick (sequence, 4));
      break;
    case 1:
      send_repeated (sequence);
      break;
    case 2:
      for (gsize i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8) sequence_pick (sequence, 256);
      write_bytes (sequence, bytes, 1 + sequence_pick (sequence, sizeof bytes));
      break;
    case 3:
      sequence_introduce (sequence);
      break;
    default:
      sequence_hang_up (sequence);
      break;
    }
}

void
sequence_hang_up (Sequence *sequence)
{
  if (!sequence->is_memory && !sequence->is_silent)
    malt_socket_end (sequence->peer->fd);
  sequence->is_silent = TRUE;
}
