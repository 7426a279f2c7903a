/* SPDX-License-Identifier: MIT */
/* When a process that has to end is sent which signal. Any thread may call any of these,
 * holding a reference to the owner. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _MaltReaper MaltReaper;

/* SIGTERM or SIGKILL is due: called in the I/O thread, without a lock of the reaper. */
typedef void (*MaltReaperFunc) (gpointer owner, int signum);

/* The owner keeps the reaper, and frees it when its last reference goes. From start to
 * stop the reaper keeps its owner, with a reference made by @ref and dropped by
 * @unref. */
MaltReaper *malt_reaper_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                             MaltReaperFunc func);
void malt_reaper_free (MaltReaper *reaper);

/* SIGTERM after @exit_timeout_ms and SIGKILL @term_timeout_ms later, or sooner if that
 * was wanted before. After a signal there is no SIGTERM any more; SIGKILL can become due
 * again. */
void malt_reaper_end_within (MaltReaper *reaper, gint64 exit_timeout_ms,
                             gint64 term_timeout_ms);

/* SIGKILL after @timeout_ms, or sooner. Whether SIGTERM comes before is left as it is. */
void malt_reaper_kill_within (MaltReaper *reaper, gint64 timeout_ms);

/* Once, when there is a process: what was wanted before becomes due from now on. Nothing,
 * if it was stopped before. */
void malt_reaper_start (MaltReaper *reaper);

/* For good; a signal that is due in the I/O thread meanwhile may still come. May be
 * called by @func. */
void malt_reaper_stop (MaltReaper *reaper);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltReaper, malt_reaper_free)

G_END_DECLS
