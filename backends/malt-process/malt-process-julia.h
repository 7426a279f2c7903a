/* SPDX-License-Identifier: MIT */
/* With which arguments a worker's julia is run. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* "fd" and 3, or "connect" and a port, and the path of the judge, "" for none: what the boot text is told. @environment: the worker's. */
char **malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                                   const char *const *environment, const char *transport,
                                   guint parameter, const char *judge);

G_END_DECLS
