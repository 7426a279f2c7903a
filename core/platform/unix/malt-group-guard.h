/* SPDX-License-Identifier: MIT */
/*
 * Takes a process group along when this process dies, however it does: the system sends
 * each process of the group SIGKILL. It needs nothing of those processes, which may be
 * busy, stopped, or ignore all signals.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MaltGroupGuard MaltGroupGuard;

/* @group: one that exists, and cannot have been given to others. NULL: this system cannot
 * do it, or has no more room. */
MaltGroupGuard *malt_group_guard_new (gint64 group);
/* Lets the group go: when it returns, the death of this process is nothing to the group
 * any more. */
void malt_group_guard_free (MaltGroupGuard *guard);

/* Sends the group SIGKILL as the death of this process would. The system asks whether the
 * process had the right to do that when the guard was made, not whether it has it now. */
void malt_group_guard_fire (MaltGroupGuard *guard);

G_END_DECLS
