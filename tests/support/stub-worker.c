/* SPDX-License-Identifier: MIT */
/* A backend that does only what the test tells it. */
#include "stub-worker.h"

#include <string.h>

struct _StubWorker
{
  MaltWorker parent_instance;
};

StubRecord stub_record;

static void stub_worker_initable_init (GInitableIface *iface);
static void stub_worker_async_initable_init (GAsyncInitableIface *iface);

G_DEFINE_TYPE_WITH_CODE (StubWorker, stub_worker, MALT_TYPE_WORKER,
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                stub_worker_initable_init)
                             G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE,
                                                    stub_worker_async_initable_init))

static const char *const colours[] = { "red", "green", NULL };

static const MaltOption options[] = {
  { .name = "julia",
    .type = MALT_OPTION_STRING,
    .is_common = TRUE,
    .summary = "the julia to run" },
  { .name = "threads",
    .type = MALT_OPTION_INT,
    .default_value = "1",
    .minimum = 1,
    .maximum = 64,
    .is_common = TRUE,
    .summary = "number of threads" },
  { .name = "flags",
    .type = MALT_OPTION_STRINGS,
    .is_common = TRUE,
    .summary = "flags for julia" },
  { .name = "colour",
    .type = MALT_OPTION_ENUM,
    .choices = colours,
    .default_value = "red",
    .summary = "the colour" },
  { .name = "loud",
    .type = MALT_OPTION_BOOL,
    .default_value = "false",
    .summary = "whether it is loud" },
  { .name = "offset", .type = MALT_OPTION_INT, .summary = "any number" },
  { .name = "exit-timeout-ms",
    .type = MALT_OPTION_INT,
    .default_value = "1234",
    .is_common = TRUE,
    .summary = "patience of a stop" },
  { .name = "fail",
    .type = MALT_OPTION_STRING,
    .summary = "why the launch fails; empty: without a reason" },
  { .name = NULL },
};

/* Launch */

static gboolean
initialise (GInitable *initable, G_GNUC_UNUSED GCancellable *cancellable, GError **error)
{
  const char *failure = malt_worker_get_option (MALT_WORKER (initable), "fail");

  if (failure == NULL)
    return TRUE;
  if (*failure != '\0')
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, failure);
  return FALSE;
}

static void
stub_worker_initable_init (GInitableIface *iface)
{
  iface->init = initialise;
}

/* The interface's own way, a thread that runs the other init, will do. */
static void
stub_worker_async_initable_init (G_GNUC_UNUSED GAsyncInitableIface *iface)
{
}

/* Slots */

static void
stub_remote_call (MaltWorker *worker, MaltFuture *future)
{
  const char *function = malt_call_get_function (malt_future_get_call (future));

  g_atomic_int_inc (&stub_record.n_calls);
  if (g_strcmp0 (function, STUB_AT_ONCE) == 0)
    malt_worker_complete_call (worker, malt_future_get_id (future),
                               malt_value_new_int64 (42), NULL);
}

static gboolean
stub_remote_do (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltCall *call,
                G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc (&stub_record.n_dos);
  return TRUE;
}

static void
stub_interrupt_async (MaltWorker *worker, MaltFuture *future,
                      G_GNUC_UNUSED MaltInterruptFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);

  g_atomic_int_set (&stub_record.last_interrupted_id, malt_future_get_id (future));
  g_task_return_int (task, MALT_INTERRUPT_DELIVERED);
}

static MaltInterruptResult
stub_interrupt_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                       GError **error)
{
  return (MaltInterruptResult) g_task_propagate_int (G_TASK (result), error);
}

static gboolean
stub_is_running (G_GNUC_UNUSED MaltWorker *worker)
{
  return TRUE;
}

static void
stub_stop_async (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
                 GCancellable *cancellable, GAsyncReadyCallback callback,
                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);

  stub_record.exit_timeout_ms = exit_timeout_ms;
  stub_record.term_timeout_ms = term_timeout_ms;
  g_atomic_int_inc (&stub_record.n_stops);
  malt_worker_exited (worker, termination);
  g_task_return_boolean (task, TRUE);
}

static gboolean
stub_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
stub_kill (MaltWorker *worker, int signum, G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc (&stub_record.n_kills);
  stub_worker_end (worker, signum);
  return TRUE;
}

static void
stub_channel_open (G_GNUC_UNUSED MaltWorker *worker, MaltChannel *channel,
                   G_GNUC_UNUSED const char *module, G_GNUC_UNUSED const char *source,
                   guint n_credit, MaltFuture *future)
{
  g_atomic_int_set (&stub_record.last_channel_id, malt_channel_get_id (channel));
  g_atomic_int_set (&stub_record.n_credit, n_credit);
  malt_worker_complete_call (worker, malt_future_get_id (future), NULL, NULL);
}

static void
stub_channel_credit (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltChannel *channel,
                     guint n_credit)
{
  g_atomic_int_add (&stub_record.n_credit, n_credit);
}

static void
remember_request (MaltFuture *future)
{
  g_atomic_int_set (&stub_record.last_request_id, malt_future_get_id (future));
}

static void
stub_channel_put (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltChannel *channel,
                  G_GNUC_UNUSED MaltValue *value, MaltFuture *future)
{
  remember_request (future);
}

static void
stub_channel_close (MaltWorker *worker, MaltChannel *channel, MaltFuture *future)
{
  malt_channel_push_closed (channel, NULL);
  malt_worker_complete_call (worker, malt_future_get_id (future), NULL, NULL);
}

/* Open, and with as many items as its number has odd bits. */
static void
stub_channel_state (MaltWorker *worker, G_GNUC_UNUSED MaltChannel *channel,
                    MaltFuture *future)
{
  g_autoptr (MaltValue) is_open = malt_value_new_bool (TRUE);
  g_autoptr (MaltValue) n_ready = malt_value_new_int64 (0);
  MaltValue *parts[] = { is_open, n_ready };

  malt_worker_complete_call (worker, malt_future_get_id (future),
                             malt_value_new_tuple (parts, G_N_ELEMENTS (parts)), NULL);
}

static void
stub_channel_forget (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED guint32 channel_id)
{
  g_atomic_int_inc (&stub_record.n_forgotten);
}

static void
stub_release_handles (G_GNUC_UNUSED MaltWorker *worker, const guint64 *ids,
                      G_GNUC_UNUSED gsize n_ids)
{
  stub_record.last_released_handle = ids[0];
}

static char *
stub_dup_summary (G_GNUC_UNUSED MaltWorker *worker)
{
  return g_strdup ("stub worker 7");
}

static void
stub_worker_dispose (GObject *object)
{
  if (!malt_is_forked ())
    g_atomic_int_inc (&stub_record.n_disposed);
  G_OBJECT_CLASS (stub_worker_parent_class)->dispose (object);
}

static void
stub_worker_class_init (StubWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = stub_worker_dispose;
  worker_class->name = "stub";
  worker_class->description = "answers come from the test";
  worker_class->options = options;
  worker_class->capabilities =
      MALT_CAPABILITY_ISOLATED | MALT_CAPABILITY_CAN_KILL | MALT_CAPABILITY_CHANNELS |
      MALT_CAPABILITY_CAN_INTERRUPT_WAITING | MALT_CAPABILITY_HANDLES;
  worker_class->remote_call = stub_remote_call;
  worker_class->remote_do = stub_remote_do;
  worker_class->interrupt_async = stub_interrupt_async;
  worker_class->interrupt_finish = stub_interrupt_finish;
  worker_class->is_running = stub_is_running;
  worker_class->stop_async = stub_stop_async;
  worker_class->stop_finish = stub_stop_finish;
  worker_class->kill = stub_kill;
  worker_class->channel_open = stub_channel_open;
  worker_class->channel_credit = stub_channel_credit;
  worker_class->channel_put = stub_channel_put;
  worker_class->channel_close = stub_channel_close;
  worker_class->channel_state = stub_channel_state;
  worker_class->channel_forget = stub_channel_forget;
  worker_class->release_handles = stub_release_handles;
  worker_class->dup_summary = stub_dup_summary;
}

static void
stub_worker_init (G_GNUC_UNUSED StubWorker *worker)
{
}

/* The same without isolation. */

typedef StubWorker StubSharedWorker;
typedef StubWorkerClass StubSharedWorkerClass;

static GType stub_shared_worker_get_type (void);

G_DEFINE_TYPE (StubSharedWorker, stub_shared_worker, STUB_TYPE_WORKER)

static void
stub_shared_worker_class_init (StubSharedWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  worker_class->name = "stub-shared";
  worker_class->capabilities &= ~(guint) MALT_CAPABILITY_ISOLATED;
}

static void
stub_shared_worker_init (G_GNUC_UNUSED StubSharedWorker *worker)
{
}

/* For tests */

void
stub_worker_register (void)
{
  g_autoptr (GError) error = NULL;

  malt_backend_register (STUB_TYPE_WORKER, &error);
  g_assert_no_error (error);
  malt_backend_register (stub_shared_worker_get_type (), &error);
  g_assert_no_error (error);
}

MaltWorker *
stub_worker_launch (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  MaltWorker *worker;

  stub_worker_register ();
  memset (&stub_record, 0, sizeof stub_record);
  malt_config_set_backend (config, "stub");
  worker = malt_worker_launch (config, NULL, &error);
  g_assert_no_error (error);
  return worker;
}

void
stub_worker_end (MaltWorker *worker, int signum)
{
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_SIGNALLED, signum, "last words\n", NULL);

  malt_worker_exited (worker, termination);
}
