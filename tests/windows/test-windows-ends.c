/* SPDX-License-Identifier: MIT */
/* How workers end on Windows, of the backend that the argument names: by themselves, by
 * crashes, by the host, at bad moments. */
#include "windows-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define N_PENDING 5

/* Runs the line, which ends the worker; how that was told. (transfer full) (nullable) */
static MaltTermination *
end_by (MaltWorker *worker, const char *line)
{
  g_autoptr (GError) error = NULL;

  windows_test_get_int (worker, line, &error);
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    MALT_TEST_FAIL ("%s: expected the end of the worker, got '%s'", line,
                    error != NULL ? error->message : "no error");
  return windows_test_await_end (worker);
}

static void
check_end (const char *line, MaltTerminationReason reason, int number)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  int seen;

  malt_assert (worker != NULL);
  termination = end_by (worker, line);
  malt_assert (termination != NULL);
  seen = reason == MALT_TERMINATION_EXITED
             ? malt_termination_get_exit_status (termination)
             : malt_termination_get_signal (termination);
  if (malt_termination_get_reason (termination) != reason || seen != number)
    MALT_TEST_FAIL ("%s: expected reason %d with %d, got %d with %d", line, reason,
                    number, malt_termination_get_reason (termination), seen);
}

/* By itself */

static void
exit_code_of_a_worker_is_known (void)
{
  /* 259 is what the system says of processes that run; the last are more than an int holds. */
  const struct
  {
    const char *line;
    int status;
  } cases[] = {
    { "exit 0", 0 },
    { "exit 1", 1 },
    { "exit 3", 3 },
    { "exit 259", 259 },
    { "exit 0x7fffffff", G_MAXINT },
    { "exit 0xc0000123", (int) 0xc0000123u },
    { "exit 0xffffffff", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_end (cases[i].line, MALT_TERMINATION_EXITED, cases[i].status);
}

static void
exit_code_of_a_crash_counts_as_a_signal (void)
{
  const struct
  {
    const char *line;
    int signum;
  } cases[] = {
    { "exit 0xc0000005", SIGSEGV }, { "exit 0xc00000fd", SIGSEGV },
    { "exit 0xc000001d", SIGILL },  { "exit 0xc0000094", SIGFPE },
    { "exit 0xc000013a", SIGINT },  { "exit 0xc0000409", SIGABRT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_end (cases[i].line, MALT_TERMINATION_SIGNALLED, cases[i].signum);
}

/* The real ones. */
static void
crash_of_a_worker_is_told (void)
{
  check_end ("crash access", MALT_TERMINATION_SIGNALLED, SIGSEGV);
  check_end ("crash stack", MALT_TERMINATION_SIGNALLED, SIGSEGV);
  check_end ("crash division", MALT_TERMINATION_SIGNALLED, SIGFPE);
  check_end ("crash instruction", MALT_TERMINATION_SIGNALLED, SIGILL);
  check_end ("crash abort", MALT_TERMINATION_EXITED, 3);
}

/* Late: what was said before the end is told */

static void
worker_that_answers_and_dies_has_answered (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
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
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream,
           G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  GString **texts = user_data;

  g_string_append_len (texts[stream == MALT_STREAM_STDERR],
                       g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
}

static void
on_exited (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltTermination *termination,
           gpointer has_exited)
{
  *(gboolean *) has_exited = TRUE;
}

static gboolean
is_set (gpointer flag)
{
  return *(gboolean *) flag;
}

/* What it prints, past the runtime, right before it ends comes to the signal before the
 * end does. */
static void
last_words_are_not_lost (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GString) errors = g_string_new (NULL);
  GString *texts[] = { output, errors };
  gboolean has_exited = FALSE;

  malt_assert (worker != NULL);
  g_signal_connect (worker, "exited", G_CALLBACK (on_exited), &has_exited);
  g_signal_connect (worker, "output", G_CALLBACK (on_output), texts);
  termination = end_by (worker, "last-words 0xc0000005 gr\xc3\xbc\xc3\x9f");
  malt_assert (windows_test_until (is_set, &has_exited));
  malt_assert (termination != NULL);
  malt_assert_string (output->str, "gr\xc3\xbc\xc3\x9f");
  malt_assert_string (errors->str, "gr\xc3\xbc\xc3\x9f");
  malt_assert (strstr (malt_termination_get_stderr (termination), "gr\xc3\xbc\xc3\x9f") !=
               NULL);
}

static void
answer_that_is_cut_off_is_none (void)
{
  check_end ("half-answer 5", MALT_TERMINATION_EXITED, 5);
}

static void
worker_that_hangs_up_is_lost_and_ended (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  termination = end_by (worker, "hang-up");
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_LOST);
  malt_assert (windows_test_ends (process));
}

static void
on_fetched (GObject *future, GAsyncResult *result, gpointer user_data)
{
  GArray *order = user_data;
  guint32 id = malt_future_get_id (MALT_FUTURE (future));
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_future_fetch_finish (MALT_FUTURE (future), result, &error);

  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    g_array_append_val (order, id);
}

static gboolean
are_all_told (gpointer order)
{
  return ((GArray *) order)->len == N_PENDING;
}

static void
terminate (gint64 pid, UINT code)
{
  HANDLE process = OpenProcess (PROCESS_TERMINATE, FALSE, (DWORD) pid);

  TerminateProcess (process, code);
  CloseHandle (process);
}

/* By somebody else, while it serves calls. */
static void
calls_under_way_fail_in_their_order (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 ids[N_PENDING];

  malt_assert (worker != NULL);
  for (int i = 0; i < N_PENDING; i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, "wait");

      ids[i] = malt_future_get_id (future);
      malt_future_fetch_async (future, NULL, on_fetched, order);
    }
  malt_assert_int (windows_test_get_int (worker, "int 1", NULL), 1);
  terminate (malt_worker_get_pid (worker), 11);
  termination = windows_test_await_end (worker);
  malt_assert (windows_test_until (are_all_told, order));
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_exit_status (termination), 11);
  for (int i = 0; i < N_PENDING; i++)
    malt_assert_int (g_array_index (order, guint32, i), ids[i]);
}

static void
end_is_told_while_a_large_request_is_on_its_way (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltCall) call = malt_call_new ("identity");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  const gsize n = (gsize) 32 << 20;

  malt_assert (worker != NULL);
  windows_test_get_int (worker, "deaf", NULL);
  malt_call_take_argument (
      call, malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n, 1,
                                             g_bytes_new_take (g_malloc0 (n), n), NULL));
  future = malt_worker_remote_call (worker, call);
  malt_assert (!malt_future_wait (future, 100, NULL, NULL));
  terminate (malt_worker_get_pid (worker), 12);
  malt_assert (malt_future_fetch (future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_exit_status (termination), 12);
}

/* By the host */

/* Whatever the worker does when it is asked to end. */
static void
check_stop (const char *at_shutdown, gint64 exit_timeout_ms)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  gboolean was_running = FALSE;
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  malt_assert (process != NULL);
  if (at_shutdown != NULL)
    {
      g_autofree char *line = g_strconcat ("at-shutdown ", at_shutdown, NULL);
      windows_test_get_int (worker, line, NULL);
    }
  future = malt_worker_remote_eval (worker, NULL, "wait");
  malt_assert (
      malt_worker_stop_full (worker, exit_timeout_ms, 0, &was_running, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (was_running);
  malt_assert (!malt_worker_is_running (worker));
  value = malt_future_fetch (future, NULL, &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (windows_test_ends (process));
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
}

static void
stop_ends_a_worker_as_asked (void)
{
  check_stop (NULL, WINDOWS_TEST_PATIENCE_MS);
}

static void
worker_that_dies_while_it_is_stopped_is_stopped (void)
{
  check_stop ("exit 9", WINDOWS_TEST_PATIENCE_MS);
  check_stop ("crash access", WINDOWS_TEST_PATIENCE_MS);
  check_stop ("half-answer 3", WINDOWS_TEST_PATIENCE_MS);
}

static void
worker_that_does_not_stop_is_ended (void)
{
  check_stop ("deaf", 100);
  check_stop ("hang-up", 100);
}

static void
check_kill (int signum)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  malt_assert (malt_worker_kill (worker, signum, &error));
  malt_assert_no_error (error);
  malt_assert (windows_test_ends (process));
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
}

static void
kill_is_told_as_the_hosts_own (void)
{
  check_kill (9);
  check_kill (SIGTERM);
}

static void
kill_takes_a_grandchild_along (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltWorker) other = windows_test_launch_one ();
  HANDLE grandchild;

  malt_assert (worker != NULL && other != NULL);
  grandchild =
      windows_test_open_process (windows_test_get_int (worker, "grandchild", NULL));
  malt_assert (grandchild != NULL);
  malt_assert (malt_worker_kill (worker, 9, NULL));
  malt_assert (windows_test_ends (grandchild));
  malt_assert_int (windows_test_get_int (other, "int 1", NULL), 1);
}

/* As on Unix. */
static void
grandchild_of_a_worker_that_ends_by_itself_lives_on (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  HANDLE grandchild;
  gint64 pid;

  malt_assert (worker != NULL);
  pid = windows_test_get_int (worker, "grandchild", NULL);
  grandchild = windows_test_open_process (pid);
  malt_assert (grandchild != NULL);
  termination = end_by (worker, "exit 0");
  g_clear_object (&worker);
  malt_assert_int (WaitForSingleObject (grandchild, 0), WAIT_TIMEOUT);
  terminate (pid, 0);
  malt_assert (windows_test_ends (grandchild));
}

static void
signal_that_windows_lacks_is_not_supported (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert (!malt_worker_kill (worker, 1, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 1", &error), 1);
}

static void
worker_that_nobody_refers_to_is_ended (void)
{
  MaltWorker *worker = windows_test_launch_one ();
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  g_object_unref (worker);
  malt_assert (windows_test_ends (process));
}

static CU_TestInfo tests[] = {
  MALT_TEST (exit_code_of_a_worker_is_known),
  MALT_TEST (exit_code_of_a_crash_counts_as_a_signal),
  MALT_TEST (crash_of_a_worker_is_told),
  MALT_TEST (worker_that_answers_and_dies_has_answered),
  MALT_TEST (last_words_are_not_lost),
  MALT_TEST (answer_that_is_cut_off_is_none),
  MALT_TEST (worker_that_hangs_up_is_lost_and_ended),
  MALT_TEST (calls_under_way_fail_in_their_order),
  MALT_TEST (end_is_told_while_a_large_request_is_on_its_way),
  MALT_TEST (stop_ends_a_worker_as_asked),
  MALT_TEST (worker_that_dies_while_it_is_stopped_is_stopped),
  MALT_TEST (worker_that_does_not_stop_is_ended),
  MALT_TEST (kill_is_told_as_the_hosts_own),
  MALT_TEST (kill_takes_a_grandchild_along),
  MALT_TEST (grandchild_of_a_worker_that_ends_by_itself_lives_on),
  MALT_TEST (signal_that_windows_lacks_is_not_supported),
  MALT_TEST (worker_that_nobody_refers_to_is_ended),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "ends of workers on Windows", tests);
}
