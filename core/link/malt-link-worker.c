/* SPDX-License-Identifier: MIT */
/* MaltLinkWorker: the slots that a link serves. */
#include "link/malt-link-worker.h"

G_DEFINE_ABSTRACT_TYPE (MaltLinkWorker, malt_link_worker, MALT_TYPE_WORKER)

static MaltLink *
get_link (MaltWorker *worker)
{
  return MALT_LINK_WORKER_GET_CLASS (worker)->get_link (worker);
}

static void
malt_link_worker_remote_call (MaltWorker *worker, MaltFuture *future)
{
  malt_link_remote_call (get_link (worker), worker, future);
}

static gboolean
malt_link_worker_remote_do (MaltWorker *worker, MaltCall *call, GError **error)
{
  return malt_link_remote_do (get_link (worker), call, error);
}

static void
on_interrupt_done (MaltInterruptResult result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_task_return_int (task, result);
}

static void
malt_link_worker_interrupt_async (MaltWorker *worker, MaltFuture *future,
                                  MaltInterruptFlags flags, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  g_task_set_source_tag (task, malt_link_worker_interrupt_async);
  malt_link_interrupt (get_link (worker), malt_future_get_id (future), flags,
                       on_interrupt_done, task);
}

static MaltInterruptResult
malt_link_worker_interrupt_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                                   GError **error)
{
  return (MaltInterruptResult) g_task_propagate_int (G_TASK (result), error);
}

static void
malt_link_worker_channel_open (MaltWorker *worker, MaltChannel *channel,
                               const char *module, const char *source, guint n_credit,
                               MaltFuture *future)
{
  malt_link_channel_open (get_link (worker), malt_channel_get_id (channel), module,
                          source, n_credit, malt_future_get_id (future));
}

static void
malt_link_worker_channel_credit (MaltWorker *worker, MaltChannel *channel, guint n_credit)
{
  malt_link_channel_credit (get_link (worker), malt_channel_get_id (channel), n_credit);
}

static void
malt_link_worker_channel_put (MaltWorker *worker, MaltChannel *channel, MaltValue *value,
                              MaltFuture *future)
{
  guint32 id = malt_future_get_id (future);
  GError *error = NULL;

  if (!malt_link_channel_put (get_link (worker), malt_channel_get_id (channel), value, id,
                              &error))
    malt_worker_complete_call (worker, id, NULL, error);
}

static void
malt_link_worker_channel_close (MaltWorker *worker, MaltChannel *channel,
                                MaltFuture *future)
{
  malt_link_channel_close (get_link (worker), malt_channel_get_id (channel),
                           malt_future_get_id (future));
}

static void
malt_link_worker_channel_state (MaltWorker *worker, MaltChannel *channel,
                                MaltFuture *future)
{
  malt_link_channel_state (get_link (worker), malt_channel_get_id (channel),
                           malt_future_get_id (future));
}

static void
malt_link_worker_channel_forget (MaltWorker *worker, guint32 channel_id)
{
  malt_link_channel_forget (get_link (worker), channel_id);
}

static void
malt_link_worker_export_function (MaltWorker *worker, const char *name,
                                  G_GNUC_UNUSED MaltExportFlags flags, MaltFuture *future)
{
  malt_link_export (get_link (worker), name, malt_future_get_id (future));
}

static void
malt_link_worker_unexport_function (MaltWorker *worker, const char *name)
{
  malt_link_unexport (get_link (worker), name);
}

static void
malt_link_worker_release_handles (MaltWorker *worker, const guint64 *ids, gsize n_ids)
{
  malt_link_release_handles (get_link (worker), ids, n_ids);
}

static void
malt_link_worker_init (G_GNUC_UNUSED MaltLinkWorker *self)
{
}

static void
malt_link_worker_class_init (MaltLinkWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  worker_class->remote_call = malt_link_worker_remote_call;
  worker_class->remote_do = malt_link_worker_remote_do;
  worker_class->interrupt_async = malt_link_worker_interrupt_async;
  worker_class->interrupt_finish = malt_link_worker_interrupt_finish;
  worker_class->channel_open = malt_link_worker_channel_open;
  worker_class->channel_credit = malt_link_worker_channel_credit;
  worker_class->channel_put = malt_link_worker_channel_put;
  worker_class->channel_close = malt_link_worker_channel_close;
  worker_class->channel_state = malt_link_worker_channel_state;
  worker_class->channel_forget = malt_link_worker_channel_forget;
  worker_class->export_function = malt_link_worker_export_function;
  worker_class->unexport_function = malt_link_worker_unexport_function;
  worker_class->release_handles = malt_link_worker_release_handles;
}
