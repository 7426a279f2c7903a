/* SPDX-License-Identifier: MIT */
/* What core's files, and core/link, ask of a worker beyond the public interface.
 * Internal to the library. */
#pragma once

#include "value/malt-value-private.h"
#include "worker/malt-weak-worker.h"

G_BEGIN_DECLS

/* Where handles of this worker come from; lives at least as long as the worker.
 * (transfer none) */
MaltHandleHome *malt_worker_get_handle_home (MaltWorker *worker);

/* The future of a request of core's own, registered and numbered, for the caller to
 * pass to a slot. If the worker does not run it has failed already, and
 * *out_is_pending is FALSE. (transfer full) */
MaltFuture *malt_worker_begin_request (MaltWorker *worker, gboolean *out_is_pending);

/* TRUE, with an error, in a thread without which the worker can answer nothing: there,
 * nothing may be waited for. */
gboolean malt_weak_worker_is_waited_for (MaltWeakWorker *weak, GError **error);

/* What a backend says of a wrapped worker is meant for the one that wraps it, its front.
 * NULL: there is none any more. (transfer full) */
gboolean malt_worker_is_wrapped (MaltWorker *worker);
MaltWorker *malt_worker_dup_front (MaltWorker *worker);

/* What a layer above keeps with a worker: made on its first use, closed when the worker
 * has ended, without a lock and before `exited` is emitted, and freed with the worker.
 * There is one kind of it. */
typedef struct
{
  gpointer (*make) (void);
  void (*close) (gpointer attachment);
  void (*free) (gpointer attachment);
} MaltAttachmentKind;

/* Lives as long as the worker; closed already if that has ended. (transfer none) */
gpointer malt_worker_get_attachment (MaltWorker *worker, const MaltAttachmentKind *kind);

/* The slot is_julia_thread, of the worker or of the one that it wraps. */
typedef gboolean (*MaltJuliaThreadCheck) (void);
MaltJuliaThreadCheck malt_worker_get_julia_thread_check (MaltWorker *worker);

/* FALSE once malt_worker_exited() was called or the worker is being disposed of. */
gboolean malt_worker_is_alive (MaltWorker *worker);

/* Channels are known by number; the worker holds them weakly. */
guint32 malt_worker_add_channel (MaltWorker *worker, MaltChannel *channel);
void malt_worker_remove_channel (MaltWorker *worker, guint32 id);

G_END_DECLS
