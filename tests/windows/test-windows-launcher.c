/* SPDX-License-Identifier: MIT */
/* Launching and watching child processes on Windows. This program is the child as well:
 * its first argument says what it does. */
#include "windows-test.h"

#include "base/malt-signals.h"
#include "platform/windows/malt-command-line.h"

#include <shellapi.h>
#include <stdlib.h>
#include <string.h>

static char *program; /* this one */

static char *environment[4]; /* where the libraries are it says, too */

static MaltChild *
spawn (const char *what, MaltProcessLauncher launcher, GError **error)
{
  const char *const arguments[] = { program, what, NULL };

  launcher.argv = arguments;
  launcher.envp = (const char *const *) environment;
  return malt_process_launcher_spawn (&launcher, error);
}

static gboolean
on_ended (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* Runs a main context until the child has ended. */
static gboolean
await (MaltChild *child)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (GSource) watch = malt_child_watch_new (child);

  g_source_set_callback (watch, on_ended, loop, NULL);
  g_source_attach (watch, context);
  g_main_loop_run (loop);
  g_source_destroy (watch);
  return malt_child_reap (child);
}

static gboolean
on_pipe (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* What a child has written by now. */
static char *
dup_output (MaltChild *child)
{
  GString *text = g_string_new (NULL);
  char piece[256];
  gssize n;

  while ((n = malt_pipe_read (malt_child_get_stdout (child), piece, sizeof piece)) > 0)
    g_string_append_len (text, piece, n);
  return g_string_free (text, FALSE);
}

/* What a child that runs has written by now, once it has written something. */
static char *
await_output (MaltChild *child)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) source = malt_pipe_source_new (malt_child_get_stdout (child));
  gboolean is_ready[1] = { FALSE };
  MaltPipe *pipe = malt_child_get_stdout (child);

  g_source_set_callback (source, on_pipe, NULL, NULL);
  g_source_attach (source, context);
  while (!malt_pipe_look (&pipe, 1, is_ready))
    g_main_context_iteration (context, TRUE);
  g_source_destroy (source);
  return dup_output (child);
}

static void
status_of_a_child_is_kept (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child =
      spawn ("--exit=7", (MaltProcessLauncher){ .is_group_leader = TRUE }, &error);
  int number = 0;

  malt_assert_no_error (error);
  malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_UNKNOWN);
  malt_assert (await (child));
  malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_EXITED);
  malt_assert_int (number, 7);
  malt_assert (!malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP));
}

/* It is the number that the system gives for processes that run. */
static void
status_259_is_an_end (void)
{
  g_autoptr (MaltChild) child = spawn ("--exit=259", (MaltProcessLauncher){ 0 }, NULL);
  int number = 0;

  malt_assert (child != NULL);
  malt_assert (await (child));
  malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_EXITED);
  malt_assert_int (number, 259);
}

static void
kill_is_told_from_an_exit (void)
{
  const int signums[] = { SIGKILL, SIGTERM };

  for (gsize i = 0; i < G_N_ELEMENTS (signums); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltChild) child =
          spawn ("--sleep", (MaltProcessLauncher){ .is_group_leader = TRUE }, &error);
      int number = 0;

      malt_assert_no_error (error);
      malt_assert (!malt_child_reap (child));
      malt_assert (malt_child_signal (child, signums[i], MALT_CHILD_TARGET_GROUP));
      malt_assert (await (child));
      malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_SIGNALLED);
      malt_assert_int (number, signums[i]);
    }
}

static void
what_the_system_ends_counts_as_signalled (void)
{
  const struct
  {
    const char *what;
    int signum;
  } cases[] = {
    { "--exit=0xc0000005", SIGSEGV }, /* a bad access */
    { "--exit=0xc0000006", SIGSEGV }, /* a page that cannot be read */
    { "--exit=0xc00000fd", SIGSEGV }, /* an overflow of the stack */
    { "--exit=0xc000001d", SIGILL },
    { "--exit=0xc0000096", SIGILL }, /* a privileged instruction */
    { "--exit=0xc0000094", SIGFPE },
    { "--exit=0xc000008e", SIGFPE },
    { "--exit=0xc000013a", SIGINT },
    { "--exit=0xc0000409", SIGABRT }, /* an overrun buffer */
    { "--exit=0xc0000374", SIGABRT }, /* a broken heap */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MaltChild) child =
          spawn (cases[i].what, (MaltProcessLauncher){ 0 }, NULL);
      int number = 0;

      malt_assert (child != NULL);
      malt_assert (await (child));
      malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_SIGNALLED);
      malt_assert_int (number, cases[i].signum);
    }
}

/* What another program knows of a worker that it has started. */
static void
exit_codes_from_elsewhere_are_understood (void)
{
  const struct
  {
    gint64 code;
    MaltChildEnd end;
    int number;
  } cases[] = { { 0, MALT_CHILD_END_EXITED, 0 },
                { 7, MALT_CHILD_END_EXITED, 7 },
                { G_GINT64_CONSTANT (0xc0000005), MALT_CHILD_END_SIGNALLED, SIGSEGV },
                { G_GINT64_CONSTANT (0xc0000135), MALT_CHILD_END_EXITED, -1073741515 },
                { malt_child_exit_code_of_signal (SIGTERM), MALT_CHILD_END_SIGNALLED,
                  SIGTERM } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int number = -1;

      malt_assert_int (malt_child_end_of_code (cases[i].code, &number), cases[i].end);
      malt_assert_int (number, cases[i].number);
    }
}

static void
standard_input_and_environment_are_those_given (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("token", 5);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child =
      spawn ("--look",
             (MaltProcessLauncher){ .stdin_source = MALT_CHILD_STDIN_BYTES,
                                    .stdin_bytes = bytes },
             &error);
  g_autofree char *text = NULL;

  malt_assert_no_error (error);
  malt_assert (await (child));
  text = dup_output (child);
  malt_assert_string (text, "stdin token, GREETING hello, other -, handle closed");
}

/* Handles that anybody else may inherit are no business of a child's. */
static void
child_has_no_handle_but_those_given (void)
{
  SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
  HANDLE reader = NULL;
  HANDLE writer = NULL;
  g_autoptr (MaltChild) child = NULL;
  char byte;
  DWORD n_read;

  malt_assert (CreatePipe (&reader, &writer, &inheritable, 0));
  child = spawn ("--sleep", (MaltProcessLauncher){ 0 }, NULL);
  malt_assert (child != NULL);
  CloseHandle (writer);
  /* The end comes at once, since the child has not got the other end. */
  malt_assert (!ReadFile (reader, &byte, 1, &n_read, NULL));
  malt_assert_int (GetLastError (), ERROR_BROKEN_PIPE);
  CloseHandle (reader);
}

static void
child_without_owner_is_ended (void)
{
  g_autoptr (MaltChild) child = spawn ("--sleep", (MaltProcessLauncher){ 0 }, NULL);
  HANDLE process;

  malt_assert (child != NULL);
  process = windows_test_open_process (malt_child_get_pid (child));
  malt_assert (process != NULL);
  g_clear_pointer (&child, malt_child_unref);
  malt_assert (windows_test_ends (process));
}

/* As on Unix: an end that it came to by itself leaves alone what it has started. */
static void
grandchild_outlives_a_child_that_exits (void)
{
  g_autoptr (MaltChild) child = spawn ("--leave", (MaltProcessLauncher){ 0 }, NULL);
  g_autofree char *text = NULL;
  HANDLE grandchild;

  malt_assert (child != NULL);
  malt_assert (await (child));
  text = dup_output (child);
  g_clear_pointer (&child, malt_child_unref);
  grandchild = OpenProcess (SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD) atoi (text));
  malt_assert (grandchild != NULL);
  malt_assert_int (WaitForSingleObject (grandchild, 0), WAIT_TIMEOUT);
  malt_assert (TerminateProcess (grandchild, 0));
  malt_assert (windows_test_ends (grandchild));
}

static void
kill_of_the_group_takes_a_grandchild_along (void)
{
  g_autoptr (MaltChild) child =
      spawn ("--leave-and-stay", (MaltProcessLauncher){ .is_group_leader = TRUE }, NULL);
  g_autofree char *text = NULL;
  HANDLE grandchild;
  int number = 0;

  malt_assert (child != NULL);
  text = await_output (child);
  grandchild = windows_test_open_process (atoi (text));
  malt_assert (grandchild != NULL);
  malt_assert_int (WaitForSingleObject (grandchild, 0), WAIT_TIMEOUT);
  malt_assert (malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP));
  malt_assert (windows_test_ends (grandchild));
  malt_assert (await (child));
  malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_SIGNALLED);
  malt_assert_int (number, SIGKILL);
}

static gpointer
spawn_and_leave (G_GNUC_UNUSED gpointer data)
{
  return spawn ("--look", (MaltProcessLauncher){ 0 }, NULL);
}

static void
child_outlives_the_thread_that_launched_it (void)
{
  g_autoptr (MaltChild) child =
      g_thread_join (g_thread_new ("short", spawn_and_leave, NULL));
  g_autofree char *text = NULL;
  int number = 0;

  malt_assert (child != NULL);
  malt_assert (await (child));
  malt_assert (malt_child_get_end (child, &number) == MALT_CHILD_END_EXITED);
  text = dup_output (child);
  malt_assert (g_str_has_prefix (text, "stdin "));
}

static DWORD
count_handles (void)
{
  DWORD n_handles = 0;

  GetProcessHandleCount (GetCurrentProcess (), &n_handles);
  return n_handles;
}

static void
launches_leave_no_handles (void)
{
  DWORD n_before = 0;

  for (int i = 0; i < 10; i++)
    {
      g_autoptr (MaltChild) child = spawn ("--exit=0", (MaltProcessLauncher){ 0 }, NULL);

      malt_assert (child != NULL);
      malt_assert (await (child));
      g_clear_pointer (&child, malt_child_unref);
      if (i == 0)
        n_before = count_handles ();
    }
  malt_assert_int (count_handles (), n_before);
}

static void
errors_name_what_was_to_be_run (void)
{
  const char *const nowhere[] = { "C:\\nowhere\\julia.exe", NULL };
  const char *const batches[][2] = { { "C:\\windows\\julia.BAT", NULL },
                                     { "C:\\windows\\julia.cmd. .", NULL } };
  MaltProcessLauncher launcher = { .argv = nowhere,
                                   .envp = (const char *const *) environment };
  g_autoptr (GError) error = NULL;

  malt_assert (malt_process_launcher_spawn (&launcher, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (strstr (error->message, "'C:\\nowhere\\julia.exe'") != NULL);
  g_clear_error (&error);

  for (gsize i = 0; i < G_N_ELEMENTS (batches); i++)
    {
      launcher.argv = batches[i];
      malt_assert (malt_process_launcher_spawn (&launcher, &error) == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
      malt_assert (strstr (error->message, "batch file") != NULL);
      g_clear_error (&error);
    }

  malt_assert (spawn ("--sleep", (MaltProcessLauncher){ .cwd = "C:\\nowhere" }, &error) ==
               NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (strstr (error->message, "C:\\nowhere") != NULL);
}

static void
command_line_may_be_as_long_as_the_system_takes_it (void)
{
  const char *arguments[] = { program, "x", NULL };
  g_autofree char *short_line = malt_command_line_join (arguments);
  /* All but the first argument's own letter; names of programs are ASCII here. */
  gsize n = 32766 - (strlen (short_line) - 1);
  g_autofree char *fits = g_strnfill (n, 'x');
  g_autofree char *too_long = g_strnfill (n + 1, 'x');
  MaltProcessLauncher launcher = { .argv = arguments,
                                   .envp = (const char *const *) environment };
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child = NULL;

  arguments[1] = fits;
  child = malt_process_launcher_spawn (&launcher, &error);
  malt_assert_no_error (error);
  arguments[1] = too_long;
  malt_assert (malt_process_launcher_spawn (&launcher, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (strstr (error->message, "at most 32766 characters") != NULL);
}

/* The system's own way of taking a line apart gives the same arguments. */
static void
command_line_is_taken_apart_as_it_was_put_together (void)
{
  const char *const arguments[] = { "C:\\a b\\julia.exe",
                                    "",
                                    " ",
                                    "\t",
                                    "\"",
                                    "\"\"",
                                    "a\"b",
                                    "\\",
                                    "\\\\",
                                    "\\\"",
                                    "\\\\\"",
                                    "a\\",
                                    "a b\\",
                                    "a b\\\\",
                                    "a\\b c",
                                    "\\\\server\\share x",
                                    "line\nbreak",
                                    "gr\xc3\xbc\xc3\x9f",
                                    "\xf0\x9f\x98\x80 \"x\"",
                                    "%PATH%",
                                    "^&|<>",
                                    NULL };
  g_autofree char *line = malt_command_line_join (arguments);
  g_autofree wchar_t *wide = malt_handle_dup_wide (line);
  int n = 0;
  wchar_t **parts = CommandLineToArgvW (wide, &n);

  malt_assert_int (n, G_N_ELEMENTS (arguments) - 1);
  for (int i = 0; i < n; i++)
    {
      g_autofree char *part =
          g_utf16_to_utf8 ((const gunichar2 *) parts[i], -1, NULL, NULL, NULL);
      malt_assert_string (part, arguments[i]);
    }
  LocalFree (parts);
}

static void
environment_block_is_sorted_and_ends_twice (void)
{
  const char *const none[] = { NULL };
  const char *const some[] = { "b=2", "A=1", "c=\xc3\xbc", NULL };
  g_autofree wchar_t *empty = malt_environment_block (none);
  g_autofree wchar_t *block = malt_environment_block (some);

  malt_assert (empty[0] == 0 && empty[1] == 0);
  malt_assert (memcmp (block, L"A=1\0b=2\0c=\u00fc\0", 13 * sizeof (wchar_t)) == 0);
}

/* By names, not by what stands behind them, and in the order that letters of any language
 * have for the system. */
static void
environment_block_is_in_the_order_of_the_system (void)
{
  const char *const some[] = { "\xc3\xa4=5", "AB=3", "a1=2", "\xc3\x84z=6",
                               "=C:=C:\\x",  "A=1",  "b=4",  NULL };
  const wchar_t *const expected[] = { L"=C:=C:\\x", L"A=1",      L"a1=2",     L"AB=3",
                                      L"b=4",       L"\u00e4=5", L"\u00c4z=6" };
  g_autofree wchar_t *block = malt_environment_block (some);
  const wchar_t *at = block;

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      malt_assert (wcscmp (at, expected[i]) == 0);
      at += wcslen (at) + 1;
    }
  malt_assert (*at == 0);
}

/* What the child does */

static int
be_looker (void)
{
  char text[16] = "";
  DWORD n_read = 0;
  const char *greeting = getenv ("GREETING");
  const char *other = getenv ("MALT_TEST_OTHER");
  HANDLE input = GetStdHandle (STD_INPUT_HANDLE);
  gboolean has_ended;

  ReadFile (input, text, sizeof text - 1, &n_read, NULL);
  has_ended = !ReadFile (input, text + n_read, 1, &n_read, NULL) || n_read == 0;
  printf ("stdin %s, GREETING %s, other %s, handle %s", text,
          greeting != NULL ? greeting : "-", other != NULL ? other : "-",
          has_ended ? "closed" : "open");
  return 0;
}

static int
be_leaver (void)
{
  STARTUPINFOW startup = { .cb = sizeof startup };
  PROCESS_INFORMATION process = { 0 };
  g_autofree char *text = g_strdup_printf ("\"%s\" --sleep", program);
  g_autofree wchar_t *line = malt_handle_dup_wide (text);

  if (!CreateProcessW (NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process))
    return 1;
  printf ("%lu", process.dwProcessId);
  fflush (stdout);
  return 0;
}

static int
be_child (const char *what)
{
  if (g_str_has_prefix (what, "--exit="))
    return (int) strtoul (what + strlen ("--exit="), NULL, 0);
  if (strcmp (what, "--look") == 0)
    return be_looker ();
  if (strcmp (what, "--leave") == 0)
    return be_leaver ();
  if (strcmp (what, "--leave-and-stay") == 0)
    be_leaver ();
  Sleep (INFINITE);
  return 0;
}

static CU_TestInfo tests[] = {
  MALT_TEST (status_of_a_child_is_kept),
  MALT_TEST (status_259_is_an_end),
  MALT_TEST (kill_is_told_from_an_exit),
  MALT_TEST (what_the_system_ends_counts_as_signalled),
  MALT_TEST (exit_codes_from_elsewhere_are_understood),
  MALT_TEST (standard_input_and_environment_are_those_given),
  MALT_TEST (child_has_no_handle_but_those_given),
  MALT_TEST (child_without_owner_is_ended),
  MALT_TEST (grandchild_outlives_a_child_that_exits),
  MALT_TEST (kill_of_the_group_takes_a_grandchild_along),
  MALT_TEST (child_outlives_the_thread_that_launched_it),
  MALT_TEST (launches_leave_no_handles),
  MALT_TEST (errors_name_what_was_to_be_run),
  MALT_TEST (command_line_may_be_as_long_as_the_system_takes_it),
  MALT_TEST (command_line_is_taken_apart_as_it_was_put_together),
  MALT_TEST (environment_block_is_sorted_and_ends_twice),
  MALT_TEST (environment_block_is_in_the_order_of_the_system),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  CU_SuiteInfo suites[] = {
    { .pName = "launcher on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };
  wchar_t path[MAX_PATH];

  GetModuleFileNameW (NULL, path, MAX_PATH);
  program = g_utf16_to_utf8 ((const gunichar2 *) path, -1, NULL, NULL, NULL);
  if (argc > 1)
    return be_child (argv[1]);
  environment[0] = g_strdup ("GREETING=hello");
  environment[1] = g_strconcat ("PATH=", g_getenv ("PATH"), NULL);
  environment[2] = g_strconcat ("SystemRoot=", g_getenv ("SystemRoot"), NULL);
  g_setenv ("MALT_TEST_OTHER", "not for children", TRUE);
  return malt_test_run (suites);
}
