/* SPDX-License-Identifier: MIT */
/* How workers and bridges end: by themselves, by the host, with the host; and that
 * nothing of them is left. */
#include "distributed-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program;
static MaltWorker *keeper;

/* Workers that end by themselves */

/* Evaluates what ends the worker; its termination is (transfer full), NULL if it does not come. */
static MaltTermination *
end_by (const char *source)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gint64 pid;

  if (worker == NULL)
    return NULL;
  pid = malt_worker_get_pid (worker);
  future = malt_worker_remote_eval (worker, NULL, source);
  error = distributed_test_fetch_end (future);
  if (error == NULL ||
      !process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS))
    return NULL;
  return malt_worker_dup_termination (worker);
}

static void
worker_that_exits_says_its_status_and_last_lines (void)
{
  g_autoptr (MaltTermination) termination =
      end_by ("println(stderr, \"last words\"); exit(7)");

  CHECK (termination != NULL);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_EXITED);
  CHECK (malt_termination_get_exit_status (termination) == 7);
  CHECK (distributed_test_has_words (termination, "last words"));
}

/* @words: what the last lines hold. */
static void
check_signal (const char *source, int signum, const char *words)
{
  g_autoptr (MaltTermination) termination = end_by (source);

  CHECK (termination != NULL);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_SIGNALLED);
  CHECK (malt_termination_get_signal (termination) == signum);
  CHECK (distributed_test_has_words (termination, words));
}

static void
worker_that_dies_says_the_signal_and_last_lines (void)
{
  check_signal ("println(stderr, \"last words\"); ccall(:raise, Cint, (Cint,), 9)",
                SIGKILL, "last words");
  /* Julia's report is longer than what is kept; this is its end. */
  check_signal ("unsafe_store!(Ptr{Int}(0) + 8, 1); ccall(:raise, Cint, (Cint,), 11)",
                SIGSEGV, "Allocations:");
  check_signal ("ccall(:abort, Cvoid, ())", SIGABRT, "Allocations:");
}

static void
worker_killed_by_somebody_else_says_the_signal (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  future = process_test_start_running (worker, PROCESS_TEST_SPIN);
  CHECK (kill ((pid_t) malt_worker_get_pid (worker), SIGKILL) == 0);
  error = distributed_test_fetch_end (future);
  CHECK (error != NULL);
  CHECK (strstr (error->message, "SIGKILL") != NULL);
}

/* Ends that the host wants */

static void
stopped_worker_ends_politely (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *path =
      g_strdup_printf ("%s/malt-test-distributed-%d", g_get_tmp_dir (), getpid ());
  g_autofree char *source = g_strdup_printf ("atexit(() -> touch(\"%s\")); 1", path);
  gboolean was_running = FALSE;

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, source) == 1);
  CHECK (malt_worker_stop_full (worker, 60000, 0, &was_running, NULL, NULL));
  CHECK (was_running);
  termination = malt_worker_dup_termination (worker);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_STOPPED);
  CU_ASSERT_EQUAL (malt_termination_get_signal (termination), 0);
  CHECK (unlink (path) == 0);
}

static void
stop_of_a_busy_worker_escalates (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  /* Does not even end at SIGTERM. */
  CHECK (process_test_eval_int (
             worker,
             "ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 15, Ptr{Cvoid}(1)); 1") ==
         1);
  future = process_test_start_running (worker, PROCESS_TEST_SPIN);
  CHECK (malt_worker_stop_full (worker, 200, 200, NULL, NULL, NULL));
  error = distributed_test_fetch_end (future);
  CHECK (error != NULL);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static gpointer
launch_in_thread (G_GNUC_UNUSED gpointer data)
{
  return process_test_launch (NULL);
}

static void
stop_does_not_disturb_the_launch_of_another (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  GThread *thread = g_thread_new ("launcher", launch_in_thread, NULL);
  gboolean is_stopped = worker != NULL && malt_worker_stop (worker, NULL, NULL);
  g_autoptr (MaltWorker) other = g_thread_join (thread);

  CHECK (is_stopped);
  CHECK (other != NULL && process_test_eval_int (other, "4") == 4);
}

static void
last_reference_ends_the_worker_in_the_background (void)
{
  MaltWorker *worker = process_test_launch ("term-timeout-ms=100");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  future = process_test_start_running (worker, PROCESS_TEST_SPIN);
  g_object_unref (worker);
  error = distributed_test_fetch_end (future);
  CHECK (error != NULL);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
forced_end_takes_the_process_group_along (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  gint64 pid;

  CHECK (worker != NULL);
  pid = process_test_eval_int (
      worker, "p = run(`sleep 1000`, wait=false); "
              "Int64(ccall(:uv_process_get_pid, Cint, (Ptr{Cvoid},), p.handle))");
  CHECK (process_test_is_alive (pid));
  CHECK (malt_worker_kill (worker, SIGKILL, NULL));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

/* Bridges that end */

#define OWN_BRIDGE "manager-setup=1"
#define BRIDGE_ANSWER_S 9 /* less than the time that the library gives a bridge */

static gboolean
names_bridge (MaltTermination *termination)
{
  const char *text = malt_termination_get_stderr (termination);

  return malt_termination_get_reason (termination) == MALT_TERMINATION_LOST &&
         text != NULL && strstr (text, "the bridge to Distributed ") != NULL;
}

static void
end_bridge_by (int signum)
{
  g_autoptr (MaltWorker) waiting = process_test_launch (OWN_BRIDGE);
  g_autoptr (MaltWorker) busy = process_test_launch (OWN_BRIDGE);
  g_autoptr (MaltWorker) next = NULL;
  MaltWorker *workers[] = { waiting, busy };
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  DistributedProcesses processes[2];
  gint64 start_us;

  CHECK (waiting != NULL && busy != NULL);
  for (guint i = 0; i < 2; i++)
    processes[i] = distributed_test_get_processes (workers[i]);
  g_ptr_array_add (futures, process_test_start_running (waiting, "begun(); sleep(1000)"));
  g_ptr_array_add (futures, process_test_start_running (busy, PROCESS_TEST_SPIN));
  start_us = g_get_monotonic_time ();
  CHECK (kill ((pid_t) processes[0].bridge, signum) == 0);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = distributed_test_fetch_end (futures->pdata[i]);

      CHECK (error != NULL);
      CHECK (names_bridge (malt_error_get_termination (error)));
      CHECK (distributed_test_are_gone (processes[i]));
      CHECK (!malt_worker_is_running (workers[i]));
    }
  CU_ASSERT (g_get_monotonic_time () - start_us < BRIDGE_ANSWER_S * G_USEC_PER_SEC);
  next = process_test_launch (OWN_BRIDGE);
  CHECK (next != NULL && process_test_eval_int (next, "8") == 8);
}

static void
end_of_the_bridge_ends_its_workers_at_once (void)
{
  end_bridge_by (SIGKILL);
}

/* Distributed would first wait for `addprocs`, then end the workers one by one. */
static void
bridge_that_is_asked_to_end_ends_its_workers_at_once (void)
{
  end_bridge_by (SIGTERM);
}

/* What the bridge would say of an end that the host wanted is not waited for. */
static void
stop_does_not_wait_for_a_bridge_that_stands_still (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (OWN_BRIDGE);
  g_autoptr (MaltTermination) termination = NULL;
  DistributedProcesses processes;
  gint64 start_us;

  CHECK (worker != NULL);
  processes = distributed_test_get_processes (worker);
  CHECK (kill ((pid_t) processes.bridge, SIGSTOP) == 0);
  start_us = g_get_monotonic_time ();
  CHECK (malt_worker_stop_full (worker, 60000, 0, NULL, NULL, NULL));
  CU_ASSERT (g_get_monotonic_time () - start_us < BRIDGE_ANSWER_S * G_USEC_PER_SEC);
  termination = malt_worker_dup_termination (worker);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_STOPPED);
  CHECK (distributed_test_are_gone (processes));
}

static gboolean
has_ended (gpointer worker)
{
  return !malt_worker_is_running (worker);
}

static void
idle_worker_ends_with_its_bridge_and_the_next_gets_another (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (OWN_BRIDGE);
  g_autoptr (MaltWorker) next = NULL;
  DistributedProcesses processes;

  CHECK (worker != NULL);
  processes = distributed_test_get_processes (worker);
  CHECK (kill ((pid_t) processes.bridge, SIGKILL) == 0);
  CHECK (process_test_wait (has_ended, worker, PROCESS_TEST_PATIENCE_MS));
  next = process_test_launch (OWN_BRIDGE);
  CHECK (next != NULL && process_test_eval_int (next, "8") == 8);
  CHECK (malt_distributed_worker_get_bridge_pid (next) != processes.bridge);
  CHECK (distributed_test_are_gone (processes));
}

/* This program again, as a host that is killed. */
static int
be_host_that_is_killed (void)
{
  g_autoptr (MaltWorker) busy = process_test_launch (NULL);
  g_autoptr (MaltWorker) waiting = process_test_launch (NULL);
  g_autoptr (MaltFuture) future = NULL;

  if (busy == NULL || waiting == NULL)
    return EXIT_FAILURE;
  future = process_test_start_running (busy, PROCESS_TEST_SPIN);
  if (future == NULL)
    return EXIT_FAILURE;
  g_print ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
           malt_distributed_worker_get_bridge_pid (busy), malt_worker_get_pid (busy),
           malt_worker_get_pid (waiting));
  kill (getpid (), SIGKILL);
  return EXIT_FAILURE;
}

static void
bridge_and_workers_die_with_their_host (void)
{
  const char *arguments[] = { program, "--killed", NULL };
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                       &text, NULL, NULL, NULL));
  words = g_strsplit (text, " ", -1);
  CHECK (g_strv_length (words) == 3);
  for (guint i = 0; i < 3; i++)
    {
      gint64 pid = g_ascii_strtoll (words[i], NULL, 10);

      CHECK (pid > 0);
      CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
    }
}

/* What is left */

static gboolean
has_descriptors (gpointer n)
{
  return process_test_count_descriptors () <= *(guint *) n;
}

static void
workers_leave_no_process_and_no_descriptor (void)
{
  guint n_before = 0;

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (OWN_BRIDGE);
      DistributedProcesses processes;

      CHECK (worker != NULL);
      processes = distributed_test_get_processes (worker);
      CHECK (process_test_eval_int (worker, "3") == 3);
      if (i % 2 == 0)
        CHECK (malt_worker_stop (worker, NULL, NULL));
      g_clear_object (&worker);
      CHECK (distributed_test_are_gone (processes));
      if (i == 0)
        n_before = process_test_count_descriptors ();
    }
  CU_ASSERT (process_test_wait (has_descriptors, &n_before, PROCESS_TEST_PATIENCE_MS));
}

static const ProcessTest tests[] = {
  { "worker_that_exits_says_its_status_and_last_lines",
    worker_that_exits_says_its_status_and_last_lines },
  { "worker_that_dies_says_the_signal_and_last_lines",
    worker_that_dies_says_the_signal_and_last_lines },
  { "worker_killed_by_somebody_else_says_the_signal",
    worker_killed_by_somebody_else_says_the_signal },
  { "stopped_worker_ends_politely", stopped_worker_ends_politely },
  { "stop_of_a_busy_worker_escalates", stop_of_a_busy_worker_escalates },
  { "stop_does_not_disturb_the_launch_of_another",
    stop_does_not_disturb_the_launch_of_another },
  { "last_reference_ends_the_worker_in_the_background",
    last_reference_ends_the_worker_in_the_background },
  { "forced_end_takes_the_process_group_along",
    forced_end_takes_the_process_group_along },
  { "bridge_that_is_asked_to_end_ends_its_workers_at_once",
    bridge_that_is_asked_to_end_ends_its_workers_at_once },
  { "stop_does_not_wait_for_a_bridge_that_stands_still",
    stop_does_not_wait_for_a_bridge_that_stands_still },
  { "end_of_the_bridge_ends_its_workers_at_once",
    end_of_the_bridge_ends_its_workers_at_once },
  { "idle_worker_ends_with_its_bridge_and_the_next_gets_another",
    idle_worker_ends_with_its_bridge_and_the_next_gets_another },
  { "bridge_and_workers_die_with_their_host", bridge_and_workers_die_with_their_host },
  { "workers_leave_no_process_and_no_descriptor",
    workers_leave_no_process_and_no_descriptor },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--killed") == 0)
    return be_host_that_is_killed ();
  program = argv[0];
  return distributed_test_main (argc, argv, "ends", tests, NULL, &keeper);
}
