/* SPDX-License-Identifier: MIT */
/* Futures as core makes and completes them. Internal to the library. */
#pragma once

#include "worker/malt-waiter.h"
#include "worker/malt-worker-private.h"

G_BEGIN_DECLS

/* Without a call it is a request of core's own. (transfer full) */
MaltFuture *malt_future_new (MaltWeakWorker *worker, MaltCall *call);

/* Ends the future; takes over both. Without a value and an error the value is
 * `nothing`. FALSE if it had ended already. */
gboolean malt_future_complete (MaltFuture *future, MaltValue *value, GError *error);

/* What the worker keeps in the future while it is outstanding; guarded by the worker's
 * lock. */
void malt_future_set_id (MaltFuture *future, guint32 id);
GList *malt_future_get_link (MaltFuture *future);
gboolean malt_future_is_request (MaltFuture *future);

/* Completes the future with MALT_ERROR_TIMED_OUT when that time has passed. */
void malt_future_start_deadline (MaltFuture *future, gint64 timeout_ms);

typedef enum
{
  MALT_CANCEL_WAIT, /* the cancellable gives up the wait; the future stays as it is */
  MALT_CANCEL_FUTURE, /* the cancellable completes the future */
} MaltCancelScope;

/* Returns the result, a MaltValue, to the waiter once the future is done. */
void malt_future_answer (MaltFuture *future, MaltWaiter *waiter, MaltCancelScope scope);

/* Waits for the value, and if the cancellable fires, completes the future. (transfer
 * full) */
MaltValue *malt_future_fetch_or_cancel (MaltFuture *future, GCancellable *cancellable,
                                        GError **error);

G_END_DECLS
