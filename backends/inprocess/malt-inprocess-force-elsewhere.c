/* SPDX-License-Identifier: MIT */
/* Interrupts of code that hogs the Julia thread, where nobody knows how: they are refused. */
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

void
malt_inprocess_force_set_up (G_GNUC_UNUSED gpointer get_task,
                             G_GNUC_UNUSED gpointer throw_interrupt,
                             G_GNUC_UNUSED const gint64 *n_users)
{
}

void
malt_inprocess_force_enter (G_GNUC_UNUSED guint64 host, G_GNUC_UNUSED guint32 call_id,
                            G_GNUC_UNUSED guintptr task)
{
}

void
malt_inprocess_force_leave (G_GNUC_UNUSED guint64 host, G_GNUC_UNUSED guint32 call_id)
{
}

gboolean
malt_inprocess_force_try (G_GNUC_UNUSED guint64 host, G_GNUC_UNUSED guint32 call_id,
                          G_GNUC_UNUSED guint n)
{
  return FALSE;
}

void
malt_inprocess_force_end (G_GNUC_UNUSED guint64 host)
{
}
