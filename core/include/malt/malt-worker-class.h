/* SPDX-License-Identifier: MIT */
/* AbstractWorker: the vtable of a backend, and what core offers to those who fill it
 * in. For authors of backends. Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt-abstract-worker.h> can be included directly."
#endif

#include <malt/malt-option-table.h>
#include <malt/malt-worker.h>

G_BEGIN_DECLS

/*
 * The rules that no signature can carry. They are the contract of docs/architecture.md
 * (B1 to B18); `malt-contract --backend NAME` checks them.
 *
 * Who calls the slots. Core does, after it has checked every argument: pointers are
 * valid, the worker is in a state in which the operation makes sense, the capability
 * bit of the slot is set. A slot may be called from any thread, several at once;
 * interrupt_async and stop_async are called in the library's I/O thread, whose main
 * context always runs. No lock of core's is held, but where a slot says so.
 *
 * Calls. Core makes the future, numbers it (malt_future_get_id(), unique among the
 * calls of the worker that are outstanding, never 0) and keeps it in its list before
 * the slot sees it. The backend keeps the number, not the future, and ends the call
 * with malt_worker_complete_call(), from any thread, also inside the slot. A call that
 * was given up (cancelled, timed out) stays outstanding until the worker has answered
 * it, because it still runs there: it counts in malt_worker_get_n_pending() and can be
 * interrupted; completing it is harmless and returns FALSE. (B1, B5) Calls start in
 * the order in which remote_call and remote_do were entered (B3). Requests of core's
 * own (channel operations) are futures without a call; they are not counted. A slot
 * may see a call although malt_worker_exited() was called a moment before: the call
 * has failed already, and nothing need be done.
 *
 * Ends. When the evaluator is gone, for whatever reason, the backend calls
 * malt_worker_exited() once. Core then fails all that is pending, oldest first, tells
 * the channels, ends stops that are under way and emits `exited` (B8). After it,
 * complete_call, channel_push and emit_output do nothing.
 *
 * Lifetime. The backend must not keep a strong reference to the worker in threads or
 * sources of its own: the last reference of the user must be able to go. Its dispose
 * must then start a polite stop in the background and return at once (B15), and chain
 * up.
 *
 * Forks. In a process that was forked from the host core calls no slot and finalizes no worker
 * (B18), but dispose runs there when the last reference goes. If malt_is_forked() says so it
 * only chains up.
 *
 * Options. The common options exit-timeout-ms and term-timeout-ms, where a backend has
 * them, are what malt_worker_stop() goes by.
 *
 * Order. What emit_output was given before complete_call reaches handlers in the same
 * main context before the callbacks of that call (B16).
 *
 * Locks. malt_channel_push(), malt_worker_complete_call() and malt_worker_exited() may
 * call slots in turn: nothing of core's is called while the backend holds a lock that
 * a slot takes.
 *
 * Wrapping. A worker may forward what it is asked to another worker, its inner one. Its
 * init launches that with malt_worker_launch() and then calls malt_worker_set_inner(). From
 * then on each slot can call the same slot of MALT_WORKER_GET_CLASS (inner) with the inner
 * worker and otherwise the same arguments: the futures, channels and functions are those of
 * the front, and core takes what the inner backend says of the inner worker as said of
 * the front. interrupt_async and stop_async pass their callback on, and the result goes
 * to the inner worker's finish. A slot that the inner class leaves empty
 * is not called, because the capability is clear. The queries
 * (is_running, dup_summary, get_pid, dup_julia_version) are made by the public functions. Other
 * calls of the inner worker fail.
 *
 * What a backend cannot do it does not pretend: the slot is left NULL (optional ones)
 * or sets MALT_ERROR_NOT_SUPPORTED, and the capability bit is clear (B14).
 */

/**
 * MaltNativeCell:
 *
 * Where a native function leaves the exception that has ended a call. It lives as long as
 * the process, as the machine code does.
 */
typedef struct _MaltNativeCell MaltNativeCell;

/**
 * MaltDirectFunction:
 * @code: a C function; behind the arguments of the signature it takes a `GError **`
 * @signature: its signature, such as "f64(f64,i64)"
 * @owner: keeps @code
 *
 * A host function that Julia calls in its own thread.
 */
typedef struct
{
  gpointer code;
  const char *signature;
  GBytes *owner;
} MaltDirectFunction;

#define MALT_WORKER_CLASS(klass) \
  (G_TYPE_CHECK_CLASS_CAST ((klass), MALT_TYPE_WORKER, MaltWorkerClass))
#define MALT_IS_WORKER_CLASS(klass) (G_TYPE_CHECK_CLASS_TYPE ((klass), MALT_TYPE_WORKER))
#define MALT_WORKER_GET_CLASS(obj) \
  (G_TYPE_INSTANCE_GET_CLASS ((obj), MALT_TYPE_WORKER, MaltWorkerClass))

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
  MaltCapabilities capabilities; /* an instance may have fewer */
  /* What `auto` tries: the greatest first, 0 never. On Windows the second counts. */
  int auto_priority;
  int auto_priority_windows;

  /* May provide. Can this backend work here, with this config? Reads files, starts no
   * process. */
  gboolean (*probe) (MaltConfig *config, GError **error);

  /* Must provide the following six. */

  /* Runs malt_future_get_call (future). Never blocks for longer than it takes to queue
   * it. */
  void (*remote_call) (MaltWorker *worker, MaltFuture *future);

  /* Queues the call; its result and its exceptions go nowhere. */
  gboolean (*remote_do) (MaltWorker *worker, MaltCall *call, GError **error);

  /* Throws InterruptException into the call of the future, which core knows to be
   * outstanding (its answer may have been given up). IDLE is core's answer: never
   * returned here. Core handles cancellation: the cancellable is NULL. */
  void (*interrupt_async) (MaltWorker *worker, MaltFuture *future,
                           MaltInterruptFlags flags, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
  MaltInterruptResult (*interrupt_finish) (MaltWorker *worker, GAsyncResult *result,
                                           GError **error);

  /* Is the evaluator alive? Cheap; never blocks. */
  gboolean (*is_running) (MaltWorker *worker);

  /* Politely within exit_timeout_ms, then SIGTERM within term_timeout_ms, then
   * SIGKILL. Both are 0 or more. May be called again while a stop is under way: the
   * earlier deadlines win. Core ends all stops when malt_worker_exited() is called, so
   * finishing is only needed to report an error. Core handles cancellation: the
   * cancellable is NULL. */
  void (*stop_async) (MaltWorker *worker, gint64 exit_timeout_ms, gint64 term_timeout_ms,
                      GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data);
  gboolean (*stop_finish) (MaltWorker *worker, GAsyncResult *result, GError **error);

  /* Sends a signal now. Never blocks; a worker that is gone already is no error. */
  gboolean (*kill) (MaltWorker *worker, int signum, GError **error);

  /* May provide the following. */

  /* Reads for the future in the calling thread until it is done, @deadline_us
   * (g_get_monotonic_time(), -1 for none) passes or @cancellable fires. FALSE without
   * waiting if another thread reads already or there is nothing to read from: core
   * then waits until the future is done, so a reader that leaves must see to it that
   * somebody else reads on. */
  gboolean (*drive) (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                     GCancellable *cancellable);

  /* Evaluates @source to a channel and from then on pushes its items into @channel,
   * found with malt_worker_dup_channel(), never more than it has credit for. The
   * future is completed with nothing. */
  void (*channel_open) (MaltWorker *worker, MaltChannel *channel, const char *module,
                        const char *source, guint n_credit, MaltFuture *future);
  void (*channel_credit) (MaltWorker *worker, MaltChannel *channel, guint n_credit);
  /* Completed with nothing once the item is in the channel. */
  void (*channel_put) (MaltWorker *worker, MaltChannel *channel, MaltValue *value,
                       MaltFuture *future);
  void (*channel_close) (MaltWorker *worker, MaltChannel *channel, MaltFuture *future);
  /* Completed with the tuple (is open, items ready but not yet pushed). */
  void (*channel_state) (MaltWorker *worker, MaltChannel *channel, MaltFuture *future);
  /* The host listens no longer. Must not block. Also for a channel whose opening
   * failed, or was given up before it was answered: nothing may be taken from that. */
  void (*channel_forget) (MaltWorker *worker, guint32 channel_id);

  /* Drops objects that handles kept alive. From any thread; must not block, must not
   * use values, and must not take or drop references to the worker: it runs under the
   * lock that keeps the worker alive meanwhile, also while the worker is being
   * disposed of. */
  void (*release_handles) (MaltWorker *worker, const guint64 *ids, gsize n_ids);

  /* Host functions: both, or neither. Evaluated code finds a function by @name from the
   * completion of the future on, which is with nothing, and until unexport_function; the
   * same name may come again. What it calls is handed to malt_worker_host_call().
   * Functions with MALT_EXPORT_DIRECT come to export_direct instead, which workers with
   * MALT_CAPABILITY_NATIVE have. None may block: they are called under the lock of the
   * worker's table of functions, so that they come in the order in which it changes. */
  void (*export_function) (MaltWorker *worker, const char *name, MaltExportFlags flags,
                           MaltFuture *future);
  void (*unexport_function) (MaltWorker *worker, const char *name);
  /* @function belongs to the caller; what it points to is there as long as its owner. */
  void (*export_direct) (MaltWorker *worker, const char *name,
                         const MaltDirectFunction *function, MaltFuture *future);

  /* Native calls: the following four, or none. */

  /* Evaluates @source, in the worker's module, to a function, and compiles it for a
   * signature such as "f64(f64*,i64)". The future is completed with the address of the C
   * function, a UInt64, which stays valid as long as the process. An exception in the
   * function makes it return zero, after malt_native_throw(). */
  void (*native_new) (MaltWorker *worker, MaltNativeCell *cell, const char *source,
                      const char *signature, MaltFuture *future);
  /* Has @func run in the thread of Julia, soon, in any case; does not wait. */
  void (*run_in_julia) (MaltWorker *worker, MaltJuliaThreadFunc func, gpointer data);
  /* A class that wraps others leaves it NULL: the inner worker's is asked. */
  gboolean (*is_julia_thread) (void);
  /* May return as soon as *is_done is not 0, which is atomic, or earlier. */
  void (*spin) (MaltWorker *worker, const gint *is_done);

  /* One line such as "malt-process worker 1234". */
  char *(*dup_summary) (MaltWorker *worker);
  gint64 (*get_pid) (MaltWorker *worker);
  char *(*dup_julia_version) (MaltWorker *worker);

  /* Class data. The path of the julia that workers would run, (transfer full). Reads files,
   * starts no process. Where there is no probe, this is it. */
  char *(*dup_julia) (MaltConfig *config, GError **error);

  /*< private >*/
  gpointer padding[10];
};

/* What a backend tells core. Values and errors of completed calls are taken over;
 * terminations and bytes are not. */

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

/* Is this a process that was forked from the host? */

MALT_EXPORT
gboolean malt_is_forked (void);

/* Wrapping: once, during the launch. The inner worker belongs to the front. */

MALT_EXPORT
void malt_worker_set_inner (MaltWorker *worker, MaltWorker *inner);
MALT_EXPORT
MaltWorker *malt_worker_get_inner (MaltWorker *worker);

/* The options of this worker: config, then default. The config was checked against the
 * class's table before the worker was made. */

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
MaltChannel *malt_worker_dup_channel (MaltWorker *worker, guint32 channel_id);
/* Takes the value over. FALSE: there was no credit for it, which breaks the protocol;
 * the item was dropped. */
MALT_EXPORT
gboolean malt_channel_push (MaltChannel *channel, MaltValue *value);
MALT_EXPORT
void malt_channel_push_closed (MaltChannel *channel, const char *reason);

/* Drivers: @wake is called when another thread completes the future, so that a thread
 * that reads for it can be woken. It runs under the future's lock and must do no more
 * than that. Once malt_future_set_waker (future, NULL, NULL) has returned it is not
 * called any more. FALSE: the future is done. */

MALT_EXPORT
gboolean malt_future_set_waker (MaltFuture *future, GDestroyNotify wake, gpointer data);

/* Watches: @func is called once, by the thread that completes the future. It must not
 * block, and @user_data must not hold the worker. */

typedef void (*MaltFutureFunc) (MaltFuture *future, gpointer user_data);

MALT_EXPORT
void malt_future_add_watch (MaltFuture *future, MaltFutureFunc func, gpointer user_data,
                            GDestroyNotify destroy);

G_END_DECLS
