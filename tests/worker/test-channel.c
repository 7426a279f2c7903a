/* SPDX-License-Identifier: MIT */
/* Channels: order, credit, cancelled takes, closing, the end of the worker. */
#include "base/malt-signals.h"
#include "malt-test.h"
#include "stub-worker.h"
#include "worker/malt-channel-private.h"

#include <string.h>

#define N_TAKERS 4
#define N_ITEMS 20000

typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltChannel *channel; /* (owned) */
} Fixture;

static Fixture
open_channel (void)
{
  MaltWorker *worker = stub_worker_launch ();

  return (Fixture){ worker, malt_worker_channel (worker, NULL, "c", NULL, NULL) };
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_object (&fixture->channel);
  g_clear_object (&fixture->worker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static gboolean
push (Fixture *fixture, gint64 number)
{
  return malt_channel_push (fixture->channel, malt_value_new_int64 (number));
}

/* The number that a take gives; -1: none. */
static gint64
take (Fixture *fixture)
{
  g_autoptr (MaltValue) value = malt_channel_take (fixture->channel, NULL, NULL);

  return value != NULL ? malt_value_get_int64 (value) : -1;
}

static void
items_come_in_order (void)
{
  g_auto (Fixture) fixture = open_channel ();

  malt_assert (fixture.channel != NULL);
  malt_assert (push (&fixture, 1) && push (&fixture, 2));
  malt_assert (malt_channel_is_ready (fixture.channel, NULL, NULL));
  malt_assert (take (&fixture) == 1);
  malt_assert (take (&fixture) == 2);
  malt_assert (!malt_channel_is_ready (fixture.channel, NULL, NULL));
  malt_assert (malt_channel_is_open (fixture.channel, NULL, NULL));
}

static void
credit_bounds_the_queue_and_comes_back_in_batches (void)
{
  g_auto (Fixture) fixture = open_channel ();

  malt_assert (stub_record.n_credit == MALT_CHANNEL_WINDOW);
  for (gint64 i = 0; i < MALT_CHANNEL_WINDOW; i++)
    malt_assert (push (&fixture, i));
  malt_assert (!push (&fixture, 99));
  for (gint64 i = 0; i < MALT_CHANNEL_WINDOW / 2 - 1; i++)
    malt_assert (take (&fixture) == i);
  malt_assert (stub_record.n_credit == MALT_CHANNEL_WINDOW);
  malt_assert (take (&fixture) == MALT_CHANNEL_WINDOW / 2 - 1);
  malt_assert (stub_record.n_credit == MALT_CHANNEL_WINDOW + MALT_CHANNEL_WINDOW / 2);
  malt_assert (push (&fixture, 100));
}

static void
takers_are_served_in_order (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_auto (MaltTestAwait) first = { .result = NULL };
  g_auto (MaltTestAwait) second = { .result = NULL };
  g_autoptr (MaltValue) one = NULL;
  g_autoptr (MaltValue) two = NULL;

  malt_channel_take_async (fixture.channel, NULL, malt_test_on_ready,
                           malt_test_expect (&first));
  malt_channel_take_async (fixture.channel, NULL, malt_test_on_ready,
                           malt_test_expect (&second));
  malt_assert (push (&fixture, 1) && push (&fixture, 2));
  malt_assert (first.result == NULL);
  malt_test_await (&first);
  malt_test_await (&second);
  one = malt_channel_take_finish (fixture.channel, first.result, NULL);
  two = malt_channel_take_finish (fixture.channel, second.result, NULL);
  malt_assert (malt_value_get_int64 (one) == 1);
  malt_assert (malt_value_get_int64 (two) == 2);
}

static void
cancelled_take_loses_nothing (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (MaltTestAwait) given_up = { .result = NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) early = NULL;

  malt_channel_take_async (fixture.channel, cancellable, malt_test_on_ready,
                           malt_test_expect (&given_up));
  g_cancellable_cancel (cancellable);
  malt_test_await (&given_up);
  malt_assert (malt_channel_take_finish (fixture.channel, given_up.result, &error) ==
               NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (push (&fixture, 1));
  malt_assert (malt_channel_take (fixture.channel, cancellable, &early) == NULL);
  malt_assert_error (early, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (take (&fixture) == 1);
}

static void
wait_tells_of_an_item_without_taking_it (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (GError) error = NULL;

  malt_channel_wait_async (fixture.channel, NULL, malt_test_on_ready,
                           malt_test_expect (&await));
  malt_assert (push (&fixture, 1));
  malt_test_await (&await);
  malt_assert (malt_channel_wait_finish (fixture.channel, await.result, NULL));
  malt_assert (malt_channel_wait (fixture.channel, NULL, NULL));
  malt_assert (take (&fixture) == 1);
  malt_channel_push_closed (fixture.channel, NULL);
  malt_assert (!malt_channel_wait (fixture.channel, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
}

static void
closed_channel_is_drained_and_then_says_why (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (3);
  g_autoptr (GError) take_error = NULL;
  g_autoptr (GError) put_error = NULL;

  malt_assert (push (&fixture, 1));
  malt_channel_push_closed (fixture.channel, "it broke");
  malt_assert (!malt_channel_is_open (fixture.channel, NULL, NULL));
  malt_assert (push (&fixture, 2));
  malt_assert (take (&fixture) == 1);
  malt_assert (malt_channel_take (fixture.channel, NULL, &take_error) == NULL);
  malt_assert_error (take_error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  malt_assert (strstr (take_error->message, "it broke") != NULL);
  malt_assert (!malt_channel_put (fixture.channel, item, NULL, &put_error));
  malt_assert_error (put_error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  malt_assert (malt_channel_close (fixture.channel, NULL, NULL));
}

static void
end_of_the_worker_closes_the_channel (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (3);
  g_auto (MaltTestAwait) put = { .result = NULL };
  g_autoptr (GError) take_error = NULL;
  g_autoptr (GError) put_error = NULL;
  g_autoptr (GError) open_error = NULL;

  malt_assert (push (&fixture, 1));
  malt_channel_put_async (fixture.channel, item, NULL, malt_test_on_ready,
                          malt_test_expect (&put));
  stub_worker_end (fixture.worker, SIGKILL);
  malt_test_await (&put);
  malt_assert (!malt_channel_put_finish (fixture.channel, put.result, &put_error));
  malt_assert_error (put_error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (!malt_channel_is_open (fixture.channel, NULL, &open_error));
  malt_assert (open_error == NULL);
  malt_assert (take (&fixture) == 1);
  malt_assert (malt_channel_take (fixture.channel, NULL, &take_error) == NULL);
  malt_assert_error (take_error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  malt_assert (strstr (take_error->message, "SIGKILL") != NULL);
  malt_assert (malt_channel_close (fixture.channel, NULL, NULL));
}

static void
channel_outlives_its_worker (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (3);
  g_autoptr (GError) error = NULL;

  malt_assert (push (&fixture, 1));
  g_clear_object (&fixture.worker);
  malt_assert (take (&fixture) == 1);
  malt_assert (take (&fixture) == -1);
  malt_assert (!malt_channel_put (fixture.channel, item, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
}

static void
put_into_a_channel_that_closed_meanwhile_says_closed (void)
{
  g_auto (Fixture) fixture = open_channel ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (3);
  g_auto (MaltTestAwait) put = { .result = NULL };
  g_autoptr (GError) error = NULL;

  malt_channel_put_async (fixture.channel, item, NULL, malt_test_on_ready,
                          malt_test_expect (&put));
  malt_worker_complete_call (fixture.worker, stub_record.last_request_id, NULL,
                             malt_error_new_remote_exception ("InvalidStateException",
                                                              "Channel is closed.", NULL,
                                                              NULL));
  malt_test_await (&put);
  malt_assert (!malt_channel_put_finish (fixture.channel, put.result, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
}

static void
dropped_channel_is_forgotten (void)
{
  g_auto (Fixture) fixture = open_channel ();
  guint32 id = malt_channel_get_id (fixture.channel);
  g_autoptr (MaltChannel) found = malt_worker_dup_channel (fixture.worker, id);

  malt_assert (found == fixture.channel);
  g_clear_object (&found);
  g_clear_object (&fixture.channel);
  malt_assert (stub_record.n_forgotten == 1);
  malt_assert (malt_worker_dup_channel (fixture.worker, id) == NULL);
}

static void
open_async_gives_a_channel (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (MaltChannel) channel = NULL;

  malt_worker_channel_async (worker, NULL, "c", NULL, malt_test_on_ready,
                             malt_test_expect (&await));
  malt_test_await (&await);
  channel = malt_worker_channel_finish (worker, await.result, NULL);
  malt_assert (channel != NULL);
  malt_assert (malt_channel_get_id (channel) == stub_record.last_channel_id);
}

/* Four threads take, some of their takes are cancelled at random moments, one thread
 * pushes; every item arrives once. */
typedef struct
{
  MaltChannel *channel;
  gint n_taken; /* atomic */
  gint sum; /* atomic */
} Flow;

static gpointer
cancel_at_once (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

static gpointer
take_many (gpointer data)
{
  Flow *flow = data;

  for (guint i = 0;; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = NULL;
      GThread *canceller = NULL;

      if (i % 16 == 0)
        canceller = g_thread_new ("cancel", cancel_at_once, cancellable);
      value = malt_channel_take (flow->channel, cancellable, &error);
      if (canceller != NULL)
        g_thread_join (canceller);
      if (value != NULL)
        {
          g_atomic_int_inc (&flow->n_taken);
          g_atomic_int_add (&flow->sum, (gint) malt_value_get_int64 (value));
        }
      else if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED))
        return NULL;
    }
}

static void
cancelled_takes_among_many_lose_nothing (void)
{
  g_auto (Fixture) fixture = open_channel ();
  GThread *threads[N_TAKERS];
  Flow flow = { fixture.channel, 0, 0 };
  gint sum = 0;

  for (guint i = 0; i < N_TAKERS; i++)
    threads[i] = g_thread_new ("take", take_many, &flow);
  for (gint i = 0; i < N_ITEMS; i++)
    {
      while (!push (&fixture, i))
        g_thread_yield ();
      sum += i;
    }
  malt_channel_push_closed (fixture.channel, NULL);
  for (guint i = 0; i < N_TAKERS; i++)
    g_thread_join (threads[i]);
  malt_assert (flow.n_taken == N_ITEMS);
  malt_assert (flow.sum == sum);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "items_come_in_order", items_come_in_order },
    { "credit_bounds_the_queue_and_comes_back_in_batches",
      credit_bounds_the_queue_and_comes_back_in_batches },
    { "takers_are_served_in_order", takers_are_served_in_order },
    { "cancelled_take_loses_nothing", cancelled_take_loses_nothing },
    { "wait_tells_of_an_item_without_taking_it",
      wait_tells_of_an_item_without_taking_it },
    { "closed_channel_is_drained_and_then_says_why",
      closed_channel_is_drained_and_then_says_why },
    { "end_of_the_worker_closes_the_channel", end_of_the_worker_closes_the_channel },
    { "channel_outlives_its_worker", channel_outlives_its_worker },
    { "put_into_a_channel_that_closed_meanwhile_says_closed",
      put_into_a_channel_that_closed_meanwhile_says_closed },
    { "dropped_channel_is_forgotten", dropped_channel_is_forgotten },
    { "open_async_gives_a_channel", open_async_gives_a_channel },
    { "cancelled_takes_among_many_lose_nothing",
      cancelled_takes_among_many_lose_nothing },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "channel", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
