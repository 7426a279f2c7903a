/* SPDX-License-Identifier: MIT */
/*
 * MaltDistributedWorker: a worker of a cluster of Julia's Distributed, here or on another machine.
 *
 * The class is a thin shell: every slot hands its work to the link (calls, channels, interrupts) or to the evaluator (life and
 * death). The object holds a reference to its evaluator, which has a weak one to the object; evaluator is set by init and then
 * constant, so slots of any thread read it without a lock.
 */
#include "malt-distributed-worker.h"

#include "link/malt-link-worker.h"
#include "link/malt-weak-worker.h"
#include "malt-distributed-evaluator.h"
#include "malt-distributed-request.h"
#include "process/malt-julia-options.h"
#include "process/malt-julia-program.h"

#include <signal.h>

#ifdef G_OS_WIN32
/* Distributed sends no signals there. */
#define SIGNAL_CAPABILITIES MALT_CAPABILITY_NONE
#else
#define SIGNAL_CAPABILITIES MALT_CAPABILITY_CAN_INTERRUPT_BUSY
#endif

/* What a worker on this machine can do. */
#define LOCAL_CAPABILITIES                                                     \
  (SIGNAL_CAPABILITIES | MALT_CAPABILITY_ISOLATED | MALT_CAPABILITY_CAN_KILL | \
   MALT_CAPABILITY_CAN_INTERRUPT_WAITING | MALT_CAPABILITY_CHANNELS |          \
   MALT_CAPABILITY_HANDLES | MALT_CAPABILITY_OUTPUT | MALT_CAPABILITY_HOST_FUNCTIONS)

#define MALT_TYPE_DISTRIBUTED_WORKER (malt_distributed_worker_get_type ())
G_DECLARE_FINAL_TYPE (MaltDistributedWorker, malt_distributed_worker, MALT,
                      DISTRIBUTED_WORKER, MaltLinkWorker)

struct _MaltDistributedWorker
{
  MaltLinkWorker parent_instance;
  MaltDistributedEvaluator *evaluator; /* (owned) (nullable): NULL before init */
};

static void initable_iface_init (GInitableIface *iface);
static void async_initable_iface_init (GAsyncInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    MaltDistributedWorker, malt_distributed_worker, MALT_TYPE_LINK_WORKER,
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init)
        G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, async_initable_iface_init))

static const char *const topology_choices[] = { "master_worker", "all_to_all", "custom",
                                                NULL };

static const MaltOption options[] = {
  MALT_JULIA_OPTIONS,
  { .name = "machine",
    .type = MALT_OPTION_STRING,
    .summary = "where the worker runs, by ssh: [user@]host[:port]; here unless set" },
  { .name = "sshflags", .type = MALT_OPTION_STRINGS, .summary = "flags of ssh" },
  { .name = "tunnel",
    .type = MALT_OPTION_BOOL,
    .default_value = "false",
    .summary = "connect to the worker through ssh" },
  { .name = "dir",
    .type = MALT_OPTION_STRING,
    .summary = "working directory on the worker's machine" },
  { .name = "exename",
    .type = MALT_OPTION_STRING,
    .summary = "the julia to run on the worker's machine; the bridge's path unless set" },
  { .name = "topology",
    .type = MALT_OPTION_ENUM,
    .default_value = "master_worker",
    .choices = topology_choices,
    .summary = "which workers of Distributed may call each other" },
  { .name = "enable-threaded-blas",
    .type = MALT_OPTION_BOOL,
    .default_value = "false",
    .summary = "linear algebra of the worker may use several threads" },
  { .name = "manager",
    .type = MALT_OPTION_STRING,
    .summary = "Julia expression that gives a ClusterManager for one worker" },
  { .name = "manager-setup",
    .type = MALT_OPTION_STRING,
    .summary = "Julia code that the bridge runs first, such as using ClusterManagers" },
  { .name = NULL },
};

MaltLink *
malt_distributed_worker_get_link (MaltWorker *worker)
{
  return malt_distributed_evaluator_get_link (
      MALT_DISTRIBUTED_WORKER (worker)->evaluator);
}

/* Launch */

/* What the class can do, and this worker: one on this machine is not remote. */
static gboolean
begin (MaltDistributedWorker *self, GError **error)
{
  MaltWorker *worker = MALT_WORKER (self);

  if (malt_distributed_is_local (worker))
    malt_worker_set_capabilities (worker, LOCAL_CAPABILITIES);
  self->evaluator = malt_distributed_evaluator_new (worker, error);
  return self->evaluator != NULL;
}

static gboolean
malt_distributed_worker_initable_init (GInitable *initable, GCancellable *cancellable,
                                       GError **error)
{
  MaltDistributedWorker *self = MALT_DISTRIBUTED_WORKER (initable);

  return begin (self, error) &&
         malt_launch_await_blocking (
             malt_distributed_evaluator_get_launch (self->evaluator), cancellable, error);
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = malt_distributed_worker_initable_init;
}

static void
malt_distributed_worker_init_async (GAsyncInitable *initable, int io_priority,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  MaltDistributedWorker *self = MALT_DISTRIBUTED_WORKER (initable);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, malt_distributed_worker_init_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_priority (task, io_priority);
  if (begin (self, &error))
    malt_launch_await_task (malt_distributed_evaluator_get_launch (self->evaluator),
                            cancellable, task);
  else
    {
      g_task_return_error (task, error);
      g_object_unref (task);
    }
}

static gboolean
malt_distributed_worker_init_finish (G_GNUC_UNUSED GAsyncInitable *initable,
                                     GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
async_initable_iface_init (GAsyncInitableIface *iface)
{
  iface->init_async = malt_distributed_worker_init_async;
  iface->init_finish = malt_distributed_worker_init_finish;
}

static gboolean
malt_distributed_worker_probe (MaltConfig *config, GError **error)
{
  const char *julia = malt_config_get_for (config, "distributed", "julia");
  g_autofree char *program = malt_julia_find_program (julia, error);

  return program != NULL;
}

/* The object's own end: the process is stopped in the background. */

static void
malt_distributed_worker_dispose (GObject *object)
{
  MaltDistributedWorker *self = MALT_DISTRIBUTED_WORKER (object);
  MaltWorker *worker = MALT_WORKER (object);

  if (self->evaluator != NULL)
    malt_distributed_evaluator_stop (
        self->evaluator, malt_worker_get_option_int (worker, "exit-timeout-ms"),
        malt_worker_get_option_int (worker, "term-timeout-ms"), NULL);
  G_OBJECT_CLASS (malt_distributed_worker_parent_class)->dispose (object);
}

static void
malt_distributed_worker_finalize (GObject *object)
{
  g_clear_pointer (&MALT_DISTRIBUTED_WORKER (object)->evaluator,
                   malt_distributed_evaluator_unref);
  G_OBJECT_CLASS (malt_distributed_worker_parent_class)->finalize (object);
}

/* Life; calls and channels are the link's (MaltLinkWorker) */

static gboolean
malt_distributed_worker_is_running (MaltWorker *worker)
{
  MaltDistributedEvaluator *evaluator = MALT_DISTRIBUTED_WORKER (worker)->evaluator;
  return evaluator != NULL && malt_distributed_evaluator_is_running (evaluator);
}

static void
malt_distributed_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                                    gint64 term_timeout_ms, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  g_task_set_source_tag (task, malt_distributed_worker_stop_async);
  malt_distributed_evaluator_stop (MALT_DISTRIBUTED_WORKER (worker)->evaluator,
                                   exit_timeout_ms, term_timeout_ms, task);
}

static gboolean
malt_distributed_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker,
                                     GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
malt_distributed_worker_kill (MaltWorker *worker, int signum, GError **error)
{
  if (signum < 1 || signum >= NSIG)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "expected a signal number from 1 to %d, got %d", NSIG - 1, signum);
      return FALSE;
    }
  malt_distributed_evaluator_kill (MALT_DISTRIBUTED_WORKER (worker)->evaluator, signum);
  return TRUE;
}

/* The others */

static gboolean
malt_distributed_worker_drive (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                               GCancellable *cancellable)
{
  return malt_link_drive (malt_distributed_worker_get_link (worker), future, deadline_us,
                          cancellable);
}

static char *
malt_distributed_worker_dup_summary (MaltWorker *worker)
{
  MaltDistributedEvaluator *evaluator = MALT_DISTRIBUTED_WORKER (worker)->evaluator;

  if (evaluator == NULL)
    return g_strdup ("distributed worker");
  return g_strdup_printf ("distributed worker %" G_GINT64_FORMAT,
                          malt_distributed_evaluator_get_pid (evaluator));
}

static gint64
malt_distributed_worker_get_pid (MaltWorker *worker)
{
  return malt_distributed_evaluator_get_pid (MALT_DISTRIBUTED_WORKER (worker)->evaluator);
}

static char *
malt_distributed_worker_dup_julia_version (MaltWorker *worker)
{
  return g_strdup (malt_distributed_evaluator_get_julia_version (
      MALT_DISTRIBUTED_WORKER (worker)->evaluator));
}

/* The class */

static void
malt_distributed_worker_init (G_GNUC_UNUSED MaltDistributedWorker *self)
{
}

static void
malt_distributed_worker_class_init (MaltDistributedWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  object_class->dispose = malt_distributed_worker_dispose;
  object_class->finalize = malt_distributed_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = malt_distributed_worker_get_link;

  worker_class->name = "distributed";
  worker_class->description = "workers of Julia's Distributed, here or on other machines";
  worker_class->options = options;
  worker_class->capabilities = LOCAL_CAPABILITIES | MALT_CAPABILITY_REMOTE;
  worker_class->auto_priority = 50;
  worker_class->auto_priority_windows = 100;
  worker_class->probe = malt_distributed_worker_probe;
  worker_class->is_running = malt_distributed_worker_is_running;
  worker_class->stop_async = malt_distributed_worker_stop_async;
  worker_class->stop_finish = malt_distributed_worker_stop_finish;
  worker_class->kill = malt_distributed_worker_kill;
  worker_class->drive = malt_distributed_worker_drive;
  worker_class->dup_summary = malt_distributed_worker_dup_summary;
  worker_class->get_pid = malt_distributed_worker_get_pid;
  worker_class->dup_julia_version = malt_distributed_worker_dup_julia_version;
}

gint64
malt_distributed_worker_get_bridge_pid (MaltWorker *worker)
{
  return malt_distributed_evaluator_get_bridge_pid (
      MALT_DISTRIBUTED_WORKER (worker)->evaluator);
}
