/* SPDX-License-Identifier: MIT */
/* Futures: completed once, waited for in every way. */
#include "base/malt-signals.h"
#include "malt-test.h"
#include "stub-worker.h"

#define N_THREADS 8
#define N_ROUNDS 2000
#define N_CANCELLED 200

typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltFuture *future; /* (owned) */
} Fixture;

static Fixture
start_call (gint64 timeout_ms)
{
  g_autoptr (MaltCall) call = malt_call_new ("hold");
  MaltWorker *worker = stub_worker_launch ();

  malt_call_set_timeout_ms (call, timeout_ms);
  return (Fixture){ worker, malt_worker_remote_call (worker, call) };
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_object (&fixture->future);
  g_clear_object (&fixture->worker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static gboolean
answer (Fixture *fixture, gint64 value)
{
  return malt_worker_complete_call (fixture->worker, malt_future_get_id (fixture->future),
                                    malt_value_new_int64 (value), NULL);
}

static void
fetch_gives_the_value_again_and_again (void)
{
  g_auto (Fixture) fixture = start_call (-1);

  malt_assert (!malt_future_is_done (fixture.future));
  malt_assert (malt_future_get_id (fixture.future) != 0);
  malt_assert (answer (&fixture, 5));
  malt_assert (malt_future_is_done (fixture.future));
  for (int i = 0; i < 3; i++)
    {
      g_autoptr (MaltValue) value = malt_future_fetch (fixture.future, NULL, NULL);

      malt_assert (value != NULL && malt_value_get_int64 (value) == 5);
    }
}

static void
second_completion_is_dropped (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (MaltValue) value = NULL;

  malt_assert (answer (&fixture, 1));
  malt_assert (!answer (&fixture, 2));
  value = malt_future_fetch (fixture.future, NULL, NULL);
  malt_assert (malt_value_get_int64 (value) == 1);
}

static void
answer_without_a_value_is_nothing (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (MaltValue) value = NULL;

  malt_assert (malt_worker_complete_call (
      fixture.worker, malt_future_get_id (fixture.future), NULL, NULL));
  value = malt_future_fetch (fixture.future, NULL, NULL);
  malt_assert (malt_value_get_kind (value) == MALT_VALUE_NOTHING);
}

static void
cancelled_future_fails_and_stays_outstanding (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (GError) error = NULL;

  malt_future_cancel (fixture.future);
  malt_assert (malt_future_fetch (fixture.future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (malt_worker_get_n_pending (fixture.worker) == 1);
  malt_assert (
      malt_worker_is_pending (fixture.worker, malt_future_get_id (fixture.future)));
  malt_assert (malt_future_interrupt (fixture.future, MALT_INTERRUPT_DEFAULT, NULL,
                                      NULL) == MALT_INTERRUPT_DELIVERED);
  malt_assert (!answer (&fixture, 1));
  malt_assert (malt_worker_get_n_pending (fixture.worker) == 0);
  malt_assert (malt_future_interrupt (fixture.future, MALT_INTERRUPT_DEFAULT, NULL,
                                      NULL) == MALT_INTERRUPT_GONE);
}

static void
deadline_completes_the_future (void)
{
  g_auto (Fixture) fixture = start_call (20);
  g_autoptr (GError) error = NULL;

  malt_assert (malt_future_fetch (fixture.future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_TIMED_OUT);
  malt_assert (!answer (&fixture, 1));
}

static void
answer_beats_the_deadline (void)
{
  g_auto (Fixture) fixture = start_call (60000);
  g_autoptr (MaltValue) value = NULL;
  MaltFuture *future = fixture.future;

  malt_assert (answer (&fixture, 3));
  value = malt_future_fetch (future, NULL, NULL);
  malt_assert (malt_value_get_int64 (value) == 3);
  g_object_add_weak_pointer (G_OBJECT (future), (gpointer *) &future);
  g_clear_object (&fixture.future);
  malt_assert (future == NULL);
}

static void
wait_times_out_and_leaves_the_future_pending (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (GError) error = NULL;

  malt_assert (!malt_future_wait (fixture.future, 10, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_TIMED_OUT);
  malt_assert (!malt_future_is_done (fixture.future));
  malt_future_cancel (fixture.future);
  malt_assert (malt_future_wait (fixture.future, -1, NULL, NULL));
}

static gpointer
cancel_in_thread (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

/* Another thread cancels before, at the start of or during the wait. */
static MaltValue *
fetch_while_cancelled (MaltFuture *future, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("cancel", cancel_in_thread, cancellable);
  MaltValue *value = malt_future_fetch (future, cancellable, error);

  g_thread_join (thread);
  return value;
}

static void
cancelling_a_fetch_gives_up_that_wait_only (void)
{
  g_auto (Fixture) fixture = start_call (-1);

  for (int i = 0; i < N_CANCELLED; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = fetch_while_cancelled (fixture.future, &error);

      malt_assert (value == NULL);
      malt_assert (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
    }
  malt_assert (!malt_future_is_done (fixture.future));
  malt_assert (answer (&fixture, 8));
}

static void
cancelling_a_fetch_async_gives_up_that_wait_only (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_auto (MaltTestAwait) given_up = { .result = NULL };
  g_auto (MaltTestAwait) received = { .result = NULL };

  malt_future_fetch_async (fixture.future, cancellable, malt_test_on_ready,
                           malt_test_expect (&given_up));
  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&received));
  g_cancellable_cancel (cancellable);
  malt_test_await (&given_up);
  malt_assert (malt_future_fetch_finish (fixture.future, given_up.result, &error) ==
               NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (answer (&fixture, 8));
  malt_test_await (&received);
  value = malt_future_fetch_finish (fixture.future, received.result, NULL);
  malt_assert (malt_value_get_int64 (value) == 8);
}

static void
callback_never_runs_inside_a_call (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_auto (MaltTestAwait) early = { .result = NULL };
  g_auto (MaltTestAwait) late = { .result = NULL };

  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&early));
  malt_future_cancel (fixture.future);
  malt_assert (early.result == NULL);
  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&late));
  malt_assert (late.result == NULL);
  malt_test_await (&early);
  malt_test_await (&late);
  malt_assert (early.thread == g_thread_self ());
}

/* Cancels the future inside a callback of the context that waits for it. */
typedef struct
{
  Fixture *fixture;
  MaltTestAwait *received;
  gboolean ran_inside;
} Nested;

static gboolean
on_idle_cancel (gpointer data)
{
  Nested *nested = data;

  malt_future_cancel (nested->fixture->future);
  nested->ran_inside = nested->received->result != NULL;
  return G_SOURCE_REMOVE;
}

static void
callback_never_runs_inside_a_call_of_its_own_loop (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_auto (MaltTestAwait) received = { .result = NULL };
  Nested nested = { &fixture, &received, TRUE };

  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&received));
  g_idle_add (on_idle_cancel, &nested);
  malt_test_await (&received);
  malt_assert (!nested.ran_inside);
}

static void
callbacks_come_in_the_order_of_the_waits (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_auto (MaltTestAwait) first = { .result = NULL };
  g_auto (MaltTestAwait) second = { .result = NULL };

  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&first));
  malt_future_fetch_async (fixture.future, NULL, malt_test_on_ready,
                           malt_test_expect (&second));
  malt_assert (answer (&fixture, 1));
  while (first.result == NULL && second.result == NULL)
    g_main_context_iteration (NULL, TRUE);
  malt_assert (first.result != NULL);
  malt_test_await (&second);
}

static void
futures_keep_no_worker (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  g_autoptr (GError) error = NULL;

  g_clear_object (&fixture.worker);
  malt_assert (stub_record.n_disposed == 1);
  malt_assert (malt_future_fetch (fixture.future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (malt_future_dup_worker (fixture.future) == NULL);
  malt_assert (malt_future_interrupt (fixture.future, MALT_INTERRUPT_DEFAULT, NULL,
                                      NULL) == MALT_INTERRUPT_GONE);
}

static void
set_flag (gpointer data)
{
  g_atomic_int_set ((gint *) data, TRUE);
}

static gpointer
answer_in_thread (gpointer data)
{
  answer (data, 1);
  return NULL;
}

static void
waker_runs_for_other_threads_only (void)
{
  g_auto (Fixture) own = start_call (-1);
  g_auto (Fixture) other = start_call (-1);
  gint is_awake = FALSE;

  malt_assert (malt_future_set_waker (own.future, set_flag, &is_awake));
  malt_assert (answer (&own, 1));
  malt_assert (!is_awake);
  malt_assert (!malt_future_set_waker (own.future, set_flag, &is_awake));
  malt_assert (malt_future_set_waker (other.future, set_flag, &is_awake));
  g_thread_join (g_thread_new ("answer", answer_in_thread, &other));
  malt_assert (g_atomic_int_get (&is_awake));
}

/* Eight threads, each of which tries to end the same futures in its own way; exactly one
 * may succeed for each. */
typedef struct
{
  MaltWorker *worker;
  MaltFuture **futures;
  gint n_answered; /* atomic */
} Race;

static gpointer
answer_all (gpointer data)
{
  Race *race = data;

  for (guint i = 0; i < N_ROUNDS; i++)
    if (malt_worker_complete_call (race->worker, malt_future_get_id (race->futures[i]),
                                   malt_value_new_int64 (1), NULL))
      g_atomic_int_inc (&race->n_answered);
  return NULL;
}

static gpointer
cancel_all (gpointer data)
{
  Race *race = data;

  for (guint i = N_ROUNDS; i > 0; i--)
    malt_future_cancel (race->futures[i - 1]);
  return NULL;
}

static void
racing_threads_complete_each_future_once (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (MaltCall) call = malt_call_new ("hold");
  GThread *threads[N_THREADS];
  Race race = { worker, NULL, 0 };
  gint n_values = 0;

  for (guint i = 0; i < N_ROUNDS; i++)
    g_ptr_array_add (futures, malt_worker_remote_call (worker, call));
  race.futures = (MaltFuture **) futures->pdata;
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("race", i % 2 == 0 ? answer_all : cancel_all, &race);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr (MaltValue) value = malt_future_fetch (race.futures[i], NULL, NULL);

      n_values += value != NULL;
    }
  malt_assert (n_values == race.n_answered);
  malt_assert (malt_worker_get_n_pending (worker) == 0);
}

/* Watches */

typedef struct
{
  guint n_calls;
  guint n_destroyed;
  gboolean was_done;
} Watched;

static void
on_watched (MaltFuture *future, gpointer data)
{
  Watched *watched = data;

  watched->n_calls++;
  watched->was_done = malt_future_is_done (future);
}

static void
on_watch_destroyed (gpointer data)
{
  ((Watched *) data)->n_destroyed++;
}

static void
watches_run_once_when_the_future_is_done (void)
{
  g_auto (Fixture) fixture = start_call (-1);
  Watched early = { 0 };
  Watched late = { 0 };

  malt_future_add_watch (fixture.future, on_watched, &early, on_watch_destroyed);
  malt_assert_int (early.n_calls, 0);
  malt_future_cancel (fixture.future);
  malt_assert_int (early.n_calls, 1);
  malt_assert (early.was_done);
  malt_assert_int (early.n_destroyed, 1);
  malt_future_add_watch (fixture.future, on_watched, &late, on_watch_destroyed);
  malt_assert_int (late.n_calls, 1);
  malt_assert_int (late.n_destroyed, 1);
  malt_assert_int (early.n_calls, 1);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "fetch_gives_the_value_again_and_again", fetch_gives_the_value_again_and_again },
    { "second_completion_is_dropped", second_completion_is_dropped },
    { "answer_without_a_value_is_nothing", answer_without_a_value_is_nothing },
    { "cancelled_future_fails_and_stays_outstanding",
      cancelled_future_fails_and_stays_outstanding },
    { "deadline_completes_the_future", deadline_completes_the_future },
    { "answer_beats_the_deadline", answer_beats_the_deadline },
    { "wait_times_out_and_leaves_the_future_pending",
      wait_times_out_and_leaves_the_future_pending },
    { "cancelling_a_fetch_gives_up_that_wait_only",
      cancelling_a_fetch_gives_up_that_wait_only },
    { "cancelling_a_fetch_async_gives_up_that_wait_only",
      cancelling_a_fetch_async_gives_up_that_wait_only },
    { "callback_never_runs_inside_a_call", callback_never_runs_inside_a_call },
    { "callback_never_runs_inside_a_call_of_its_own_loop",
      callback_never_runs_inside_a_call_of_its_own_loop },
    { "callbacks_come_in_the_order_of_the_waits",
      callbacks_come_in_the_order_of_the_waits },
    { "futures_keep_no_worker", futures_keep_no_worker },
    { "waker_runs_for_other_threads_only", waker_runs_for_other_threads_only },
    { "racing_threads_complete_each_future_once",
      racing_threads_complete_each_future_once },
    { "watches_run_once_when_the_future_is_done",
      watches_run_once_when_the_future_is_done },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "future", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
