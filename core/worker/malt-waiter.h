/* SPDX-License-Identifier: MIT */
/* MaltWaiter: somebody who waits, through a GTask or in a blocked thread, for one of several
 * things to happen. Internal to the library. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MaltWaiter MaltWaiter;

/* Called when the task's cancellable fired first, in the thread that
 * cancelled, after the waiter was claimed. */
typedef void (*MaltWaiterCancelFunc) (MaltWaiter *waiter, gpointer data);

MaltWaiter *malt_waiter_new (gpointer source_object, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data,
                             gpointer source_tag);
/* For the calling thread, which is going to block. */
MaltWaiter *malt_waiter_new_blocking (GCancellable *cancellable);
MaltWaiter *malt_waiter_ref (MaltWaiter *waiter);
void malt_waiter_unref (MaltWaiter *waiter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltWaiter, malt_waiter_unref)

/* For data that the answer belongs to. (transfer none): NULL: it is a thread that waits */
GTask *malt_waiter_get_task (MaltWaiter *waiter);

/* From here on the cancellable counts. Without this call it does not. */
void malt_waiter_watch_cancellable (MaltWaiter *waiter, MaltWaiterCancelFunc on_cancel,
                                    gpointer data, GDestroyNotify destroy);

/* TRUE for the first caller only, who must then return an answer. */
gboolean malt_waiter_claim (MaltWaiter *waiter);

/* The answer of the one who claimed the waiter. The callback of a task runs in the
 * starter's context, never inside these functions. They take over what they are given. */
void malt_waiter_return_pointer (MaltWaiter *waiter, gpointer value,
                                 GDestroyNotify destroy);
void malt_waiter_return_int (MaltWaiter *waiter, gssize value);
void malt_waiter_return_error (MaltWaiter *waiter, GError *error);

/* Wait for the answer to a blocking waiter, and give it to the caller; NULL or -1, with an
 * error, if it is one. Once. */
gpointer malt_waiter_await_pointer (MaltWaiter *waiter, GError **error);
gssize malt_waiter_await_int (MaltWaiter *waiter, GError **error);

G_END_DECLS
