/* SPDX-License-Identifier: MIT */
/* Options of backends: reading their text forms and checking configs against them.
 * Internal to the library. */
#pragma once

#include <malt/malt-option-table.h>

G_BEGIN_DECLS

/* NULL if the table has no such option. */
const MaltOption *malt_option_find (const MaltOption *table, const char *name);

/* FALSE, with MALT_ERROR_CONFIG, if the value is not one that the option accepts.
 * @origin says where it comes from. */
gboolean malt_option_check (const MaltOption *option, const char *value,
                            const char *origin, GError **error);

gboolean malt_option_accepts (const MaltOption *option, const char *value);

/* What it accepts, such as "'true' or 'false'". (transfer full) */
char *malt_option_dup_expectation (const MaltOption *option);

/* The names of a table, as a quoted list; only common ones if that is asked for. (transfer full) */
char *malt_option_dup_names (const MaltOption *table, gboolean is_common_only);

/* The groups in which a key could stand, such as "[one] or [another]"; NULL
 * if nobody knows it. (transfer full) (nullable) */
char *malt_option_dup_groups (const char *key);

/* The value for a backend: the config's, else the default. */
const char *malt_option_get_value (const MaltOption *option, const char *backend,
                                   MaltConfig *config);

/* The value of a text that was checked. */
gint64 malt_option_parse_int (const char *value);
gboolean malt_option_parse_bool (const char *value);

/* FALSE, with MALT_ERROR_CONFIG, if something in the config is wrong when this backend
 * is taken. */
gboolean malt_config_check (MaltConfig *config, MaltBackend *chosen, GError **error);

G_END_DECLS
