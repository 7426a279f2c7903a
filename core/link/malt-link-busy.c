/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of code that hogs the processor, so that the runtime does not read INTERRUPT
 * (docs/protocol.md, section 6).
 *
 * malt_link_busy_consider() looks every LOOK_MS at a call that was asked to end and was
 * not answered:
 *
 *   deaf      The Julia thread has run for DEAF_RUN_US and has not read INTERRUPT; where
 *             its processor time is not known, because it runs elsewhere, BLIND_US have
 *             passed. How loaded the machine is makes no difference.
 *   reached   With a judge, it is asked, again each time that the thread has run
 *             (platform/malt-judge.h): it decides in the worker what may be hit, so other
 *             calls do not matter. Without one, a single SIGINT is sent, which Julia
 *             throws at a safepoint into whatever runs. So the call must be the only one
 *             outstanding, unless FORCE permits otherwise; what the host has to say must
 *             have been sent; and the runtime must not be loading.
 *   hit       The judge has seen an exception thrown into the call. If it goes on for
 *             HIT_RUN_US it has caught it: DELIVERED. Otherwise its answer says so.
 *   given up  The thread has run for MAX_RUN_US, or not at all for MAX_ASLEEP_US, or
 *             nothing was seen for BLIND_MAX_US and nothing can come of it any more:
 *             UNDELIVERABLE. Judge and reader are told to leave the call alone.
 *
 * While anything may still come of a signal, new calls are held back
 * (malt_link_is_escalating()); they are then sent behind a FENCE, which swallows signals
 * that the worker has not taken. A signal must have arrived before FENCE is sent. An
 * owner that has it sent elsewhere says ON_ITS_WAY, and later that it has arrived; until
 * then (signal_id) no other signal is sent, and calls are held back even if the interrupt
 * has ended.
 *
 * UNJUDGED. Several SIGINTs in quick succession make Julia throw wherever it is: each
 * weighs 0.3, the weight halves in 0.7 s, and more than 1 forces the throw. It may hit
 * the compiler, or a lock, so it is done only for a wish that permits it, UNJUDGED_US
 * after all else was tried; and never from Julia 1.10 on, where it is deadly.
 */
#include "link/malt-link-interrupt.h"

#include "platform/malt-judge-page.h"
#include "platform/malt-socket.h"

#include <stdlib.h>
#include <string.h>

enum
{
  LOOK_MS = 25,
  QUIET_MS = 100, /* without a byte from the runtime, before anything is done to it */
  DEAF_RUN_US = 30 * 1000,
  BLIND_US = 2000 * 1000,
  HIT_RUN_US = 1000 * 1000,
  MAX_RUN_US = 4500 * 1000,
  MAX_ASLEEP_US = 4000 * 1000,
  MAX_WAIT_US = 29 * 1000 * 1000,
  ANSWER_US = 2500 * 1000, /* for what a signal does to be heard of */
  BLIND_MAX_US = 4000 * 1000,
  UNREACHABLE_US = 1500 * 1000, /* where nothing but INTERRUPT can be done */

  UNJUDGED_US = 1500 * 1000,
  BURST_MS = 50,
  MAX_UNJUDGED = 8,
};

/* What a host sees of a call in its worker. */
typedef struct
{
  gint64 now_us;
  gint64 run_us; /* that the Julia thread has run; -1: not known */
  gboolean has_run; /* since the last look */
  gboolean has_judge;
  MaltJudgeCallState state; /* UNKNOWN without a judge */
  guint32 n_obeyed; /* requests, before the look */
} View;

static guint64
name_call (MaltLink *link, guint32 id)
{
  return MALT_JUDGE_CALL (link->host, id);
}

static void
look (MaltLink *link, MaltLinkInterrupt *interrupt, View *out_view)
{
  View view = { .now_us = g_get_monotonic_time (), .run_us = -1 };

  if (link->run_time_fd < 0 && link->thread != 0)
    link->run_time_fd = malt_judge_open_run_time (link->thread);
  if (link->run_time_fd >= 0)
    view.run_us = malt_judge_get_run_time (link->run_time_fd);
  view.has_judge =
      link->judge != NULL && view.run_us >= 0 && malt_judge_is_ready (link->judge);
  if (view.has_judge)
    {
      view.n_obeyed = malt_judge_count_obeyed (link->judge);
      view.state = malt_judge_look (link->judge, name_call (link, interrupt->id),
                                    interrupt->n_thrown);
    }
  view.has_run = view.run_us > interrupt->last_run_us;
  if (view.has_run || view.run_us < 0)
    interrupt->ran_us = view.now_us;
  interrupt->last_run_us = view.run_us;
  if (view.state == MALT_JUDGE_CALL_HIT && interrupt->hit_run_us < 0)
    interrupt->hit_run_us = view.run_us;
  *out_view = view;
}

void
malt_link_busy_begin (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  View view;

  interrupt->hit_run_us = -1;
  if (link->judge != NULL)
    interrupt->n_thrown = malt_judge_count_thrown (link->judge);
  look (link, interrupt, &view);
  interrupt->asked_us = interrupt->ran_us = view.now_us;
  interrupt->asked_run_us = view.run_us;
  malt_link_interrupt_set_timer (interrupt, LOOK_MS);
}

void
malt_link_busy_request (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  if (link->judge != NULL)
    malt_judge_request (link->judge, name_call (link, interrupt->id));
}

/* What is seen */

/* Bytes leave the socket while is_receiving is set, and that is cleared after
 * last_receive_ms has been set: looked for in this order none can slip past. */
static gboolean
may_answer_be_coming (MaltLink *link)
{
  guint quiet_ms;

  if (malt_socket_has_input (link->fd) || g_atomic_int_get (&link->is_receiving))
    return TRUE;
  quiet_ms = (guint) (g_get_monotonic_time () / 1000) -
             (guint) g_atomic_int_get (&link->last_receive_ms);
  return quiet_ms < QUIET_MS + link->distance_ms;
}

static gboolean
is_deaf (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  gboolean had_time = view->run_us >= 0
                          ? view->run_us - interrupt->asked_run_us >= DEAF_RUN_US
                          : view->now_us - interrupt->asked_us >= BLIND_US;

  return had_time && !may_answer_be_coming (link);
}

/* Is there user code that a signal could hit, beside that of the call? */
static gboolean
has_neighbours (MaltLink *link, const View *view)
{
  return view->has_judge ? malt_judge_count_calls (link->judge) > 1
                         : link->n_outstanding > 1;
}

static gboolean
may_signal (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  return link->funcs->send_interrupt_signal != NULL && !interrupt->cannot_signal &&
         link->signal_id == 0 && g_queue_is_empty (&link->outgoing) &&
         !g_atomic_int_get (&link->is_loading) &&
         ((interrupt->flags & MALT_INTERRUPT_FORCE) || !has_neighbours (link, view));
}

static gboolean
is_beyond (const View *view)
{
  return view->state == MALT_JUDGE_CALL_HIT || view->state == MALT_JUDGE_CALL_OVER;
}

static gboolean
has_caught_it (MaltLinkInterrupt *interrupt, const View *view)
{
  return interrupt->hit_run_us >= 0 && view->run_us - interrupt->hit_run_us > HIT_RUN_US;
}

/* It has had its time, and nothing of a signal is under way. */
static gboolean
is_hopeless (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  gint64 waited_us = view->now_us - interrupt->asked_us;
  gboolean can_reach = view->has_judge || (link->funcs->send_interrupt_signal != NULL &&
                                           !interrupt->cannot_signal);

  if (waited_us > MAX_WAIT_US)
    return TRUE;
  if (link->signal_id == interrupt->id ||
      (interrupt->n_signals > 0 && view->now_us - interrupt->signal_us <
                                       ANSWER_US + (gint64) link->distance_ms * 1000))
    return FALSE;
  if (view->run_us < 0)
    return waited_us >= (can_reach ? BLIND_MAX_US : UNREACHABLE_US) +
                            (gint64) link->distance_ms * 1000;
  return view->run_us - interrupt->asked_run_us >
             (can_reach ? MAX_RUN_US : UNREACHABLE_US) ||
         view->now_us - interrupt->ran_us > MAX_ASLEEP_US;
}

/* What is done */

static void
send_signal (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  MaltLinkSignal signal;

  if (link->judge != NULL)
    malt_judge_expose (link->judge, TRUE);
  signal = link->funcs->send_interrupt_signal (link->owner);
  interrupt->signal_us = g_get_monotonic_time ();
  interrupt->cannot_signal = signal == MALT_LINK_SIGNAL_IMPOSSIBLE;
  if (interrupt->cannot_signal)
    return;
  interrupt->n_signals++;
  link->n_signals++;
  link->needs_fence = TRUE;
  if (signal == MALT_LINK_SIGNAL_ON_ITS_WAY)
    link->signal_id = interrupt->id;
}

void
malt_link_busy_signal_sent (MaltLinkInterrupt *interrupt, gboolean is_sent)
{
  interrupt->signal_us = g_get_monotonic_time ();
  interrupt->cannot_signal = !is_sent;
}

static void
ask_judge (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  guint64 flags = MALT_JUDGE_BEHIND (view->n_obeyed) |
                  ((interrupt->flags & MALT_INTERRUPT_FORCE) ? MALT_JUDGE_FORCE : 0);

  if (link->funcs->ask_judge (link->owner, link->judge,
                              name_call (link, interrupt->id) | flags))
    link->n_signals++;
}

static void
reach (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  /* A thread that sleeps in C code would be woken by the signal. */
  if (is_beyond (view) || !is_deaf (link, interrupt, view) ||
      (view->run_us >= 0 && !view->has_run))
    return;
  if (view->has_judge)
    ask_judge (link, interrupt, view);
  else if (interrupt->n_signals == 0 && may_signal (link, interrupt, view))
    send_signal (link, interrupt);
}

gboolean
malt_link_is_burst_deadly (const char *julia_version)
{
  const char *minor = strchr (julia_version, '.');

  return minor == NULL || atoi (julia_version) > 1 || atoi (minor + 1) >= 10;
}

/* What nothing else has reached. */
static gboolean
is_burst_due (MaltLinkInterrupt *interrupt, const View *view)
{
  if (view->run_us < 0)
    return view->now_us - interrupt->asked_us > BLIND_US + UNJUDGED_US;
  return view->run_us - interrupt->asked_run_us > UNJUDGED_US ||
         view->now_us - interrupt->ran_us > UNJUDGED_US;
}

/* Or it is in the middle of it. */
static gboolean
wants_burst (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  return (interrupt->flags & MALT_INTERRUPT_UNJUDGED) &&
         (interrupt->n_unjudged > 0 || is_burst_due (interrupt, view)) &&
         !g_atomic_int_get (&link->is_burst_deadly) &&
         interrupt->n_unjudged < MAX_UNJUDGED && !is_beyond (view) &&
         !may_answer_be_coming (link) && may_signal (link, interrupt, view);
}

/* For those who ask why: G_MESSAGES_DEBUG=libmalt. */
static const char *
explain (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  if (interrupt->flags & MALT_INTERRUPT_UNJUDGED &&
      g_atomic_int_get (&link->is_burst_deadly))
    return "it could not be judged, and this version of Julia does not survive others";
  if (link->funcs->send_interrupt_signal == NULL && !view->has_judge)
    return "this worker is not interrupted while it is busy";
  if (interrupt->cannot_signal)
    return "a signal cannot be sent";
  if (view->run_us >= 0 && view->now_us - interrupt->ran_us > MAX_ASLEEP_US)
    return "its thread sleeps in C code";
  if (!view->has_judge)
    return interrupt->n_signals > 0
               ? "it has no safepoint, and nothing can be forced without a judge"
               : "without a judge a signal might have hit another call";
  if (!malt_judge_can_force (link->judge))
    return "nothing can be forced in this version of Julia";
  return "it is in C code, or in code of Julia's own that has no safepoint";
}

/* An INTERRUPT that the runtime has not read must not hit the call after the result has
 * said otherwise. FALSE: it has been read, and its acknowledgement is on the way. */
static gboolean
withdraw (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  gboolean can_be_taken_back = link->funcs->withdraw_interrupt != NULL;

  if (link->judge != NULL &&
      !malt_judge_withdraw (link->judge, name_call (link, interrupt->id)))
    return FALSE;
  if (can_be_taken_back && !link->funcs->withdraw_interrupt (link->owner, interrupt->id))
    return FALSE;
  if (can_be_taken_back)
    g_queue_remove (&link->acks, GUINT_TO_POINTER (interrupt->id));
  return TRUE;
}

void
malt_link_busy_end (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  if (link->judge == NULL || !interrupt->is_sent)
    return;
  malt_judge_withdraw (link->judge, name_call (link, interrupt->id));
  if (interrupt->n_signals > 0)
    malt_judge_expose (link->judge, FALSE);
}

/* It could not be ended any sooner, or has caught the exception and sleeps. */
static MaltInterruptResult
get_last_result (MaltLinkInterrupt *interrupt, const View *view)
{
  if (interrupt->hit_run_us >= 0)
    return MALT_INTERRUPT_DELIVERED;
  return view->state == MALT_JUDGE_CALL_OVER ? MALT_INTERRUPT_GONE
                                             : MALT_INTERRUPT_UNDELIVERABLE;
}

/* What was asked of Julia may still hit. The judge takes it back when the thread runs. */
static gboolean
takes_back (MaltLink *link, MaltLinkInterrupt *interrupt, const View *view)
{
  if (!view->has_judge || !malt_judge_is_raising (link->judge) ||
      view->now_us - interrupt->asked_us > MAX_WAIT_US)
    return FALSE;
  malt_judge_withdraw (link->judge, name_call (link, interrupt->id));
  return TRUE;
}

gboolean
malt_link_busy_consider (MaltLink *link, MaltLinkInterrupt *interrupt,
                         MaltInterruptResult *out_result)
{
  View view;

  look (link, interrupt, &view);
  *out_result = MALT_INTERRUPT_DELIVERED;
  if (has_caught_it (interrupt, &view))
    return TRUE;
  if (wants_burst (link, interrupt, &view))
    {
      interrupt->n_unjudged++;
      send_signal (link, interrupt);
    }
  else if (!is_hopeless (link, interrupt, &view))
    reach (link, interrupt, &view);
  else if (!takes_back (link, interrupt, &view) && withdraw (link, interrupt))
    {
      *out_result = get_last_result (interrupt, &view);
      if (*out_result == MALT_INTERRUPT_UNDELIVERABLE)
        g_debug ("interrupt of call %u: %s", interrupt->id,
                 explain (link, interrupt, &view));
      return TRUE;
    }
  malt_link_interrupt_set_timer (interrupt,
                                 interrupt->n_unjudged > 0 ? BURST_MS : LOOK_MS);
  return FALSE;
}
