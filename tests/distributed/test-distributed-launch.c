/* SPDX-License-Identifier: MIT */
/* Launching workers on this machine: which bridge they get, and what a launch that fails says. */
#include "distributed-test.h"
#include "malt-distributed-bridge.h"

#include <glib/gstdio.h>
#include <malt/malt-abstract-worker.h>
#include <stdlib.h>
#include <string.h>

#define N_AT_ONCE 3
/* Nobody asks for a worker. */
#define QUIET_MS 12000

/* Holds the usual bridge while the tests run, so that most of them need not start it. */
static MaltWorker *keeper;

static gint64
get_bridge_pid (MaltWorker *worker)
{
  return malt_distributed_worker_get_bridge_pid (worker);
}

/* What a worker knows when its bridge hears of it */

MaltDistributedBridge *__real_malt_distributed_bridge_enter (MaltWorker *worker);
MaltDistributedBridge *__wrap_malt_distributed_bridge_enter (MaltWorker *worker);

static gint n_named; /* atomic: workers of which the bridge could have had a frame */

/* From here on a worker may send what calls slots: this slot sends a frame. */
MaltDistributedBridge *
__wrap_malt_distributed_bridge_enter (MaltWorker *worker)
{
  MALT_WORKER_GET_CLASS (worker)->release_handles (worker, NULL, 0);
  g_atomic_int_inc (&n_named);
  return __real_malt_distributed_bridge_enter (worker);
}

static void
slots_can_be_called_when_the_bridge_is_asked (void)
{
  gint n_before = g_atomic_int_get (&n_named);
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);

  CHECK (worker != NULL);
  CHECK (g_atomic_int_get (&n_named) == n_before + 1);
  CHECK (process_test_eval_int (worker, "1 + 1") == 2);
}

/* Bridges */

static gpointer
launch_in_thread (G_GNUC_UNUSED gpointer data)
{
  return process_test_launch (NULL);
}

static void
workers_launched_at_once_share_one_bridge (void)
{
  GThread *threads[N_AT_ONCE];
  g_autoptr (GPtrArray) workers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GHashTable) ids = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < N_AT_ONCE; i++)
    threads[i] = g_thread_new ("launcher", launch_in_thread, NULL);
  for (guint i = 0; i < N_AT_ONCE; i++)
    {
      MaltWorker *worker = g_thread_join (threads[i]);

      if (worker != NULL)
        g_ptr_array_add (workers, worker);
    }
  CHECK (workers->len == N_AT_ONCE);
  for (guint i = 0; i < N_AT_ONCE; i++)
    {
      MaltWorker *worker = workers->pdata[i];
      gint64 id = process_test_eval_int (worker, "using Distributed; myid()");

      CHECK (get_bridge_pid (worker) == get_bridge_pid (keeper));
      CHECK (process_test_eval_int (worker, "getpid()") == malt_worker_get_pid (worker));
      CHECK (id > 1);
      CHECK (g_hash_table_add (ids, GINT_TO_POINTER ((int) id)));
    }
}

static void
another_topology_or_setup_means_another_bridge (void)
{
  g_autoptr (MaltWorker) joined = process_test_launch ("topology=all_to_all");
  g_autoptr (MaltWorker) prepared = process_test_launch ("manager-setup=PREPARED = 1");
  gint64 pids[2];

  CHECK (joined != NULL && prepared != NULL);
  pids[0] = get_bridge_pid (joined);
  pids[1] = get_bridge_pid (prepared);
  CHECK (pids[0] != pids[1]);
  CHECK (pids[0] != get_bridge_pid (keeper) && pids[1] != get_bridge_pid (keeper));
  CHECK (process_test_eval_int (joined, "5") == 5);
  CHECK (process_test_eval_int (prepared, "Int(isdefined(Main, :PREPARED))") == 0);
}

static void
bridge_ends_with_its_last_worker_and_the_next_gets_another (void)
{
  g_autoptr (MaltWorker) first = process_test_launch ("manager-setup=2");
  g_autoptr (MaltWorker) second = process_test_launch ("manager-setup=2");
  g_autoptr (MaltWorker) third = NULL;
  DistributedProcesses processes[2];

  CHECK (first != NULL && second != NULL);
  processes[0] = distributed_test_get_processes (first);
  processes[1] = distributed_test_get_processes (second);
  CHECK (processes[0].bridge == processes[1].bridge);
  CHECK (malt_worker_stop (first, NULL, NULL));
  CHECK (process_test_eval_int (second, "1") == 1);
  CHECK (process_test_is_alive (processes[1].bridge));
  CHECK (malt_worker_stop (second, NULL, NULL));
  third = process_test_launch ("manager-setup=2");
  CHECK (third != NULL);
  CHECK (get_bridge_pid (third) != processes[0].bridge);
  CHECK (process_test_eval_int (third, "1") == 1);
  CHECK (distributed_test_are_gone (processes[0]));
  CHECK (distributed_test_are_gone (processes[1]));
}

/* Without blocking */

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

/* Launches that are given up */

#define HANGING_JULIA "echo $$ >\"$(dirname \"$0\")/pid\"; exec sleep 1000"

/* Cancels a launch once the process that it starts has written its pid into the script's
 * folder: that one must go. */
static void
check_cancelled_launch (MaltConfig *config, ProcessTestScript *script)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  DistributedTestCanceller canceller = { script, cancellable };
  GThread *thread =
      g_thread_new ("canceller", distributed_test_cancel_when_it_runs, &canceller);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, cancellable, &error);
  gint64 pid = distributed_test_read_pid (script);

  g_thread_join (thread);
  distributed_test_remove_pid (script);
  CHECK (worker == NULL);
  CHECK (distributed_test_is_error (error, MALT_ERROR_CANCELLED, NULL));
  CHECK (pid > 0);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
cancelled_launch_ends_the_process_that_it_started (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new (HANGING_JULIA);
  g_autofree char *option = g_strconcat ("exename=", script.path, NULL);
  g_autoptr (MaltConfig) config = process_test_config (option);

  check_cancelled_launch (config, &script);
}

static void
julia_that_hangs_is_killed_at_the_start_timeout (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new (HANGING_JULIA);
  g_autofree char *option = g_strconcat ("exename=", script.path, NULL);
  g_autoptr (GError) error = distributed_test_fail (option, "start-timeout-ms=3000");
  gint64 pid;

  CHECK (process_test_wait (distributed_test_has_pid, &script, PROCESS_TEST_PATIENCE_MS));
  pid = distributed_test_read_pid (&script);
  distributed_test_remove_pid (&script);
  CHECK (distributed_test_is_error (error, MALT_ERROR_TIMED_OUT, NULL));
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
launch_that_is_cancelled_before_leaves_no_bridge (void)
{
  g_autoptr (MaltConfig) config = process_test_config ("manager-setup=3");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  g_cancellable_cancel (cancellable);
  worker = malt_worker_launch (config, cancellable, &error);
  CHECK (worker == NULL);
  CHECK (distributed_test_is_error (error, MALT_ERROR_CANCELLED, NULL));
}

static void
setup_that_hangs_leaves_no_bridge (void)
{
  g_auto (ProcessTestScript) script = process_test_script_new ("");
  g_autofree char *setup = g_strdup_printf (
      "manager-setup=write(\"%s/pid\", string(getpid(), Char(10))); sleep(1000)",
      script.directory);
  g_autoptr (MaltConfig) config = process_test_config (setup);

  check_cancelled_launch (config, &script);
}

static void
start_timeout_of_one_worker_is_not_that_of_another (void)
{
  g_autoptr (MaltConfig) hasty =
      process_test_config ("manager-setup=5", "start-timeout-ms=1");
  g_autoptr (MaltWorker) patient = NULL;

  malt_worker_launch_async (hasty, NULL, NULL, NULL);
  patient = process_test_launch ("manager-setup=5");
  CHECK (patient != NULL);
  CHECK (process_test_eval_int (patient, "5") == 5);
}

/* One that ends while Distributed introduces itself keeps `addprocs` for a minute. */
#define BREAKS_OFF                                                                \
  "exec %s --startup-file=no -e 'using Sockets; s = listen(ip\"127.0.0.1\", 0); " \
  "println(\"julia_worker:\", Int(getsockname(s)[2]), \"#127.0.0.1\"); accept(s)'"

static gboolean
never (G_GNUC_UNUSED gpointer data)
{
  return FALSE;
}

static void
worker_that_breaks_off_does_not_hold_up_later_ones (void)
{
  g_autofree char *julia =
      process_test_eval (keeper, "joinpath(Sys.BINDIR, Base.julia_exename())");
  g_autofree char *text = g_strdup_printf (BREAKS_OFF, julia);
  g_auto (ProcessTestScript) script = process_test_script_new (text);
  g_autofree char *option = g_strconcat ("exename=", script.path, NULL);
  g_autoptr (GError) error = distributed_test_fail (option);
  g_autoptr (MaltWorker) worker = NULL;

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, NULL));
  process_test_wait (never, NULL, QUIET_MS);
  worker = process_test_launch ("start-timeout-ms=25000");
  CHECK (worker != NULL);
}

/* Launches that fail */

static void
options_that_contradict_each_other_are_refused (void)
{
  g_autoptr (GError) two = distributed_test_fail ("machine=nowhere", "manager=1");
  g_autoptr (GError) tunnel = distributed_test_fail ("tunnel=true");
  g_autoptr (GError) flags = distributed_test_fail ("sshflags=-v");
  g_autoptr (GError) topology = distributed_test_fail ("topology=ring");

  CHECK (distributed_test_is_error (two, MALT_ERROR_CONFIG, "machine", "manager"));
  CHECK (distributed_test_is_error (tunnel, MALT_ERROR_CONFIG, "tunnel", "machine"));
  CHECK (distributed_test_is_error (flags, MALT_ERROR_CONFIG, "sshflags", "machine"));
  CHECK (distributed_test_is_error (topology, MALT_ERROR_CONFIG, "ring", "all_to_all"));
}

static void
julia_that_is_not_there_is_named (void)
{
  g_autoptr (GError) exename = distributed_test_fail ("exename=/nowhere/julia");
  g_autoptr (GError) julia = distributed_test_fail ("julia=/nowhere/julia");

  CHECK (distributed_test_is_error (exename, MALT_ERROR_LAUNCH_FAILED, "/nowhere/julia"));
  CHECK (distributed_test_is_error (julia, MALT_ERROR_BACKEND_UNAVAILABLE,
                                    "/nowhere/julia"));
}

static GError *
fail_with_script (const ProcessTestScript *script)
{
  g_autofree char *option = g_strconcat ("exename=", script->path, NULL);

  return distributed_test_fail (option);
}

static void
julia_that_exits_is_reported_with_its_last_lines (void)
{
  g_auto (ProcessTestScript) script =
      process_test_script_new ("echo 'no licence found' >&2; exit 9");
  g_autoptr (GError) error = fail_with_script (&script);

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "no licence found"));
}

static void
what_is_no_julia_is_reported_with_what_it_said (void)
{
  g_auto (ProcessTestScript) script =
      process_test_script_new ("echo rubbish; echo julia_worker; echo 'julia_worker:x'");
  g_autoptr (GError) error = fail_with_script (&script);

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "rubbish"));
}

static void
worker_that_does_not_listen_where_it_says_is_reported (void)
{
  g_auto (ProcessTestScript) script =
      process_test_script_new ("echo 'julia_worker:1#127.0.0.1'; exec sleep 1000");
  g_autoptr (GError) error = fail_with_script (&script);

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "refused"));
}

static void
directory_that_is_not_there_is_named (void)
{
  g_autoptr (GError) error = distributed_test_fail ("dir=/nowhere");

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "/nowhere"));
}

/* In a directory that is there no longer: Distributed asks for it before each launch. */
static void
deleted_directory_is_named_and_another_one_serves (void)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *deleted = g_dir_make_tmp ("malt-test-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autofree char *directory = NULL;

  CHECK (g_chdir (deleted) == 0);
  g_rmdir (deleted);
  error = distributed_test_fail ("manager-setup=4");
  worker = process_test_launch ("manager-setup=4", "cwd=/usr");
  CHECK (g_chdir (here) == 0);
  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "'cwd'"));
  CHECK (worker != NULL);
  directory = process_test_eval (worker, "pwd()");
  CU_ASSERT_STRING_EQUAL (directory, "\"/usr\"");
}

static void
bridge_that_cannot_add_workers_says_why (void)
{
  g_autoptr (GError) error = distributed_test_fail (
      "manager-setup=import Distributed: addprocs; "
      "addprocs(m::Distributed.MaltBridge.Manager; a...) = error(\"none today\")");

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "none today"));
}

/* A worker that says it is of another version, which it is made to before it joins. */
static void
worker_of_another_version_is_refused (void)
{
  g_autofree char *julia =
      process_test_eval (keeper, "joinpath(Sys.BINDIR, Base.julia_exename())");
  g_autofree char *text = g_strdup_printf (
      "exec %s --startup-file=no -e 'Core.eval(Base, :(VERSION = v\"1.0.5\")); "
      "using Distributed; start_worker()'",
      julia);
  g_auto (ProcessTestScript) script = process_test_script_new (text);
  g_autoptr (GError) error = fail_with_script (&script);

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "1.0.5", "same"));
}

static gboolean
has_descriptors (gpointer n)
{
  return process_test_count_descriptors () <= *(guint *) n;
}

static void
failed_launches_leave_nothing_and_hurt_no_bridge (void)
{
  gint64 bridge = get_bridge_pid (keeper);
  guint n_before = 0;
  g_autoptr (MaltWorker) worker = NULL;

  for (int i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = distributed_test_fail ("exename=/nowhere/julia");

      CHECK (error != NULL);
      if (i == 0)
        n_before = process_test_count_descriptors ();
    }
  CHECK (process_test_wait (has_descriptors, &n_before, PROCESS_TEST_PATIENCE_MS));
  worker = process_test_launch (NULL);
  CHECK (worker != NULL && get_bridge_pid (worker) == bridge);
}

/* What a worker is launched with */

static void
directory_threads_flags_and_environment_are_those_configured (void)
{
  g_autoptr (MaltWorker) worker =
      process_test_launch ("dir=/usr", "threads=2", "exeflags=--check-bounds=yes",
                           "env=GREETING=hello", "enable-threaded-blas=true");
  g_autofree char *directory = NULL;

  CHECK (worker != NULL);
  directory = process_test_eval (worker, "pwd()");
  CU_ASSERT_STRING_EQUAL (directory, "\"/usr\"");
  CHECK (process_test_eval_int (worker, "Threads.nthreads()") == 2);
  CHECK (process_test_eval_int (worker, "Int(Base.JLOptions().check_bounds)") == 1);
  CHECK (process_test_eval_int (worker, "Int(ENV[\"GREETING\"] == \"hello\")") == 1);
}

static void
user_code_runs_as_in_plain_julia (void)
{
  CHECK (process_test_eval_int (keeper, "Int(Base.JLOptions().compile_enabled)") == 1);
  CHECK (process_test_eval_int (keeper, "length(ARGS)") == 0);
  CHECK (process_test_eval_int (keeper, "Int(haskey(ENV, \"JULIA_WORKER_TIMEOUT\"))") ==
         0);
}

static const ProcessTest tests[] = {
  { "slots_can_be_called_when_the_bridge_is_asked",
    slots_can_be_called_when_the_bridge_is_asked },
  { "workers_launched_at_once_share_one_bridge",
    workers_launched_at_once_share_one_bridge },
  { "another_topology_or_setup_means_another_bridge",
    another_topology_or_setup_means_another_bridge },
  { "bridge_ends_with_its_last_worker_and_the_next_gets_another",
    bridge_ends_with_its_last_worker_and_the_next_gets_another },
  { "launch_without_blocking_ends_in_the_main_context",
    launch_without_blocking_ends_in_the_main_context },
  { "cancelled_launch_ends_the_process_that_it_started",
    cancelled_launch_ends_the_process_that_it_started },
  { "julia_that_hangs_is_killed_at_the_start_timeout",
    julia_that_hangs_is_killed_at_the_start_timeout },
  { "launch_that_is_cancelled_before_leaves_no_bridge",
    launch_that_is_cancelled_before_leaves_no_bridge },
  { "setup_that_hangs_leaves_no_bridge", setup_that_hangs_leaves_no_bridge },
  { "start_timeout_of_one_worker_is_not_that_of_another",
    start_timeout_of_one_worker_is_not_that_of_another },
  { "worker_that_breaks_off_does_not_hold_up_later_ones",
    worker_that_breaks_off_does_not_hold_up_later_ones },
  { "options_that_contradict_each_other_are_refused",
    options_that_contradict_each_other_are_refused },
  { "julia_that_is_not_there_is_named", julia_that_is_not_there_is_named },
  { "julia_that_exits_is_reported_with_its_last_lines",
    julia_that_exits_is_reported_with_its_last_lines },
  { "what_is_no_julia_is_reported_with_what_it_said",
    what_is_no_julia_is_reported_with_what_it_said },
  { "worker_that_does_not_listen_where_it_says_is_reported",
    worker_that_does_not_listen_where_it_says_is_reported },
  { "directory_that_is_not_there_is_named", directory_that_is_not_there_is_named },
  { "deleted_directory_is_named_and_another_one_serves",
    deleted_directory_is_named_and_another_one_serves },
  { "bridge_that_cannot_add_workers_says_why", bridge_that_cannot_add_workers_says_why },
  { "worker_of_another_version_is_refused", worker_of_another_version_is_refused },
  { "failed_launches_leave_nothing_and_hurt_no_bridge",
    failed_launches_leave_nothing_and_hurt_no_bridge },
  { "directory_threads_flags_and_environment_are_those_configured",
    directory_threads_flags_and_environment_are_those_configured },
  { "user_code_runs_as_in_plain_julia", user_code_runs_as_in_plain_julia },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return distributed_test_main (argc, argv, "launch", tests, NULL, &keeper);
}
