/* SPDX-License-Identifier: MIT */
/* There is no judge on Windows. */
#include "platform/malt-judge.h"

MaltJudge *
malt_judge_new (G_GNUC_UNUSED GBytes *library, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

void
malt_judge_free (G_GNUC_UNUSED MaltJudge *judge)
{
}

const char *
malt_judge_get_path (G_GNUC_UNUSED MaltJudge *judge)
{
  return NULL;
}

int
malt_judge_get_fd (G_GNUC_UNUSED MaltJudge *judge)
{
  return -1;
}

gboolean
malt_judge_is_ready (G_GNUC_UNUSED MaltJudge *judge)
{
  return FALSE;
}

gboolean
malt_judge_ask (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED gint64 pid,
                G_GNUC_UNUSED guint32 call_id, G_GNUC_UNUSED gboolean may_hit_others)
{
  return FALSE;
}

MaltJudgeCallState
malt_judge_look (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint32 call_id)
{
  return MALT_JUDGE_CALL_UNKNOWN;
}

gboolean
malt_judge_is_raising (G_GNUC_UNUSED MaltJudge *judge)
{
  return FALSE;
}

void
malt_judge_withdraw (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint32 call_id,
                     G_GNUC_UNUSED gboolean is_withdrawn)
{
}

gint64
malt_judge_get_run_time (G_GNUC_UNUSED gint64 pid)
{
  return -1;
}
