/* SPDX-License-Identifier: MIT */
/* What workers on Windows are given, of the backend that the argument names: secrets,
 * arguments, variables, paths. */
#include "windows-test.h"

#include <string.h>

/* Secrets: by standard input alone */

/* In one of the usual ways of writing bytes. */
static gboolean
tells (GBytes *memory, const guint8 *secret, gsize n_bytes)
{
  g_autofree char *base64 = g_base64_encode (secret, n_bytes);
  g_autoptr (GString) lower = g_string_new (NULL);
  g_autofree char *upper = NULL;

  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (lower, "%02x", secret[i]);
  upper = g_ascii_strup (lower->str, -1);
  return windows_look_contains (memory, secret, n_bytes) ||
         windows_look_contains (memory, lower->str, lower->len) ||
         windows_look_contains_text (memory, lower->str) ||
         windows_look_contains_text (memory, upper) ||
         windows_look_contains_text (memory, base64);
}

/* Half of a secret would be too much, too. */
static void
check_process (gint64 pid, const char *part_of_line, const char *secrets)
{
  g_autoptr (GBytes) line = windows_look_dup_command_line (pid);
  g_autoptr (GBytes) environment = windows_look_dup_environment (pid);

  malt_assert (line != NULL && environment != NULL);
  /* It is really there that we look. */
  malt_assert (windows_look_contains_text (line, part_of_line));
  malt_assert (windows_look_contains_text (environment, "SYSTEMROOT=") ||
               windows_look_contains_text (environment, "SystemRoot="));
  for (gsize i = 0; i < strlen (secrets); i += 32)
    {
      guint8 half[16];

      for (gsize k = 0; k < sizeof half; k++)
        half[k] = (guint8) (g_ascii_xdigit_value (secrets[i + 2 * k]) * 16 +
                            g_ascii_xdigit_value (secrets[i + 2 * k + 1]));
      malt_assert (!tells (line, half, sizeof half));
      malt_assert (!tells (environment, half, sizeof half));
    }
}

static void
secrets_stand_in_no_command_line_and_no_environment (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autofree char *secrets = NULL;
  g_autoptr (GError) error = NULL;
  gint64 grandchild;
  gint64 pid;

  malt_assert (worker != NULL);
  pid = malt_worker_get_pid (worker);
  secrets = windows_test_dup_text (worker, "secrets", &error);
  malt_assert_no_error (error);
  malt_assert_int (strlen (secrets), 128);
  grandchild = windows_test_get_int (worker, "grandchild", &error);
  malt_assert_no_error (error);
  check_process (pid, " connect ", secrets);
  check_process (grandchild, "--sleep", secrets);
  check_process (GetCurrentProcessId (), windows_test_get_backend (), secrets);
  /* The bridge, which has been told them. */
  if (!windows_test_is_direct ())
    check_process (windows_look_get_parent (pid), " connect ", secrets);
  malt_assert (malt_worker_kill (worker, 9, NULL));
}

static void
secrets_are_new_each_time (void)
{
  g_autofree char *secrets[2] = { NULL, NULL };

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (MaltWorker) worker = windows_test_launch_one ();

      malt_assert (worker != NULL);
      secrets[i] = windows_test_dup_text (worker, "secrets", NULL);
      malt_assert (secrets[i] != NULL);
    }
  for (gsize i = 0; i < 128; i += 32)
    for (gsize k = 0; k < 128; k += 32)
      {
        malt_assert (strncmp (secrets[0] + i, secrets[1] + k, 32) != 0);
        malt_assert (i == k || strncmp (secrets[0] + i, secrets[0] + k, 32) != 0);
      }
}

static void
standard_input_is_empty_behind_the_secrets (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert_int (windows_test_get_int (worker, "stdin", &error), 0);
  malt_assert_no_error (error);
}

/* Arguments and variables */

static void
arguments_arrive_as_they_are (void)
{
  const char *const flags[] = {
    "",      "a b",  "c\"d",     "e\\", "f\\\\\"g h\\",       "\"",
    "\\\"",  "i\tj", "\xc3\xbc", "*",   "\xf0\x9f\x98\x80 x", "%PATH%",
    "^&|<>", "--x=", NULL
  };
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; flags[i] != NULL; i++)
    g_string_append_printf (expected, "[%s]", flags[i]);
  g_string_append (expected, windows_test_is_direct () ? "[-e]" : "[--][connect]");
  malt_config_set_strings (config, "exeflags", flags);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  text = windows_test_dup_text (worker, "arguments", &error);
  malt_assert_no_error (error);
  if (strstr (text, expected->str) == NULL)
    MALT_TEST_FAIL ("expected %s in %.200s", expected->str, text);
}

static void
check_variable (MaltWorker *worker, const char *name, const char *expected)
{
  g_autofree char *line = g_strconcat ("variable ", name, NULL);
  g_autofree char *text = windows_test_dup_text (worker, line, NULL);

  malt_assert_string (text, expected);
}

static void
environment_is_the_one_asked_for (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  const char *const pairs[] = { "GREETING=gr\xc3\xbc\xc3\x9f", "gr\xc3\xbcn=a b=\"c\"",
                                "path_x=", NULL };
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *root = NULL;

  g_setenv ("MALT_TEST_STRANGER", "1", TRUE);
  malt_config_set_strings (config, "env", pairs);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  check_variable (worker, "GREETING", "gr\xc3\xbc\xc3\x9f");
  check_variable (worker, "gr\xc3\xbcn", "a b=\"c\"");
  check_variable (worker, "MALT_TEST_STRANGER", NULL);
  root = windows_test_dup_text (worker, "variable SYSTEMROOT", NULL);
  malt_assert (root != NULL);
}

/* A variable of the host that is no text does not take those along that stand behind it. */
static void
environment_may_hold_what_is_no_text (void)
{
  const char *const policy[] = { "clean", "ZZZ_MALT_TEST", NULL };
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *value = NULL;

  malt_assert (SetEnvironmentVariableW (L"AAA_MALT_TEST", L"\xd800x"));
  malt_assert (SetEnvironmentVariableW (L"ZZZ_MALT_TEST", L"is there"));
  malt_config_set_strings (config, "env-policy", policy);
  worker = windows_test_launch (config);
  malt_assert (SetEnvironmentVariableW (L"AAA_MALT_TEST", NULL));
  malt_assert (worker != NULL);
  value = windows_test_dup_text (worker, "variable ZZZ_MALT_TEST", NULL);
  malt_assert_string (value, "is there");
}

/* The names of one variable that differ in how they are written are one. */
static void
environment_that_is_asked_for_wins_however_it_is_written (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  const char *const policy[] = { "clean", "malt_test_CASE", NULL };
  const char *const pairs[] = { "Malt_Test_Case=2: its own", NULL };
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *value = NULL;

  g_setenv ("MALT_TEST_CASE", "1: the host's", TRUE);
  malt_config_set_strings (config, "env-policy", policy);
  malt_config_set_strings (config, "env", pairs);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  value = windows_test_dup_text (worker, "variable MALT_TEST_CASE", NULL);
  malt_assert_string (value, "2: its own");
}

/* What the user has is replaced whatever case its name is written in. */
static void
variable_is_replaced_in_any_case (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  const char *const pairs[] = { "tEmP=C:\\elsewhere", NULL };
  g_autoptr (MaltWorker) worker = NULL;

  malt_config_set_strings (config, "env", pairs);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  check_variable (worker, "TEMP", "C:\\elsewhere");
}

/* Paths that are not ASCII */

static void
paths_need_not_be_ascii (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autofree char *folder = windows_test_make_folder ();
  g_autofree char *copy = windows_test_copy_fake (folder);
  g_autofree char *before = g_strdup (g_getenv ("TEMP"));
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *cwd = NULL;
  g_autofree char *program = NULL;
  g_autoptr (GError) error = NULL;
  HANDLE bridge = NULL;

  malt_assert (copy != NULL);
  malt_config_set (config, "julia", copy);
  malt_config_set (config, "cwd", folder);
  g_setenv ("TEMP", folder, TRUE);
  worker = windows_test_launch (config);
  g_setenv ("TEMP", before, TRUE);
  malt_assert (worker != NULL);
  cwd = windows_test_dup_text (worker, "cwd", &error);
  malt_assert_string (cwd, folder);
  program = windows_test_dup_text (worker, "program", &error);
  malt_assert_string (program, copy);
  check_variable (worker, "TEMP", folder);
  check_variable (worker, "MALT_JULIA", copy);
  if (!windows_test_is_direct ())
    bridge = windows_test_open_process (
        windows_look_get_parent (malt_worker_get_pid (worker)));
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  g_clear_object (&worker);
  /* A program that runs cannot be removed. */
  malt_assert (bridge == NULL || windows_test_ends (bridge));
  windows_test_remove_folder (folder);
  malt_assert (!g_file_test (folder, G_FILE_TEST_EXISTS));
}

static void
check_launch_fails (MaltConfig *config, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, code);
  if (strstr (error->message, text) == NULL)
    MALT_TEST_FAIL ("expected '%s' in '%s'", text, error->message);
}

static void
program_that_is_not_there_is_an_error_with_its_name (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());

  malt_config_set (config, "julia", "C:\\n\xc3\xb6where\\julia.exe");
  check_launch_fails (config, MALT_ERROR_BACKEND_UNAVAILABLE,
                      "C:\\n\xc3\xb6where\\julia.exe");
}

static void
directory_that_is_not_there_is_an_error_with_its_name (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());

  malt_config_set (config, "cwd", "C:\\n\xc3\xb6where");
  check_launch_fails (config, MALT_ERROR_LAUNCH_FAILED, "C:\\n\xc3\xb6where");
}

static void
transports_that_hand_on_sockets_are_not_supported (void)
{
  const char *const transports[] = { "tcp", "socketpair" };

  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltConfig) config = windows_test_config_new ("malt-process");

      malt_config_set_for (config, "malt-process", "transport", transports[i]);
      check_launch_fails (config, MALT_ERROR_NOT_SUPPORTED, "tcp-connect");
    }
}

static CU_TestInfo tests[] = {
  MALT_TEST (secrets_stand_in_no_command_line_and_no_environment),
  MALT_TEST (secrets_are_new_each_time),
  MALT_TEST (standard_input_is_empty_behind_the_secrets),
  MALT_TEST (arguments_arrive_as_they_are),
  MALT_TEST (environment_is_the_one_asked_for),
  MALT_TEST (environment_may_hold_what_is_no_text),
  MALT_TEST (environment_that_is_asked_for_wins_however_it_is_written),
  MALT_TEST (variable_is_replaced_in_any_case),
  MALT_TEST (paths_need_not_be_ascii),
  MALT_TEST (program_that_is_not_there_is_an_error_with_its_name),
  MALT_TEST (directory_that_is_not_there_is_an_error_with_its_name),
  MALT_TEST (transports_that_hand_on_sockets_are_not_supported),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "what workers on Windows are given", tests);
}
