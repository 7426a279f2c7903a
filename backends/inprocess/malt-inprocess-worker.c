/* SPDX-License-Identifier: MIT */
/*
 * MaltInProcessWorker: a worker that is a module of the Julia in this process.
 *
 * The class is a thin shell: every slot hands its work to the link (calls, channels,
 * interrupts) or to the evaluator (life). evaluator is set by init and then constant, so
 * slots of any thread read it without a lock.
 */
#include "link/malt-link-worker.h"
#include "malt-inprocess-discovery.h"
#include "malt-inprocess-evaluator.h"
#include "malt-inprocess-runtime.h"
#include "malt-inprocess-start.h"
#include "platform/malt-platform.h"
#include "process/malt-julia-program.h"
#include "worker/malt-weak-worker.h"

#include <unistd.h>

#define MALT_TYPE_INPROCESS_WORKER (malt_inprocess_worker_get_type ())
G_DECLARE_FINAL_TYPE (MaltInProcessWorker, malt_inprocess_worker, MALT, INPROCESS_WORKER,
                      MaltLinkWorker)

struct _MaltInProcessWorker
{
  MaltLinkWorker parent_instance;
  MaltInProcessEvaluator *evaluator; /* (owned) (nullable): NULL before init */
};

static void initable_iface_init (GInitableIface *iface);

/* GAsyncInitable's own way, init in a thread, is right here. */
G_DEFINE_FINAL_TYPE_WITH_CODE (MaltInProcessWorker, malt_inprocess_worker,
                               MALT_TYPE_LINK_WORKER,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                      initable_iface_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

static const char *const output_choices[] = { "forward", "signal", "discard", NULL };

static const char *const stdin_choices[] = { "null", "inherit", NULL };
static const char *const busy_choices[] = { "no", "force", NULL };

static const MaltOption options[] = {
  { .name = "julia",
    .type = MALT_OPTION_STRING,
    .is_common = TRUE,
    .summary = "the julia to embed: a path, a name, or a +CHANNEL of juliaup" },
  { .name = "threads",
    .type = MALT_OPTION_STRING,
    .is_common = TRUE,
    .summary = "number of Julia threads, auto, or environment; of the first worker" },
  { .name = "project",
    .type = MALT_OPTION_STRING,
    .is_common = TRUE,
    .summary =
        "project environment: a directory, or @. and the like; of the first worker" },
  { .name = "module",
    .type = MALT_OPTION_STRING,
    .default_value = "Main",
    .summary =
        "where code is evaluated: the name of a module, or new for one of its own" },
  { .name = "output",
    .type = MALT_OPTION_ENUM,
    .default_value = "forward",
    .choices = output_choices,
    .is_common = TRUE,
    .summary =
        "output of evaluated code: to the host's, to the signal output, or nowhere" },
  { .name = "stdin",
    .type = MALT_OPTION_ENUM,
    .default_value = "null",
    .choices = stdin_choices,
    .is_common = TRUE,
    .summary =
        "standard input of evaluated code: empty, or the host's; of the first worker" },
  { .name = "interrupt-busy",
    .type = MALT_OPTION_ENUM,
    .default_value = "no",
    .choices = busy_choices,
    .summary =
        "whether code that hogs the processor is interrupted: force can end the host" },
  { .name = "handle-signals",
    .type = MALT_OPTION_BOOL,
    .default_value = "true",
    .summary =
        "whether Julia may handle SIGSEGV, SIGBUS and SIGFPE; of the first worker" },
  { .name = "start-timeout-ms",
    .type = MALT_OPTION_INT,
    .default_value = "60000",
    .minimum = 1,
    .maximum = G_MAXINT32,
    .is_common = TRUE,
    .summary = "how long a launch may take, in milliseconds" },
  { .name = NULL },
};

static MaltLink *
malt_inprocess_worker_get_link (MaltWorker *worker)
{
  return malt_inprocess_evaluator_get_link (MALT_INPROCESS_WORKER (worker)->evaluator);
}

static gboolean
malt_inprocess_worker_initable_init (GInitable *initable, GCancellable *cancellable,
                                     GError **error)
{
  MaltInProcessWorker *self = MALT_INPROCESS_WORKER (initable);

  self->evaluator = malt_inprocess_evaluator_new (MALT_WORKER (self), cancellable, error);
  if (self->evaluator == NULL)
    return FALSE;
  if (!malt_inprocess_evaluator_forces_interrupts (self->evaluator))
    malt_worker_set_capabilities (MALT_WORKER (self),
                                  malt_worker_get_capabilities (MALT_WORKER (self)) &
                                      ~(guint) MALT_CAPABILITY_CAN_INTERRUPT_BUSY);
  return malt_inprocess_evaluator_launch (self->evaluator, MALT_WORKER (self),
                                          cancellable, error);
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = malt_inprocess_worker_initable_init;
}

static char *
malt_inprocess_worker_dup_julia (MaltConfig *config, GError **error)
{
  return malt_julia_find_program (malt_config_get_for (config, "inprocess", "julia"),
                                  error);
}

/* The object's own end: the worker ends in the background. */

static void
malt_inprocess_worker_dispose (GObject *object)
{
  MaltInProcessWorker *self = MALT_INPROCESS_WORKER (object);

  if (self->evaluator != NULL && !malt_platform_is_forked (NULL))
    malt_inprocess_evaluator_stop (self->evaluator, NULL);
  G_OBJECT_CLASS (malt_inprocess_worker_parent_class)->dispose (object);
}

static void
malt_inprocess_worker_finalize (GObject *object)
{
  g_clear_pointer (&MALT_INPROCESS_WORKER (object)->evaluator,
                   malt_inprocess_evaluator_unref);
  G_OBJECT_CLASS (malt_inprocess_worker_parent_class)->finalize (object);
}

/* Life; calls and channels are the link's (MaltLinkWorker) */

static gboolean
malt_inprocess_worker_is_running (MaltWorker *worker)
{
  MaltInProcessEvaluator *evaluator = MALT_INPROCESS_WORKER (worker)->evaluator;
  return evaluator != NULL && malt_inprocess_evaluator_is_running (evaluator);
}

static void
malt_inprocess_worker_stop_async (MaltWorker *worker,
                                  G_GNUC_UNUSED gint64 exit_timeout_ms,
                                  G_GNUC_UNUSED gint64 term_timeout_ms,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task = g_task_new (worker, cancellable, callback, user_data);

  g_task_set_source_tag (task, malt_inprocess_worker_stop_async);
  malt_inprocess_evaluator_stop (MALT_INPROCESS_WORKER (worker)->evaluator, task);
}

static gboolean
malt_inprocess_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                                   GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
malt_inprocess_worker_kill (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED int signum,
                            GError **error)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                       "an in-process worker cannot be killed: it is part of the host");
  return FALSE;
}

/* The others */

/* Nothing has to be read here: the answer comes in the Julia thread. But a caller that
 * looks for it is there sooner than one that is woken. */
static gboolean
malt_inprocess_worker_drive (G_GNUC_UNUSED MaltWorker *worker, MaltFuture *future,
                             G_GNUC_UNUSED gint64 deadline_us,
                             G_GNUC_UNUSED GCancellable *cancellable)
{
  malt_inprocess_runtime_spin (future);
  return malt_future_is_done (future);
}

static void
malt_inprocess_worker_export_direct (MaltWorker *worker, const char *name,
                                     const MaltDirectFunction *function,
                                     MaltFuture *future)
{
  malt_link_export_direct (malt_inprocess_worker_get_link (worker), name, function,
                           malt_future_get_id (future));
}

static void
malt_inprocess_worker_native_new (MaltWorker *worker, MaltNativeCell *cell,
                                  const char *source, const char *signature,
                                  MaltFuture *future)
{
  malt_link_native (malt_inprocess_worker_get_link (worker), cell, source, signature,
                    malt_future_get_id (future));
}

static void
malt_inprocess_worker_run_in_julia (G_GNUC_UNUSED MaltWorker *worker,
                                    MaltJuliaThreadFunc func, gpointer data)
{
  malt_inprocess_runtime_run (func, data);
}

static void
malt_inprocess_worker_spin (G_GNUC_UNUSED MaltWorker *worker, const gint *is_done)
{
  malt_inprocess_runtime_spin_for (is_done);
}

static char *
malt_inprocess_worker_dup_summary (G_GNUC_UNUSED MaltWorker *worker)
{
  return g_strdup ("inprocess worker");
}

static gint64
malt_inprocess_worker_get_pid (G_GNUC_UNUSED MaltWorker *worker)
{
  return getpid ();
}

static char *
malt_inprocess_worker_dup_julia_version (G_GNUC_UNUSED MaltWorker *worker)
{
  return g_strdup (malt_inprocess_start_get_version ());
}

/* The class */

static void
malt_inprocess_worker_init (G_GNUC_UNUSED MaltInProcessWorker *self)
{
}

static void
malt_inprocess_worker_class_init (MaltInProcessWorkerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  object_class->dispose = malt_inprocess_worker_dispose;
  object_class->finalize = malt_inprocess_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = malt_inprocess_worker_get_link;

  worker_class->name = "inprocess";
  worker_class->description = "a module of a Julia that is loaded into the host";
  worker_class->options = options;
  worker_class->capabilities =
      MALT_CAPABILITY_CAN_INTERRUPT_WAITING |
      MALT_CAPABILITY_CAN_INTERRUPT_BUSY | /* with interrupt-busy = force */
      MALT_CAPABILITY_CHANNELS | MALT_CAPABILITY_HANDLES | MALT_CAPABILITY_OUTPUT |
      MALT_CAPABILITY_HOST_FUNCTIONS | MALT_CAPABILITY_NATIVE;
  worker_class->auto_priority = 0; /* only when named: evaluated code can end the host */
  worker_class->dup_julia = malt_inprocess_worker_dup_julia;
  worker_class->is_running = malt_inprocess_worker_is_running;
  worker_class->stop_async = malt_inprocess_worker_stop_async;
  worker_class->stop_finish = malt_inprocess_worker_stop_finish;
  worker_class->kill = malt_inprocess_worker_kill;
  worker_class->drive = malt_inprocess_worker_drive;
  worker_class->export_direct = malt_inprocess_worker_export_direct;
  worker_class->native_new = malt_inprocess_worker_native_new;
  worker_class->run_in_julia = malt_inprocess_worker_run_in_julia;
  worker_class->is_julia_thread = malt_inprocess_runtime_is_current_thread;
  worker_class->spin = malt_inprocess_worker_spin;
  worker_class->dup_summary = malt_inprocess_worker_dup_summary;
  worker_class->get_pid = malt_inprocess_worker_get_pid;
  worker_class->dup_julia_version = malt_inprocess_worker_dup_julia_version;
}
