/* SPDX-License-Identifier: MIT */
/* Interrupts of code that hogs the Julia thread, where there is no judge: they are refused. */
#include "malt-inprocess-force.h"

gboolean
malt_inprocess_force_is_supported (void)
{
  return FALSE;
}

void
malt_inprocess_force_before_init (void)
{
}

void
malt_inprocess_force_after_init (void)
{
}

MaltJudge *
malt_inprocess_force_get_judge (void)
{
  return NULL;
}

gint64
malt_inprocess_force_get_thread (void)
{
  return 0;
}

gpointer
malt_inprocess_force_load (void)
{
  return NULL;
}

guintptr
malt_inprocess_force_get_entry (void)
{
  return 0;
}

gboolean
malt_inprocess_force_ask (G_GNUC_UNUSED guint host, G_GNUC_UNUSED MaltJudge *judge,
                          G_GNUC_UNUSED guint64 call)
{
  return FALSE;
}

void
malt_inprocess_force_end (G_GNUC_UNUSED guint host)
{
}
