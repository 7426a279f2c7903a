/* SPDX-License-Identifier: MIT */
/*
 * A process that somebody else has launched and will collect: its end can be seen, not
 * its status. A signal never reaches a process that got the same number later. This
 * header is the same everywhere; each platform has one file that implements it.
 */
#pragma once

#include "platform/malt-judge.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MaltOtherProcess MaltOtherProcess;

/* @pid must be known to run at this moment. NULL: it does not, or the system has no such thing. */
MaltOtherProcess *malt_other_process_new (gint64 pid);
void malt_other_process_free (MaltOtherProcess *process);

/* SIGKILL goes to its process group, if it leads one. FALSE: it has ended, or this
 * process may not. Any thread. */
gboolean malt_other_process_signal (MaltOtherProcess *process, int signum);

/* malt_judge_ask(). Any thread. */
gboolean malt_other_process_ask_judge (MaltOtherProcess *process, MaltJudge *judge,
                                       guint64 call);

/* A source that is dispatched, with a GSourceFunc, once the process has ended. It must
 * not outlive the process object. */
GSource *malt_other_process_watch_new (MaltOtherProcess *process);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltOtherProcess, malt_other_process_free)

G_END_DECLS
