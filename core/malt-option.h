/* SPDX-License-Identifier: MIT */
/* Options of backends: reading their text forms and checking configs against them.
 * Internal to the library. */
#pragma once

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

/* NULL if the table has no such option. */
const MaltOption *malt_option_find (const MaltOption *table, const char *name);

/* FALSE, with MALT_ERROR_CONFIG, if the value is not one that the option accepts.
 * @origin says where it comes from. */
gboolean malt_option_check (const MaltOption *option, const char *value,
                            const char *origin, GError **error);

/* The value for a backend: set for it, else common, else the default. */
const char *malt_option_get_value (const MaltOption *option, const char *backend,
                                   MaltConfig *config);

/* The value of a text that was checked. */
gint64 malt_option_parse_int (const char *value);
gboolean malt_option_parse_bool (const char *value);

/* FALSE, with MALT_ERROR_CONFIG, if something in the config is wrong when this backend
 * is taken. */
gboolean malt_config_check (MaltConfig *config, MaltBackend *chosen, GError **error);

G_END_DECLS
