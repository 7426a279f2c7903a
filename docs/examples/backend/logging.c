/* SPDX-License-Identifier: MIT */
/* A backend in a module: writes down all that it is asked, and has another worker do it. */
#include <errno.h>
#include <malt/malt-abstract-worker.h>
#include <stdio.h>

#define TYPE_LOGGING_WORKER (logging_worker_get_type ())
G_DECLARE_FINAL_TYPE (LoggingWorker, logging_worker, LOGGING, WORKER, MaltWorker)

struct _LoggingWorker
{
  MaltWorker parent_instance;
  FILE *log; /* (owned), unless it is stderr; (nullable): NULL before init */
};

static void initable_init (GInitableIface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE (LoggingWorker, logging_worker, MALT_TYPE_WORKER,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))
MALT_DEFINE_BACKEND_MODULE (logging_worker_get_type)

/* Two options of its own; the others go to the inner worker. */

#define PASSED_ON(key) .name = (key), .is_common = TRUE, .summary = "of the inner worker"

static const MaltOption options[] = {
  { .name = "inner", .default_value = "malt-process", .summary = "who does the work" },
  { .name = "log", .summary = "a file to append to, instead of standard error" },
  { PASSED_ON ("julia") },
  { PASSED_ON ("project") },
  { PASSED_ON ("threads") },
  { PASSED_ON ("exeflags") },
  { PASSED_ON ("module") },
  { PASSED_ON ("cwd") },
  { PASSED_ON ("env") },
  { PASSED_ON ("output") },
  { PASSED_ON ("stdin") },
  { .name = NULL }
};

/* The same for the inner worker, which finds common options and its own group where they were. */
static MaltConfig *
dup_inner_config (MaltConfig *config)
{
  MaltConfig *copy = malt_config_copy (config);
  const char *inner = malt_config_get_for (config, "logging", "inner");

  malt_config_set_backend (copy, inner != NULL ? inner : options[0].default_value);
  malt_config_set_for (copy, "logging", "inner", NULL); /* it may be another of these */
  for (const MaltOption *option = options + 2; option->name != NULL; option++)
    {
      const char *value = malt_config_get_for (config, "logging", option->name);

      if (value != malt_config_get (config, option->name))
        malt_config_set_for (copy, malt_config_get_backend (copy), option->name, value);
    }
  return copy;
}

static gboolean
logging_probe (MaltConfig *config, GError **error)
{
  g_autoptr (MaltConfig) copy = dup_inner_config (config);
  g_autoptr (MaltBackend) backend = malt_backend_choose (copy, NULL, error);

  return backend != NULL;
}

/* Life: the inner worker is launched first, and goes with this one. */

static gboolean
logging_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  MaltWorker *worker = MALT_WORKER (initable);
  const char *path = malt_worker_get_option (worker, "log");
  g_autoptr (MaltConfig) config = dup_inner_config (malt_worker_get_config (worker));
  g_autoptr (MaltWorker) inner = malt_worker_launch (config, cancellable, error);

  if (inner == NULL)
    return FALSE;
  LOGGING_WORKER (worker)->log = path != NULL ? fopen (path, "ae") : stderr;
  if (LOGGING_WORKER (worker)->log != NULL)
    {
      setvbuf (LOGGING_WORKER (worker)->log, NULL, _IOLBF, 0);
      malt_worker_set_inner (worker, inner);
      return TRUE;
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "cannot open '%s': %s", path,
               g_strerror (errno));
  return FALSE;
}

static void
initable_init (GInitableIface *iface)
{
  iface->init = logging_initable_init;
}

static void
logging_finalize (GObject *object)
{
  FILE *log = LOGGING_WORKER (object)->log;

  if (log != NULL && log != stderr)
    fclose (log);
  G_OBJECT_CLASS (logging_worker_parent_class)->finalize (object);
}

/* Slots: each writes its name, and asks the same of the inner worker. */

#define LOG(worker, ...) fprintf (LOGGING_WORKER (worker)->log, __VA_ARGS__)
#define FORWARD(type, slot, arguments, ...)                    \
  static type logging_##slot (MaltWorker *worker, __VA_ARGS__) \
  {                                                            \
    MaltWorker *inner = malt_worker_get_inner (worker);        \
    LOG (worker, #slot "\n");                                  \
    return MALT_WORKER_GET_CLASS (inner)->slot arguments;      \
  }
#define QUERY(type, slot)                                       \
  static type logging_##slot (MaltWorker *worker)               \
  {                                                             \
    LOG (worker, #slot "\n");                                   \
    return malt_worker_##slot (malt_worker_get_inner (worker)); \
  }

static void
on_answered (MaltFuture *future, G_GNUC_UNUSED gpointer data)
{
  g_autoptr (MaltWorker) worker = malt_future_dup_worker (future);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  if (worker != NULL)
    LOG (worker, "answer to %u: %s\n", malt_future_get_id (future),
         value != NULL ? malt_value_get_type_name (value) : error->message);
}

static void
logging_remote_call (MaltWorker *worker, MaltFuture *future)
{
  MaltWorker *inner = malt_worker_get_inner (worker);
  g_autofree char *call = malt_call_to_string (malt_future_get_call (future));

  LOG (worker, "remote_call %u: %s\n", malt_future_get_id (future), call);
  malt_future_add_watch (future, on_answered, NULL, NULL);
  MALT_WORKER_GET_CLASS (inner)->remote_call (inner, future);
}

FORWARD (gboolean, remote_do, (inner, call, error), MaltCall *call, GError **error)
FORWARD (void, interrupt_async, (inner, future, flags, cancellable, callback, user_data),
         MaltFuture *future, MaltInterruptFlags flags, GCancellable *cancellable,
         GAsyncReadyCallback callback, gpointer user_data)
FORWARD (MaltInterruptResult, interrupt_finish, (inner, result, error),
         GAsyncResult *result, GError **error)
FORWARD (void, stop_async, (inner, exit_ms, term_ms, cancellable, callback, user_data),
         gint64 exit_ms, gint64 term_ms, GCancellable *cancellable,
         GAsyncReadyCallback callback, gpointer user_data)
FORWARD (gboolean, stop_finish, (inner, result, error), GAsyncResult *result,
         GError **error)
FORWARD (gboolean, kill, (inner, signum, error), int signum, GError **error)
FORWARD (void, channel_open, (inner, channel, module, source, n_credit, future),
         MaltChannel *channel, const char *module, const char *source, guint n_credit,
         MaltFuture *future)
FORWARD (void, channel_credit, (inner, channel, n_credit), MaltChannel *channel,
         guint n_credit)
FORWARD (void, channel_put, (inner, channel, value, future), MaltChannel *channel,
         MaltValue *value, MaltFuture *future)
FORWARD (void, channel_close, (inner, channel, future), MaltChannel *channel,
         MaltFuture *future)
FORWARD (void, channel_state, (inner, channel, future), MaltChannel *channel,
         MaltFuture *future)
FORWARD (void, channel_forget, (inner, channel_id), guint32 channel_id)
FORWARD (void, release_handles, (inner, ids, n_ids), const guint64 *ids, gsize n_ids)
FORWARD (void, export_function, (inner, name, flags, future), const char *name,
         MaltExportFlags flags, MaltFuture *future)
FORWARD (void, unexport_function, (inner, name), const char *name)
FORWARD (void, export_direct, (inner, name, function, future), const char *name,
         const MaltDirectFunction *function, MaltFuture *future)
FORWARD (void, native_new, (inner, cell, source, signature, future), MaltNativeCell *cell,
         const char *source, const char *signature, MaltFuture *future)
FORWARD (void, run_in_julia, (inner, func, data), MaltJuliaThreadFunc func, gpointer data)
FORWARD (gboolean, drive, (inner, future, deadline_us, cancellable), MaltFuture *future,
         gint64 deadline_us, GCancellable *cancellable)
FORWARD (void, spin, (inner, is_done), const gint *is_done)
QUERY (gboolean, is_running)
QUERY (char *, dup_summary)
QUERY (gint64, get_pid)
QUERY (char *, dup_julia_version)

static void
logging_worker_init (G_GNUC_UNUSED LoggingWorker *self)
{
}

static void
logging_worker_class_init (LoggingWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = logging_finalize;
  worker_class->name = "logging";
  worker_class->description =
      "writes down what it is asked, and has another worker do it";
  worker_class->options = options;
  worker_class->capabilities = (MaltCapabilities) ~0; /* what the inner one has of them */

#define SET(slot) worker_class->slot = logging_##slot
  SET (probe), SET (remote_call), SET (remote_do), SET (interrupt_async);
  SET (interrupt_finish), SET (is_running), SET (stop_async), SET (stop_finish);
  SET (kill), SET (drive), SET (channel_open), SET (channel_credit), SET (channel_put);
  SET (channel_close), SET (channel_state), SET (channel_forget), SET (release_handles);
  SET (export_function), SET (unexport_function), SET (export_direct), SET (native_new);
  SET (run_in_julia), SET (spin), SET (dup_summary), SET (get_pid);
  SET (dup_julia_version);
}
