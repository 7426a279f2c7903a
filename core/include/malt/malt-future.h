/* SPDX-License-Identifier: MIT */
/* MaltFuture: the answer to a call that is under way. Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

#define MALT_TYPE_FUTURE (malt_future_get_type ())

MALT_EXPORT
G_DECLARE_FINAL_TYPE (MaltFuture, malt_future, MALT, FUTURE, GObject)

MALT_EXPORT
gboolean malt_future_is_done (MaltFuture *future);
MALT_EXPORT
MaltValue *malt_future_fetch (MaltFuture *future, GCancellable *cancellable,
                              GError **error);
MALT_EXPORT
gboolean malt_future_wait (MaltFuture *future, gint64 timeout_ms,
                           GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_future_fetch_async (MaltFuture *future, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltValue *malt_future_fetch_finish (MaltFuture *future, GAsyncResult *result,
                                     GError **error);
MALT_EXPORT
void malt_future_cancel (MaltFuture *future);
MALT_EXPORT
MaltInterruptResult malt_future_interrupt (MaltFuture *future, MaltInterruptFlags flags,
                                           GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_future_interrupt_async (MaltFuture *future, MaltInterruptFlags flags,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
MALT_EXPORT
MaltInterruptResult malt_future_interrupt_finish (MaltFuture *future,
                                                  GAsyncResult *result, GError **error);
MALT_EXPORT
MaltWorker *malt_future_dup_worker (MaltFuture *future);
MALT_EXPORT
MaltCall *malt_future_get_call (MaltFuture *future);
MALT_EXPORT
guint32 malt_future_get_id (MaltFuture *future);

G_END_DECLS
