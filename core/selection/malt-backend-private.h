/* SPDX-License-Identifier: MIT */
/* The registry of backends, for core. Internal to the library. */
#pragma once

#include "platform/malt-platform.h"

#include <malt/malt-backend.h>
#include <malt/malt-option-table.h>

G_BEGIN_DECLS

/* The name of the GIO extension point at which backends register. */
#define MALT_WORKER_EXTENSION_POINT "malt-worker"

/* A backend in plain words: what its class says that has to be known before there is a worker. It
 * points to constants. */
typedef struct
{
  const char *name;
  const char *description;
  const MaltOption *options; /* ended by an entry whose name is NULL */
  MaltCapabilities capabilities;
  int auto_priority[MALT_N_PLATFORMS];
  gboolean (*probe) (MaltConfig *config, GError **error); /* (nullable) */
  char *(*dup_julia) (MaltConfig *config, GError **error); /* (nullable) */
} MaltBackendTraits;

/* @module is the path of the module that it comes from, or NULL. (transfer full) */
MaltBackend *malt_backend_new (GType worker_type, const MaltBackendTraits *traits,
                               const char *module);
/* Stands for a module that has no backend, and says why: never to be used. (transfer full) */
MaltBackend *malt_backend_new_unusable (const char *name, const char *module,
                                        const GError *reason);
/* NULL: it can be used. (transfer none) */
const GError *malt_backend_get_refusal (MaltBackend *backend);

/* (transfer none) Those of an unusable one are a name and no options. */
const MaltBackendTraits *malt_backend_get_traits (MaltBackend *backend);
GType malt_backend_get_worker_type (MaltBackend *backend);

/* What `auto` goes by on a platform: the greatest is tried first, 0 never. */
int malt_backend_get_auto_priority_on (MaltBackend *backend, MaltPlatform platform);

/* The backends that `auto` tries on a platform, in its order. (transfer container) */
GPtrArray *malt_backend_list_auto (MaltPlatform platform);

/* The groups of key files in which an option could stand, such as "[one] or [another]"; NULL if
 * no backend has it. (transfer full) (nullable) */
char *malt_backend_dup_groups_of_option (const char *key);

/* FALSE, with MALT_ERROR_CONFIG, if something in the config is wrong when this backend
 * is taken. */
gboolean malt_config_check (MaltConfig *config, MaltBackend *chosen, GError **error);

G_END_DECLS
