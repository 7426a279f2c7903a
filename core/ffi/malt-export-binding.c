/* SPDX-License-Identifier: MIT */
/* Host functions of other languages. What a binding is to let go belongs to an interpreter,
 * which may be running in another thread, or may have ended; so it is let go in the thread
 * that has exported it. Bindings find these functions under the names of those of C. */
#include "ffi/malt-export-private.h"

/**
 * malt_worker_export_closure: (rename-to malt_worker_export_func)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails; in the calling thread
 * @flags: where it runs
 * @error: return location for an error
 *
 * Does what malt_worker_export_func() does with %MALT_EXPORT_DESTROY_IN_CONTEXT. A program
 * that runs no main loop keeps what its last workers have held until it ends.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_closure (MaltWorker *worker, const char *name, MaltHostFunc func,
                            gpointer user_data, GDestroyNotify destroy,
                            MaltExportFlags flags, GError **error)
{
  return malt_worker_export_func (worker, name, func, user_data, destroy,
                                  flags | MALT_EXPORT_DESTROY_IN_CONTEXT, error);
}

/**
 * malt_worker_export_closure_full: (rename-to malt_worker_export_func_full)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails; in the calling thread
 * @flags: where it runs
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @error: return location for an error
 *
 * Does what malt_worker_export_func_full() does with %MALT_EXPORT_DESTROY_IN_CONTEXT.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_worker_export_closure_full (MaltWorker *worker, const char *name, MaltHostFunc func,
                                 gpointer user_data, GDestroyNotify destroy,
                                 MaltExportFlags flags, gint64 timeout_ms,
                                 GCancellable *cancellable, GError **error)
{
  return malt_worker_export_func_full (worker, name, func, user_data, destroy,
                                       flags | MALT_EXPORT_DESTROY_IN_CONTEXT, timeout_ms,
                                       cancellable, error);
}

/**
 * malt_worker_export_closure_async: (rename-to malt_worker_export_func_async)
 * @worker: a worker
 * @name: what Julia calls it: a Julia identifier
 * @func: (scope notified) (closure user_data) (destroy destroy): the function
 * @user_data: passed to @func
 * @destroy: (nullable): called once with @user_data when the function is not needed any
 *   more, also if this fails; in the calling thread
 * @flags: where it runs
 * @timeout_ms: milliseconds for the worker to answer; -1: for ever
 * @cancellable: (nullable): gives up waiting; the name is not exported then
 * @callback: (nullable) (scope async) (closure callback_data): called in the thread-default
 *   main context of the caller, always after this function has returned
 * @callback_data: passed to @callback
 *
 * Does what malt_worker_export_func_async() does with %MALT_EXPORT_DESTROY_IN_CONTEXT, and
 * is ended by malt_worker_export_func_finish() as well.
 */
void
malt_worker_export_closure_async (MaltWorker *worker, const char *name, MaltHostFunc func,
                                  gpointer user_data, GDestroyNotify destroy,
                                  MaltExportFlags flags, gint64 timeout_ms,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer callback_data)
{
  malt_worker_export_func_async (worker, name, func, user_data, destroy,
                                 flags | MALT_EXPORT_DESTROY_IN_CONTEXT, timeout_ms,
                                 cancellable, callback, callback_data);
}
