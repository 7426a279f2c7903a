/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: the call that is meant is hit, or nothing (rule B10; docs/protocol.md, section 6).
 *
 * One MaltLinkInterrupt stands for all wishes to interrupt one call. Its life:
 *
 *   held     The call itself is being encoded or held back (is_sent is FALSE). INTERRUPT
 *            follows it when it is sent. A call that cannot be encoded is GONE.
 *   asked    INTERRUPT was sent. A runtime that reads acknowledges it within a moment:
 *            DELIVERED or GONE. It does not read while evaluated code hogs the processor:
 *            malt-link-busy.c then does what can be done, and may end it otherwise.
 *   answered The call was answered. The answer says whether the exception was thrown into
 *   its code: DELIVERED or GONE.
 *
 * Each INTERRUPT is acknowledged, in order: acks holds the ids that are due. An
 * acknowledgement that nobody waits for any more is dropped. A runtime that has not
 * looked for long does not know whether the host still wants what it reads: it answers
 * LATE, and INTERRUPT is sent again if the wish still stands.
 *
 * A worker with nothing outstanding is never signalled. Calls whose answer was given up,
 * and calls of remote_do, count as outstanding until the worker has answered them.
 * Requests of channels do not count, but for the opening, which evaluates code.
 *
 * Threads: all fields are guarded by the lock of the link. Timers run in the I/O thread.
 * Results are given without the lock.
 */
#include "link/malt-link-interrupt.h"

#include "platform/malt-io-thread.h"

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

void
malt_link_interrupt_set_timer (MaltLinkInterrupt *interrupt, gint64 delay_ms)
{
  g_source_set_ready_time (interrupt->timer, g_get_monotonic_time () + delay_ms * 1000);
}

static MaltLinkInterrupt *
interrupt_new (MaltLink *link, guint32 id)
{
  MaltLinkInterrupt *interrupt = g_new0 (MaltLinkInterrupt, 1);
  TimerTarget *target = g_new (TimerTarget, 1);

  target->link = malt_link_ref (link);
  target->id = id;
  interrupt->id = id;
  interrupt->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (interrupt->timer, "malt: interrupt");
  g_source_set_callback (interrupt->timer, on_timer, target, timer_target_free);
  g_source_attach (interrupt->timer, malt_io_thread_get_context ());
  return interrupt;
}

/* Ends. Whoever takes wishes off, with the lock held, gives them the result without the lock. */

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

/* With lock held, when an interrupt is gone, or the last signal has arrived. */
static void
end_escalation (MaltLink *link)
{
  if (g_queue_is_empty (&link->interrupts) && link->funcs->interrupts_over != NULL &&
      link->owner != NULL)
    link->funcs->interrupts_over (link->owner);
  if (!malt_link_is_escalating (link))
    malt_link_release_held (link);
}

/* With lock held. Returns the wishes; the interrupt is gone. */
static GSList *
end_interrupt (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  GSList *wishes = interrupt->wishes;

  malt_link_busy_end (link, interrupt);
  g_queue_remove (&link->interrupts, interrupt);
  g_source_destroy (interrupt->timer);
  g_source_unref (interrupt->timer);
  g_free (interrupt);
  end_escalation (link);
  return wishes;
}

/* The call was answered, or there is none any more. */
static void
end_with_call (MaltLink *link, guint32 id, gboolean is_dropped,
               MaltInterruptResult result)
{
  MaltLinkInterrupt *interrupt;
  GSList *wishes = NULL;

  g_mutex_lock (&link->lock);
  if (is_dropped)
    g_hash_table_remove (link->calls, GUINT_TO_POINTER (id));
  interrupt = find (link, id);
  if (interrupt != NULL)
    wishes = end_interrupt (link, interrupt);
  malt_link_unlock (link);
  give_result (wishes, result);
}

void
malt_link_interrupts_call_answered (MaltLink *link, guint32 id, gboolean was_interrupted)
{
  end_with_call (link, id, FALSE,
                 was_interrupted ? MALT_INTERRUPT_DELIVERED : MALT_INTERRUPT_GONE);
}

void
malt_link_interrupts_call_dropped (MaltLink *link, guint32 id)
{
  end_with_call (link, id, TRUE, MALT_INTERRUPT_GONE);
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

/* While it lasts */

/* With lock held. What is not sent, or answered, or not connected any more ends elsewhere. */
static gboolean
is_under_way (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  gboolean is_connected =
      link->fd >= 0 || (link->funcs->send_frame != NULL && !link->is_closed);

  return is_connected && interrupt->is_sent &&
         g_hash_table_contains (link->calls, GUINT_TO_POINTER (interrupt->id));
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
  if (interrupt != NULL && is_under_way (link, interrupt) &&
      malt_link_busy_consider (link, interrupt, &result))
    wishes = end_interrupt (link, interrupt);
  malt_link_unlock (link);
  give_result (wishes, result);
  return G_SOURCE_CONTINUE;
}

void
malt_link_signal_sent (MaltLink *link, gboolean is_sent)
{
  MaltLinkInterrupt *interrupt;

  g_mutex_lock (&link->lock);
  interrupt = find (link, link->signal_id);
  link->signal_id = 0;
  if (interrupt != NULL)
    malt_link_busy_signal_sent (interrupt, is_sent);
  end_escalation (link);
  malt_link_unlock (link);
}

/* Starts */

/* With lock held. */
static void
send_interrupt (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  link->n_interrupt_frames++;
  malt_link_busy_request (link, interrupt);
  g_queue_push_tail (&link->acks, GUINT_TO_POINTER (interrupt->id));
  malt_link_send_empty (link, MALT_FRAME_INTERRUPT, interrupt->id);
}

/* With lock held. */
static void
ask (MaltLink *link, MaltLinkInterrupt *interrupt)
{
  interrupt->is_sent = TRUE;
  send_interrupt (link, interrupt);
  malt_link_busy_begin (link, interrupt);
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
add_wish (MaltLink *link, guint32 id, MaltInterruptFlags flags, Wish *wish)
{
  MaltLinkInterrupt *interrupt = find (link, id);
  guint call =
      GPOINTER_TO_UINT (g_hash_table_lookup (link->calls, GUINT_TO_POINTER (id)));

  if (interrupt == NULL)
    {
      interrupt = interrupt_new (link, id);
      g_queue_push_tail (&link->interrupts, interrupt);
    }
  interrupt->wishes = g_slist_append (interrupt->wishes, wish);
  interrupt->flags |= flags;
  if (!interrupt->is_sent && !(call & MALT_LINK_CALL_HELD))
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
      add_wish (link, call_id, flags, wish);
    }
  malt_link_unlock (link);
  if (!is_known)
    done (MALT_INTERRUPT_GONE, user_data);
}

/* What the runtime says */

/* With lock held. The wishes for which this is the end. */
static GSList *
take_acknowledgement (MaltLink *link, guint32 id, guint8 ack)
{
  MaltLinkInterrupt *interrupt = find (link, id);

  if (interrupt == NULL || !interrupt->is_sent)
    return NULL;
  if (ack != MALT_FRAME_ACK_LATE)
    return end_interrupt (link, interrupt);
  send_interrupt (link, interrupt);
  return NULL;
}

gboolean
malt_link_interrupts_acknowledged (MaltLink *link, guint32 id, guint8 ack, GError **error)
{
  GSList *wishes = NULL;
  gboolean is_expected;

  g_mutex_lock (&link->lock);
  is_expected = !g_queue_is_empty (&link->acks) && ack <= MALT_FRAME_ACK_LATE &&
                GPOINTER_TO_UINT (g_queue_pop_head (&link->acks)) == id;
  if (is_expected)
    wishes = take_acknowledgement (link, id, ack);
  malt_link_unlock (link);
  give_result (wishes, ack == MALT_FRAME_ACK_DELIVERED ? MALT_INTERRUPT_DELIVERED
                                                       : MALT_INTERRUPT_GONE);
  if (!is_expected)
    g_set_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL,
                 "acknowledgement %u of an interrupt of call %u that was not asked for",
                 ack, id);
  return is_expected;
}
