/* SPDX-License-Identifier: MIT */
/*
 * Where a julia keeps its library, its programs and its system image.
 *
 * Guessing fails: distributions have layouts of their own, and libjulia ends the program
 * that gives it a wrong image. So the very julia that is to be embedded is run once and
 * asked (discover.jl), which also proves that it runs on this machine. The answer is kept
 * (malt-julia-answers.h) while the program, the library and the image stay the same.
 */
#include "malt-inprocess-discovery.h"

#include "link/malt-julia-source.h"
#include "process/malt-julia-answers.h"
#include "process/malt-julia-question.h"

#include <malt/malt-error.h>
#include <stdio.h>
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

static const char *const answer_names[] = { "library", "bindir", "image", "version",
                                            NULL };

static char *
dup_question (const char *program)
{
  return g_strconcat ("inprocess ", program, NULL);
}

/* NULL: nothing, or it is not true any more. */
static MaltInProcessJulia *
recall (const char *program)
{
  g_autofree char *question = dup_question (program);
  g_auto (GStrv) values = malt_julia_answers_recall (question, answer_names);
  g_autoptr (MaltInProcessJulia) julia = NULL;

  if (values == NULL)
    return NULL;
  julia = g_new0 (MaltInProcessJulia, 1);
  julia->program = g_strdup (program);
  julia->library = g_strdup (values[0]);
  julia->bin_dir = g_strdup (values[1]);
  julia->image = g_strdup (values[2]);
  julia->version = g_strdup (values[3]);
  return check_julia (julia, NULL) ? g_steal_pointer (&julia) : NULL;
}

static void
remember (const MaltInProcessJulia *julia)
{
  g_autofree char *question = dup_question (julia->program);
  const char *const values[] = { julia->library, julia->bin_dir, julia->image,
                                 julia->version, NULL };
  const char *const files[] = { julia->program, julia->library, julia->image, NULL };

  malt_julia_answers_keep (question, answer_names, values, files);
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
  MaltJuliaQuestion question = { .arguments = arguments,
                                 .what = "where its library is",
                                 .timeout_ms = timeout_ms };
  g_autofree char *answer = malt_julia_question_ask (&question, cancellable, error);

  if (answer == NULL)
    return NULL;
  julia->program = g_strdup (program);
  if (g_utf8_validate (answer, -1, NULL) && take_answer (julia, answer))
    return g_steal_pointer (&julia);
  malt_julia_question_fail (&question, answer, error);
  return NULL;
}

MaltInProcessJulia *
malt_inprocess_discover (const char *program, gint64 timeout_ms,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltInProcessJulia) julia = recall (program);

  if (julia != NULL)
    return g_steal_pointer (&julia);
  julia = ask (program, timeout_ms, cancellable, error);
  if (julia == NULL || !check_julia (julia, error))
    return NULL;
  remember (julia);
  return g_steal_pointer (&julia);
}
