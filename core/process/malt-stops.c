/* SPDX-License-Identifier: MIT */
/* The stops of a worker that are under way. */
#include "process/malt-stops.h"

void
malt_stops_init (MaltStops *stops)
{
  *stops = (MaltStops){ .is_wanted = FALSE };
  g_mutex_init (&stops->lock);
}

/* Each task keeps its worker, so none is left when that goes. */
void
malt_stops_clear (MaltStops *stops)
{
  g_assert (stops->tasks == NULL);
  g_mutex_clear (&stops->lock);
}

gboolean
malt_stops_join (MaltStops *stops, GTask *task)
{
  gboolean is_ended;
  gboolean is_first;

  g_mutex_lock (&stops->lock);
  is_ended = stops->is_ended;
  is_first = !stops->is_wanted;
  stops->is_wanted = TRUE;
  if (!is_ended && task != NULL)
    stops->tasks = g_slist_prepend (stops->tasks, g_steal_pointer (&task));
  g_mutex_unlock (&stops->lock);
  if (task != NULL)
    g_task_return_boolean (task, TRUE);
  g_clear_object (&task);
  return is_first && !is_ended;
}

gboolean
malt_stops_are_wanted (MaltStops *stops)
{
  gboolean are_wanted;

  g_mutex_lock (&stops->lock);
  are_wanted = stops->is_wanted;
  g_mutex_unlock (&stops->lock);
  return are_wanted;
}

void
malt_stops_end (MaltStops *stops)
{
  GSList *tasks;

  g_mutex_lock (&stops->lock);
  stops->is_ended = TRUE;
  tasks = g_steal_pointer (&stops->tasks);
  g_mutex_unlock (&stops->lock);
  for (GSList *l = tasks; l != NULL; l = l->next)
    g_task_return_boolean (l->data, TRUE);
  g_slist_free_full (tasks, g_object_unref);
}
