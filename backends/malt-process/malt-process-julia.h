/* SPDX-License-Identifier: MIT */
/* With which arguments a worker's julia is run. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* Was it started for a program (program-flags)? */
gboolean malt_process_is_for_program (MaltWorker *worker);

/* What julia runs first. (transfer full) */
char *malt_process_dup_boot (MaltWorker *worker);
GBytes *malt_process_dup_runtime (MaltWorker *worker);

/* What the boot text is told of; 0: there is none. Descriptors but for the port. */
typedef struct
{
  guint port; /* to connect to, where there is no link */
  int link;
  int judge;
  /* the boot text, for `-L`, after which julia goes on with a program; else it is run by
   * `-e` */
  int script;
} MaltProcessGiven;

/* @environment: the worker's. */
char **malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                                   const char *const *environment, const char *boot,
                                   const MaltProcessGiven *given);

G_END_DECLS
