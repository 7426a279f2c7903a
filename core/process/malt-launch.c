/* SPDX-License-Identifier: MIT */
/*
 * The launch of a worker is decided by the first of these: it introduces itself, it ends,
 * the start timeout passes, the cancellable fires, or making it fails at once. Whoever
 * comes later finds it decided.
 *
 * States (state, guarded by lock):
 *
 *   OPEN      nobody has decided
 *   DECIDING  somebody has: the error is there, the owner is being told. Who begins to
 *             wait now waits for the owner too; otherwise init could return a worker that
 *             does not run yet.
 *   DECIDED   the owner knows, and who waits is told
 *
 * The cancellable is watched by a signal handler, which puts the decision off to the I/O
 * thread: a GCancellableSource leaks if it is destroyed while g_cancellable_cancel()
 * runs, which is the usual case here, and g_cancellable_disconnect() would wait for other
 * handlers.
 */
#include "process/malt-launch.h"

#include "platform/malt-io-thread.h"

typedef enum
{
  LAUNCH_OPEN,
  LAUNCH_DECIDING,
  LAUNCH_DECIDED,
} LaunchState;

struct _MaltLaunch
{
  gpointer owner; /* (unowned): keeps this */
  GBoxedCopyFunc ref;
  GBoxedFreeFunc unref;
  MaltLaunchDecided decided;
  MaltLaunchDupTail dup_tail; /* (nullable): set before there is a timer */

  GMutex lock; /* guards the rest */
  GCond done; /* state became LAUNCH_DECIDED */
  LaunchState state;
  GError *error; /* (owned) (nullable): constant once state is not LAUNCH_OPEN */
  GTask *task; /* (owned) (nullable): that waits */
  GSource *timer; /* (owned) (nullable) */
  GCancellable *cancellable; /* (owned) (nullable): that is watched */
  gulong cancel_handler;
};

MaltLaunch *
malt_launch_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                 MaltLaunchDecided decided)
{
  MaltLaunch *launch = g_new0 (MaltLaunch, 1);

  g_mutex_init (&launch->lock);
  g_cond_init (&launch->done);
  launch->owner = owner;
  launch->ref = ref;
  launch->unref = unref;
  launch->decided = decided;
  return launch;
}

/* Its sources and its handler are gone: each held a reference to the owner. */
void
malt_launch_free (MaltLaunch *launch)
{
  g_clear_error (&launch->error);
  g_cond_clear (&launch->done);
  g_mutex_clear (&launch->lock);
  g_free (launch);
}

/* The last thing that a source or the handler does with the launch, which may go with its owner. */
static void
drop_owner (gpointer data)
{
  MaltLaunch *launch = data;
  launch->unref (launch->owner);
}

/* The source keeps the owner, and with it the launch. (transfer full) */
static GSource *
attach (MaltLaunch *launch, GSource *source, GSourceFunc callback)
{
  launch->ref (launch->owner);
  return malt_io_thread_attach (source, callback, launch, drop_owner);
}

/* The decision */

static void
return_to_task (MaltLaunch *launch, GTask *task)
{
  if (launch->error != NULL)
    g_task_return_error (task, g_error_copy (launch->error));
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* By the one who has decided. */
static void
tell (MaltLaunch *launch)
{
  GTask *task;

  launch->decided (launch->owner, launch->error);
  g_mutex_lock (&launch->lock);
  launch->state = LAUNCH_DECIDED;
  task = g_steal_pointer (&launch->task);
  g_cond_broadcast (&launch->done);
  g_mutex_unlock (&launch->lock);
  if (task != NULL)
    return_to_task (launch, task);
}

gboolean
malt_launch_decide (MaltLaunch *launch, GError *error)
{
  g_autoptr (GError) late = error;
  g_autoptr (GCancellable) cancellable = NULL;
  GSource *timer = NULL;
  gboolean is_first;

  g_mutex_lock (&launch->lock);
  is_first = launch->state == LAUNCH_OPEN;
  if (is_first)
    {
      launch->state = LAUNCH_DECIDING;
      launch->error = g_steal_pointer (&late);
      timer = g_steal_pointer (&launch->timer);
      cancellable = g_steal_pointer (&launch->cancellable);
    }
  g_mutex_unlock (&launch->lock);
  if (!is_first)
    return FALSE;

  malt_io_thread_detach (timer);
  if (cancellable != NULL)
    g_signal_handler_disconnect (cancellable, launch->cancel_handler);
  tell (launch);
  return TRUE;
}

void
malt_launch_fail (MaltLaunch *launch, MaltTermination *termination)
{
  g_autofree char *how = malt_termination_to_string (termination);
  const char *tail = malt_termination_get_stderr (termination);

  malt_launch_decide (launch,
                      g_error_new (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                                   "julia %s before it was ready%s%s", how,
                                   tail != NULL ? ": " : "", tail != NULL ? tail : ""));
}

gboolean
malt_launch_is_decided (MaltLaunch *launch)
{
  gboolean is_decided;

  g_mutex_lock (&launch->lock);
  is_decided = launch->state != LAUNCH_OPEN;
  g_mutex_unlock (&launch->lock);
  return is_decided;
}

/* The start timeout */

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

void
malt_launch_limit (MaltLaunch *launch, gint64 timeout_ms, MaltLaunchDupTail dup_tail)
{
  g_mutex_lock (&launch->lock);
  launch->dup_tail = dup_tail;
  if (launch->state == LAUNCH_OPEN)
    launch->timer = attach (
        launch, g_timeout_source_new ((guint) MIN (timeout_ms, G_MAXUINT)), on_timeout);
  g_mutex_unlock (&launch->lock);
}

/* Cancellation */

static gboolean
decide_cancelled (gpointer data)
{
  malt_launch_decide (data, g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                                 "the launch was cancelled"));
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_unref (attach (data, source, decide_cancelled));
}

static void
on_closure_gone (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  drop_owner (data);
}

/* With lock held. */
static void
watch (MaltLaunch *launch, GCancellable *cancellable)
{
  if (launch->state != LAUNCH_OPEN || cancellable == NULL)
    return;
  launch->ref (launch->owner);
  launch->cancellable = g_object_ref (cancellable);
  launch->cancel_handler = g_signal_connect_data (
      cancellable, "cancelled", G_CALLBACK (on_cancelled), launch, on_closure_gone, 0);
  if (g_cancellable_is_cancelled (cancellable))
    on_cancelled (cancellable, launch);
}

/* Waiting */

gboolean
malt_launch_await_blocking (MaltLaunch *launch, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&launch->lock);
  watch (launch, cancellable);
  while (launch->state != LAUNCH_DECIDED)
    g_cond_wait (&launch->done, &launch->lock);
  g_mutex_unlock (&launch->lock);
  if (launch->error == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (launch->error));
  return FALSE;
}

void
malt_launch_await_task (MaltLaunch *launch, GCancellable *cancellable, GTask *task)
{
  gboolean is_decided;

  g_mutex_lock (&launch->lock);
  watch (launch, cancellable);
  is_decided = launch->state == LAUNCH_DECIDED;
  if (!is_decided)
    launch->task = task;
  g_mutex_unlock (&launch->lock);
  if (is_decided)
    return_to_task (launch, task);
}
