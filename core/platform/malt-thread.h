/* SPDX-License-Identifier: MIT */
/* Threads, where GLib's do not do: one that has a large stack, and who is running, in a nanosecond. */
#pragma once

#include <glib.h>
#ifdef G_OS_WIN32
#include "platform/windows/malt-handle.h"
#else
#include <pthread.h>
#endif

G_BEGIN_DECLS

/* A number of the running thread; no other thread that runs has it. */
static inline guintptr
malt_thread_get_number (void)
{
#ifdef G_OS_WIN32
  return (guintptr) GetCurrentThreadId ();
#else
  return (guintptr) pthread_self ();
#endif
}

/* Starts a thread that nobody waits for, with a stack as large as that of the main thread. Errors: LAUNCH_FAILED. */
gboolean malt_thread_start (GThreadFunc func, gpointer data, GError **error);

G_END_DECLS
