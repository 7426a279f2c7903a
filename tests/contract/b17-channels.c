/* SPDX-License-Identifier: MIT */
/* B17: channels are pushed with credit into a bounded queue; a cancelled take loses
 * nothing; after the worker's death take drains the queue, then says closed. Where the
 * capability is clear, each test expects that a channel is refused. */
#include "malt-contract.h"

#include <string.h>

#define SEED 20261121

/* No queue of a host may hold more items than this that nobody has asked for. */
#define MAX_AHEAD 4096

static MaltChannel *
open_source (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  MaltChannel *channel = malt_worker_channel (worker, NULL, source, NULL, &error);

  if (channel == NULL)
    contract_note ("no channel: %s", error->message);
  return channel;
}

static MaltChannel *
open_with_items (MaltWorker *worker, int n_items)
{
  g_autofree char *source =
      g_strdup_printf (contract_get_dialect ()->source_channel, n_items);

  return open_source (worker, source);
}

static MaltChannel *
open_closing (MaltWorker *worker, int n_items)
{
  g_autofree char *source =
      g_strdup_printf (contract_get_dialect ()->source_closing_channel, n_items);

  return open_source (worker, source);
}

static gboolean
refuses_channels (MaltWorker *worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (worker, NULL, "contract", NULL, &error);

  return channel == NULL && g_error_matches (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
}

/* Ends the test, well or not, where there are no channels. */
#define malt_assert_channels(worker)                        \
  G_STMT_START                                              \
  {                                                         \
    malt_assert ((worker) != NULL);                         \
    if (!contract_can ((worker), MALT_CAPABILITY_CHANNELS)) \
      {                                                     \
        malt_assert (refuses_channels (worker));            \
        return;                                             \
      }                                                     \
  }                                                         \
  G_STMT_END

static gboolean
takes (MaltChannel *channel, gint64 expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, &error);
  gint64 seen = 0;

  if (value != NULL && malt_value_as_int64 (value, &seen, NULL) && seen == expected)
    return TRUE;
  contract_note ("item %" G_GINT64_FORMAT " expected; seen: %" G_GINT64_FORMAT " %s",
                 expected, seen, error ? error->message : "");
  return FALSE;
}

static gboolean
is_at_end (MaltChannel *channel)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, &error);

  if (value == NULL && g_error_matches (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED))
    return TRUE;
  contract_note ("closed channel expected; seen: %s", error ? error->message : "an item");
  return FALSE;
}

static gboolean
puts_int (MaltChannel *channel, gint64 number)
{
  g_autoptr (MaltValue) value = malt_value_new_int64 (number);
  g_autoptr (GError) error = NULL;
  gboolean is_in = malt_channel_put (channel, value, NULL, &error);

  if (!is_in)
    contract_note ("put: %s", error->message);
  return is_in;
}

static void
b17_items_come_in_order_beyond_any_credit (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;

  malt_assert_channels (worker);
  channel = open_closing (worker, 5000);
  malt_assert (channel != NULL);
  for (int i = 1; i <= 5000; i++)
    malt_assert (takes (channel, i));
  malt_assert (is_at_end (channel));
  malt_assert (is_at_end (channel));
}

static void
b17_what_is_put_is_taken (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;

  malt_assert_channels (worker);
  channel = open_with_items (worker, 0);
  malt_assert (channel != NULL);
  for (int i = 1; i <= 300; i++)
    malt_assert (puts_int (channel, i));
  for (int i = 1; i <= 300; i++)
    malt_assert (takes (channel, i));
}

static void
b17_state_and_close_are_what_they_say (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) value = malt_value_new_int64 (1);
  g_autoptr (GError) error = NULL;

  malt_assert_channels (worker);
  channel = open_with_items (worker, 0);
  malt_assert (channel != NULL);
  malt_assert (malt_channel_is_open (channel, NULL, NULL));
  malt_assert (!malt_channel_is_ready (channel, NULL, NULL));
  malt_assert (puts_int (channel, 5));
  malt_assert (malt_channel_is_ready (channel, NULL, NULL));
  malt_assert (malt_channel_wait (channel, NULL, NULL));
  malt_assert (malt_channel_close (channel, NULL, &error));
  malt_assert (!malt_channel_is_open (channel, NULL, NULL));
  malt_assert (!malt_channel_put (channel, value, NULL, &error));
  malt_assert (error != NULL);
  malt_assert (takes (channel, 5));
  malt_assert (is_at_end (channel));
  malt_assert (contract_works (worker));
}

/* Cancelled takes */

static void
b17_a_take_that_was_cancelled_before_takes_nothing (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert_channels (worker);
  channel = open_with_items (worker, 2);
  malt_assert (channel != NULL);
  malt_assert (malt_channel_wait (channel, NULL, NULL));
  g_cancellable_cancel (cancellable);
  value = malt_channel_take (channel, cancellable, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (takes (channel, 1));
  malt_assert (takes (channel, 2));
}

/* A take and its cancellation race with a put. Whoever wins: the item is taken exactly once. */
static gboolean
cancel_against_put (MaltChannel *channel, gint64 number, GRand *random)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (number);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ContractAwait) taken = { 0 };
  g_auto (ContractAwait) put = { 0 };

  malt_channel_take_async (channel, cancellable, contract_on_ready,
                           contract_expect (&taken));
  malt_channel_put_async (channel, item, NULL, contract_on_ready, contract_expect (&put));
  if (g_rand_boolean (random))
    g_main_context_iteration (NULL, FALSE);
  if (g_rand_boolean (random))
    contract_await (&put);
  g_cancellable_cancel (cancellable);
  if (!contract_await (&taken) || !contract_await (&put) ||
      !malt_channel_put_finish (channel, put.result, NULL))
    return FALSE;
  value = malt_channel_take_finish (channel, taken.result, &error);
  if (value != NULL)
    return malt_value_get_int64 (value) == number;
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED) &&
         takes (channel, number);
}

static void
b17_takes_cancelled_at_random_lose_nothing (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  GRand *random;
  guint n_wrong = 0;

  malt_assert_channels (worker);
  channel = open_with_items (worker, 0);
  malt_assert (channel != NULL);
  random = g_rand_new_with_seed (SEED);
  for (int i = 1; i <= 300 && n_wrong == 0; i++)
    n_wrong += !cancel_against_put (channel, i, random);
  g_rand_free (random);
  malt_assert (n_wrong == 0);
  malt_assert (!malt_channel_is_ready (channel, NULL, NULL));
}

/* The same with three threads: one puts, one takes, one cancels whatever take is under way. */

#define N_TUGS 20000

typedef struct
{
  MaltChannel *channel;
  GMutex lock; /* guards current */
  GCancellable *current; /* (owned) (nullable): of the take that is under way */
  gint is_over; /* atomic */
  gint n_wrong; /* atomic */
} Tug;

static void
set_current (Tug *self, GCancellable *cancellable)
{
  g_mutex_lock (&self->lock);
  g_set_object (&self->current, cancellable);
  g_mutex_unlock (&self->lock);
}

static GCancellable *
dup_current (Tug *self)
{
  GCancellable *cancellable;

  g_mutex_lock (&self->lock);
  cancellable = self->current ? g_object_ref (self->current) : NULL;
  g_mutex_unlock (&self->lock);
  return cancellable;
}

static void
take_and_be_cancelled (Tug *self)
{
  gint64 next = 1;

  while (next <= N_TUGS && g_atomic_int_get (&self->n_wrong) == 0)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = NULL;

      set_current (self, cancellable);
      value = malt_channel_take (self->channel, cancellable, &error);
      if (value != NULL && malt_value_get_int64 (value) == next)
        next++;
      else if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED))
        g_atomic_int_inc (&self->n_wrong);
    }
  set_current (self, NULL);
  g_atomic_int_set (&self->is_over, TRUE);
}

static void
cancel_takes (Tug *self)
{
  GRand *random = g_rand_new_with_seed (SEED);

  while (!g_atomic_int_get (&self->is_over))
    {
      g_autoptr (GCancellable) cancellable = dup_current (self);

      for (int i = g_rand_int_range (random, 0, 20); i > 0; i--)
        g_thread_yield ();
      g_cancellable_cancel (cancellable);
    }
  g_rand_free (random);
}

static void
put_all (Tug *self)
{
  for (int i = 1; i <= N_TUGS && g_atomic_int_get (&self->n_wrong) == 0; i++)
    {
      if (!puts_int (self->channel, i))
        g_atomic_int_inc (&self->n_wrong);
    }
}

static void
pull (guint index, gpointer data)
{
  static void (*const roles[]) (Tug *) = { take_and_be_cancelled, cancel_takes, put_all };

  roles[index](data);
}

static void
b17_takes_cancelled_by_another_thread_lose_nothing (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  Tug self = { 0 };

  malt_assert_channels (worker);
  channel = open_with_items (worker, 0);
  malt_assert (channel != NULL);
  self.channel = channel;
  g_mutex_init (&self.lock);
  contract_in_threads (3, pull, &self);
  g_mutex_clear (&self.lock);
  malt_assert (self.n_wrong == 0);
}

/* Many takers */

typedef struct
{
  MaltChannel *channel;
  gint n_taken; /* atomic */
  gint sum; /* atomic */
} Takers;

static void
take_all (G_GNUC_UNUSED guint index, gpointer data)
{
  Takers *self = data;
  MaltValue *value;

  while ((value = malt_channel_take (self->channel, NULL, NULL)) != NULL)
    {
      g_atomic_int_inc (&self->n_taken);
      g_atomic_int_add (&self->sum, (gint) malt_value_get_int64 (value));
      malt_value_unref (value);
    }
}

static void
b17_many_takers_get_each_item_once (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  Takers self = { 0 };

  malt_assert_channels (worker);
  channel = open_closing (worker, 2000);
  malt_assert (channel != NULL);
  self.channel = channel;
  contract_in_threads (4, take_all, &self);
  malt_assert (self.n_taken == 2000);
  malt_assert (self.sum == 2000 * 2001 / 2);
}

/* Death of the worker */

static void
b17_after_the_workers_death_take_drains_then_says_closed (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltFuture) while_items_come = NULL;
  g_autoptr (MaltFuture) never = NULL;

  malt_assert_channels (worker);
  channel = open_with_items (worker, 10);
  malt_assert (channel != NULL);
  malt_assert (takes (channel, 1));
  while_items_come = contract_start_int (worker, CONTRACT_SLEEP_MS, 200);
  malt_assert (contract_gives_int (while_items_come, 200));
  never = contract_start (worker, CONTRACT_NEVER);
  contract_end_abruptly (worker);
  malt_assert (contract_fails (never, MALT_ERROR_WORKER_TERMINATED));
  for (int i = 2; i <= 10; i++)
    malt_assert (takes (channel, i));
  malt_assert (is_at_end (channel));
  malt_assert (!malt_channel_is_open (channel, NULL, NULL));
  malt_assert (!malt_channel_is_ready (channel, NULL, NULL));
}

static void
b17_a_take_that_waits_ends_with_the_worker (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (ContractAwait) await = { 0 };

  malt_assert_channels (worker);
  channel = open_with_items (worker, 0);
  malt_assert (channel != NULL);
  malt_channel_take_async (channel, NULL, contract_on_ready, contract_expect (&await));
  contract_end_abruptly (worker);
  malt_assert (contract_await (&await));
  malt_assert (malt_channel_take_finish (channel, await.result, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
}

static void
b17_a_channel_outlives_the_last_reference_to_its_worker (void)
{
  MaltWorker *worker = contract_launch ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) value = malt_value_new_int64 (1);

  if (worker != NULL && !contract_can (worker, MALT_CAPABILITY_CHANNELS))
    {
      gboolean is_refused = refuses_channels (worker);

      g_object_unref (worker);
      malt_assert (is_refused);
      return;
    }
  malt_assert (worker != NULL);
  channel = open_with_items (worker, 0);
  g_object_unref (worker);
  malt_assert (channel != NULL);
  malt_assert (is_at_end (channel));
  malt_assert (!malt_channel_put (channel, value, NULL, NULL));
  malt_assert (!malt_channel_is_open (channel, NULL, NULL));
}

/* Julia's own */

static void
b17_a_producer_is_held_back_by_a_host_that_does_not_take (void)
{
  static const char source[] = "Channel{Any}() do c; for i in 1:1_000_000; put!(c, i); "
                               "global contract_produced = i; end; end";
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltFuture) settle = NULL;
  g_autoptr (MaltValue) before = NULL;
  g_autoptr (MaltValue) after = NULL;

  malt_assert_channels (worker);
  malt_assert (contract_evals_to (worker, "contract_produced = 0", "0"));
  channel = open_source (worker, source);
  malt_assert (channel != NULL);
  settle = contract_start_int (worker, CONTRACT_SLEEP_MS, 500);
  malt_assert (contract_gives_int (settle, 500));
  before = malt_worker_remote_eval_fetch (worker, NULL, "contract_produced", NULL, NULL);
  malt_assert (malt_value_get_int64 (before) > 0);
  malt_assert (malt_value_get_int64 (before) <= MAX_AHEAD);
  for (int i = 1; i <= 3 * MAX_AHEAD; i++)
    malt_assert (takes (channel, i));
  after = malt_worker_remote_eval_fetch (worker, NULL, "contract_produced", NULL, NULL);
  malt_assert (malt_value_get_int64 (after) >= 3 * MAX_AHEAD - 1);
  malt_assert (malt_value_get_int64 (after) <= 4 * MAX_AHEAD + 1);
}

static void
b17_host_and_julia_talk_through_one_channel (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) to = NULL;
  g_autoptr (MaltChannel) from = NULL;

  malt_assert_channels (worker);
  malt_assert (malt_worker_remote_eval_wait (
      worker, NULL,
      "contract_in = Channel{Any}(0); contract_out = Channel{Any}(4); "
      "@async for x in contract_in; put!(contract_out, 2x); end; "
      "contract_sink = Channel{Any}(1000)",
      NULL, NULL));
  from = open_source (worker, "contract_out");
  to = open_source (worker, "contract_sink");
  malt_assert (from != NULL && to != NULL);
  for (int i = 1; i <= 50; i++)
    {
      g_autofree char *source = g_strdup_printf ("put!(contract_in, %d); 1", i);
      int doubled = 2 * i;

      malt_assert (contract_evals_to (worker, source, "1"));
      malt_assert (takes (from, doubled));
    }
}

static void
b17_a_producer_that_throws_closes_with_its_reason (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert_channels (worker);
  channel = open_source (
      worker, "Channel{Any}() do c; put!(c, 1); error(\"producer broke\"); end");
  malt_assert (channel != NULL);
  malt_assert (takes (channel, 1));
  value = malt_channel_take (channel, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  if (strstr (error->message, "producer broke") == NULL)
    contract_note ("reason: %s", error->message);
  malt_assert (strstr (error->message, "producer broke") != NULL);
}

static void
b17_what_is_not_a_channel_is_an_exception (void)
{
  static const char *const sources[] = { "1 + 1", "error(\"no channel today\")", "1 +" };
  MaltWorker *worker = contract_shared ();

  malt_assert_channels (worker);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltChannel) channel =
          malt_worker_channel (worker, NULL, sources[i], NULL, &error);

      malt_assert (channel == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
    }
  malt_assert (contract_works (worker));
}

static void
b17_items_of_a_megabyte_come_whole (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;

  malt_assert_channels (worker);
  channel = open_source (
      worker, "let c = Channel{Any}(30); for i in 1:30; put!(c, fill(UInt8(i), "
              "1_000_000)); end; close(c); c end");
  malt_assert (channel != NULL);
  for (int i = 1; i <= 30; i++)
    {
      g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, NULL);
      gsize n_bytes = 0;
      const guint8 *bytes = value ? malt_value_get_array_data (value, &n_bytes) : NULL;

      malt_assert (bytes != NULL && n_bytes == 1000000 && bytes[0] == i &&
                   bytes[n_bytes - 1] == i);
    }
  malt_assert (is_at_end (channel));
}

static void
b17_an_item_without_an_encoding_does_not_end_the_channel (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert_channels (worker);
  channel = open_source (worker, "let c = Channel{Any}(3); put!(c, 1); put!(c, "
                                 "ContractUnencodable()); put!(c, 3); c end");
  malt_assert (channel != NULL);
  malt_assert (takes (channel, 1));
  value = malt_channel_take (channel, NULL, &error);
  malt_assert (value != NULL || error != NULL);
  malt_assert (contract_works (worker));
}

typedef struct
{
  MaltWorker *worker; /* (unowned) */
  GCancellable *cancellable; /* (unowned) */
} Opening;

static gpointer
give_up_once_begun (gpointer data)
{
  Opening *self = data;

  contract_evals_to (self->worker, "take!(contract_begun)", "1");
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
b17_an_opening_that_was_given_up_takes_nothing (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Opening opening = { worker, cancellable };
  g_autoptr (MaltChannel) given_up = NULL;
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  malt_assert_channels (worker);
  malt_assert (malt_worker_remote_eval_wait (
      worker, NULL,
      "contract_begun = Channel(1); contract_gate = Channel(1); "
      "contract_kept = Channel{Any}(3); put!(contract_kept, 1); put!(contract_kept, 2)",
      NULL, NULL));
  thread = g_thread_new ("contract", give_up_once_begun, &opening);
  given_up = malt_worker_channel (
      worker, NULL, "put!(contract_begun, 1); take!(contract_gate); contract_kept",
      cancellable, &error);
  g_thread_join (thread);
  malt_assert (given_up == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (contract_evals_to (worker, "put!(contract_gate, 1)", "1"));
  channel = open_source (worker, "contract_kept");
  malt_assert (channel != NULL);
  malt_assert (takes (channel, 1));
  malt_assert (takes (channel, 2));
}

const ContractTest contract_b17[] = {
  CONTRACT_TEST (b17_items_come_in_order_beyond_any_credit),
  CONTRACT_TEST (b17_what_is_put_is_taken),
  CONTRACT_TEST (b17_state_and_close_are_what_they_say),
  CONTRACT_TEST (b17_a_take_that_was_cancelled_before_takes_nothing),
  CONTRACT_TEST (b17_takes_cancelled_at_random_lose_nothing),
  CONTRACT_TEST (b17_takes_cancelled_by_another_thread_lose_nothing),
  CONTRACT_TEST (b17_many_takers_get_each_item_once),
  CONTRACT_TEST (b17_after_the_workers_death_take_drains_then_says_closed),
  CONTRACT_TEST (b17_a_take_that_waits_ends_with_the_worker),
  CONTRACT_TEST (b17_a_channel_outlives_the_last_reference_to_its_worker),
  CONTRACT_JULIA_TEST (b17_a_producer_is_held_back_by_a_host_that_does_not_take),
  CONTRACT_JULIA_TEST (b17_host_and_julia_talk_through_one_channel),
  CONTRACT_JULIA_TEST (b17_a_producer_that_throws_closes_with_its_reason),
  CONTRACT_JULIA_TEST (b17_what_is_not_a_channel_is_an_exception),
  CONTRACT_JULIA_TEST (b17_items_of_a_megabyte_come_whole),
  CONTRACT_JULIA_TEST (b17_an_item_without_an_encoding_does_not_end_the_channel),
  CONTRACT_JULIA_TEST (b17_an_opening_that_was_given_up_takes_nothing),
  CONTRACT_END,
};
