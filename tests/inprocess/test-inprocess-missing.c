/* SPDX-License-Identifier: MIT */
/* Hosts on machines with no Julia, or with one that is broken: an error says so, and the
 * host goes on. */
#include "inprocess-test.h"

#include "process/malt-julia-program.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_MESSAGE 1000 /* bytes */
#define FOLDER_VARIABLE "MALT_TEST_FOLDER"

/* Programs that are no julia. In the folder $d are `file`, which is no library, and
 * `library`, which is one, but not Julia's. */
static const char preamble[] =
    "#!/bin/sh\n"
    "d='%s'\n"
    "answer() { printf 'library=%%s\\nbindir=%%s\\nimage=%%s\\nversion=%%s\\n' \"$@\"; "
    "}\n"
    "%s\n";

static const struct
{
  const char *name;
  const char *script;
  MaltError code;
  const char *said; /* what the message must say */
} cases[] = {
  { "says nothing", "exit 0", MALT_ERROR_BACKEND_UNAVAILABLE, "it said nothing" },
  { "says nonsense",
    "echo hello; echo a=b; echo =; echo ===", MALT_ERROR_BACKEND_UNAVAILABLE,
    "did not say where its library is: it said 'hello a=b = ==='" },
  { "fails", "echo 'no such luck' >&2; exit 1", MALT_ERROR_BACKEND_UNAVAILABLE,
    "no such luck" },
  { "fails silently", "exit 3", MALT_ERROR_BACKEND_UNAVAILABLE,
    "it exited with status 3, and it said nothing" },
  { "is ended by a signal", "kill -9 $$", MALT_ERROR_BACKEND_UNAVAILABLE,
    "it was ended by SIGKILL" },
  { "complains at length",
    "i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); echo line $i of many; done >&2; exit 1",
    MALT_ERROR_BACKEND_UNAVAILABLE, "line 5000 of many" },
  { "complains in one long line",
    "i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); printf 'and on '; done >&2; exit 1",
    MALT_ERROR_BACKEND_UNAVAILABLE, "and on and on" },
  { "is no text", "printf 'library=\\377\\376\\nversion=1.5.3\\n'; exit 0",
    MALT_ERROR_BACKEND_UNAVAILABLE, "did not say where its library is" },
  { "complains in no text", "printf '\\377\\376\\n' >&2; exit 1",
    MALT_ERROR_BACKEND_UNAVAILABLE, "cannot be run" },
  { "is slow", "exec sleep 60", MALT_ERROR_LAUNCH_FAILED, "within 500 ms" },
  { "leaves a slow child behind", "sleep 5; exit 0", MALT_ERROR_LAUNCH_FAILED,
    "within 500 ms" },
  { "never stops talking", "while :; do echo a=b; done", MALT_ERROR_LAUNCH_FAILED,
    "within 500 ms" },
  { "names no library", "answer '' / $d/file 1.5.3", MALT_ERROR_BACKEND_UNAVAILABLE,
    "library" },
  { "names a library that is not there", "answer /not/libjulia.so.1 / $d/file 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "/not/libjulia.so.1" },
  { "names half a path", "answer libjulia.so.1 / $d/file 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "libjulia.so.1" },
  { "names what is no library", "answer $d/file / $d/file 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "cannot be embedded" },
  { "names another library", "answer $d/library / $d/file 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "has no" },
  { "names a directory that is not there", "answer $d/library /not/there $d/file 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "/not/there" },
  { "names an image that is not there", "answer $d/library / /not/there.so 1.5.3",
    MALT_ERROR_BACKEND_UNAVAILABLE, "/not/there.so" },
  { "is old", "answer $d/library / $d/file 1.0.5", MALT_ERROR_BACKEND_UNAVAILABLE,
    "1.0.5" },
  { "is older", "answer $d/library / $d/file 0.7.0", MALT_ERROR_BACKEND_UNAVAILABLE,
    "0.7.0" },
  { "is of no version", "answer $d/library / $d/file new", MALT_ERROR_BACKEND_UNAVAILABLE,
    "new" },
};

static char *folder; /* (owned) */

static gboolean
make_folder (void)
{
  g_autofree char *file = NULL;
  g_autofree char *library = NULL;
  g_autoptr (GFile) link = NULL;

  folder = g_dir_make_tmp ("malt-test-XXXXXX", NULL);
  if (folder == NULL)
    return FALSE;
  file = g_build_filename (folder, "file", NULL);
  library = g_build_filename (folder, "library", NULL);
  link = g_file_new_for_path (library);
  return g_file_set_contents (file, "no library\n", -1, NULL) &&
         g_file_make_symbolic_link (link, MALT_TEST_BUILD_DIR "/libmalt.so", NULL, NULL);
}

static void
remove_folder (void)
{
  const char *arguments[] = { "rm", "-rf", folder, NULL };

  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                NULL, NULL, NULL);
  g_clear_pointer (&folder, g_free);
}

/* An option that names a program in the folder. */
static char *
make_julia (guint number, const char *script)
{
  g_autofree char *name = g_strdup_printf ("julia-%u", number);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = g_strdup_printf (preamble, folder, script);

  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL))
    return NULL;
  return g_strconcat ("julia=", path, NULL);
}

static void
check_case (guint number)
{
  g_autofree char *option = make_julia (number, cases[number].script);
  g_autoptr (GError) error = NULL;
  const char *patience =
      cases[number].code == MALT_ERROR_LAUNCH_FAILED ? "start-timeout-ms=500" : NULL;
  g_autoptr (MaltWorker) worker = inprocess_test_launch_with (
      (const char *const[]){ option, patience, NULL }, &error);

  malt_assert (worker == NULL);
  if (!g_error_matches (error, MALT_ERROR, (int) cases[number].code) ||
      strstr (error->message, cases[number].said) == NULL ||
      strstr (error->message, option + strlen ("julia=")) == NULL ||
      strlen (error->message) > LONGEST_MESSAGE ||
      strchr (error->message, '\n') != NULL ||
      !g_utf8_validate (error->message, -1, NULL))
    MALT_TEST_FAIL ("a julia that %s: error %d, '%.2000s'", cases[number].name,
                    error->code, error->message);
}

static void
julia_that_is_broken_is_an_error_that_says_how (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_case (i);
}

static void
julia_that_is_no_program_is_an_error_that_names_it (void)
{
  static const char *const options[] = { "julia=/not/there", "julia=/",
                                         "julia=/etc/passwd",
                                         "julia=no-such-julia-anywhere" };

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltWorker) worker =
          inprocess_test_launch_with ((const char *const[]){ options[i], NULL }, &error);

      malt_assert (worker == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
      malt_assert (strstr (error->message, strchr (options[i], '=') + 1) != NULL);
    }
}

static gboolean
on_cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_launched (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
is_set (gpointer pointer)
{
  return *(gpointer *) pointer != NULL;
}

static void
launch_that_asks_a_slow_julia_can_be_cancelled (void)
{
  g_autofree char *option = make_julia (100, "exec sleep 60");
  g_autoptr (MaltConfig) config =
      inprocess_test_config_with ((const char *const[]){ option, NULL });
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start_ms = inprocess_test_now_ms ();

  g_timeout_add (200, on_cancel, cancellable);
  malt_worker_launch_async (config, cancellable, on_launched, &result);
  malt_assert (inprocess_test_until (is_set, &result, INPROCESS_DEADLINE_MS));
  worker = malt_worker_launch_finish (result, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (inprocess_test_now_ms () - start_ms < 30000);
}

/* What was remembered of a julia is not believed once the file is another one. */
static void
julia_that_was_replaced_is_asked_again (void)
{
  g_autofree char *script = g_strdup_printf ("exec '%s' \"$@\"", g_getenv ("MALT_JULIA"));
  g_autofree char *option = make_julia (101, script);
  g_autofree char *path = g_strdup (strchr (option, '=') + 1);
  g_autoptr (InProcessHost) good = NULL;
  g_autoptr (InProcessHost) bad = NULL;
  g_autofree char *variable = g_strconcat ("MALT_JULIA=", path, NULL);

  good = inprocess_test_host ("launch", variable, NULL);
  malt_assert (inprocess_host_exited (good, 0));
  g_free (make_julia (101, "echo 'replaced' >&2; exit 1"));
  bad = inprocess_test_host ("launch", variable, NULL);
  malt_assert (inprocess_host_exited (bad, 3));
  malt_assert (strstr (bad->errors, "replaced") != NULL);
}

static int
be_host_that_launches (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker =
      inprocess_test_launch_with ((const char *const[]){ NULL }, &error);

  if (worker == NULL)
    {
      g_printerr ("%s\n", error->message);
      return 3;
    }
  return inprocess_test_eval_int (worker, "6 * 7") == 42 ? 0 : 1;
}

/* A machine with no Julia: the backend is known, says why it cannot work, and says the
 * same when it is asked to. */
static int
be_host_without_julia (void)
{
  g_autoptr (MaltConfig) config =
      inprocess_test_config_with ((const char *const[]){ NULL });
  g_autoptr (MaltBackend) backend = malt_backend_lookup ("inprocess", NULL);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  if (backend == NULL || malt_backend_probe (backend, config, &reason))
    return 1;
  worker = malt_worker_launch (config, NULL, &error);
  if (worker != NULL || strcmp (error->message, reason->message) != 0)
    return 2;
  g_printerr ("%s\n", error->message);
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE) ? 0 : 3;
}

static void
host_without_any_julia_runs_and_says_so (void)
{
  g_autofree char *home = g_strconcat ("HOME=", folder, NULL);
  g_autofree char *path = g_strconcat ("PATH=", folder, NULL);
  g_autofree char *cache = g_strconcat ("XDG_CACHE_HOME=", folder, NULL);
  g_autoptr (InProcessHost) host = inprocess_test_host (
      "without", home, path, cache, "MALT_JULIA", "MALT_JULIA_PREFIX", NULL);

  malt_assert (inprocess_host_exited (host, 0));
  malt_assert (strstr (host->errors, "no julia found") != NULL);
  malt_assert (strstr (host->errors, "MALT_JULIA") != NULL);
}

/* The last: from here on this program has its Julia. */
static void
julia_that_works_is_launched_after_all_that (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);

  malt_assert (worker != NULL);
  malt_assert_int (inprocess_test_eval_int (worker, "6 * 7"), 42);
}

static const InProcessRole roles[] = {
  { "launch", be_host_that_launches },
  { "without", be_host_without_julia },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (julia_that_is_broken_is_an_error_that_says_how),
  MALT_TEST (julia_that_is_no_program_is_an_error_that_names_it),
  MALT_TEST (launch_that_asks_a_slow_julia_can_be_cancelled),
  MALT_TEST (julia_that_was_replaced_is_asked_again),
  MALT_TEST (host_without_any_julia_runs_and_says_so),
  MALT_TEST (julia_that_works_is_launched_after_all_that),
  CU_TEST_INFO_NULL,
};

/* This program again, with a folder for what is remembered: what these programs say is
 * not for anybody else. GLib asks for the variable once, and the julia is looked for in
 * the user's own folder. */
static int
start_with_folder (char **argv)
{
  g_autofree char *julia = malt_julia_find_program (g_getenv ("MALT_JULIA"), NULL);

  if (!make_folder ())
    return EXIT_FAILURE;
  if (julia != NULL)
    g_setenv ("MALT_JULIA", julia, TRUE);
  g_setenv ("XDG_CACHE_HOME", folder, TRUE);
  g_setenv (FOLDER_VARIABLE, folder, TRUE);
  execv ("/proc/self/exe", argv);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  gboolean is_role = argc == 3 && strcmp (argv[1], "--role") == 0;
  int status;

  folder = g_strdup (g_getenv (FOLDER_VARIABLE));
  if (folder == NULL)
    return start_with_folder (argv);
  status = inprocess_test_main (argc, argv, "in-process without julia", tests, roles);
  if (!is_role)
    remove_folder ();
  return status;
}
