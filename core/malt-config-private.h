/* SPDX-License-Identifier: MIT */
/* The entries of a config, for those who check and apply them. Internal to the
 * library. */
#pragma once

#include <malt/malt.h>

G_BEGIN_DECLS

/* Where a value comes from. Greater ones win over smaller ones. */
typedef enum
{
  MALT_ORIGIN_DEFAULT,
  MALT_ORIGIN_KEY_FILE,
  MALT_ORIGIN_ENVIRONMENT,
  MALT_ORIGIN_PROGRAM,
} MaltOrigin;

typedef struct
{
  char *backend; /* (owned) (nullable): NULL: common */
  char *key; /* (owned) */
  char *value; /* (owned) */
  MaltOrigin origin;
  char *origin_text; /* (owned): such as "environment MALT_JULIA" */
} MaltConfigEntry;

/* Sets a value, unless one from a greater origin is there. @backend is NULL for common
 * values. */
void malt_config_set_from (MaltConfig *config, const char *backend, const char *key,
                           const char *value, MaltOrigin origin, const char *origin_text);

gsize malt_config_get_n_entries (MaltConfig *config);
const MaltConfigEntry *malt_config_get_entry (MaltConfig *config, gsize index);

/* The value that was set for this backend, not the common one. */
const char *malt_config_get_only_for (MaltConfig *config, const char *backend,
                                      const char *key);

/* "set by the program"; "default" if no backend was named. */
const char *malt_config_get_backend_origin (MaltConfig *config);

/* From now on the config may be read from several threads, so it cannot be changed. */
void malt_config_seal (MaltConfig *config);

/* Adds what the environment says; nothing where it cannot be trusted (AT_SECURE). */
void malt_config_read_environment (MaltConfig *config);

/* A list in text form, as in key files: `;` ends a text, `\;` stands for `;` and `\\`
 * for `\`. */
char *malt_strings_join (const char *const *texts);
char **malt_strings_split (const char *text);

G_END_DECLS
