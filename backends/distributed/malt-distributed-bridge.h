/* SPDX-License-Identifier: MIT */
/* The bridge: the process that adds workers to a cluster of Distributed. One for each
 * configuration of bridges that is in use. */
#pragma once

#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

typedef struct _MaltDistributedBridge MaltDistributedBridge;

/* What a call gave: one of the two is NULL. Both are the caller's. In the I/O thread. */
typedef void (*MaltDistributedAnswer) (MaltValue *value, const GError *error,
                                       gpointer user_data);

/* That of the worker's options, launched if nobody uses it yet: the caller is a user of
 * it, and holds a reference. Any thread. */
MaltDistributedBridge *malt_distributed_bridge_enter (MaltWorker *worker);
/* Not a user any more, once for each time of entering: the last one ends the process. */
void malt_distributed_bridge_leave (MaltDistributedBridge *bridge);
void malt_distributed_bridge_unref (MaltDistributedBridge *bridge);

/* What workers write past their runtime, in the I/O thread. Takes a reference to the
 * owner over, until it is removed in that thread. */
typedef void (*MaltDistributedPrinted) (gpointer owner, MaltStream stream,
                                        const char *text, gsize n_bytes);
void malt_distributed_bridge_add_worker (MaltDistributedBridge *bridge, gint64 number,
                                         MaltDistributedPrinted printed, gpointer owner,
                                         GDestroyNotify unref);
void malt_distributed_bridge_remove_worker (MaltDistributedBridge *bridge, gint64 number);

/* Calls a function of bridge.jl, once the bridge is ready, in the order of these calls;
 * takes the call over. A bridge that cannot be launched, or has ended, is an error. Any
 * thread. @answer may be NULL. */
void malt_distributed_bridge_call (MaltDistributedBridge *bridge, MaltCall *call,
                                   MaltDistributedAnswer answer, gpointer user_data);

/* Takes back a call that waits for the bridge to be ready; it is answered with an error.
 * FALSE: there is none with this @user_data. In the I/O thread. */
gboolean malt_distributed_bridge_withdraw (MaltDistributedBridge *bridge,
                                           gpointer user_data);

/* For tests: of the process; 0 before it is there. */
gint64 malt_distributed_bridge_get_pid (MaltDistributedBridge *bridge);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltDistributedBridge, malt_distributed_bridge_unref)

G_END_DECLS
