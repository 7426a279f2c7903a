/* SPDX-License-Identifier: MIT */
/* The registry of backends, for core. Internal to the library. */
#pragma once

#include <malt/malt-worker-class.h>

G_BEGIN_DECLS

/* The name of the GIO extension point at which backends register. */
#define MALT_WORKER_EXTENSION_POINT "malt-worker"

/* @module is the path of the module that it comes from, or NULL. (transfer full) */
MaltBackend *malt_backend_new (GType worker_type, const char *module);
/* Stands for a module that has no backend, and says why: never to be used. (transfer full) */
MaltBackend *malt_backend_new_unusable (const char *name, const char *module,
                                        const GError *reason);
/* NULL: it can be used. (transfer none) */
const GError *malt_backend_get_refusal (MaltBackend *backend);

/* Lives as long as the backend. That of an unusable one has a name and no options. */
const MaltWorkerClass *malt_backend_get_class (MaltBackend *backend);
GType malt_backend_get_worker_type (MaltBackend *backend);

/* The platforms among which the order of `auto` differs, or might. */
typedef enum
{
  MALT_PLATFORM_LINUX,
  MALT_PLATFORM_MACOS,
  MALT_PLATFORM_WINDOWS,
  MALT_N_PLATFORMS,
} MaltPlatform;

/* The one that this library was built for; other Unixes count as Linux. */
MaltPlatform malt_platform_get (void);

/* What `auto` goes by on a platform: the greatest is tried first, 0 never. */
int malt_worker_class_get_auto_priority (const MaltWorkerClass *klass,
                                         MaltPlatform platform);

/* The backends that `auto` tries on a platform, in its order. (transfer container) */
GPtrArray *malt_backend_list_auto (MaltPlatform platform);

G_END_DECLS
