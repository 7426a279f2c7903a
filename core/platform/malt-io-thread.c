/* SPDX-License-Identifier: MIT */
/* The library's own thread for input, output and deadlines.
 *
 * One for the process, not one for each worker: what it does is short, and a thread
 * that lives as long as the process is what PR_SET_PDEATHSIG of child processes needs.
 * It runs a private main context, so the host's main loop, if it has one, is never in
 * the way. */
#include "platform/malt-io-thread.h"

#include "platform/malt-platform.h"

#include <malt/malt-error.h>

static struct
{
  GMutex lock; /* guards the making of it */
  GMainContext *context; /* (owned) (nullable): constant once it is there */
  GThread *thread; /* (owned) (nullable): atomic; never joined */
} io_thread;

static gpointer
run_io_thread (gpointer data)
{
  GMainContext *context = data;
  GMainLoop *loop = g_main_loop_new (context, FALSE);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  return NULL;
}

static gboolean
start_locked (GError **error)
{
  g_autoptr (GError) cause = NULL;
  GThread *thread;

  if (io_thread.context == NULL)
    io_thread.context = malt_platform_new_context (error);
  if (io_thread.context == NULL)
    return FALSE;
  thread = g_thread_try_new ("malt-io", run_io_thread, io_thread.context, &cause);
  if (thread == NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_RESOURCES, "no thread can be made: %s",
                 cause->message);
  else
    g_atomic_pointer_set (&io_thread.thread, thread);
  return thread != NULL;
}

gboolean
malt_io_thread_start (GError **error)
{
  gboolean is_there = g_atomic_pointer_get (&io_thread.thread) != NULL;

  if (is_there)
    return TRUE;
  g_mutex_lock (&io_thread.lock);
  is_there = io_thread.thread != NULL || start_locked (error);
  g_mutex_unlock (&io_thread.lock);
  return is_there;
}

GMainContext *
malt_io_thread_get_context (void)
{
  g_autoptr (GError) error = NULL;

  if (!malt_io_thread_start (&error))
    g_error ("the thread of the library was not started in time: %s", error->message);
  return io_thread.context;
}

GSource *
malt_io_thread_attach (GSource *source, GSourceFunc callback, gpointer data,
                       GDestroyNotify destroy)
{
  g_source_set_callback (source, callback, data, destroy);
  g_source_attach (source, malt_io_thread_get_context ());
  return source;
}

void
malt_io_thread_detach (GSource *source)
{
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

gboolean
malt_io_thread_is_current (void)
{
  return g_atomic_pointer_get (&io_thread.thread) == g_thread_self ();
}
