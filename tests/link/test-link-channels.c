/* SPDX-License-Identifier: MIT */
/* Channels, as the other end of a link sees them. */
#include "link-peer.h"
#include "wire/malt-wire-reader.h"

#include <string.h>

typedef struct
{
  MaltWorker *worker; /* (unowned) */
  MaltChannel *channel; /* (owned) (nullable) */
  GError *error; /* (owned) (nullable) */
} Opening;

static gpointer
open_channel (gpointer data)
{
  Opening *opening = data;

  opening->channel =
      malt_worker_channel (opening->worker, NULL, "Channel(1)", NULL, &opening->error);
  return NULL;
}

/* Answers CHANNEL_OPEN; what it was asked with. */
static MaltChannel *
open_for (LinkPeer *peer, guint32 *out_id, guint32 *out_credit)
{
  Opening opening = { .worker = peer->worker };
  GThread *thread = g_thread_new ("opener", open_channel, &opening);
  g_autoptr (MaltValue) nothing = malt_value_new_nothing ();
  g_auto (MaltWireReader) reader;
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;

  body = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_OPEN, &header);
  malt_wire_reader_init (&reader, body, NULL);
  malt_wire_reader_take_u32 (&reader, out_id, NULL);
  malt_wire_reader_take_u32 (&reader, out_credit, NULL);
  link_peer_write_value (peer, nothing, MALT_FRAME_OK, header.id);
  g_thread_join (thread);
  g_clear_error (&opening.error);
  return opening.channel;
}

static void
send_item (LinkPeer *peer, guint32 channel_id, gint64 number)
{
  g_autoptr (MaltValue) value = malt_value_new_int64 (number);

  link_peer_write_value (peer, value, MALT_FRAME_CHANNEL_ITEM, channel_id);
}

static void
items_are_taken_and_pay_for_others (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id = 0, credit = 0, more = 0;
  g_autoptr (MaltChannel) channel = open_for (peer, &id, &credit);
  g_autoptr (GBytes) body = NULL;
  g_auto (MaltWireReader) reader = { 0 };
  MaltFrameHeader header;

  CHECK (channel != NULL && credit > 0);
  for (guint i = 0; i < credit; i++)
    send_item (peer, id, i);
  for (guint i = 0; i < credit; i++)
    {
      g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, NULL);

      CHECK (value != NULL);
      CU_ASSERT_EQUAL (malt_value_get_int64 (value), i);
    }
  body = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_CREDIT, &header);
  CHECK (body != NULL && header.id == id);
  malt_wire_reader_init (&reader, body, NULL);
  CHECK (malt_wire_reader_take_u32 (&reader, &more, NULL));
  CHECK (more > 0 && more <= credit);
}

static void
an_item_without_credit_ends_the_connection (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id = 0, credit = 0;
  g_autoptr (MaltChannel) channel = open_for (peer, &id, &credit);
  g_autofree char *end = NULL;

  CHECK (channel != NULL);
  for (guint i = 0; i <= credit; i++)
    send_item (peer, id, i);
  CHECK (process_test_wait (link_peer_has_end, peer, PROCESS_TEST_PATIENCE_MS));
  end = link_peer_dup_end (peer);
  CHECK (strstr (end, "without credit") != NULL);
}

static void
a_closed_channel_says_why (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id = 0, credit = 0;
  g_autoptr (MaltChannel) channel = open_for (peer, &id, &credit);
  g_autoptr (MaltValue) reason = malt_value_new_string ("the file has ended");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (MaltFuture) future = NULL;
  guint32 call_id;

  CHECK (channel != NULL);
  link_peer_write_value (peer, reason, MALT_FRAME_CHANNEL_CLOSED, id);
  value = malt_channel_take (channel, NULL, &error);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED));
  CHECK (strstr (error->message, "the file has ended") != NULL);
  /* Nobody has it any more: what still comes for it is dropped. */
  g_clear_object (&channel);
  send_item (peer, id, 1);
  link_peer_write_value (peer, reason, MALT_FRAME_CHANNEL_CLOSED, id);
  future = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &call_id));
  link_peer_answer_int (peer, call_id, 1);
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (!link_peer_has_end (peer));
}

static void
a_channel_that_nobody_has_is_forgotten (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id = 0, credit = 0;
  g_autoptr (MaltChannel) channel = open_for (peer, &id, &credit);
  MaltFrameHeader header;
  g_autoptr (GBytes) body = NULL;

  CHECK (channel != NULL);
  g_clear_object (&channel);
  body = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_FORGET, &header);
  CHECK (body != NULL && header.id == id);
}

typedef struct
{
  MaltChannel *channel; /* (unowned) */
  gboolean is_put;
  gboolean is_ready;
  gboolean is_closed;
} Use;

static gpointer
use_channel (gpointer data)
{
  Use *use = data;
  g_autoptr (MaltValue) item = malt_value_new_int64 (8);

  use->is_put = malt_channel_put (use->channel, item, NULL, NULL);
  use->is_ready = malt_channel_is_ready (use->channel, NULL, NULL);
  use->is_closed = malt_channel_close (use->channel, NULL, NULL);
  return NULL;
}

static void
items_are_put_and_states_asked_for (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id = 0, credit = 0;
  g_autoptr (MaltChannel) channel = open_for (peer, &id, &credit);
  g_autoptr (MaltValue) nothing = malt_value_new_nothing ();
  g_autoptr (MaltValue) is_open = malt_value_new_bool (TRUE);
  g_autoptr (MaltValue) n_ready = malt_value_new_int64 (3);
  g_autoptr (MaltValue) state =
      malt_value_new_tuple ((MaltValue *[]){ is_open, n_ready }, 2);
  Use use = { .channel = channel };
  GThread *thread;
  MaltFrameHeader header;
  g_autoptr (GBytes) put = NULL;
  g_autoptr (GBytes) asked = NULL;
  g_autoptr (GBytes) closed = NULL;

  CHECK (channel != NULL);
  thread = g_thread_new ("user", use_channel, &use);
  put = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_PUT, &header);
  link_peer_write_value (peer, nothing, MALT_FRAME_OK, header.id);
  asked = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_STATE, &header);
  link_peer_write_value (peer, state, MALT_FRAME_OK, header.id);
  closed = link_peer_expect_body (peer, MALT_FRAME_CHANNEL_CLOSE, &header);
  link_peer_write_value (peer, nothing, MALT_FRAME_OK, header.id);
  g_thread_join (thread);
  CHECK (put != NULL && g_bytes_get_size (put) == 4 + 9);
  CHECK (asked != NULL && g_bytes_equal (asked, closed));
  CHECK (memcmp (g_bytes_get_data (put, NULL), &id, 4) == 0);
  CHECK (memcmp ((const guint8 *) g_bytes_get_data (put, NULL) + 4, "\x16\x08", 2) == 0);
  CHECK (use.is_put && use.is_ready && use.is_closed);
}

static const ProcessTest tests[] = {
  PROCESS_TEST (items_are_taken_and_pay_for_others),
  PROCESS_TEST (an_item_without_credit_ends_the_connection),
  PROCESS_TEST (a_closed_channel_says_why),
  PROCESS_TEST (a_channel_that_nobody_has_is_forgotten),
  PROCESS_TEST (items_are_put_and_states_asked_for),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "channels of a link", tests);
}
