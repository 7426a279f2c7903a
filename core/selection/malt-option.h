/* SPDX-License-Identifier: MIT */
/* Options of backends: their text forms, and the value of each in a config.
 * Internal to the library. */
#pragma once

#include <malt/malt-option-table.h>

G_BEGIN_DECLS

/* NULL if the table has no such option. */
const MaltOption *malt_option_find (const MaltOption *table, const char *name);

/* FALSE, with MALT_ERROR_CONFIG, if the value is not one that the option accepts.
 * @origin says where it comes from, @group (nullable) whose option it is, where @origin
 * does not. */
gboolean malt_option_check (const MaltOption *option, const char *value,
                            const char *group, const char *origin, GError **error);

gboolean malt_option_accepts (const MaltOption *option, const char *value);

/* What it accepts, such as "'true' or 'false'". (transfer full) */
char *malt_option_dup_expectation (const MaltOption *option);

/* The names of a table, as a quoted list; only common ones if that is asked for. (transfer full) */
char *malt_option_dup_names (const MaltOption *table, gboolean is_common_only);

/* The value for a backend: the config's, else the default. */
const char *malt_option_get_value (const MaltOption *option, const char *backend,
                                   MaltConfig *config);

/* The value of a text that was checked. */
gint64 malt_option_parse_int (const char *value);
gboolean malt_option_parse_bool (const char *value);

G_END_DECLS
