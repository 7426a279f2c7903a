/* SPDX-License-Identifier: MIT */
/* libjulia: loading it, initialising it, and what it does to the signals of the host. */
#pragma once

#include "malt-inprocess-discovery.h"

G_BEGIN_DECLS

typedef struct _MaltInProcessLibrary MaltInProcessLibrary;

/* Loads the library and finds its functions; changes nothing else. For the life of the process. */
MaltInProcessLibrary *malt_inprocess_library_open (const MaltInProcessJulia *julia,
                                                   GError **error);

/* Initialises Julia in the calling thread, which belongs to it from then on. @options,
 * NULL-terminated, as on julia's command line: they must be ones that this Julia knows,
 * since it ends the process at others. The host's dispositions of signals that Julia can
 * do without are restored. */
void malt_inprocess_library_init (MaltInProcessLibrary *library,
                                  const MaltInProcessJulia *julia,
                                  const char *const *options);

/* Evaluates a text in the thread that has initialised Julia. FALSE: it threw. */
gboolean malt_inprocess_library_eval (MaltInProcessLibrary *library, const char *text,
                                      GError **error);

G_END_DECLS
