/* SPDX-License-Identifier: MIT */
/*
 * MaltProcessWorker: a worker that is a Julia process of its own.
 *
 * The class is a thin shell: every slot hands its work to the link (calls, channels,
 * interrupts: MaltLinkWorker) or to the evaluator (life and death of the process). The
 * object holds a reference to its evaluator, which has a weak one to the object;
 * evaluator is set by init and then constant, so slots of any thread read it without a
 * lock.
 */
#include "malt-process-worker.h"

#include "malt-process-evaluator.h"
#include "malt-process-julia.h"
#include "platform/malt-platform.h"
#include "process/malt-julia-options.h"
#include "process/malt-julia-program.h"
#include "process/malt-launched-worker.h"

#define MALT_TYPE_PROCESS_WORKER (malt_process_worker_get_type ())
G_DECLARE_FINAL_TYPE (MaltProcessWorker, malt_process_worker, MALT, PROCESS_WORKER,
                      MaltLaunchedWorker)

struct _MaltProcessWorker
{
  MaltLaunchedWorker parent_instance;
  MaltProcessEvaluator *evaluator; /* (owned) (nullable): NULL before init */
};

G_DEFINE_FINAL_TYPE (MaltProcessWorker, malt_process_worker, MALT_TYPE_LAUNCHED_WORKER)

static const char *const transport_choices[] = { "tcp", "tcp-connect", "socketpair",
                                                 NULL };
static const char *const group_choices[] = { "own", "host", NULL };

static const MaltOption options[] = {
  MALT_JULIA_OPTIONS,
  { .name = "transport",
    .type = MALT_OPTION_ENUM,
    .default_value = MALT_PLATFORM_PICK ("tcp", "tcp-connect"),
    .choices = transport_choices,
    .summary =
        "an inherited TCP pair, a TCP connection back with tokens, or a socketpair" },
  { .name = "process-group",
    .type = MALT_OPTION_ENUM,
    .default_value = "own",
    .choices = group_choices,
    .summary = "own: signals of the host's terminal do not reach the worker" },
  { .name = "program-flags",
    .type = MALT_OPTION_STRINGS,
    .summary = "flags of julia that are for the program: -L FILE, -e EXPR, -E EXPR" },
  { .name = NULL },
};

MaltLink *
malt_process_worker_get_link (MaltWorker *worker)
{
  return malt_process_evaluator_get_link (MALT_PROCESS_WORKER (worker)->evaluator);
}

/* Life (MaltLaunchedWorker); calls and channels are the link's (MaltLinkWorker) */

static MaltLaunch *
malt_process_worker_begin (MaltWorker *worker, GError **error)
{
  MaltProcessWorker *self = MALT_PROCESS_WORKER (worker);

  self->evaluator = malt_process_evaluator_new (worker, error);
  if (self->evaluator == NULL)
    return NULL;
  return malt_process_evaluator_get_launch (self->evaluator);
}

static void
malt_process_worker_start (MaltWorker *worker)
{
  malt_process_evaluator_start (MALT_PROCESS_WORKER (worker)->evaluator,
                                malt_worker_get_option_int (worker, "start-timeout-ms"));
}

static gboolean
malt_process_worker_is_running (MaltWorker *worker)
{
  MaltProcessEvaluator *evaluator = MALT_PROCESS_WORKER (worker)->evaluator;
  return evaluator != NULL && malt_process_evaluator_is_running (evaluator);
}

static void
malt_process_worker_end (MaltWorker *worker, gint64 exit_timeout_ms,
                         gint64 term_timeout_ms, GTask *task)
{
  malt_process_evaluator_stop (MALT_PROCESS_WORKER (worker)->evaluator, exit_timeout_ms,
                               term_timeout_ms, task);
}

static gboolean
malt_process_worker_send_signal (MaltWorker *worker, int signum)
{
  return malt_process_evaluator_kill (MALT_PROCESS_WORKER (worker)->evaluator, signum);
}

static void
malt_process_worker_remote_call (MaltWorker *worker, MaltFuture *future)
{
  malt_process_evaluator_note_call (MALT_PROCESS_WORKER (worker)->evaluator);
  MALT_WORKER_CLASS (malt_process_worker_parent_class)->remote_call (worker, future);
}

/* The others */

static char *
malt_process_worker_dup_julia (MaltConfig *config, GError **error)
{
  return malt_julia_find_program (malt_config_get_for (config, "malt-process", "julia"),
                                  error);
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
malt_process_worker_finalize (GObject *object)
{
  g_clear_pointer (&MALT_PROCESS_WORKER (object)->evaluator,
                   malt_process_evaluator_unref);
  G_OBJECT_CLASS (malt_process_worker_parent_class)->finalize (object);
}

static void
malt_process_worker_init (G_GNUC_UNUSED MaltProcessWorker *self)
{
}

static void
malt_process_worker_class_init (MaltProcessWorkerClass *klass)
{
  MaltLaunchedWorkerClass *launched_class = MALT_LAUNCHED_WORKER_CLASS (klass);
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = malt_process_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = malt_process_worker_get_link;
  launched_class->begin = malt_process_worker_begin;
  launched_class->start = malt_process_worker_start;
  launched_class->end = malt_process_worker_end;
  launched_class->send_signal = malt_process_worker_send_signal;

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
  worker_class->remote_call = malt_process_worker_remote_call;
  worker_class->dup_julia = malt_process_worker_dup_julia;
  worker_class->is_running = malt_process_worker_is_running;
  worker_class->dup_summary = malt_process_worker_dup_summary;
  worker_class->get_pid = malt_process_worker_get_pid;
  worker_class->dup_julia_version = malt_process_worker_dup_julia_version;
}
