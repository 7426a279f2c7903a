/* SPDX-License-Identifier: MIT */
/* A weak reference to a worker that many share: futures, channels, queued emissions.
 * GObject's own weak references are kept in a list for each object, which would make
 * ending a call as expensive as there are calls. Internal to the library. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

typedef struct _MaltWeakWorker MaltWeakWorker;

MaltWeakWorker *malt_weak_worker_new (MaltWorker *worker);
MaltWeakWorker *malt_weak_worker_ref (MaltWeakWorker *weak);
void malt_weak_worker_unref (MaltWeakWorker *weak);

/* That of the worker, which lives as long as the worker does. (transfer none) */
MaltWeakWorker *malt_worker_get_weak (MaltWorker *worker);

/* (transfer full) (nullable) */
MaltWorker *malt_weak_worker_dup (MaltWeakWorker *weak);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltWeakWorker, malt_weak_worker_unref)

G_END_DECLS
