/* SPDX-License-Identifier: MIT */
/* MaltNative: a Julia function behind a C function pointer. Documentation stands beside
 * the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>

G_BEGIN_DECLS

#define MALT_TYPE_NATIVE (malt_native_get_type ())

typedef struct _MaltNative MaltNative;

MALT_EXPORT
GType malt_native_get_type (void);
MALT_EXPORT
MaltNative *malt_native_new (MaltWorker *worker, const char *function,
                             const char *signature, GCancellable *cancellable,
                             GError **error);
MALT_EXPORT
MaltNative *malt_native_ref (MaltNative *native);
MALT_EXPORT
void malt_native_unref (MaltNative *native);
MALT_EXPORT
const char *malt_native_get_signature (MaltNative *native);
MALT_EXPORT
GCallback malt_native_get_pointer (MaltNative *native);
MALT_EXPORT
gboolean malt_native_call (MaltNative *native, gpointer out_result, gpointer *arguments,
                           GError **error);
MALT_EXPORT
gboolean malt_native_take_error (MaltNative *native, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltNative, malt_native_unref)

MALT_EXPORT
gboolean malt_worker_invoke_on_julia_thread (MaltWorker *worker, MaltJuliaThreadFunc func,
                                             gpointer user_data, GError **error);

G_END_DECLS
