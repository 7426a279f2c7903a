/* SPDX-License-Identifier: MIT */
/* Which key files there are, and the configs that are made of them and of the environment. */
#include "base/malt-error-private.h"
#include "platform/malt-platform.h"
#include "platform/malt-trust.h"
#include "selection/malt-config-private.h"
#include "selection/malt-key-file.h"

#include <errno.h>
#include <glib/gstdio.h>

#define MAX_NAME_CHARS 80
#define N_DESCRIPTORS 8 /* more than reading takes: other threads open some, too */
#define SYSTEM_CONFIG_DIR "/etc/xdg"

/* Where they are */

/* What cannot be reached is not there for this user: the home may be somebody else's.
 * What is there must be good. */
static gboolean
is_there (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ||
         (errno != ENOENT && errno != ENOTDIR && errno != EACCES);
}

/* A relative directory would be one below the current directory. */
static void
add_file_of (GPtrArray *paths, const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "malt", "malt.conf", NULL);

  if (g_path_is_absolute (path) && is_there (path))
    g_ptr_array_add (paths, g_steal_pointer (&path));
}

static const char *
get_variable (const char *name)
{
  return malt_trust_environment () ? g_getenv (name) : NULL;
}

/* The files to read, those that win first. Only what the environment names has to exist. */
static GPtrArray *
list_key_files (void)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  const char *named = get_variable ("MALT_CONFIG");

  if (named != NULL)
    {
      if (*named != '\0')
        g_ptr_array_add (paths, g_strdup (named));
      return paths;
    }
  if (!malt_trust_environment ())
    {
      add_file_of (paths, SYSTEM_CONFIG_DIR);
      return paths;
    }
  add_file_of (paths, g_get_user_config_dir ());
  for (const char *const *directory = g_get_system_config_dirs (); *directory != NULL;
       directory++)
    add_file_of (paths, *directory);
  return paths;
}

/* Profiles */

static gboolean
fail_unknown_profile (const char *profile, const char *origin, GPtrArray *files,
                      GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *line = malt_text_to_line (profile, MAX_NAME_CHARS);
  g_autofree char *known = NULL;

  for (guint i = 0; i < files->len; i++)
    {
      g_autoptr (GPtrArray) own =
          malt_key_file_list_profiles (g_ptr_array_index (files, i));

      for (guint j = 0; j < own->len; j++)
        if (!g_ptr_array_find_with_equal_func (names, own->pdata[j], g_str_equal, NULL))
          g_ptr_array_add (names, own->pdata[j]);
    }
  g_ptr_array_add (names, NULL);
  known = malt_text_list ((const char *const *) names->pdata);
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "no profile is named '%s' (%s); known: %s", line, origin,
               *known != '\0' ? known : "none");
  return FALSE;
}

static gboolean
is_known_profile (const char *profile, GPtrArray *files)
{
  for (guint i = 0; i < files->len; i++)
    if (malt_key_file_has_profile (g_ptr_array_index (files, i), profile))
      return TRUE;
  return FALSE;
}

/* Configs */

/* The files, in the order of the paths, or NULL. */
static GPtrArray *
load_files (GPtrArray *paths, GError **error)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_key_file_free);

  /* Modules that cannot be looked for would be missing ever after. */
  if (!malt_platform_check_descriptors (N_DESCRIPTORS, error))
    return NULL;
  for (guint i = 0; i < paths->len; i++)
    {
      MaltKeyFile *file = malt_key_file_load (g_ptr_array_index (paths, i), error);

      if (file == NULL)
        return NULL;
      g_ptr_array_add (files, file);
    }
  return g_steal_pointer (&files);
}

static gboolean
apply_files (MaltConfig *config, GPtrArray *files, const char *profile,
             const char *origin, GError **error)
{
  if (profile != NULL && !is_known_profile (profile, files))
    return fail_unknown_profile (profile, origin, files, error);
  for (guint i = files->len; i > 0; i--)
    malt_key_file_apply (g_ptr_array_index (files, i - 1), profile, config);
  return TRUE;
}

static const char *
none_if_empty (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

/**
 * malt_config_new_for_profile:
 * @profile: (nullable): name of a profile; %NULL: the one that `MALT_PROFILE` names; empty:
 *   none
 * @error: return location for an error
 *
 * Makes a config from the environment and from key files: the user's `malt/malt.conf` below
 * the user's configuration directory, then the system's below those of the system, or only
 * the file that `MALT_CONFIG` names (if it is empty, none). All that stands in the files is
 * checked, also what is for other backends and other profiles.
 *
 * The environment wins over the files: `MALT_BACKEND` names the backend, `MALT_JULIA` the
 * julia to run, where the backend runs one. Within the files what stands in the profile
 * wins, then the user's file, then the group of a backend over `[malt]`. What the program
 * sets afterwards wins over all. In a program that runs with other rights than its user's,
 * the environment and the user's file are ignored.
 *
 * Errors: %MALT_ERROR_CONFIG: a file cannot be read, may have been written by others, or
 * something in it is wrong, with file and line; or no file has the profile, and which there
 * are. %MALT_ERROR_RESOURCES.
 *
 * Returns: (transfer full): a config, or %NULL with an error
 */
MaltConfig *
malt_config_new_for_profile (const char *profile, GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GPtrArray) paths = list_key_files ();
  g_autoptr (GPtrArray) files = load_files (paths, error);
  const char *origin =
      profile != NULL ? "set by the program" : "environment MALT_PROFILE";
  const char *name =
      none_if_empty (profile != NULL ? profile : get_variable ("MALT_PROFILE"));

  if (files == NULL || !apply_files (config, files, name, origin, error))
    return NULL;
  malt_config_read_environment (config);
  return g_steal_pointer (&config);
}

/**
 * malt_config_new_default:
 * @error: return location for an error
 *
 * Makes a config from the environment and from key files, with the profile that
 * `MALT_PROFILE` names, if any; see malt_config_new_for_profile().
 *
 * Returns: (transfer full): a config, or %NULL with an error
 */
MaltConfig *
malt_config_new_default (GError **error)
{
  return malt_config_new_for_profile (NULL, error);
}

/**
 * malt_config_load_file:
 * @config: a config, not that of a worker
 * @path: (type filename): a key file
 * @profile: (nullable): name of a profile that the file must have; %NULL: none
 * @error: return location for an error
 *
 * Adds what a key file of the program's own says. It wins over key files that were read
 * before, and neither over the environment nor over what the program has set.
 *
 * Errors: those of malt_config_new_for_profile(). The config is then as it was.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_config_load_file (MaltConfig *config, const char *path, const char *profile,
                       GError **error)
{
  g_autoptr (GPtrArray) paths = NULL;
  g_autoptr (GPtrArray) files = NULL;

  g_return_val_if_fail (MALT_IS_CONFIG (config), FALSE);
  g_return_val_if_fail (!malt_config_is_sealed (config), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  paths = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (paths, g_strdup (path));
  files = load_files (paths, error);
  return files != NULL && apply_files (config, files, none_if_empty (profile),
                                       "set by the program", error);
}
