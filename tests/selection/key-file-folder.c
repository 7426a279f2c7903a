/* SPDX-License-Identifier: MIT */
#include "key-file-folder.h"

#include <string.h>

KeyFileFolder key_files;

static const char *const directories[] = { "user", "first", "second" };
static const char *const variables[] = { "MALT_BACKEND", "MALT_JULIA", "MALT_CONFIG",
                                         "MALT_PROFILE" };

static gboolean
make_directory (const char *name)
{
  g_autofree char *path = g_build_filename (key_files.top, name, "malt", NULL);

  return g_mkdir_with_parents (path, 0755) == 0;
}

gboolean
key_files_prepare (void)
{
  g_autofree char *made = g_dir_make_tmp ("malt-config-XXXXXX", NULL);
  g_autofree char *user = NULL;
  g_autofree char *system = NULL;

  if (made == NULL)
    return FALSE;
  key_files.top = g_steal_pointer (&made);
  user = g_build_filename (key_files.top, "user", NULL);
  system = g_strdup_printf ("%s/first%s%s/second", key_files.top,
                            G_SEARCHPATH_SEPARATOR_S, key_files.top);
  g_setenv ("XDG_CONFIG_HOME", user, TRUE);
  g_setenv ("XDG_CONFIG_DIRS", system, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (directories); i++)
    if (!make_directory (directories[i]))
      return FALSE;
  key_files_clear ();
  return g_chmod (key_files.top, 0755) == 0;
}

void
key_files_remove (void)
{
  key_files_clear ();
  for (gsize i = 0; i < G_N_ELEMENTS (directories); i++)
    {
      g_autofree char *outer = g_build_filename (key_files.top, directories[i], NULL);
      g_autofree char *inner = g_build_filename (outer, "malt", NULL);

      g_rmdir (inner);
      g_rmdir (outer);
    }
  g_rmdir (key_files.top);
  g_clear_pointer (&key_files.top, g_free);
}

char *
key_files_path (const char *which)
{
  if (g_strcmp0 (which, "own") == 0)
    return g_build_filename (key_files.top, "own.conf", NULL);
  return g_build_filename (key_files.top, which, "malt", "malt.conf", NULL);
}

void
key_files_write (const char *which, const char *text)
{
  g_autofree char *path = key_files_path (which);
  g_autoptr (GError) error = NULL;

  malt_assert (g_file_set_contents (path, text, -1, &error));
  malt_assert (g_chmod (path, 0644) == 0);
}

void
key_files_clear (void)
{
  static const char *const files[] = { "user", "first", "second", "own" };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = key_files_path (files[i]);
      g_remove (path);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

char *
key_files_dup_slashes (const char *text)
{
  char *copy = g_strdup (text);

  return G_DIR_SEPARATOR == '/' ? copy : g_strdelimit (copy, G_DIR_SEPARATOR_S, '/');
}

/* Configs */

MaltConfig *
key_files_make_config (const char *profile)
{
  g_autoptr (GError) error = NULL;
  MaltConfig *config = malt_config_new_for_profile (profile, &error);

  if (config == NULL)
    MALT_TEST_FAIL ("%s", error->message);
  return config != NULL ? config : malt_config_new ();
}

void
key_files_check_refused (const char *profile, const char *first, const char *second)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_for_profile (profile, &error);
  g_autofree char *message = NULL;

  malt_assert (config == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  message = key_files_dup_slashes (error->message);
  if (strstr (message, first) == NULL || strstr (message, second) == NULL)
    MALT_TEST_FAIL ("expected \"%s\" and \"%s\" in '%s'", first, second, message);
}

gboolean
key_files_are_accepted (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);

  return config != NULL;
}
