/* SPDX-License-Identifier: MIT */
/* MaltBackend: a kind of worker, described; lists and probes backends. Documentation
 * stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-config.h>
#include <malt/malt-types.h>

G_BEGIN_DECLS

#define MALT_TYPE_BACKEND (malt_backend_get_type ())

MALT_EXPORT
GType malt_backend_get_type (void) G_GNUC_CONST;
MALT_EXPORT
MaltBackend *malt_backend_ref (MaltBackend *backend);
MALT_EXPORT
void malt_backend_unref (MaltBackend *backend);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltBackend, malt_backend_unref)

MALT_EXPORT
GPtrArray *malt_backend_list (void);
MALT_EXPORT
MaltBackend *malt_backend_lookup (const char *name, GError **error);
MALT_EXPORT
MaltBackend *malt_backend_choose (MaltConfig *config, char **out_reason, GError **error);
MALT_EXPORT
const char *malt_backend_get_name (MaltBackend *backend);
MALT_EXPORT
const char *malt_backend_get_description (MaltBackend *backend);
MALT_EXPORT
const char *malt_backend_get_module (MaltBackend *backend);
MALT_EXPORT
gboolean malt_backend_probe (MaltBackend *backend, MaltConfig *config, GError **error);
MALT_EXPORT
char *malt_backend_dup_julia (MaltBackend *backend, MaltConfig *config, GError **error);
MALT_EXPORT
MaltCapabilities malt_backend_get_capabilities (MaltBackend *backend);
MALT_EXPORT
int malt_backend_get_auto_priority (MaltBackend *backend);
MALT_EXPORT
char **malt_backend_dup_option_names (MaltBackend *backend);
MALT_EXPORT
MaltOptionType malt_backend_get_option_type (MaltBackend *backend, const char *name);
MALT_EXPORT
const char *malt_backend_get_option_default (MaltBackend *backend, const char *name);
MALT_EXPORT
const char *malt_backend_get_option_summary (MaltBackend *backend, const char *name);
MALT_EXPORT
gboolean malt_backend_check_config (MaltBackend *backend, MaltConfig *config,
                                    GError **error);

G_END_DECLS
