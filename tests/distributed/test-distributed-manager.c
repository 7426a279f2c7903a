/* SPDX-License-Identifier: MIT */
/* Workers that a cluster manager of the user's launches, here on this machine, and
 * managers that cannot. */
#include "distributed-test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* What the manager of Julia's own does: its worker is for the bridge like any other that
 * it has not launched itself. */
#define LOCAL_MANAGER "manager=Distributed.LocalManager(1, true)"

/* All managers of these tests; one text, so that there is one bridge. */
#define SETUP                                                                            \
  "manager-setup=struct Launches <: ClusterManager; n::Int; end\n"                       \
  "function Distributed.launch(m::Launches, params::Dict, launched::Array, "             \
  "c::Condition)\n"                                                                      \
  "    m.n > 0 && Distributed.launch(Distributed.LocalManager(m.n, true), params, "      \
  "launched, c)\n"                                                                       \
  "    nothing\n"                                                                        \
  "end\n"                                                                                \
  "Distributed.manage(m::Launches, id::Integer, config::WorkerConfig, op::Symbol) =\n"   \
  "    Distributed.manage(Distributed.LocalManager(1, true), id, config, op)\n"          \
  "struct Fails <: ClusterManager end\n"                                                 \
  "Distributed.launch(m::Fails, params::Dict, launched::Array, c::Condition) =\n"        \
  "    error(\"the queue is closed\")\n"                                                 \
  "struct Waits <: ClusterManager; folder::String; end\n"                                \
  "function Distributed.launch(m::Waits, params::Dict, launched::Array, c::Condition)\n" \
  "    process = open(`sleep 1000`)\n"                                                   \
  "    write(joinpath(m.folder, \"pid\"), string(getpid(process), '\\n'))\n"             \
  "    while !isfile(joinpath(m.folder, \"go\")); sleep(0.01); end\n"                    \
  "    config = WorkerConfig()\n"                                                        \
  "    config.process = process\n"                                                       \
  "    config.io = process.out\n"                                                        \
  "    push!(launched, config)\n"                                                        \
  "    notify(c)\n"                                                                      \
  "end\n"                                                                                \
  "Distributed.manage(m::Fails, id::Integer, config::WorkerConfig, op::Symbol) = "       \
  "nothing\n"

/* The answer of another call leaves by a task of Distributed's, so that these let others
 * run more than once when they have begun. */
#define BEGUN "foreach(i -> begun(), 1:50)"
#define ALLOCATE \
  "let n = 0; while true; global X = [rand(10)]; (n += 1) == 10 && " BEGUN "; end; end"
#define SPIN "let n = 0; while true; (n += 1) == 10 && " BEGUN "; end; end"

static MaltWorker *keeper;

static void
manager_that_throws_is_reported (void)
{
  g_autoptr (GError) source =
      distributed_test_fail (SETUP, "manager=error(\"no such cluster\")");
  g_autoptr (GError) syntax = distributed_test_fail (SETUP, "manager=1 +");
  g_autoptr (GError) name = distributed_test_fail (SETUP, "manager=NoSuchManager(1)");
  g_autoptr (GError) launch = distributed_test_fail (SETUP, "manager=Fails()");

  CHECK (distributed_test_is_error (source, MALT_ERROR_LAUNCH_FAILED, "no such cluster"));
  CHECK (distributed_test_is_error (syntax, MALT_ERROR_LAUNCH_FAILED, "incomplete"));
  CHECK (distributed_test_is_error (name, MALT_ERROR_LAUNCH_FAILED, "NoSuchManager"));
  CHECK (distributed_test_is_error (launch, MALT_ERROR_LAUNCH_FAILED,
                                    "the queue is closed"));
}

static void
what_is_no_manager_is_refused_with_its_type (void)
{
  g_autoptr (GError) error = distributed_test_fail (SETUP, "manager=1 + 1");

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "ClusterManager",
                                    "Int64"));
}

/* The bridge's only child is the worker that keeps it. */
static gboolean
has_one_child (gpointer bridge_pid)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/task/%" G_GINT64_FORMAT "/children",
                       *(gint64 *) bridge_pid, *(gint64 *) bridge_pid);
  g_autofree char *children = NULL;
  g_auto (GStrv) pids = NULL;

  if (!g_file_get_contents (path, &children, NULL, NULL))
    return FALSE;
  pids = g_strsplit (g_strstrip (children), " ", -1);
  return g_strv_length (pids) == 1;
}

static void
manager_that_launches_none_or_two_is_reported_and_leaves_none (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (SETUP, "manager=Launches(1)");
  g_autoptr (GError) none = distributed_test_fail (SETUP, "manager=Launches(0)");
  g_autoptr (GError) two = distributed_test_fail (SETUP, "manager=Launches(2)");
  gint64 bridge_pid;

  CHECK (distributed_test_is_error (none, MALT_ERROR_LAUNCH_FAILED, "0 workers"));
  CHECK (distributed_test_is_error (two, MALT_ERROR_LAUNCH_FAILED, "2 workers"));
  CHECK (worker != NULL);
  bridge_pid = malt_distributed_worker_get_bridge_pid (worker);
  CHECK (process_test_wait (has_one_child, &bridge_pid, PROCESS_TEST_PATIENCE_MS));
}

static void
worker_of_a_manager_of_the_users_works (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (SETUP, "manager=Launches(1)");

  CHECK (worker != NULL);
  CHECK (process_test_eval_int (worker, "using Distributed; Int(myid() > 1)") == 1);
  CHECK (process_test_eval_int (worker, "getpid()") == malt_worker_get_pid (worker));
}

/* Gives the launch up when the manager has begun it, and lets the manager go on when
 * nobody waits for it any more. */
static void
launch_that_is_given_up_is_ended_when_its_manager_returns (void)
{
  g_auto (ProcessTestScript) folder = process_test_script_new ("");
  g_autofree char *option = g_strdup_printf ("manager=Waits(\"%s\")", folder.directory);
  g_autofree char *go = g_build_filename (folder.directory, "go", NULL);
  g_autoptr (MaltConfig) config = process_test_config (SETUP, option);
  g_autoptr (MaltWorker) others = process_test_launch (SETUP, "manager=Launches(1)");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  DistributedTestCanceller canceller = { &folder, cancellable };
  GThread *thread =
      g_thread_new ("canceller", distributed_test_cancel_when_it_runs, &canceller);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, cancellable, &error);
  gint64 pid = distributed_test_read_pid (&folder);
  gboolean is_gone;

  g_thread_join (thread);
  distributed_test_remove_pid (&folder);
  CHECK (others != NULL && worker == NULL);
  CHECK (distributed_test_is_error (error, MALT_ERROR_CANCELLED, NULL));
  CHECK (pid > 0 && process_test_is_alive (pid));
  g_file_set_contents (go, "", 0, NULL);
  is_gone = process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS);
  CHECK (g_unlink (go) == 0);
  CHECK (is_gone);
}

static void
setup_that_throws_is_reported (void)
{
  g_autoptr (GError) error =
      distributed_test_fail ("manager-setup=using NoSuchPackage", LOCAL_MANAGER);

  CHECK (distributed_test_is_error (error, MALT_ERROR_LAUNCH_FAILED, "NoSuchPackage"));
}

static void
options_of_the_worker_reach_the_manager (void)
{
  g_autoptr (MaltWorker) worker =
      process_test_launch (LOCAL_MANAGER, "dir=/usr", "threads=2");
  g_autofree char *directory = NULL;

  CHECK (worker != NULL);
  directory = process_test_eval (worker, "pwd()");
  CU_ASSERT_STRING_EQUAL (directory, "\"/usr\"");
  CHECK (process_test_eval_int (worker, "Threads.nthreads()") == 2);
}

static void
calls_channels_and_large_arrays_work_through_the_bridge (void)
{
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (process_test_eval_int (keeper, "sum(1:100)") == 5050);
  CHECK (process_test_eval_int (keeper, "LARGE = collect(1:3_000_000); length(LARGE)") ==
         3000000);
  for (int i = 0; i < 3; i++)
    {
      g_autoptr (MaltValue) array =
          malt_worker_remote_eval_fetch (keeper, NULL, "LARGE", NULL, &error);
      gsize n_bytes;
      const gint64 *numbers;

      CHECK_NO_ERROR (error);
      numbers = malt_value_get_array_data (array, &n_bytes);
      CHECK (n_bytes == 3000000 * sizeof (gint64));
      for (gint64 k = 0; k < 3000000; k++)
        if (numbers[k] != k + 1)
          CU_FAIL_FATAL ("the array is out of order");
    }
  channel = malt_worker_channel (
      keeper, NULL,
      "let c = Channel{Int}(5); foreach(i -> put!(c, i), 1:5); close(c); c end", NULL,
      &error);
  CHECK_NO_ERROR (error);
  for (gint64 i = 1; i <= 5; i++)
    {
      g_autoptr (MaltValue) item = malt_channel_take (channel, NULL, &error);

      CHECK_NO_ERROR (error);
      CHECK (malt_value_get_int64 (item) == i);
    }
}

static void
interrupts_hit_waiting_and_busy_calls (void)
{
  const char *const sources[] = { "begun(); sleep(1000)", ALLOCATE, SPIN };

  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (MaltFuture) future = process_test_start_running (keeper, sources[i]);
      g_autoptr (GError) error = NULL;

      CU_ASSERT_EQUAL (
          malt_worker_interrupt (keeper, future, MALT_INTERRUPT_DEFAULT, NULL, &error),
          MALT_INTERRUPT_DELIVERED);
      CHECK_NO_ERROR (error);
      CHECK (malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
      CU_ASSERT (process_test_was_interrupted (future));
      CHECK (process_test_eval_int (keeper, "20 + 1") == 21);
    }
}

static void
worker_that_is_killed_while_busy_ends (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (LOCAL_MANAGER);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gint64 pid;

  CHECK (worker != NULL);
  pid = malt_worker_get_pid (worker);
  future = process_test_start_running (worker, SPIN);
  CHECK (malt_worker_kill (worker, SIGKILL, NULL));
  error = distributed_test_fetch_end (future);
  CHECK (error != NULL);
  CHECK (process_test_wait (process_test_is_gone, &pid, PROCESS_TEST_PATIENCE_MS));
}

static void
worker_that_exits_is_noticed_with_its_last_lines (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (LOCAL_MANAGER);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  future = malt_worker_remote_eval (
      worker, NULL, "println(stderr, \"last words\"); flush(stderr); exit(7)");
  error = distributed_test_fetch_end (future);
  CHECK (error != NULL);
  CHECK (distributed_test_has_words (malt_error_get_termination (error), "last words"));
}

static const ProcessTest tests[] = {
  { "calls_channels_and_large_arrays_work_through_the_bridge",
    calls_channels_and_large_arrays_work_through_the_bridge },
  { "interrupts_hit_waiting_and_busy_calls", interrupts_hit_waiting_and_busy_calls },
  { "options_of_the_worker_reach_the_manager", options_of_the_worker_reach_the_manager },
  { "worker_that_is_killed_while_busy_ends", worker_that_is_killed_while_busy_ends },
  { "worker_that_exits_is_noticed_with_its_last_lines",
    worker_that_exits_is_noticed_with_its_last_lines },
  { "worker_of_a_manager_of_the_users_works", worker_of_a_manager_of_the_users_works },
  { "manager_that_throws_is_reported", manager_that_throws_is_reported },
  { "what_is_no_manager_is_refused_with_its_type",
    what_is_no_manager_is_refused_with_its_type },
  { "manager_that_launches_none_or_two_is_reported_and_leaves_none",
    manager_that_launches_none_or_two_is_reported_and_leaves_none },
  { "launch_that_is_given_up_is_ended_when_its_manager_returns",
    launch_that_is_given_up_is_ended_when_its_manager_returns },
  { "setup_that_throws_is_reported", setup_that_throws_is_reported },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  static const char *const options[] = { LOCAL_MANAGER, NULL };

  return distributed_test_main (argc, argv, "managers", tests, options, &keeper);
}
