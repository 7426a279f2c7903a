/* SPDX-License-Identifier: MIT */
/*
 * MaltDistributedWorker: a worker of a cluster of Julia's Distributed, here or on another machine.
 *
 * The class is a thin shell: every slot hands its work to the link (calls, channels,
 * interrupts: MaltLinkWorker) or to the evaluator (life and death). The object holds a
 * reference to its evaluator, which has a weak one to the object; evaluator is set by
 * init and then constant, so slots of any thread read it without a lock.
 */
#include "malt-distributed-worker.h"

#include "malt-distributed-evaluator.h"
#include "malt-distributed-request.h"
#include "platform/malt-platform.h"
#include "process/malt-julia-options.h"
#include "process/malt-julia-program.h"
#include "process/malt-launched-worker.h"

/* Distributed sends no signals on Windows. */
#define SIGNAL_CAPABILITIES \
  MALT_PLATFORM_PICK (MALT_CAPABILITY_CAN_INTERRUPT_BUSY, MALT_CAPABILITY_NONE)

/* What a worker on this machine can do. */
#define LOCAL_CAPABILITIES                                                     \
  (SIGNAL_CAPABILITIES | MALT_CAPABILITY_ISOLATED | MALT_CAPABILITY_CAN_KILL | \
   MALT_CAPABILITY_CAN_INTERRUPT_WAITING | MALT_CAPABILITY_CHANNELS |          \
   MALT_CAPABILITY_HANDLES | MALT_CAPABILITY_OUTPUT | MALT_CAPABILITY_HOST_FUNCTIONS)

#define MALT_TYPE_DISTRIBUTED_WORKER (malt_distributed_worker_get_type ())
G_DECLARE_FINAL_TYPE (MaltDistributedWorker, malt_distributed_worker, MALT,
                      DISTRIBUTED_WORKER, MaltLaunchedWorker)

struct _MaltDistributedWorker
{
  MaltLaunchedWorker parent_instance;
  MaltDistributedEvaluator *evaluator; /* (owned) (nullable): NULL before init */
};

G_DEFINE_FINAL_TYPE (MaltDistributedWorker, malt_distributed_worker,
                     MALT_TYPE_LAUNCHED_WORKER)

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

/* Life (MaltLaunchedWorker); calls and channels are the link's (MaltLinkWorker) */

/* What the class can do, and this worker: one on this machine is not remote. */
static MaltLaunch *
malt_distributed_worker_begin (MaltWorker *worker, GError **error)
{
  MaltDistributedWorker *self = MALT_DISTRIBUTED_WORKER (worker);

  if (malt_distributed_is_local (worker))
    malt_worker_set_capabilities (worker, LOCAL_CAPABILITIES);
  self->evaluator = malt_distributed_evaluator_new (worker, error);
  if (self->evaluator == NULL)
    return NULL;
  return malt_distributed_evaluator_get_launch (self->evaluator);
}

static void
malt_distributed_worker_start (MaltWorker *worker)
{
  malt_distributed_evaluator_start (MALT_DISTRIBUTED_WORKER (worker)->evaluator, worker);
}

static gboolean
malt_distributed_worker_is_running (MaltWorker *worker)
{
  MaltDistributedEvaluator *evaluator = MALT_DISTRIBUTED_WORKER (worker)->evaluator;
  return evaluator != NULL && malt_distributed_evaluator_is_running (evaluator);
}

static void
malt_distributed_worker_end (MaltWorker *worker, gint64 exit_timeout_ms,
                             gint64 term_timeout_ms, GTask *task)
{
  malt_distributed_evaluator_stop (MALT_DISTRIBUTED_WORKER (worker)->evaluator,
                                   exit_timeout_ms, term_timeout_ms, task);
}

static gboolean
malt_distributed_worker_send_signal (MaltWorker *worker, int signum)
{
  malt_distributed_evaluator_kill (MALT_DISTRIBUTED_WORKER (worker)->evaluator, signum);
  return TRUE;
}

/* The others */

static char *
malt_distributed_worker_dup_julia (MaltConfig *config, GError **error)
{
  return malt_julia_find_program (malt_config_get_for (config, "distributed", "julia"),
                                  error);
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
malt_distributed_worker_finalize (GObject *object)
{
  g_clear_pointer (&MALT_DISTRIBUTED_WORKER (object)->evaluator,
                   malt_distributed_evaluator_unref);
  G_OBJECT_CLASS (malt_distributed_worker_parent_class)->finalize (object);
}

static void
malt_distributed_worker_init (G_GNUC_UNUSED MaltDistributedWorker *self)
{
}

static void
malt_distributed_worker_class_init (MaltDistributedWorkerClass *klass)
{
  MaltLaunchedWorkerClass *launched_class = MALT_LAUNCHED_WORKER_CLASS (klass);
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = malt_distributed_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = malt_distributed_worker_get_link;
  launched_class->begin = malt_distributed_worker_begin;
  launched_class->start = malt_distributed_worker_start;
  launched_class->end = malt_distributed_worker_end;
  launched_class->send_signal = malt_distributed_worker_send_signal;

  worker_class->name = "distributed";
  worker_class->description = "workers of Julia's Distributed, here or on other machines";
  worker_class->options = options;
  worker_class->capabilities = LOCAL_CAPABILITIES | MALT_CAPABILITY_REMOTE;
  worker_class->auto_priority = 50;
  worker_class->auto_priority_windows = 100;
  worker_class->dup_julia = malt_distributed_worker_dup_julia;
  worker_class->is_running = malt_distributed_worker_is_running;
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
