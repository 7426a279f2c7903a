/* SPDX-License-Identifier: MIT */
/* The life of a worker process without a Julia: tests/support/fake_julia.py stands in its place. */
#include "process-test.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define STRANGER 54321 /* a user who runs nothing else */

/* The program is a script that runs the other one. */
static MaltWorker *
launch (const char *option)
{
  g_auto (ProcessTestScript) script =
      process_test_script_new ("exec '" MALT_TEST_PYTHON "' '" MALT_TEST_SOURCE_DIR
                               "/support/fake_julia.py' \"$@\"");
  g_autofree char *julia = g_strconcat ("julia=", script.path, NULL);

  return process_test_launch (julia, "exit-timeout-ms=30000", option);
}

static MaltTermination *
wait_for_end (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  return malt_worker_dup_termination (worker);
}

static void
worker_evaluates_over_each_transport (void)
{
  static const char *const transports[] = { "transport=tcp", "transport=tcp-connect",
                                            "transport=socketpair" };

  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltWorker) worker = launch (transports[i]);
      g_autofree char *version = NULL;
      g_autofree char *summary = NULL;
      g_autofree char *expected = NULL;

      CHECK (worker != NULL);
      CU_ASSERT_EQUAL (process_test_eval_int (worker, "42"), 42);
      CHECK (malt_worker_is_running (worker));
      version = malt_worker_dup_julia_version (worker);
      CU_ASSERT_STRING_EQUAL (version, "1.5.3");
      CHECK (process_test_is_alive (malt_worker_get_pid (worker)));
      expected = g_strdup_printf ("malt-process worker %" G_GINT64_FORMAT,
                                  malt_worker_get_pid (worker));
      summary = malt_worker_dup_summary (worker);
      CU_ASSERT_STRING_EQUAL (summary, expected);
    }
}

static void
exception_has_its_fields (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  CHECK (worker != NULL);
  value = malt_worker_remote_eval_fetch (worker, NULL, "throw DomainError out of bounds",
                                         NULL, &error);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION));
  CU_ASSERT_STRING_EQUAL (malt_error_get_exception_type (error), "DomainError");
  CHECK (strstr (error->message, "out of bounds") != NULL);
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "7"), 7);
}

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream,
           G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  GString **texts = user_data;

  g_string_append_len (texts[stream == MALT_STREAM_STDERR ? 1 : 0],
                       g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
}

static void
output_comes_before_the_answer (void)
{
  g_autoptr (MaltWorker) worker = launch ("output=signal");
  GString *texts[2] = { g_string_new (NULL), g_string_new (NULL) };
  g_autofree char *result = NULL;

  CHECK (worker != NULL);
  g_signal_connect (worker, "output", G_CALLBACK (on_output), texts);
  result = process_test_eval (worker, "print hello");
  CU_ASSERT_STRING_EQUAL (result, "nothing");
  while (g_main_context_iteration (NULL, FALSE))
    {
    }
  CU_ASSERT_STRING_EQUAL (texts[0]->str, "hello\n");
  CU_ASSERT_STRING_EQUAL (texts[1]->str, "error\n");
  g_string_free (texts[0], TRUE);
  g_string_free (texts[1], TRUE);
}

static void
worker_that_exits_is_told_with_its_status_and_last_words (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  termination = wait_for_end (worker, "exit 3");
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_EXITED);
  CU_ASSERT_EQUAL (malt_termination_get_exit_status (termination), 3);
  CHECK (strstr (malt_termination_get_stderr (termination), "last words") != NULL);
  CHECK (!malt_worker_is_running (worker));
}

static void
worker_that_dies_is_told_with_its_signal (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  termination = wait_for_end (worker, "kill 15");
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_SIGNALLED);
  CU_ASSERT_EQUAL (malt_termination_get_signal (termination), SIGTERM);
}

static void
worker_that_breaks_the_protocol_is_killed (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  termination = wait_for_end (worker, "babble");
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_PROTOCOL);
  CHECK (g_str_has_prefix (malt_termination_get_stderr (termination), "libmalt: "));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
worker_that_hangs_up_is_lost (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  termination = wait_for_end (worker, "hang_up");
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_LOST);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
stop_is_an_orderly_end (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  gboolean was_running = FALSE;

  CHECK (worker != NULL);
  CHECK (malt_worker_stop_full (worker, -1, -1, &was_running, NULL, NULL));
  CHECK (was_running);
  termination = malt_worker_dup_termination (worker);
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
  CHECK (malt_worker_stop_full (worker, -1, -1, &was_running, NULL, NULL));
  CHECK (!was_running);
}

static void
worker_that_does_not_stop_is_killed (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *result = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  result = process_test_eval (worker, "stay");
  CU_ASSERT_STRING_EQUAL (result, "nothing");
  CHECK (malt_worker_stop_full (worker, 50, 50, NULL, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
worker_that_the_host_kills_was_stopped (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "wait");
  CHECK (malt_worker_kill (worker, SIGTERM, NULL));
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
}

/* From here to there the host is another user. FALSE: only root can be one. */
static gboolean
become_stranger (void)
{
  return geteuid () == 0 && setresuid (STRANGER, STRANGER, 0) == 0;
}

static void
become_root (void)
{
  CU_ASSERT_EQUAL (setresuid (0, 0, 0), 0);
}

static MaltTermination *
stop_as_stranger (MaltWorker *worker, int forbidden_signum)
{
  g_autoptr (GError) error = NULL;

  if (!become_stranger ())
    return NULL;
  CU_ASSERT (!malt_worker_kill (worker, forbidden_signum, &error));
  CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_FAILED));
  CU_ASSERT (malt_worker_is_running (worker));
  CU_ASSERT (malt_worker_stop_full (worker, 50, 50, NULL, NULL, NULL));
  become_root ();
  return malt_worker_dup_termination (worker);
}

static void
host_that_became_another_user_kills_its_worker (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autofree char *result = NULL;
  g_autoptr (MaltTermination) termination = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  result = process_test_eval (worker, "stay");
  CU_ASSERT_STRING_EQUAL (result, "nothing");
  termination = stop_as_stranger (worker, SIGTERM);
  if (termination == NULL)
    return;
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

/* It leaves when it finds that it has no host any more. */
static void
worker_that_cannot_be_killed_is_let_go (void)
{
  g_autoptr (MaltWorker) worker = launch ("process-group=host");
  g_autofree char *result = NULL;
  g_autoptr (MaltTermination) termination = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  result = process_test_eval (worker, "stay");
  CU_ASSERT_STRING_EQUAL (result, "nothing");
  termination = stop_as_stranger (worker, SIGKILL);
  if (termination == NULL)
    return;
  CU_ASSERT_EQUAL (malt_termination_get_reason (termination), MALT_TERMINATION_LOST);
  CHECK (strstr (malt_termination_get_stderr (termination), "did not end") != NULL);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
last_reference_ends_the_worker (void)
{
  MaltWorker *worker = launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltValue) value = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  future = malt_worker_remote_eval (worker, NULL, "wait");
  g_object_unref (worker);
  value = malt_future_fetch (future, NULL, &error);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

/* The first by its frame, the second by a signal. */
static void
calls_that_wait_or_spin_are_interrupted (void)
{
  static const char *const sources[] = { "wait", "spin" };
  g_autoptr (MaltWorker) worker = launch (NULL);

  CHECK (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, sources[i]);
      g_autoptr (GError) error = NULL;

      CU_ASSERT_EQUAL (
          malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error),
          MALT_INTERRUPT_DELIVERED);
      CHECK_NO_ERROR (error);
      CU_ASSERT (process_test_was_interrupted (future));
    }
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "5"), 5);
}

static MaltValue *
seven (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
       G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
       G_GNUC_UNUSED GError **error)
{
  return malt_value_new_int64 (malt_value_get_int64 (arguments[0]) * 7);
}

static void
worker_calls_the_host (void)
{
  g_autoptr (MaltWorker) worker = launch (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *refusal = NULL;

  CHECK (worker != NULL);
  CHECK (malt_worker_export_func (worker, "seven", seven, NULL, NULL, MALT_EXPORT_DEFAULT,
                                  &error));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "host seven 6"), 42);
  refusal = process_test_eval (worker, "host eight 6");
  CU_ASSERT_STRING_EQUAL (refusal, "\"refused\"");
}

static void
input_of_the_host_does_not_go_with_a_connection_back (void)
{
  g_autoptr (MaltConfig) config =
      process_test_config ("julia=/bin/true", "stdin=inherit", "transport=tcp-connect");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  CHECK (worker == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG));
  CHECK (strstr (error->message, "'stdin'") != NULL);
}

static const ProcessTest tests[] = {
  { "worker_evaluates_over_each_transport", worker_evaluates_over_each_transport },
  { "exception_has_its_fields", exception_has_its_fields },
  { "output_comes_before_the_answer", output_comes_before_the_answer },
  { "worker_that_exits_is_told_with_its_status_and_last_words",
    worker_that_exits_is_told_with_its_status_and_last_words },
  { "worker_that_dies_is_told_with_its_signal",
    worker_that_dies_is_told_with_its_signal },
  { "worker_that_breaks_the_protocol_is_killed",
    worker_that_breaks_the_protocol_is_killed },
  { "worker_that_hangs_up_is_lost", worker_that_hangs_up_is_lost },
  { "stop_is_an_orderly_end", stop_is_an_orderly_end },
  { "worker_that_does_not_stop_is_killed", worker_that_does_not_stop_is_killed },
  { "worker_that_the_host_kills_was_stopped", worker_that_the_host_kills_was_stopped },
  { "host_that_became_another_user_kills_its_worker",
    host_that_became_another_user_kills_its_worker },
  { "worker_that_cannot_be_killed_is_let_go", worker_that_cannot_be_killed_is_let_go },
  { "last_reference_ends_the_worker", last_reference_ends_the_worker },
  { "calls_that_wait_or_spin_are_interrupted", calls_that_wait_or_spin_are_interrupted },
  { "worker_calls_the_host", worker_calls_the_host },
  { "input_of_the_host_does_not_go_with_a_connection_back",
    input_of_the_host_does_not_go_with_a_connection_back },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "malt-process over a fake julia", tests);
}
