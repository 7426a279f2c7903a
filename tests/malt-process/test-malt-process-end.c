/* SPDX-License-Identifier: MIT */
/* How workers end: by themselves, by the host, with the host; and that nothing of them is left. */
#include "platform/malt-memory-watch.h"
#include "process-test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPIN "while true end"

/* How long a stop waits, by default, for a worker that does not end politely. */
#define USUAL_STOP_US (15 * (gint64) G_USEC_PER_SEC)

static const char *program;

static MaltTerminationReason
get_reason (MaltWorker *worker)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (worker);
  return malt_termination_get_reason (termination);
}

/* When the system says that the process has ended. Taking a process of Julia's size down
 * takes the system some milliseconds itself. */
static gpointer
wait_for_end (gpointer pid)
{
  static gint64 ended_us;
  siginfo_t info;

  waitid (P_PID, (id_t) * (gint64 *) pid, &info, WEXITED | WNOWAIT);
  ended_us = g_get_monotonic_time ();
  return &ended_us;
}

static void
killed_worker_is_noticed_at_once_with_the_signals_name (void)
{
  gint64 best_us = G_MAXINT64;

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (NULL);
      g_autoptr (MaltFuture) future = NULL;
      g_autoptr (MaltValue) value = NULL;
      g_autoptr (GError) error = NULL;
      GThread *thread;
      gint64 noticed_us;
      gint64 pid;

      CHECK (worker != NULL);
      future = malt_worker_remote_eval (worker, NULL, "sleep(100)");
      CHECK (process_test_eval_int (worker, "1") == 1);
      pid = malt_worker_get_pid (worker);
      thread = g_thread_new ("waiter", wait_for_end, &pid);
      g_usleep (10000);
      CHECK (kill ((pid_t) pid, SIGKILL) == 0);
      value = malt_future_fetch (future, NULL, &error);
      noticed_us = g_get_monotonic_time ();
      best_us = MIN (best_us, noticed_us - *(gint64 *) g_thread_join (thread));
      CHECK (value == NULL);
      CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
      CHECK (strstr (error->message, "SIGKILL") != NULL);
      CHECK (get_reason (worker) == MALT_TERMINATION_SIGNALLED);
    }
  CU_ASSERT (best_us < 10000);
}

/* The linker puts this in the place of g_file_get_contents(): the system cannot be asked
 * to run out of memory. */
static gint n_memory_kills; /* atomic */

gboolean __real_g_file_get_contents (const char *path, char **contents, gsize *length,
                                     GError **error);
__attribute__ ((visibility ("default"))) gboolean __wrap_g_file_get_contents (
    const char *path, char **contents, gsize *length, GError **error);

gboolean
__wrap_g_file_get_contents (const char *path, char **contents, gsize *length,
                            GError **error)
{
  if (!g_str_has_suffix (path, "/memory.events") &&
      !g_str_has_suffix (path, "/memory.oom_control") &&
      !g_str_has_suffix (path, "/vmstat"))
    return __real_g_file_get_contents (path, contents, length, error);
  *contents =
      g_strdup_printf ("low 0\noom_kill %d\n", g_atomic_int_get (&n_memory_kills));
  return TRUE;
}

static gboolean
has_ended (gpointer worker)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (worker);

  return termination != NULL;
}

/* Kills it from outside; why it has ended. */
static MaltTerminationReason
kill_and_get_reason (MaltWorker *worker)
{
  kill ((pid_t) malt_worker_get_pid (worker), SIGKILL);
  process_test_wait (has_ended, worker, PROCESS_TEST_PATIENCE_MS);
  return get_reason (worker);
}

static void
kill_after_another_ran_out_of_memory_is_a_kill (void)
{
  g_autoptr (MaltWorker) first = process_test_launch (NULL);
  g_autoptr (MaltWorker) second = process_test_launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *text = NULL;

  CHECK (first != NULL && second != NULL);
  g_atomic_int_inc (&n_memory_kills);
  CHECK (kill_and_get_reason (first) == MALT_TERMINATION_OUT_OF_MEMORY);
  CHECK (kill_and_get_reason (second) == MALT_TERMINATION_SIGNALLED);
  termination = malt_worker_dup_termination (second);
  text = malt_termination_to_string (termination);
  CHECK (strstr (text, "perhaps for want of memory") != NULL);
}

static void
two_that_die_of_one_kill_for_memory_are_not_told_apart (void)
{
  pid_t pids[3];
  MaltMemoryWatch *watches[3];
  siginfo_t info;

  for (int i = 0; i < 3; i++)
    {
      pids[i] = fork ();
      if (pids[i] == 0)
        pause ();
      watches[i] = malt_memory_watch_new (pids[i]);
    }
  malt_memory_watch_dismiss (watches[2]); /* the host kills this one itself */
  g_atomic_int_inc (&n_memory_kills);
  for (int i = 0; i < 3; i++)
    {
      kill (pids[i], SIGKILL);
      waitid (P_PID, (id_t) pids[i], &info, WEXITED | WNOWAIT);
    }
  CU_ASSERT (!malt_memory_watch_judge (watches[0]));
  CU_ASSERT (!malt_memory_watch_judge (watches[1]));
  for (int i = 0; i < 3; i++)
    {
      malt_memory_watch_free (watches[i]);
      waitpid (pids[i], NULL, 0);
    }
}

static void
end_names_the_only_call_that_ran (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltTermination) termination = NULL;

  CHECK (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "exit(3)");
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  CU_ASSERT (g_strcmp0 (malt_termination_get_call (termination), "exit(3)") == 0);
}

static void
end_names_no_call_if_it_could_be_another (void)
{
  static const char *const others[] = { NULL, "sleep(100)" };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (NULL);
      g_autoptr (MaltCall) silent = malt_call_new_eval (NULL, "sleep(100)");
      G_GNUC_UNUSED g_autoptr (MaltFuture) other = NULL;
      g_autoptr (MaltFuture) future = NULL;
      g_autoptr (MaltTermination) termination = NULL;

      CHECK (worker != NULL);
      if (others[i] != NULL)
        other = malt_worker_remote_eval (worker, NULL, others[i]);
      else
        CHECK (malt_worker_remote_do (worker, silent, NULL));
      future = malt_worker_remote_eval (worker, NULL, "exit(3)");
      CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
      termination = malt_worker_dup_termination (worker);
      CU_ASSERT (malt_termination_get_call (termination) == NULL);
    }
}

/* The kernel tells the status of a child that somebody else has collected, since 6.15. */
static gboolean
has_lost_statuses (void)
{
  struct utsname name;
  int major = 0;
  int minor = 0;

  uname (&name);
  sscanf (name.release, "%d.%d", &major, &minor);
  return major > 6 || (major == 6 && minor >= 15);
}

static void
status_is_known_where_the_host_ignores_its_children (void)
{
  g_autoptr (MaltWorker) exiting = process_test_launch (NULL);
  g_autoptr (MaltWorker) killed = process_test_launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autofree char *text = NULL;
  MaltTerminationReason reason;

  CHECK (exiting != NULL && killed != NULL);
  signal (SIGCHLD, SIG_IGN);
  future = malt_worker_remote_eval (exiting, NULL, "exit(7)");
  malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL);
  reason = kill_and_get_reason (killed);
  signal (SIGCHLD, SIG_DFL);
  termination = malt_worker_dup_termination (exiting);
  text = malt_termination_to_string (termination);
  if (has_lost_statuses ())
    {
      CHECK (malt_termination_get_exit_status (termination) == 7);
      CHECK (reason == MALT_TERMINATION_SIGNALLED);
      return;
    }
  CHECK (reason == MALT_TERMINATION_UNKNOWN);
  CHECK (strstr (text, "SIGCHLD") != NULL);
}

static void
worker_that_the_system_kills_for_want_of_memory_says_so (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "sleep(100)");
  g_atomic_int_inc (&n_memory_kills);
  CHECK (kill ((pid_t) malt_worker_get_pid (worker), SIGKILL) == 0);
  CHECK (malt_future_fetch (future, NULL, &error) == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CHECK (get_reason (worker) == MALT_TERMINATION_OUT_OF_MEMORY);
}

static void
worker_that_exits_says_its_status_and_last_lines (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltTermination *termination;

  CHECK (worker != NULL);
  future =
      malt_worker_remote_eval (worker, NULL, "println(stderr, \"last words\"); exit(7)");
  value = malt_future_fetch (future, NULL, &error);
  CHECK (value == NULL);
  termination = malt_error_get_termination (error);
  CHECK (termination != NULL);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_EXITED);
  CHECK (malt_termination_get_exit_status (termination) == 7);
  CHECK (strstr (malt_termination_get_stderr (termination), "last words") != NULL);
}

static void
answers_that_came_before_the_end_are_given (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) large = NULL;
  g_autoptr (MaltFuture) last = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "sizeof(repeat(\"x\", 10))") == 10);
  large = malt_worker_remote_eval (worker, NULL, "repeat(\"x\", 3_000_000)");
  last = malt_worker_remote_eval (worker, NULL,
                                  "sleep(3); ccall(:_exit, Cvoid, (Cint,), 0)");
  value = malt_future_fetch (large, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_kind (value) == MALT_VALUE_STRING);
  CHECK (malt_future_wait (last, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (get_reason (worker) == MALT_TERMINATION_EXITED);
}

static void
stopped_worker_ends_politely (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_strdup_printf ("%s/malt-test-%d", g_get_tmp_dir (), getpid ());
  g_autofree char *source = g_strdup_printf ("atexit(() -> touch(\"%s\")); 1", path);
  gint64 start_us;
  gboolean was_running = FALSE;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, source) == 1);
  start_us = g_get_monotonic_time ();
  CHECK (malt_worker_stop_full (worker, 60000, 0, &was_running, NULL, &error));
  CHECK (was_running);
  CHECK (g_get_monotonic_time () - start_us < 60 * (gint64) G_USEC_PER_SEC);
  CHECK (get_reason (worker) == MALT_TERMINATION_STOPPED);
  CHECK (unlink (path) == 0);
  CHECK (malt_worker_stop_full (worker, 0, 0, &was_running, NULL, &error));
  CHECK (!was_running);
}

static void
busy_worker_is_ended_within_the_timeouts (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  gint64 start_us;

  CHECK (worker != NULL);
  /* Does not even end at SIGTERM. */
  CHECK (process_test_eval_int (
             worker,
             "ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 15, Ptr{Cvoid}(1)); 1") ==
         1);
  future = malt_worker_remote_eval (worker, NULL, SPIN);
  start_us = g_get_monotonic_time ();
  CHECK (malt_worker_stop_full (worker, 200, 200, NULL, NULL, NULL));
  CHECK (g_get_monotonic_time () - start_us >= 200000);
  CHECK (g_get_monotonic_time () - start_us < USUAL_STOP_US);
  CHECK (malt_future_is_done (future));
}

static void
later_stop_with_less_patience_wins (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  gint64 start_us;

  CHECK (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, SPIN);
  start_us = g_get_monotonic_time ();
  malt_worker_stop_async (worker, 60000, 60000, NULL, NULL, NULL);
  CHECK (malt_worker_stop_full (worker, 0, 300, NULL, NULL, NULL));
  CHECK (malt_future_is_done (future));
  CHECK (g_get_monotonic_time () - start_us < 60 * (gint64) G_USEC_PER_SEC);
}

static void
last_reference_ends_the_worker_in_the_background (void)
{
  MaltWorker *worker =
      process_test_launch ("exit-timeout-ms=5000", "term-timeout-ms=100");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  gint64 pid;
  gint64 start_us;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  future = malt_worker_remote_eval (worker, NULL, SPIN);
  start_us = g_get_monotonic_time ();
  g_object_unref (worker);
  value = malt_future_fetch (future, NULL, &error);
  CHECK (g_get_monotonic_time () - start_us < 5 * (gint64) G_USEC_PER_SEC);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
forced_end_takes_the_process_group_along (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  gint64 pid;

  CHECK (worker != NULL);
  pid = process_test_eval_int (worker,
                               "p = run(`sleep 1000`, wait=false); Int64(getpid(p))");
  if (pid <= 0)
    pid = process_test_eval_int (
        worker, "Int64(ccall(:uv_process_get_pid, Cint, (Ptr{Cvoid},), p.handle))");
  CHECK (process_test_is_alive (pid));
  CHECK (malt_worker_kill (worker, SIGKILL, NULL));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
child_that_holds_the_pipes_does_not_delay_the_end (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  gboolean is_done;
  gboolean is_child_alive;
  gint64 pid;

  CHECK (worker != NULL);
  pid = process_test_eval_int (
      worker, "p = run(pipeline(`sleep 1000`, stdout=stdout, stderr=stderr), wait=false);"
              "Int64(ccall(:uv_process_get_pid, Cint, (Ptr{Cvoid},), p.handle))");
  CHECK (pid > 0);
  future = malt_worker_remote_eval (worker, NULL, "ccall(:_exit, Cvoid, (Cint,), 3)");
  is_done = malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL);
  is_child_alive = process_test_is_alive (pid);
  kill ((pid_t) pid, SIGKILL);
  CHECK (is_done && is_child_alive);
  CHECK (get_reason (worker) == MALT_TERMINATION_EXITED);
}

static void
worker_that_closes_the_connection_is_ended (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  /* Its only socket. */
  future = malt_worker_remote_eval (
      worker, NULL,
      "for fd in readdir(\"/proc/self/fd\"); path = \"/proc/self/fd/\" * fd; "
      "islink(path) && startswith(readlink(path), \"socket:\") && "
      "ccall(:shutdown, Cint, (Cint, Cint), parse(Cint, fd), 1); end; while true end");
  CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  CHECK (get_reason (worker) == MALT_TERMINATION_LOST);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

/* This program again, as a host that is killed. */
static int
be_host_that_is_killed (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;

  if (worker == NULL)
    return EXIT_FAILURE;
  future = malt_worker_remote_eval (worker, NULL, SPIN);
  g_print ("%" G_GINT64_FORMAT "\n", malt_worker_get_pid (worker));
  malt_future_wait (future, 1000, NULL, NULL);
  kill (getpid (), SIGKILL);
  return EXIT_FAILURE;
}

static void
busy_worker_dies_with_its_host (void)
{
  const char *arguments[] = { program, "--killed", NULL };
  g_autofree char *text = NULL;
  gint64 pid;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                       &text, NULL, NULL, NULL));
  pid = g_ascii_strtoll (text, NULL, 10);
  CHECK (pid > 0);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static gboolean
has_descriptors (gpointer n)
{
  return process_test_count_descriptors () <= *(guint *) n;
}

static void
workers_leave_nothing_behind (void)
{
  const char *const transports[] = { "transport=tcp", "transport=socketpair",
                                     "transport=tcp-connect" };
  guint n_before = 0;

  for (int i = 0; i < 7; i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (transports[i % 3]);
      gint64 pid;

      CHECK (worker != NULL);
      pid = malt_worker_get_pid (worker);
      CHECK (process_test_eval_int (worker, "3") == 3);
      if (i % 2 == 0)
        CHECK (malt_worker_stop (worker, NULL, NULL));
      g_clear_object (&worker);
      CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
      if (i == 0)
        n_before = process_test_count_descriptors ();
    }
  CU_ASSERT (process_test_wait (has_descriptors, &n_before, PROCESS_TEST_PATIENCE_MS));
}

static const ProcessTest tests[] = {
  { "killed_worker_is_noticed_at_once_with_the_signals_name",
    killed_worker_is_noticed_at_once_with_the_signals_name },
  { "worker_that_the_system_kills_for_want_of_memory_says_so",
    worker_that_the_system_kills_for_want_of_memory_says_so },
  { "kill_after_another_ran_out_of_memory_is_a_kill",
    kill_after_another_ran_out_of_memory_is_a_kill },
  { "two_that_die_of_one_kill_for_memory_are_not_told_apart",
    two_that_die_of_one_kill_for_memory_are_not_told_apart },
  { "end_names_the_only_call_that_ran", end_names_the_only_call_that_ran },
  { "end_names_no_call_if_it_could_be_another",
    end_names_no_call_if_it_could_be_another },
  { "status_is_known_where_the_host_ignores_its_children",
    status_is_known_where_the_host_ignores_its_children },
  { "worker_that_exits_says_its_status_and_last_lines",
    worker_that_exits_says_its_status_and_last_lines },
  { "answers_that_came_before_the_end_are_given",
    answers_that_came_before_the_end_are_given },
  { "stopped_worker_ends_politely", stopped_worker_ends_politely },
  { "busy_worker_is_ended_within_the_timeouts",
    busy_worker_is_ended_within_the_timeouts },
  { "later_stop_with_less_patience_wins", later_stop_with_less_patience_wins },
  { "last_reference_ends_the_worker_in_the_background",
    last_reference_ends_the_worker_in_the_background },
  { "forced_end_takes_the_process_group_along",
    forced_end_takes_the_process_group_along },
  { "child_that_holds_the_pipes_does_not_delay_the_end",
    child_that_holds_the_pipes_does_not_delay_the_end },
  { "worker_that_closes_the_connection_is_ended",
    worker_that_closes_the_connection_is_ended },
  { "busy_worker_dies_with_its_host", busy_worker_dies_with_its_host },
  { "workers_leave_nothing_behind", workers_leave_nothing_behind },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--killed") == 0)
    return be_host_that_is_killed ();
  program = argv[0];
  return process_test_main_with_julia (argc, argv, "ends", tests);
}
