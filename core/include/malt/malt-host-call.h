/* SPDX-License-Identifier: MIT */
/* What a backend tells core of calls from Julia. For authors of backends. Documentation
 * stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt-abstract-worker.h> can be included directly."
#endif

#include <malt/malt-worker-class.h>

G_BEGIN_DECLS

/* Host functions: takes the answer to a call, a value or an error; both belong to the
 * caller. */

typedef void (*MaltHostReply) (guint32 host_call_id, MaltValue *value,
                               const GError *error, gpointer user_data);

MALT_EXPORT
void malt_worker_host_call (MaltWorker *worker, guint32 host_call_id, const char *name,
                            MaltValue *arguments, MaltValue *keywords,
                            MaltHostReply reply, gpointer user_data,
                            GDestroyNotify destroy);

/* Native functions: takes over the exception that ended a call. */

MALT_EXPORT
void malt_native_throw (MaltNativeCell *cell, GError *error);

G_END_DECLS
