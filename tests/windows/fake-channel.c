/* SPDX-License-Identifier: MIT */
/*
 * Channels of the fake. What opens one is a line, too:
 *
 *   count N        the numbers from 1 to N, and stays open
 *   closing N      the same, and is closed behind them
 *   failing TEXT   is closed with an exception at once
 *   greedy N       the numbers from 1 to N, whatever credit there is
 *   none           is no channel
 *
 * What is put into one comes back behind what is in it. Items wait for credit.
 */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  FakeJulia *julia; /* (unowned) */
  guint32 id;
  guint32 n_credit;
  GQueue items; /* of MaltValue (owned): still to be sent */
  gboolean is_closed; /* nothing can be put any more */
  char *reason; /* (owned) (nullable): that it was closed with */
} FakeChannel;

static GHashTable *channels; /* (owned) (nullable): id -> FakeChannel */

static void
channel_free (gpointer data)
{
  FakeChannel *channel = data;

  g_queue_clear_full (&channel->items, (GDestroyNotify) malt_value_unref);
  g_free (channel->reason);
  g_free (channel);
}

static FakeChannel *
find_channel (guint32 id)
{
  return channels != NULL ? g_hash_table_lookup (channels, GUINT_TO_POINTER (id)) : NULL;
}

/* Sending */

static void
send_item (FakeChannel *channel)
{
  g_autoptr (MaltValue) item = g_queue_pop_head (&channel->items);
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_value (&writer, item, NULL);
  fake_julia_send (channel->julia, &writer, MALT_FRAME_CHANNEL_ITEM, channel->id);
}

/* Frees the channel: nothing follows. */
static void
send_end (FakeChannel *channel)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, channel->reason);
  fake_julia_send (channel->julia, &writer, MALT_FRAME_CHANNEL_CLOSED, channel->id);
  g_hash_table_remove (channels, GUINT_TO_POINTER (channel->id));
}

/* As much as the host has given credit for. */
static void
push (FakeChannel *channel)
{
  for (; channel->n_credit > 0 && !g_queue_is_empty (&channel->items);
       channel->n_credit--)
    send_item (channel);
  if (channel->is_closed && g_queue_is_empty (&channel->items))
    send_end (channel);
}

/* Requests */

static void
fill (FakeChannel *channel, const char *number)
{
  gint64 n = g_ascii_strtoll (number, NULL, 10);

  for (gint64 i = 1; i <= n; i++)
    g_queue_push_tail (&channel->items, malt_value_new_int64 (i));
}

static void
open_channel (FakeJulia *julia, guint32 call_id, MaltWireReader *reader)
{
  FakeChannel *channel = g_new0 (FakeChannel, 1);
  g_autoptr (MaltValue) module = NULL;
  g_autofree char *source = NULL;
  g_auto (GStrv) words = NULL;

  channel->julia = julia;
  malt_wire_reader_take_u32 (reader, &channel->id, NULL);
  malt_wire_reader_take_u32 (reader, &channel->n_credit, NULL);
  module = malt_wire_reader_take_value (reader, NULL);
  source = malt_wire_reader_take_string_value (reader, NULL);
  words = fake_script_split (source, 2);
  if (strcmp (words[0], "none") == 0)
    {
      fake_julia_throw (julia, call_id, "ArgumentError", "expected a channel");
      channel_free (channel);
      return;
    }
  if (channels == NULL)
    channels = g_hash_table_new_full (NULL, NULL, NULL, channel_free);
  g_hash_table_insert (channels, GUINT_TO_POINTER (channel->id), channel);
  if (strcmp (words[0], "failing") == 0)
    channel->reason = g_strdup (words[1]);
  else
    fill (channel, words[1]);
  channel->is_closed = channel->reason != NULL || strcmp (words[0], "closing") == 0;
  if (strcmp (words[0], "greedy") == 0)
    channel->n_credit = G_MAXUINT32;
  fake_julia_answer (julia, call_id, malt_value_new_nothing ());
  push (channel);
}

static void
put (FakeJulia *julia, guint32 call_id, MaltWireReader *reader)
{
  guint32 id = 0;
  FakeChannel *channel;

  malt_wire_reader_take_u32 (reader, &id, NULL);
  channel = find_channel (id);
  if (channel == NULL || channel->is_closed)
    {
      fake_julia_throw (julia, call_id, "InvalidStateException", "Channel is closed.");
      return;
    }
  g_queue_push_tail (&channel->items, malt_wire_reader_take_value (reader, NULL));
  fake_julia_answer (julia, call_id, malt_value_new_nothing ());
  push (channel);
}

static void
close_channel (FakeJulia *julia, guint32 call_id, FakeChannel *channel)
{
  fake_julia_answer (julia, call_id, malt_value_new_nothing ());
  if (channel == NULL)
    return;
  channel->is_closed = TRUE;
  push (channel);
}

static void
tell_state (FakeJulia *julia, guint32 call_id, const FakeChannel *channel)
{
  g_autoptr (MaltValue) is_open =
      malt_value_new_bool (channel != NULL && !channel->is_closed);
  g_autoptr (MaltValue) n_ready =
      malt_value_new_int64 (channel != NULL ? channel->items.length : 0);

  fake_julia_answer (julia, call_id,
                     malt_value_new_tuple ((MaltValue *[]){ is_open, n_ready }, 2));
}

static guint32
read_u32 (MaltWireReader *reader)
{
  guint32 number = 0;

  malt_wire_reader_take_u32 (reader, &number, NULL);
  return number;
}

gboolean
fake_channel_handle (FakeJulia *julia, const MaltFrameHeader *header, GBytes *body)
{
  g_auto (MaltWireReader) reader;
  FakeChannel *channel;

  malt_wire_reader_init (&reader, body, NULL);
  switch (header->kind)
    {
    case MALT_FRAME_CHANNEL_OPEN:
      open_channel (julia, header->id, &reader);
      return TRUE;
    case MALT_FRAME_CHANNEL_CREDIT:
      channel = find_channel (header->id);
      if (channel != NULL)
        {
          channel->n_credit += read_u32 (&reader);
          push (channel);
        }
      return TRUE;
    case MALT_FRAME_CHANNEL_PUT:
      put (julia, header->id, &reader);
      return TRUE;
    case MALT_FRAME_CHANNEL_CLOSE:
      close_channel (julia, header->id, find_channel (read_u32 (&reader)));
      return TRUE;
    case MALT_FRAME_CHANNEL_STATE:
      tell_state (julia, header->id, find_channel (read_u32 (&reader)));
      return TRUE;
    case MALT_FRAME_CHANNEL_FORGET:
      if (channels != NULL)
        g_hash_table_remove (channels, GUINT_TO_POINTER (header->id));
      return TRUE;
    default:
      return FALSE;
    }
}
