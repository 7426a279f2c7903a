/* SPDX-License-Identifier: MIT */
/* Escalation of interrupts, against a runtime that the test plays: when a signal is sent, and when none may be. */
#include "link-peer-socket.h"
#include "link-peer.h"

#include "link/malt-link-private.h"

#include "value/malt-value-private.h"

#include <string.h>

/* An interrupt under way. Static in the tests, since its callback may run after the test that did not wait for it. */
typedef struct
{
  gint result; /* atomic; -1: none yet */
} Interrupt;

static void
on_interrupted (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Interrupt *interrupt = user_data;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult outcome =
      malt_worker_interrupt_finish (MALT_WORKER (object), result, &error);
  g_atomic_int_set (&interrupt->result, error == NULL ? (gint) outcome : -2);
}

static void
start_interrupt (LinkPeer *peer, MaltFuture *future, MaltInterruptFlags flags,
                 Interrupt *interrupt)
{
  interrupt->result = -1;
  malt_worker_interrupt_async (peer->worker, future, flags, NULL, on_interrupted,
                               interrupt);
}

static gboolean
has_result (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return g_atomic_int_get (&((Interrupt *) data)->result) != -1;
}

static gboolean
has_result_that_is (Interrupt *interrupt, MaltInterruptResult result)
{
  return process_test_wait (has_result, interrupt, PROCESS_TEST_PATIENCE_MS) &&
         g_atomic_int_get (&interrupt->result) == (gint) result;
}

static gboolean
has_signal (gpointer peer)
{
  return link_peer_count_signals (peer) > 0;
}

static MaltFuture *
start_eval (LinkPeer *peer, guint32 *out_id)
{
  MaltFuture *future = malt_worker_remote_eval (peer->worker, NULL, "work()");
  if (!link_peer_expect (peer, MALT_FRAME_EVAL, out_id))
    g_error ("no EVAL");
  return future;
}

/* A call that hogs the processor. */
static MaltFuture *
start_busy (LinkPeer *peer, guint32 *out_id)
{
  link_peer_hog (peer);
  return start_eval (peer, out_id);
}

static void
waiting_call_is_hit_without_a_signal (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 meant;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &meant));
  CU_ASSERT_EQUAL (meant, id);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
call_that_ends_by_itself_is_gone (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_answer_int (peer, id, 1);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
idle_worker_is_never_signalled (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_answer_int (peer, id, 1);
  /* The acknowledgement is late: still nothing runs. */
  CHECK (!process_test_wait (has_signal, peer, 700));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
}

static void
busy_call_is_signalled_once (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  gint64 start_us = g_get_monotonic_time ();
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (g_get_monotonic_time () - start_us >= 100000);
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
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
  static Interrupt interrupt;

  malt_link_set_distance (peer->link, 900);
  future = start_eval (peer, &id);
  start_us = g_get_monotonic_time ();
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (g_get_monotonic_time () - start_us >= 2000000);
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
calls_made_meanwhile_wait_behind_a_fence (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 held_id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltLinkCounters counters;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
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
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  static Interrupt interrupt;
  static Interrupt second;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  start_interrupt (peer, held, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_is_silent (peer, 100));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &held_id));
  CU_ASSERT_EQUAL (held_id, malt_future_get_id (held));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  link_peer_acknowledge (peer, held_id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&second, MALT_INTERRUPT_DELIVERED));
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
  static Interrupt interrupt;

  start_interrupt (peer, NULL, MALT_INTERRUPT_DEFAULT, &interrupt);
  is_sent = link_peer_expect (peer, MALT_FRAME_CALL, NULL);
  future = g_thread_join (thread);
  CHECK (is_seen && is_sent);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &id));
  CU_ASSERT_EQUAL (id, malt_future_get_id (future));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
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
  static Interrupt interrupt;

  start_interrupt (peer, NULL, MALT_INTERRUPT_DEFAULT, &interrupt);
  future = g_thread_join (thread);
  CHECK (is_seen);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
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
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  malt_link_channel_forget (peer->link, 4);
  CHECK (link_peer_expect (peer, MALT_FRAME_CHANNEL_FORGET, NULL));
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
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
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
no_signal_while_another_call_is_outstanding (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 other_id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other = start_eval (peer, &other_id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (has_signal, peer, 1000));
  CU_ASSERT_EQUAL (interrupt.result, -1);
  /* From here on the call that is meant is the only one. */
  link_peer_answer_int (peer, other_id, 1);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
call_whose_answer_was_given_up_still_counts (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) other = start_eval (peer, NULL);
  static Interrupt interrupt;

  malt_future_cancel (other);
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (has_signal, peer, 500));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
call_nobody_waits_for_counts_until_it_is_answered (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "forever()");
  guint32 id;
  guint32 silent_id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  CHECK (malt_worker_remote_do (peer->worker, call, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &silent_id));
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (has_signal, peer, 500));
  link_peer_answer_int (peer, silent_id, 1);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
forced_interrupt_signals_although_others_are_outstanding (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other = start_eval (peer, NULL);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
no_signal_while_an_answer_is_in_transit (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  MaltFrameHeader header = { .kind = MALT_FRAME_OK, .n_body_bytes = 9 };
  guint8 bytes[MALT_FRAME_HEADER_BYTES + 9] = { 0 };
  static Interrupt interrupt;

  header.id = id;
  malt_frame_header_write (&header, bytes);
  bytes[MALT_FRAME_HEADER_BYTES] = 0x16;
  link_peer_write_raw (peer, bytes, 20);
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (!process_test_wait (has_signal, peer, 1000));
  link_peer_write_raw (peer, bytes + 20, sizeof bytes - 20);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_GONE);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
no_signal_while_the_runtime_is_loaded (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  link_peer_write_empty (peer, MALT_FRAME_LOADING);
  start_interrupt (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (!process_test_wait (has_signal, peer, 700));
  CU_ASSERT_EQUAL (interrupt.result, -1);
  /* The runtime is there, and the call hogs the processor. */
  link_peer_write_empty (peer, MALT_FRAME_PONG);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
call_that_cannot_be_reached_is_undeliverable_in_the_end (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 next_id;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  next = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &next_id));
  CU_ASSERT_EQUAL (next_id, malt_future_get_id (next));
}

/* Throws that cannot be judged */

/* On a busy machine the one that comes before them may be left out. */
static gboolean
has_all_signals (gpointer peer)
{
  return link_peer_count_signals (peer) >= 8;
}

static void
unjudged_interrupt_signals_until_julia_throws (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  /* Where nothing says how long a thread has run there is no such throw. */
  if (malt_judge_get_run_time (link_peer_socket_get_thread ()) < 0)
    {
      CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
      return;
    }
  CHECK (process_test_wait (has_all_signals, peer, PROCESS_TEST_PATIENCE_MS));
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
unjudged_interrupt_hits_no_other_call (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 other_id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other = start_eval (peer, &other_id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 0);
}

static void
unjudged_interrupt_is_not_sent_to_a_julia_that_it_would_end (void)
{
  static const char *const versions[] = { "1.10.0", "1.12.4", "2.0.0", "unknown" };

  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    CU_ASSERT (malt_link_is_burst_deadly (versions[i]));
  CU_ASSERT (!malt_link_is_burst_deadly ("1.5.3"));
  CU_ASSERT (!malt_link_is_burst_deadly ("1.9.4"));
}

static void
julia_that_several_signals_would_end_gets_one (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_julia ("1.10.8");
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
}

/* A runtime that has not looked for long */

static void
runtime_that_was_late_is_asked_again (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 meant;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_LATE);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &meant));
  CU_ASSERT_EQUAL (meant, id);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
runtime_that_was_late_is_not_asked_for_what_was_given_up (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "none");
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_LATE);
  CHECK (link_peer_is_silent (peer, 200));
  CHECK (link_peer_dup_end (peer) == NULL);
}

static void
two_interrupts_of_one_call_end_together (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt first;
  static Interrupt second;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &first);
  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  CHECK (link_peer_is_silent (peer, 50));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&first, MALT_INTERRUPT_DELIVERED));
  CHECK (has_result_that_is (&second, MALT_INTERRUPT_DELIVERED));
}

static void
end_of_the_connection_answers_interrupts (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  malt_link_close (peer->link);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
}

/* Signals that take their time, or cannot be sent */

static gboolean
has_second_signal (gpointer peer)
{
  return link_peer_count_signals (peer) > 1;
}

static void
patience_begins_when_a_signal_has_arrived (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = start_eval (peer, &id);
  gint64 start_us;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (!process_test_wait (has_result, &interrupt, 3000));
  start_us = g_get_monotonic_time ();
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CHECK (g_get_monotonic_time () - start_us >= 2500000);
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
}

static void
no_other_interrupt_signals_while_a_signal_is_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  guint32 other_id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) other = start_eval (peer, &other_id);
  static Interrupt interrupt;
  static Interrupt second;

  start_interrupt (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (process_test_wait (has_signal, peer, 5000));
  start_interrupt (peer, other, MALT_INTERRUPT_FORCE, &second);
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
  CHECK (!process_test_wait (has_second_signal, peer, 500));
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (process_test_wait (has_second_signal, peer, 5000));
  malt_link_signal_sent (peer->link, TRUE);
  link_peer_answer_exception (peer, other_id, "InterruptException");
  CHECK (has_result_that_is (&second, MALT_INTERRUPT_DELIVERED));
}

static void
fence_waits_for_a_signal_that_is_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  guint32 held_id;
  guint32 late_id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  g_autoptr (MaltFuture) late = NULL;
  MaltLinkCounters counters;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, 5000));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  link_peer_answer_exception (peer, id, "InterruptException");
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
  late = malt_worker_remote_eval (peer->worker, NULL, "2");
  CHECK (link_peer_is_silent (peer, 200));
  malt_link_get_counters (peer->link, &counters);
  CU_ASSERT_EQUAL (counters.n_held, 2);
  CU_ASSERT_EQUAL (counters.n_fences, 0);
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &held_id));
  CU_ASSERT_EQUAL (held_id, malt_future_get_id (held));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &late_id));
  CU_ASSERT_EQUAL (late_id, malt_future_get_id (late));
}

static void
call_is_undeliverable_after_a_signal_that_could_not_be_sent (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, 5000));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  malt_link_signal_sent (peer->link, FALSE);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
  next = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_peer_expect (peer, MALT_FRAME_FENCE, NULL));
  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, NULL));
  CU_ASSERT (!malt_future_is_done (next));
}

static void
call_that_is_acknowledged_after_a_signal_that_could_not_be_sent_is_hit (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, 5000));
  malt_link_signal_sent (peer->link, FALSE);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
end_of_the_connection_forgets_a_signal_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  g_autoptr (MaltFuture) future = start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  MaltLinkCounters counters;
  static Interrupt interrupt;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (process_test_wait (has_signal, peer, 5000));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  malt_link_close (peer->link);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_GONE));
  malt_link_signal_sent (peer->link, TRUE);
  malt_link_get_counters (peer->link, &counters);
  CU_ASSERT_EQUAL (counters.n_held, 0);
  CU_ASSERT_EQUAL (counters.n_fences, 0);
  CU_ASSERT (!malt_future_is_done (held));
}

static void
check_worker_that_cannot_be_signalled (const char *signal)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", signal);
  guint32 id;
  guint32 next_id;
  g_autoptr (MaltFuture) future = start_eval (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  gint64 start_us = g_get_monotonic_time ();
  static Interrupt interrupt;
  static Interrupt second;

  start_interrupt (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (has_result_that_is (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CHECK (g_get_monotonic_time () - start_us >= 250000);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  /* Nothing was sent, so nothing need be fenced off. */
  next = start_eval (peer, &next_id);
  start_interrupt (peer, next, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  link_peer_acknowledge (peer, next_id, MALT_FRAME_ACK_DELIVERED);
  CHECK (has_result_that_is (&second, MALT_INTERRUPT_DELIVERED));
}

static void
worker_whose_owner_cannot_signal_is_hit_by_the_frame_or_undeliverable (void)
{
  check_worker_that_cannot_be_signalled ("none");
}

static void
worker_for_which_a_signal_is_impossible_is_the_same (void)
{
  check_worker_that_cannot_be_signalled ("impossible");
}

static const ProcessTest tests[] = {
  { "waiting_call_is_hit_without_a_signal", waiting_call_is_hit_without_a_signal },
  { "call_that_ends_by_itself_is_gone", call_that_ends_by_itself_is_gone },
  { "idle_worker_is_never_signalled", idle_worker_is_never_signalled },
  { "busy_call_is_signalled_once", busy_call_is_signalled_once },
  { "runtime_that_is_far_away_is_given_more_time",
    runtime_that_is_far_away_is_given_more_time },
  { "calls_made_meanwhile_wait_behind_a_fence",
    calls_made_meanwhile_wait_behind_a_fence },
  { "call_that_is_held_back_can_be_interrupted",
    call_that_is_held_back_can_be_interrupted },
  { "call_that_is_being_encoded_can_be_interrupted",
    call_that_is_being_encoded_can_be_interrupted },
  { "interrupt_of_a_call_that_cannot_be_encoded_is_gone",
    interrupt_of_a_call_that_cannot_be_encoded_is_gone },
  { "what_is_taken_back_does_not_overtake_calls_that_are_held",
    what_is_taken_back_does_not_overtake_calls_that_are_held },
  { "no_signal_while_another_call_is_outstanding",
    no_signal_while_another_call_is_outstanding },
  { "call_whose_answer_was_given_up_still_counts",
    call_whose_answer_was_given_up_still_counts },
  { "call_nobody_waits_for_counts_until_it_is_answered",
    call_nobody_waits_for_counts_until_it_is_answered },
  { "forced_interrupt_signals_although_others_are_outstanding",
    forced_interrupt_signals_although_others_are_outstanding },
  { "no_signal_while_an_answer_is_in_transit", no_signal_while_an_answer_is_in_transit },
  { "no_signal_while_the_runtime_is_loaded", no_signal_while_the_runtime_is_loaded },
  { "call_that_cannot_be_reached_is_undeliverable_in_the_end",
    call_that_cannot_be_reached_is_undeliverable_in_the_end },
  { "unjudged_interrupt_signals_until_julia_throws",
    unjudged_interrupt_signals_until_julia_throws },
  { "unjudged_interrupt_hits_no_other_call", unjudged_interrupt_hits_no_other_call },
  { "unjudged_interrupt_is_not_sent_to_a_julia_that_it_would_end",
    unjudged_interrupt_is_not_sent_to_a_julia_that_it_would_end },
  { "julia_that_several_signals_would_end_gets_one",
    julia_that_several_signals_would_end_gets_one },
  { "runtime_that_was_late_is_asked_again", runtime_that_was_late_is_asked_again },
  { "runtime_that_was_late_is_not_asked_for_what_was_given_up",
    runtime_that_was_late_is_not_asked_for_what_was_given_up },
  { "two_interrupts_of_one_call_end_together", two_interrupts_of_one_call_end_together },
  { "end_of_the_connection_answers_interrupts",
    end_of_the_connection_answers_interrupts },
  { "patience_begins_when_a_signal_has_arrived",
    patience_begins_when_a_signal_has_arrived },
  { "no_other_interrupt_signals_while_a_signal_is_on_its_way",
    no_other_interrupt_signals_while_a_signal_is_on_its_way },
  { "fence_waits_for_a_signal_that_is_on_its_way",
    fence_waits_for_a_signal_that_is_on_its_way },
  { "call_is_undeliverable_after_a_signal_that_could_not_be_sent",
    call_is_undeliverable_after_a_signal_that_could_not_be_sent },
  { "call_that_is_acknowledged_after_a_signal_that_could_not_be_sent_is_hit",
    call_that_is_acknowledged_after_a_signal_that_could_not_be_sent_is_hit },
  { "end_of_the_connection_forgets_a_signal_on_its_way",
    end_of_the_connection_forgets_a_signal_on_its_way },
  { "worker_whose_owner_cannot_signal_is_hit_by_the_frame_or_undeliverable",
    worker_whose_owner_cannot_signal_is_hit_by_the_frame_or_undeliverable },
  { "worker_for_which_a_signal_is_impossible_is_the_same",
    worker_for_which_a_signal_is_impossible_is_the_same },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "interrupts of a link", tests);
}
