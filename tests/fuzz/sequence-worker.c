/* SPDX-License-Identifier: MIT */
/* The worker of a session: what it has been sent, and what it says. */
#include "sequence.h"

#include "fuzz-mutate.h"
#include "malt-vectors.h"

#include <string.h>
#include <sys/socket.h>

enum
{
  LARGE_BYTES = 200 * 1000, /* more than the buffer of a link */
  MAPPED_BYTES = 1500 * 1000 /* so much is mapped */
};

/* Bodies of frames */

static void
put_number (MaltWireWriter *writer, gint64 number)
{
  g_autoptr (MaltValue) value = malt_value_new_int64 (number);

  malt_wire_writer_put_value (writer, value, NULL);
}

/* A value that a vector holds, as it stands there. */
static void
put_vector (Sequence *sequence, MaltWireWriter *writer)
{
  GBytes *body = fuzz_pick (sequence->random, sequence->bodies);

  malt_wire_writer_put_raw (writer, g_bytes_get_data (body, NULL),
                            g_bytes_get_size (body));
}

static void
put_large (Sequence *sequence, MaltWireWriter *writer)
{
  gsize n = sequence_pick (sequence, 8) == 0 ? MAPPED_BYTES : LARGE_BYTES;
  g_autofree guint8 *bytes = g_malloc0 (n);
  g_autoptr (MaltValue) array = malt_value_new_array (MALT_VALUE_UINT8, &n, 1, bytes, n);

  malt_wire_writer_set_lends (writer, sequence->is_memory);
  malt_wire_writer_put_value (writer, array, NULL);
}

/* Of a type named T; the same number may be sent again. */
static void
put_handle (Sequence *sequence, MaltWireWriter *writer)
{
  guint64 id = sequence_pick (sequence, 4) == 0 && sequence->last_handle > 0
                   ? sequence->last_handle
                   : ++sequence->last_handle;
  gpointer key = GSIZE_TO_POINTER (id);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (sequence->handles, key));

  malt_wire_writer_put_u8 (writer, 0x2f);
  malt_wire_writer_put_u64 (writer, id);
  malt_wire_writer_put_u32 (writer, 0);
  malt_wire_writer_put_u8 (writer, 1);
  malt_wire_writer_put_u8 (writer, 0);
  malt_wire_writer_put_text (writer, "T", 1);
  malt_wire_writer_put_u32 (writer, 0);
  malt_wire_writer_put_u8 (writer, 1);
  malt_wire_writer_put_text (writer, "", 0);
  g_hash_table_insert (sequence->handles, key, GUINT_TO_POINTER (n + 1));
}

static void
put_error (MaltWireWriter *writer, guint8 class, const char *type)
{
  malt_wire_writer_put_u8 (writer, class);
  malt_wire_writer_put_string_value (writer, type);
  malt_wire_writer_put_string_value (writer, "message \xff");
  malt_wire_writer_put_string_value (writer, "Stacktrace:");
  malt_wire_writer_put_u32 (writer, 1);
}

/* What the host has sent */

static SequenceCall *
find_call (Sequence *sequence, guint32 id)
{
  for (guint i = 0; i < sequence->calls->len; i++)
    if (g_array_index (sequence->calls, SequenceCall, i).id == id)
      return &g_array_index (sequence->calls, SequenceCall, i);
  return NULL;
}

static SequenceSource *
find_source (Sequence *sequence, guint32 id)
{
  for (guint i = 0; i < sequence->sources->len; i++)
    if (g_array_index (sequence->sources, SequenceSource, i).id == id)
      return &g_array_index (sequence->sources, SequenceSource, i);
  return NULL;
}

static void
add_call (Sequence *sequence, const MaltFrameHeader *header, gint64 number)
{
  SequenceCall call = { header->id, header->kind, header->flags & MALT_FRAME_MODE_MASK,
                        number, FALSE };

  if (find_call (sequence, header->id) != NULL)
    sequence_find (sequence, "call %u was sent twice", header->id);
  g_array_append_val (sequence->calls, call);
}

/* The source of an evaluation is a number; anything else is a request without one. */
static void
on_eval (Sequence *sequence, const MaltFrameHeader *header, MaltWireReader *reader)
{
  g_autoptr (MaltValue) module = malt_wire_reader_take_value (reader, NULL);
  g_autoptr (MaltValue) source = malt_wire_reader_take_value (reader, NULL);
  gint64 number = -1;

  if (module == NULL || source == NULL)
    sequence_find (sequence, "an evaluation cannot be read");
  else if (malt_value_get_kind (source) == MALT_VALUE_STRING)
    number = g_ascii_strtoll (malt_value_get_string (source, NULL), NULL, 10);
  add_call (sequence, header, number);
}

/* The address of the memory is that of the GBytes which keeps it. */
static GBytes *
borrow (gconstpointer data, gsize n_bytes, guint64 owner)
{
  return g_bytes_new_with_free_func (data, n_bytes, (GDestroyNotify) g_bytes_unref,
                                     g_bytes_ref (GSIZE_TO_POINTER (owner)));
}

/* The last argument is a number, the first perhaps an array that is filled with it. */
static gint64
read_arguments (MaltValue *arguments)
{
  gsize n = malt_value_get_n_children (arguments);
  g_autoptr (MaltValue) first = n > 1 ? malt_value_dup_child (arguments, 0) : NULL;
  g_autoptr (MaltValue) last = n > 0 ? malt_value_dup_child (arguments, n - 1) : NULL;
  gint64 number = last != NULL ? malt_value_get_int64 (last) : -1;
  const guint8 *bytes;
  gsize n_bytes;

  if (first == NULL || malt_value_get_kind (first) != MALT_VALUE_ARRAY)
    return number;
  bytes = malt_value_get_array_data (first, &n_bytes);
  for (gsize i = 0; i < n_bytes; i++)
    if (bytes[i] != (guint8) number)
      return -1;
  return number;
}

static void
on_call (Sequence *sequence, const MaltFrameHeader *header, MaltWireReader *reader)
{
  g_autoptr (MaltValue) function = NULL;
  g_autoptr (MaltValue) arguments = NULL;
  gint64 number = -1;

  if (sequence->is_memory)
    malt_wire_reader_set_borrow (reader, borrow);
  function = malt_wire_reader_take_value (reader, NULL);
  arguments = function != NULL ? malt_wire_reader_take_value (reader, NULL) : NULL;
  if (arguments != NULL)
    number = read_arguments (arguments);
  if (number < 0)
    sequence_find (sequence, "the arguments of call %u are not those of the host",
                   header->id);
  add_call (sequence, header, number);
}

static void
on_channel_open (Sequence *sequence, const MaltFrameHeader *header,
                 MaltWireReader *reader)
{
  SequenceSource source = { 0 };

  malt_wire_reader_take_u32 (reader, &source.id, NULL);
  malt_wire_reader_take_u32 (reader, &source.n_credit, NULL);
  g_array_append_val (sequence->sources, source);
  add_call (sequence, header, -1);
}

static void
on_channel_credit (Sequence *sequence, guint32 id, MaltWireReader *reader)
{
  SequenceSource *source = find_source (sequence, id);
  guint32 n_credit = 0;

  malt_wire_reader_take_u32 (reader, &n_credit, NULL);
  if (source != NULL)
    source->n_credit += n_credit;
}

static void
forget_source (Sequence *sequence, guint32 id)
{
  for (guint i = 0; i < sequence->sources->len; i++)
    if (g_array_index (sequence->sources, SequenceSource, i).id == id)
      g_array_remove_index_fast (sequence->sources, i--);
}

static void
on_release (Sequence *sequence, MaltWireReader *reader)
{
  guint64 id;

  while (malt_wire_reader_take_u64 (reader, &id, NULL))
    {
      gpointer key = GSIZE_TO_POINTER (id);
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (sequence->handles, key));

      if (n == 0 && sequence->is_calm)
        sequence_find (sequence, "handle %" G_GUINT64_FORMAT " was released too often",
                       id);
      g_hash_table_insert (sequence->handles, key, GUINT_TO_POINTER (MAX (n, 1) - 1));
      if (n <= 1)
        g_hash_table_remove (sequence->handles, key);
    }
}

static void
on_export (Sequence *sequence, const MaltFrameHeader *header, MaltWireReader *reader)
{
  g_autofree char *name = malt_wire_reader_take_string_value (reader, NULL);

  if (header->flags & MALT_FRAME_EXPORT_IS_OVER)
    return;
  add_call (sequence, header, -1);
  find_call (sequence, header->id)->is_seven = g_strcmp0 (name, "seven") == 0;
}

static void
on_host_result (Sequence *sequence, const MaltFrameHeader *header, MaltWireReader *reader)
{
  gpointer key = GUINT_TO_POINTER (header->id);
  gpointer expected;
  g_autoptr (MaltValue) value = NULL;

  if (!g_hash_table_steal_extended (sequence->host_calls, key, NULL, &expected))
    {
      if (sequence->is_calm)
        sequence_find (sequence, "host call %u has two results", header->id);
      return;
    }
  if (!sequence->is_calm || GPOINTER_TO_INT (expected) < 0)
    return;
  if (header->flags == 0)
    value = malt_wire_reader_take_value (reader, NULL);
  if (value == NULL || malt_value_get_int64 (value) != GPOINTER_TO_INT (expected))
    sequence_find (sequence, "the result of host call %u is wrong", header->id);
}

static void
take_frame (Sequence *sequence, const MaltFrameHeader *header, GBytes *body)
{
  g_auto (MaltWireReader) reader;

  malt_wire_reader_init (&reader, body, NULL);
  sequence_trace (sequence, sequence->is_memory ? "taken" : "read", header);
  switch (header->kind)
    {
    case MALT_FRAME_EVAL:
      on_eval (sequence, header, &reader);
      break;
    case MALT_FRAME_CALL:
      on_call (sequence, header, &reader);
      break;
    case MALT_FRAME_INTERRUPT:
      g_array_append_val (sequence->interrupts, header->id);
      break;
    case MALT_FRAME_CHANNEL_OPEN:
      on_channel_open (sequence, header, &reader);
      break;
    case MALT_FRAME_CHANNEL_CREDIT:
      on_channel_credit (sequence, header->id, &reader);
      break;
    case MALT_FRAME_NATIVE:
    case MALT_FRAME_CHANNEL_PUT:
    case MALT_FRAME_CHANNEL_CLOSE:
    case MALT_FRAME_CHANNEL_STATE:
      add_call (sequence, header, -1);
      break;
    case MALT_FRAME_CHANNEL_FORGET:
      forget_source (sequence, header->id);
      break;
    case MALT_FRAME_RELEASE:
      on_release (sequence, &reader);
      break;
    case MALT_FRAME_EXPORT:
      on_export (sequence, header, &reader);
      break;
    case MALT_FRAME_HOST_RESULT:
      on_host_result (sequence, header, &reader);
      break;
    default:
      break;
    }
}

/* What the socket holds: a host that has met an error may leave a frame unfinished. */
static void
receive (Sequence *sequence)
{
  guint8 bytes[65536];
  ssize_t n;

  while ((n = recv (sequence->peer->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    g_byte_array_append (sequence->incoming, bytes, (guint) n);
  if (n == 0)
    sequence->is_silent = TRUE;
}

static gboolean
cut_frame (Sequence *sequence, MaltFrameHeader *out_header, GBytes **out_body)
{
  GByteArray *incoming = sequence->incoming;
  gsize n_bytes;

  if (incoming->len < MALT_FRAME_HEADER_BYTES)
    return FALSE;
  if (!malt_frame_header_parse (incoming->data, MALT_FRAME_DEFAULT_MAX_BYTES, out_header,
                                NULL))
    {
      sequence_find (sequence, "the host has sent what is no frame");
      return FALSE;
    }
  n_bytes = MALT_FRAME_HEADER_BYTES + out_header->n_body_bytes;
  if (incoming->len < n_bytes)
    return FALSE;
  *out_body =
      g_bytes_new (incoming->data + MALT_FRAME_HEADER_BYTES, out_header->n_body_bytes);
  g_byte_array_remove_range (incoming, 0, (guint) n_bytes);
  return TRUE;
}

static gboolean
read_frame (Sequence *sequence)
{
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;
  gboolean is_whole = sequence->is_memory
                          ? link_peer_read (sequence->peer, 0, &header, &body)
                          : cut_frame (sequence, &header, &body);

  if (is_whole)
    take_frame (sequence, &header, body);
  return is_whole;
}

void
sequence_worker_read (Sequence *sequence)
{
  if (!sequence->is_memory && !sequence->is_silent)
    receive (sequence);
  while (read_frame (sequence))
    {
    }
}

/* What it says */

static void
note_hit (Sequence *sequence, guint32 id)
{
  g_hash_table_add (sequence->hit, GUINT_TO_POINTER (id));
}

static void
send_error (Sequence *sequence, guint32 id, gboolean is_interrupt)
{
  g_auto (MaltWireWriter) writer = { 0 };
  guint8 class = (guint8) (1 + sequence_pick (sequence, is_interrupt ? 1 : 3));

  malt_wire_writer_init (&writer, NULL);
  if (is_interrupt)
    note_hit (sequence, id);
  put_error (&writer, class, is_interrupt ? "InterruptException" : "ErrorException");
  sequence_send (sequence, &writer, MALT_FRAME_ERROR,
                 is_interrupt ? MALT_FRAME_WAS_INTERRUPTED : 0, id);
}

static void
put_answer (Sequence *sequence, const SequenceCall *call, MaltWireWriter *writer)
{
  g_autofree char *text = NULL;

  if (call->mode == MALT_FRAME_MODE_HANDLE)
    put_handle (sequence, writer);
  else if (call->kind == MALT_FRAME_CHANNEL_STATE)
    {
      g_autoptr (MaltValue) is_open = malt_value_new_bool (TRUE);
      g_autoptr (MaltValue) n_ready = malt_value_new_int64 (3);
      g_autoptr (MaltValue) state =
          malt_value_new_tuple ((MaltValue *[]){ is_open, n_ready }, 2);
      malt_wire_writer_put_value (writer, state, NULL);
    }
  else if (call->number < 0 || call->mode == MALT_FRAME_MODE_NOTHING)
    malt_wire_writer_put_nothing (writer);
  else if (call->mode == MALT_FRAME_MODE_DISPLAY)
    {
      text = g_strdup_printf ("%" G_GINT64_FORMAT, call->number);
      malt_wire_writer_put_string_value (writer, text);
    }
  else
    put_number (writer, call->number);
}

/* As it was asked for; perhaps it fails, or it is something else. */
static void
answer (Sequence *sequence, SequenceCall call, gboolean is_plain)
{
  g_auto (MaltWireWriter) writer = { 0 };
  gboolean may_fail = !is_plain && call.kind != MALT_FRAME_EXPORT;
  guint choice = may_fail ? sequence_pick (sequence, 10) : 0;

  malt_wire_writer_init (&writer, NULL);
  if (choice == 9)
    {
      send_error (sequence, call.id, FALSE);
      return;
    }
  if (choice == 8 && call.number >= 0)
    put_vector (sequence, &writer);
  else if (choice == 7 && call.number >= 0)
    put_large (sequence, &writer);
  else
    {
      put_answer (sequence, &call, &writer);
      if (call.number >= 0)
        g_hash_table_add (sequence->answered, GSIZE_TO_POINTER ((gsize) call.number));
    }
  sequence_send (sequence, &writer, MALT_FRAME_OK, 0, call.id);
  sequence->has_seven = sequence->has_seven || call.is_seven;
}

static gboolean
answer_one (Sequence *sequence, gboolean is_plain)
{
  guint i;
  SequenceCall call;

  if (sequence->calls->len == 0)
    return FALSE;
  i = sequence_pick (sequence, sequence->calls->len);
  call = g_array_index (sequence->calls, SequenceCall, i);
  g_array_remove_index_fast (sequence->calls, i);
  answer (sequence, call, is_plain);
  return TRUE;
}

static gboolean
acknowledge_one (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  gboolean is_hit;
  guint32 id;

  if (sequence->interrupts->len == 0)
    return FALSE;
  id = g_array_index (sequence->interrupts, guint32, 0);
  g_array_remove_index (sequence->interrupts, 0);
  is_hit = find_call (sequence, id) != NULL && sequence_pick (sequence, 3) > 0;
  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer,
                           is_hit ? MALT_FRAME_ACK_DELIVERED : MALT_FRAME_ACK_GONE);
  if (is_hit)
    note_hit (sequence, id);
  sequence_send (sequence, &writer, MALT_FRAME_ACK, 0, id);
  if (!is_hit)
    return TRUE;
  for (guint i = 0; i < sequence->calls->len; i++)
    if (g_array_index (sequence->calls, SequenceCall, i).id == id)
      g_array_remove_index_fast (sequence->calls, i--);
  send_error (sequence, id, TRUE);
  return TRUE;
}

static void
send_item (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  SequenceSource *source;

  if (sequence->sources->len == 0)
    return;
  source = &g_array_index (sequence->sources, SequenceSource,
                           sequence_pick (sequence, sequence->sources->len));
  if (source->n_credit == 0 && sequence->is_calm)
    return;
  if (source->n_credit > 0)
    source->n_credit--;
  malt_wire_writer_init (&writer, NULL);
  if (sequence->is_calm || sequence_pick (sequence, 3) > 0)
    put_number (&writer, source->n_sent++);
  else
    put_vector (sequence, &writer);
  sequence_send (sequence, &writer, MALT_FRAME_CHANNEL_ITEM, 0, source->id);
}

static void
close_source (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  guint32 id;

  if (sequence->sources->len == 0)
    return;
  id = g_array_index (sequence->sources, SequenceSource,
                      sequence_pick (sequence, sequence->sources->len))
           .id;
  malt_wire_writer_init (&writer, NULL);
  switch (sequence_pick (sequence, sequence->is_calm ? 2 : 3))
    {
    case 0:
      malt_wire_writer_put_nothing (&writer);
      break;
    case 1:
      malt_wire_writer_put_string_value (&writer, "closed by the worker");
      break;
    default:
      put_number (&writer, 1);
      break;
    }
  sequence_send (sequence, &writer, MALT_FRAME_CHANNEL_CLOSED, 0, id);
  forget_source (sequence, id);
}

static const char *
pick_function (Sequence *sequence)
{
  static const char *const names[] = { "seven", "fail", "sum", "nobody" };

  return names[sequence_pick (sequence, G_N_ELEMENTS (names))];
}

/* `seven` gives seven times the number, once it was bound. */
static void
call_host (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  g_autoptr (MaltValue) number = malt_value_new_int64 (sequence_pick (sequence, 1000));
  g_autoptr (MaltValue) arguments = malt_value_new_tuple (&number, 1);
  const char *name = pick_function (sequence);
  gboolean is_seven = strcmp (name, "seven") == 0 && sequence->has_seven;
  guint32 id = ++sequence->last_host_call;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, name);
  if (sequence->is_calm || sequence_pick (sequence, 3) > 0)
    malt_wire_writer_put_value (&writer, arguments, NULL);
  else
    put_vector (sequence, &writer);
  if (sequence->is_calm || sequence_pick (sequence, 3) > 0)
    malt_wire_writer_put_nothing (&writer);
  else
    put_vector (sequence, &writer);
  g_hash_table_insert (
      sequence->host_calls, GUINT_TO_POINTER (id),
      GINT_TO_POINTER (is_seven ? (gint) malt_value_get_int64 (number) * 7 : -1));
  sequence_send (sequence, &writer, MALT_FRAME_HOST_CALL, 0, id);
}

static void
print (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };
  guint n_bytes = sequence_pick (sequence, 2) * sequence_pick (sequence, 300);
  guint8 stream = (guint8) (1 + sequence_pick (sequence, sequence->is_calm ? 2 : 3));

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, stream);
  for (guint i = 0; i < n_bytes; i++)
    malt_wire_writer_put_u8 (&writer, (guint8) sequence_pick (sequence, 256));
  sequence_send (sequence, &writer, MALT_FRAME_OUTPUT, 0, sequence_pick (sequence, 5));
}

static void
send_empty (Sequence *sequence)
{
  g_auto (MaltWireWriter) writer = { 0 };

  malt_wire_writer_init (&writer, NULL);
  sequence_send (sequence, &writer,
                 sequence_pick (sequence, 2) == 0 ? MALT_FRAME_PONG : MALT_FRAME_LOADING,
                 0, 0);
}

void
sequence_worker_step (Sequence *sequence)
{
  sequence_worker_read (sequence);
  switch (sequence_pick (sequence, 20))
    {
    case 0:
    case 1:
    case 2:
      acknowledge_one (sequence);
      break;
    case 3:
    case 4:
    case 5:
      send_item (sequence);
      break;
    case 6:
      close_source (sequence);
      break;
    case 7:
    case 8:
      call_host (sequence);
      break;
    case 9:
      print (sequence);
      break;
    case 10:
      send_empty (sequence);
      break;
    case 11:
      sequence_send_kept (sequence);
      break;
    case 12:
      if (!sequence->is_calm)
        sequence_send_nonsense (sequence);
      break;
    default:
      answer_one (sequence, FALSE);
      break;
    }
}

gboolean
sequence_worker_serve (Sequence *sequence)
{
  sequence_worker_read (sequence);
  while (answer_one (sequence, TRUE) || acknowledge_one (sequence))
    {
    }
  return sequence->calls->len > 0 || sequence->interrupts->len > 0 ||
         g_hash_table_size (sequence->host_calls) > 0;
}
