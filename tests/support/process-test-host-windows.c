/* SPDX-License-Identifier: MIT */
/* What the tests of worker processes ask the system for, on Windows. */
#include "process-test-host.h"

#include <windows.h>

guint
process_test_count_descriptors (void)
{
  DWORD n_handles = 0;

  GetProcessHandleCount (GetCurrentProcess (), &n_handles);
  return n_handles;
}

gboolean
process_test_is_alive (gint64 pid)
{
  HANDLE process = OpenProcess (SYNCHRONIZE, FALSE, (DWORD) pid);
  gboolean is_alive = process != NULL && WaitForSingleObject (process, 0) == WAIT_TIMEOUT;

  if (process != NULL)
    CloseHandle (process);
  return is_alive;
}

gpointer
process_test_map_unreadable (gsize n_bytes)
{
  return VirtualAlloc (NULL, n_bytes, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
}

void
process_test_unmap (gpointer memory, G_GNUC_UNUSED gsize n_bytes)
{
  VirtualFree (memory, 0, MEM_RELEASE);
}

void
process_test_become_opaque (void)
{
}

struct _ProcessTestCapture
{
  HANDLE saved; /* (unowned) */
  HANDLE reader; /* (owned) */
  HANDLE writer; /* (owned) */
};

ProcessTestCapture *
process_test_capture (void)
{
  ProcessTestCapture *capture = g_new (ProcessTestCapture, 1);

  capture->saved = GetStdHandle (STD_OUTPUT_HANDLE);
  if (CreatePipe (&capture->reader, &capture->writer, NULL, 0))
    {
      SetStdHandle (STD_OUTPUT_HANDLE, capture->writer);
      return capture;
    }
  g_free (capture);
  return NULL;
}

/* FALSE: the end. */
static gboolean
read_some (ProcessTestCapture *capture, GString *text)
{
  char bytes[256];
  DWORD n = 0;

  if (!ReadFile (capture->reader, bytes, sizeof bytes, &n, NULL) || n == 0)
    return FALSE;
  g_string_append_len (text, bytes, n);
  return TRUE;
}

char *
process_test_release (ProcessTestCapture *capture, gsize n_bytes)
{
  GString *text = g_string_new (NULL);

  while (text->len < n_bytes && read_some (capture, text))
    continue;
  SetStdHandle (STD_OUTPUT_HANDLE, capture->saved);
  CloseHandle (capture->writer);
  while (read_some (capture, text))
    continue;
  CloseHandle (capture->reader);
  g_free (capture);
  return g_string_free (text, FALSE);
}
