/* SPDX-License-Identifier: MIT */
/*
 * The end of the process, while Julia may be busy, on Windows: the Julia thread is asked
 * to rest where it next looks for work, and waited for briefly. A thread that does not
 * come there cannot be brought to rest; the system ends it before it runs what libraries
 * do at the end.
 */
#include "malt-inprocess-exit.h"

#include "platform/malt-platform.h"

#include <stdlib.h>

enum
{
  ASKED_MS = 50
};

/* Constant once the Julia thread has called malt_inprocess_exit_watch(), but for what is
 * remarked. */
static struct
{
  guintptr thread;
  void (*wake) (void);
  gint is_near; /* atomic */
  GMutex lock; /* guards rests */
  GCond changed;
  gboolean rests;
} watch;

gboolean
malt_inprocess_exit_is_near (void)
{
  return g_atomic_int_get (&watch.is_near);
}

void
malt_inprocess_exit_rest (void)
{
  g_mutex_lock (&watch.lock);
  watch.rests = TRUE;
  g_cond_signal (&watch.changed);
  g_mutex_unlock (&watch.lock);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
}

/* In the thread that exits. */
static void
on_process_exit (void)
{
  gint64 until_us = g_get_monotonic_time () + (gint64) ASKED_MS * 1000;

  if (malt_platform_get_thread_number () == watch.thread)
    return;
  g_atomic_int_set (&watch.is_near, TRUE);
  watch.wake ();
  g_mutex_lock (&watch.lock);
  while (!watch.rests && g_cond_wait_until (&watch.changed, &watch.lock, until_us))
    ;
  g_mutex_unlock (&watch.lock);
}

void
malt_inprocess_exit_watch (void (*wake) (void))
{
  watch.thread = malt_platform_get_thread_number ();
  watch.wake = wake;
  atexit (on_process_exit);
}
