/* SPDX-License-Identifier: MIT */
/*
 * Pipes on Windows.
 *
 * Nothing there says that a pipe can be read but a read that ends. So a read of no bytes
 * waits at all times when the pipe is empty: it ends, and sets an event, when something
 * comes, and takes nothing away. What is in the pipe is then asked for and read, which
 * does not wait. So a thread that knows that something has been written finds it,
 * whatever other threads have been told. A read is given up by the system when the thread
 * ends that began it; that sets the event as well, and the next look begins another one.
 */
#include "platform/malt-pipe.h"

#include "platform/windows/malt-handle.h"

#include <gio/gio.h>

enum
{
  PIPE_BYTES = 64 * 1024
};

struct _MaltPipe
{
  HANDLE handle; /* (owned) */
  OVERLAPPED
  watch; /* the read of no bytes; its event (owned) is set while there may be something */
  gboolean is_watched; /* it is under way */
  HANDLE read_event; /* (owned): of reads */
  gboolean is_ended;
};

static gint n_pipes; /* atomic: made so far */

/* The pipe is empty: who waits is told when it is not. */
static void
watch (MaltPipe *pipe)
{
  if (pipe->is_watched && !HasOverlappedIoCompleted (&pipe->watch))
    return;
  pipe->is_watched = ReadFile (pipe->handle, &pipe->is_watched, 0, NULL, &pipe->watch) ||
                     GetLastError () == ERROR_IO_PENDING;
  if (!pipe->is_watched)
    SetEvent (pipe->watch.hEvent);
}

static HANDLE
open_writer (const wchar_t *name)
{
  HANDLE writer = CreateFileW (name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

  return writer != INVALID_HANDLE_VALUE ? writer : MALT_NO_HANDLE;
}

MaltPipe *
malt_pipe_new (gintptr *out_writer, GError **error)
{
  g_autoptr (MaltPipe) pipe = g_new0 (MaltPipe, 1);
  g_autofree char *name =
      g_strdup_printf ("\\\\.\\pipe\\malt.%lu.%d.%08x", GetCurrentProcessId (),
                       g_atomic_int_add (&n_pipes, 1), g_random_int ());
  g_autofree wchar_t *wide_name = malt_handle_dup_wide (name);
  HANDLE writer = MALT_NO_HANDLE;

  pipe->watch.hEvent = CreateEventW (NULL, TRUE, FALSE, NULL);
  pipe->read_event = CreateEventW (NULL, TRUE, FALSE, NULL);
  pipe->handle = CreateNamedPipeW (
      wide_name,
      PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, 0,
      PIPE_BYTES, 0, NULL);
  if (pipe->handle != INVALID_HANDLE_VALUE)
    writer = open_writer (wide_name);
  if (writer == MALT_NO_HANDLE || pipe->watch.hEvent == NULL || pipe->read_event == NULL)
    {
      malt_handle_set_error (error, "cannot make a pipe", GetLastError ());
      malt_handle_clear (&writer);
      return NULL;
    }
  watch (pipe);
  *out_writer = (gintptr) writer;
  return g_steal_pointer (&pipe);
}

void
malt_pipe_free (MaltPipe *pipe)
{
  DWORD n;

  /* A read that has ended may still have to say so, in memory of ours. */
  if (pipe->is_watched)
    {
      CancelIoEx (pipe->handle, &pipe->watch);
      GetOverlappedResult (pipe->handle, &pipe->watch, &n, TRUE);
    }
  malt_handle_clear (&pipe->handle);
  malt_handle_clear (&pipe->watch.hEvent);
  malt_handle_clear (&pipe->read_event);
  g_free (pipe);
}

/* A pipe of Windows has a name, but Julia opens no such file. */

MaltPipe *
malt_pipe_new_named (G_GNUC_UNUSED GError **error)
{
  return NULL;
}

char *
malt_pipe_dup_name (G_GNUC_UNUSED MaltPipe *pipe)
{
  return NULL;
}

void
malt_pipe_forget_name (G_GNUC_UNUSED MaltPipe *pipe)
{
}

/* Reading */

/* 0: nothing. At the end is_ended is set. */
static DWORD
count_bytes (MaltPipe *pipe)
{
  DWORD n = 0;

  if (!pipe->is_ended && !PeekNamedPipe (pipe->handle, NULL, 0, NULL, &n, NULL))
    pipe->is_ended = TRUE;
  return n;
}

/* Of bytes that are there. */
static DWORD
read_bytes (MaltPipe *pipe, guint8 *data, DWORD n_bytes)
{
  OVERLAPPED read = { .hEvent = pipe->read_event };
  DWORD n = 0;

  if (!ReadFile (pipe->handle, data, n_bytes, NULL, &read) &&
      GetLastError () != ERROR_IO_PENDING)
    pipe->is_ended = TRUE;
  else if (!GetOverlappedResult (pipe->handle, &read, &n, TRUE))
    pipe->is_ended = TRUE;
  return n;
}

gssize
malt_pipe_read (MaltPipe *pipe, gpointer data, gsize n_bytes)
{
  gsize n_read = 0;
  DWORD n_there;

  while (n_read < n_bytes && (n_there = count_bytes (pipe)) > 0)
    n_read += read_bytes (pipe, (guint8 *) data + n_read,
                          (DWORD) MIN (n_there, n_bytes - n_read));
  if (n_read < n_bytes && !pipe->is_ended)
    watch (pipe);
  if (n_read > 0)
    return (gssize) n_read;
  return pipe->is_ended ? 0 : MALT_PIPE_EMPTY;
}

gboolean
malt_pipe_look (MaltPipe *const *pipes, guint n, gboolean *out_is_ready)
{
  gboolean is_any = FALSE;

  for (guint i = 0; i < n; i++)
    {
      out_is_ready[i] =
          pipes[i] != NULL && (count_bytes (pipes[i]) > 0 || pipes[i]->is_ended);
      is_any = is_any || out_is_ready[i];
    }
  return is_any;
}

GSource *
malt_pipe_source_new (MaltPipe *pipe)
{
  return malt_handle_source_new (pipe->watch.hEvent, "malt: output");
}
