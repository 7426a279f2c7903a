/* SPDX-License-Identifier: MIT */
/* A worker that wraps another: what is said of the inner one counts for its front. */
#include "malt-test.h"
#include "stub-worker.h"
#include "value/malt-value-private.h"
#include "worker/malt-worker-private.h"

#include "base/malt-signals.h"

/* A front that forwards calls and releases, around the worker of the test. */

typedef MaltWorker FrontWorker;
typedef MaltWorkerClass FrontWorkerClass;

static MaltWorker *next_inner; /* (unowned): what the next front wraps */
static guint n_released;

static GType front_worker_get_type (void);
static void initable_init (GInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (FrontWorker, front_worker, MALT_TYPE_WORKER,
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_init)
                             G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

static gboolean
front_init (GInitable *initable, G_GNUC_UNUSED GCancellable *cancellable,
            G_GNUC_UNUSED GError **error)
{
  malt_worker_set_inner (MALT_WORKER (initable), next_inner);
  return TRUE;
}

static void
initable_init (GInitableIface *iface)
{
  iface->init = front_init;
}

static void
front_remote_call (MaltWorker *worker, MaltFuture *future)
{
  MaltWorker *inner = malt_worker_get_inner (worker);

  MALT_WORKER_GET_CLASS (inner)->remote_call (inner, future);
}

static gboolean
front_is_running (MaltWorker *worker)
{
  return malt_worker_is_running (malt_worker_get_inner (worker));
}

static void
front_release_handles (MaltWorker *worker, const guint64 *ids, gsize n_ids)
{
  MaltWorker *inner = malt_worker_get_inner (worker);

  n_released += (guint) n_ids;
  MALT_WORKER_GET_CLASS (inner)->release_handles (inner, ids, n_ids);
}

static void
front_stop_async (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
                  GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
  MaltWorker *inner = malt_worker_get_inner (worker);

  MALT_WORKER_GET_CLASS (inner)->stop_async (inner, exit_timeout_ms, term_timeout_ms,
                                             cancellable, callback, user_data);
}

static gboolean
front_stop_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  MaltWorker *inner = malt_worker_get_inner (worker);

  return MALT_WORKER_GET_CLASS (inner)->stop_finish (inner, result, error);
}

static void
front_worker_init (G_GNUC_UNUSED FrontWorker *self)
{
}

static void
front_worker_class_init (FrontWorkerClass *klass)
{
  static const MaltOption no_options[] = { { .name = NULL } };
  MaltWorkerClass *stub = g_type_class_ref (STUB_TYPE_WORKER);

  klass->name = "front";
  klass->description = "wraps a worker of the test";
  klass->options = no_options;
  klass->capabilities = stub->capabilities | MALT_CAPABILITY_REMOTE;
  klass->remote_call = front_remote_call;
  klass->remote_do = stub->remote_do;
  klass->interrupt_async = stub->interrupt_async;
  klass->interrupt_finish = stub->interrupt_finish;
  klass->is_running = front_is_running;
  klass->stop_async = front_stop_async;
  klass->stop_finish = front_stop_finish;
  klass->kill = stub->kill;
  klass->channel_open = stub->channel_open;
  klass->channel_credit = stub->channel_credit;
  klass->channel_put = stub->channel_put;
  klass->channel_close = stub->channel_close;
  klass->channel_state = stub->channel_state;
  klass->channel_forget = stub->channel_forget;
  klass->export_function = stub->export_function;
  klass->unexport_function = stub->unexport_function;
  klass->release_handles = front_release_handles;
  g_type_class_unref (stub);
}

typedef struct
{
  MaltWorker *inner; /* (owned) */
  MaltWorker *front; /* (owned) */
} Fixture;

static Fixture
fixture_wrap (MaltWorker *inner)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_backend_register (front_worker_get_type (), NULL);
  malt_config_set_backend (config, "front");
  next_inner = inner;
  return (Fixture){ inner, malt_worker_launch (config, NULL, NULL) };
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_object (&fixture->inner);
  g_clear_object (&fixture->front);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static MaltFuture *
start_call (MaltWorker *worker)
{
  g_autoptr (MaltCall) call = malt_call_new ("hold");

  return malt_worker_remote_call (worker, call);
}

static void
answers_to_the_inner_worker_are_answers_to_the_front (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  g_autoptr (MaltFuture) future = NULL;
  guint32 id;

  malt_assert (fixture.front != NULL);
  future = start_call (fixture.front);
  id = malt_future_get_id (future);
  malt_assert (malt_worker_is_pending (fixture.inner, id));
  malt_assert_int (malt_worker_get_n_pending (fixture.inner), 1);
  malt_assert (malt_worker_complete_call (fixture.inner, id, NULL, NULL));
  malt_assert (malt_future_is_done (future));
  malt_assert (!malt_worker_complete_call (fixture.inner, id, NULL, NULL));
  malt_assert_int (malt_worker_get_n_pending (fixture.inner), 0);
}

static void
a_front_can_do_no_more_than_its_inner_worker (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());

  malt_assert (fixture.front != NULL);
  malt_assert (malt_worker_get_capabilities (fixture.front) ==
               malt_worker_get_capabilities (fixture.inner));
}

static void
calls_of_the_inner_worker_itself_fail (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (fixture.front != NULL);
  future = start_call (fixture.inner);
  malt_assert (malt_future_fetch (future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_FAILED);
}

static void
the_end_of_the_inner_worker_is_that_of_both (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (fixture.front != NULL);
  malt_assert (malt_worker_is_running (fixture.front));
  future = start_call (fixture.front);
  stub_worker_end (fixture.inner, SIGKILL);
  malt_assert (malt_future_is_done (future));
  malt_assert (malt_future_fetch (future, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = malt_worker_dup_termination (fixture.front);
  malt_assert (termination != NULL);
  malt_assert (!malt_worker_is_running (fixture.front));
  malt_assert (!malt_worker_is_running (fixture.inner));
}

static void
an_inner_worker_that_has_ended_ends_the_front (void)
{
  MaltWorker *inner = stub_worker_launch ();
  g_auto (Fixture) fixture = { NULL, NULL };

  stub_worker_end (inner, SIGKILL);
  fixture = fixture_wrap (inner);
  malt_assert (fixture.front != NULL);
  malt_assert (!malt_worker_is_running (fixture.front));
}

static void
a_stop_of_the_front_is_finished_by_its_own_class (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  g_autoptr (GError) error = NULL;

  malt_assert (fixture.front != NULL);
  malt_assert (malt_worker_stop (fixture.front, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (!malt_worker_is_running (fixture.inner));
}

static void
handles_that_go_are_released_by_the_front (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  MaltHandleHome *home;

  malt_assert (fixture.front != NULL);
  home = malt_worker_get_handle_home (fixture.inner);
  malt_assert (home == malt_worker_get_handle_home (fixture.front));
  n_released = 0;
  malt_handle_home_release (home, 7);
  malt_assert_int (n_released, 1);
  malt_assert (stub_record.last_released_handle == 7);
  g_clear_object (&fixture.front);
  malt_handle_home_release (home, 8);
  malt_assert_int (n_released, 1);
}

static void
a_front_that_goes_drops_its_inner_worker (void)
{
  g_auto (Fixture) fixture = fixture_wrap (stub_worker_launch ());
  g_autoptr (MaltFuture) future = NULL;
  guint32 id;

  malt_assert (fixture.front != NULL);
  future = start_call (fixture.front);
  id = malt_future_get_id (future);
  g_clear_object (&fixture.front);
  malt_assert (malt_future_is_done (future));
  /* Its backend may still say something. */
  malt_assert (!malt_worker_complete_call (fixture.inner, id, NULL, NULL));
  malt_assert (malt_worker_dup_channel (fixture.inner, 1) == NULL);
  malt_assert_int (malt_worker_get_n_pending (fixture.inner), 0);
  malt_assert_int (stub_record.n_disposed, 0);
  g_clear_object (&fixture.inner);
  malt_assert_int (stub_record.n_disposed, 1);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "answers_to_the_inner_worker_are_answers_to_the_front",
      answers_to_the_inner_worker_are_answers_to_the_front },
    { "a_front_can_do_no_more_than_its_inner_worker",
      a_front_can_do_no_more_than_its_inner_worker },
    { "calls_of_the_inner_worker_itself_fail", calls_of_the_inner_worker_itself_fail },
    { "the_end_of_the_inner_worker_is_that_of_both",
      the_end_of_the_inner_worker_is_that_of_both },
    { "an_inner_worker_that_has_ended_ends_the_front",
      an_inner_worker_that_has_ended_ends_the_front },
    { "a_stop_of_the_front_is_finished_by_its_own_class",
      a_stop_of_the_front_is_finished_by_its_own_class },
    { "handles_that_go_are_released_by_the_front",
      handles_that_go_are_released_by_the_front },
    { "a_front_that_goes_drops_its_inner_worker",
      a_front_that_goes_drops_its_inner_worker },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "inner", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
