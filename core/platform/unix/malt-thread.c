/* SPDX-License-Identifier: MIT */
/* Threads on Unix. */
#include "platform/malt-thread.h"

#include <malt/malt-error.h>
#include <sys/resource.h>

#define DEFAULT_STACK_BYTES ((gsize) 8 * 1024 * 1024)
#define LEAST_STACK_BYTES ((gsize) 1024 * 1024)

static gsize
get_stack_bytes (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return DEFAULT_STACK_BYTES;
  return MAX ((gsize) limit.rlim_cur, LEAST_STACK_BYTES);
}

gboolean
malt_thread_start (GThreadFunc func, gpointer data, GError **error)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int code;

  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, get_stack_bytes ());
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  code = pthread_create (&thread, &attributes, func, data);
  pthread_attr_destroy (&attributes);
  if (code != 0)
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "%s", g_strerror (code));
  return code == 0;
}
