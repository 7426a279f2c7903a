/* SPDX-License-Identifier: MIT */
/* Loading libjulia on Windows, as far as that goes without one: where it is looked for,
 * and what is said of what is found. */
#include "windows-test.h"

#include "platform/malt-library.h"

#include <glib/gstdio.h>
#include <process.h>
#include <string.h>

#define LONGEST_MESSAGE 1500 /* bytes */
#define PATIENCE_MS 20000 /* what a julia that never answers is not given */

/* In answers: the folder of libraries, with backslashes; and the same with slashes. */
#define ANSWER(library, bin_dir, image, version) \
  "library=" library "\nbindir=" bin_dir "\nimage=" image "\nversion=" version "\n"

static char *folder; /* (owned): holds everything */

static const struct
{
  const char *name;
  const char *answer; /* (nullable) */
  const char *complaint; /* (nullable) */
  const char *status; /* (nullable) */
  MaltError code;
  const char *said; /* what the message must say */
} cases[] = {
  { .name = "says nothing",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "did not say where its library is: it said nothing" },
  { .name = "says nonsense",
    .answer = "hello\r\na=b\r\n=\r\n===",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "did not say where its library is: it said 'hello a=b = ==='" },
  { .name = "says what is no text",
    .answer = "library=\xff\xfe\nversion=1.9.0\n",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "did not say where its library is" },
  { .name = "fails",
    .complaint = "first\r\nno such luck\r\n",
    .status = "1",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "cannot be run: no such luck" },
  { .name = "fails in another code page",
    .complaint = "kein Gl\x81"
                 "ck\r\n",
    .status = "1",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "cannot be run: kein Gl" },
  { .name = "fails silently",
    .status = "3",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "it exited with status 3, and it said nothing" },
  { .name = "lacks a library itself",
    .status = "0xc0000135",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "it exited with status 0xc0000135" },
  { .name = "crashes",
    .status = "0xc0000005",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "it was ended by SIGSEGV" },
  { .name = "never ends",
    .status = "never",
    .code = MALT_ERROR_LAUNCH_FAILED,
    .said = "within 500 ms" },
  { .name = "names no library",
    .answer = "bindir=@\\bin\nversion=1.9.0\n",
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "its library '' is not there" },
  { .name = "names a library that is not there",
    .answer = ANSWER ("@\\bin\\libjulia-9.dll", "@\\bin", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\bin\\libjulia-9.dll' is not there" },
  { .name = "names half a path",
    .answer = ANSWER ("libjulia.dll", "@\\bin", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "its library 'libjulia.dll' is not there" },
  { .name = "names what is no library",
    .answer = ANSWER ("@\\bin\\image.dll", "@\\bin", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\bin\\image.dll', or a library that it needs, is no library for 64 bits" },
  { .name = "names a library that lacks another",
    .answer = ANSWER ("@\\lonely\\libjulia.dll", "@\\bin", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\lonely\\libjulia.dll', or a library that it needs, is not there" },
  { .name = "names a library that is not Julia's",
    .answer =
        ANSWER ("@\\bin\\libasked-neighbour.dll", "@\\bin", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\bin\\libasked-neighbour.dll' has no known function that initialises it" },
  { .name = "names a folder that is not there",
    .answer = ANSWER ("@\\bin\\libjulia.dll", "@\\nowhere", "@\\bin\\image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\nowhere' is not there" },
  { .name = "names an image that is not there",
    .answer = ANSWER ("@\\bin\\libjulia.dll", "@\\bin", "@\\bin\\no-image.dll", "1.9.0"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "\\bin\\no-image.dll' is not there" },
  { .name = "is old",
    .answer = ANSWER ("@\\bin\\libjulia.dll", "@\\bin", "@\\bin\\image.dll", "1.0.5"),
    .code = MALT_ERROR_BACKEND_UNAVAILABLE,
    .said = "1.0.5" },
};

/* Folders and files */

static gboolean
copy (const char *from, const char *to)
{
  g_autofree wchar_t *wide_from = malt_handle_dup_full_path (from);
  g_autofree wchar_t *wide_to = malt_handle_dup_full_path (to);

  return CopyFileW (wide_from, wide_to, FALSE) != 0;
}

/* One of the files of the build. */
static gboolean
copy_asked (const char *name, const char *place, const char *new_name)
{
  g_autofree char *from =
      g_build_filename (MALT_TEST_BUILD_DIR, "tests", "asked", name, NULL);
  g_autofree char *to = g_build_filename (folder, place, new_name, NULL);

  return copy (from, to);
}

static gboolean
make_place (const char *place)
{
  g_autofree char *path = g_build_filename (folder, place, NULL);

  return g_mkdir_with_parents (path, 0700) == 0;
}

static gboolean
make_folder (void)
{
  g_autofree char *image = NULL;

  folder = windows_test_make_folder ();
  if (folder == NULL || !make_place ("bin") || !make_place ("lonely"))
    return FALSE;
  image = g_build_filename (folder, "bin", "image.dll", NULL);
  return g_file_set_contents (image, "no library\n", -1, NULL) &&
         copy_asked ("libjulia.dll", "bin", "libjulia.dll") &&
         copy_asked ("libasked-neighbour.dll", "bin", "libasked-neighbour.dll") &&
         copy_asked ("libasked-neighbour.dll", "bin", "libasked-late.dll") &&
         copy_asked ("libjulia.dll", "lonely", "libjulia.dll");
}

/* Text, in which @ stands for the folder, becomes a file beside a julia. */
static gboolean
write_beside (const char *place, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, place, name, NULL);
  g_autoptr (GString) whole = g_string_new (text);
  g_autofree char *backslashed = g_strdelimit (g_strdup (folder), "/", '\\');

  g_string_replace (whole, "@", backslashed, 0);
  return text == NULL ||
         g_file_set_contents (path, whole->str, (gssize) whole->len, NULL);
}

/* Launching */

static MaltWorker *
launch (const char *julia, const char *timeout_ms, GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_config_set_backend (config, "inprocess");
  if (julia != NULL)
    malt_config_set (config, "julia", julia);
  if (timeout_ms != NULL)
    malt_config_set (config, "start-timeout-ms", timeout_ms);
  return malt_worker_launch (config, NULL, error);
}

static void
check_case (guint number)
{
  g_autofree char *place = g_strdup_printf ("julia %u", number);
  g_autofree char *julia = g_build_filename (folder, place, "julia.exe", NULL);
  gboolean is_slow = cases[number].code == MALT_ERROR_LAUNCH_FAILED;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  malt_assert (make_place (place));
  malt_assert (copy_asked ("asked-julia.exe", place, "julia.exe"));
  malt_assert (write_beside (place, "answer", cases[number].answer));
  malt_assert (write_beside (place, "complaint", cases[number].complaint));
  malt_assert (write_beside (place, "status", cases[number].status));
  worker = launch (julia, is_slow ? "500" : NULL, &error);
  malt_assert (worker == NULL);
  if (!g_error_matches (error, MALT_ERROR, (int) cases[number].code) ||
      strstr (error->message, cases[number].said) == NULL ||
      strstr (error->message, julia) == NULL ||
      strlen (error->message) > LONGEST_MESSAGE ||
      strpbrk (error->message, "\r\n%") != NULL ||
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
julia_that_is_no_program_is_an_error_that_says_so (void)
{
  g_autofree char *julia = g_build_filename (folder, "text", "julia.exe", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  malt_assert (make_place ("text"));
  malt_assert (write_beside ("text", "julia.exe", "no program\n"));
  worker = launch (julia, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (strstr (error->message, julia) != NULL);
  malt_assert (strchr (error->message, '%') == NULL);
}

/* What it waits for does not keep it from ending: nothing of it is left. */
static void
julia_that_never_answers_is_not_waited_for (void)
{
  g_autofree char *julia = g_build_filename (folder, "slow", "julia.exe", NULL);
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  malt_assert (make_place ("slow"));
  malt_assert (copy_asked ("asked-julia.exe", "slow", "julia.exe"));
  malt_assert (write_beside ("slow", "status", "never"));
  worker = launch (julia, "100", &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (g_get_monotonic_time () - start_us < (gint64) PATIENCE_MS * 1000);
}

/* Where a Julia is */

static void
without_any_julia_the_places_are_named (void)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autofree char *local = g_strdup (g_getenv ("LOCALAPPDATA"));
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  g_setenv ("LOCALAPPDATA", folder, TRUE);
  g_setenv ("PATH", folder, TRUE);
  worker = launch (NULL, NULL, &error);
  g_setenv ("PATH", path, TRUE);
  g_setenv ("LOCALAPPDATA", local != NULL ? local : "", TRUE);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (strstr (error->message, "no julia found: none in PATH") != NULL);
  malt_assert (strstr (error->message, "\\Programs\\Julia-*\\bin\\julia.exe") != NULL);
  malt_assert (strstr (error->message, "MALT_JULIA can name one") != NULL);
  malt_assert (strstr (error->message, "usr") == NULL);
}

static gboolean
make_installed (const char *version)
{
  g_autofree char *place = g_build_filename ("local", "Programs", version, "bin", NULL);

  return make_place (place) && copy_asked ("asked-julia.exe", place, "julia.exe") &&
         write_beside (place, "complaint", version) &&
         write_beside (place, "status", "1");
}

static void
newest_of_those_that_were_installed_is_taken (void)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autofree char *local = g_strdup (g_getenv ("LOCALAPPDATA"));
  g_autofree char *own = g_build_filename (folder, "local", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  malt_assert (make_installed ("Julia-1.9.4") && make_installed ("Julia-1.10.2") &&
               make_installed ("Julia-1.6.7") && make_installed ("Other-2.0.0"));
  malt_assert (make_place ("local\\Programs\\Julia-1.11.0\\bin"));
  g_setenv ("LOCALAPPDATA", own, TRUE);
  g_setenv ("PATH", folder, TRUE);
  worker = launch (NULL, NULL, &error);
  g_setenv ("PATH", path, TRUE);
  g_setenv ("LOCALAPPDATA", local != NULL ? local : "", TRUE);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (g_str_has_suffix (error->message, "cannot be run: Julia-1.10.2"));
}

/* The last: from here on this program has what it takes for Julia. Its paths are written
 * with slashes, and its lines end as those of Windows. */
static void
library_is_loaded_and_finds_its_neighbours (void)
{
  g_autofree char *julia = g_build_filename (folder, "good", "julia.exe", NULL);
  g_autofree char *slashed = g_strdelimit (g_strdup (folder), "\\", '/');
  g_autofree char *answer = g_strdup_printf ("library=%s/bin/libjulia.dll\r\n"
                                             "bindir=@\\bin\r\n"
                                             "image=%s/bin/image.dll\r\n"
                                             "version=1.9.0\r\n",
                                             slashed, slashed);
  g_autofree char *remembered =
      g_build_filename (g_get_user_cache_dir (), "malt", "julias.ini", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  wchar_t before[MAX_PATH] = L"";

  malt_assert (make_place ("good"));
  malt_assert (copy_asked ("asked-julia.exe", "good", "julia.exe"));
  malt_assert (write_beside ("good", "answer", answer));
  malt_assert (SetDllDirectoryW (L"C:\\windows\\temp"));
  worker = launch (julia, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert_string (
      error->message,
      "Julia threw NeighbourFound, folder right, image right when libmalt "
      "began");
  GetDllDirectoryW (MAX_PATH, before);
  malt_assert (_wcsicmp (before, L"C:\\windows\\temp") == 0);
  malt_assert (g_file_test (remembered, G_FILE_TEST_IS_REGULAR));
}

static CU_TestInfo tests[] = {
  MALT_TEST (julia_that_is_broken_is_an_error_that_says_how),
  MALT_TEST (julia_that_is_no_program_is_an_error_that_says_so),
  MALT_TEST (julia_that_never_answers_is_not_waited_for),
  MALT_TEST (without_any_julia_the_places_are_named),
  MALT_TEST (newest_of_those_that_were_installed_is_taken),
  MALT_TEST (library_is_loaded_and_finds_its_neighbours),
  CU_TEST_INFO_NULL,
};

static int
run_tests (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "in-process on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };
  /* What these say is not to be remembered for anybody else. */
  g_autofree char *cache = g_build_filename (folder, "cache", NULL);

  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  g_unsetenv ("MALT_JULIA");
  return malt_test_run (suites);
}

/* Libraries that were loaded stay in use until the process has ended: so another one of
 * this program removes them. */
static int
run_child (void)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", folder);
  g_autofree wchar_t *wide_folder = malt_handle_dup_wide (quoted);
  wchar_t program[MAX_PATH];

  GetModuleFileNameW (NULL, program, MAX_PATH);
  return (int) _wspawnl (_P_WAIT, program, L"tests", wide_folder, NULL);
}

int
main (void)
{
  g_auto (GStrv) arguments = g_win32_get_command_line ();
  int status = 1;

  if (g_strv_length (arguments) > 1)
    {
      folder = g_strdup (arguments[1]);
      return run_tests ();
    }
  if (make_folder ())
    status = run_child ();
  windows_test_remove_folder (folder);
  return status;
}
