/* SPDX-License-Identifier: MIT */
/* AbstractWorker: the vtable of a backend, and what core offers to those who fill it in. Not part of malt.h. */
#pragma once

#include <malt/malt.h>

G_BEGIN_DECLS

/*
 * The rules that no signature can carry. They are the contract of docs/architecture.md (B1 to B17); `malt-contract --backend NAME` checks them.
 *
 * Who calls the slots. Core does, after it has checked every argument: pointers are valid, the worker is in a state in which the
 * operation makes sense, the capability bit of the slot is set. A slot may be called from any thread, several at once. No lock of core's is held.
 *
 * Calls. Core makes the future, numbers it (malt_future_get_id(), unique among the calls of the worker that are pending, never 0) and
 * keeps it in its list of pending calls before the slot sees it. The backend keeps the number, not the future, and ends the call with
 * malt_worker_complete_call(), from any thread, never while it holds a lock that a slot takes. Completing a call that was given up is harmless: it returns FALSE.
 * (B1, B5) Calls start in the order in which remote_call and remote_do were entered (B3).
 *
 * Ends. When the evaluator is gone, for whatever reason, the backend calls malt_worker_exited() once. Core then fails all that is
 * pending, oldest first, and emits `exited` (B8). After it, complete_call, channel_push and emit_output do nothing.
 *
 * Lifetime. The backend must not keep a strong reference to the worker in threads or sources of its own: the last reference of the
 * user must be able to go. Its dispose must then start a polite stop in the background and return at once (B15).
 *
 * What a backend cannot do it does not pretend: the slot is left NULL (optional ones) or sets MALT_ERROR_NOT_SUPPORTED, and the
 * capability bit is clear (B14).
 */

/**
 * MaltOption:
 * @name: name, in kebab case, as it stands in key files
 * @type: type
 * @default_value: (nullable): the default in text form, or %NULL: unset
 * @choices: (nullable): for %MALT_OPTION_ENUM: the accepted texts, ended by %NULL
 * @minimum: for %MALT_OPTION_INT: the least value
 * @maximum: for %MALT_OPTION_INT: the greatest value
 * @is_common: the option means the same for every backend that has it, and may be set without naming one
 * @summary: one line, shown by `malt backends` and in messages
 *
 * An option that a backend knows. A table of them ends with an entry whose name is %NULL.
 */
typedef struct
{
  const char *name;
  MaltOptionType type;
  const char *default_value;
  const char *const *choices;
  gint64 minimum;
  gint64 maximum;
  gboolean is_common;
  const char *summary;
} MaltOption;

struct _MaltWorker
{
  GObject parent_instance;
};

/**
 * MaltWorkerClass:
 *
 * The vtable of a backend.
 */
struct _MaltWorkerClass
{
  /*< private >*/
  GObjectClass parent_class;

  /*< public >*/
  /* Class data: must provide name, description and options (may be an empty table). */
  const char *name;
  const char *description;
  const MaltOption *options;
  MaltCapabilities
      capabilities; /* what its workers can do on this machine; an instance may have fewer */
  int auto_priority; /* on this platform; 0: never taken unless named; the greatest is tried first */

  /* May provide. Can this backend work here, with this config? Reads files, starts no process. */
  gboolean (*probe) (MaltConfig *config, GError **error);

  /* Must provide the following six. */

  /* Runs malt_future_get_call (future). Never blocks for longer than it takes to queue it. */
  void (*remote_call) (MaltWorker *worker, MaltFuture *future);

  /* Queues the call; its result and its exceptions go nowhere. */
  gboolean (*remote_do) (MaltWorker *worker, MaltCall *call, GError **error);

  /* Throws InterruptException into the call of the future, which core knows to be pending. IDLE is core's answer: never returned here. */
  void (*interrupt_async) (MaltWorker *worker, MaltFuture *future,
                           MaltInterruptFlags flags, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
  MaltInterruptResult (*interrupt_finish) (MaltWorker *worker, GAsyncResult *result,
                                           GError **error);

  /* Is the evaluator alive? Cheap; never blocks. */
  gboolean (*is_running) (MaltWorker *worker);

  /* Politely within exit_timeout_ms, then SIGTERM within term_timeout_ms, then SIGKILL. Ends after malt_worker_exited() was called. */
  void (*stop_async) (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
                      GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data);
  gboolean (*stop_finish) (MaltWorker *worker, GAsyncResult *result, GError **error);

  /* Sends a signal now. Never blocks; a worker that is gone already is no error. */
  gboolean (*kill) (MaltWorker *worker, int signum, GError **error);

  /* May provide the following. */

  /* Reads for the future in the calling thread until it is done, @deadline_us (g_get_monotonic_time(), -1 for none) passes or @cancellable fires. FALSE
   * without waiting if another thread reads already or there is nothing to read from: core then waits. */
  gboolean (*drive) (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                     GCancellable *cancellable);

  /* Evaluates @source to a channel and from then on pushes its items into @channel, never more than it has credit for. The future is completed with nothing. */
  void (*channel_open) (MaltWorker *worker, MaltChannel *channel, const char *module,
                        const char *source, guint n_credit, MaltFuture *future);
  void (*channel_credit) (MaltWorker *worker, MaltChannel *channel, guint n_credit);
  /* Completed with nothing once the item is in the channel. */
  void (*channel_put) (MaltWorker *worker, MaltChannel *channel, MaltValue *value,
                       MaltFuture *future);
  void (*channel_close) (MaltWorker *worker, MaltChannel *channel, MaltFuture *future);
  /* Completed with the tuple (is open, items ready but not yet pushed). */
  void (*channel_state) (MaltWorker *worker, MaltChannel *channel, MaltFuture *future);
  /* The host listens no longer. Must not block. */
  void (*channel_forget) (MaltWorker *worker, guint32 channel_id);

  /* Drops objects that handles kept alive. From any thread; must not block. */
  void (*release_handles) (MaltWorker *worker, const guint64 *ids, gsize n_ids);

  /* One line such as "malt-process worker 1234". */
  char *(*dup_summary) (MaltWorker *worker);
  gint64 (*get_pid) (MaltWorker *worker);
  char *(*dup_julia_version) (MaltWorker *worker);

  /*< private >*/
  gpointer padding[16];
};

/* Register */

MALT_EXPORT
void malt_backend_register (GType worker_type);

/* What a backend tells core */

MALT_EXPORT
gboolean malt_worker_complete_call (MaltWorker *worker, guint32 call_id, MaltValue *value,
                                    GError *error);
MALT_EXPORT
void malt_worker_exited (MaltWorker *worker, MaltTermination *termination);
MALT_EXPORT
void malt_worker_emit_output (MaltWorker *worker, MaltStream stream, guint32 call_id,
                              GBytes *bytes);
MALT_EXPORT
void malt_worker_set_capabilities (MaltWorker *worker, MaltCapabilities capabilities);
MALT_EXPORT
guint malt_worker_get_n_pending (MaltWorker *worker);
MALT_EXPORT
gboolean malt_worker_is_pending (MaltWorker *worker, guint32 call_id);

/* The options of this worker: config, then default. The config was checked against the class's table before the worker was made. */

MALT_EXPORT
const char *malt_worker_get_option (MaltWorker *worker, const char *name);
MALT_EXPORT
gint64 malt_worker_get_option_int (MaltWorker *worker, const char *name);
MALT_EXPORT
gboolean malt_worker_get_option_bool (MaltWorker *worker, const char *name);
MALT_EXPORT
char **malt_worker_dup_option_strings (MaltWorker *worker, const char *name);

/* Channels */

MALT_EXPORT
guint32 malt_channel_get_id (MaltChannel *channel);
MALT_EXPORT
void malt_channel_push (MaltChannel *channel, MaltValue *value);
MALT_EXPORT
void malt_channel_push_closed (MaltChannel *channel, const char *reason);

/* Drivers: called when the future is done, so that a thread that reads for it can be woken */

MALT_EXPORT
void malt_future_set_waker (MaltFuture *future, GDestroyNotify wake, gpointer data);

/* Errors */

MALT_EXPORT
GError *malt_error_new_remote_exception (const char *exception_type, const char *message,
                                         const char *backtrace,
                                         const char *worker_summary);
MALT_EXPORT
GError *malt_error_new_terminated (MaltTermination *termination,
                                   const char *worker_summary, const char *call_summary);
MALT_EXPORT
MaltTermination *malt_termination_new (MaltTerminationReason reason, int status,
                                       const char *stderr_tail, const char *call_summary);

G_END_DECLS
