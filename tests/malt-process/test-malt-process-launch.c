/* SPDX-License-Identifier: MIT */
/* Launching workers: what they get from the host, and what a launch that fails says. */
#include "platform/malt-io-thread.h"
#include "platform/malt-process-launcher.h"
#include "process-test.h"
#include "wire/malt-frame.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a launch waits, by default, for a julia that says nothing. */
#define USUAL_START_US (60 * (gint64) G_USEC_PER_SEC)

/* Launches with that julia; the error of the launch, which must fail. */
static GError *
fail_with (const char *julia, const char *option)
{
  g_autofree char *julia_option = g_strconcat ("julia=", julia, NULL);
  g_autoptr (MaltConfig) config = process_test_config (julia_option, option);
  GError *error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  return error;
}

static void
worker_evaluates_and_says_what_it_is (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autofree char *summary = NULL;
  g_autofree char *version = NULL;
  g_autofree char *own_version = NULL;
  g_autofree char *expected = NULL;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "1 + 1") == 2);
  CHECK (process_test_eval_int (worker, "getpid()") == malt_worker_get_pid (worker));
  summary = malt_worker_dup_summary (worker);
  expected = g_strdup_printf ("malt-process worker %" G_GINT64_FORMAT,
                              malt_worker_get_pid (worker));
  CU_ASSERT_STRING_EQUAL (summary, expected);
  version = malt_worker_dup_julia_version (worker);
  own_version = process_test_eval (worker, "string(VERSION)");
  CHECK (version != NULL && strstr (own_version, version) != NULL);
}

static void
julia_that_is_not_there_is_named (void)
{
  g_autoptr (GError) error = fail_with ("/nowhere/julia", NULL);

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE));
  CHECK (strstr (error->message, "/nowhere/julia") != NULL);
}

static void
julia_that_exits_is_reported_with_its_last_lines (void)
{
  g_auto (ProcessTestScript) script =
      process_test_script_new ("echo 'no licence found' >&2; exit 9");
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GError) error = fail_with (script.path, NULL);

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "status 9") != NULL);
  CHECK (strstr (error->message, "no licence found") != NULL);
  CHECK (g_get_monotonic_time () - start_us < USUAL_START_US / 2);
}

static void
julia_that_dies_is_reported_with_the_signal (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("kill -SEGV $$");
  g_autoptr (GError) error = fail_with (script.path, NULL);

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "SIGSEGV") != NULL);
}

static void
julia_that_hangs_is_killed_at_the_start_timeout (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("echo $$ >&2; sleep 100");
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (GError) error = fail_with (script.path, "start-timeout-ms=3000");
  gint64 elapsed_us = g_get_monotonic_time () - start_us;
  const char *number;
  gint64 pid;

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT));
  CHECK (elapsed_us > 2900000 && elapsed_us < USUAL_START_US / 2);
  number = strrchr (error->message, ' ');
  CHECK (number != NULL);
  pid = g_ascii_strtoll (number, NULL, 10);
  CHECK (pid > 0);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

/* The script of a julia that says this to the host, written as bytes of Python. */
static char *
dup_saying_script (const char *bytes)
{
  return g_strdup_printf (
      MALT_TEST_PYTHON
      " -c 'import os, sys\n"
      "os.write(int(sys.argv[sys.argv.index(\"fd\") + 1]), b\"%s\")' \"$@\"\n",
      bytes);
}

static void
peer_that_does_not_speak_the_protocol_is_reported (void)
{
  g_autofree char *saying = dup_saying_script ("hello, who is there?\\n");
  g_autofree char *source = g_strconcat (saying, "sleep 100", NULL);
  g_auto (ProcessTestScript) script = process_test_script_new (source);
  g_autoptr (GError) error = fail_with (script.path, NULL);

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "protocol") != NULL);
}

/* What comes with the first breath */

static gboolean is_end_awaited; /* before the library goes on with a child */

static gboolean
let_go (gpointer turn)
{
  g_mutex_unlock (turn);
  return G_SOURCE_REMOVE;
}

/* When this returns, the I/O thread has served all that was ready before. */
static void
wait_for_io_thread (void)
{
  static GMutex turn;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_mutex_lock (&turn);
  g_source_set_priority (source, G_PRIORITY_LOW);
  g_source_set_callback (source, let_go, &turn, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  g_mutex_lock (&turn);
  g_mutex_unlock (&turn);
}

MaltChild *__real_malt_process_launcher_spawn (const MaltProcessLauncher *launcher,
                                               GError **error);
MaltChild *__wrap_malt_process_launcher_spawn (const MaltProcessLauncher *launcher,
                                               GError **error);

MaltChild *
__wrap_malt_process_launcher_spawn (const MaltProcessLauncher *launcher, GError **error)
{
  MaltChild *child = __real_malt_process_launcher_spawn (launcher, error);
  siginfo_t info;

  if (child != NULL && is_end_awaited)
    {
      waitid (P_PID, (id_t) malt_child_get_pid (child), &info, WEXITED | WNOWAIT);
      wait_for_io_thread ();
    }
  return child;
}

/* As Python reads them. */
static void
append_octal (GString *text, const guint8 *bytes, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (text, "\\%03o", bytes[i]);
}

static void
append_frame (GString *text, guint8 kind, guint8 id, const guint8 *body, guint8 n_bytes)
{
  guint8 header[MALT_FRAME_HEADER_BYTES] = { n_bytes };

  header[8] = id;
  header[12] = kind;
  append_octal (text, header, sizeof header);
  append_octal (text, body, n_bytes);
}

/* A julia that says HELLO and that frame three times, and exits. */
static char *
dup_early_script (guint8 kind, const guint8 *body, guint8 n_bytes)
{
  static const guint8 hello[] = { 'M', 'A', 'L', 'T', '\r', '\n', 0x1a, 0,   1,  0,
                                  0,   0,   1,   0,   0,    0,    5,    0,   0,  0,
                                  0,   0,   0,   0,   '1',  '.',  '5',  '.', '3' };
  g_autoptr (GString) text = g_string_new (NULL);

  append_frame (text, MALT_FRAME_RUNTIME_HELLO, 0, hello, sizeof hello);
  for (int i = 0; i < 3; i++)
    append_frame (text, kind, 7, body, n_bytes);
  return dup_saying_script (text->str);
}

static void
frames_that_come_before_the_launch_returns_are_served (void)
{
  /* A handle; an exception; a call of "f" with () and nothing; a piece of text. */
  static const guint8 item[] = { 0x2f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,   0, 0,
                                 1,    0, 1, 0, 0, 0, 0, 0, 0, 0, 'T', 0, 0,
                                 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  static const guint8 broken[] = { 0xee };
  static const guint8 text[] = { MALT_FRAME_STREAM_STDOUT, 'h', 'i' };
  static const struct
  {
    guint8 kind;
    const guint8 *body;
    guint8 n_bytes;
    MaltTerminationReason reason;
  } cases[] = {
    { MALT_FRAME_CHANNEL_ITEM, item, sizeof item, MALT_TERMINATION_EXITED },
    { MALT_FRAME_OUTPUT, text, sizeof text, MALT_TERMINATION_EXITED },
    { MALT_FRAME_HOST_CALL, broken, sizeof broken, MALT_TERMINATION_PROTOCOL },
    { MALT_FRAME_ERROR, broken, sizeof broken, MALT_TERMINATION_PROTOCOL },
    { MALT_FRAME_OK, item, sizeof item, MALT_TERMINATION_PROTOCOL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *source =
          dup_early_script (cases[i].kind, cases[i].body, cases[i].n_bytes);
      g_auto (ProcessTestScript) script = process_test_script_new (source);
      g_autofree char *option = g_strconcat ("julia=", script.path, NULL);
      g_autoptr (MaltWorker) worker = NULL;
      g_autoptr (MaltTermination) termination = NULL;

      is_end_awaited = TRUE;
      worker = process_test_launch (option);
      is_end_awaited = FALSE;
      CHECK (worker != NULL);
      CHECK (malt_worker_stop (worker, NULL, NULL));
      termination = malt_worker_dup_termination (worker);
      CU_ASSERT_EQUAL (malt_termination_get_reason (termination), cases[i].reason);
    }
}

static gpointer
cancel_later (gpointer cancellable)
{
  g_usleep (100000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
launch_can_be_cancelled (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("sleep 100");
  g_autofree char *option = g_strconcat ("julia=", script.path, NULL);
  g_autoptr (MaltConfig) config = process_test_config (option);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("canceller", cancel_later, cancellable);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, cancellable, &error);

  g_thread_join (thread);
  CHECK (worker == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
}

static gboolean
has_descriptors (gpointer n)
{
  return process_test_count_descriptors () <= *(guint *) n;
}

static void
failed_launches_leave_nothing_behind (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("exit 1");
  const char *const transports[] = { "transport=tcp", "transport=socketpair",
                                     "transport=tcp-connect" };
  guint n_before = 0;

  for (int i = 0; i < 13; i++)
    {
      g_autoptr (GError) error = fail_with (script.path, transports[i % 3]);
      CHECK (error != NULL);
      if (i == 0)
        n_before = process_test_count_descriptors ();
    }
  CHECK (process_test_wait (has_descriptors, &n_before, PROCESS_TEST_PATIENCE_MS));
}

static void
environment_is_clean_unless_configured (void)
{
  g_autoptr (MaltWorker) clean = NULL;
  g_autoptr (MaltWorker) named = NULL;
  g_autoptr (MaltWorker) inheriting = NULL;

  g_setenv ("MALT_TEST_SECRET", "1", TRUE);
  g_setenv ("JULIA_PROJECT", "/nowhere", TRUE);
  clean = process_test_launch ("env=GREETING=hello;JULIA_DEBUG=none");
  named = process_test_launch ("env-policy=clean;MALT_TEST_SECRET");
  inheriting = process_test_launch ("env-policy=inherit");
  g_unsetenv ("JULIA_PROJECT");
  g_unsetenv ("MALT_TEST_SECRET");
  CHECK (clean != NULL && named != NULL && inheriting != NULL);
  CHECK (process_test_eval_int (clean, "Int(haskey(ENV, \"MALT_TEST_SECRET\"))") == 0);
  CHECK (process_test_eval_int (clean, "Int(haskey(ENV, \"JULIA_PROJECT\"))") == 0);
  CHECK (process_test_eval_int (clean, "Int(haskey(ENV, \"PATH\"))") == 1);
  CHECK (process_test_eval_int (clean, "Int(ENV[\"GREETING\"] == \"hello\")") == 1);
  CHECK (process_test_eval_int (named, "Int(haskey(ENV, \"MALT_TEST_SECRET\"))") == 1);
  CHECK (process_test_eval_int (inheriting, "Int(haskey(ENV, \"JULIA_PROJECT\"))") == 1);
}

/* Also where Julia would take a second one for the tasks of users. */
static void
there_is_one_thread_unless_configured (void)
{
  static const char n_threads[] =
      "isdefined(Threads, :threadpoolsize) ? "
      "Threads.threadpoolsize(:default) + Threads.threadpoolsize(:interactive) : "
      "Threads.nthreads()";
  g_autoptr (MaltWorker) plain = process_test_launch (NULL);
  g_autoptr (MaltWorker) flagged = process_test_launch ("exeflags=-t2");
  g_autoptr (MaltWorker) named = process_test_launch ("env=JULIA_NUM_THREADS=2");

  CHECK (plain != NULL && flagged != NULL && named != NULL);
  CHECK (process_test_eval_int (plain, n_threads) == 1);
  CHECK (process_test_eval_int (flagged, "Threads.nthreads()") == 2);
  CHECK (process_test_eval_int (named, "Threads.nthreads()") == 2);
}

/* Neither boot text nor judge find room then; to write them all the same would be a
 * signal, by which the host ends. */
static void
worker_needs_no_files_of_any_size (void)
{
  g_autoptr (MaltConfig) config = process_test_config ("program-flags=-e;1");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltWorker) with_flags = NULL;
  struct rlimit saved;

  getrlimit (RLIMIT_FSIZE, &saved);
  setrlimit (RLIMIT_FSIZE, &(const struct rlimit){ 100, saved.rlim_max });
  worker = process_test_launch (NULL);
  with_flags = malt_worker_launch (config, NULL, &error);
  setrlimit (RLIMIT_FSIZE, &saved);
  CHECK (with_flags == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "6 * 7") == 42);
}

static void
env_without_a_value_is_a_config_error (void)
{
  g_autoptr (MaltConfig) config = process_test_config ("env=GREETING");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  CHECK (worker == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG));
}

static void
directory_threads_and_flags_are_those_configured (void)
{
  g_autoptr (MaltWorker) worker =
      process_test_launch ("cwd=/usr", "threads=2", "exeflags=--check-bounds=yes");
  g_autofree char *directory = NULL;

  CHECK (worker != NULL);
  directory = process_test_eval (worker, "pwd()");
  CU_ASSERT_STRING_EQUAL (directory, "\"/usr\"");
  CHECK (process_test_eval_int (worker, "Threads.nthreads()") == 2);
  CHECK (process_test_eval_int (worker, "Int(Base.JLOptions().check_bounds)") == 1);
}

static void
user_code_runs_as_in_plain_julia (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "Int(Base.JLOptions().compile_enabled)") == 1);
  CHECK (process_test_eval_int (worker, "length(ARGS)") == 0);
}

static void
directory_that_is_not_there_is_named (void)
{
  g_autoptr (MaltConfig) config = process_test_config ("cwd=/nowhere");
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "'/nowhere'") != NULL);
}

static gpointer
launch_in_thread (G_GNUC_UNUSED gpointer data)
{
  return process_test_launch (NULL);
}

static void
worker_outlives_the_thread_that_launched_it (void)
{
  g_autoptr (MaltWorker) worker =
      g_thread_join (g_thread_new ("launcher", launch_in_thread, NULL));

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "sleep(0.3); 4") == 4);
}

static void
workers_can_be_launched_at_once (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("launcher", launch_in_thread, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (MaltWorker) worker = g_thread_join (threads[i]);
      CU_ASSERT (worker != NULL && process_test_eval_int (worker, "6 * 7") == 42);
    }
}

static void
on_launched (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  *(MaltWorker **) user_data = malt_worker_launch_finish (result, NULL);
}

static gboolean
has_worker (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return *(MaltWorker **) data != NULL;
}

static void
launch_without_blocking_ends_in_the_main_context (void)
{
  g_autoptr (MaltConfig) config = process_test_config (NULL);
  /* Its callback may come after this has given up. */
  static MaltWorker *worker;

  malt_worker_launch_async (config, NULL, on_launched, &worker);
  CHECK (worker == NULL);
  CHECK (process_test_wait (has_worker, &worker, PROCESS_TEST_PATIENCE_MS));
  CU_ASSERT_EQUAL (process_test_eval_int (worker, "3"), 3);
  g_clear_object (&worker);
}

static void
current_directory_is_not_searched_for_julia (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("exit 0");
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autofree char *directory = g_get_current_dir ();
  g_autoptr (MaltBackend) backend = malt_backend_lookup ("malt-process", NULL);
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  gboolean is_found;

  malt_config_set (config, "julia", "julia");
  CHECK (g_chdir (script.directory) == 0);
  g_setenv ("PATH", ":.", TRUE);
  is_found = malt_backend_probe (backend, config, &error);
  g_setenv ("PATH", path, TRUE);
  CHECK (g_chdir (directory) == 0);
  CHECK (!is_found);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE));
}

static const ProcessTest tests[] = {
  { "worker_evaluates_and_says_what_it_is", worker_evaluates_and_says_what_it_is },
  { "julia_that_is_not_there_is_named", julia_that_is_not_there_is_named },
  { "julia_that_exits_is_reported_with_its_last_lines",
    julia_that_exits_is_reported_with_its_last_lines },
  { "julia_that_dies_is_reported_with_the_signal",
    julia_that_dies_is_reported_with_the_signal },
  { "julia_that_hangs_is_killed_at_the_start_timeout",
    julia_that_hangs_is_killed_at_the_start_timeout },
  { "frames_that_come_before_the_launch_returns_are_served",
    frames_that_come_before_the_launch_returns_are_served },
  { "peer_that_does_not_speak_the_protocol_is_reported",
    peer_that_does_not_speak_the_protocol_is_reported },
  { "launch_can_be_cancelled", launch_can_be_cancelled },
  { "failed_launches_leave_nothing_behind", failed_launches_leave_nothing_behind },
  { "environment_is_clean_unless_configured", environment_is_clean_unless_configured },
  { "there_is_one_thread_unless_configured", there_is_one_thread_unless_configured },
  { "worker_needs_no_files_of_any_size", worker_needs_no_files_of_any_size },
  { "env_without_a_value_is_a_config_error", env_without_a_value_is_a_config_error },
  { "directory_threads_and_flags_are_those_configured",
    directory_threads_and_flags_are_those_configured },
  { "user_code_runs_as_in_plain_julia", user_code_runs_as_in_plain_julia },
  { "directory_that_is_not_there_is_named", directory_that_is_not_there_is_named },
  { "worker_outlives_the_thread_that_launched_it",
    worker_outlives_the_thread_that_launched_it },
  { "workers_can_be_launched_at_once", workers_can_be_launched_at_once },
  { "launch_without_blocking_ends_in_the_main_context",
    launch_without_blocking_ends_in_the_main_context },
  { "current_directory_is_not_searched_for_julia",
    current_directory_is_not_searched_for_julia },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "launch", tests);
}
