/* SPDX-License-Identifier: MIT */
/* Which julia a worker runs, with which arguments and in which environment. */
#pragma once

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

/* @julia: what the option says, a path or a name; (nullable). Returns an absolute path. */
char *malt_process_find_julia (const char *julia, GError **error);

/* "fd" and 3, or "connect" and a port: what the boot text is told. */
char **malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                                   const char *transport, guint parameter);

/* A Julia source that is part of the library, by its path below /org/libmalt/. */
GBytes *malt_process_dup_source (const char *path);

char **malt_process_dup_environment (MaltWorker *worker, const char *julia,
                                     GError **error);

G_END_DECLS
