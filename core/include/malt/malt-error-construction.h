/* SPDX-License-Identifier: MIT */
/* Errors that carry more than a message, as backends make them. For authors of backends.
 * Documentation stands beside the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt-abstract-worker.h> can be included directly."
#endif

#include <malt/malt-error.h>

G_BEGIN_DECLS

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
