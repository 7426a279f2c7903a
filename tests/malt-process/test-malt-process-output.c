/* SPDX-License-Identifier: MIT */
/* Output: forwarded with a prefix, before the answer, and never in the way of the code
 * that writes it. */
#include "process-test.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEN_MEGABYTES "print(repeat(\"0123456789\", 1_000_000)); 7"

static const char *program;

/* This program again, as a host whose standard output the test reads, or does not read. */

static int
be_host_that_forwards (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=forward");

  if (worker == NULL)
    return EXIT_FAILURE;
  g_free (process_test_eval (worker,
                             "println(\"one\\ntwo\"); print(\"par\"); flush(stdout)"));
  if (write (STDOUT_FILENO, "|", 1) != 1)
    return EXIT_FAILURE;
  g_free (process_test_eval (worker, "println(\"tial\"); println(stderr, \"three\")"));
  if (write (STDOUT_FILENO, "after\n", 6) != 6)
    return EXIT_FAILURE;
  return EXIT_SUCCESS;
}

static int
be_host_nobody_reads (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=forward");

  return worker != NULL && process_test_eval_int (worker, TEN_MEGABYTES) == 7 &&
                 process_test_eval_int (worker, "1 + 1") == 2
             ? EXIT_SUCCESS
             : EXIT_FAILURE;
}

static void
forwarded_lines_have_the_prefix_and_come_before_the_answer (void)
{
  const char *arguments[] = { program, "--forward", NULL };
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  G_GNUC_UNUSED g_auto (GStrv) parts = NULL;
  int status;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                       &err, &status, NULL));
  CHECK (status == 0);
  CHECK (g_regex_match_simple ("^\\[Worker \\d+\\]: one\n\\[Worker \\d+\\]: two\n"
                               "\\[Worker \\d+\\]: par\\|tial\nafter\n$",
                               out, 0, 0));
  CHECK (g_regex_match_simple ("^\\[Worker \\d+\\]: three\n$", err, 0, 0));
}

static gboolean
has_exited (gpointer pid)
{
  siginfo_t info = { 0 };
  return waitid (P_PID, (id_t) * (GPid *) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

static void
host_whose_output_nobody_reads_goes_on (void)
{
  const char *arguments[] = { program, "--unread", NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;
  int out;
  int status = -1;

  CHECK (g_spawn_async_with_pipes (NULL, (char **) arguments, NULL,
                                   G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                                   &out, NULL, &error));
  CU_ASSERT (process_test_wait (has_exited, &pid, PROCESS_TEST_PATIENCE_MS));
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
  close (out);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SUCCESS);
}

static void
printing_ten_megabytes_that_nobody_reads_does_not_block (void)
{
  const char *const modes[] = { "output=signal", "output=discard" };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (modes[i]);
      CHECK (worker != NULL);
      CHECK (process_test_eval_int (worker, TEN_MEGABYTES) == 7);
    }
}

typedef struct
{
  GString *out;
  guint call_id;
} Collected;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream, guint call_id,
           GBytes *bytes, gpointer user_data)
{
  Collected *collected = user_data;

  if (stream != MALT_STREAM_STDOUT)
    return;
  collected->call_id = call_id;
  g_string_append_len (collected->out, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
}

static gboolean
has_collected (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return ((Collected *) data)->out->len > 0;
}

static void
output_is_signalled_with_the_call_that_wrote_it (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=signal");
  Collected collected = { g_string_new (NULL), 0 };
  g_autoptr (MaltFuture) future = NULL;

  CHECK (worker != NULL);
  g_signal_connect (worker, "output", G_CALLBACK (on_output), &collected);
  future = malt_worker_remote_eval (worker, NULL, "println(\"hello\")");
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (process_test_wait (has_collected, &collected, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT_STRING_EQUAL (collected.out->str, "hello\n");
  CU_ASSERT_EQUAL (collected.call_id, malt_future_get_id (future));
  g_string_free (collected.out, TRUE);
}

static void
exception_of_a_call_nobody_waits_for_is_on_standard_error (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("output=discard");
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "error(\"nobody hears\")");
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  CHECK (malt_worker_remote_do (worker, call, NULL));
  CHECK (process_test_eval_int (worker, "1") == 1);
  CHECK (malt_worker_stop (worker, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  CHECK (malt_termination_get_stderr (termination) != NULL);
  CHECK (strstr (malt_termination_get_stderr (termination), "nobody hears") != NULL);
}

static const ProcessTest tests[] = {
  { "forwarded_lines_have_the_prefix_and_come_before_the_answer",
    forwarded_lines_have_the_prefix_and_come_before_the_answer },
  { "host_whose_output_nobody_reads_goes_on", host_whose_output_nobody_reads_goes_on },
  { "printing_ten_megabytes_that_nobody_reads_does_not_block",
    printing_ten_megabytes_that_nobody_reads_does_not_block },
  { "output_is_signalled_with_the_call_that_wrote_it",
    output_is_signalled_with_the_call_that_wrote_it },
  { "exception_of_a_call_nobody_waits_for_is_on_standard_error",
    exception_of_a_call_nobody_waits_for_is_on_standard_error },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--forward") == 0)
    return be_host_that_forwards ();
  if (argc > 1 && strcmp (argv[1], "--unread") == 0)
    return be_host_nobody_reads ();
  program = argv[0];
  return process_test_main_with_julia (argc, argv, "output", tests);
}
