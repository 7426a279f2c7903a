/* SPDX-License-Identifier: MIT */
/* MaltWorker: one evaluator of Julia code, whatever its backend. Documentation stands
 * beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-call.h>
#include <malt/malt-channel.h>
#include <malt/malt-config.h>
#include <malt/malt-error.h>
#include <malt/malt-future.h>
#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

#define MALT_TYPE_WORKER (malt_worker_get_type ())

typedef struct _MaltWorkerClass MaltWorkerClass;

MALT_EXPORT
GType malt_worker_get_type (void) G_GNUC_CONST;

#define MALT_WORKER(obj) \
  (G_TYPE_CHECK_INSTANCE_CAST ((obj), MALT_TYPE_WORKER, MaltWorker))
#define MALT_IS_WORKER(obj) (G_TYPE_CHECK_INSTANCE_TYPE ((obj), MALT_TYPE_WORKER))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltWorker, g_object_unref)

/* Start */

MALT_EXPORT
MaltWorker *malt_worker_launch (MaltConfig *config, GCancellable *cancellable,
                                GError **error);
MALT_EXPORT
void malt_worker_launch_async (MaltConfig *config, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltWorker *malt_worker_launch_finish (GAsyncResult *result, GError **error);

/* Call */

MALT_EXPORT
MaltFuture *malt_worker_remote_call (MaltWorker *worker, MaltCall *call);
MALT_EXPORT
MaltValue *malt_worker_remote_call_fetch (MaltWorker *worker, MaltCall *call,
                                          GCancellable *cancellable, GError **error);
MALT_EXPORT
gboolean malt_worker_remote_call_wait (MaltWorker *worker, MaltCall *call,
                                       GCancellable *cancellable, GError **error);
MALT_EXPORT
gboolean malt_worker_remote_do (MaltWorker *worker, MaltCall *call, GError **error);
MALT_EXPORT
void malt_worker_remote_call_async (MaltWorker *worker, MaltCall *call,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltValue *malt_worker_remote_call_finish (MaltWorker *worker, GAsyncResult *result,
                                           GError **error);

/* Evaluate */

MALT_EXPORT
MaltFuture *malt_worker_remote_eval (MaltWorker *worker, const char *module,
                                     const char *source);
MALT_EXPORT
MaltFuture *malt_worker_remote_eval_value (MaltWorker *worker, const char *module,
                                           MaltValue *code);
MALT_EXPORT
MaltValue *malt_worker_remote_eval_fetch (MaltWorker *worker, const char *module,
                                          const char *source, GCancellable *cancellable,
                                          GError **error);
MALT_EXPORT
gboolean malt_worker_remote_eval_wait (MaltWorker *worker, const char *module,
                                       const char *source, GCancellable *cancellable,
                                       GError **error);
MALT_EXPORT
void malt_worker_remote_eval_async (MaltWorker *worker, const char *module,
                                    const char *source, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltValue *malt_worker_remote_eval_finish (MaltWorker *worker, GAsyncResult *result,
                                           GError **error);

/* Channels */

MALT_EXPORT
MaltChannel *malt_worker_channel (MaltWorker *worker, const char *module,
                                  const char *source, GCancellable *cancellable,
                                  GError **error);
MALT_EXPORT
void malt_worker_channel_async (MaltWorker *worker, const char *module,
                                const char *source, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltChannel *malt_worker_channel_finish (MaltWorker *worker, GAsyncResult *result,
                                         GError **error);

/* Interrupt and end */

MALT_EXPORT
MaltInterruptResult malt_worker_interrupt (MaltWorker *worker, MaltFuture *future,
                                           MaltInterruptFlags flags,
                                           GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_worker_interrupt_async (MaltWorker *worker, MaltFuture *future,
                                  MaltInterruptFlags flags, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
MaltInterruptResult malt_worker_interrupt_finish (MaltWorker *worker,
                                                  GAsyncResult *result, GError **error);
MALT_EXPORT
gboolean malt_worker_is_running (MaltWorker *worker);
MALT_EXPORT
gboolean malt_worker_stop (MaltWorker *worker, GCancellable *cancellable, GError **error);
MALT_EXPORT
gboolean malt_worker_stop_full (MaltWorker *worker, gint64 exit_timeout_ms,
                                gint64 term_timeout_ms, gboolean *out_was_running,
                                GCancellable *cancellable, GError **error);
MALT_EXPORT
void malt_worker_stop_async (MaltWorker *worker, gint64 exit_timeout_ms,
                             gint64 term_timeout_ms, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
MALT_EXPORT
gboolean malt_worker_stop_finish (MaltWorker *worker, GAsyncResult *result,
                                  gboolean *out_was_running, GError **error);
MALT_EXPORT
gboolean malt_worker_kill (MaltWorker *worker, int signum, GError **error);

/* What it is */

MALT_EXPORT
const char *malt_worker_get_backend_name (MaltWorker *worker);
MALT_EXPORT
MaltCapabilities malt_worker_get_capabilities (MaltWorker *worker);
MALT_EXPORT
char *malt_worker_dup_summary (MaltWorker *worker);
MALT_EXPORT
gint64 malt_worker_get_pid (MaltWorker *worker);
MALT_EXPORT
char *malt_worker_dup_julia_version (MaltWorker *worker);
MALT_EXPORT
MaltConfig *malt_worker_get_config (MaltWorker *worker);
MALT_EXPORT
MaltTermination *malt_worker_dup_termination (MaltWorker *worker);

G_END_DECLS
