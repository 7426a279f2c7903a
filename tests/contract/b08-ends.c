/* SPDX-License-Identifier: MIT */
/* B8: when a worker ends, its pending futures fail at once, oldest first, then `exited`
 * is emitted. */
#include "malt-contract.h"

#include <string.h>

#define N_PENDING 10
#define EXITED_NUMBER 1000

/* Goal for the time from the death of a worker to the failure of what waits for it,
 * beyond what any program needs to wake up for the death and to wake up another
 * thread. */
#define NOTICE_US 10000
#define N_NOTICES 9

typedef struct
{
  ContractAwait awaits[N_PENDING];
  GArray *order; /* of int */
  guint n_pending; /* futures that were pending when `exited` came */
  GPtrArray *futures; /* of MaltFuture */
} Ending;

static void
on_exited (gpointer user_data)
{
  Ending *self = user_data;
  int number = EXITED_NUMBER;

  for (guint i = 0; i < self->futures->len; i++)
    self->n_pending += !malt_future_is_done (g_ptr_array_index (self->futures, i));
  g_array_append_val (self->order, number);
}

static gboolean
is_order_complete (gpointer data)
{
  return ((Ending *) data)->order->len >= N_PENDING + 1;
}

static void
prepare_ending (Ending *self, MaltWorker *worker)
{
  self->order = g_array_new (FALSE, FALSE, sizeof (int));
  self->futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect_swapped (worker, "exited", G_CALLBACK (on_exited), self);
  for (int i = 0; i < N_PENDING; i++)
    {
      MaltFuture *future = contract_start (worker, CONTRACT_NEVER);

      self->awaits[i].number = i;
      self->awaits[i].order = self->order;
      malt_future_fetch_async (future, NULL, contract_on_ready,
                               contract_expect (&self->awaits[i]));
      g_ptr_array_add (self->futures, future);
    }
}

static gboolean
is_order_right (Ending *self)
{
  if (self->order->len != N_PENDING + 1)
    return FALSE;
  for (int i = 0; i < N_PENDING; i++)
    {
      if (g_array_index (self->order, int, i) != i)
        return FALSE;
    }
  return g_array_index (self->order, int, N_PENDING) == EXITED_NUMBER;
}

static void
clear_ending (Ending *self, MaltWorker *worker)
{
  g_signal_handlers_disconnect_by_data (worker, self);
  for (int i = 0; i < N_PENDING; i++)
    contract_await_clear (&self->awaits[i]);
  g_array_unref (self->order);
  g_ptr_array_unref (self->futures);
}

static void
check_ending (void (*end) (MaltWorker *worker))
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  Ending self = { 0 };
  gboolean is_complete;
  gboolean is_right;

  malt_assert (worker != NULL);
  prepare_ending (&self, worker);
  malt_assert (contract_works (worker));
  end (worker);
  is_complete = contract_until (is_order_complete, &self, CONTRACT_DEADLINE_MS);
  contract_until (is_order_complete, &self, 0);
  is_right = is_order_right (&self);
  for (guint i = 0; i < self.futures->len; i++)
    is_right = is_right && contract_fails (g_ptr_array_index (self.futures, i),
                                           MALT_ERROR_WORKER_TERMINATED);
  clear_ending (&self, worker);
  malt_assert (is_complete);
  malt_assert (is_right);
  malt_assert (self.n_pending == 0);
  malt_assert (!malt_worker_is_running (worker));
}

static void
end_by_stop (MaltWorker *worker)
{
  malt_worker_stop_async (worker, 1000, 1000, NULL, NULL, NULL);
}

static void
end_by_itself (MaltWorker *worker)
{
  g_autoptr (MaltCall) call = contract_call_int (CONTRACT_EXIT, 0);

  malt_worker_remote_do (worker, call, NULL);
}

static void
b08_a_stop_fails_what_is_pending_oldest_first_and_then_exited_comes (void)
{
  check_ending (end_by_stop);
}

static void
b08_an_abrupt_end_fails_what_is_pending_oldest_first_and_then_exited_comes (void)
{
  check_ending (contract_end_abruptly);
}

static void
b08_an_exit_fails_what_is_pending_oldest_first_and_then_exited_comes (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  if (contract_can (worker, MALT_CAPABILITY_ISOLATED))
    check_ending (end_by_itself);
}

/* Why it ended */

static gboolean
has_termination (gpointer data)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (data);

  return termination != NULL;
}

static void
b08_the_exit_status_is_told (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  malt_assert (!has_termination (worker));
  future = contract_start_int (worker, CONTRACT_EXIT, 7);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  malt_assert (malt_error_get_termination (error) != NULL);
  malt_assert (malt_termination_get_reason (malt_error_get_termination (error)) ==
               MALT_TERMINATION_EXITED);
  malt_assert (malt_termination_get_exit_status (malt_error_get_termination (error)) ==
               7);
  malt_assert (contract_until (has_termination, worker, CONTRACT_DEADLINE_MS));
  termination = malt_worker_dup_termination (worker);
  malt_assert (malt_termination_get_exit_status (termination) == 7);
}

static void
b08_the_signal_is_told (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  MaltTermination *termination;
  const char *name;
  int signum = contract_host_get_death_signal (&name);

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  future = contract_start_int (worker, CONTRACT_DIE, signum);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  termination = malt_error_get_termination (error);
  malt_assert (termination != NULL);
  malt_assert (malt_termination_get_reason (termination) == MALT_TERMINATION_SIGNALLED);
  malt_assert (malt_termination_get_signal (termination) == signum);
  text = malt_termination_to_string (termination);
  malt_assert (strstr (text, name) != NULL);
  malt_assert (strstr (error->message, name) != NULL);
}

static void
b08_a_stop_is_told_as_the_hosts_own (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltTermination) termination = NULL;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  termination = malt_worker_dup_termination (worker);
  malt_assert (termination != NULL);
  malt_assert (malt_termination_get_reason (termination) == MALT_TERMINATION_STOPPED);
}

/* However the worker takes the signal: Julia itself exits when it gets SIGTERM. */
static void
b08_a_kill_is_told_as_the_hosts_own (void)
{
  const int signums[] = { SIGTERM, SIGKILL };

  for (guint i = 0; i < G_N_ELEMENTS (signums); i++)
    {
      g_autoptr (MaltWorker) worker = contract_launch ();
      g_autoptr (MaltTermination) termination = NULL;
      g_autoptr (MaltFuture) future = NULL;

      malt_assert (worker != NULL);
      if (!contract_can (worker, MALT_CAPABILITY_CAN_KILL))
        return;
      future = contract_start (worker, CONTRACT_NEVER);
      malt_assert (malt_worker_kill (worker, signums[i], NULL));
      malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
      termination = malt_worker_dup_termination (worker);
      malt_assert (termination != NULL);
      malt_assert (malt_termination_get_reason (termination) == MALT_TERMINATION_STOPPED);
    }
}

static void
b08_the_last_words_and_the_last_call_are_told (void)
{
  static const char source[] =
      "begin println(stderr, \"contract last words\"); flush(stderr); "
      "contract_die(9) end";
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltTermination *termination;

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  future = malt_worker_remote_eval (worker, NULL, source);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  termination = malt_error_get_termination (error);
  malt_assert (termination != NULL);
  malt_assert (malt_termination_get_stderr (termination) != NULL);
  malt_assert (
      strstr (malt_termination_get_stderr (termination), "contract last words") != NULL);
  malt_assert (malt_termination_get_call (termination) != NULL);
  malt_assert (strstr (malt_termination_get_call (termination), "last words") != NULL);
}

/* How fast */

/* Two threads, as the library has: one sees the death, and wakes up the other. The kernel
 * takes a while to take a process down, and a loaded machine to wake up threads, which is
 * not the library's time. Where the process is not to be seen, the first waits for the
 * word of who has killed it. */

typedef struct
{
  gpointer watch; /* (owned) (nullable): of the process */
  GAsyncQueue *killed; /* (owned): gets something when it has been killed, */
  GAsyncQueue *noticed; /* (owned): and this one when it has died */
} Death;

static gpointer
wait_for_death (gpointer data)
{
  Death *self = data;

  if (self->watch != NULL)
    contract_host_await (self->watch, CONTRACT_DEADLINE_MS);
  else
    g_async_queue_pop (self->killed);
  g_async_queue_push (self->noticed, self);
  return NULL;
}

/* Kills the worker and returns when that could be known. */
static gint64
kill_worker (MaltWorker *worker)
{
  gint64 pid = malt_worker_get_pid (worker);
  gboolean is_here = pid > 0 && !contract_can (worker, MALT_CAPABILITY_REMOTE);
  Death death = { is_here ? contract_host_watch (pid) : NULL, g_async_queue_new (),
                  g_async_queue_new () };
  GThread *watcher = g_thread_new ("watch-death", wait_for_death, &death);
  gint64 died_us;

  malt_worker_kill (worker, SIGKILL, NULL);
  g_async_queue_push (death.killed, &death);
  g_async_queue_pop (death.noticed);
  died_us = g_get_monotonic_time ();
  g_thread_join (watcher);
  g_async_queue_unref (death.killed);
  g_async_queue_unref (death.noticed);
  return died_us;
}

typedef struct
{
  MaltFuture *future;
  gint64 failed_us;
} Notice;

static gpointer
wait_for_failure (gpointer data)
{
  Notice *self = data;

  contract_fails (self->future, MALT_ERROR_WORKER_TERMINATED);
  self->failed_us = g_get_monotonic_time ();
  return NULL;
}

/* Microseconds from the death of a worker to the failure of a call that waits; -1: no worker. */
static gint64
measure_notice (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  Notice self = { 0 };
  GThread *waiter;
  gint64 died_us;

  if (worker == NULL)
    return -1;
  future = contract_start (worker, CONTRACT_NEVER);
  if (!contract_works (worker))
    return -1;
  self.future = future;
  waiter = g_thread_new ("wait-failure", wait_for_failure, &self);
  died_us = kill_worker (worker);
  g_thread_join (waiter);
  return MAX (self.failed_us - died_us, 0);
}

static int
compare_times (const void *a, const void *b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
b08_a_killed_worker_is_noticed_within_10_ms (void)
{
  MaltWorker *worker = contract_shared ();
  gint64 times_us[N_NOTICES];

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    {
      g_autoptr (GError) error = NULL;

      malt_assert (!malt_worker_kill (worker, SIGKILL, &error));
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
      return;
    }
  for (int i = 0; i < N_NOTICES; i++)
    {
      times_us[i] = measure_notice ();
      malt_assert (times_us[i] >= 0);
    }
  qsort (times_us, N_NOTICES, sizeof (gint64), compare_times);
  if (times_us[N_NOTICES / 2] >= NOTICE_US)
    contract_note ("noticed after %" G_GINT64_FORMAT " us", times_us[N_NOTICES / 2]);
  malt_assert (times_us[N_NOTICES / 2] < NOTICE_US);
}

static void
b08_exited_comes_once_however_often_the_worker_is_ended (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  Ending self = { 0 };
  guint n_exits = 0;

  malt_assert (worker != NULL);
  prepare_ending (&self, worker);
  contract_end_abruptly (worker);
  contract_end_abruptly (worker);
  malt_worker_stop (worker, NULL, NULL);
  malt_worker_stop (worker, NULL, NULL);
  contract_until (is_order_complete, &self, CONTRACT_DEADLINE_MS);
  malt_worker_stop (worker, NULL, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  for (guint i = 0; i < self.order->len; i++)
    n_exits += g_array_index (self.order, int, i) == EXITED_NUMBER;
  clear_ending (&self, worker);
  malt_assert (n_exits == 1);
}

const ContractTest contract_b08[] = {
  CONTRACT_TEST (b08_a_stop_fails_what_is_pending_oldest_first_and_then_exited_comes),
  CONTRACT_TEST (
      b08_an_abrupt_end_fails_what_is_pending_oldest_first_and_then_exited_comes),
  CONTRACT_TEST (b08_an_exit_fails_what_is_pending_oldest_first_and_then_exited_comes),
  CONTRACT_TEST (b08_the_exit_status_is_told),
  CONTRACT_TEST (b08_the_signal_is_told),
  CONTRACT_TEST (b08_a_stop_is_told_as_the_hosts_own),
  CONTRACT_TEST (b08_a_kill_is_told_as_the_hosts_own),
  CONTRACT_JULIA_TEST (b08_the_last_words_and_the_last_call_are_told),
  CONTRACT_TEST (b08_a_killed_worker_is_noticed_within_10_ms),
  CONTRACT_TEST (b08_exited_comes_once_however_often_the_worker_is_ended),
  CONTRACT_END,
};
