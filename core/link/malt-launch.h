/* SPDX-License-Identifier: MIT */
/* How a launch ends: decided once, by whoever comes first. Any thread may call any of these. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MaltLaunch MaltLaunch;

/* Tells how it ended: NULL is well. Called once. */
typedef void (*MaltLaunched) (const GError *error, gpointer user_data);

/* @decided, with @owner, is called once, without a lock and before anybody else is told; the I/O thread calls it where the start timeout or a
 * cancellable decides. The launch keeps no reference to its owner: its sources do, made with @ref and dropped with @unref. */
MaltLaunch *malt_launch_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                             MaltLaunched decided);
void malt_launch_free (MaltLaunch *launch);

/* Takes the error over; NULL: well. FALSE: it was decided before. */
gboolean malt_launch_decide (MaltLaunch *launch, GError *error);
gboolean malt_launch_is_decided (MaltLaunch *launch);

/* From now on there is a start timeout. @dup_tail (nullable) gives what the message ends with. */
void malt_launch_limit (MaltLaunch *launch, gint64 timeout_ms,
                        char *(*dup_tail) (gpointer owner));

/* Tells @launched when it is decided, perhaps at once; @cancellable (nullable) decides it. Once only. */
void malt_launch_await (MaltLaunch *launch, GCancellable *cancellable,
                        MaltLaunched launched, gpointer user_data);

/* The same for GInitable and for GAsyncInitable; the task is returned TRUE or the error, and taken over. */
gboolean malt_launch_await_blocking (MaltLaunch *launch, GCancellable *cancellable,
                                     GError **error);
void malt_launch_await_task (MaltLaunch *launch, GCancellable *cancellable, GTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltLaunch, malt_launch_free)

G_END_DECLS
