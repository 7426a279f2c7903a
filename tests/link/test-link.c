/* SPDX-License-Identifier: MIT */
/* A link against a runtime that the test plays: order, who reads, large frames, and what
 * breaks the protocol. */
#include "link-peer.h"

#include "platform/malt-socket.h"

#include <string.h>

static MaltFuture *
start_eval (LinkPeer *peer, const char *source)
{
  return malt_worker_remote_eval (peer->worker, NULL, source);
}

static gboolean
is_done (gpointer future)
{
  return malt_future_is_done (future);
}

static gint64
get_int (MaltFuture *future)
{
  g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, NULL);
  return value != NULL ? malt_value_get_int64 (value) : -1;
}

static void
calls_are_sent_in_order_and_answered_in_any (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) first = start_eval (peer, "1");
  g_autoptr (MaltFuture) second = start_eval (peer, "2");
  guint32 ids[2];

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &ids[0]));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &ids[1]));
  CHECK (ids[0] == malt_future_get_id (first) && ids[1] == malt_future_get_id (second));
  link_peer_answer_int (peer, ids[1], 2);
  link_peer_answer_int (peer, ids[0], 1);
  CU_ASSERT_EQUAL (get_int (first), 1);
  CU_ASSERT_EQUAL (get_int (second), 2);
}

static gpointer
answer_one (gpointer data)
{
  LinkPeer *peer = data;
  guint32 id;

  if (link_peer_expect (peer, MALT_FRAME_EVAL, &id))
    {
      g_usleep (20000);
      link_peer_answer_int (peer, id, 7);
    }
  return NULL;
}

/* The thread for input and output may be quicker than a caller that has not begun to
 * read; never each time. */
static void
blocking_caller_reads_its_own_answer (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  MaltLinkCounters counters = { 0 };

  for (int i = 0; i < 50 && counters.n_driven == 0; i++)
    {
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("peer", answer_one, peer);
      g_autoptr (MaltValue) value =
          malt_worker_remote_eval_fetch (peer->worker, NULL, "7", NULL, &error);

      g_thread_join (thread);
      CHECK_NO_ERROR (error);
      CU_ASSERT_EQUAL (malt_value_get_int64 (value), 7);
      malt_link_get_counters (peer->link, &counters);
      CU_ASSERT_EQUAL (counters.n_outstanding, 0);
    }
  CU_ASSERT_EQUAL (counters.n_driven, 1);
}

static gpointer
complete_from_elsewhere (gpointer future)
{
  g_usleep (20000);
  malt_future_cancel (future);
  return NULL;
}

static void
blocking_caller_wakes_when_another_thread_gives_the_call_up (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) future = start_eval (peer, "1");
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("canceller", complete_from_elsewhere, future);
  g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  g_thread_join (thread);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
}

static void
large_requests_arrive_whole (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  const gsize n = (gsize) 4 << 20;
  g_autofree gint64 *numbers = g_new (gint64, n);
  g_autoptr (MaltValue) array = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;
  const guint8 *bytes;
  gsize n_bytes;

  for (gsize i = 0; i < n; i++)
    numbers[i] = (gint64) (i * 2654435761u);
  array = malt_value_new_array (MALT_VALUE_INT64, &n, 1, numbers, n * sizeof *numbers);
  future = malt_worker_remote_eval_value (peer->worker, NULL, array);
  CHECK (link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body));
  CU_ASSERT_EQUAL (header.id, malt_future_get_id (future));
  bytes = g_bytes_get_data (body, &n_bytes);
  CHECK (n_bytes > n * sizeof *numbers + 16);
  CHECK (memcmp (bytes + 16, numbers, n * sizeof *numbers) == 0);
}

static void
large_answers_arrive_whole_although_in_pieces (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) future = start_eval (peer, "text");
  const gsize n = (gsize) 3 << 20;
  g_autofree char *text = g_malloc (n);
  guint8 head[MALT_FRAME_HEADER_BYTES + 9];
  MaltFrameHeader header = { .kind = MALT_FRAME_OK, .n_body_bytes = n + 9 };
  g_autoptr (MaltValue) value = NULL;
  guint64 n_text = n;
  gsize n_received;

  for (gsize i = 0; i < n; i++)
    text[i] = (char) ('a' + i % 23);
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &header.id));
  malt_frame_header_write (&header, head);
  head[MALT_FRAME_HEADER_BYTES] = 0x20;
  memcpy (head + MALT_FRAME_HEADER_BYTES + 1, &n_text, 8);
  for (gsize i = 0; i < sizeof head; i++)
    link_peer_write_raw (peer, head + i, 1);
  for (gsize i = 0; i < n; i += 100000)
    link_peer_write_raw (peer, text + i, MIN (n - i, 100000));
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL && malt_value_get_kind (value) == MALT_VALUE_STRING);
  CHECK (memcmp (malt_value_get_string (value, &n_received), text, n) == 0);
  CU_ASSERT_EQUAL (n_received, n);
}

static void
several_answers_in_one_piece_are_told_apart (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  MaltFuture *futures[50];

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    futures[i] = start_eval (peer, "1");
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      guint32 id;
      CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
      link_peer_answer_int (peer, id, i);
    }
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      CU_ASSERT_EQUAL (get_int (futures[i]), i);
      g_object_unref (futures[i]);
    }
}

static void
exceptions_of_calls_nobody_waits_for_are_reported (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "error()");
  g_autoptr (MaltFuture) behind = NULL;
  g_autofree char *output = NULL;
  guint32 id;

  CHECK (malt_worker_remote_do (peer->worker, call, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
  link_peer_answer_exception (peer, id, "ErrorException");
  behind = start_eval (peer, "1");
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
  link_peer_answer_int (peer, id, 1);
  CU_ASSERT_EQUAL (get_int (behind), 1);
  output = link_peer_dup_output (peer);
  CU_ASSERT_STRING_EQUAL (output, "ERROR: message\nStacktrace:\n");
}

/* What breaks the protocol */

static gboolean
has_end (gpointer peer)
{
  g_autofree char *end = link_peer_dup_end (peer);
  return end != NULL;
}

/* Sends a frame to a link with one call outstanding, and says how it ended. */
static char *
end_by (const MaltFrameHeader *header, guint16 zero, gconstpointer body,
        gsize n_body_bytes)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_eval (peer, "1");
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  malt_frame_header_write (header, bytes);
  memcpy (bytes + 14, &zero, 2);
  link_peer_expect (peer, MALT_FRAME_EVAL, NULL);
  link_peer_write_raw (peer, bytes, sizeof bytes);
  link_peer_write_raw (peer, body, n_body_bytes);
  if (!process_test_wait (has_end, peer, PROCESS_TEST_PATIENCE_MS))
    return NULL;
  return link_peer_dup_end (peer);
}

static void
broken_frames_end_the_connection (void)
{
  const guint8 nothing = 0x01;
  const guint8 nonsense[3] = { 0xff, 0xff, 0xff };
  const struct
  {
    MaltFrameHeader header;
    guint16 zero;
    const guint8 *body;
    gsize n_body_bytes;
    const char *text;
  } cases[] = {
    { { 1, 99, MALT_FRAME_OK, 0 }, 0, &nothing, 1, "not outstanding" },
    { { 0, 1, (MaltFrameKind) 0x99, 0 }, 0, NULL, 0, "kind" },
    { { 0, 1, MALT_FRAME_PONG, 0 }, 7, NULL, 0, "0" },
    { { 0, 1, MALT_FRAME_PONG, 3 }, 0, NULL, 0, "flags" },
    { { G_GUINT64_CONSTANT (1) << 40, 1, MALT_FRAME_OK, 0 }, 0, NULL, 0, "bytes" },
    { { 3, 1, MALT_FRAME_OK, 0 }, 0, nonsense, 3, "" },
    { { 0, 1, MALT_FRAME_EVAL, 0 }, 0, NULL, 0, "from the runtime" },
    { { 1, 1, MALT_FRAME_ACK, 0 }, 0, &nothing, 1, "not asked for" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *end =
          end_by (&cases[i].header, cases[i].zero, cases[i].body, cases[i].n_body_bytes);
      CHECK (end != NULL);
      if (*end == '\0' || strstr (end, cases[i].text) == NULL)
        g_printerr ("\ncase %zu: '%s'\n", i, end);
      CU_ASSERT (*end != '\0' && strstr (end, cases[i].text) != NULL);
    }
}

static void
end_of_the_stream_is_told (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autofree char *end = NULL;
  int fd = peer->fd;

  peer->fd = -1;
  malt_socket_end (fd);
  CHECK (process_test_wait (has_end, peer, PROCESS_TEST_PATIENCE_MS));
  end = link_peer_dup_end (peer);
  CU_ASSERT_STRING_EQUAL (end, "");
  malt_socket_close (fd);
}

static void
end_of_the_stream_is_told_while_a_caller_reads (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) future = start_eval (peer, "1");
  g_autoptr (GError) error = NULL;

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
  malt_socket_end (peer->fd);
  /* The owner would now end the worker; here nobody does. */
  CHECK (!malt_future_wait (future, 100, NULL, &error));
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  CHECK (process_test_wait (has_end, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (!process_test_wait (is_done, future, 10));
}

#define UNREADABLE_BYTES ((gsize) 1 << 20)

static void
unmap (gpointer memory)
{
  process_test_unmap (memory, UNREADABLE_BYTES);
}

/* An array whose bytes cannot be read. */
static MaltValue *
unreadable_array_new (void)
{
  gpointer memory = process_test_map_unreadable (UNREADABLE_BYTES);
  g_autoptr (GBytes) bytes =
      g_bytes_new_with_free_func (memory, UNREADABLE_BYTES, unmap, memory);
  const gsize n = UNREADABLE_BYTES;

  return malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n, 1, bytes, NULL);
}

static void
what_cannot_be_sent_ends_the_connection (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltValue) array = unreadable_array_new ();
  G_GNUC_UNUSED g_autoptr (MaltFuture) first = start_eval (peer, "1");
  g_autoptr (MaltFuture) unsendable = NULL;
  g_autoptr (MaltFuture) next = NULL;
  g_autofree char *end = NULL;
  MaltFrameHeader header;
  g_autoptr (GBytes) body = NULL;

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
  unsendable = malt_worker_remote_eval_value (peer->worker, NULL, array);
  next = start_eval (peer, "2");
  CHECK (process_test_wait (has_end, peer, PROCESS_TEST_PATIENCE_MS));
  end = link_peer_dup_end (peer);
  CU_ASSERT_STRING_EQUAL (end, "");
  CHECK (!malt_future_is_done (unsendable) && !malt_future_is_done (next));
  /* Nothing follows the frame that was cut off. */
  CHECK (!link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body));
}

typedef struct
{
  LinkPeer *peer; /* (unowned) */
  gint is_sent; /* atomic */
} Release;

static void
send_another (gpointer data)
{
  Release *self = data;
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "2");

  malt_worker_remote_do (self->peer->worker, call, NULL);
  g_atomic_int_set (&self->is_sent, TRUE);
}

static gboolean
is_sent (gpointer data)
{
  return g_atomic_int_get (&((Release *) data)->is_sent);
}

static void
memory_of_a_request_may_send_another_when_it_is_freed (void)
{
  static const guint8 zeros[(gsize) 4 << 20];
  const gsize n = sizeof zeros;
  g_autoptr (LinkPeer) peer = link_peer_new ();
  static Release release;
  MaltFrameHeader header;

  release.peer = peer;
  {
    g_autoptr (GBytes) bytes =
        g_bytes_new_with_free_func (zeros, n, send_another, &release);
    g_autoptr (MaltValue) array =
        malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n, 1, bytes, NULL);
    g_autoptr (MaltCall) call = malt_call_new_eval_value (NULL, array);
    CHECK (malt_worker_remote_do (peer->worker, call, NULL));
  }
  /* The socket has not taken all of it: the queue has the last reference. */
  CHECK (!is_sent (&release));
  {
    g_autoptr (GBytes) body = NULL;
    CHECK (link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body));
  }
  CHECK (process_test_wait (is_sent, &release, PROCESS_TEST_PATIENCE_MS));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
}

static const ProcessTest tests[] = {
  { "calls_are_sent_in_order_and_answered_in_any",
    calls_are_sent_in_order_and_answered_in_any },
  { "blocking_caller_reads_its_own_answer", blocking_caller_reads_its_own_answer },
  { "blocking_caller_wakes_when_another_thread_gives_the_call_up",
    blocking_caller_wakes_when_another_thread_gives_the_call_up },
  { "large_requests_arrive_whole", large_requests_arrive_whole },
  { "large_answers_arrive_whole_although_in_pieces",
    large_answers_arrive_whole_although_in_pieces },
  { "several_answers_in_one_piece_are_told_apart",
    several_answers_in_one_piece_are_told_apart },
  { "exceptions_of_calls_nobody_waits_for_are_reported",
    exceptions_of_calls_nobody_waits_for_are_reported },
  { "broken_frames_end_the_connection", broken_frames_end_the_connection },
  { "end_of_the_stream_is_told", end_of_the_stream_is_told },
  { "end_of_the_stream_is_told_while_a_caller_reads",
    end_of_the_stream_is_told_while_a_caller_reads },
  { "what_cannot_be_sent_ends_the_connection", what_cannot_be_sent_ends_the_connection },
  { "memory_of_a_request_may_send_another_when_it_is_freed",
    memory_of_a_request_may_send_another_when_it_is_freed },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "link", tests);
}
