/* SPDX-License-Identifier: MIT */
/* When a process that has to end is sent which signal. Any thread may call any of these, but for free. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _MaltReaper MaltReaper;

/* SIGTERM or SIGKILL is due: called in the I/O thread, without a lock. */
typedef void (*MaltReaperFunc) (gpointer owner, int signum);

/* The owner keeps the reaper, and stops it before it lets go. */
MaltReaper *malt_reaper_new (gpointer owner, MaltReaperFunc func);
void malt_reaper_free (MaltReaper *reaper);

/* SIGTERM after @term_ms (-1: none), SIGKILL after @kill_ms, or sooner if that was wanted before. What has been sent is not sent again. */
void malt_reaper_end_within (MaltReaper *reaper, gint64 term_ms, gint64 kill_ms);

/* Begins, with a reference to the owner that the second one gives back: what was due before is sent now. */
void malt_reaper_start (MaltReaper *reaper, GBoxedCopyFunc ref, GBoxedFreeFunc unref);
void malt_reaper_stop (MaltReaper *reaper);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltReaper, malt_reaper_free)

G_END_DECLS
