/* SPDX-License-Identifier: MIT */
/* Which key file says what: precedence, profiles, origins; and what is not there. */
#include "key-file-folder.h"
#include "selection/malt-config-private.h"
#include "selection/malt-key-file.h"
#include "stub-worker.h"

#include <string.h>

/* What the backend `stub` sees: "VALUE from ORIGIN". ORIGIN is cut to what follows the
 * last slash. */
static char *
describe (MaltConfig *config, const char *key)
{
  const char *value = malt_config_get_for (config, "stub", key);
  const char *origin = malt_config_get_origin_for (config, "stub", key);
  const char *top = strstr (origin, key_files.top);
  g_autofree char *place = NULL;

  if (top != NULL)
    origin = top + strlen (key_files.top) + 1;
  place = key_files_dup_slashes (origin);
  return g_strdup_printf ("%s from %s", value != NULL ? value : "none", place);
}

#define check_value(config, key, expected)                 \
  do                                                       \
    {                                                      \
      g_autofree char *described = describe (config, key); \
      malt_assert_string (described, expected);            \
    }                                                      \
  while (0)

/* Precedence */

static void
without_files_there_are_defaults (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_auto (GStrv) keys = NULL;

  key_files_clear ();
  config = key_files_make_config (NULL);
  keys = malt_config_dup_keys (config);
  malt_assert_int (g_strv_length (keys), 0);
  check_value (config, "threads", "none from default");
}

static void
earlier_files_win (void)
{
  g_autoptr (MaltConfig) config = NULL;

  key_files_clear ();
  key_files_write ("second", "[malt]\nthreads = 1\njulia = c\nflags = c;\n");
  key_files_write ("first", "[malt]\nthreads = 2\njulia = b\n");
  key_files_write ("user", "[malt]\n\nthreads = 3\n");
  config = key_files_make_config (NULL);
  check_value (config, "threads", "3 from user/malt/malt.conf:3 [malt]");
  check_value (config, "julia", "b from first/malt/malt.conf:3 [malt]");
  check_value (config, "flags", "c; from second/malt/malt.conf:4 [malt]");
}

static void
program_wins_over_environment_over_files (void)
{
  g_autoptr (MaltConfig) config = NULL;

  key_files_clear ();
  key_files_write ("user", "[malt]\nbackend = stub\njulia = a\n[stub]\njulia = b\n");
  g_setenv ("MALT_JULIA", "e", TRUE);
  g_setenv ("MALT_BACKEND", "auto", TRUE);
  config = key_files_make_config (NULL);
  malt_assert_string (malt_config_get_backend (config), "auto");
  malt_assert_string (malt_config_get_origin (config, "backend"),
                      "environment MALT_BACKEND");
  check_value (config, "julia", "e from environment MALT_JULIA");
  malt_config_set (config, "julia", "p");
  check_value (config, "julia", "p from set by the program");
  malt_config_set_for (config, "stub", "julia", "q");
  check_value (config, "julia", "q from set by the program");
  malt_config_set_backend (config, "stub-shared");
  malt_assert_string (malt_config_get_origin (config, "backend"), "set by the program");
}

static void
own_group_wins_within_a_file_only (void)
{
  g_autoptr (MaltConfig) config = NULL;

  key_files_clear ();
  key_files_write ("first", "[stub]\nthreads = 9\njulia = x\n");
  key_files_write ("user", "[stub]\njulia = b\n[malt]\nthreads = 3\njulia = a\n");
  config = key_files_make_config (NULL);
  check_value (config, "julia", "b from user/malt/malt.conf:2 [stub]");
  check_value (config, "threads", "3 from user/malt/malt.conf:4 [malt]");
  malt_assert_string (malt_config_get_for (config, "stub-shared", "julia"), "a");
}

static void
workers_get_what_wins (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) flags = NULL;

  key_files_clear ();
  key_files_write ("first", "[stub]\nthreads = 9\ncolour = green\n");
  key_files_write ("user",
                   "[malt]\nbackend = stub\nthreads = 3\nflags = a\\;b;c:\\\\d\n");
  config = key_files_make_config (NULL);
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert_no_error (error);
  malt_assert_string (malt_worker_get_backend_name (worker), "stub");
  malt_assert_int (malt_worker_get_option_int (worker, "threads"), 3);
  malt_assert_string (malt_worker_get_option (worker, "colour"), "green");
  flags = malt_worker_dup_option_strings (worker, "flags");
  malt_assert_int (g_strv_length (flags), 2);
  malt_assert_string (flags[0], "a;b");
  malt_assert_string (flags[1], "c:\\d");
}

/* Profiles */

static void
profile_wins_over_plain_groups_of_all_files (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) plain = NULL;

  key_files_clear ();
  key_files_write ("first", "[profile test]\nbackend = stub-shared\nthreads = 5\n"
                            "julia = s\n[profile test stub]\ncolour = green\n");
  key_files_write ("user", "[malt]\nbackend = stub\nthreads = 3\n[profile test]\n"
                           "julia = u\n[profile other]\nthreads = 7\n[stub]\n"
                           "threads = 4\ncolour = red\n");
  config = key_files_make_config ("test");
  malt_assert_string (malt_config_get_backend (config), "stub-shared");
  check_value (config, "threads", "5 from first/malt/malt.conf:3 [profile test]");
  check_value (config, "julia", "u from user/malt/malt.conf:5 [profile test]");
  check_value (config, "colour", "green from first/malt/malt.conf:6 [profile test stub]");
  plain = key_files_make_config (NULL);
  malt_assert_string (malt_config_get_backend (plain), "stub");
  check_value (plain, "threads", "4 from user/malt/malt.conf:9 [stub]");
}

static void
environment_names_a_profile_and_beats_its_backend (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) other = NULL;
  g_autoptr (MaltConfig) none = NULL;

  key_files_clear ();
  key_files_write ("user", "[profile a]\nbackend = stub\nthreads = 1\n[profile b]\n"
                           "threads = 2\n");
  g_setenv ("MALT_PROFILE", "a", TRUE);
  config = key_files_make_config (NULL);
  malt_assert_string (malt_config_get_backend (config), "stub");
  check_value (config, "threads", "1 from user/malt/malt.conf:3 [profile a]");
  other = key_files_make_config ("b");
  check_value (other, "threads", "2 from user/malt/malt.conf:5 [profile b]");
  none = key_files_make_config ("");
  check_value (none, "threads", "none from default");
  g_setenv ("MALT_BACKEND", "auto", TRUE);
  g_clear_object (&config);
  config = key_files_make_config (NULL);
  malt_assert_string (malt_config_get_backend (config), "auto");
  check_value (config, "threads", "1 from user/malt/malt.conf:3 [profile a]");
}

static void
unknown_profile_is_refused_with_the_known_ones (void)
{
  key_files_clear ();
  key_files_check_refused ("nosuch", "'nosuch' (set by the program)", "known: none");
  key_files_write ("user", "[profile a]\n[profile a stub]\n[profile b stub]\n");
  key_files_write ("first", "[profile c]\n[profile a]\n");
  key_files_check_refused ("nosuch", "no profile is named 'nosuch'",
                           "known: 'a', 'b', 'c'");
  g_setenv ("MALT_PROFILE", "x\ny", TRUE);
  key_files_check_refused (NULL, "'x y' (environment MALT_PROFILE)",
                           "known: 'a', 'b', 'c'");
}

/* Which files */

static void
environment_names_the_only_file (void)
{
  g_autofree char *own = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) none = NULL;

  key_files_clear ();
  own = key_files_path ("own");
  key_files_write ("user", "[malt]\nthreads = 3\n");
  key_files_write ("own", "[malt]\njulia = o\n");
  g_setenv ("MALT_CONFIG", own, TRUE);
  config = key_files_make_config (NULL);
  check_value (config, "julia", "o from own.conf:2 [malt]");
  check_value (config, "threads", "none from default");
  g_setenv ("MALT_CONFIG", "", TRUE);
  none = key_files_make_config (NULL);
  check_value (none, "threads", "none from default");
  g_setenv ("MALT_CONFIG", "/nonexistent/malt.conf", TRUE);
  key_files_check_refused (NULL, "/nonexistent", "cannot be ");
}

static void
every_file_is_checked (void)
{
  key_files_clear ();
  key_files_write ("user", "[malt]\nthreads = 3\n");
  key_files_write ("second", "[profile never stub]\nthreads = 65\n");
  key_files_check_refused (
      NULL, "second/malt/malt.conf:2: key 'threads' in [profile never stub]",
      "from 1 to 64, got '65'");
}

static void
files_beyond_the_limits_are_refused (void)
{
  g_autoptr (GString) text = g_string_new ("[malt]\n#");

  key_files_clear ();
  for (guint i = 0; i <= MALT_KEY_FILE_MAX_LINE_BYTES; i++)
    g_string_append_c (text, 'x');
  key_files_write ("user", text->str);
  key_files_check_refused (NULL, "user/malt/malt.conf:2: ", "at most 65536");
  g_string_truncate (text, 0);
  while (text->len <= MALT_KEY_FILE_MAX_BYTES)
    g_string_append (text, "# a comment\n");
  key_files_write ("user", text->str);
  key_files_check_refused (NULL, "user/malt/malt.conf' is too large",
                           "at most 1048576 bytes");
  g_string_truncate (text, MALT_KEY_FILE_MAX_BYTES);
  key_files_write ("user", text->str);
  malt_assert (key_files_are_accepted ());
  g_string_truncate (text, 0);
  for (guint i = 0; i <= MALT_KEY_FILE_MAX_GROUPS; i++)
    g_string_append_printf (text, "[profile p%u]\nbackend = stub\nthreads = 2\n", i);
  key_files_write ("user", text->str);
  key_files_check_refused (NULL, "user/malt/malt.conf:3001: ", "1000");
}

/* Files of the program's own */

static void
own_file_wins_over_files_read_before (void)
{
  g_autofree char *own = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) copy = NULL;
  g_autoptr (GError) error = NULL;

  key_files_clear ();
  own = key_files_path ("own");
  key_files_write ("user", "[malt]\nthreads = 3\njulia = u\nflags = u;\n");
  key_files_write ("own", "[malt]\nthreads = 4\njulia = o\nflags = o;\n[profile p]\n"
                          "threads = 5\n");
  g_setenv ("MALT_JULIA", "e", TRUE);
  config = key_files_make_config (NULL);
  malt_config_set_strings (config, "flags", (const char *const[]){ "p", NULL });
  copy = malt_config_copy (config);
  malt_assert (malt_config_load_file (copy, own, NULL, &error));
  check_value (copy, "threads", "4 from own.conf:2 [malt]");
  check_value (copy, "julia", "e from environment MALT_JULIA");
  check_value (copy, "flags", "p; from set by the program");
  malt_assert (malt_config_load_file (copy, own, "p", &error));
  check_value (copy, "threads", "5 from own.conf:6 [profile p]");
  check_value (config, "threads", "3 from user/malt/malt.conf:2 [malt]");
}

static void
own_file_that_is_wrong_changes_nothing (void)
{
  g_autofree char *own = NULL;
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) wrong = NULL;
  g_autoptr (GError) no_profile = NULL;
  g_autoptr (GError) missing = NULL;

  key_files_clear ();
  own = key_files_path ("own");
  key_files_write ("own", "[malt]\nthreads = 4\n[stub]\ncolour = mauve\n");
  malt_assert (!malt_config_load_file (config, own, NULL, &wrong));
  malt_assert (strstr (wrong->message, "own.conf:4: ") != NULL);
  key_files_write ("own", "[malt]\nthreads = 4\n");
  malt_assert (!malt_config_load_file (config, own, "p", &no_profile));
  malt_assert_error (no_profile, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (!malt_config_load_file (config, "nosuch.conf", NULL, &missing));
  malt_assert_error (missing, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert_int (malt_config_get_n_entries (config), 0);
}

/* Launches */

static void
mistakes_that_show_at_the_launch_name_the_line (void)
{
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *origin = NULL;
  g_autofree char *path = NULL;

  key_files_clear ();
  key_files_write ("user", "[malt]\noutput-prefix = x\n");
  config = key_files_make_config (NULL);
  malt_config_set_backend (config, "stub");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  path = key_files_path ("user");
  origin = g_strdup_printf ("option 'output-prefix' (%s:2 [malt]): ", path);
  malt_assert (g_str_has_prefix (error->message, origin));
  malt_assert (strstr (error->message, "move it to [") != NULL);
  malt_assert (strstr (error->message, "[malt-process]") != NULL);
}

static void
running_workers_keep_what_they_were_launched_with (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltWorker) old = NULL;
  g_autoptr (MaltWorker) young = NULL;

  malt_config_set_backend (config, "stub");
  malt_config_set (config, "threads", "2");
  old = malt_worker_launch (config, NULL, NULL);
  malt_assert (old != NULL);
  malt_config_set_backend (config, "stub-shared");
  malt_config_set (config, "threads", "3");
  young = malt_worker_launch (config, NULL, NULL);
  malt_assert (young != NULL);
  malt_assert_string (malt_worker_get_backend_name (old), "stub");
  malt_assert_int (malt_worker_get_option_int (old, "threads"), 2);
  malt_assert (malt_worker_is_running (old));
  malt_assert_string (malt_worker_get_backend_name (young), "stub-shared");
  malt_assert_int (malt_worker_get_option_int (young, "threads"), 3);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (without_files_there_are_defaults),
    MALT_TEST (earlier_files_win),
    MALT_TEST (program_wins_over_environment_over_files),
    MALT_TEST (own_group_wins_within_a_file_only),
    MALT_TEST (workers_get_what_wins),
    MALT_TEST (profile_wins_over_plain_groups_of_all_files),
    MALT_TEST (environment_names_a_profile_and_beats_its_backend),
    MALT_TEST (unknown_profile_is_refused_with_the_known_ones),
    MALT_TEST (environment_names_the_only_file),
    MALT_TEST (every_file_is_checked),
    MALT_TEST (files_beyond_the_limits_are_refused),
    MALT_TEST (own_file_wins_over_files_read_before),
    MALT_TEST (own_file_that_is_wrong_changes_nothing),
    MALT_TEST (mistakes_that_show_at_the_launch_name_the_line),
    MALT_TEST (running_workers_keep_what_they_were_launched_with),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = {
    { "key files", NULL, NULL, NULL, NULL, tests },
    CU_SUITE_INFO_NULL,
  };
  int status;

  if (!key_files_prepare ())
    return 1;
  stub_worker_register ();
  status = malt_test_run (suites);
  key_files_remove ();
  return status;
}
