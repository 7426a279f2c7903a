/* SPDX-License-Identifier: MIT */
/* B1: a future completes exactly once: value, remote exception, terminated, cancelled or
 * timed out. */
#include "malt-contract.h"

#define SEED 20261121
#define N_RACERS 4
#define N_RACES 60

static void
b01_a_value_completes_a_future_for_good (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_ECHO, 7);
  malt_assert (contract_gives_int (future, 7));
  malt_future_cancel (future);
  malt_assert (malt_future_is_done (future));
  malt_assert (contract_gives_int (future, 7));
}

static void
b01_an_exception_completes_a_future_for_good (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start_text (worker, CONTRACT_THROW, "boom");
  malt_assert (contract_throws (future, "ErrorException"));
  malt_future_cancel (future);
  malt_assert (contract_throws (future, "ErrorException"));
}

static void
b01_a_cancelled_call_completes_at_once_and_for_good (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_SLEEP_MS, 1000);
  malt_assert (!malt_future_is_done (future));
  malt_future_cancel (future);
  malt_assert (malt_future_is_done (future));
  malt_assert (contract_fails (future, MALT_ERROR_CANCELLED));

  /* The worker's answer comes while this one waits, and changes nothing. */
  {
    g_autoptr (MaltFuture) later = contract_start_int (worker, CONTRACT_SLEEP_MS, 1100);

    malt_assert (contract_gives_int (later, 1100));
  }
  malt_assert (contract_fails (future, MALT_ERROR_CANCELLED));
}

static void
b01_a_deadline_completes_a_call_timed_out (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;
  gint64 start_ms;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_NEVER);
  malt_call_set_timeout_ms (call, 60);
  start_ms = contract_now_ms ();
  future = malt_worker_remote_call (worker, call);
  malt_assert (contract_fails (future, MALT_ERROR_TIMED_OUT));
  malt_assert (contract_now_ms () - start_ms >= 55);
}

static void
b01_a_deadline_that_is_met_leaves_no_trace (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltFuture) later = NULL;

  malt_assert (worker != NULL);
  call = contract_call_int (CONTRACT_SLEEP_MS, 10);
  malt_call_set_timeout_ms (call, CONTRACT_DEADLINE_MS);
  future = malt_worker_remote_call (worker, call);
  malt_assert (contract_gives_int (future, 10));
  later = contract_start_int (worker, CONTRACT_SLEEP_MS, 100);
  malt_assert (contract_gives_int (later, 100));
  malt_assert (contract_gives_int (future, 10));
}

static void
b01_the_end_of_the_worker_completes_every_call (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  malt_assert (worker != NULL);
  for (int i = 0; i < 20; i++)
    g_ptr_array_add (futures, contract_start (worker, CONTRACT_NEVER));
  contract_end_abruptly (worker);
  for (guint i = 0; i < futures->len; i++)
    malt_assert (
        contract_fails (g_ptr_array_index (futures, i), MALT_ERROR_WORKER_TERMINATED));
}

static void
b01_a_call_on_an_ended_worker_completes_terminated (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  future = contract_start_int (worker, CONTRACT_ECHO, 1);
  malt_assert (contract_fails (future, MALT_ERROR_WORKER_TERMINATED));
}

/* Races. Each thread starts calls, gives some of them up at random moments, and looks at
 * each future in three ways, which must agree: two callbacks and one blocking fetch. */

typedef struct
{
  MaltWorker *worker;
  guint seed;
  gint n_wrong; /* atomic */
} Race;

static MaltCall *
random_call (GRand *random)
{
  MaltCall *call;

  switch (g_rand_int_range (random, 0, 4))
    {
    case 0:
      call = contract_call_int (CONTRACT_ECHO, g_rand_int_range (random, 0, 1000));
      break;
    case 1:
      call = contract_call_text (CONTRACT_THROW, "race");
      break;
    default:
      call = contract_call_int (CONTRACT_SLEEP_MS, g_rand_int_range (random, 1, 5));
      break;
    }
  if (g_rand_boolean (random))
    malt_call_set_timeout_ms (call, g_rand_int_range (random, 1, 5));
  return call;
}

static char *
describe_outcome (MaltValue *value, GError *error)
{
  return value ? malt_value_to_string (value) : g_strdup_printf ("error %d", error->code);
}

static char *
finish_outcome (MaltFuture *future, ContractAwait *await)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!contract_await (await) || await->n_calls != 1)
    return g_strdup_printf ("%u callbacks", await->n_calls);
  value = malt_future_fetch_finish (future, await->result, &error);
  return describe_outcome (value, error);
}

static char *
fetch_outcome (MaltFuture *future)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  return describe_outcome (value, error);
}

static gboolean
race_once (MaltWorker *worker, GRand *random)
{
  g_autoptr (MaltCall) call = random_call (random);
  g_auto (ContractAwait) before = { 0 };
  g_auto (ContractAwait) after = { 0 };
  g_autoptr (MaltFuture) future = malt_worker_remote_call (worker, call);
  g_autofree char *fetched = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *again = NULL;

  malt_future_fetch_async (future, NULL, contract_on_ready, contract_expect (&before));
  malt_future_wait (future, g_rand_int_range (random, 0, 5), NULL, NULL);
  if (g_rand_boolean (random))
    malt_future_cancel (future);
  malt_future_fetch_async (future, NULL, contract_on_ready, contract_expect (&after));
  if (!contract_is_done_soon (future))
    return FALSE;

  fetched = fetch_outcome (future);
  first = finish_outcome (future, &before);
  second = finish_outcome (future, &after);
  again = fetch_outcome (future);
  if (g_str_equal (fetched, first) && g_str_equal (fetched, second) &&
      g_str_equal (fetched, again))
    return TRUE;
  contract_note ("outcomes differ: %s, %s, %s, %s", fetched, first, second, again);
  return FALSE;
}

static void
race (guint index, gpointer data)
{
  g_autoptr (ContractContext) context = contract_context_push ();
  Race *self = data;
  GRand *random = g_rand_new_with_seed (self->seed + index);

  g_assert (context != NULL);
  for (int i = 0; i < N_RACES && g_atomic_int_get (&self->n_wrong) == 0; i++)
    {
      if (!race_once (self->worker, random))
        g_atomic_int_inc (&self->n_wrong);
    }
  g_rand_free (random);
}

static void
b01_answers_cancels_and_deadlines_race_without_a_second_completion (void)
{
  Race self = { .worker = contract_shared (), .seed = SEED };

  malt_assert (self.worker != NULL);
  contract_in_threads (N_RACERS, race, &self);
  malt_assert (self.n_wrong == 0);
  malt_assert (contract_works (self.worker));
}

/* The last of the threads ends the worker while the others race. */
static void
race_or_end (guint index, gpointer data)
{
  Race *self = data;

  if (index < N_RACERS)
    race (index, data);
  else
    {
      g_autoptr (MaltFuture) future =
          contract_start_int (self->worker, CONTRACT_SLEEP_MS, 5 + self->seed % 20);

      contract_is_done_soon (future);
      contract_end_abruptly (self->worker);
    }
}

static void
b01_the_end_of_the_worker_races_without_a_second_completion (void)
{
  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (MaltWorker) worker = contract_launch ();
      Race self = { .worker = worker, .seed = SEED + 100 * round };

      malt_assert (worker != NULL);
      contract_in_threads (N_RACERS + 1, race_or_end, &self);
      malt_assert (self.n_wrong == 0);
    }
}

const ContractTest contract_b01[] = {
  CONTRACT_TEST (b01_a_value_completes_a_future_for_good),
  CONTRACT_TEST (b01_an_exception_completes_a_future_for_good),
  CONTRACT_TEST (b01_a_cancelled_call_completes_at_once_and_for_good),
  CONTRACT_TEST (b01_a_deadline_completes_a_call_timed_out),
  CONTRACT_TEST (b01_a_deadline_that_is_met_leaves_no_trace),
  CONTRACT_TEST (b01_the_end_of_the_worker_completes_every_call),
  CONTRACT_TEST (b01_a_call_on_an_ended_worker_completes_terminated),
  CONTRACT_TEST (b01_answers_cancels_and_deadlines_race_without_a_second_completion),
  CONTRACT_TEST (b01_the_end_of_the_worker_races_without_a_second_completion),
  CONTRACT_END,
};
