/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the judge (core/julia/judge): the memory from which a Julia of this
 * machine loads it, the page that both share, and how it is asked. Everything that is
 * read from the page is the worker's word.
 *
 * Calls and flags are those of malt-judge-page.h: a word of 64 bits.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MaltJudge MaltJudge;

/* The Julia thread that an interrupt is for. */
typedef struct
{
  gint64 pid; /* has not been collected, where pidfd is -1 */
  gint64 thread; /* pid, but for a Julia in this process */
  int pidfd; /* -1: none */
} MaltJudgeTarget;

/* @library: the judge, or NULL where there is none. NULL without an error: this system
 *   cannot do it. Errors: RESOURCES. */
MaltJudge *malt_judge_new (GBytes *library, GError **error);
void malt_judge_free (MaltJudge *judge);

/* Where a process of the same user finds it, for as long as this one has it. (transfer none) */
const char *malt_judge_get_path (MaltJudge *judge);

/* The memory, as a descriptor. (transfer none) */
int malt_judge_get_fd (MaltJudge *judge);

/* For a Julia in this process, before it loads it: the thread in which Julia waits for
 * signals. The address of the page. */
gpointer malt_judge_lend (MaltJudge *judge, gint64 listener);

/* And then: SIGINT is let through to that thread, or will not be. FALSE: one is on its
 * way at this moment, and must be. */
gboolean malt_judge_set_open (MaltJudge *judge, gboolean is_open);

/* Elsewhere: SIGINT that the host sends is for Julia, not for the judge to drop. */
void malt_judge_expose (MaltJudge *judge, gboolean is_exposed);

/* The worker has loaded it. */
gboolean malt_judge_is_ready (MaltJudge *judge);

/* It knows what it may force, in that version of Julia. */
gboolean malt_judge_can_force (MaltJudge *judge);

/* Asks for an exception in a call, with MALT_JUDGE_FORCE or without, and
 * MALT_JUDGE_BEHIND. FALSE: nothing was sent; it may be another process that has loaded
 * it. */
gboolean malt_judge_ask (MaltJudge *judge, const MaltJudgeTarget *target, guint64 call);

/* What a call is at, as far as it is known. */
typedef enum
{
  MALT_JUDGE_CALL_UNKNOWN, /* it has not begun, or was answered */
  MALT_JUDGE_CALL_IN_USER_CODE,
  MALT_JUDGE_CALL_OVER, /* its answer is being made */
  MALT_JUDGE_CALL_HIT, /* an exception was thrown into it, and it has not ended yet */
} MaltJudgeCallState;

/* HIT: of those that were thrown after the first @n_thrown. */
MaltJudgeCallState malt_judge_look (MaltJudge *judge, guint64 call, guint32 n_thrown);

/* Exceptions that were thrown; requests that were obeyed in one way or another. */
guint32 malt_judge_count_thrown (MaltJudge *judge);
guint32 malt_judge_count_obeyed (MaltJudge *judge);

/* How many calls are in user code. */
guint malt_judge_count_calls (MaltJudge *judge);

/* Julia was told of a signal that may still be thrown. What is withdrawn is not, as soon
 * as the thread has run. */
gboolean malt_judge_is_raising (MaltJudge *judge);

/* Before INTERRUPT is sent: the call may be hit. */
void malt_judge_request (MaltJudge *judge, guint64 call);

/* From now on an exception must not hit the call, even if it was asked for. FALSE: the
 * runtime has taken the request, and acknowledges it. */
gboolean malt_judge_withdraw (MaltJudge *judge, guint64 call);

/* How long a thread of this machine has run: a file, which is read also when the host has
 * no other descriptor left. -1: it cannot be known. */
int malt_judge_open_run_time (gint64 thread);
void malt_judge_close_run_time (int fd);

/* Microseconds; -1: not known. */
gint64 malt_judge_get_run_time (int fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltJudge, malt_judge_free)

G_END_DECLS
