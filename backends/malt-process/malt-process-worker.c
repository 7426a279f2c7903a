/* SPDX-License-Identifier: MIT */
/*
 * MaltProcessWorker: a worker that is a Julia process of its own.
 *
 * The class is a thin shell: every slot hands its work to the link (calls, channels, interrupts) or to the evaluator (life and
 * death of the process). The object holds a reference to its evaluator, which has a weak one to the object; evaluator is set by init and then
 * constant, so slots of any thread read it without a lock.
 */
#include "malt-process-worker.h"

#include "link/malt-link-worker.h"
#include "link/malt-weak-worker.h"
#include "malt-process-evaluator.h"
#include "malt-process-julia.h"
#include "process/malt-julia-options.h"
#include "process/malt-julia-program.h"

#include <signal.h>

#define MALT_TYPE_PROCESS_WORKER (malt_process_worker_get_type ())
G_DECLARE_FINAL_TYPE (MaltProcessWorker, malt_process_worker, MALT, PROCESS_WORKER,
                      MaltLinkWorker)

struct _MaltProcessWorker
{
  MaltLinkWorker parent_instance;
  MaltProcessEvaluator *evaluator; /* (owned) (nullable): NULL before init */
};

static void initable_iface_init (GInitableIface *iface);
static void async_initable_iface_init (GAsyncInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    MaltProcessWorker, malt_process_worker, MALT_TYPE_LINK_WORKER,
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init)
        G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, async_initable_iface_init))

static const char *const stdin_choices[] = { "null", "inherit", NULL };
static const char *const transport_choices[] = { "tcp", "tcp-connect", "socketpair",
                                                 NULL };
static const char *const group_choices[] = { "own", "host", NULL };

static const MaltOption options[] = {
  MALT_JULIA_OPTIONS,
  { .name = "stdin",
    .type = MALT_OPTION_ENUM,
    .default_value = "null",
    .choices = stdin_choices,
    .is_common = TRUE,
    .summary = "standard input of evaluated code: empty, or the host's" },
  { .name = "transport",
    .type = MALT_OPTION_ENUM,
    .default_value = "tcp",
    .choices = transport_choices,
    .summary =
        "an inherited TCP pair, a TCP connection back with tokens, or a socketpair" },
  { .name = "process-group",
    .type = MALT_OPTION_ENUM,
    .default_value = "own",
    .choices = group_choices,
    .summary = "own: signals of the host's terminal do not reach the worker" },
  { .name = NULL },
};

MaltLink *
malt_process_worker_get_link (MaltWorker *worker)
{
  return malt_process_evaluator_get_link (MALT_PROCESS_WORKER (worker)->evaluator);
}

/* Launch */

typedef struct
{
  GMutex lock; /* guards the rest */
  GCond cond;
  gboolean is_done;
  GError *error; /* (owned) (nullable) */
} BlockingLaunch;

static void
on_launched_blocking (const GError *error, gpointer user_data)
{
  BlockingLaunch *launch = user_data;

  g_mutex_lock (&launch->lock);
  launch->is_done = TRUE;
  launch->error = error != NULL ? g_error_copy (error) : NULL;
  g_cond_signal (&launch->cond);
  g_mutex_unlock (&launch->lock);
}

static gboolean
malt_process_worker_initable_init (GInitable *initable, GCancellable *cancellable,
                                   GError **error)
{
  MaltProcessWorker *self = MALT_PROCESS_WORKER (initable);
  BlockingLaunch launch = { .is_done = FALSE };

  self->evaluator = malt_process_evaluator_new (MALT_WORKER (self), error);
  if (self->evaluator == NULL)
    return FALSE;
  g_mutex_init (&launch.lock);
  g_cond_init (&launch.cond);
  malt_process_evaluator_await (self->evaluator, cancellable, on_launched_blocking,
                                &launch);
  g_mutex_lock (&launch.lock);
  while (!launch.is_done)
    g_cond_wait (&launch.cond, &launch.lock);
  g_mutex_unlock (&launch.lock);
  g_mutex_clear (&launch.lock);
  g_cond_clear (&launch.cond);
  if (launch.error == NULL)
    return TRUE;
  g_propagate_error (error, launch.error);
  return FALSE;
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = malt_process_worker_initable_init;
}

static void
on_launched_async (const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_boolean (task, TRUE);
}

static void
malt_process_worker_init_async (GAsyncInitable *initable, int io_priority,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MaltProcessWorker *self = MALT_PROCESS_WORKER (initable);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, malt_process_worker_init_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_priority (task, io_priority);
  self->evaluator = malt_process_evaluator_new (MALT_WORKER (self), &error);
  if (self->evaluator != NULL)
    malt_process_evaluator_await (self->evaluator, cancellable, on_launched_async, task);
  else
    {
      g_task_return_error (task, error);
      g_object_unref (task);
    }
}

static gboolean
malt_process_worker_init_finish (G_GNUC_UNUSED GAsyncInitable *initable,
                                 GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
async_initable_iface_init (GAsyncInitableIface *iface)
{
  iface->init_async = malt_process_worker_init_async;
  iface->init_finish = malt_process_worker_init_finish;
}

static gboolean
malt_process_worker_probe (MaltConfig *config, GError **error)
{
  const char *julia = malt_config_get_for (config, "malt-process", "julia");
  g_autofree char *program = malt_julia_find_program (julia, error);

  return program != NULL;
}

/* The object's own end: the process is stopped in the background. */

static void
malt_process_worker_dispose (GObject *object)
{
  MaltProcessWorker *self = MALT_PROCESS_WORKER (object);
  MaltWorker *worker = MALT_WORKER (object);

  if (self->evaluator != NULL)
    malt_process_evaluator_stop (
        self->evaluator, malt_worker_get_option_int (worker, "exit-timeout-ms"),
        malt_worker_get_option_int (worker, "term-timeout-ms"), NULL);
  G_OBJECT_CLASS (malt_process_worker_parent_class)->dispose (object);
}

static void
malt_process_worker_finalize (GObject *object)
{
  g_clear_pointer (&MALT_PROCESS_WORKER (object)->evaluator,
                   malt_process_evaluator_unref);
  G_OBJECT_CLASS (malt_process_worker_parent_class)->finalize (object);
}

/* Life; calls and channels are the link's (MaltLinkWorker) */

static gboolean
malt_process_worker_is_running (MaltWorker *worker)
{
  MaltProcessEvaluator *evaluator = MALT_PROCESS_WORKER (worker)->evaluator;
  return evaluator != NULL && malt_process_evaluator_is_running (evaluator);
}

static void
malt_process_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                                gint64 term_timeout_ms, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  g_task_set_source_tag (task, malt_process_worker_stop_async);
  malt_process_evaluator_stop (MALT_PROCESS_WORKER (worker)->evaluator, exit_timeout_ms,
                               term_timeout_ms, task);
}

static gboolean
malt_process_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                                 GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
malt_process_worker_kill (MaltWorker *worker, int signum, GError **error)
{
  if (signum < 1 || signum >= NSIG)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "expected a signal number from 1 to %d, got %d", NSIG - 1, signum);
      return FALSE;
    }
  malt_process_evaluator_kill (MALT_PROCESS_WORKER (worker)->evaluator, signum);
  return TRUE;
}

/* The others */

static gboolean
malt_process_worker_drive (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                           GCancellable *cancellable)
{
  return malt_link_drive (malt_process_worker_get_link (worker), future, deadline_us,
                          cancellable);
}

static char *
malt_process_worker_dup_summary (MaltWorker *worker)
{
  MaltProcessEvaluator *evaluator = MALT_PROCESS_WORKER (worker)->evaluator;

  if (evaluator == NULL)
    return g_strdup ("malt-process worker");
  return g_strdup_printf ("malt-process worker %" G_GINT64_FORMAT,
                          malt_process_evaluator_get_pid (evaluator));
}

static gint64
malt_process_worker_get_pid (MaltWorker *worker)
{
  return malt_process_evaluator_get_pid (MALT_PROCESS_WORKER (worker)->evaluator);
}

static char *
malt_process_worker_dup_julia_version (MaltWorker *worker)
{
  return g_strdup (
      malt_process_evaluator_get_julia_version (MALT_PROCESS_WORKER (worker)->evaluator));
}

/* The class */

static void
malt_process_worker_init (G_GNUC_UNUSED MaltProcessWorker *self)
{
}

static void
malt_process_worker_class_init (MaltProcessWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  object_class->dispose = malt_process_worker_dispose;
  object_class->finalize = malt_process_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = malt_process_worker_get_link;

  worker_class->name = "malt-process";
  worker_class->description = "a Julia process of its own for each worker";
  worker_class->options = options;
  worker_class->capabilities = MALT_CAPABILITY_ISOLATED | MALT_CAPABILITY_CAN_KILL |
                               MALT_CAPABILITY_CAN_INTERRUPT_WAITING |
                               MALT_CAPABILITY_CAN_INTERRUPT_BUSY |
                               MALT_CAPABILITY_CHANNELS | MALT_CAPABILITY_HANDLES |
                               MALT_CAPABILITY_OUTPUT | MALT_CAPABILITY_HOST_FUNCTIONS;
  worker_class->auto_priority = 100;
  worker_class->auto_priority_windows = 50;
  worker_class->probe = malt_process_worker_probe;
  worker_class->is_running = malt_process_worker_is_running;
  worker_class->stop_async = malt_process_worker_stop_async;
  worker_class->stop_finish = malt_process_worker_stop_finish;
  worker_class->kill = malt_process_worker_kill;
  worker_class->drive = malt_process_worker_drive;
  worker_class->dup_summary = malt_process_worker_dup_summary;
  worker_class->get_pid = malt_process_worker_get_pid;
  worker_class->dup_julia_version = malt_process_worker_dup_julia_version;
}
