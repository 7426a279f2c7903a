/* SPDX-License-Identifier: MIT */
/* Many threads, many calls, all outcomes mixed: no future is lost, no answer goes to
 * another call. */
#include "malt-contract.h"

#define SEED 20261121
#define N_THREADS 8
#define N_CALLS 2000

/* Calls that a thread has started and not looked at yet. */
#define N_IN_FLIGHT 16

typedef enum
{
  EXPECT_VALUE,
  EXPECT_EXCEPTION,
  EXPECT_CANCELLED_OR_VALUE,
} Expectation;

typedef struct
{
  MaltFuture *future; /* (owned) (nullable) */
  Expectation expectation;
  gint64 number;
} Flight;

typedef struct
{
  MaltWorker *worker;
  gint n_landed; /* atomic */
  gint n_wrong; /* atomic */
} Stress;

static Flight
take_off (MaltWorker *worker, GRand *random, gint64 number)
{
  int kind = g_rand_int_range (random, 0, 10);

  if (kind == 0)
    return (Flight){ contract_start_text (worker, CONTRACT_THROW, "stress"),
                     EXPECT_EXCEPTION, number };
  if (kind == 1)
    {
      gint64 delay_ms = g_rand_int_range (random, 0, 4);

      return (Flight){ contract_start_int (worker, CONTRACT_SLEEP_MS, delay_ms),
                       EXPECT_VALUE, delay_ms };
    }
  if (kind <= 3)
    {
      Flight flight = { contract_start_int (worker, CONTRACT_ECHO, number),
                        EXPECT_CANCELLED_OR_VALUE, number };

      malt_future_cancel (flight.future);
      return flight;
    }
  return (Flight){ contract_start_int (worker, CONTRACT_ECHO, number), EXPECT_VALUE,
                   number };
}

static gboolean
is_outcome_right (Flight *flight)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!contract_is_done_soon (flight->future))
    return FALSE;
  value = malt_future_fetch (flight->future, NULL, &error);
  if (value != NULL)
    return flight->expectation != EXPECT_EXCEPTION &&
           malt_value_get_int64 (value) == flight->number;
  if (flight->expectation == EXPECT_EXCEPTION)
    return g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  return flight->expectation == EXPECT_CANCELLED_OR_VALUE &&
         g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED);
}

static void
land (Stress *self, Flight *flight)
{
  if (flight->future == NULL)
    return;
  if (is_outcome_right (flight))
    g_atomic_int_inc (&self->n_landed);
  else
    g_atomic_int_inc (&self->n_wrong);
  g_clear_object (&flight->future);
}

static void
fly (guint index, gpointer data)
{
  Stress *self = data;
  Flight flights[N_IN_FLIGHT] = { 0 };
  GRand *random = g_rand_new_with_seed (SEED + index);

  for (int i = 0; i < N_CALLS; i++)
    {
      Flight *flight = &flights[i % N_IN_FLIGHT];

      land (self, flight);
      *flight = take_off (self->worker, random, (gint64) index * N_CALLS + i);
    }
  for (int i = 0; i < N_IN_FLIGHT; i++)
    land (self, &flights[i]);
  g_rand_free (random);
}

static void
stress_calls_of_eight_threads_all_come_back (void)
{
  Stress self = { .worker = contract_shared () };

  malt_assert (self.worker != NULL);
  contract_in_threads (N_THREADS, fly, &self);
  malt_assert (self.n_wrong == 0);
  malt_assert (self.n_landed == N_THREADS * N_CALLS);
  malt_assert (contract_works (self.worker));
}

static void
stress_a_thousand_calls_at_once_all_come_back (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  malt_assert (worker != NULL);
  for (int i = 0; i < 1000; i++)
    g_ptr_array_add (futures, contract_start_int (worker, CONTRACT_SLEEP_MS, i % 50));
  for (guint i = 0; i < futures->len; i++)
    malt_assert (contract_gives_int (g_ptr_array_index (futures, i), i % 50));
}

const ContractTest contract_stress[] = {
  CONTRACT_TEST (stress_calls_of_eight_threads_all_come_back),
  CONTRACT_TEST (stress_a_thousand_calls_at_once_all_come_back),
  CONTRACT_END,
};
