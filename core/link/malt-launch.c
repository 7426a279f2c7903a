/* SPDX-License-Identifier: MIT */
/*
 * The launch of a worker is decided by the first of these: it introduces itself, it ends, the start timeout passes, the cancellable
 * fires, or making it fails at once. Whoever comes later finds it decided.
 */
#include "link/malt-launch.h"

#include "link/malt-io-thread.h"

#include <malt/malt.h>

struct _MaltLaunch
{
  gpointer owner; /* (unowned): keeps this */
  GBoxedCopyFunc ref;
  GBoxedFreeFunc unref;
  MaltLaunched decided;
  char *(*dup_tail) (gpointer owner); /* (nullable): set before there is a timer */

  GMutex lock; /* guards the rest */
  gboolean is_decided;
  GError *error; /* (owned) (nullable): constant once decided */
  MaltLaunched launched; /* (nullable): until it was called */
  gpointer launched_data;
  GSource *timer; /* (owned) (nullable) */
  GSource *cancel; /* (owned) (nullable) */
};

MaltLaunch *
malt_launch_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                 MaltLaunched decided)
{
  MaltLaunch *launch = g_new0 (MaltLaunch, 1);

  g_mutex_init (&launch->lock);
  launch->owner = owner;
  launch->ref = ref;
  launch->unref = unref;
  launch->decided = decided;
  return launch;
}

/* Its sources are gone: each held a reference to the owner. */
void
malt_launch_free (MaltLaunch *launch)
{
  g_clear_error (&launch->error);
  g_mutex_clear (&launch->lock);
  g_free (launch);
}

static void
clear_source (GSource *source)
{
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

gboolean
malt_launch_decide (MaltLaunch *launch, GError *error)
{
  MaltLaunched launched;
  gpointer data;
  GSource *timer;
  GSource *cancel;
  gboolean is_first;

  g_mutex_lock (&launch->lock);
  is_first = !launch->is_decided;
  launch->is_decided = TRUE;
  if (is_first)
    launch->error = g_steal_pointer (&error);
  g_mutex_unlock (&launch->lock);
  g_clear_error (&error);
  if (!is_first)
    return FALSE;

  launch->decided (launch->error, launch->owner);
  g_mutex_lock (&launch->lock);
  launched = g_steal_pointer (&launch->launched);
  data = launch->launched_data;
  timer = g_steal_pointer (&launch->timer);
  cancel = g_steal_pointer (&launch->cancel);
  g_mutex_unlock (&launch->lock);
  clear_source (timer);
  clear_source (cancel);
  if (launched != NULL)
    launched (launch->error, data);
  return TRUE;
}

gboolean
malt_launch_is_decided (MaltLaunch *launch)
{
  gboolean is_decided;

  g_mutex_lock (&launch->lock);
  is_decided = launch->is_decided;
  g_mutex_unlock (&launch->lock);
  return is_decided;
}

/* Timeout and cancellation */

static void
drop_owner (gpointer data)
{
  MaltLaunch *launch = data;
  launch->unref (launch->owner);
}

/* With lock held. The source keeps the owner, and with it the launch. */
static GSource *
attach (MaltLaunch *launch, GSource *source, GSourceFunc callback)
{
  launch->ref (launch->owner);
  g_source_set_callback (source, callback, launch, drop_owner);
  g_source_attach (source, malt_io_thread_get_context ());
  return source;
}

static gboolean
on_timeout (gpointer data)
{
  MaltLaunch *launch = data;
  g_autofree char *tail =
      launch->dup_tail != NULL ? launch->dup_tail (launch->owner) : NULL;

  malt_launch_decide (launch,
                      g_error_new (MALT_ERROR, MALT_ERROR_TIMED_OUT,
                                   "julia was not ready within the start "
                                   "timeout and was killed%s%s",
                                   tail != NULL ? ": " : "", tail != NULL ? tail : ""));
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  malt_launch_decide (data, g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                                 "the launch was cancelled"));
  return G_SOURCE_REMOVE;
}

void
malt_launch_limit (MaltLaunch *launch, gint64 timeout_ms,
                   char *(*dup_tail) (gpointer owner))
{
  g_mutex_lock (&launch->lock);
  launch->dup_tail = dup_tail;
  if (!launch->is_decided)
    launch->timer =
        attach (launch, g_timeout_source_new ((guint) timeout_ms), on_timeout);
  g_mutex_unlock (&launch->lock);
}

/* Waiting */

void
malt_launch_await (MaltLaunch *launch, GCancellable *cancellable, MaltLaunched launched,
                   gpointer user_data)
{
  gboolean is_decided;

  g_mutex_lock (&launch->lock);
  is_decided = launch->is_decided;
  launch->launched_data = user_data;
  if (!is_decided)
    {
      launch->launched = launched;
      if (cancellable != NULL)
        launch->cancel = attach (launch, g_cancellable_source_new (cancellable),
                                 G_SOURCE_FUNC (on_cancelled));
    }
  g_mutex_unlock (&launch->lock);
  if (is_decided)
    launched (launch->error, user_data);
}

typedef struct
{
  GMutex lock; /* guards the rest */
  GCond cond;
  gboolean is_done;
  GError *error; /* (owned) (nullable) */
} Blocking;

static void
on_launched_blocking (const GError *error, gpointer user_data)
{
  Blocking *blocking = user_data;

  g_mutex_lock (&blocking->lock);
  blocking->is_done = TRUE;
  blocking->error = error != NULL ? g_error_copy (error) : NULL;
  g_cond_signal (&blocking->cond);
  g_mutex_unlock (&blocking->lock);
}

gboolean
malt_launch_await_blocking (MaltLaunch *launch, GCancellable *cancellable, GError **error)
{
  Blocking blocking = { .is_done = FALSE };

  g_mutex_init (&blocking.lock);
  g_cond_init (&blocking.cond);
  malt_launch_await (launch, cancellable, on_launched_blocking, &blocking);
  g_mutex_lock (&blocking.lock);
  while (!blocking.is_done)
    g_cond_wait (&blocking.cond, &blocking.lock);
  g_mutex_unlock (&blocking.lock);
  g_mutex_clear (&blocking.lock);
  g_cond_clear (&blocking.cond);
  if (blocking.error == NULL)
    return TRUE;
  g_propagate_error (error, blocking.error);
  return FALSE;
}

static void
on_launched_task (const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_boolean (task, TRUE);
}

void
malt_launch_await_task (MaltLaunch *launch, GCancellable *cancellable, GTask *task)
{
  malt_launch_await (launch, cancellable, on_launched_task, task);
}
