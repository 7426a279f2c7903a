/* SPDX-License-Identifier: MIT */
/* Interrupts through a link whose runtime a test plays. */
#pragma once

#include "link-peer.h"

/* An interrupt under way. Static in the tests, since its callback may run after the test that did
 * not wait for it. */
typedef struct
{
  gint result; /* atomic; -1: none yet */
} LinkInterrupt;

void link_interrupt_start (LinkPeer *peer, MaltFuture *future, MaltInterruptFlags flags,
                           LinkInterrupt *interrupt);
gboolean link_interrupt_has_ended (gpointer interrupt);
gboolean link_interrupt_has_result (LinkInterrupt *interrupt, MaltInterruptResult result);

/* A call that waits, and one that hogs the processor. */
MaltFuture *link_interrupt_start_eval (LinkPeer *peer, guint32 *out_id);
MaltFuture *link_interrupt_start_busy (LinkPeer *peer, guint32 *out_id);

gboolean link_interrupt_has_signal (gpointer peer);
gboolean link_interrupt_wait_for_signal (LinkPeer *peer);

/* The signal throws: the call ends by it, and the interrupt was delivered. */
gboolean link_interrupt_hit (LinkPeer *peer, guint32 id, LinkInterrupt *interrupt);
