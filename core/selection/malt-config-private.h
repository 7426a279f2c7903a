/* SPDX-License-Identifier: MIT */
/* The entries of a config, for those who check and apply them. Internal to the
 * library. */
#pragma once

#include <malt/malt-config.h>
#include <malt/malt-types.h>

G_BEGIN_DECLS

/* Where a value comes from: greater ones win over smaller ones. Key files that were read
 * later win over earlier ones: the n-th has MALT_ORIGIN_KEY_FILE + n, and what stands
 * there in a profile MALT_ORIGIN_PROFILE + n, so a profile wins over all plain groups. */
typedef guint MaltOrigin;

enum
{
  MALT_ORIGIN_DEFAULT = 0,
  MALT_ORIGIN_KEY_FILE = 1,
  MALT_ORIGIN_PROFILE = 1 << 16,
  MALT_ORIGIN_ENVIRONMENT = 1 << 24,
  MALT_ORIGIN_PROGRAM = 1 << 25,
};

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

/* What a backend sees: the entry of the greater origin of the one that was set for it
 * and, if the option is a common one, the one that was set for all; of the same origin
 * the former. NULL: neither. */
const MaltConfigEntry *malt_config_find_for (MaltConfig *config, const char *backend,
                                             const char *key, gboolean is_common);

/* The n of the next key file. */
guint malt_config_take_file_number (MaltConfig *config);

/* From now on the config may be read from several threads, so it cannot be changed. */
void malt_config_seal (MaltConfig *config);
gboolean malt_config_is_sealed (MaltConfig *config);

/* Adds what the environment says; nothing where it cannot be trusted (AT_SECURE). */
void malt_config_read_environment (MaltConfig *config);

/* A list in text form, as in key files: `;` ends a text, `\;` stands for `;` and `\\`
 * for `\`. */
char *malt_strings_join (const char *const *texts);
char **malt_strings_split (const char *text);

G_END_DECLS
