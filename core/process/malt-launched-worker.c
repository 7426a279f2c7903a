/* SPDX-License-Identifier: MIT */
/* MaltLaunchedWorker: how a worker object launches and ends its process, whatever makes
 * that process. */
#include "process/malt-launched-worker.h"

#include "base/malt-signals.h"
#include "platform/malt-platform.h"

static void initable_iface_init (GInitableIface *iface);
static void async_initable_iface_init (GAsyncInitableIface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (
    MaltLaunchedWorker, malt_launched_worker, MALT_TYPE_LINK_WORKER,
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init)
        G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, async_initable_iface_init))

/* Launch */

/* What the worker sends at once meets an object that knows its evaluator. */
static gboolean
begin (MaltLaunchedWorker *self, GError **error)
{
  MaltLaunchedWorkerClass *klass = MALT_LAUNCHED_WORKER_GET_CLASS (self);

  self->launch = klass->begin (MALT_WORKER (self), error);
  if (self->launch == NULL)
    return FALSE;
  klass->start (MALT_WORKER (self));
  return TRUE;
}

static gboolean
malt_launched_worker_initable_init (GInitable *initable, GCancellable *cancellable,
                                    GError **error)
{
  MaltLaunchedWorker *self = MALT_LAUNCHED_WORKER (initable);

  return begin (self, error) &&
         malt_launch_await_blocking (self->launch, cancellable, error);
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = malt_launched_worker_initable_init;
}

static void
malt_launched_worker_init_async (GAsyncInitable *initable, int io_priority,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  MaltLaunchedWorker *self = MALT_LAUNCHED_WORKER (initable);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, malt_launched_worker_init_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_priority (task, io_priority);
  if (begin (self, &error))
    malt_launch_await_task (self->launch, cancellable, task);
  else
    {
      g_task_return_error (task, error);
      g_object_unref (task);
    }
}

static gboolean
malt_launched_worker_init_finish (G_GNUC_UNUSED GAsyncInitable *initable,
                                  GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
async_initable_iface_init (GAsyncInitableIface *iface)
{
  iface->init_async = malt_launched_worker_init_async;
  iface->init_finish = malt_launched_worker_init_finish;
}

/* The end */

static void
malt_launched_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                                 gint64 term_timeout_ms, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  g_task_set_source_tag (task, malt_launched_worker_stop_async);
  MALT_LAUNCHED_WORKER_GET_CLASS (worker)->end (worker, exit_timeout_ms, term_timeout_ms,
                                                task);
}

static gboolean
malt_launched_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                                  GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
malt_launched_worker_kill (MaltWorker *worker, int signum, GError **error)
{
  if (signum < 1 || signum >= NSIG)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "expected a signal number from 1 to %d, got %d", NSIG - 1, signum);
      return FALSE;
    }
  if (!malt_platform_has_signal (signum))
    {
      g_autofree char *name = malt_signal_dup_name (signum);

      g_set_error (
          error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
          "%s cannot be sent on this system, expected SIGINT, SIGTERM or SIGKILL", name);
      return FALSE;
    }
  if (MALT_LAUNCHED_WORKER_GET_CLASS (worker)->send_signal (worker, signum))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_FAILED,
               "this process may not send signals to process %" G_GINT64_FORMAT,
               malt_worker_get_pid (worker));
  return FALSE;
}

/* The object's own end: the process is stopped in the background. */
static void
malt_launched_worker_dispose (GObject *object)
{
  MaltWorker *worker = MALT_WORKER (object);

  if (MALT_LAUNCHED_WORKER (object)->launch != NULL && !malt_platform_is_forked (NULL))
    MALT_LAUNCHED_WORKER_GET_CLASS (object)->end (
        worker, malt_worker_get_option_int (worker, "exit-timeout-ms"),
        malt_worker_get_option_int (worker, "term-timeout-ms"), NULL);
  G_OBJECT_CLASS (malt_launched_worker_parent_class)->dispose (object);
}

static gboolean
malt_launched_worker_drive (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                            GCancellable *cancellable)
{
  return malt_link_drive (MALT_LINK_WORKER_GET_CLASS (worker)->get_link (worker), future,
                          deadline_us, cancellable);
}

static void
malt_launched_worker_init (G_GNUC_UNUSED MaltLaunchedWorker *self)
{
}

static void
malt_launched_worker_class_init (MaltLaunchedWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = malt_launched_worker_dispose;
  worker_class->stop_async = malt_launched_worker_stop_async;
  worker_class->stop_finish = malt_launched_worker_stop_finish;
  worker_class->kill = malt_launched_worker_kill;
  worker_class->drive = malt_launched_worker_drive;
}
