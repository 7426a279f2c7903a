/* SPDX-License-Identifier: MIT */
/* How a worker's julia is run, by the worker's options. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* Adds what follows the program's name: the flags that options `threads`, `project` and
 * `exeflags` ask for, and what makes the boot text start quickly. @environment
 * (nullable): the worker's, where it is known. */
void malt_julia_add_flags (GStrvBuilder *builder, MaltWorker *worker,
                           const char *const *environment);

/* Is the option `stdin`, `output` or `descriptors` said to be the host's own? */
gboolean malt_julia_inherits (MaltWorker *worker, const char *option);

/* Do the user's flags say how code is compiled? Then the boot must leave it at that. */
gboolean malt_julia_keeps_compile_mode (MaltWorker *worker);

/* The whole environment, by options `env-policy` and `env`. */
char **malt_julia_dup_environment (MaltWorker *worker, const char *julia, GError **error);

G_END_DECLS
