/* SPDX-License-Identifier: MIT */
/* Where handles go when nobody refers to them any more.
 *
 * Handles outlive calls, futures and the worker itself, and are dropped from any
 * thread, so they cannot refer to the worker: they refer to its home. The worker
 * closes the home when it ends; from then on releases are dropped, because the objects
 * are gone anyway. The lock is held while the release function runs, so that closing
 * waits for a release that is under way. */
#include "value/malt-value-private.h"

#include "platform/malt-platform.h"

struct _MaltHandleHome
{
  gatomicrefcount ref_count;
  GMutex lock; /* guards release */
  MaltHandleReleaseFunc release; /* (nullable): NULL when closed */
  gpointer user_data; /* (unowned) */
};

MaltHandleHome *
malt_handle_home_new (MaltHandleReleaseFunc release, gpointer user_data)
{
  MaltHandleHome *home = g_new0 (MaltHandleHome, 1);

  g_atomic_ref_count_init (&home->ref_count);
  g_mutex_init (&home->lock);
  home->release = release;
  home->user_data = user_data;
  return home;
}

MaltHandleHome *
malt_handle_home_ref (MaltHandleHome *home)
{
  g_atomic_ref_count_inc (&home->ref_count);
  return home;
}

void
malt_handle_home_unref (MaltHandleHome *home)
{
  if (!g_atomic_ref_count_dec (&home->ref_count))
    return;
  g_mutex_clear (&home->lock);
  g_free (home);
}

void
malt_handle_home_set_user_data (MaltHandleHome *home, gpointer user_data)
{
  g_mutex_lock (&home->lock);
  if (home->release != NULL)
    home->user_data = user_data;
  g_mutex_unlock (&home->lock);
}

void
malt_handle_home_close (MaltHandleHome *home)
{
  g_mutex_lock (&home->lock);
  home->release = NULL;
  home->user_data = NULL;
  g_mutex_unlock (&home->lock);
}

gboolean
malt_handle_home_is_closed (MaltHandleHome *home)
{
  gboolean is_closed;

  if (malt_platform_is_forked (NULL))
    return TRUE;
  g_mutex_lock (&home->lock);
  is_closed = home->release == NULL;
  g_mutex_unlock (&home->lock);
  return is_closed;
}

void
malt_handle_home_release (MaltHandleHome *home, guint64 id)
{
  if (malt_platform_is_forked (NULL))
    return;
  g_mutex_lock (&home->lock);
  if (home->release != NULL)
    home->release (id, home->user_data);
  g_mutex_unlock (&home->lock);
}
