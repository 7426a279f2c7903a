/* SPDX-License-Identifier: MIT */
/* Channels as core makes and closes them. Internal to the library. */
#pragma once

#include "worker/malt-worker-private.h"

G_BEGIN_DECLS

/* How many items may be under way to the host and in its queue. */
#define MALT_CHANNEL_WINDOW 64

/* Registered and numbered, with a window's worth of credit, not yet open. (transfer
 * full) */
MaltChannel *malt_channel_new (MaltWorker *worker);

/* The worker has ended. */
void malt_channel_lose (MaltChannel *channel, const char *reason);

/* What is known of a channel on the host's side. */
typedef struct
{
  gboolean has_items; /* in the queue */
  gboolean is_closed;
  gboolean is_lost; /* closed because the worker ended */
} MaltChannelState;

void malt_channel_get_state (MaltChannel *channel, MaltChannelState *out_state);
/* (transfer full) */
GError *malt_channel_new_closed_error (MaltChannel *channel);
/* (transfer none) */
MaltWeakWorker *malt_channel_get_weak_worker (MaltChannel *channel);

/* TRUE, with MALT_ERROR_CANCELLED, if the cancellable fired before anything was begun. */
gboolean malt_channel_is_given_up (GCancellable *cancellable, GError **error);

G_END_DECLS
