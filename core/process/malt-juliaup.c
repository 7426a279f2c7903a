/* SPDX-License-Identifier: MIT */
/*
 * juliaup's launcher.
 *
 * It is a process between the host and Julia (on Windows for as long as Julia runs, with
 * signals of its own), it looks for updates, and it takes its time at each start. So
 * workers are started by the julia itself. Which that is only the launcher knows: it is
 * asked.
 *
 * What the answer depends on, in the launcher's order (src/bin/julialauncher.rs of
 * juliaup 1.20): `+CHANNEL`, JULIAUP_CHANNEL, the overrides of folders, the manifest of
 * the project where that is set up, the default; all but the first two stand in
 * juliaup.json.
 */
#include "process/malt-juliaup.h"

#include "platform/malt-platform.h"
#include "process/malt-julia-answers.h"
#include "process/malt-julia-question.h"

#include <malt/malt-error.h>
#include <string.h>

#define JULIAUP "juliaup" MALT_PLATFORM_PROGRAM_SUFFIX
#define MAX_LINKS 10

#define PROGRAM "print(joinpath(Sys.BINDIR, Base.julia_exename()))"

static const char *const answer_names[] = { "julia", NULL };

static gboolean
stands_beside_juliaup (const char *program)
{
  g_autofree char *folder = g_path_get_dirname (program);
  g_autofree char *juliaup = g_build_filename (folder, JULIAUP, NULL);

  return g_file_test (juliaup, G_FILE_TEST_IS_EXECUTABLE);
}

/* A link to it is one, too. */
gboolean
malt_juliaup_is_launcher (const char *program)
{
  g_autofree char *path = g_strdup (program);

  for (int i = 0; i < MAX_LINKS; i++)
    {
      g_autofree char *target = NULL;
      g_autofree char *folder = NULL;

      if (stands_beside_juliaup (path))
        return TRUE;
      target = g_file_read_link (path, NULL);
      if (target == NULL)
        return FALSE;
      folder = g_path_get_dirname (path);
      g_free (path);
      path = g_canonicalize_filename (target, folder);
    }
  return FALSE;
}

static char *
dup_configuration_path (void)
{
  const char *depot = g_getenv ("JULIAUP_DEPOT_PATH");
  g_autofree char *trimmed = g_strstrip (g_strdup (depot != NULL ? depot : ""));

  if (*trimmed != '\0')
    return g_build_filename (trimmed, "juliaup", "juliaup.json", NULL);
  return g_build_filename (g_get_home_dir (), ".julia", "juliaup", "juliaup.json", NULL);
}

/* By which the answer is kept; NULL: nothing says for how long it will be true. Only
 * overrides have a key "Channel", and "ManifestVersionDetect" is there where it is true. */
static char *
dup_question (const char *configuration, const char *channel, const char *cwd)
{
  g_autofree char *text = NULL;
  g_autofree char *folder = NULL;

  if (!g_file_get_contents (configuration, &text, NULL, NULL))
    return NULL;
  if (channel != NULL)
    return g_strdup_printf ("juliaup %s +%s", configuration, channel);
  if (strstr (text, "\"ManifestVersionDetect\"") != NULL)
    return NULL;
  if (strstr (text, "\"Channel\"") == NULL)
    return g_strdup_printf ("juliaup %s", configuration);
  folder = g_canonicalize_filename (cwd != NULL ? cwd : ".", NULL);
  return g_strdup_printf ("juliaup %s in %s", configuration, folder);
}

static char *
ask (const char *launcher, const char *channel, const char *cwd, gint64 timeout_ms,
     GCancellable *cancellable, GError **error)
{
  g_autofree char *word = g_strconcat ("+", channel, NULL);
  const char *const arguments[] = {
    launcher, word, "--startup-file=no", "-O0", "--compile=min", "-e", PROGRAM, NULL
  };
  const char *const without_word[] = {
    launcher, "--startup-file=no", "-O0", "--compile=min", "-e", PROGRAM, NULL
  };
  MaltJuliaQuestion question = { .arguments = channel != NULL ? arguments : without_word,
                                 .cwd = cwd,
                                 .what = "which julia it starts",
                                 .timeout_ms = timeout_ms };
  g_autofree char *answer = malt_julia_question_ask (&question, cancellable, error);

  if (answer == NULL)
    return NULL;
  if (g_path_is_absolute (answer) && g_file_test (answer, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&answer);
  malt_julia_question_fail (&question, answer, error);
  return NULL;
}

char *
malt_juliaup_dup_julia (const char *launcher, const char *channel, const char *cwd,
                        gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  const char *from_environment = g_getenv ("JULIAUP_CHANNEL");
  g_autofree char *configuration = dup_configuration_path ();
  g_autofree char *question = NULL;
  g_auto (GStrv) kept = NULL;
  char *julia;

  if (channel == NULL && from_environment != NULL && *from_environment != '\0')
    channel = from_environment;
  question = dup_question (configuration, channel, cwd);
  if (question != NULL)
    kept = malt_julia_answers_recall (question, answer_names);
  if (kept != NULL)
    return g_strdup (kept[0]);
  julia = ask (launcher, channel, cwd, timeout_ms, cancellable, error);
  if (julia != NULL && question != NULL)
    {
      const char *const values[] = { julia, NULL };
      const char *const files[] = { configuration, julia, NULL };

      malt_julia_answers_keep (question, answer_names, values, files);
    }
  return julia;
}
