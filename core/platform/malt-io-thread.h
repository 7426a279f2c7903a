/* SPDX-License-Identifier: MIT */
/* The library's own thread for input, output and deadlines. Internal to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes the thread, which lives as long as the process, unless it is there. A launch begins
 * with this; nothing else needs to. Errors: RESOURCES. */
gboolean malt_io_thread_start (GError **error);

/* The context that the thread runs; attach sources to it from anywhere. Nothing that
 * is attached may block. (transfer none) */
GMainContext *malt_io_thread_get_context (void);

/* Attaches a source to it; @destroy (nullable) drops @data. (transfer full) */
GSource *malt_io_thread_attach (GSource *source, GSourceFunc callback, gpointer data,
                                GDestroyNotify destroy);

/* Destroys a source and drops the caller's reference; NULL is fine. Any thread: a
 * callback that runs meanwhile keeps its data until it returns. */
void malt_io_thread_detach (GSource *source);

/* Is the calling thread that one? */
gboolean malt_io_thread_is_current (void);

G_END_DECLS
