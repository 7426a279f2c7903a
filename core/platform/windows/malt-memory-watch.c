/* SPDX-License-Identifier: MIT */
/* Windows kills nobody for want of memory. */
#include "platform/malt-memory-watch.h"

struct _MaltMemoryWatch
{
  gint64 pid;
};

MaltMemoryWatch *
malt_memory_watch_new (gint64 pid)
{
  MaltMemoryWatch *watch = g_new0 (MaltMemoryWatch, 1);

  watch->pid = pid;
  return watch;
}

void
malt_memory_watch_free (MaltMemoryWatch *watch)
{
  g_free (watch);
}

void
malt_memory_watch_follow (G_GNUC_UNUSED MaltMemoryWatch *watch)
{
}

void
malt_memory_watch_dismiss (G_GNUC_UNUSED MaltMemoryWatch *watch)
{
}

gboolean
malt_memory_watch_judge (G_GNUC_UNUSED MaltMemoryWatch *watch)
{
  return FALSE;
}
