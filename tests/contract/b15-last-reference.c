/* SPDX-License-Identifier: MIT */
/* B15: dropping the last reference fails pending futures and ends the worker without
 * blocking; a host that dies takes its workers with it. */
#include "malt-contract.h"

#include <stdio.h>

/* Dropping a reference and failing all calls must not wait for a worker that hogs its
 * processor, which hears of nothing: so long does that go on in the host's process, and
 * no shorter is the usual timeout of a stop elsewhere. */
#define N_DROPPED 10
#define HOG_MS 1000
#define DROP_MS (N_DROPPED * HOG_MS / 2)

static gboolean
is_gone (gpointer data)
{
  return contract_is_process_gone (*(gint64 *) data);
}

/* Process of the worker, or 0 if it has none of its own. */
static gint64
get_own_pid (MaltWorker *worker)
{
  gint64 pid = malt_worker_get_pid (worker);

  return pid > 0 && pid != contract_host_get_pid () ? pid : 0;
}

static void
check_drop (MaltFuture *(*start) (MaltWorker *worker))
{
  MaltWorker *worker = contract_launch ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 start_ms;
  gint64 pid;

  malt_assert (worker != NULL);
  for (int i = 0; i < N_DROPPED; i++)
    g_ptr_array_add (futures, start (worker));
  pid = get_own_pid (worker);
  start_ms = contract_now_ms ();
  g_object_unref (worker);
  for (guint i = 0; i < futures->len; i++)
    malt_assert (
        contract_fails (g_ptr_array_index (futures, i), MALT_ERROR_WORKER_TERMINATED));
  malt_assert (contract_now_ms () - start_ms < DROP_MS);
  if (pid != 0)
    malt_assert (contract_until (is_gone, &pid, CONTRACT_DEADLINE_MS));
}

static MaltFuture *
start_waiting (MaltWorker *worker)
{
  return contract_start (worker, CONTRACT_NEVER);
}

static MaltFuture *
start_hogging (MaltWorker *worker)
{
  gboolean is_endable = contract_can (worker, MALT_CAPABILITY_CAN_KILL);

  return contract_start_int (worker, CONTRACT_SPIN_MS, is_endable ? 0 : HOG_MS);
}

static void
b15_the_last_unref_fails_waiting_calls_and_does_not_block (void)
{
  check_drop (start_waiting);
}

static void
b15_the_last_unref_fails_hogging_calls_and_does_not_block (void)
{
  check_drop (start_hogging);
}

/* Whoever hands an answer over may have a reference for a moment longer. */
static gboolean
has_no_worker (gpointer future)
{
  g_autoptr (MaltWorker) worker = malt_future_dup_worker (future);

  return worker == NULL;
}

static void
b15_a_future_does_not_keep_its_worker (void)
{
  MaltWorker *worker = contract_launch ();
  g_autoptr (MaltFuture) done = NULL;
  g_autoptr (MaltFuture) pending = NULL;
  g_autoptr (MaltWorker) found = NULL;

  malt_assert (worker != NULL);
  done = contract_start_int (worker, CONTRACT_ECHO, 3);
  pending = contract_start (worker, CONTRACT_NEVER);
  malt_assert (contract_gives_int (done, 3));
  found = malt_future_dup_worker (pending);
  malt_assert (found == worker);
  g_clear_object (&found);
  g_object_unref (worker);
  malt_assert (contract_until (has_no_worker, done, CONTRACT_DEADLINE_MS));
  malt_assert (contract_until (has_no_worker, pending, CONTRACT_DEADLINE_MS));
  malt_assert (contract_gives_int (done, 3));
  malt_assert (contract_fails (pending, MALT_ERROR_WORKER_TERMINATED));
  malt_future_cancel (pending);
  malt_assert (contract_fails (pending, MALT_ERROR_WORKER_TERMINATED));
}

typedef struct
{
  ContractAwait await;
  MaltWorker *worker;
  MaltFuture *pending;
} Drop;

static void
drop (gpointer data)
{
  g_clear_object (&((Drop *) data)->worker);
}

static void
b15_a_callback_may_drop_the_last_reference (void)
{
  Drop self = { .await = { .on_ready = drop, .data = &self },
                .worker = contract_launch () };
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltFuture) pending = NULL;

  malt_assert (self.worker != NULL);
  pending = contract_start (self.worker, CONTRACT_NEVER);
  future = contract_start_int (self.worker, CONTRACT_ECHO, 1);
  malt_future_fetch_async (future, NULL, contract_on_ready,
                           contract_expect (&self.await));
  contract_await (&self.await);
  contract_await_clear (&self.await);
  malt_assert (contract_fails (pending, MALT_ERROR_WORKER_TERMINATED));
}

static void
drop_at_once (guint index, gpointer data)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future =
      worker ? contract_start_int (worker, CONTRACT_SLEEP_MS, index) : NULL;

  if (worker == NULL)
    return;
  g_clear_object (&worker);
  if (contract_is_done_soon (future))
    g_atomic_int_inc ((gint *) data);
}

static void
b15_references_may_be_dropped_in_any_thread (void)
{
  gint n_right = 0;

  contract_in_threads (6, drop_at_once, &n_right);
  malt_assert (n_right == 6);
}

static void
b15_a_launch_nobody_finishes_leaves_nothing (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();
  g_auto (ContractAwait) await = { 0 };

  malt_worker_launch_async (config, NULL, contract_on_ready, contract_expect (&await));
  malt_assert (contract_await (&await));
}

/* The host dies. A second process of this program plays it: it launches a worker that
 * starts a process of its own and then hogs its processor, says which processes these
 * are, and waits to be killed. */

/* 0: the worker starts none, or in the host's group. */
static gint64
start_process (MaltWorker *worker)
{
  g_autoptr (MaltValue) pid = NULL;

  if (!contract_get_dialect ()->is_julia || get_own_pid (worker) == 0)
    return 0;
  pid = malt_worker_remote_eval_fetch (
      worker, NULL, "getpid(run(contract_program(\"sleep(600)\"), wait = false))", NULL,
      NULL);
  return pid != NULL ? malt_value_get_int64 (pid) : 0;
}

int
contract_play_doomed_host (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  gint64 started;

  if (worker == NULL)
    return 1;
  started = start_process (worker);
  future = contract_start_int (worker, CONTRACT_SPIN_MS, 0);
  malt_future_wait (future, 1000, NULL, NULL);
  printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", malt_worker_get_pid (worker),
          started);
  fflush (stdout);
  malt_future_wait (future, -1, NULL, NULL);
  return 1;
}

static GSubprocess *
spawn_doomed_host (void)
{
  const ContractSubject *subject = contract_get_subject ();
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *program = contract_host_dup_program ();

  g_ptr_array_add (arguments, program);
  g_ptr_array_add (arguments, (gpointer) CONTRACT_DOOMED_HOST_OPTION);
  g_ptr_array_add (arguments, (gpointer) "--backend");
  g_ptr_array_add (arguments, (gpointer) subject->backend);
  for (const char *const *option = subject->options; option && *option; option++)
    {
      g_ptr_array_add (arguments, (gpointer) "--option");
      g_ptr_array_add (arguments, (gpointer) *option);
    }
  g_ptr_array_add (arguments, NULL);
  return g_subprocess_newv ((const char *const *) arguments->pdata,
                            G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL);
}

static void
b15_a_host_that_is_killed_takes_its_worker_with_it (void)
{
  g_autoptr (GSubprocess) host = spawn_doomed_host ();
  g_autoptr (GDataInputStream) lines = NULL;
  g_autofree char *line = NULL;
  gint64 started;
  char *end;
  gint64 pid;

  malt_assert (host != NULL);
  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (host));
  line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  malt_assert (line != NULL);
  pid = g_ascii_strtoll (line, &end, 10);
  started = g_ascii_strtoll (end, NULL, 10);
  if (pid > 0)
    malt_assert (!contract_is_process_gone (pid));
  if (started > 0)
    malt_assert (!contract_is_process_gone (started));
  contract_host_kill (host);
  g_subprocess_wait (host, NULL, NULL);
  if (pid > 0)
    malt_assert (contract_until (is_gone, &pid, CONTRACT_DEADLINE_MS));
  if (started > 0)
    malt_assert (contract_until (is_gone, &started, CONTRACT_DEADLINE_MS));
}

const ContractTest contract_b15[] = {
  CONTRACT_TEST (b15_the_last_unref_fails_waiting_calls_and_does_not_block),
  CONTRACT_TEST (b15_the_last_unref_fails_hogging_calls_and_does_not_block),
  CONTRACT_TEST (b15_a_future_does_not_keep_its_worker),
  CONTRACT_TEST (b15_a_callback_may_drop_the_last_reference),
  CONTRACT_TEST (b15_references_may_be_dropped_in_any_thread),
  CONTRACT_TEST (b15_a_launch_nobody_finishes_leaves_nothing),
  CONTRACT_TEST (b15_a_host_that_is_killed_takes_its_worker_with_it),
  CONTRACT_END,
};
