/* SPDX-License-Identifier: MIT */
/*
 * Where a julia keeps its library, its programs and its system image.
 *
 * Guessing fails: distributions have layouts of their own, and libjulia ends the program that gives it a wrong image. So the very julia that is to be
 * embedded is run once and asked (discover.jl), which also proves that it runs on this machine. The answer is remembered in a key file in the user's
 * cache directory, one group for each program, together with the size, the time and the inode of the program and of the library: a
 * Julia that was replaced is asked again. The file names a library to load, so it is believed only if it is the user's own and nobody else can write
 * it; it is neither read nor written in a program that runs with more rights than its user has.
 */
#include "malt-inprocess-discovery.h"

#include "link/malt-io-thread.h"
#include "link/malt-julia-source.h"
#include "process/malt-file-stamp.h"
#include "process/malt-trust.h"

#include <glib/gstdio.h>
#include <malt/malt.h>
#include <string.h>

#define OLDEST_MINOR 5 /* of Julia 1 */
#define MAX_COMPLAINT_BYTES 300

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
  return path != NULL ? malt_file_stamp (path) : NULL;
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

  /* A group cannot have such a name. */
  if (path == NULL || strpbrk (julia->program, "[]\n") != NULL)
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
on_timeout (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer inner)
{
  g_cancellable_cancel (inner);
}

/* Runs the process to its end, which comes sooner if the cancellable fires or the time is over. */
static gboolean
communicate (GSubprocess *process, gint64 timeout_ms, GCancellable *cancellable,
             char **out_text, char **out_errors, GError **error)
{
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  GSource *timer = g_timeout_source_new ((guint) MIN (timeout_ms, G_MAXUINT));
  gulong handler = 0;
  gboolean is_ok;

  g_source_set_callback (timer, on_timeout, g_object_ref (inner), g_object_unref);
  g_source_attach (timer, malt_io_thread_get_context ());
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), inner, NULL);
  is_ok =
      g_subprocess_communicate_utf8 (process, NULL, inner, out_text, out_errors, error);
  if (!is_ok)
    g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
  g_cancellable_disconnect (cancellable, handler);
  g_source_destroy (timer);
  g_source_unref (timer);
  return is_ok;
}

static gboolean
take_answer (MaltInProcessJulia *julia, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

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

/* The last line of what a program wrote on its standard error. */
static char *
dup_complaint (char *errors)
{
  const char *line = "";
  g_autofree char *text = NULL;

  if (errors != NULL)
    {
      g_strchomp (errors);
      line = strrchr (errors, '\n');
      line = line != NULL ? line + 1 : errors;
    }
  text = g_utf8_make_valid (line, (gssize) strnlen (line, MAX_COMPLAINT_BYTES));
  return *text != '\0' ? g_steal_pointer (&text) : g_strdup ("it said nothing");
}

static MaltInProcessJulia *
ask (const char *program, gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) source = malt_julia_dup_source ("inprocess/discover.jl");
  g_autofree char *text =
      g_strndup (g_bytes_get_data (source, NULL), g_bytes_get_size (source));
  const char *arguments[] = {
    program, "--startup-file=no", "-O0", "--compile=min", "-e", text, NULL
  };
  g_autoptr (MaltInProcessJulia) julia = g_new0 (MaltInProcessJulia, 1);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *answer = NULL;
  g_autofree char *errors = NULL;
  g_autofree char *complaint = NULL;
  g_autoptr (GError) cause = NULL;

  julia->program = g_strdup (program);
  process = g_subprocess_newv (
      arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &cause);
  if (process != NULL &&
      communicate (process, timeout_ms, cancellable, &answer, &errors, &cause) &&
      take_answer (julia, answer))
    return g_steal_pointer (&julia);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  complaint = dup_complaint (errors);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                 "julia '%s' did not say where its library is within %" G_GINT64_FORMAT
                 " ms",
                 program, timeout_ms);
  else
    g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                 "julia '%s' cannot be run: %s", program,
                 cause != NULL ? cause->message : complaint);
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
