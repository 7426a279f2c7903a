/* SPDX-License-Identifier: MIT */
/* What the files of host functions share, and what a worker does with them. Internal to
 * the library. */
#pragma once

#include "worker/malt-weak-worker.h"
#include <malt/malt-export.h>
#include <malt/malt-worker-class.h>

G_BEGIN_DECLS

/* One function that was exported. Immutable but for its count of references: the registry
 * has one, and each call that is under way. */
typedef struct
{
  gatomicrefcount ref_count;
  char *name; /* (owned) */
  MaltExportFlags flags;
  MaltHostFunc func;
  gpointer user_data; /* (owned), if there is a destroy */
  GDestroyNotify destroy; /* (nullable) */
  GMainContext *context; /* (owned) (nullable): where it runs or ends IN_CONTEXT */
  GThread *thread; /* (owned) (nullable): that exported it; of DESTROY_IN_CONTEXT */
} MaltExport;

MaltExport *malt_export_new (const char *name, MaltExportFlags flags, MaltHostFunc func,
                             gpointer user_data, GDestroyNotify destroy);
MaltExport *malt_export_ref (MaltExport *function);
/* The last one calls destroy: in the function's thread or context if it has them, else
 * never in the I/O thread. */
void malt_export_unref (MaltExport *function);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltExport, malt_export_unref)

/* The functions of one worker. */
typedef struct _MaltExports MaltExports;

/* (transfer none): lives as long as the worker */
MaltExports *malt_worker_get_exports (MaltWorker *worker);

/* (transfer full) (nullable) */
MaltExport *malt_exports_dup (MaltExports *exports, const char *name);

/* Puts the function in its place, then has the worker told its name; @direct: (nullable). */
void malt_exports_announce (MaltWorker *worker, MaltExport *function,
                            const MaltDirectFunction *direct, MaltFuture *future);
/* After the worker has refused the name, or was not waited for any longer: then it may
 * learn the name yet, and has to forget it. */
void malt_exports_take_back (MaltWorker *worker, MaltExport *function,
                             const GError *error);

/* A source that waits for a context to run it; not attached if the worker has ended. */
void malt_exports_attach (MaltExports *exports, GSource *source, GMainContext *context);
void malt_exports_forget (MaltExports *exports, GSource *source);

/* Calls the destroy of a function whose last reference has gone: in its context. */
void malt_export_destroy_in_context (MaltExport *function);
/* Runs in a thread of the library's own: malt-export-call.c */
void malt_export_run_destroy (GDestroyNotify destroy, gpointer user_data);

/* Functions with a signature: malt-export-native.c */

/* What malt_export_call_native() takes for its user_data; freed by
 * malt_export_native_free(), which calls destroy. NULL, with an error, and destroy not
 * called, if the signature is wrong. */
gpointer malt_export_native_new (const char *name, const char *signature,
                                 GCallback function, gpointer user_data,
                                 GDestroyNotify destroy, GError **error);
void malt_export_native_free (gpointer data);
/* The same for Julia to call by itself, where it runs in this process. Keeps @function,
 * whose user_data @data is, for as long as the owner lives. NULL, with an error, if the
 * signature is not one of plain C. */
GBytes *malt_export_native_new_direct (MaltExport *function, gpointer data,
                                       MaltDirectFunction *out_direct, GError **error);
MaltValue *malt_export_call_native (MaltWorker *worker, MaltValue **arguments,
                                    gsize n_arguments, gpointer data, GError **error);

G_END_DECLS
