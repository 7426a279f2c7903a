/* SPDX-License-Identifier: MIT */
/* Whether a worker was killed by the system for want of memory. The system says only how
 * often it has killed in a group of processes; so all workers of a group are judged
 * together, by how far that count has risen since the last look. This header is the same
 * everywhere; each platform has one file that implements it. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MaltMemoryWatch MaltMemoryWatch;

/* @pid must not have been collected. */
MaltMemoryWatch *malt_memory_watch_new (gint64 pid);
void malt_memory_watch_free (MaltMemoryWatch *watch);

/* Looks where the process is now, but not more often than ten times a second. */
void malt_memory_watch_follow (MaltMemoryWatch *watch);

/* No judgement is wanted: the host has killed it, or its end has been told. */
void malt_memory_watch_dismiss (MaltMemoryWatch *watch);

/* Of a process that was ended by a SIGKILL which the host did not send. TRUE: the count
 * rose by at least the number of the workers of its group that have died so. */
gboolean malt_memory_watch_judge (MaltMemoryWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltMemoryWatch, malt_memory_watch_free)

G_END_DECLS
