/* SPDX-License-Identifier: MIT */
/*
 * Where a julia keeps its library, its programs and its system image.
 *
 * Guessing fails: distributions have layouts of their own, and libjulia ends the program
 * that gives it a wrong image. So the very julia that is to be embedded is run once and
 * asked (discover.jl), which also proves that it runs on this machine. The answer is
 * remembered in a key file in the user's cache directory, one group for each program,
 * together with the size, the time and the inode of the program and of the library: a
 * Julia that was replaced is asked again. The file names a library to load, so it is
 * believed only if it is the user's own and nobody else can write it; it is neither read
 * nor written in a program that runs with more rights than its user has.
 */
#include "malt-inprocess-discovery.h"

#include "link/malt-julia-source.h"
#include "platform/malt-platform.h"
#include "platform/malt-trust.h"
#include "process/malt-julia-question.h"

#include <glib/gstdio.h>
#include <malt/malt-error.h>
#include <string.h>

#define OLDEST_MINOR 5 /* of Julia 1 */

void
malt_inprocess_julia_free (MaltInProcessJulia *julia)
{
  g_free (julia->program);
  g_free (julia->library);
  g_free (julia->bin_dir);
  g_free (julia->image);
  g_free (julia->version);
  g_free (julia);
}

/* Is it what it must be? */

static gboolean
check_file (const char *what, const char *path, GFileTest test, const char *program,
            GError **error)
{
  if (path != NULL && g_path_is_absolute (path) && g_file_test (path, test))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "julia '%s' cannot be embedded: its %s '%s' is not there", program, what,
               path != NULL ? path : "");
  return FALSE;
}

static gboolean
check_version (const char *version, const char *program, GError **error)
{
  guint major = 0;
  guint minor = 0;

  if (version != NULL && sscanf (version, "%u.%u", &major, &minor) == 2 && major == 1 &&
      minor >= OLDEST_MINOR)
    return TRUE;
  g_set_error (
      error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
      "julia '%s' cannot be embedded: it is of version %s, and 1.%d or newer is needed",
      program, version != NULL ? version : "unknown", OLDEST_MINOR);
  return FALSE;
}

static gboolean
check_julia (const MaltInProcessJulia *julia, GError **error)
{
  return check_version (julia->version, julia->program, error) &&
         check_file ("library", julia->library, G_FILE_TEST_IS_REGULAR, julia->program,
                     error) &&
         check_file ("directory", julia->bin_dir, G_FILE_TEST_IS_DIR, julia->program,
                     error) &&
         check_file ("system image", julia->image, G_FILE_TEST_IS_REGULAR, julia->program,
                     error);
}

/* Remembering */

static char *
dup_cache_path (void)
{
  if (!malt_trust_environment ())
    return NULL;
  return g_build_filename (g_get_user_cache_dir (), "malt", "embedded-julia.ini", NULL);
}

static GKeyFile *
load_cache (const char *path)
{
  GKeyFile *file = g_key_file_new ();

  if (path != NULL && malt_trust_is_own_file (path))
    g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
  return file;
}

/* (nullable) */
static char *
dup_stamp (const char *path)
{
  return path != NULL ? malt_platform_dup_file_stamp (path) : NULL;
}

static gboolean
is_stamp_right (GKeyFile *file, const char *program, const char *key, const char *path)
{
  g_autofree char *remembered = g_key_file_get_string (file, program, key, NULL);
  g_autofree char *stamp = dup_stamp (path);

  return stamp != NULL && g_strcmp0 (remembered, stamp) == 0;
}

MaltInProcessJulia *
malt_inprocess_recall (const char *program)
{
  g_autofree char *path = dup_cache_path ();
  g_autoptr (GKeyFile) file = load_cache (path);
  g_autoptr (MaltInProcessJulia) julia = NULL;

  if (!g_key_file_has_group (file, program))
    return NULL;
  julia = g_new0 (MaltInProcessJulia, 1);
  julia->program = g_strdup (program);
  julia->library = g_key_file_get_string (file, program, "library", NULL);
  julia->bin_dir = g_key_file_get_string (file, program, "bindir", NULL);
  julia->image = g_key_file_get_string (file, program, "image", NULL);
  julia->version = g_key_file_get_string (file, program, "version", NULL);
  if (!is_stamp_right (file, program, "program-stamp", program) ||
      !is_stamp_right (file, program, "library-stamp", julia->library) ||
      !is_stamp_right (file, program, "image-stamp", julia->image) ||
      !check_julia (julia, NULL))
    return NULL;
  return g_steal_pointer (&julia);
}

/* Does nothing where it cannot: then Julia is asked again. */
static void
remember (const MaltInProcessJulia *julia)
{
  g_autofree char *path = dup_cache_path ();
  g_autofree char *directory = path != NULL ? g_path_get_dirname (path) : NULL;
  g_autoptr (GKeyFile) file = load_cache (path);
  g_autofree char *program_stamp = dup_stamp (julia->program);
  g_autofree char *library_stamp = dup_stamp (julia->library);
  g_autofree char *image_stamp = dup_stamp (julia->image);
  g_autofree char *text = NULL;

  /* A group cannot have such a name. Links to programs of the Windows Store have no stamp. */
  if (path == NULL || strpbrk (julia->program, "[]\n") != NULL || program_stamp == NULL ||
      library_stamp == NULL || image_stamp == NULL)
    return;
  g_key_file_set_string (file, julia->program, "library", julia->library);
  g_key_file_set_string (file, julia->program, "bindir", julia->bin_dir);
  g_key_file_set_string (file, julia->program, "image", julia->image);
  g_key_file_set_string (file, julia->program, "version", julia->version);
  g_key_file_set_string (file, julia->program, "program-stamp", program_stamp);
  g_key_file_set_string (file, julia->program, "library-stamp", library_stamp);
  g_key_file_set_string (file, julia->program, "image-stamp", image_stamp);
  text = g_key_file_to_data (file, NULL, NULL);
  g_mkdir_with_parents (directory, 0700);
  g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* Asking */

static gboolean
take_answer (MaltInProcessJulia *julia, const char *text)
{
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      char *value = strchr (*line, '=');
      char **field;

      if (value == NULL)
        continue;
      *value++ = '\0';
      field = strcmp (*line, "library") == 0   ? &julia->library
              : strcmp (*line, "bindir") == 0  ? &julia->bin_dir
              : strcmp (*line, "image") == 0   ? &julia->image
              : strcmp (*line, "version") == 0 ? &julia->version
                                               : NULL;
      if (field == NULL)
        continue;
      g_free (*field);
      *field = g_strdup (value);
    }
  return julia->version != NULL;
}

static MaltInProcessJulia *
ask (const char *program, gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) source = malt_julia_dup_source ("inprocess/discover.jl");
  g_autofree char *text =
      g_strndup (g_bytes_get_data (source, NULL), g_bytes_get_size (source));
  const char *const arguments[] = {
    program, "--startup-file=no", "-O0", "--compile=min", "-e", text, NULL
  };
  g_autoptr (MaltInProcessJulia) julia = g_new0 (MaltInProcessJulia, 1);
  g_autofree char *answer =
      malt_julia_question (arguments, timeout_ms, cancellable, error);
  g_autofree char *said = NULL;

  if (answer == NULL)
    return NULL;
  julia->program = g_strdup (program);
  if (g_utf8_validate (answer, -1, NULL) && take_answer (julia, answer))
    return g_steal_pointer (&julia);
  said = malt_julia_answer_to_line (answer);
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "julia '%s' did not say where its library is: %s", program, said);
  return NULL;
}

MaltInProcessJulia *
malt_inprocess_discover (const char *program, gint64 timeout_ms,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltInProcessJulia) julia = malt_inprocess_recall (program);

  if (julia != NULL)
    return g_steal_pointer (&julia);
  julia = ask (program, timeout_ms, cancellable, error);
  if (julia == NULL || !check_julia (julia, error))
    return NULL;
  remember (julia);
  return g_steal_pointer (&julia);
}
