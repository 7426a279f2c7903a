/* SPDX-License-Identifier: MIT */
/* A runtime that a test plays: it reads and writes frames by hand. */
#include "link-peer-worker.h"

#include "link-peer-socket.h"
#include "platform/malt-socket.h"

#include <string.h>

void
link_peer_write (LinkPeer *peer, MaltWireWriter *writer, MaltFrameKind kind, guint8 flags,
                 guint32 id)
{
  g_autoptr (MaltWireFrame) frame = malt_wire_writer_finish (writer, kind, flags, id);

  if (peer->fd < 0)
    malt_wire_frame_join (frame, NULL);
  for (gsize i = 0; i < frame->n_segments; i++)
    link_peer_write_raw (peer, g_bytes_get_data (frame->segments[i], NULL),
                         g_bytes_get_size (frame->segments[i]));
}

static void
write_frame (LinkPeer *peer, MaltWireWriter *writer, MaltFrameKind kind, guint32 id)
{
  link_peer_write (peer, writer, kind, 0, id);
}

static void
write_hello (LinkPeer *peer, const char *version)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MAJOR);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_u32 (&writer, 1);
  malt_wire_writer_put_text (&writer, version, -1);
  write_frame (peer, &writer, MALT_FRAME_RUNTIME_HELLO, 0);
}

void
link_peer_write_hello (LinkPeer *peer)
{
  write_hello (peer, "1.5.3");
}

LinkPeer *
link_peer_new (void)
{
  return link_peer_new_with ("signal", "sent");
}

static LinkPeer *
peer_new (const char *option, const char *value, const char *version)
{
  LinkPeer *peer = link_peer_new_silent (option, value);

  write_hello (peer, version);
  if (!link_peer_expect (peer, MALT_FRAME_HELLO, NULL))
    g_error ("no HELLO");
  return peer;
}

LinkPeer *
link_peer_new_with (const char *option, const char *value)
{
  return peer_new (option, value, "1.5.3");
}

LinkPeer *
link_peer_new_julia (const char *version)
{
  return peer_new ("signal", "sent", version);
}

static gpointer
be_busy (gpointer data)
{
  LinkPeer *peer = data;

  g_mutex_lock (&peer->lock);
  peer->busy_thread = link_peer_socket_get_thread ();
  g_cond_signal (&peer->is_there);
  g_mutex_unlock (&peer->lock);
  while (g_atomic_int_get (&peer->is_busy))
    ;
  return NULL;
}

void
link_peer_hog (LinkPeer *peer)
{
  peer->is_busy = TRUE;
  peer->busy_thread = -1;
  peer->busy = g_thread_new ("busy", be_busy, peer);
  g_mutex_lock (&peer->lock);
  while (peer->busy_thread < 0)
    g_cond_wait (&peer->is_there, &peer->lock);
  g_mutex_unlock (&peer->lock);
  malt_link_set_thread (peer->link, peer->busy_thread, NULL, 0);
}

LinkPeer *
link_peer_new_silent (const char *option, const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new ();
  LinkPeer *peer = g_new0 (LinkPeer, 1);
  LinkWorker *worker;

  malt_backend_register (LINK_TYPE_WORKER, &error);
  malt_config_set_backend (config, "link-test");
  malt_config_set_for (config, "link-test", option, value);
  peer->worker = malt_worker_launch (config, NULL, &error);
  if (peer->worker == NULL)
    g_error ("%s", error->message);
  worker = LINK_WORKER (peer->worker);
  peer->link = malt_link_ref (worker->link);
  peer->fd = worker->peer_fd;
  peer->owner = worker->owner;
  g_atomic_ref_count_inc (&worker->owner->ref_count);
  g_mutex_init (&peer->lock);
  g_cond_init (&peer->is_there);
  return peer;
}

void
link_peer_free (LinkPeer *peer)
{
  if (peer->fd >= 0)
    malt_socket_close (peer->fd);
  g_clear_object (&peer->worker);
  malt_link_unref (peer->link);
  link_peer_owner_unref (peer->owner);
  g_atomic_int_set (&peer->is_busy, FALSE);
  if (peer->busy != NULL)
    g_thread_join (peer->busy);
  g_cond_clear (&peer->is_there);
  g_mutex_clear (&peer->lock);
  g_free (peer);
}

static gboolean
read_bytes (LinkPeer *peer, guint timeout_ms, guint8 *bytes, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      gssize n;
      if (!link_peer_socket_wait (peer->fd, timeout_ms))
        return FALSE;
      n = link_peer_socket_read (peer->fd, bytes, n_bytes);
      if (n <= 0)
        return FALSE;
      bytes += n;
      n_bytes -= (gsize) n;
    }
  return TRUE;
}

static gboolean
read_memory (LinkPeerOwner *owner, guint timeout_ms, MaltFrameHeader *out_header,
             GBytes **out_body)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) timeout_ms * 1000;
  g_autoptr (MaltWireFrame) frame = NULL;
  const guint8 *bytes;

  g_mutex_lock (&owner->lock);
  while (g_queue_is_empty (&owner->frames) &&
         g_cond_wait_until (&owner->has_frames, &owner->lock, deadline_us))
    {
    }
  frame = g_queue_pop_head (&owner->frames);
  g_mutex_unlock (&owner->lock);
  if (frame == NULL || !link_peer_read_header (frame, out_header))
    return FALSE;
  /* What the frame lends lives as long as its body. */
  bytes = g_bytes_get_data (frame->segments[0], NULL);
  *out_body = g_bytes_new_with_free_func (bytes + MALT_FRAME_HEADER_BYTES,
                                          out_header->n_body_bytes,
                                          (GDestroyNotify) malt_wire_frame_free, frame);
  g_steal_pointer (&frame);
  return TRUE;
}

gboolean
link_peer_read (LinkPeer *peer, guint timeout_ms, MaltFrameHeader *out_header,
                GBytes **out_body)
{
  guint8 header[MALT_FRAME_HEADER_BYTES];
  g_autofree guint8 *body = NULL;

  if (peer->fd < 0)
    return read_memory (peer->owner, timeout_ms, out_header, out_body);
  if (!read_bytes (peer, timeout_ms, header, sizeof header) ||
      !malt_frame_header_parse (header, 1 << 30, out_header, NULL))
    return FALSE;
  body = g_malloc (out_header->n_body_bytes + 1);
  if (!read_bytes (peer, timeout_ms, body, out_header->n_body_bytes))
    return FALSE;
  *out_body = g_bytes_new_take (g_steal_pointer (&body), out_header->n_body_bytes);
  return TRUE;
}

gboolean
link_peer_expect (LinkPeer *peer, MaltFrameKind kind, guint32 *out_id)
{
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;

  if (!link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body))
    return FALSE;
  if (out_id != NULL)
    *out_id = header.id;
  return header.kind == kind;
}

GBytes *
link_peer_expect_body (LinkPeer *peer, MaltFrameKind kind, MaltFrameHeader *out_header)
{
  GBytes *body = NULL;

  if (!link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, out_header, &body))
    return NULL;
  CU_ASSERT_EQUAL (out_header->kind, kind);
  return body;
}

gboolean
link_peer_is_silent (LinkPeer *peer, guint for_ms)
{
  MaltFrameHeader header;
  g_autoptr (GBytes) body = NULL;

  if (peer->fd < 0)
    return !read_memory (peer->owner, for_ms, &header, &body);
  return !link_peer_socket_wait (peer->fd, for_ms);
}

void
link_peer_write_raw (LinkPeer *peer, gconstpointer bytes, gsize n_bytes)
{
  const guint8 *next = bytes;

  if (peer->fd < 0)
    {
      malt_link_receive_frame (peer->link, bytes);
      return;
    }
  while (n_bytes > 0)
    {
      gssize n = link_peer_socket_write (peer->fd, next, n_bytes);
      if (n <= 0)
        return;
      next += n;
      n_bytes -= (gsize) n;
    }
}

void
link_peer_write_empty (LinkPeer *peer, MaltFrameKind kind)
{
  const MaltFrameHeader header = { .kind = kind };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  malt_frame_header_write (&header, bytes);
  link_peer_write_raw (peer, bytes, sizeof bytes);
}

void
link_peer_write_value (LinkPeer *peer, MaltValue *value, MaltFrameKind kind, guint32 id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_value (&writer, value, NULL);
  write_frame (peer, &writer, kind, id);
}

void
link_peer_answer_int (LinkPeer *peer, guint32 id, gint64 value)
{
  g_autoptr (MaltValue) number = malt_value_new_int64 (value);

  link_peer_write_value (peer, number, MALT_FRAME_OK, id);
}

void
link_peer_answer_exception (LinkPeer *peer, guint32 id, const char *type)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, MALT_FRAME_ERROR_REMOTE_EXCEPTION);
  malt_wire_writer_put_string_value (&writer, type);
  malt_wire_writer_put_string_value (&writer, "message");
  malt_wire_writer_put_string_value (&writer, "Stacktrace:");
  malt_wire_writer_put_u32 (&writer, (guint32) strlen ("message"));
  link_peer_write (
      peer, &writer, MALT_FRAME_ERROR,
      strcmp (type, "InterruptException") == 0 ? MALT_FRAME_WAS_INTERRUPTED : 0, id);
}

void
link_peer_acknowledge (LinkPeer *peer, guint32 id, guint8 ack)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, ack);
  write_frame (peer, &writer, MALT_FRAME_ACK, id);
}

char *
link_peer_dup_end (LinkPeer *peer)
{
  LinkPeerOwner *owner = peer->owner;
  char *end_text;

  g_mutex_lock (&owner->lock);
  end_text = g_strdup (owner->end);
  g_mutex_unlock (&owner->lock);
  return end_text;
}

gboolean
link_peer_has_end (gpointer peer)
{
  g_autofree char *end = link_peer_dup_end (peer);

  return end != NULL;
}

guint
link_peer_count_signals (LinkPeer *peer)
{
  LinkPeerOwner *owner = peer->owner;
  guint n;

  g_mutex_lock (&owner->lock);
  n = owner->n_signals;
  g_mutex_unlock (&owner->lock);
  return n;
}

char *
link_peer_dup_output (LinkPeer *peer)
{
  LinkPeerOwner *owner = peer->owner;
  char *text;

  g_mutex_lock (&owner->lock);
  text = g_strdup (owner->output->str);
  g_mutex_unlock (&owner->lock);
  return text;
}

char *
link_peer_dup_refusal (LinkPeer *peer)
{
  LinkPeerOwner *owner = peer->owner;
  char *text;

  g_mutex_lock (&owner->lock);
  text = g_strdup (owner->refusal);
  g_mutex_unlock (&owner->lock);
  return text;
}

guint
link_peer_count_borrowed (void)
{
  return (guint) g_atomic_int_get (&link_peer_n_borrowed);
}
