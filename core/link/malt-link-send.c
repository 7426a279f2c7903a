/* SPDX-License-Identifier: MIT */
/*
 * What a link sends.
 *
 * A frame is written by the thread that sends it, as far as the socket takes it without
 * blocking; the rest stays in the queue and the I/O thread writes on when the socket can
 * take more. Frames keep their order because queue and socket are touched under the lock
 * of the link only. Large arrays are never copied: the queue holds references to the
 * memory of values.
 */
#include "link/malt-link-private.h"

#include "platform/malt-socket.h"

static void
outgoing_free (gpointer data)
{
  MaltLinkOutgoing *outgoing = data;
  malt_wire_frame_free (outgoing->frame);
  g_free (outgoing);
}

void
malt_link_unlock (MaltLink *link)
{
  GQueue finished = link->finished;

  g_queue_init (&link->finished);
  g_mutex_unlock (&link->lock);
  g_queue_clear_full (&finished, outgoing_free);
}

static void
push (GQueue *queue, MaltWireFrame *frame, guint32 id)
{
  MaltLinkOutgoing *outgoing = g_new (MaltLinkOutgoing, 1);
  outgoing->frame = frame;
  outgoing->id = id;
  g_queue_push_tail (queue, outgoing);
}

static void
finish_all (MaltLink *link, GQueue *queue)
{
  GList *node;

  while ((node = g_queue_pop_head_link (queue)) != NULL)
    g_queue_push_tail_link (&link->finished, node);
}

void
malt_link_drop_outgoing (MaltLink *link)
{
  finish_all (link, &link->outgoing);
  finish_all (link, &link->held);
  link->n_sent = 0;
}

void
malt_link_update_interest (MaltLink *link)
{
  MaltSocketPoll interest = MALT_SOCKET_POLL_NONE;

  if (link->poller == NULL)
    return;
  if (!link->is_driven)
    interest |= MALT_SOCKET_POLL_READ;
  if (!g_queue_is_empty (&link->outgoing))
    interest |= MALT_SOCKET_POLL_WRITE;
  malt_socket_poller_set_interest (link->poller, interest);
}

/* Segments of the queue from n_sent on. */
static guint
fill_segments (MaltLink *link, GOutputVector *segments)
{
  gsize n_skip = link->n_sent;
  guint n = 0;

  for (GList *l = link->outgoing.head; l != NULL && n < MALT_SOCKET_MAX_SEGMENTS;
       l = l->next)
    {
      MaltWireFrame *frame = ((MaltLinkOutgoing *) l->data)->frame;
      for (gsize i = 0; i < frame->n_segments && n < MALT_SOCKET_MAX_SEGMENTS; i++)
        {
          gsize n_bytes;
          const guint8 *bytes = g_bytes_get_data (frame->segments[i], &n_bytes);
          if (n_skip >= n_bytes)
            {
              n_skip -= n_bytes;
              continue;
            }
          segments[n].buffer = bytes + n_skip;
          segments[n].size = n_bytes - n_skip;
          n_skip = 0;
          n++;
        }
    }
  return n;
}

static void
mark_sent (MaltLink *link, gsize n_bytes)
{
  link->n_sent += n_bytes;
  for (;;)
    {
      MaltLinkOutgoing *first = g_queue_peek_head (&link->outgoing);
      if (first == NULL || link->n_sent < first->frame->n_bytes)
        return;
      link->n_sent -= first->frame->n_bytes;
      g_queue_push_tail_link (&link->finished, g_queue_pop_head_link (&link->outgoing));
    }
}

/* Nothing can follow a frame that was sent in part. Who reads finds what the peer has
 * said, then the end of the stream, and the owner is told. */
static void
give_up (MaltLink *link)
{
  malt_link_drop_outgoing (link);
  malt_socket_end (link->fd);
  malt_socket_poller_end (link->poller);
}

void
malt_link_flush (MaltLink *link)
{
  GOutputVector segments[MALT_SOCKET_MAX_SEGMENTS];

  while (link->fd >= 0 && !g_queue_is_empty (&link->outgoing))
    {
      guint n_segments = fill_segments (link, segments);
      gssize n = malt_socket_send (link->fd, segments, n_segments);
      if (n == MALT_SOCKET_LATER)
        break;
      if (n >= 0)
        mark_sent (link, (gsize) n);
      else
        give_up (link);
    }
  malt_link_update_interest (link);
}

void
malt_link_send (MaltLink *link, MaltWireFrame *frame)
{
  gboolean is_first = g_queue_is_empty (&link->outgoing);

  if (link->is_closed)
    {
      push (&link->finished, frame, 0);
      return;
    }
  if (link->funcs->send_frame != NULL)
    {
      if (!link->funcs->send_frame (link->owner, frame))
        push (&link->finished, frame, 0);
      return;
    }
  push (&link->outgoing, frame, 0);
  if (is_first)
    malt_link_flush (link);
}

static MaltWireFrame *
frame_new_empty (MaltFrameKind kind, guint32 id)
{
  g_auto (MaltWireWriter) writer;
  malt_wire_writer_init (&writer, NULL);
  return malt_wire_writer_finish (&writer, kind, 0, id);
}

void
malt_link_send_empty (MaltLink *link, MaltFrameKind kind, guint32 id)
{
  malt_link_send (link, frame_new_empty (kind, id));
}

/* A frame that runs evaluated code, behind a fence if signals may be on their way. */
static void
send_code (MaltLink *link, MaltWireFrame *frame)
{
  link->n_outstanding++;
  if (link->needs_fence)
    {
      link->needs_fence = FALSE;
      link->n_fences++;
      malt_link_send_empty (link, MALT_FRAME_FENCE, 0);
    }
  malt_link_send (link, frame);
}

void
malt_link_announce_call (MaltLink *link, guint32 id)
{
  if (!link->is_closed)
    g_hash_table_insert (link->calls, GUINT_TO_POINTER (id),
                         GUINT_TO_POINTER (MALT_LINK_CALL_KNOWN | MALT_LINK_CALL_HELD));
}

void
malt_link_send_call (MaltLink *link, MaltWireFrame *frame, guint32 id,
                     MaltLinkCallFlags flags)
{
  gboolean is_held = (flags & MALT_LINK_CALL_IS_CODE) && malt_link_is_escalating (link);

  flags |= MALT_LINK_CALL_KNOWN | (is_held ? MALT_LINK_CALL_HELD : 0);
  if (link->is_closed)
    {
      push (&link->finished, frame, 0);
      return;
    }
  g_hash_table_insert (link->calls, GUINT_TO_POINTER (id), GUINT_TO_POINTER (flags));
  if (is_held)
    {
      push (&link->held, frame, id);
      return;
    }
  if (flags & MALT_LINK_CALL_IS_CODE)
    send_code (link, frame);
  else
    malt_link_send (link, frame);
  malt_link_interrupts_call_sent (link, id);
}

void
malt_link_send_behind_calls (MaltLink *link, MaltWireFrame *frame)
{
  if (g_queue_is_empty (&link->held))
    malt_link_send (link, frame);
  else
    push (&link->held, frame, 0);
}

static void
send_held_call (MaltLink *link, MaltWireFrame *frame, guint32 id)
{
  gpointer key = GUINT_TO_POINTER (id);
  guint flags = GPOINTER_TO_UINT (g_hash_table_lookup (link->calls, key));

  g_hash_table_insert (link->calls, key,
                       GUINT_TO_POINTER (flags & ~(guint) MALT_LINK_CALL_HELD));
  send_code (link, frame);
  malt_link_interrupts_call_sent (link, id);
}

void
malt_link_release_held (MaltLink *link)
{
  MaltLinkOutgoing *outgoing;

  while ((outgoing = g_queue_pop_head (&link->held)) != NULL)
    {
      if (outgoing->id != 0)
        send_held_call (link, outgoing->frame, outgoing->id);
      else
        malt_link_send (link, outgoing->frame);
      g_free (outgoing);
    }
}
