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

gpointer
malt_judge_lend (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED gint64 listener)
{
  return NULL;
}

gboolean
malt_judge_set_open (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED gboolean is_open)
{
  return TRUE;
}

void
malt_judge_expose (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED gboolean is_exposed)
{
}

gboolean
malt_judge_is_ready (G_GNUC_UNUSED MaltJudge *judge)
{
  return FALSE;
}

gboolean
malt_judge_can_force (G_GNUC_UNUSED MaltJudge *judge)
{
  return FALSE;
}

gboolean
malt_judge_ask (G_GNUC_UNUSED MaltJudge *judge,
                G_GNUC_UNUSED const MaltJudgeTarget *target, G_GNUC_UNUSED guint64 call)
{
  return FALSE;
}

MaltJudgeCallState
malt_judge_look (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint64 call,
                 G_GNUC_UNUSED guint32 n_thrown)
{
  return MALT_JUDGE_CALL_UNKNOWN;
}

guint32
malt_judge_count_thrown (G_GNUC_UNUSED MaltJudge *judge)
{
  return 0;
}

guint32
malt_judge_count_obeyed (G_GNUC_UNUSED MaltJudge *judge)
{
  return 0;
}

guint
malt_judge_count_calls (G_GNUC_UNUSED MaltJudge *judge)
{
  return 0;
}

gboolean
malt_judge_is_raising (G_GNUC_UNUSED MaltJudge *judge)
{
  return FALSE;
}

void
malt_judge_request (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint64 call)
{
}

gboolean
malt_judge_withdraw (G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint64 call)
{
  return TRUE;
}

int
malt_judge_open_run_time (G_GNUC_UNUSED gint64 thread)
{
  return -1;
}

void
malt_judge_close_run_time (G_GNUC_UNUSED int fd)
{
}

gint64
malt_judge_get_run_time (G_GNUC_UNUSED int fd)
{
  return -1;
}
