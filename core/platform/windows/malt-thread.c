/* SPDX-License-Identifier: MIT */
/* Threads on Windows. */
#include "platform/malt-thread.h"

#include "platform/windows/malt-handle.h"

#include <malt/malt-error.h>
#include <process.h>

/* As much as Julia's own main thread has. */
#define STACK_BYTES (8u * 1024 * 1024)

typedef struct
{
  GThreadFunc func;
  gpointer data;
} Start;

static unsigned __stdcall run (void *data)
{
  Start start = *(Start *) data;

  g_free (data);
  start.func (start.data);
  return 0;
}

gboolean
malt_thread_start (GThreadFunc func, gpointer data, GError **error)
{
  Start *start = g_new (Start, 1);
  HANDLE thread;

  start->func = func;
  start->data = data;
  thread = (HANDLE) _beginthreadex (NULL, STACK_BYTES, run, start,
                                    STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (thread == MALT_NO_HANDLE)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                           g_strerror (errno));
      g_free (start);
      return FALSE;
    }
  CloseHandle (thread);
  return TRUE;
}
