/* SPDX-License-Identifier: MIT */
/*
 * Turns the bytes that come into frames.
 *
 * Small frames are cut out of a buffer, several of one recv(). The body of a frame that
 * does not fit into the buffer is read straight into memory of its own, which becomes the
 * memory of the values in it; meanwhile the socket reports itself readable only when a
 * good piece is there, since each wake-up costs more than the system call. Lengths are
 * checked against the limit before anything is allocated, and a length alone costs
 * nothing: the memory is mapped, and touched only as bytes come. A body for which there
 * is no memory is skipped, and what the frame was about fails alone.
 */
#include "link/malt-link-private.h"

#include "link/malt-link-memory.h"
#include "platform/malt-socket.h"

#include <string.h>

enum
{
  LOW_WATER_BYTES = 1024 * 1024
};

void
malt_link_receiver_clear (MaltLinkReceiver *receiver)
{
  g_clear_pointer (&receiver->buffer, g_free);
  g_clear_pointer (&receiver->body, g_bytes_unref);
  receiver->start = 0;
  receiver->end = 0;
  receiver->n_skipped_bytes = 0;
}

static void
end_receiving (MaltLink *link, const GError *error)
{
  link->is_read_closed = TRUE;
  g_atomic_int_set (&link->is_receiving, FALSE);
  g_mutex_lock (&link->lock);
  malt_socket_poller_set_fd (link->poller, -1, NULL);
  malt_link_unlock (link);
  link->funcs->ended (link->owner, error);
}

/* While bytes are skipped the buffer has nothing else. */
static gssize
skip_bytes (MaltLink *link)
{
  MaltLinkReceiver *receiver = &link->receiver;
  gssize n =
      malt_socket_receive (link->fd, receiver->buffer,
                           MIN (receiver->n_skipped_bytes, MALT_LINK_BUFFER_BYTES));

  if (n > 0)
    receiver->n_skipped_bytes -= (gsize) n;
  return n;
}

static gssize
receive_bytes (MaltLink *link)
{
  MaltLinkReceiver *receiver = &link->receiver;
  gpointer data;
  gsize n_bytes;
  gssize n;

  if (receiver->body != NULL)
    {
      data = receiver->body_data + receiver->n_body_bytes;
      n_bytes = receiver->header.n_body_bytes - receiver->n_body_bytes;
    }
  else
    {
      if (receiver->buffer == NULL)
        receiver->buffer = g_malloc (MALT_LINK_BUFFER_BYTES);
      if (receiver->n_skipped_bytes > 0)
        return skip_bytes (link);
      if (receiver->start > 0)
        memmove (receiver->buffer, receiver->buffer + receiver->start,
                 receiver->end - receiver->start);
      receiver->end -= receiver->start;
      receiver->start = 0;
      data = receiver->buffer + receiver->end;
      n_bytes = MALT_LINK_BUFFER_BYTES - receiver->end;
    }
  n = malt_socket_receive (link->fd, data, n_bytes);
  if (n > 0 && receiver->body != NULL)
    receiver->n_body_bytes += (gsize) n;
  else if (n > 0)
    receiver->end += (gsize) n;
  return n;
}

/* Moves what has come of a large body out of the buffer. */
static gboolean
begin_large_body (MaltLink *link, const MaltFrameHeader *header, GError **error)
{
  MaltLinkReceiver *receiver = &link->receiver;
  gsize n_here = receiver->end - receiver->start;

  receiver->body = malt_link_memory_new (header->n_body_bytes, &receiver->body_data);
  if (receiver->body == NULL)
    {
      receiver->n_skipped_bytes = header->n_body_bytes - n_here;
      receiver->start = 0;
      receiver->end = 0;
      return malt_link_dispatch_short (link, header, error);
    }
  receiver->header = *header;
  memcpy (receiver->body_data, receiver->buffer + receiver->start, n_here);
  receiver->n_body_bytes = n_here;
  receiver->start = 0;
  receiver->end = 0;
  return TRUE;
}

/* Takes one whole frame out of what has come, if there is one. */
static gboolean
take_frame (MaltLink *link, MaltFrameHeader *out_header, GBytes **out_body,
            GError **error)
{
  MaltLinkReceiver *receiver = &link->receiver;
  const guint8 *bytes = receiver->buffer + receiver->start;
  gsize n_here = receiver->end - receiver->start;

  if (receiver->body != NULL)
    {
      if (receiver->n_body_bytes < receiver->header.n_body_bytes)
        return TRUE;
      *out_header = receiver->header;
      *out_body = g_steal_pointer (&receiver->body);
      return TRUE;
    }
  if (n_here < MALT_FRAME_HEADER_BYTES)
    return TRUE;
  if (!malt_frame_header_parse (bytes, link->max_frame_bytes, out_header, error))
    return FALSE;
  if (!malt_frame_kind_is_from_runtime ((guint8) out_header->kind))
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                   "expected a frame from the runtime, got one of kind %s",
                   malt_frame_kind_to_string ((guint8) out_header->kind));
      return FALSE;
    }
  if (out_header->n_body_bytes > MALT_LINK_BUFFER_BYTES - MALT_FRAME_HEADER_BYTES)
    {
      receiver->start += MALT_FRAME_HEADER_BYTES;
      return begin_large_body (link, out_header, error);
    }
  if (n_here - MALT_FRAME_HEADER_BYTES < out_header->n_body_bytes)
    return TRUE;
  *out_body = g_bytes_new (bytes + MALT_FRAME_HEADER_BYTES, out_header->n_body_bytes);
  receiver->start += MALT_FRAME_HEADER_BYTES + out_header->n_body_bytes;
  return TRUE;
}

static gboolean
dispatch_frames (MaltLink *link, GError **error)
{
  for (;;)
    {
      MaltFrameHeader header;
      g_autoptr (GBytes) body = NULL;
      if (!take_frame (link, &header, &body, error))
        return FALSE;
      if (body == NULL)
        return TRUE;
      if (!malt_link_dispatch (link, &header, body, error))
        return FALSE;
    }
}

/* Must be right before anybody waits for the socket: with too high a mark the rest would
 * never be reported. */
static void
set_low_water (MaltLink *link)
{
  MaltLinkReceiver *receiver = &link->receiver;
  gboolean is_far_from_end =
      receiver->body != NULL &&
      receiver->header.n_body_bytes - receiver->n_body_bytes >= LOW_WATER_BYTES;

  if (is_far_from_end == receiver->is_low_water_raised)
    return;
  receiver->is_low_water_raised = is_far_from_end;
  malt_socket_set_low_water (link->fd, is_far_from_end ? LOW_WATER_BYTES : 1);
}

static gboolean
is_mid_frame (MaltLink *link)
{
  return link->receiver.body != NULL || link->receiver.n_skipped_bytes > 0 ||
         link->receiver.end > link->receiver.start;
}

MaltLinkReceived
malt_link_receive (MaltLink *link)
{
  g_autoptr (GError) error = NULL;
  gssize n;

  if (link->is_read_closed || link->fd < 0)
    return MALT_LINK_RECEIVED_END;
  g_atomic_int_set (&link->is_receiving, TRUE);
  n = receive_bytes (link);
  if (n == MALT_SOCKET_LATER)
    {
      g_atomic_int_set (&link->is_receiving, is_mid_frame (link));
      return MALT_LINK_RECEIVED_NOTHING;
    }
  if (n <= 0)
    {
      /* A connection that was reset has ended, too: the peer died with unread bytes. */
      end_receiving (link, NULL);
      return MALT_LINK_RECEIVED_END;
    }
  g_atomic_int_set (&link->last_receive_ms, (gint) (g_get_monotonic_time () / 1000));
  if (!dispatch_frames (link, &error))
    {
      end_receiving (link, error);
      return MALT_LINK_RECEIVED_END;
    }
  set_low_water (link);
  g_atomic_int_set (&link->is_receiving, is_mid_frame (link));
  return MALT_LINK_RECEIVED_SOME;
}
