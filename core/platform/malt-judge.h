/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the judge (core/julia/judge): the memory from which a worker of this machine loads it, the page that both share, and how it is
 * asked. Everything that is read from the page is the worker's word.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MaltJudge MaltJudge;

/* @library: the judge, or NULL where there is none. NULL without an error: this system cannot do it. Errors: RESOURCES. */
MaltJudge *malt_judge_new (GBytes *library, GError **error);
void malt_judge_free (MaltJudge *judge);

/* Where a process of the same user finds it, for as long as this one has it. (transfer none) */
const char *malt_judge_get_path (MaltJudge *judge);

/* The memory, as a descriptor. (transfer none) */
int malt_judge_get_fd (MaltJudge *judge);

/* The worker has loaded it. */
gboolean malt_judge_is_ready (MaltJudge *judge);

/* Asks for an exception in a call. @pid is a process that has not been collected. FALSE: nothing was sent. */
gboolean malt_judge_ask (MaltJudge *judge, gint64 pid, guint32 call_id,
                         gboolean may_hit_others);

/* What a call is at, as far as it is known. */
typedef enum
{
  MALT_JUDGE_CALL_UNKNOWN, /* it has not begun, or was answered */
  MALT_JUDGE_CALL_IN_USER_CODE,
  MALT_JUDGE_CALL_OVER, /* its answer is being made */
  MALT_JUDGE_CALL_HIT, /* an exception was thrown into it, and it has not ended yet */
} MaltJudgeCallState;

MaltJudgeCallState malt_judge_look (MaltJudge *judge, guint32 call_id);

/* Julia was told of a signal that may still be thrown. */
gboolean malt_judge_is_raising (MaltJudge *judge);

/* From now on an exception must not hit the call, even if it was asked for; or it may again. */
void malt_judge_withdraw (MaltJudge *judge, guint32 call_id, gboolean is_withdrawn);

/* Microseconds that the main thread of a process has run; -1: not known. */
gint64 malt_judge_get_run_time (gint64 pid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltJudge, malt_judge_free)

G_END_DECLS
