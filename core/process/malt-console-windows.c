/* SPDX-License-Identifier: MIT */
/*
 * Forwards to the host's standard output and error on Windows.
 *
 * Nothing there says whether a handle can be written to without waiting. So a thread for each stream waits in the place of those who write; it lives
 * as long as there is something to write. Who writes gives it GRACE_MS, which is enough where somebody reads: so what is forwarded stands before
 * what the host itself writes next. Where nobody reads only the first waits so long. What is kept for the thread is bounded: beyond MAX_PENDING_BYTES
 * output is dropped, and a line says how much.
 *
 * The host's handles exist once in a process, so this state is global, one for each stream, each with its own lock.
 */
#include "process/malt-console.h"

#include "process/malt-handle-windows.h"

#define MAX_PENDING_BYTES ((gsize) 64 << 20)

enum
{
  GRACE_MS = 50
};

typedef struct
{
  GMutex lock; /* guards the rest */
  DWORD handle_number;
  GString *pending; /* (owned) (nullable): what no thread has taken yet */
  gsize n_dropped;
  gboolean has_thread;
  gboolean is_slow; /* the thread has not been done in time */
  GCond done; /* has_thread has become FALSE */
} Console;

static Console consoles[] = { { .handle_number = STD_OUTPUT_HANDLE },
                              { .handle_number = STD_ERROR_HANDLE } };

/* What nobody can ever read counts as written. */
static void
write_all (HANDLE handle, const char *text, gsize n_bytes)
{
  DWORD n_written;

  while (n_bytes > 0)
    {
      if (!WriteFile (handle, text, (DWORD) MIN (n_bytes, G_MAXINT), &n_written, NULL))
        return;
      text += n_written;
      n_bytes -= n_written;
    }
}

/* NULL: there is nothing to be written, and the thread has ended. */
static GString *
take_pending (Console *console)
{
  GString *pending;

  g_mutex_lock (&console->lock);
  pending = g_steal_pointer (&console->pending);
  if (pending == NULL && console->n_dropped > 0)
    {
      pending = g_string_new (NULL);
      g_string_printf (pending, "\n[%" G_GSIZE_FORMAT " bytes of output dropped]\n",
                       console->n_dropped);
      console->n_dropped = 0;
    }
  console->has_thread = pending != NULL;
  if (pending == NULL)
    {
      console->is_slow = FALSE;
      g_cond_broadcast (&console->done);
    }
  g_mutex_unlock (&console->lock);
  return pending;
}

static gpointer
write_pending (gpointer data)
{
  Console *console = data;
  GString *pending;

  while ((pending = take_pending (console)) != NULL)
    {
      write_all (GetStdHandle (console->handle_number), pending->str, pending->len);
      g_string_free (pending, TRUE);
    }
  return NULL;
}

/* With lock held. */
static void
give_grace (Console *console)
{
  gint64 until_us = g_get_monotonic_time () + (gint64) GRACE_MS * 1000;

  while (console->has_thread && !console->is_slow)
    if (!g_cond_wait_until (&console->done, &console->lock, until_us))
      console->is_slow = TRUE;
}

void
malt_console_write (MaltStream stream, const char *text, gsize n_bytes)
{
  Console *console = &consoles[stream == MALT_STREAM_STDERR];
  gboolean needs_thread;

  g_mutex_lock (&console->lock);
  if (console->pending == NULL)
    console->pending = g_string_new (NULL);
  if (console->pending->len + n_bytes > MAX_PENDING_BYTES)
    console->n_dropped += n_bytes;
  else
    g_string_append_len (console->pending, text, (gssize) n_bytes);
  needs_thread = !console->has_thread;
  console->has_thread = TRUE;
  if (needs_thread)
    g_thread_unref (g_thread_new ("malt-console", write_pending, console));
  give_grace (console);
  g_mutex_unlock (&console->lock);
}
