/* SPDX-License-Identifier: MIT */
/* The ends of interrupts that are not simply delivered: throws that nothing has judged,
 * runtimes that are late, signals that take their time or cannot be sent. */
#include "link-interrupt.h"
#include "link-peer-socket.h"
#include "link/malt-link-private.h"

/* Throws that cannot be judged */

/* On a busy machine the one that comes before them may be left out. */
static gboolean
has_all_signals (gpointer peer)
{
  return link_peer_count_signals (peer) >= 8;
}

static gboolean
is_run_time_known (void)
{
  int fd = malt_judge_open_run_time (link_peer_socket_get_thread ());
  gint64 run_us = malt_judge_get_run_time (fd);

  malt_judge_close_run_time (fd);
  return run_us >= 0;
}

static void
unjudged_interrupt_signals_until_julia_throws (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  /* Where nothing says how long a thread has run there is no such throw. */
  if (!is_run_time_known ())
    {
      CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
      return;
    }
  CHECK (process_test_wait (has_all_signals, peer, PROCESS_TEST_PATIENCE_MS));
  CHECK (link_interrupt_hit (peer, id, &interrupt));
}

static void
unjudged_interrupt_hits_no_other_call (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 other_id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  G_GNUC_UNUSED g_autoptr (MaltFuture) other =
      link_interrupt_start_eval (peer, &other_id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
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
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_UNJUDGED, &interrupt);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
}

/* A runtime that has not looked for long */

static void
runtime_that_was_late_is_asked_again (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  guint32 meant;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_LATE);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, &meant));
  CU_ASSERT_EQUAL (meant, id);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
runtime_that_was_late_is_not_asked_for_what_was_given_up (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "none");
  guint32 id;
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_LATE);
  CHECK (link_peer_is_silent (peer, 200));
  CHECK (link_peer_dup_end (peer) == NULL);
}

static void
two_interrupts_of_one_call_end_together (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt first;
  static LinkInterrupt second;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &first);
  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  CHECK (link_peer_is_silent (peer, 50));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&first, MALT_INTERRUPT_DELIVERED));
  CHECK (link_interrupt_has_result (&second, MALT_INTERRUPT_DELIVERED));
}

static void
end_of_the_connection_answers_interrupts (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  malt_link_close (peer->link);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
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
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  gint64 start_us;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (!process_test_wait (link_interrupt_has_ended, &interrupt, 3000));
  start_us = g_get_monotonic_time ();
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CHECK (g_get_monotonic_time () - start_us >= 2500000);
  CU_ASSERT_EQUAL (link_peer_count_signals (peer), 1);
}

static void
no_other_interrupt_signals_while_a_signal_is_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  guint32 other_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) other = link_interrupt_start_eval (peer, &other_id);
  static LinkInterrupt interrupt;
  static LinkInterrupt second;

  link_interrupt_start (peer, future, MALT_INTERRUPT_FORCE, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  link_interrupt_start (peer, other, MALT_INTERRUPT_FORCE, &second);
  CHECK (link_interrupt_hit (peer, id, &interrupt));
  CHECK (!process_test_wait (has_second_signal, peer, 500));
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (process_test_wait (has_second_signal, peer, 5000));
  malt_link_signal_sent (peer->link, TRUE);
  CHECK (link_interrupt_hit (peer, other_id, &second));
}

static void
fence_waits_for_a_signal_that_is_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  guint32 held_id;
  guint32 late_id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  g_autoptr (MaltFuture) late = NULL;
  MaltLinkCounters counters;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  CHECK (link_interrupt_hit (peer, id, &interrupt));
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
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  malt_link_signal_sent (peer->link, FALSE);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
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
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  malt_link_signal_sent (peer->link, FALSE);
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_DELIVERED));
}

static void
end_of_the_connection_forgets_a_signal_on_its_way (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("signal", "on-its-way");
  guint32 id;
  g_autoptr (MaltFuture) future = link_interrupt_start_busy (peer, &id);
  g_autoptr (MaltFuture) held = NULL;
  MaltLinkCounters counters;
  static LinkInterrupt interrupt;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_wait_for_signal (peer));
  held = malt_worker_remote_eval (peer->worker, NULL, "1");
  malt_link_close (peer->link);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_GONE));
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
  g_autoptr (MaltFuture) future = link_interrupt_start_eval (peer, &id);
  g_autoptr (MaltFuture) next = NULL;
  gint64 start_us = g_get_monotonic_time ();
  static LinkInterrupt interrupt;
  static LinkInterrupt second;

  link_interrupt_start (peer, future, MALT_INTERRUPT_DEFAULT, &interrupt);
  CHECK (link_interrupt_has_result (&interrupt, MALT_INTERRUPT_UNDELIVERABLE));
  CHECK (g_get_monotonic_time () - start_us >= 250000);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  /* Nothing was sent, so nothing need be fenced off. */
  next = link_interrupt_start_eval (peer, &next_id);
  link_interrupt_start (peer, next, MALT_INTERRUPT_DEFAULT, &second);
  CHECK (link_peer_expect (peer, MALT_FRAME_INTERRUPT, NULL));
  link_peer_acknowledge (peer, id, MALT_FRAME_ACK_DELIVERED);
  link_peer_acknowledge (peer, next_id, MALT_FRAME_ACK_DELIVERED);
  CHECK (link_interrupt_has_result (&second, MALT_INTERRUPT_DELIVERED));
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
  PROCESS_TEST (unjudged_interrupt_signals_until_julia_throws),
  PROCESS_TEST (unjudged_interrupt_hits_no_other_call),
  PROCESS_TEST (unjudged_interrupt_is_not_sent_to_a_julia_that_it_would_end),
  PROCESS_TEST (julia_that_several_signals_would_end_gets_one),
  PROCESS_TEST (runtime_that_was_late_is_asked_again),
  PROCESS_TEST (runtime_that_was_late_is_not_asked_for_what_was_given_up),
  PROCESS_TEST (two_interrupts_of_one_call_end_together),
  PROCESS_TEST (end_of_the_connection_answers_interrupts),
  PROCESS_TEST (patience_begins_when_a_signal_has_arrived),
  PROCESS_TEST (no_other_interrupt_signals_while_a_signal_is_on_its_way),
  PROCESS_TEST (fence_waits_for_a_signal_that_is_on_its_way),
  PROCESS_TEST (call_is_undeliverable_after_a_signal_that_could_not_be_sent),
  PROCESS_TEST (call_that_is_acknowledged_after_a_signal_that_could_not_be_sent_is_hit),
  PROCESS_TEST (end_of_the_connection_forgets_a_signal_on_its_way),
  PROCESS_TEST (worker_whose_owner_cannot_signal_is_hit_by_the_frame_or_undeliverable),
  PROCESS_TEST (worker_for_which_a_signal_is_impossible_is_the_same),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "ends of interrupts of a link", tests);
}
