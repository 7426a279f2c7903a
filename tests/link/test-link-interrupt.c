/* SPDX-License-Identifier: MIT */
/* Escalation of interrupts, against a runtime that the test plays: when a signal is sent,
 * and when none may be. */
#include "link-interrupt.h"
#include "link/malt-link-private.h"
#include "value/malt-value-private.h"

#include <string.h>

static void
waiting_call_is_hit_without_a_signal (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 meant;
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &meant));
  CU_ASSERT_EQUAL (meant, id);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
call_that_ends_by_itself_is_gone (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_answer_int (peer, id, 1);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
idle_worker_is_never_signalled (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_answer_int (peer, id, 1);
  /* The acknowledgement is late: still nothing runs. */
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 700));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
}

static void
busy_call_is_signalled_once (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  gint64 start_us = g_get_monotonic_time ();
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (g_get_monotonic_time () - start_us >= 100000);
  CHECK (link_interrupt_hit (peer, id, &interrupt));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
  /* The acknowledgement comes when the runtime reads again, and is expected. */
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (link_peer_dup_end (peer) == NULL);
}

static void
runtime_that_is_far_away_is_given_more_time (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = NULL;
  gint64 start_us;
  static LinkInterrupt interrupt;

  malt_link_set_distance (peer->link, 900);
  future = link_interrupt_start_eval (peer, &id);
  start_us = g_get_monotonic_time ();
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (g_get_monotonic_time () - start_us >= 2000000);
  CHECK (link_interrupt_hit (peer, id, &interrupt));
}

static void
calls_made_meanwhile_wait_behind_a_fence (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 held_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltLinkCounters counters;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_peer_is_silent (peer, 100));
  malt_link_get_counters (peer->link, &counters);
  CU_ASSERT_EQUAL (counters.n_held, 1);
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &held_id));
  CU_ASSERT_EQUAL (held_id, malt_future_get_id (held));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  link_peer_answer_int (peer, held_id, 5);
  value = malt_future_fetch (held, NULL, NULL);
  CHECK (value != NULL && malt_value_get_int64 (value) == 5);
}

static void
call_that_is_held_back_can_be_interrupted (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 held_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  static LinkInterrupt interrupt;
  static LinkInterrupt second;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  link_interrupt_start (peer, held, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_is_silent (peer, 100));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &held_id));
  CU_ASSERT_EQUAL (held_id, malt_future_get_id (held));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  link_peer_acknowledge (peer, held_id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&second, MALT_INTERRUPT_DELIVERED));
}

/* A call that takes long to encode, made in a thread of its own. */
typedef struct
{
  MaltWorker *worker; /* (unowned) */
  MaltCall *call; /* (owned) */
} LongCall;

static gpointer
make_long_call (gpointer data)
{
  LongCall *self = data;
  return malt_worker_remote_call (self->worker, self->call);
}

/* An argument of many values; the last may be one that cannot be sent. */
static MaltCall *
long_call_new (MaltValue *last)
{
  const gsize n = (gsize) 2 << 20;
  g_autofree MaltValue **children = g_new (MaltValue *, n);
  g_autoptr (MaltValue) number = malt_value_new_int64 (1);
  g_autoptr (MaltValue) argument = NULL;
  MaltCall *call = malt_call_new ("work");

  for (gsize i = 0; i < n; i++)
    children[i] = number;
  if (last != NULL)
    children[n - 1] = last;
  argument = malt_value_new_tuple (children, n);
  malt_call_add_argument (call, argument);
  return call;
}

/* Of no worker. */
static MaltValue *
foreign_handle_new (void)
{
  MaltDescriptor *type = malt_descriptor_new_type ("T");
  MaltValue *handle = malt_value_new_handle (1, NULL, type, 0, "T", 1);

  malt_descriptor_unref (type);
  return handle;
}

static gboolean
has_call (gpointer peer)
{
  return malt_worker_get_n_pending (((LinkPeer *) peer)->worker) == 1;
}

static void
call_that_is_being_encoded_can_be_interrupted (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltCall) call = long_call_new (NULL);
  LongCall start = { peer->worker, call };
  GThread *thread = g_thread_new ("caller", make_long_call, &start);
  g_autoptr (MaltFuture) future = NULL;
  gboolean is_seen = process_test_wait (has_call, peer, PROCESS_TEST_PATIENCE_MS);
  gboolean is_sent;
  guint32 id;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, NULL, MALT_INTERRUPT_DEFAULT, &interrupt);
  is_sent = link_peer_expect (peer, MALT_FRAME_CALL, NULL);
  future = g_thread_join (thread);
  CHECK (is_seen && is_sent);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &id));
  CU_ASSERT_EQUAL (id, malt_future_get_id (future));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
interrupt_of_a_call_that_cannot_be_encoded_is_gone (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltValue) handle = foreign_handle_new ();
  g_autoptr (MaltCall) call = long_call_new (handle);
  LongCall start = { peer->worker, call };
  GThread *thread = g_thread_new ("caller", make_long_call, &start);
  g_autoptr (MaltFuture) future = NULL;
  gboolean is_seen = process_test_wait (has_call, peer, PROCESS_TEST_PATIENCE_MS);
  g_autoptr (GError) error = NULL;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, NULL, MALT_INTERRUPT_DEFAULT, &interrupt);
  future = g_thread_join (thread);
  CHECK (is_seen);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
  CHECK (malt_future_fetch (future, NULL, &error) == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT));
}

static void
what_is_taken_back_does_not_overtake_calls_that_are_held (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  const guint64 handle = 9;
  guint32 id;
  guint32 channel_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  malt_link_channel_forget (peer->link, 4);
  CHECK (link_peer_expect (peer, MALT_FRAME_CHANNEL_FORGET, NULL));
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  malt_link_channel_open (peer->link, 5, NULL, "c", 64, 1000);
  malt_link_channel_forget (peer->link, 5);
  malt_link_release_handles (peer->link, &handle, 1);
  CHECK (link_peer_is_silent (peer, 100));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_CHANNEL_OPEN, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_CHANNEL_FORGET, &channel_id));
  CU_ASSERT_EQUAL (channel_id, 5);
  CHECK (link_peer_expect (peer, MALT_FRAME_RELEASE, NULL));
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
no_signal_while_another_call_is_outstanding (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 other_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other =
      link_interrupt_start_eval (peer, &other_id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 1000));
  CU_ASSERT_EQUAL (interrupt.result, -1);
  /* From here on the call that is meant is the only one. */
  link_peer_answer_int (peer, other_id, 1);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_interrupt_hit (peer, id, &interrupt));
}

static void
call_whose_answer_was_given_up_still_counts (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) other = link_interrupt_start_eval (peer, NULL);
  static LinkInterrupt interrupt;

  malt_future_cancel (other);
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 500));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
call_nobody_waits_for_counts_until_it_is_answered (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "forever()");
  guint32 id;
  guint32 silent_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  CHECK (malt_worker_remote_do (peer->worker, call, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &silent_id));
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 500));
  link_peer_answer_int (peer, silent_id, 1);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_interrupt_hit (peer, id, &interrupt));
}

static void
forced_interrupt_signals_although_others_are_outstanding (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other = link_interrupt_start_eval (peer, NULL);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
no_signal_while_an_answer_is_in_transit (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  MaltFrameHeader header = { .kind = MALT_FRAME_OK, .n_body_bytes = 9 };
  guint8 bytes[MALT_FRAME_HEADER_BYTES + 9] = { 0 };
  static LinkInterrupt interrupt;

  header.id = id;
  malt_frame_header_write (&header, bytes);
  bytes[MALT_FRAME_HEADER_BYTES] = 0x16;
  link_peer_write_raw (peer, bytes, 20);
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 1000));
  link_peer_write_raw (peer, bytes + 20, sizeof bytes - 20);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
no_signal_while_the_runtime_is_loaded (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  link_peer_write_empty (peer, MALT_FRAME_LOADING);
  link_interrupt_start (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (!process_test_wait (link_interrupt_has_signal, peer, 700));
  CU_ASSERT_EQUAL (interrupt.result, -1);
  /* The runtime is there, and the call hogs the processor. */
  link_peer_write_empty (peer, MALT_FRAME_PONG);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_interrupt_hit (peer, id, &interrupt));
}

static void
call_that_cannot_be_reached_is_undeliverable_in_the_end (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 next_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  next = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &next_id));
  CU_ASSERT_EQUAL (next_id, malt_future_get_id (next));
}

static const ProcessTest tests[] = {
  PROCESS_TEST (waiting_call_is_hit_without_a_signal),
  PROCESS_TEST (call_that_ends_by_itself_is_gone),
  PROCESS_TEST (idle_worker_is_never_signalled),
  PROCESS_TEST (busy_call_is_signalled_once),
  PROCESS_TEST (runtime_that_is_far_away_is_given_more_time),
  PROCESS_TEST (calls_made_meanwhile_wait_behind_a_fence),
  PROCESS_TEST (call_that_is_held_back_can_be_interrupted),
  PROCESS_TEST (call_that_is_being_encoded_can_be_interrupted),
  PROCESS_TEST (interrupt_of_a_call_that_cannot_be_encoded_is_gone),
  PROCESS_TEST (what_is_taken_back_does_not_overtake_calls_that_are_held),
  PROCESS_TEST (no_signal_while_another_call_is_outstanding),
  PROCESS_TEST (call_whose_answer_was_given_up_still_counts),
  PROCESS_TEST (call_nobody_waits_for_counts_until_it_is_answered),
  PROCESS_TEST (forced_interrupt_signals_although_others_are_outstanding),
  PROCESS_TEST (no_signal_while_an_answer_is_in_transit),
  PROCESS_TEST (no_signal_while_the_runtime_is_loaded),
  PROCESS_TEST (call_that_cannot_be_reached_is_undeliverable_in_the_end),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "interrupts of a link", tests);
}
