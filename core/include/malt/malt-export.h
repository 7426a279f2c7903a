/* SPDX-License-Identifier: MIT */
/* Host functions: C functions that Julia code calls. Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

/**
 * MaltHostFunc:
 * @worker: the worker whose Julia code calls
 * @arguments: (array length=n_arguments): the arguments, which belong to the caller
 * @n_arguments: their number
 * @user_data: what was given to malt_worker_export_func()
 * @error: return location for an error, which is thrown in Julia
 *
 * A host function of any number of arguments.
 *
 * Returns: (transfer full) (nullable): the result; %NULL is `nothing`, unless there is an
 *   error
 */
typedef MaltValue *(*MaltHostFunc) (MaltWorker *worker, MaltValue **arguments,
                                    gsize n_arguments, gpointer user_data,
                                    GError **error);

MALT_EXPORT
gboolean malt_worker_export (MaltWorker *worker, const char *name, const char *signature,
                             MaltExportFlags flags, GCallback function,
                             gpointer user_data, GDestroyNotify destroy, GError **error);
MALT_EXPORT
gboolean malt_worker_export_full (MaltWorker *worker, const char *name,
                                  const char *signature, MaltExportFlags flags,
                                  GCallback function, gpointer user_data,
                                  GDestroyNotify destroy, gint64 timeout_ms,
                                  GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_worker_export_async (MaltWorker *worker, const char *name,
                               const char *signature, MaltExportFlags flags,
                               GCallback function, gpointer user_data,
                               GDestroyNotify destroy, gint64 timeout_ms,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer callback_data);
MALT_EXPORT
gboolean malt_worker_export_finish (MaltWorker *worker, GAsyncResult *result,
                                    GError **error);
MALT_EXPORT
gboolean malt_worker_export_func (MaltWorker *worker, const char *name, MaltHostFunc func,
                                  gpointer user_data, GDestroyNotify destroy,
                                  MaltExportFlags flags, GError **error);
MALT_EXPORT
gboolean malt_worker_export_func_full (MaltWorker *worker, const char *name,
                                       MaltHostFunc func, gpointer user_data,
                                       GDestroyNotify destroy, MaltExportFlags flags,
                                       gint64 timeout_ms, GCancellable *cancellable,
                                       GError **error);
MALT_EXPORT
void malt_worker_export_func_async (MaltWorker *worker, const char *name,
                                    MaltHostFunc func, gpointer user_data,
                                    GDestroyNotify destroy, MaltExportFlags flags,
                                    gint64 timeout_ms, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer callback_data);
MALT_EXPORT
gboolean malt_worker_export_func_finish (MaltWorker *worker, GAsyncResult *result,
                                         GError **error);
MALT_EXPORT
gboolean malt_worker_export_closure (MaltWorker *worker, const char *name,
                                     MaltHostFunc func, gpointer user_data,
                                     GDestroyNotify destroy, MaltExportFlags flags,
                                     GError **error);
MALT_EXPORT
gboolean malt_worker_export_closure_full (MaltWorker *worker, const char *name,
                                          MaltHostFunc func, gpointer user_data,
                                          GDestroyNotify destroy, MaltExportFlags flags,
                                          gint64 timeout_ms, GCancellable *cancellable,
                                          GError **error);
MALT_EXPORT
void malt_worker_export_closure_async (MaltWorker *worker, const char *name,
                                       MaltHostFunc func, gpointer user_data,
                                       GDestroyNotify destroy, MaltExportFlags flags,
                                       gint64 timeout_ms, GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer callback_data);
MALT_EXPORT
gboolean malt_worker_unexport (MaltWorker *worker, const char *name);

G_END_DECLS
