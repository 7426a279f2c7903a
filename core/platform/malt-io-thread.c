/* SPDX-License-Identifier: MIT */
/* The library's own thread for input, output and deadlines.
 *
 * One for the process, not one for each worker: what it does is short, and a thread
 * that lives as long as the process is what PR_SET_PDEATHSIG of child processes needs.
 * It runs a private main context, so the host's main loop, if it has one, is never in
 * the way. */
#include "platform/malt-io-thread.h"

#include "platform/malt-platform.h"

typedef struct
{
  GMainContext *context; /* (owned) */
  GThread *thread; /* (owned): never joined */
} IoThread;

static gpointer
run_io_thread (gpointer data)
{
  GMainContext *context = data;
  GMainLoop *loop = g_main_loop_new (context, FALSE);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  return NULL;
}

static IoThread *
get_io_thread (void)
{
  static IoThread io_thread;
  static gsize is_started = 0;

  if (g_once_init_enter (&is_started))
    {
      io_thread.context = malt_platform_new_context ();
      io_thread.thread = g_thread_new ("malt-io", run_io_thread, io_thread.context);
      g_once_init_leave (&is_started, 1);
    }
  return &io_thread;
}

GMainContext *
malt_io_thread_get_context (void)
{
  return get_io_thread ()->context;
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
  return get_io_thread ()->thread == g_thread_self ();
}
