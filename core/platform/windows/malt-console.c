/* SPDX-License-Identifier: MIT */
/*
 * Forwards to the host's standard output and error on Windows.
 *
 * Nothing there says whether a handle can be written to without waiting. So a thread for
 * each stream waits in the place of those who write; it lives as long as there is
 * something to write. Who writes gives it GRACE_MS, which is enough where somebody reads:
 * so what is forwarded stands before what the host itself writes next. Where nobody reads
 * only the first waits so long. What is kept for the thread is bounded: beyond
 * MAX_PENDING_BYTES output is dropped, and a line says how much.
 *
 * A console is given characters, since it takes bytes for those of an old code page. What
 * is written comes in pieces that may end within a character.
 *
 * The host's handles exist once in a process, so this state is global, one for each
 * stream, each with its own lock.
 */
#include "platform/malt-console.h"

#include "platform/windows/malt-handle.h"

#include <string.h>

#define MAX_PENDING_BYTES ((gsize) 64 << 20)

enum
{
  GRACE_MS = 50,
  MAX_UTF8_BYTES = 4, /* of a character */
  MAX_CONSOLE_UNITS = 8192 /* that a console takes at once */
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

  /* Of the thread. */
  char begun[MAX_UTF8_BYTES]; /* the beginning of a character that has not come whole */
  gsize n_begun;
} Console;

static Console consoles[] = { { .handle_number = STD_OUTPUT_HANDLE },
                              { .handle_number = STD_ERROR_HANDLE } };

/* How many bytes at the end are the beginning of a character. */
static gsize
count_begun (const char *text, gsize n_bytes)
{
  for (gsize n = 1; n < MAX_UTF8_BYTES && n <= n_bytes; n++)
    {
      const char *at = text + n_bytes - n;

      if (((guchar) *at & 0xc0) != 0x80)
        return g_utf8_get_char_validated (at, (gssize) n) == (gunichar) -2 ? n : 0;
    }
  return 0;
}

static void
write_units (HANDLE handle, const wchar_t *units, gsize n_units)
{
  DWORD n_written;

  while (n_units > 0)
    {
      DWORD n = (DWORD) MIN (n_units, MAX_CONSOLE_UNITS);

      /* The two halves of a character stay together. */
      if (n < n_units && IS_HIGH_SURROGATE (units[n - 1]))
        n--;
      if (!WriteConsoleW (handle, units, n, &n_written, NULL) || n_written == 0)
        return;
      units += n_written;
      n_units -= n_written;
    }
}

static void
write_to_console (Console *console, HANDLE handle, const char *text, gsize n_bytes)
{
  g_autoptr (GString) whole =
      g_string_new_len (console->begun, (gssize) console->n_begun);
  g_autofree char *valid = NULL;
  g_autofree gunichar2 *units = NULL;
  glong n_units = 0;

  g_string_append_len (whole, text, (gssize) n_bytes);
  console->n_begun = count_begun (whole->str, whole->len);
  memcpy (console->begun, whole->str + whole->len - console->n_begun, console->n_begun);
  g_string_truncate (whole, whole->len - console->n_begun);
  valid = g_utf8_make_valid (whole->str, (gssize) whole->len);
  units = g_utf8_to_utf16 (valid, -1, NULL, &n_units, NULL);
  if (units != NULL)
    write_units (handle, (const wchar_t *) units, (gsize) n_units);
}

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

static void
write_text (Console *console, const GString *text)
{
  HANDLE handle = GetStdHandle (console->handle_number);
  DWORD mode;

  if (GetConsoleMode (handle, &mode))
    write_to_console (console, handle, text->str, text->len);
  else
    write_all (handle, text->str, text->len);
}

static gpointer
write_pending (gpointer data)
{
  Console *console = data;
  GString *pending;

  while ((pending = take_pending (console)) != NULL)
    {
      write_text (console, pending);
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

/* With lock held. Where no thread can be made, the next who writes tries again. */
static void
start_thread (Console *console)
{
  GThread *thread = g_thread_try_new ("malt-console", write_pending, console, NULL);

  console->has_thread = thread != NULL;
  g_clear_pointer (&thread, g_thread_unref);
}

void
malt_console_write (MaltStream stream, const char *text, gsize n_bytes)
{
  Console *console = &consoles[stream == MALT_STREAM_STDERR];

  g_mutex_lock (&console->lock);
  if (console->pending == NULL)
    console->pending = g_string_new (NULL);
  if (console->pending->len + n_bytes > MAX_PENDING_BYTES)
    console->n_dropped += n_bytes;
  else
    g_string_append_len (console->pending, text, (gssize) n_bytes);
  if (!console->has_thread)
    start_thread (console);
  give_grace (console);
  g_mutex_unlock (&console->lock);
}
