/* SPDX-License-Identifier: MIT */
/* What the tests of worker processes ask the system for. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Descriptors, or handles, that this process has. */
guint process_test_count_descriptors (void);

/* Does a process with this number exist, other than as a zombie? */
gboolean process_test_is_alive (gint64 pid);

/* Memory that nobody can read, as of a mapped file that became shorter. */
gpointer process_test_map_unreadable (gsize n_bytes);
void process_test_unmap (gpointer memory, gsize n_bytes);

/* From now on nobody but root may look into this process, or those that it starts into
 * others: it is not dumpable, and has no right to trace. */
void process_test_become_opaque (void);

/* Standard output, with something that a test reads in its place. */
typedef struct _ProcessTestCapture ProcessTestCapture;

ProcessTestCapture *process_test_capture (void);
/* Waits for so many bytes, and puts standard output back. All that has been written
 * meanwhile. (transfer full) */
char *process_test_release (ProcessTestCapture *capture, gsize n_bytes);

G_END_DECLS
