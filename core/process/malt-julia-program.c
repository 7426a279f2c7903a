/* SPDX-License-Identifier: MIT */
/*
 * Finds a julia.
 *
 * The order: what the option `julia` names (the environment variable MALT_JULIA is its
 * default), the directories of PATH, juliaup's directory, and where else a user may have
 * one: on Unix the private prefix that core/setup/julia.sh makes, on Windows where
 * Julia's installer puts it, of several versions the newest. Empty and relative entries
 * of PATH are passed over, so the current directory is never searched. Nothing is started
 * to find out, but juliaup's launcher is asked which julia it would start
 * (malt-juliaup.h). A program that runs with more rights than its user has searches the
 * system's directories only.
 */
#include "process/malt-julia-program.h"

#include "platform/malt-platform.h"
#include "platform/malt-trust.h"
#include "process/malt-juliaup.h"

#include <malt/malt-error.h>
#include <string.h>

/* The environment of a program for Windows is always the user's own. */
#define SYSTEM_PATH MALT_PLATFORM_PICK ("/usr/local/bin:/usr/bin:/bin", "")

#define JULIA "julia" MALT_PLATFORM_PROGRAM_SUFFIX

/* A variable of the environment, unless the program runs with more rights than its user has. */
static const char *
get_trusted_variable (const char *name)
{
  return malt_trust_environment () ? g_getenv (name) : NULL;
}

static gboolean
is_program (const char *path)
{
  return g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) &&
         !g_file_test (path, G_FILE_TEST_IS_DIR);
}

static gboolean
is_launcher (const char *path)
{
  return is_program (path) && malt_juliaup_is_launcher (path);
}

/* Takes the path over. */
static char *
keep_program (char *path)
{
  if (path != NULL && !is_program (path))
    g_clear_pointer (&path, g_free);
  return path;
}

/* @accept: what it must be besides. */
static char *
find_in_path (const char *name, gboolean (*accept) (const char *path))
{
  const char *path = malt_trust_environment () ? g_getenv ("PATH") : SYSTEM_PATH;
  g_auto (GStrv) directories =
      g_strsplit (path != NULL ? path : "", G_SEARCHPATH_SEPARATOR_S, -1);

  for (char **directory = directories; *directory != NULL; directory++)
    {
      char *program = NULL;
      if (g_path_is_absolute (*directory))
        program = g_build_filename (*directory, name, NULL);
      if (program != NULL && accept (program))
        return program;
      g_free (program);
    }
  return NULL;
}

/* Julia's installer for Windows makes a folder for each version, such as Julia-1.10.4,
 * and adds none to PATH unless it is told to. */
static char *
dup_newest_installed (void)
{
  const char *local = get_trusted_variable ("LOCALAPPDATA");
  g_autofree char *folder = g_build_filename (
      local != NULL ? local : g_get_user_config_dir (), "Programs", NULL);
  g_autofree char *newest = g_build_filename (folder, "Julia-*", "bin", JULIA, NULL);
  g_autofree char *newest_key = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *program = g_build_filename (folder, name, "bin", JULIA, NULL);
      /* Numbers count as such in it. */
      g_autofree char *key = g_utf8_collate_key_for_filename (name, -1);

      if (!g_str_has_prefix (name, "Julia-") || !is_program (program) ||
          (newest_key != NULL && strcmp (key, newest_key) < 0))
        continue;
      g_free (newest);
      newest = g_steal_pointer (&program);
      g_free (newest_key);
      newest_key = g_steal_pointer (&key);
    }
  return g_steal_pointer (&newest);
}

/* What core/setup/julia.sh makes. */
static char *
dup_private (void)
{
  const char *prefix = get_trusted_variable ("MALT_JULIA_PREFIX");

  if (prefix != NULL && *prefix != '\0')
    return g_build_filename (prefix, "usr", "bin", JULIA, NULL);
  return g_build_filename (g_get_user_cache_dir (), "malt", "julia-1.5.3", "usr", "bin",
                           JULIA, NULL);
}

static gboolean
is_path (const char *julia)
{
  for (const char *at = julia; *at != '\0'; at++)
    if (G_IS_DIR_SEPARATOR (*at))
      return TRUE;
  return g_path_is_absolute (julia);
}

static char *
find_named (const char *julia, GError **error)
{
  char *program;

  if (is_path (julia))
    program = keep_program (g_canonicalize_filename (julia, NULL));
  else
    program = find_in_path (julia, is_program);
  if (program == NULL && !g_str_has_suffix (julia, MALT_PLATFORM_PROGRAM_SUFFIX))
    {
      g_autofree char *full = g_strconcat (julia, MALT_PLATFORM_PROGRAM_SUFFIX, NULL);

      return find_named (full, error);
    }
  if (program == NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                 "option 'julia': no program '%s'", julia);
  return program;
}

static char *
dup_juliaups (void)
{
  return g_build_filename (g_get_home_dir (), ".juliaup", "bin", JULIA, NULL);
}

/* @word: `+CHANNEL`. */
static char *
find_launcher (const char *word, GError **error)
{
  g_autofree char *launcher = NULL;

  if (malt_trust_environment ())
    {
      launcher = find_in_path (JULIA, is_launcher);
      if (launcher == NULL)
        launcher = dup_juliaups ();
      if (word[1] != '\0' && is_launcher (launcher))
        return g_steal_pointer (&launcher);
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               word[1] == '\0' ? "option 'julia': '%s' names no channel of juliaup"
                               : "option 'julia': '%s' is a channel of juliaup, which is "
                                 "neither in PATH nor in the user's '.juliaup'",
               word);
  return NULL;
}

/* Where a user keeps one; tells where it looked. */
static char *
find_of_user (char **out_places)
{
  g_autofree char *juliaup = NULL;
  g_autofree char *other = NULL;
  char *found;

  if (!malt_trust_environment ())
    {
      *out_places = g_strdup ("");
      return NULL;
    }
  juliaup = dup_juliaups ();
  other = malt_platform_get () == MALT_PLATFORM_WINDOWS ? dup_newest_installed ()
                                                        : dup_private ();
  *out_places =
      g_strdup_printf (", no '%s', no '%s'; MALT_JULIA can name one", juliaup, other);
  found = keep_program (g_strdup (juliaup));
  return found != NULL ? found : keep_program (g_strdup (other));
}

static gboolean
is_channel (const char *julia)
{
  return julia != NULL && *julia == '+';
}

char *
malt_julia_find_program (const char *julia, GError **error)
{
  g_autofree char *places = NULL;
  char *found;

  if (is_channel (julia))
    return find_launcher (julia, error);
  if (julia != NULL && *julia != '\0')
    return find_named (julia, error);
  found = find_in_path (JULIA, is_program);
  if (found == NULL)
    found = find_of_user (&places);
  if (found == NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                 "no julia found: none in PATH%s", places);
  return found;
}

char *
malt_julia_get_program (const char *julia, const char *cwd, gint64 timeout_ms,
                        GCancellable *cancellable, GError **error)
{
  g_autofree char *program = malt_julia_find_program (julia, error);

  if (program == NULL || !malt_trust_environment () ||
      !malt_juliaup_is_launcher (program))
    return g_steal_pointer (&program);
  return malt_juliaup_dup_julia (program, is_channel (julia) ? julia + 1 : NULL, cwd,
                                 timeout_ms, cancellable, error);
}
