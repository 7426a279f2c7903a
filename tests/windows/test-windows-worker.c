/* SPDX-License-Identifier: MIT */
/* Workers on Windows, of the backend that the argument names. What stands for Julia is a program that plays by a script. */
#include "windows-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FLOOD_BYTES 3000000

static const char *backend;

static gboolean
is_direct (void)
{
  return strcmp (backend, "malt-process") == 0;
}

static MaltWorker *
launch (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);

  return windows_test_launch (config);
}

static void
values_and_exceptions_come_back (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), backend);
  malt_assert_int (windows_test_get_int (worker, "int 42", &error), 42);
  malt_assert_no_error (error);
  text = windows_test_dup_text (worker, "text gr\xc3\xbcn", &error);
  malt_assert_string (text, "gr\xc3\xbcn");
  windows_test_get_int (worker, "throw DomainError much too large", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "DomainError");
  malt_assert_string (malt_error_get_exception_message (error), "much too large");
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 43", &error), 43);
}

static void
stop_ends_a_worker_as_asked (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  malt_assert (process != NULL);
  malt_assert (malt_worker_stop (worker, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (windows_test_ends (process));
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
}

static void
exit_code_of_a_worker_is_known (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  windows_test_get_int (worker, "exit 7", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_EXITED);
  malt_assert_int (malt_termination_get_exit_status (termination), 7);
}

static void
crash_of_a_worker_counts_as_a_signal (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  windows_test_get_int (worker, "crash", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_SIGNALLED);
  malt_assert_int (malt_termination_get_signal (termination), SIGSEGV);
}

static void
worker_that_answers_and_dies_has_answered (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  value = malt_worker_remote_eval_fetch (worker, NULL, "answer-and-exit 3", NULL, &error);
  malt_assert_no_error (error);
  malt_assert (value != NULL);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_exit_status (termination), 3);
}

static void
worker_that_breaks_the_protocol_is_ended (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  windows_test_get_int (worker, "babble", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_PROTOCOL);
}

/* Only where the worker is a child is its job ours. */
static void
kill_takes_a_grandchild_along (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;
  HANDLE grandchild;

  malt_assert (worker != NULL);
  grandchild =
      windows_test_open_process (windows_test_get_int (worker, "grandchild", &error));
  malt_assert_no_error (error);
  malt_assert (grandchild != NULL);
  malt_assert (malt_worker_kill (worker, 9, &error));
  malt_assert_no_error (error);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
  if (!is_direct ())
    g_clear_object (&worker);
  malt_assert (windows_test_ends (grandchild));
}

static void
signal_that_windows_lacks_is_not_supported (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (!malt_worker_kill (worker, 1, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 1", &error), 1);
}

/* Output */

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream,
           G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  gsize *n_bytes = user_data;

  n_bytes[stream == MALT_STREAM_STDERR] += g_bytes_get_size (bytes);
}

static void
output_is_there_before_the_answer (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autofree char *line = g_strdup_printf ("flood %d", FLOOD_BYTES);
  g_auto (MaltTestAwait) await = { 0 };
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_bytes[2] = { 0, 0 };

  malt_assert (worker != NULL);
  g_signal_connect (worker, "output", G_CALLBACK (on_output), n_bytes);
  malt_worker_remote_eval_async (worker, NULL, line, NULL, malt_test_on_ready,
                                 malt_test_expect (&await));
  malt_test_await (&await);
  value = malt_worker_remote_eval_finish (worker, await.result, &error);
  malt_assert_no_error (error);
  malt_assert (value != NULL);
  malt_assert_int (n_bytes[0], FLOOD_BYTES);
  malt_assert_int (n_bytes[1], 0);
}

/* What a worker is given */

static void
secrets_are_told_by_standard_input_alone (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (windows_test_get_int (worker, "leaks", &error) > 0);
  malt_assert_no_error (error);
  malt_assert_int (windows_test_get_int (worker, "stdin", &error), 0);
}

static void
arguments_arrive_as_they_are (void)
{
  const char *const flags[] = { "",         "a b", "c\"d", "e\\", "f\\\\\"g h\\",
                                "\xc3\xbc", "*",   "--x=", NULL };
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!is_direct ())
    return;
  malt_config_set_strings (config, "exeflags", flags);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  text = windows_test_dup_text (worker, "arguments", &error);
  malt_assert_no_error (error);
  malt_assert (strstr (text, "[][a b][c\"d][e\\][f\\\\\"g h\\][\xc3\xbc][*][--x=][-e]") !=
               NULL);
}

static void
environment_is_the_one_asked_for (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
  const char *const pairs[] = { "GREETING=gr\xc3\xbc\xc3\x9f", "EMPTY=", NULL };
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltValue) stranger = NULL;
  g_autofree char *greeting = NULL;
  g_autofree char *root = NULL;

  g_setenv ("MALT_TEST_STRANGER", "1", TRUE);
  malt_config_set_strings (config, "env", pairs);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  greeting = windows_test_dup_text (worker, "variable GREETING", NULL);
  malt_assert_string (greeting, "gr\xc3\xbc\xc3\x9f");
  root = windows_test_dup_text (worker, "variable SYSTEMROOT", NULL);
  malt_assert (root != NULL);
  stranger = malt_worker_remote_eval_fetch (worker, NULL, "variable MALT_TEST_STRANGER",
                                            NULL, NULL);
  malt_assert (stranger != NULL);
  malt_assert_int (malt_value_get_kind (stranger), MALT_VALUE_NOTHING);
}

/* A variable of the host that is no text does not take those along that stand behind it. */
static void
environment_may_hold_what_is_no_text (void)
{
  const char *const policy[] = { "clean", "ZZZ_MALT_TEST", NULL };
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
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
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
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

static void
paths_need_not_be_ascii (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
  g_autofree char *folder = windows_test_make_folder ();
  g_autofree char *fake = windows_test_dup_fake ();
  g_autofree char *copy = g_build_filename (folder, "j\xc3\xbclia.exe", NULL);
  g_autoptr (GFile) from = g_file_new_for_path (fake);
  g_autoptr (GFile) to = g_file_new_for_path (copy);
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *cwd = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (g_file_copy (from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, &error));
  malt_config_set (config, "julia", copy);
  malt_config_set (config, "cwd", folder);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  cwd = windows_test_dup_text (worker, "cwd", &error);
  malt_assert_string (cwd, folder);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  g_clear_object (&worker);
  windows_test_remove_folder (folder);
}

static void
program_that_is_not_there_is_an_error_with_its_name (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (backend);
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_config_set (config, "julia", "C:\\nowhere\\julia.exe");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (strstr (error->message, "C:\\nowhere\\julia.exe") != NULL);
}

static void
transports_that_hand_on_sockets_are_not_supported (void)
{
  const char *const transports[] = { "tcp", "socketpair" };

  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltConfig) config = windows_test_config_new ("malt-process");
      g_autoptr (MaltWorker) worker = NULL;
      g_autoptr (GError) error = NULL;

      malt_config_set_for (config, "malt-process", "transport", transports[i]);
      worker = malt_worker_launch (config, NULL, &error);
      malt_assert (worker == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
    }
}

/* Interrupts */

static void
waiting_call_is_interrupted_exactly (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "wait");
  malt_assert_int (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error),
      MALT_INTERRUPT_DELIVERED);
  malt_assert_no_error (error);
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "InterruptException");
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 5", &error), 5);
}

static void
on_first_output (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltStream stream,
                 G_GNUC_UNUSED guint call_id, G_GNUC_UNUSED GBytes *bytes,
                 gpointer is_there)
{
  *(gboolean *) is_there = TRUE;
}

/* An event of the console ends a call that reads no frames, where the worker is a child. The event is the one that Wine delivers. */
static void
interrupt_busy_call (void)
{
  g_autoptr (MaltWorker) worker = launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;
  HANDLE output = GetStdHandle (STD_OUTPUT_HANDLE);
  gboolean is_spinning = FALSE;
  gboolean can_interrupt;

  malt_assert (worker != NULL);
  can_interrupt =
      (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_INTERRUPT_BUSY) != 0;
  malt_assert_int (can_interrupt, is_direct ());
  g_signal_connect (worker, "output", G_CALLBACK (on_first_output), &is_spinning);
  future = malt_worker_remote_eval (worker, NULL, "spin");
  while (!is_spinning)
    g_main_context_iteration (NULL, TRUE);
  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  malt_assert_no_error (error);
  malt_assert_int (result, can_interrupt ? MALT_INTERRUPT_DELIVERED
                                         : MALT_INTERRUPT_UNDELIVERABLE);
  /* Joining the worker's console has changed nothing of the host's. */
  malt_assert (GetStdHandle (STD_OUTPUT_HANDLE) == output);
  if (!can_interrupt)
    {
      malt_assert (malt_worker_kill (worker, 9, NULL));
      return;
    }
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 6", &error), 6);
}

static void
busy_call_is_interrupted_where_that_can_be (void)
{
  interrupt_busy_call ();
}

static void
busy_call_is_interrupted_in_a_console_that_is_shared (void)
{
  windows_test_need_console ();
  interrupt_busy_call ();
}

/* The death of a host */

/* A host of its own: says the numbers of its worker and of what the worker has started, and is killed then. */
static int
be_host (void)
{
  MaltWorker *worker = launch ();

  if (worker == NULL)
    return 1;
  printf ("%d %d\n", (int) malt_worker_get_pid (worker),
          (int) windows_test_get_int (worker, "grandchild", NULL));
  fflush (stdout);
  Sleep (INFINITE);
  return 0;
}

/* What the host says. */
static gboolean
read_line (HANDLE pipe, char *line, DWORD n_bytes)
{
  DWORD n_read;

  for (DWORD n = 0; n + 1 < n_bytes; n += n_read)
    {
      if (!ReadFile (pipe, line + n, 1, &n_read, NULL) || n_read == 0)
        return FALSE;
      line[n + 1] = '\0';
      if (line[n] == '\n')
        return TRUE;
    }
  return FALSE;
}

/* Not by the library: its jobs would end what is to end by itself. */
static HANDLE
start_host (HANDLE *out_pipe)
{
  SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
  STARTUPINFOW startup = { .cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES };
  PROCESS_INFORMATION process = { 0 };
  wchar_t program[MAX_PATH];
  g_autofree wchar_t *line = NULL;
  g_autofree char *text = g_strdup_printf ("host %s --host", backend);
  HANDLE writer;

  GetModuleFileNameW (NULL, program, MAX_PATH);
  line = malt_handle_dup_wide (text);
  if (!CreatePipe (out_pipe, &writer, &inheritable, 0))
    return NULL;
  SetHandleInformation (*out_pipe, HANDLE_FLAG_INHERIT, 0);
  startup.hStdOutput = writer;
  startup.hStdError = GetStdHandle (STD_ERROR_HANDLE);
  CreateProcessW (program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process);
  CloseHandle (writer);
  if (process.hThread != NULL)
    CloseHandle (process.hThread);
  return process.hProcess;
}

static void
death_of_the_host_ends_worker_and_grandchild (void)
{
  HANDLE pipe = NULL;
  HANDLE host = start_host (&pipe);
  HANDLE worker;
  HANDLE grandchild;
  char line[64] = "";
  int pids[2] = { 0, 0 };

  malt_assert (host != NULL);
  malt_assert (read_line (pipe, line, sizeof line));
  malt_assert (sscanf (line, "%d %d", &pids[0], &pids[1]) == 2);
  worker = windows_test_open_process (pids[0]);
  grandchild = windows_test_open_process (pids[1]);
  malt_assert (worker != NULL && grandchild != NULL);
  TerminateProcess (host, 1);
  malt_assert (windows_test_ends (host));
  malt_assert (windows_test_ends (worker));
  malt_assert (windows_test_ends (grandchild));
  CloseHandle (pipe);
}

static CU_TestInfo tests[] = {
  MALT_TEST (values_and_exceptions_come_back),
  MALT_TEST (stop_ends_a_worker_as_asked),
  MALT_TEST (exit_code_of_a_worker_is_known),
  MALT_TEST (crash_of_a_worker_counts_as_a_signal),
  MALT_TEST (worker_that_answers_and_dies_has_answered),
  MALT_TEST (worker_that_breaks_the_protocol_is_ended),
  MALT_TEST (kill_takes_a_grandchild_along),
  MALT_TEST (signal_that_windows_lacks_is_not_supported),
  MALT_TEST (output_is_there_before_the_answer),
  MALT_TEST (secrets_are_told_by_standard_input_alone),
  MALT_TEST (arguments_arrive_as_they_are),
  MALT_TEST (environment_is_the_one_asked_for),
  MALT_TEST (environment_may_hold_what_is_no_text),
  MALT_TEST (environment_that_is_asked_for_wins_however_it_is_written),
  MALT_TEST (paths_need_not_be_ascii),
  MALT_TEST (program_that_is_not_there_is_an_error_with_its_name),
  MALT_TEST (transports_that_hand_on_sockets_are_not_supported),
  MALT_TEST (waiting_call_is_interrupted_exactly),
  MALT_TEST (busy_call_is_interrupted_where_that_can_be),
  MALT_TEST (busy_call_is_interrupted_in_a_console_that_is_shared),
  MALT_TEST (death_of_the_host_ends_worker_and_grandchild),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  CU_SuiteInfo suites[] = {
    { .pName = "workers on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  if (argc < 2)
    return 2;
  backend = argv[1];
  malt_child_interrupt_event = CTRL_C_EVENT;
  if (argc > 2 && strcmp (argv[2], "--host") == 0)
    return be_host ();
  return malt_test_run (suites);
}
