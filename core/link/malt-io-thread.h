/* SPDX-License-Identifier: MIT */
/* The library's own thread for input, output and deadlines. Internal to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The context that the thread runs; attach sources to it from anywhere. Nothing that
 * is attached may block. The thread starts with the first call and lives as long as
 * the process. (transfer none) */
GMainContext *malt_io_thread_get_context (void);

/* Is the calling thread that one? */
gboolean malt_io_thread_is_current (void);

G_END_DECLS
