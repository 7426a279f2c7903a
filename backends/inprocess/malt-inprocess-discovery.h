/* SPDX-License-Identifier: MIT */
/* What must be known of a Julia before it can be loaded. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  char *program; /* (owned): the julia that was asked */
  char *library; /* (owned): libjulia */
  char *bin_dir; /* (owned) */
  char *image; /* (owned): the system image */
  char *version; /* (owned) */
} MaltInProcessJulia;

void malt_inprocess_julia_free (MaltInProcessJulia *julia);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltInProcessJulia, malt_inprocess_julia_free)

/* Asks @program, an absolute path, or remembers what it said when it was the same file.
 * Every file that is named exists, and the version is one that can be embedded. Blocks
 * for as long as a start of Julia takes. */
MaltInProcessJulia *malt_inprocess_discover (const char *program, gint64 timeout_ms,
                                             GCancellable *cancellable, GError **error);

G_END_DECLS
