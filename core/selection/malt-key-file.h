/* SPDX-License-Identifier: MIT */
/* Key files: options of workers in files. docs/configuration.md describes the format.
 * Internal to the library. */
#pragma once

#include <malt/malt-config.h>
#include <malt/malt-types.h>

G_BEGIN_DECLS

enum
{
  MALT_KEY_FILE_MAX_BYTES = 1024 * 1024,
  MALT_KEY_FILE_MAX_LINE_BYTES = 64 * 1024,
  MALT_KEY_FILE_MAX_PROFILE_BYTES = 64,
  MALT_KEY_FILE_MAX_GROUPS = 1000,
};

/* A line `key = value`. */
typedef struct
{
  char *key; /* (owned) */
  char *raw; /* (owned): the value as it stands there */
  char
      *value; /* (owned) (nullable): in the text form of its option, once it is checked */
  guint line;
} MaltKeyFileEntry;

typedef struct
{
  char *name; /* (owned): "profile test", blanks made single ones */
  guint line;
  GPtrArray *entries; /* (owned): of MaltKeyFileEntry */
  char *
      profile; /* (owned) (nullable): the profile that the group belongs to, once it is checked */
  MaltBackend
      *backend; /* (owned) (nullable): whose options these are; NULL: common ones */
} MaltKeyFileGroup;

typedef struct
{
  char *path; /* (owned): as messages show it */
  GPtrArray *groups; /* (owned): of MaltKeyFileGroup */
} MaltKeyFile;

/* All fail with MALT_ERROR_CONFIG and a message that begins with "PATH:LINE: ", or that
 * names the path where no line is to blame. */

/* Reads a file that is trusted (malt-trust.h). */
MaltKeyFile *malt_key_file_load (const char *path, GError **error);

/* Takes the text of a file apart and checks all that is in it against the options of the
 * backends that are known. */
MaltKeyFile *malt_key_file_parse (const char *path, const char *text, gsize n_bytes,
                                  GError **error);

/* The first half of that: groups, keys and values, whatever they are called
 * (malt-key-file-scan.c). */
MaltKeyFile *malt_key_file_scan (const char *path, const char *text, gsize n_bytes,
                                 GError **error);

/* The second half: what they are called, and what the values mean (malt-key-file-check.c). */
gboolean malt_key_file_check (MaltKeyFile *file, GError **error);

void malt_key_file_free (MaltKeyFile *file);

gboolean malt_key_file_has_profile (const MaltKeyFile *file, const char *profile);

/* The names of its profiles, in the order in which they stand there; they belong to the
 * file. (transfer container) */
GPtrArray *malt_key_file_list_profiles (const MaltKeyFile *file);

/* Sets what the plain groups say and, over it, what those of the profile say. */
void malt_key_file_apply (const MaltKeyFile *file, const char *profile,
                          MaltConfig *config);

/* "PATH:LINE: message". Returns FALSE. */
gboolean malt_key_file_fail (const char *path, guint line, GError **error,
                             const char *format, ...) G_GNUC_PRINTF (4, 5);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltKeyFile, malt_key_file_free)

G_END_DECLS
