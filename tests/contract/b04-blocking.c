/* SPDX-License-Identifier: MIT */
/* B4: blocking forms work from any thread, with or without a running main loop. */
#include "malt-contract.h"

typedef struct
{
  MaltWorker *worker;
  MaltFuture *future;
  gint n_right; /* atomic */
  gint n_finished; /* atomic */
} Blocking;

static gboolean
blocking_forms_work (MaltWorker *worker)
{
  const ContractDialect *dialect = contract_get_dialect ();
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_ECHO, 3);
  g_autoptr (MaltValue) called = malt_worker_remote_call_fetch (worker, call, NULL, NULL);
  g_autoptr (MaltValue) evaluated =
      malt_worker_remote_eval_fetch (worker, NULL, dialect->source_two, NULL, NULL);
  g_autoptr (MaltFuture) sleeper = contract_start_int (worker, CONTRACT_SLEEP_MS, 5);

  return called != NULL && malt_value_get_int64 (called) == 3 && evaluated != NULL &&
         malt_value_get_int64 (evaluated) == 2 &&
         malt_worker_remote_call_wait (worker, call, NULL, NULL) &&
         malt_worker_remote_eval_wait (worker, NULL, dialect->source_two, NULL, NULL) &&
         malt_future_wait (sleeper, -1, NULL, NULL) && contract_gives_int (sleeper, 5);
}

static void
block_without_context (G_GNUC_UNUSED guint index, gpointer data)
{
  Blocking *self = data;

  if (blocking_forms_work (self->worker))
    g_atomic_int_inc (&self->n_right);
  g_atomic_int_inc (&self->n_finished);
}

static void
block_with_idle_context (guint index, gpointer data)
{
  g_autoptr (ContractContext) context = contract_context_push ();

  g_assert (context != NULL);
  block_without_context (index, data);
}

static void
b04_they_work_where_no_loop_runs (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  malt_assert (blocking_forms_work (worker));
}

static void
b04_they_work_in_threads_without_a_context (void)
{
  Blocking self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  contract_in_threads (8, block_without_context, &self);
  malt_assert (self.n_right == 8);
}

static void
b04_they_work_in_threads_whose_context_stands_still (void)
{
  Blocking self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  contract_in_threads (4, block_with_idle_context, &self);
  malt_assert (self.n_right == 4);
}

static gboolean
has_finished (gpointer data)
{
  return g_atomic_int_get (&((Blocking *) data)->n_finished) > 0;
}

static gpointer
block_in_thread (gpointer data)
{
  block_without_context (0, data);
  return NULL;
}

static void
b04_they_work_while_the_main_loop_runs_elsewhere (void)
{
  Blocking self = { .worker = contract_shared () };
  GThread *thread;
  gboolean is_finished;

  malt_assert (self.worker != NULL);
  thread = g_thread_new ("blocking", block_in_thread, &self);
  is_finished = contract_until (has_finished, &self, CONTRACT_DEADLINE_MS);
  g_thread_join (thread);
  malt_assert (is_finished);
  malt_assert (self.n_right == 1);
}

static gboolean
on_idle (gpointer data)
{
  block_without_context (0, data);
  return G_SOURCE_REMOVE;
}

static void
b04_they_work_inside_the_main_loop (void)
{
  Blocking self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  g_idle_add (on_idle, &self);
  malt_assert (contract_until (has_finished, &self, CONTRACT_DEADLINE_MS));
  malt_assert (self.n_right == 1);
}

static void
fetch_shared_future (G_GNUC_UNUSED guint index, gpointer data)
{
  Blocking *self = data;

  if (contract_gives_int (self->future, 50))
    g_atomic_int_inc (&self->n_right);
}

static void
b04_many_threads_may_wait_for_one_future (void)
{
  Blocking self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  self.future = contract_start_int (self.worker, CONTRACT_SLEEP_MS, 50);
  contract_in_threads (8, fetch_shared_future, &self);
  g_object_unref (self.future);
  malt_assert (self.n_right == 8);
}

static void
b04_a_wait_that_times_out_leaves_the_future_pending (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start_ms;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_SLEEP_MS, 2000);
  start_ms = contract_now_ms ();
  malt_assert (!malt_future_wait (future, 50, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_TIMED_OUT);
  malt_assert (contract_now_ms () - start_ms >= 45);
  malt_assert (!malt_future_is_done (future));
  malt_assert (contract_gives_int (future, 2000));
}

static void
launch_and_stop (G_GNUC_UNUSED guint index, gpointer data)
{
  Blocking *self = data;
  g_autoptr (MaltWorker) worker = contract_launch ();

  if (worker != NULL && blocking_forms_work (worker) &&
      malt_worker_stop (worker, NULL, NULL) && !malt_worker_is_running (worker))
    g_atomic_int_inc (&self->n_right);
}

static void
b04_workers_are_launched_and_stopped_in_any_thread (void)
{
  Blocking self = { 0 };

  contract_in_threads (3, launch_and_stop, &self);
  malt_assert (self.n_right == 3);
}

static void
launch_and_leave (G_GNUC_UNUSED guint index, gpointer data)
{
  Blocking *self = data;

  self->worker = contract_launch ();
}

static void
b04_a_worker_outlives_the_thread_that_launched_it (void)
{
  Blocking self = { 0 };
  g_autoptr (MaltWorker) worker = NULL;

  contract_in_threads (1, launch_and_leave, &self);
  worker = self.worker;
  malt_assert (worker != NULL);
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_SLEEP_MS, 10);

      malt_assert (contract_gives_int (future, 10));
    }
  malt_assert (malt_worker_is_running (worker));
}

const ContractTest contract_b04[] = {
  CONTRACT_TEST (b04_they_work_where_no_loop_runs),
  CONTRACT_TEST (b04_they_work_in_threads_without_a_context),
  CONTRACT_TEST (b04_they_work_in_threads_whose_context_stands_still),
  CONTRACT_TEST (b04_they_work_while_the_main_loop_runs_elsewhere),
  CONTRACT_TEST (b04_they_work_inside_the_main_loop),
  CONTRACT_TEST (b04_many_threads_may_wait_for_one_future),
  CONTRACT_TEST (b04_a_wait_that_times_out_leaves_the_future_pending),
  CONTRACT_TEST (b04_workers_are_launched_and_stopped_in_any_thread),
  CONTRACT_TEST (b04_a_worker_outlives_the_thread_that_launched_it),
  CONTRACT_END,
};
