/* SPDX-License-Identifier: MIT */
/* How a launch ends: decided once, by whoever comes first. Any thread may call any of
 * these, holding a reference to the owner and no lock. */
#pragma once

#include <gio/gio.h>
#include <malt/malt-error.h>

G_BEGIN_DECLS

typedef struct _MaltLaunch MaltLaunch;

/* How it was decided: NULL is well. */
typedef void (*MaltLaunchDecided) (gpointer owner, const GError *error);

/* What the message of the start timeout ends with. (transfer full) (nullable) */
typedef char *(*MaltLaunchDupTail) (gpointer owner);

/* The owner keeps the launch, and frees it when its last reference goes. The launch keeps
 * no reference to its owner: its sources do, made with @ref and dropped with @unref.
 *
 * @decided is called once, without a lock, in the thread that decides: the I/O thread
 * where it is the start timeout or a cancellable. Who waits is told after it has
 * returned. Owners change their state there, unless they have ended meanwhile. */
MaltLaunch *malt_launch_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                             MaltLaunchDecided decided);
void malt_launch_free (MaltLaunch *launch);

/* Takes the error over; NULL: well. FALSE: it was decided before. */
gboolean malt_launch_decide (MaltLaunch *launch, GError *error);

/* The same for a worker that has ended, if nobody has decided before. */
void malt_launch_fail (MaltLaunch *launch, MaltTermination *termination);

/* TRUE as soon as somebody has: @decided may not have returned yet. */
gboolean malt_launch_is_decided (MaltLaunch *launch);

/* From now on there is a start timeout. Once only. @dup_tail (nullable) is called in the
 * I/O thread. */
void malt_launch_limit (MaltLaunch *launch, gint64 timeout_ms,
                        MaltLaunchDupTail dup_tail);

/* Waits until it is decided; @cancellable (nullable) decides it too. For GInitable: FALSE
 * and the error, if it did not go well. For GAsyncInitable: the task, which is taken
 * over, returns TRUE or the error. One of the two, once. */
gboolean malt_launch_await_blocking (MaltLaunch *launch, GCancellable *cancellable,
                                     GError **error);
void malt_launch_await_task (MaltLaunch *launch, GCancellable *cancellable, GTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltLaunch, malt_launch_free)

G_END_DECLS
