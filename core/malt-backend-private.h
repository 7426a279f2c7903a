/* SPDX-License-Identifier: MIT */
/* The registry of backends, for core. Internal to the library. */
#pragma once

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

/* The name of the GIO extension point at which backends register. */
#define MALT_WORKER_EXTENSION_POINT "malt-worker"

/* (transfer full) */
MaltBackend *malt_backend_new (GType worker_type);

/* Lives as long as the process. */
const MaltWorkerClass *malt_backend_get_class (MaltBackend *backend);
GType malt_backend_get_worker_type (MaltBackend *backend);

/* What `auto` goes by, for each platform. */
int malt_worker_class_get_auto_priority (const MaltWorkerClass *klass,
                                         gboolean is_windows);

G_END_DECLS
