/* SPDX-License-Identifier: MIT */
/* Host functions: the requests by which they are exported. What may be exported is checked
 * here. The registry (malt-export.c) takes the function before its name is sent, since the
 * first call may come at once, and gives it back where the worker refuses the name or is
 * not waited for any longer. */
#include "base/malt-error-private.h"
#include "ffi/malt-export-private.h"
#include "worker/malt-worker-state.h"

#include "platform/malt-platform.h"

#define MAX_NAME_CHARS 100

/* What may be exported */

static gboolean
is_reserved (const char *name)
{
  static const char *const words[] = {
    "baremodule", "begin", "break",    "catch",  "const",  "continue",
    "do",         "else",  "elseif",   "end",    "export", "false",
    "finally",    "for",   "function", "global", "if",     "import",
    "let",        "local", "macro",    "module", "quote",  "return",
    "struct",     "true",  "try",      "using",  "while",  NULL,
  };

  return g_strv_contains (words, name);
}

/* What Julia's parser takes for one name, but for symbols beyond letters and digits. */
static gboolean
is_identifier (const char *name)
{
  gboolean has_letter = FALSE;

  if (!g_utf8_validate (name, -1, NULL))
    return FALSE;
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean is_first = p == name;

      if (g_unichar_isalpha (c))
        has_letter = TRUE;
      else if (c != '_' && (is_first || (c != '!' && !g_unichar_isdigit (c) &&
                                         !g_unichar_ismark (c))))
        return FALSE;
    }
  return has_letter && !is_reserved (name);
}

static gboolean
check_name (const char *name, GError **error)
{
  g_autofree char *shown = NULL;

  if (is_identifier (name))
    return TRUE;
  shown = malt_text_to_line (name, MAX_NAME_CHARS);
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "expected a Julia identifier as the name of a host function, got '%s'",
               shown);
  return FALSE;
}

static gboolean
set_not_supported (GError **error, const char *message)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED, message);
  return FALSE;
}

static gboolean
check_flags (MaltWorker *worker, MaltExportFlags flags, gboolean has_signature,
             GError **error)
{
  MaltCapabilities capabilities = malt_worker_get_capabilities (worker);

  if (malt_platform_is_forked (error))
    return FALSE;
  if (!(capabilities & MALT_CAPABILITY_HOST_FUNCTIONS))
    return set_not_supported (error, "this worker cannot call functions of the host");
  if ((flags & MALT_EXPORT_DIRECT) &&
      (!(capabilities & MALT_CAPABILITY_NATIVE) ||
       MALT_WORKER_GET_CLASS (worker)->export_direct == NULL))
    return set_not_supported (
        error, "this worker cannot call functions of the host directly: its Julia runs "
               "in another process");
  if ((flags & MALT_EXPORT_DIRECT) &&
      (!has_signature || (flags & MALT_EXPORT_IN_CONTEXT)))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                           "expected a signature, and no context, for a function that is "
                           "called directly");
      return FALSE;
    }
  return TRUE;
}

/* The request */

static gboolean
is_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return FALSE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CANCELLED,
                       "the export was cancelled before it was sent");
  return TRUE;
}

/* The answer to come; NULL, with an error, if nothing was sent. (transfer full) */
static MaltFuture *
publish (MaltWorker *worker, MaltExport *function, gint64 timeout_ms,
         GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) owner = NULL;
  MaltDirectFunction direct = { .code = NULL };
  MaltFuture *future;
  gboolean is_pending;

  if (is_cancelled (cancellable, error))
    return NULL;
  if (function->flags & MALT_EXPORT_DIRECT)
    {
      owner =
          malt_export_native_new_direct (function, function->user_data, &direct, error);
      if (owner == NULL)
        return NULL;
    }
  future = malt_worker_begin_request (worker, &is_pending);
  if (is_pending && timeout_ms >= 0)
    malt_future_start_deadline (future, timeout_ms);
  if (is_pending)
    malt_exports_announce (worker, function, owner != NULL ? &direct : NULL, future);
  return future;
}

/* NULL, with an error: it is not one, and the caller has let @user_data go. (transfer full) */
static MaltExport *
new_with_signature (MaltWorker *worker, const char *name, const char *signature,
                    MaltExportFlags flags, GCallback function, gpointer user_data,
                    GDestroyNotify destroy, GError **error)
{
  gpointer native = NULL;

  if (check_flags (worker, flags, TRUE, error) && check_name (name, error))
    native =
        malt_export_native_new (name, signature, function, user_data, destroy, error);
  if (native != NULL)
    return malt_export_new (name, flags, malt_export_call_native, native,
                            malt_export_native_free);
  if (destroy != NULL)
    destroy (user_data);
  return NULL;
}

/* The same. */
static MaltExport *
new_of_values (MaltWorker *worker, const char *name, MaltHostFunc func,
               gpointer user_data, GDestroyNotify destroy, MaltExportFlags flags,
               GError **error)
{
  if (check_flags (worker, flags, FALSE, error) && check_name (name, error))
    return malt_export_new (name, flags, func, user_data, destroy);
  if (destroy != NULL)
    destroy (user_data);
  return NULL;
}

/* Takes the function over; NULL has failed with an error already. */
static gboolean
publish_blocking (MaltWorker *worker, MaltExport *owned, gint64 timeout_ms,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltExport) function = owned;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) answer = NULL;
  GError *failure = NULL;

  if (function != NULL)
    future = publish (worker, function, timeout_ms, cancellable, error);
  if (future == NULL)
    return FALSE;
  answer = malt_future_fetch_or_cancel (future, cancellable, &failure);
  if (answer != NULL)
    return TRUE;
  malt_exports_take_back (worker, function, failure);
  g_propagate_error (error, failure);
  return FALSE;
}

/* An export whose answer nobody stands by for. */
typedef struct
{
  MaltWeakWorker *worker; /* (owned) */
  MaltExport *function; /* (owned) */
} Publication;

static void
publication_free (gpointer data)
{
  Publication *publication = data;

  malt_weak_worker_unref (publication->worker);
  malt_export_unref (publication->function);
  g_free (publication);
}

static void
on_answered (MaltFuture *future, gpointer data)
{
  Publication *publication = data;
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (publication->worker);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) answer = malt_future_fetch (future, NULL, &error);

  if (answer == NULL && worker != NULL)
    malt_exports_take_back (worker, publication->function, error);
}

/* Takes over the function, or the error. */
static void
publish_async (MaltWorker *worker, MaltExport *owned, GError *error, gint64 timeout_ms,
               MaltWaiter *waiter, GCancellable *cancellable)
{
  g_autoptr (MaltExport) function = owned;
  g_autoptr (MaltFuture) future = NULL;
  Publication *publication;

  if (function != NULL)
    future = publish (worker, function, timeout_ms, cancellable, &error);
  if (future == NULL)
    {
      malt_waiter_return_error (waiter, error);
      return;
    }
  publication = g_new (Publication, 1);
  publication->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  publication->function = malt_export_ref (function);
  malt_future_add_watch (future, on_answered, publication, publication_free);
  malt_future_answer (future, waiter, MALT_CANCEL_FUTURE);
}

static gboolean
finish_export (MaltWorker *worker, GAsyncResult *result, gpointer source_tag,
               GError **error)
{
  g_autoptr (MaltValue) answer = NULL;

  g_return_val_if_fail (g_task_is_valid (result, worker), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), FALSE);
  answer = g_task_propagate_pointer (G_TASK (result), error);
  return answer != NULL;
}

/**
 * malt_worker_export: (skip)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @signature: the C types of its result and arguments, such as "f64(f64*,i64)"
 * @flags: where it runs
 * @function: the function
 * @user_data: passed to @function behind its arguments
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails; see below for the thread
 * @error: return location for an error
 *
 * Makes a C function callable from the worker's Julia code, as `Malt.host.name(args...)`.
 * The call waits, as any Julia task does, and gives what the function returns. `Malt` is
 * bound by the first export, in Main or in the module that the worker was given. Exporting
 * a name again replaces the function; calls that are under way finish with the old one.
 * Blocks until the worker knows the name, which a call that hogs it can delay;
 * malt_worker_export_full() waits no longer than one likes.
 *
 * Types in @signature:
 *
 * - `bool` is #gboolean, from and to Bool.
 * - `i8` to `i64`, `u8` to `u64`, `f32`, `f64` are #gint8 to #gdouble. Any integer is
 *   taken that the type holds, and floats take what they hold exactly.
 * - `string` is `const char *` as an argument, valid UTF-8; and `char *` as a result,
 *   newly allocated, which the library frees. %NULL is `nothing`.
 * - `value` is `MaltValue *`, borrowed as an argument, a new reference as a result. %NULL
 *   is `nothing`.
 * - `T*`, with T one of the numbers or `bool`, is the memory of an array of exactly that
 *   element type, column-major; arguments only. It must not be changed, and is gone when
 *   the function returns. The length is for another argument to say. A Bool takes one byte
 *   there.
 * - `void` is the result of a function that has none; Julia gets `nothing`.
 *
 * The function gets the arguments, then @user_data, then a `GError **`, never %NULL. An
 * error that it sets there is thrown in Julia, with its message, and the result is then
 * not looked at (but freed). Arguments that do not fit are thrown without calling the
 * function, as are keyword arguments.
 *
 * With %MALT_EXPORT_DEFAULT the function may use the worker, also when other threads are
 * blocked in calls of this worker, and to any depth. When the worker ends, a function that
 * runs goes on, and its result goes nowhere.
 *
 * With %MALT_EXPORT_IN_CONTEXT the function runs in the main context that was the default of
 * the calling thread, and so does @destroy, whoever lets the function go, unless that
 * happens inside this context anyway. If nobody runs the context any more, @destroy is
 * called when the context is freed, and never if that does not happen. With
 * %MALT_EXPORT_DESTROY_IN_CONTEXT the same holds for @destroy, which is called at once,
 * however, where the calling thread itself lets the function go. Otherwise @destroy may be
 * called in any thread.
 *
 * With %MALT_EXPORT_DIRECT nothing stands between Julia and the function. No `value` is
 * possible in @signature, arguments are converted as by Julia's `ccall`, and those that do
 * not fit throw what `ccall` throws.
 *
 * Errors: %MALT_ERROR_NOT_SUPPORTED: see malt_worker_get_capabilities();
 * %MALT_ERROR_INVALID_ARGUMENT: @name is no identifier, or @signature is wrong;
 * %MALT_ERROR_REMOTE_EXCEPTION: that module has a `Malt` that is something else;
 * %MALT_ERROR_WORKER_TERMINATED.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export (MaltWorker *worker, const char *name, const char *signature,
                    MaltExportFlags flags, GCallback function, gpointer user_data,
                    GDestroyNotify destroy, GError **error)
{
  return malt_worker_export_full (worker, name, signature, flags, function, user_data,
                                  destroy, -1, NULL, error);
}

/**
 * malt_worker_export_full: (skip)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @signature: the C types of its result and arguments
 * @flags: where it runs
 * @function: the function
 * @user_data: passed to @function behind its arguments
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @error: return location for an error
 *
 * Does what malt_worker_export() does, and gives up when the worker does not answer in time, or
 * @cancellable fires. Then the name is taken back, also if it stood for an older function.
 *
 * Errors: those of malt_worker_export(); %MALT_ERROR_TIMED_OUT, %MALT_ERROR_CANCELLED.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_full (MaltWorker *worker, const char *name, const char *signature,
                         MaltExportFlags flags, GCallback function, gpointer user_data,
                         GDestroyNotify destroy, gint64 timeout_ms,
                         GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (name != NULL && signature != NULL, FALSE);
  g_return_val_if_fail (function != NULL, FALSE);
  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  return publish_blocking (worker,
                           new_with_signature (worker, name, signature, flags, function,
                                               user_data, destroy, error),
                           timeout_ms, cancellable, error);
}

/**
 * malt_worker_export_async: (skip)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @signature: the C types of its result and arguments
 * @flags: where it runs
 * @function: the function
 * @user_data: passed to @function behind its arguments
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @callback: (nullable) (scope async) (closure callback_data): called in the thread-default
 *   main context of the caller, always after this function has returned
 * @callback_data: passed to @callback
 *
 * Does what malt_worker_export_full() does without blocking.
 */
void
malt_worker_export_async (MaltWorker *worker, const char *name, const char *signature,
                          MaltExportFlags flags, GCallback function, gpointer user_data,
                          GDestroyNotify destroy, gint64 timeout_ms,
                          GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer callback_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  MaltExport *export;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (name != NULL && signature != NULL);
  g_return_if_fail (function != NULL);
  g_return_if_fail (timeout_ms >= -1);
  waiter = malt_waiter_new (worker, cancellable, callback, callback_data,
                            malt_worker_export_async);
  export = new_with_signature (worker, name, signature, flags, function, user_data,
                               destroy, &error);
  publish_async (worker, export, error, timeout_ms, waiter, cancellable);
}

/**
 * malt_worker_export_finish: (skip)
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_export_async(). The errors are those of malt_worker_export_full().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  return finish_export (worker, result, malt_worker_export_async, error);
}

/**
 * malt_worker_export_func:
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails; in any thread
 * @flags: where it runs
 * @error: return location for an error
 *
 * Makes a function callable from the worker's Julia code that takes any number of arguments
 * as values; otherwise as malt_worker_export(), which says what holds for both.
 *
 * Errors: those of malt_worker_export(); %MALT_ERROR_INVALID_ARGUMENT also for
 * %MALT_EXPORT_DIRECT, which needs a signature.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_func (MaltWorker *worker, const char *name, MaltHostFunc func,
                         gpointer user_data, GDestroyNotify destroy,
                         MaltExportFlags flags, GError **error)
{
  return malt_worker_export_func_full (worker, name, func, user_data, destroy, flags, -1,
                                       NULL, error);
}

/**
 * malt_worker_export_func_full:
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails
 * @flags: where it runs
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @error: return location for an error
 *
 * Does what malt_worker_export_func() does, and gives up as malt_worker_export_full() does.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_func_full (MaltWorker *worker, const char *name, MaltHostFunc func,
                              gpointer user_data, GDestroyNotify destroy,
                              MaltExportFlags flags, gint64 timeout_ms,
                              GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (func != NULL, FALSE);
  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  return publish_blocking (
      worker, new_of_values (worker, name, func, user_data, destroy, flags, error),
      timeout_ms, cancellable, error);
}

/**
 * malt_worker_export_func_async:
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails
 * @flags: where it runs
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @callback: (nullable) (scope async) (closure callback_data): called in the thread-default
 *   main context of the caller, always after this function has returned
 * @callback_data: passed to @callback
 *
 * Does what malt_worker_export_func_full() does without blocking.
 */
void
malt_worker_export_func_async (MaltWorker *worker, const char *name, MaltHostFunc func,
                               gpointer user_data, GDestroyNotify destroy,
                               MaltExportFlags flags, gint64 timeout_ms,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer callback_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  MaltExport *export;
  GError *error = NULL;

  g_return_if_fail (MALT_IS_WORKER (worker));
  g_return_if_fail (name != NULL);
  g_return_if_fail (func != NULL);
  g_return_if_fail (timeout_ms >= -1);
  waiter = malt_waiter_new (worker, cancellable, callback, callback_data,
                            malt_worker_export_func_async);
  export = new_of_values (worker, name, func, user_data, destroy, flags, &error);
  publish_async (worker, export, error, timeout_ms, waiter, cancellable);
}

/**
 * malt_worker_export_func_finish:
 * @worker: a worker
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_export_func_async(). The errors are those of malt_worker_export_func_full().
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_func_finish (MaltWorker *worker, GAsyncResult *result, GError **error)
{
  return finish_export (worker, result, malt_worker_export_func_async, error);
}
