/* SPDX-License-Identifier: MIT */
/* One interrupt, and how busy code is reached: what malt-link-interrupt.c and
 * malt-link-busy.c share. */
#pragma once

#include "link/malt-link-private.h"

G_BEGIN_DECLS

/* All wishes to interrupt one call. */
struct _MaltLinkInterrupt
{
  guint32 id;
  gboolean is_sent; /* INTERRUPT was */
  MaltInterruptFlags flags; /* of any of the wishes */
  GSource *timer; /* (owned) */
  GSList *wishes; /* (owned) */

  /* Of malt-link-busy.c; times are of the monotonic clock, in microseconds. */
  gint64 asked_us; /* when INTERRUPT was sent first */
  gint64 asked_run_us; /* how long the Julia thread had run then; -1: not known */
  gint64 ran_us; /* when it had last been seen to run */
  gint64 last_run_us; /* and how long it had run by then */
  gint64
      hit_run_us; /* how long it had run when the call was seen to be hit; -1: it was not */
  guint n_signals; /* sent, or on their way */
  guint n_unjudged; /* of these, in quick succession */
  gint64 signal_us; /* when the last one arrived, or failed */
  gboolean cannot_signal;
  guint32 n_thrown; /* by the judge, before INTERRUPT was sent */
};

/* All with the lock of the link held. */

/* In @delay_ms malt_link_busy_consider() is called, in the I/O thread. */
void malt_link_interrupt_set_timer (MaltLinkInterrupt *interrupt, gint64 delay_ms);

/* Before INTERRUPT is sent: the runtime may take it from now on. */
void malt_link_busy_request (MaltLink *link, MaltLinkInterrupt *interrupt);

/* INTERRUPT was sent for the first time: the clocks start. */
void malt_link_busy_begin (MaltLink *link, MaltLinkInterrupt *interrupt);

/* Does what is due for a call that has not been answered. TRUE: the interrupt has come to
 * its end. */
gboolean malt_link_busy_consider (MaltLink *link, MaltLinkInterrupt *interrupt,
                                  MaltInterruptResult *out_result);

/* The interrupt has come to its end in any way: nothing that was asked for is to hit any more. */
void malt_link_busy_end (MaltLink *link, MaltLinkInterrupt *interrupt);

/* The signal that was on its way has arrived, or could not be sent. */
void malt_link_busy_signal_sent (MaltLinkInterrupt *interrupt, gboolean is_sent);

G_END_DECLS
