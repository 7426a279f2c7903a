/* SPDX-License-Identifier: MIT */
/* The two classes of the fake backends: slots that hand everything to the evaluator, and
 * the counters. */
#include "fake-worker.h"
#include "fake-evaluator.h"

/*
 * This is the smallest complete backend, and meant to be read as one.
 *
 * A worker owns a reference to its evaluator; the evaluator has a weak one to its worker.
 * Slots run in any thread and only post a message to the evaluator's thread, which
 * answers with malt_worker_complete_call(). Dropping the last reference to the worker
 * ends the evaluator in the background.
 */

typedef struct
{
  MaltWorker parent_instance;
  FakeEvaluator
      *evaluator; /* (owned) (nullable): set by init, then constant until dispose */
  guint number; /* of the worker in this program, for its summary */
} FakeWorker;

typedef MaltWorkerClass FakeWorkerClass;

/* All atomic. */
static gint n_slot_calls[FAKE_N_SLOTS];
static gint n_refused_answers;
static gint n_refused_items;
static gint n_live;
static gint n_workers;

static void fake_initable_init (GInitableIface *iface);

GType fake_worker_get_type (void);
GType fake_bare_worker_get_type (void);

G_DEFINE_TYPE_WITH_CODE (FakeWorker, fake_worker, MALT_TYPE_WORKER,
                         G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, fake_initable_init)
                             G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

typedef FakeWorker FakeBareWorker;
typedef FakeWorkerClass FakeBareWorkerClass;

G_DEFINE_TYPE (FakeBareWorker, fake_bare_worker, fake_worker_get_type ())

/* Counting */

void
fake_count_slot (FakeSlot slot)
{
  g_atomic_int_inc (&n_slot_calls[slot]);
}

void
fake_count_refused_answer (void)
{
  g_atomic_int_inc (&n_refused_answers);
}

void
fake_count_refused_item (void)
{
  g_atomic_int_inc (&n_refused_items);
}

void
fake_count_live (int change)
{
  g_atomic_int_add (&n_live, change);
}

guint
fake_get_n_slot_calls (FakeSlot slot)
{
  return (guint) g_atomic_int_get (&n_slot_calls[slot]);
}

guint
fake_get_n_refused_answers (void)
{
  return (guint) g_atomic_int_get (&n_refused_answers);
}

guint
fake_get_n_refused_items (void)
{
  return (guint) g_atomic_int_get (&n_refused_items);
}

guint
fake_get_n_live (void)
{
  return (guint) g_atomic_int_get (&n_live);
}

/* Start and end of a worker */

static FakeEvaluator *
get_evaluator (MaltWorker *worker)
{
  return ((FakeWorker *) worker)->evaluator;
}

/* Option launch=hangs: waits for the cancellable, as a launch does whose process never answers. */
static gboolean
hang_until_cancelled (GCancellable *cancellable, GError **error)
{
  GPollFD poll_fd;

  if (g_cancellable_make_pollfd (cancellable, &poll_fd))
    {
      g_poll (&poll_fd, 1, -1);
      g_cancellable_release_fd (cancellable);
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_CANCELLED, "launch was cancelled");
  return FALSE;
}

static gboolean
fake_worker_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  MaltWorker *worker = MALT_WORKER (initable);
  const char *launch = malt_worker_get_option (worker, "launch");

  if (g_strcmp0 (launch, "fails") == 0)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                   "the option launch is set to \"fails\"");
      return FALSE;
    }
  if (g_strcmp0 (launch, "hangs") == 0)
    return hang_until_cancelled (cancellable, error);

  ((FakeWorker *) worker)->evaluator = fake_evaluator_new (worker);
  return TRUE;
}

static void
fake_initable_init (GInitableIface *iface)
{
  iface->init = fake_worker_initable_init;
}

static void
fake_worker_dispose (GObject *object)
{
  FakeEvaluator *evaluator = get_evaluator (MALT_WORKER (object));

  if (evaluator != NULL && !malt_is_forked ())
    fake_evaluator_end (evaluator, MALT_TERMINATION_STOPPED, 0, 0);
  G_OBJECT_CLASS (fake_worker_parent_class)->dispose (object);
}

static void
fake_worker_finalize (GObject *object)
{
  g_clear_pointer (&((FakeWorker *) object)->evaluator, fake_evaluator_unref);
  fake_count_live (-1);
  G_OBJECT_CLASS (fake_worker_parent_class)->finalize (object);
}

/* The six slots that every backend provides */

static void
on_run (G_GNUC_UNUSED FakeEvaluator *evaluator, gpointer data, gboolean is_ended)
{
  if (is_ended)
    fake_call_free (data);
  else
    fake_call_run (data);
}

static void
fake_worker_remote_call (MaltWorker *worker, MaltFuture *future)
{
  FakeEvaluator *evaluator = get_evaluator (worker);
  FakeCall *call = fake_call_new (evaluator, malt_future_get_call (future),
                                  malt_future_get_id (future));

  fake_count_slot (FAKE_SLOT_REMOTE_CALL);
  if (!fake_evaluator_post (evaluator, on_run, call))
    fake_call_free (call);
}

static gboolean
fake_worker_remote_do (MaltWorker *worker, MaltCall *call, G_GNUC_UNUSED GError **error)
{
  FakeEvaluator *evaluator = get_evaluator (worker);
  FakeCall *run = fake_call_new (evaluator, call, 0);

  fake_count_slot (FAKE_SLOT_REMOTE_DO);
  if (!fake_evaluator_post (evaluator, on_run, run))
    fake_call_free (run);
  return TRUE;
}

static void
on_interrupt (FakeEvaluator *evaluator, gpointer data, gboolean is_ended)
{
  g_autoptr (GTask) task = data;
  guint32 id = GPOINTER_TO_UINT (g_task_get_task_data (task));

  g_task_return_int (task, is_ended ? MALT_INTERRUPT_GONE
                                    : fake_call_interrupt (evaluator, id));
}

static void
fake_worker_interrupt_async (MaltWorker *worker, MaltFuture *future,
                             MaltInterruptFlags flags, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);
  FakeEvaluator *evaluator = get_evaluator (worker);
  guint32 id = malt_future_get_id (future);
  MaltInterruptResult result;

  fake_count_slot (FAKE_SLOT_INTERRUPT);
  g_task_set_source_tag (task, fake_worker_interrupt_async);
  g_task_set_task_data (task, GUINT_TO_POINTER (id), NULL);
  if (fake_evaluator_signal (evaluator, id, (flags & MALT_INTERRUPT_FORCE) != 0, &result))
    g_task_return_int (task, result);
  else if (fake_evaluator_post (evaluator, on_interrupt, task))
    g_steal_pointer (&task);
  else
    g_task_return_int (task, MALT_INTERRUPT_GONE);
}

static MaltInterruptResult
fake_worker_interrupt_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                              GError **error)
{
  return (MaltInterruptResult) g_task_propagate_int (G_TASK (result), error);
}

static gboolean
fake_worker_is_running (MaltWorker *worker)
{
  FakeEvaluator *evaluator = get_evaluator (worker);

  fake_count_slot (FAKE_SLOT_IS_RUNNING);
  return evaluator != NULL && fake_evaluator_is_running (evaluator);
}

static void
fake_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                        G_GNUC_UNUSED gint64 term_timeout_ms, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  fake_count_slot (FAKE_SLOT_STOP);
  g_task_set_source_tag (task, fake_worker_stop_async);
  fake_evaluator_end_then (get_evaluator (worker),
                           g_get_monotonic_time () + MAX (exit_timeout_ms, 0) * 1000,
                           task);
}

static gboolean
fake_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                         GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
fake_worker_kill (MaltWorker *worker, int signum, G_GNUC_UNUSED GError **error)
{
  fake_count_slot (FAKE_SLOT_KILL);
  fake_evaluator_end (get_evaluator (worker), MALT_TERMINATION_STOPPED, signum, 0);
  return TRUE;
}

/* Channels: each slot posts what it was asked for */

typedef struct
{
  void (*run) (FakeEvaluator *evaluator, guint32 channel_id, guint32 call_id);
  char *source; /* (owned) (nullable) */
  MaltValue *value; /* (owned) (nullable) */
  guint32 channel_id;
  guint32 call_id;
  guint n_credit;
} ChannelRequest;

static void
channel_request_free (ChannelRequest *request)
{
  g_clear_pointer (&request->value, malt_value_unref);
  g_free (request->source);
  g_free (request);
}

static void
on_channel_request (FakeEvaluator *evaluator, gpointer data, gboolean is_ended)
{
  ChannelRequest *request = data;

  if (is_ended)
    ;
  else if (request->source != NULL)
    fake_channel_open (evaluator, request->channel_id, request->source, request->n_credit,
                       request->call_id);
  else if (request->value != NULL)
    fake_channel_put (evaluator, request->channel_id, request->value, request->call_id);
  else if (request->run != NULL)
    request->run (evaluator, request->channel_id, request->call_id);
  else if (request->n_credit > 0)
    fake_channel_credit (evaluator, request->channel_id, request->n_credit);
  else
    fake_channel_forget (evaluator, request->channel_id);
  channel_request_free (request);
}

static void
post_channel_request (MaltWorker *worker, FakeSlot slot, ChannelRequest request)
{
  ChannelRequest *copy = g_new (ChannelRequest, 1);

  fake_count_slot (slot);
  *copy = request;
  if (!fake_evaluator_post (get_evaluator (worker), on_channel_request, copy))
    channel_request_free (copy);
}

static void
fake_worker_channel_open (MaltWorker *worker, MaltChannel *channel,
                          G_GNUC_UNUSED const char *module, const char *source,
                          guint n_credit, MaltFuture *future)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_OPEN,
                        (ChannelRequest){ .channel_id = malt_channel_get_id (channel),
                                          .source = g_strdup (source),
                                          .n_credit = n_credit,
                                          .call_id = malt_future_get_id (future) });
}

static void
fake_worker_channel_credit (MaltWorker *worker, MaltChannel *channel, guint n_credit)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_CREDIT,
                        (ChannelRequest){ .channel_id = malt_channel_get_id (channel),
                                          .n_credit = n_credit });
}

static void
fake_worker_channel_put (MaltWorker *worker, MaltChannel *channel, MaltValue *value,
                         MaltFuture *future)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_PUT,
                        (ChannelRequest){ .channel_id = malt_channel_get_id (channel),
                                          .value = malt_value_ref (value),
                                          .call_id = malt_future_get_id (future) });
}

static void
fake_worker_channel_close (MaltWorker *worker, MaltChannel *channel, MaltFuture *future)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_CLOSE,
                        (ChannelRequest){ .channel_id = malt_channel_get_id (channel),
                                          .run = fake_channel_close,
                                          .call_id = malt_future_get_id (future) });
}

static void
fake_worker_channel_state (MaltWorker *worker, MaltChannel *channel, MaltFuture *future)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_STATE,
                        (ChannelRequest){ .channel_id = malt_channel_get_id (channel),
                                          .run = fake_channel_state,
                                          .call_id = malt_future_get_id (future) });
}

static void
fake_worker_channel_forget (MaltWorker *worker, guint32 channel_id)
{
  post_channel_request (worker, FAKE_SLOT_CHANNEL_FORGET,
                        (ChannelRequest){ .channel_id = channel_id });
}

static char *
fake_worker_dup_summary (MaltWorker *worker)
{
  return g_strdup_printf ("%s worker %u", malt_worker_get_backend_name (worker),
                          ((FakeWorker *) worker)->number);
}

/* The classes */

static const char *const launch_choices[] = { "works", "fails", "hangs", NULL };

static const char *const output_choices[] = { "signal", "discard", NULL };

static const MaltOption fake_options[] = {
  { .name = "launch",
    .type = MALT_OPTION_ENUM,
    .default_value = "works",
    .choices = launch_choices,
    .summary = "what becomes of a launch" },
  { .name = "output",
    .type = MALT_OPTION_ENUM,
    .default_value = "signal",
    .choices = output_choices,
    .summary = "where output goes" },
  { .name = NULL },
};

static void
fake_worker_init (FakeWorker *self)
{
  fake_count_live (1);
  self->number = 1 + (guint) g_atomic_int_add (&n_workers, 1);
}

static void
fake_worker_class_init (FakeWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = fake_worker_dispose;
  object_class->finalize = fake_worker_finalize;

  klass->name = FAKE_BACKEND_NAME;
  klass->description = "scripted functions instead of Julia, for tests";
  klass->options = fake_options;
  klass->capabilities = MALT_CAPABILITY_ISOLATED | MALT_CAPABILITY_CAN_KILL |
                        MALT_CAPABILITY_CAN_INTERRUPT_WAITING |
                        MALT_CAPABILITY_CAN_INTERRUPT_BUSY | MALT_CAPABILITY_CHANNELS |
                        MALT_CAPABILITY_OUTPUT;
  klass->remote_call = fake_worker_remote_call;
  klass->remote_do = fake_worker_remote_do;
  klass->interrupt_async = fake_worker_interrupt_async;
  klass->interrupt_finish = fake_worker_interrupt_finish;
  klass->is_running = fake_worker_is_running;
  klass->stop_async = fake_worker_stop_async;
  klass->stop_finish = fake_worker_stop_finish;
  klass->kill = fake_worker_kill;
  klass->channel_open = fake_worker_channel_open;
  klass->channel_credit = fake_worker_channel_credit;
  klass->channel_put = fake_worker_channel_put;
  klass->channel_close = fake_worker_channel_close;
  klass->channel_state = fake_worker_channel_state;
  klass->channel_forget = fake_worker_channel_forget;
  klass->dup_summary = fake_worker_dup_summary;
}

static void
fake_bare_interrupt_async (MaltWorker *worker, G_GNUC_UNUSED MaltFuture *future,
                           G_GNUC_UNUSED MaltInterruptFlags flags,
                           G_GNUC_UNUSED GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  fake_count_slot (FAKE_SLOT_INTERRUPT);
  g_task_report_new_error (worker, callback, user_data, fake_bare_interrupt_async,
                           MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                           "calls cannot be interrupted");
}

static gboolean
fake_bare_kill (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED int signum,
                GError **error)
{
  fake_count_slot (FAKE_SLOT_KILL);
  g_set_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED, "workers cannot be killed");
  return FALSE;
}

static void
fake_bare_worker_init (G_GNUC_UNUSED FakeBareWorker *self)
{
}

static void
fake_bare_worker_class_init (FakeBareWorkerClass *klass)
{
  klass->name = FAKE_BARE_BACKEND_NAME;
  klass->description = "the fake backend without anything that is optional";
  klass->capabilities = MALT_CAPABILITY_ISOLATED;
  klass->interrupt_async = fake_bare_interrupt_async;
  klass->kill = fake_bare_kill;
  klass->channel_open = NULL;
  klass->channel_credit = NULL;
  klass->channel_put = NULL;
  klass->channel_close = NULL;
  klass->channel_state = NULL;
  klass->channel_forget = NULL;
  klass->dup_summary = NULL;
}

gboolean
fake_backends_register (GError **error)
{
  return malt_backend_register (fake_worker_get_type (), error) &&
         malt_backend_register (fake_bare_worker_get_type (), error);
}
