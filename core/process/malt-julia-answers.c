/* SPDX-License-Identifier: MIT */
/*
 * Answers of julias, kept.
 *
 * They stand in a key file in the user's cache directory, a group for each question, with
 * size, time and inode of the files that they depend on. The file names programs to run
 * and libraries to load, so it is believed only if it is the user's own and nobody else
 * can write it; it is neither read nor written in a program that runs with more rights
 * than its user has.
 */
#include "process/malt-julia-answers.h"

#include "platform/malt-platform.h"
#include "platform/malt-trust.h"

#include <glib/gstdio.h>

#define FILES_KEY "files"
#define STAMPS_KEY "stamps"

/* Questions about julias that are long gone are not kept for ever. */
#define MAX_QUESTIONS 50

/* (nullable) */
static char *
dup_path (void)
{
  if (!malt_trust_environment ())
    return NULL;
  return g_build_filename (g_get_user_cache_dir (), "malt", "julias.ini", NULL);
}

/* A path may have what the name of a group may not. */
static char *
dup_group (const char *question)
{
  return g_uri_escape_string (question, " +/", FALSE);
}

static GKeyFile *
load (const char *path)
{
  GKeyFile *file = g_key_file_new ();

  if (path != NULL && malt_trust_is_own_file (path))
    g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
  return file;
}

/* NULL: one of them has none. Links to programs of the Windows Store are such. */
static char **
dup_stamps (const char *const *files)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (const char *const *path = files; *path != NULL; path++)
    {
      g_autofree char *stamp = malt_platform_dup_file_stamp (*path);

      if (stamp == NULL)
        return NULL;
      g_strv_builder_add (builder, stamp);
    }
  return g_strv_builder_end (builder);
}

static gboolean
is_current (GKeyFile *file, const char *group)
{
  g_auto (GStrv) files = g_key_file_get_string_list (file, group, FILES_KEY, NULL, NULL);
  g_auto (GStrv) kept = g_key_file_get_string_list (file, group, STAMPS_KEY, NULL, NULL);
  g_auto (GStrv) stamps = files != NULL ? dup_stamps ((const char *const *) files) : NULL;

  return stamps != NULL && kept != NULL &&
         g_strv_equal ((const char *const *) stamps, (const char *const *) kept);
}

char **
malt_julia_answers_recall (const char *question, const char *const *names)
{
  g_autofree char *path = dup_path ();
  g_autofree char *group = dup_group (question);
  g_autoptr (GKeyFile) file = load (path);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!is_current (file, group))
    return NULL;
  for (const char *const *name = names; *name != NULL; name++)
    {
      g_autofree char *value = g_key_file_get_string (file, group, *name, NULL);

      if (value == NULL)
        return NULL;
      g_strv_builder_add (builder, value);
    }
  return g_strv_builder_end (builder);
}

static gboolean
are_texts (const char *const *values)
{
  for (const char *const *value = values; *value != NULL; value++)
    if (!g_utf8_validate (*value, -1, NULL))
      return FALSE;
  return TRUE;
}

void
malt_julia_answers_keep (const char *question, const char *const *names,
                         const char *const *values, const char *const *files)
{
  g_autofree char *path = dup_path ();
  g_autofree char *directory = path != NULL ? g_path_get_dirname (path) : NULL;
  g_autofree char *group = dup_group (question);
  g_autofree char *text = NULL;
  g_autoptr (GKeyFile) file = load (path);
  g_auto (GStrv) stamps = dup_stamps (files);
  g_auto (GStrv) groups = NULL;
  gsize n_groups;

  if (path == NULL || stamps == NULL || !are_texts (values) || !are_texts (files))
    return;
  groups = g_key_file_get_groups (file, &n_groups);
  for (gsize i = 0; i + MAX_QUESTIONS <= n_groups; i++)
    g_key_file_remove_group (file, groups[i], NULL);
  g_key_file_remove_group (file, group, NULL);
  for (gsize i = 0; names[i] != NULL; i++)
    g_key_file_set_string (file, group, names[i], values[i]);
  g_key_file_set_string_list (file, group, FILES_KEY, files,
                              g_strv_length ((char **) files));
  g_key_file_set_string_list (file, group, STAMPS_KEY, (const char *const *) stamps,
                              g_strv_length (stamps));
  text = g_key_file_to_data (file, NULL, NULL);
  g_mkdir_with_parents (directory, 0700);
  g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}
