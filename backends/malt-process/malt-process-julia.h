/* SPDX-License-Identifier: MIT */
/* With which arguments a worker's julia is run. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* What julia runs first. (transfer full) */
char *malt_process_dup_boot (void);

/* "fd" and 3, or "connect" and a port, and the path of the judge, "" for none: what the
 * boot text is told. @boot (nullable): that text, for `-e`; else it is the child's
 * script, for `-L`, after which julia goes on with a program. @environment: the
 * worker's. */
char **malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                                   const char *const *environment, const char *boot,
                                   const char *transport, guint parameter,
                                   const char *judge);

G_END_DECLS
