/* SPDX-License-Identifier: MIT */
/* MaltWaiter: somebody who waits, through a GTask, for one of several things to
 * happen. Internal to the library. */
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
MaltWaiter *malt_waiter_ref (MaltWaiter *waiter);
void malt_waiter_unref (MaltWaiter *waiter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltWaiter, malt_waiter_unref)

/* For data that the answer belongs to. (transfer none) */
GTask *malt_waiter_get_task (MaltWaiter *waiter);

/* From here on the cancellable of the task counts. Without this call it does not. */
void malt_waiter_watch_cancellable (MaltWaiter *waiter, MaltWaiterCancelFunc on_cancel,
                                    gpointer data, GDestroyNotify destroy);

/* TRUE for the first caller only, who must then return an answer. */
gboolean malt_waiter_claim (MaltWaiter *waiter);

/* The answer of the one who claimed the waiter. The callback of the task runs in the
 * starter's context, never inside these functions. They take over what they are given. */
void malt_waiter_return_pointer (MaltWaiter *waiter, gpointer value,
                                 GDestroyNotify destroy);
void malt_waiter_return_int (MaltWaiter *waiter, gssize value);
void malt_waiter_return_error (MaltWaiter *waiter, GError *error);

/* Runs an async operation to its end in the calling thread. `start` begins it, with
 * on_ended_blocking as its callback and @blocking as the callback's data. A private
 * main context is the thread's default meanwhile, so no source of the caller is
 * dispatched. */
typedef struct
{
  GMainContext *context; /* (owned) */
  GAsyncResult *result; /* (owned) (nullable): until the operation has ended */
} MaltBlocking;

void malt_blocking_begin (MaltBlocking *blocking);
void malt_blocking_on_ended (GObject *object, GAsyncResult *result, gpointer user_data);
/* (transfer none): valid until malt_blocking_end() */
GAsyncResult *malt_blocking_run (MaltBlocking *blocking);
void malt_blocking_end (MaltBlocking *blocking);

G_END_DECLS
