/* SPDX-License-Identifier: MIT */
/* MaltConfig: which backend, and with which options. Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>

G_BEGIN_DECLS

/**
 * MaltOptionType:
 * @MALT_OPTION_STRING: text
 * @MALT_OPTION_INT: a whole number within the option's range
 * @MALT_OPTION_BOOL: true or false
 * @MALT_OPTION_ENUM: one of the option's choices
 * @MALT_OPTION_STRINGS: a list of texts; in text form separated by `;`
 *
 * The type of an option.
 */
typedef enum
{
  MALT_OPTION_STRING,
  MALT_OPTION_INT,
  MALT_OPTION_BOOL,
  MALT_OPTION_ENUM,
  MALT_OPTION_STRINGS,
} MaltOptionType;

#define MALT_TYPE_CONFIG (malt_config_get_type ())

MALT_EXPORT
G_DECLARE_FINAL_TYPE (MaltConfig, malt_config, MALT, CONFIG, GObject)

MALT_EXPORT
MaltConfig *malt_config_new (void);
MALT_EXPORT
MaltConfig *malt_config_new_default (GError **error);
MALT_EXPORT
MaltConfig *malt_config_new_for_profile (const char *profile, GError **error);
MALT_EXPORT
gboolean malt_config_load_file (MaltConfig *config, const char *path, const char *profile,
                                GError **error);
MALT_EXPORT
MaltConfig *malt_config_copy (MaltConfig *config);

MALT_EXPORT
void malt_config_set_backend (MaltConfig *config, const char *name);
MALT_EXPORT
const char *malt_config_get_backend (MaltConfig *config);

MALT_EXPORT
void malt_config_set (MaltConfig *config, const char *key, const char *value);
MALT_EXPORT
void malt_config_set_int (MaltConfig *config, const char *key, gint64 value);
MALT_EXPORT
void malt_config_set_strings (MaltConfig *config, const char *key,
                              const char *const *values);
MALT_EXPORT
void malt_config_set_for (MaltConfig *config, const char *backend, const char *key,
                          const char *value);
MALT_EXPORT
void malt_config_unset (MaltConfig *config, const char *key);

MALT_EXPORT
const char *malt_config_get (MaltConfig *config, const char *key);
MALT_EXPORT
const char *malt_config_get_for (MaltConfig *config, const char *backend,
                                 const char *key);
MALT_EXPORT
const char *malt_config_get_origin (MaltConfig *config, const char *key);
MALT_EXPORT
const char *malt_config_get_origin_for (MaltConfig *config, const char *backend,
                                        const char *key);
MALT_EXPORT
char **malt_config_dup_keys (MaltConfig *config);

G_END_DECLS
