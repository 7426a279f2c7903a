/* SPDX-License-Identifier: MIT */
/* The start of the one Julia of this process. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a worker wants the runtime to be like. All (unowned). */
typedef struct
{
  const char *julia; /* (nullable): the option */
  const char *threads; /* (nullable) */
  const char *project; /* (nullable) */
  gboolean handles_signals;
  gboolean has_stdin; /* that of the host */
  gint64 start_timeout_ms;
} MaltInProcessSettings;

/* Starts the runtime, or checks that the one that runs is like that. Blocks. */
gboolean malt_inprocess_start_require (const MaltInProcessSettings *settings,
                                       GCancellable *cancellable, GError **error);

/* Once it runs: */

const char *malt_inprocess_start_get_version (void);

/* Julia says so, in its thread. */
void malt_inprocess_start_is_ready (void);

G_END_DECLS
