/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: the call that is meant is hit, or nothing (rule B10; docs/protocol.md, section 6).
 *
 * One MaltLinkInterrupt stands for all wishes to interrupt one call. Its life:
 *
 *   held     the call itself is being encoded or held back; INTERRUPT follows it when it is sent (is_sent is FALSE). A call that cannot be
 *            encoded is GONE.
 *   asked    INTERRUPT was sent. A runtime that reads acknowledges within a moment: the result is DELIVERED or GONE. It does not read
 *            while evaluated code hogs the processor. PATIENCE_MS later, and then in the rhythm below, the timer asks whether a signal may be sent:
 *              - the call has not been answered, and it is the only one outstanding, or the wish is forced;
 *              - no answer is on its way: nothing has come for PATIENCE_MS, no frame is half here, nothing lies in the socket;
 *              - what we had to say has been sent;
 *              - the runtime is not being loaded. Of so many signals Julia would throw there, too, and the worker would be lost.
 *            If other calls are outstanding the timer sleeps until one of them is answered: the wish stays open, since INTERRUPT will be
 *            served as soon as the runtime reads; saying UNDELIVERABLE before would be untrue.
 *
 *            With a judge (funcs->look) none of the above is needed: it decides by itself, in the worker, what may be hit, so nothing is held back and
 *            other calls do not matter. The timer looks every LOOK_MS; when the Julia thread has run for ASK_AFTER_US without reading INTERRUPT, and whenever
 *            it has run since, the judge is asked. It ends when the answer says that it was hit (DELIVERED); when the call has run on for HIT_RUN_US after it was hit,
 *            since its code has caught the exception (DELIVERED); or when the thread has run for MAX_RUN_US, or not at all for
 *            MAX_ASLEEP_US (UNDELIVERABLE, or GONE if only the answer is still being made). Then the judge and the reader are told to leave the call alone. Time is the
 *            thread's own, so a loaded machine changes nothing.
 *   signals  n_signals have been sent. New calls are held back (malt_link_is_escalating()), so that no signal can hit them.
 *            It ends when the call is answered (DELIVERED if with an exception, else GONE), when INTERRUPT is acknowledged, or after MAX_SIGNALS
 *            (UNDELIVERABLE). Then the calls that were held are sent, behind a FENCE, which swallows signals that the worker has not taken yet.
 *
 * A signal must have arrived before FENCE is sent. An owner that can send it at once says so (SENT). One that has it sent elsewhere, such as
 * on the worker's own machine, says ON_ITS_WAY, and later that it has arrived (malt_link_signal_sent()). Until then (signal_id) no other
 * signal is asked for, the patience of this one has not begun, and calls are held back, even if the interrupt has ended meanwhile.
 * If the owner cannot signal, or a signal could not be sent, the interrupt is hopeless: it ends as UNDELIVERABLE unless the call, or the
 * acknowledgement, comes within UNREACHABLE_MS. What could not be sent is fenced off all the same: who sent it may not have learnt that it arrived.
 *
 * The rhythm. One signal ends code that allocates or calls the runtime. Code that does neither is ended by Julia when signals come in quick succession: each
 * weighs 0.3 (the first nothing), the weight halves in 0.7 s, and more than 1 makes Julia throw wherever it is, and then ignore signals for 0.5 s. That must not
 * happen while the runtime is writing the answer to the first signal, which takes long only if no exception has been printed before. So: one signal,
 * FIRST_ANSWER_MS or COLD_ANSWER_MS of patience, the other seven in a burst shorter than 0.5 s, of which six are enough even if the first was ignored
 * because another call was ended in this way just before, and LAST_ANSWER_MS of patience.
 *
 * To the patience with a runtime that is far away the time is added that messages need to get there and back (malt_link_set_distance()); but not within the burst.
 *
 * A worker with nothing outstanding is never signalled. Calls whose answer was given up, and calls of remote_do, count as outstanding
 * until the worker has answered them. Requests of channels do not count, but for the opening, which evaluates code.
 *
 * Each INTERRUPT is acknowledged, in order: acks holds the ids that are due. An acknowledgement that nobody waits for any more is dropped.
 *
 * Threads: all fields are guarded by the lock of the link. Timers run in the I/O thread. Results are given without the lock.
 */
#include "link/malt-link-private.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-socket.h"

enum
{
  PATIENCE_MS = 100,
  FIRST_ANSWER_MS = 400,
  COLD_ANSWER_MS = 2500, /* no exception has been printed yet */
  BURST_MS = 50,
  LAST_ANSWER_MS = 3000,
  UNREACHABLE_MS = 250, /* where signals cannot be sent: after INTERRUPT */
  MAX_SIGNALS = 8, /* a loop that never allocates needs five */

  /* With a judge. */
  LOOK_MS = 25,
  ASK_AFTER_US = 30 * 1000, /* that the Julia thread has run without reading INTERRUPT */
  MAX_RUN_US = 4500 * 1000, /* that it has run */
  MAX_ASLEEP_US = 4000 * 1000, /* that it has not run at all */
  MAX_WAIT_US = 29 * 1000 * 1000,
  HIT_RUN_US =
      1000 *
      1000, /* that it has run on after it was hit: the code has caught the exception */
};

struct _MaltLinkInterrupt
{
  guint32 id;
  gboolean is_sent;
  gboolean is_forced;
  gboolean is_hopeless; /* signals cannot be sent */
  guint n_signals; /* asked for, and not impossible */
  gint64 due_us; /* when the timer may act; -1: not now */
  gint64
      asked_us; /* when INTERRUPT was sent, and how long the Julia thread had run; -1: not known */
  gint64 asked_run_us;
  gint64 ran_us; /* when it had last been seen to run, and how long it had run by then */
  gint64 last_run_us;
  gint64
      hit_run_us; /* how long it had run when the call was seen to be hit; -1: it was not */
  GSource *timer; /* (owned) */
  GSList *wishes; /* of Wish (owned) */
};

typedef struct
{
  MaltLinkInterruptDone done;
  gpointer user_data;
} Wish;

typedef struct
{
  MaltLink *link; /* (owned) */
  guint32 id;
} TimerTarget;

static gboolean on_timer (gpointer data);

static MaltLinkInterrupt *
find (MaltLink *link, guint32 id)
{
  for (GList *l = link->interrupts.head; l != NULL; l = l->next)
    if (((MaltLinkInterrupt *) l->data)->id == id)
      return l->data;
  return NULL;
}

gboolean
malt_link_is_escalating (MaltLink *link)
{
  if (link->signal_id != 0)
    return TRUE;
  for (GList *l = link->interrupts.head; l != NULL; l = l->next)
    if (((MaltLinkInterrupt *) l->data)->n_signals > 0)
      return TRUE;
  return FALSE;
}

/* Timers */

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

static void
timer_target_free (gpointer data)
{
  TimerTarget *target = data;
  malt_link_unref (target->link);
  g_free (target);
}

static void
set_timer (MaltLinkInterrupt *interrupt, gint64 delay_ms)
{
  interrupt->due_us = g_get_monotonic_time () + delay_ms * 1000;
  g_source_set_ready_time (interrupt->timer, interrupt->due_us);
}

static MaltLinkInterrupt *
interrupt_new (MaltLink *link, guint32 id)
{
  MaltLinkInterrupt *interrupt = g_new0 (MaltLinkInterrupt, 1);
  TimerTarget *target = g_new (TimerTarget, 1);

  target->link = malt_link_ref (link);
  target->id = id;
  interrupt->id = id;
  interrupt->due_us = -1;
  interrupt->asked_run_us = -1;
  interrupt->hit_run_us = -1;
  interrupt->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (interrupt->timer, "malt: interrupt");
  g_source_set_callback (interrupt->timer, on_timer, target, timer_target_free);
  g_source_attach (interrupt->timer, malt_io_thread_get_context ());
  return interrupt;
}

/* Ends. Whoever takes a wish off, with the lock held, gives it the result without the lock. */

static void
give_result (GSList *wishes, MaltInterruptResult result)
{
  for (GSList *l = wishes; l != NULL; l = l->next)
    {
      Wish *wish = l->data;
      wish->done (result, wish->user_data);
    }
  g_slist_free_full (wishes, g_free);
}

/* With lock held, when an interrupt that has signalled is gone, or the last signal has arrived. */
static void
end_escalation (MaltLink *link)
{
  if (malt_link_is_escalating (link))
    return;
  if (link->funcs->interrupts_over != NULL && link->owner != NULL)
    link->funcs->interrupts_over (link->owner);
  malt_link_release_held (link);
}

/* With lock held. Returns the wishes; the interrupt is gone. */
static GSList *
end_interrupt (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  GSList *wishes = interrupt->wishes;
  gboolean has_signalled = interrupt->n_signals > 0;

  g_queue_remove (&link->interrupts, interrupt);
  g_source_destroy (interrupt->timer);
  g_source_unref (interrupt->timer);
  g_free (interrupt);
  if (has_signalled)
    end_escalation (link);
  return wishes;
}

/* Signals */

/* With lock held. Bytes leave the socket while is_receiving is set, and that is cleared after last_receive_ms has been set: looked for in this
 * order none can slip past. */
static gboolean
may_answer_be_coming (MaltLink *link)
{
  guint quiet_ms;

  if (malt_socket_has_input (link->fd) || g_atomic_int_get (&link->is_receiving))
    return TRUE;
  quiet_ms = (guint) (g_get_monotonic_time () / 1000) -
             (guint) g_atomic_int_get (&link->last_receive_ms);
  return quiet_ms < PATIENCE_MS + link->distance_ms;
}

/* With lock held: how long to wait after the last of so many signals. */
static gint64
get_signal_patience_ms (MaltLink *link, guint n_signals)
{
  if (n_signals == 1)
    return link->distance_ms + (link->has_seen_error ? FIRST_ANSWER_MS : COLD_ANSWER_MS);
  return n_signals == MAX_SIGNALS ? LAST_ANSWER_MS : BURST_MS;
}

static gboolean
is_connected (MaltLink *link)
{
  return link->fd >= 0 || (link->funcs->send_frame != NULL && !link->is_closed);
}

/* With lock held. An INTERRUPT that the runtime has not read is taken back, where it can be: it must not hit the call after the result has
 * said otherwise. FALSE: it has been read, and its acknowledgement is on the way. */
static gboolean
withdraw (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  if (link->funcs->withdraw_interrupt == NULL)
    return TRUE;
  if (!link->funcs->withdraw_interrupt (link->owner, interrupt->id))
    return FALSE;
  g_queue_remove (&link->acks, GUINT_TO_POINTER (interrupt->id));
  return TRUE;
}

/* With lock held. */
static void
send_signal (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  MaltLinkSignal signal = link->funcs->send_interrupt_signal (link->owner, interrupt->id,
                                                              interrupt->n_signals + 1);

  if (signal == MALT_LINK_SIGNAL_IMPOSSIBLE)
    {
      interrupt->is_hopeless = TRUE;
      set_timer (interrupt, UNREACHABLE_MS - PATIENCE_MS);
      return;
    }
  interrupt->n_signals++;
  link->n_signals++;
  link->needs_fence = TRUE;
  if (signal == MALT_LINK_SIGNAL_ON_ITS_WAY)
    link->signal_id = interrupt->id;
  else
    set_timer (interrupt, get_signal_patience_ms (link, interrupt->n_signals));
}

/* With lock held. TRUE: this interrupt has come to its end without having been delivered. */
static gboolean
consider_signal (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  gpointer key = GUINT_TO_POINTER (interrupt->id);
  gboolean is_outstanding = g_hash_table_contains (link->calls, key);

  /* What is not sent or is answered already ends when the acknowledgement comes. */
  if (!interrupt->is_sent || !is_outstanding || !is_connected (link))
    return FALSE;
  if (link->funcs->send_interrupt_signal == NULL || interrupt->is_hopeless)
    return withdraw (link, interrupt);
  if (link->n_outstanding != 1 && !interrupt->is_forced)
    return FALSE;
  /* Its arrival sets the timer again. */
  if (link->signal_id != 0)
    return FALSE;
  if (interrupt->n_signals == MAX_SIGNALS)
    return withdraw (link, interrupt);
  if (!g_queue_is_empty (&link->outgoing) || g_atomic_int_get (&link->is_loading) ||
      may_answer_be_coming (link))
    {
      set_timer (interrupt, PATIENCE_MS + link->distance_ms);
      return FALSE;
    }
  send_signal (link, interrupt);
  return FALSE;
}

/* With a judge */

/* With lock held. FALSE: nothing can be seen, or there is nothing to be seen of the call. */
static gboolean
look (MaltLink *link, MaltLinkInterrupt *interrupt, MaltLinkView *out_view)
{
  return link->funcs->look != NULL && is_connected (link) && interrupt->is_sent &&
         g_hash_table_contains (link->calls, GUINT_TO_POINTER (interrupt->id)) &&
         link->funcs->look (link->owner, interrupt->id, out_view);
}

/* With lock held. TRUE: the thread has run since the last look. */
static gboolean
note_run_time (MaltLinkInterrupt *interrupt, const MaltLinkView *view, gint64 now_us)
{
  gboolean has_run = view->run_time_us > interrupt->last_run_us;

  if (has_run || view->run_time_us < 0)
    interrupt->ran_us = now_us;
  interrupt->last_run_us = view->run_time_us;
  return has_run;
}

/* With lock held: it has had its time, and nothing is under way that could still hit. */
static gboolean
is_hopeless (MaltLinkInterrupt *interrupt, const MaltLinkView *view, gint64 now_us)
{
  if (now_us - interrupt->asked_us > MAX_WAIT_US)
    return TRUE;
  return !view->is_raising && (view->run_time_us - interrupt->asked_run_us > MAX_RUN_US ||
                               now_us - interrupt->ran_us > MAX_ASLEEP_US);
}

/* With lock held. TRUE: this interrupt has come to its end. */
static gboolean
consider_judge (MaltLink *link, MaltLinkInterrupt *interrupt, const MaltLinkView *view,
                MaltInterruptResult *out_result)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean has_run = note_run_time (interrupt, view, now_us);

  *out_result = MALT_INTERRUPT_DELIVERED;
  if (view->is_hit && interrupt->hit_run_us < 0)
    interrupt->hit_run_us = view->run_time_us;
  if (interrupt->hit_run_us >= 0 &&
      view->run_time_us - interrupt->hit_run_us > HIT_RUN_US)
    return TRUE;
  if (is_hopeless (interrupt, view, now_us))
    {
      *out_result = view->is_over ? MALT_INTERRUPT_GONE : MALT_INTERRUPT_UNDELIVERABLE;
      link->funcs->withdraw_from_judge (link->owner, interrupt->id, TRUE);
      return TRUE;
    }
  /* A thread that sleeps in C code would be woken by the signal. */
  if (has_run && !view->is_hit && !view->is_over && !may_answer_be_coming (link) &&
      view->run_time_us - interrupt->asked_run_us >= ASK_AFTER_US)
    link->n_signals +=
        link->funcs->ask_judge (link->owner, interrupt->id, interrupt->is_forced) ? 1 : 0;
  set_timer (interrupt, LOOK_MS);
  return FALSE;
}

/* With lock held. TRUE: this interrupt has come to its end. */
static gboolean
consider (MaltLink *link, MaltLinkInterrupt *interrupt, MaltInterruptResult *out_result)
{
  MaltLinkView view;

  if (look (link, interrupt, &view))
    return consider_judge (link, interrupt, &view, out_result);
  *out_result = MALT_INTERRUPT_UNDELIVERABLE;
  return consider_signal (link, interrupt);
}

static gboolean
on_timer (gpointer data)
{
  TimerTarget *target = data;
  MaltLink *link = target->link;
  GSList *wishes = NULL;
  MaltInterruptResult result = MALT_INTERRUPT_UNDELIVERABLE;
  MaltLinkInterrupt *interrupt;

  g_mutex_lock (&link->lock);
  interrupt = find (link, target->id);
  if (interrupt != NULL && interrupt->due_us >= 0 &&
      interrupt->due_us <= g_get_monotonic_time ())
    {
      interrupt->due_us = -1;
      if (consider (link, interrupt, &result))
        wishes = end_interrupt (link, interrupt);
    }
  malt_link_unlock (link);
  give_result (wishes, result);
  return G_SOURCE_CONTINUE;
}

/* With lock held, when the signal for call @id is not on its way any more: its patience begins, and others may try. */
static void
resume_timers (MaltLink *link, guint32 id, gboolean is_sent)
{
  for (GList *l = link->interrupts.head; l != NULL; l = l->next)
    {
      MaltLinkInterrupt *interrupt = l->data;
      if (interrupt->id == id && interrupt->n_signals > 0)
        {
          interrupt->is_hopeless = !is_sent;
          set_timer (interrupt, is_sent
                                    ? get_signal_patience_ms (link, interrupt->n_signals)
                                    : UNREACHABLE_MS + link->distance_ms);
        }
      else if (interrupt->is_sent && interrupt->due_us < 0)
        set_timer (interrupt, PATIENCE_MS + link->distance_ms);
    }
}

void
malt_link_signal_sent (MaltLink *link, gboolean is_sent)
{
  guint32 id;

  g_mutex_lock (&link->lock);
  id = link->signal_id;
  link->signal_id = 0;
  if (id != 0)
    {
      resume_timers (link, id, is_sent);
      end_escalation (link);
    }
  malt_link_unlock (link);
}

/* Starts */

/* With lock held. FALSE: there is no judge. */
static gboolean
begin_to_look (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  MaltLinkView view;

  if (!look (link, interrupt, &view))
    return FALSE;
  link->funcs->withdraw_from_judge (link->owner, interrupt->id, FALSE);
  interrupt->asked_us = interrupt->ran_us = g_get_monotonic_time ();
  interrupt->asked_run_us = interrupt->last_run_us = view.run_time_us;
  set_timer (interrupt, LOOK_MS);
  return TRUE;
}

/* With lock held. */
static void
ask (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  interrupt->is_sent = TRUE;
  link->n_interrupt_frames++;
  g_queue_push_tail (&link->acks, GUINT_TO_POINTER (interrupt->id));
  malt_link_send_empty (link, MALT_FRAME_INTERRUPT, interrupt->id);
  if (begin_to_look (link, interrupt))
    return;
  set_timer (interrupt, link->distance_ms + (link->funcs->send_interrupt_signal != NULL
                                                 ? PATIENCE_MS
                                                 : UNREACHABLE_MS));
}

void
malt_link_interrupts_call_sent (MaltLink *link, guint32 id)
{
  MaltLinkInterrupt *interrupt = find (link, id);
  if (interrupt != NULL && !interrupt->is_sent)
    ask (link, interrupt);
}

/* With lock held. */
static void
add_wish (MaltLink *link, guint32 id, gboolean is_forced, Wish *wish)
{
  MaltLinkInterrupt *interrupt = find (link, id);
  guint flags =
      GPOINTER_TO_UINT (g_hash_table_lookup (link->calls, GUINT_TO_POINTER (id)));

  if (interrupt == NULL)
    {
      interrupt = interrupt_new (link, id);
      g_queue_push_tail (&link->interrupts, interrupt);
    }
  interrupt->wishes = g_slist_append (interrupt->wishes, wish);
  if (is_forced && !interrupt->is_forced)
    {
      interrupt->is_forced = TRUE;
      if (interrupt->is_sent && interrupt->due_us < 0)
        set_timer (interrupt, PATIENCE_MS + link->distance_ms);
    }
  if (!interrupt->is_sent && !(flags & MALT_LINK_CALL_HELD))
    ask (link, interrupt);
}

void
malt_link_interrupt (MaltLink *link, guint32 call_id, MaltInterruptFlags flags,
                     MaltLinkInterruptDone done, gpointer user_data)
{
  gboolean is_known;

  g_mutex_lock (&link->lock);
  is_known =
      !link->is_closed && g_hash_table_contains (link->calls, GUINT_TO_POINTER (call_id));
  if (is_known)
    {
      Wish *wish = g_new (Wish, 1);
      wish->done = done;
      wish->user_data = user_data;
      add_wish (link, call_id, (flags & MALT_INTERRUPT_FORCE) != 0, wish);
    }
  malt_link_unlock (link);
  if (!is_known)
    done (MALT_INTERRUPT_GONE, user_data);
}

/* What the runtime says */

/* With lock held: those that other calls kept from signalling may try again. */
static void
reconsider_others (MaltLink *link)
{
  if (link->n_outstanding != 1)
    return;
  for (GList *l = link->interrupts.head; l != NULL; l = l->next)
    {
      MaltLinkInterrupt *interrupt = l->data;
      if (interrupt->is_sent && interrupt->due_us < 0)
        set_timer (interrupt, PATIENCE_MS + link->distance_ms);
    }
}

void
malt_link_interrupts_call_answered (MaltLink *link, guint32 id, gboolean is_error,
                                    gboolean was_interrupted)
{
  MaltLinkInterrupt *interrupt;
  GSList *wishes = NULL;

  g_mutex_lock (&link->lock);
  link->has_seen_error = link->has_seen_error || is_error;
  interrupt = find (link, id);
  if (interrupt != NULL && (interrupt->n_signals > 0 || was_interrupted))
    wishes = end_interrupt (link, interrupt);
  reconsider_others (link);
  malt_link_unlock (link);
  give_result (wishes, was_interrupted ? MALT_INTERRUPT_DELIVERED : MALT_INTERRUPT_GONE);
}

void
malt_link_interrupts_call_dropped (MaltLink *link, guint32 id)
{
  MaltLinkInterrupt *interrupt;
  GSList *wishes = NULL;

  g_mutex_lock (&link->lock);
  g_hash_table_remove (link->calls, GUINT_TO_POINTER (id));
  interrupt = find (link, id);
  if (interrupt != NULL)
    wishes = end_interrupt (link, interrupt);
  malt_link_unlock (link);
  give_result (wishes, MALT_INTERRUPT_GONE);
}

gboolean
malt_link_interrupts_acknowledged (MaltLink *link, guint32 id, guint8 ack, GError **error)
{
  MaltLinkInterrupt *interrupt;
  GSList *wishes = NULL;
  gboolean is_expected;

  g_mutex_lock (&link->lock);
  is_expected = !g_queue_is_empty (&link->acks) && ack <= MALT_FRAME_ACK_GONE &&
                GPOINTER_TO_UINT (g_queue_pop_head (&link->acks)) == id;
  interrupt = is_expected ? find (link, id) : NULL;
  if (interrupt != NULL && interrupt->is_sent)
    wishes = end_interrupt (link, interrupt);
  malt_link_unlock (link);
  give_result (wishes, ack == MALT_FRAME_ACK_DELIVERED ? MALT_INTERRUPT_DELIVERED
                                                       : MALT_INTERRUPT_GONE);
  if (!is_expected)
    g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                 "acknowledgement %u of an interrupt of call %u that was not asked for",
                 ack, id);
  return is_expected;
}

void
malt_link_interrupts_close (MaltLink *link)
{
  MaltLinkInterrupt *interrupt;
  GSList *wishes = NULL;

  g_mutex_lock (&link->lock);
  link->signal_id = 0;
  while ((interrupt = g_queue_peek_head (&link->interrupts)) != NULL)
    wishes = g_slist_concat (wishes, end_interrupt (link, interrupt));
  g_queue_clear (&link->acks);
  malt_link_unlock (link);
  give_result (wishes, MALT_INTERRUPT_GONE);
}
