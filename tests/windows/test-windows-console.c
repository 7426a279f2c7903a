/* SPDX-License-Identifier: MIT */
/* Forwarding to the host's standard output on Windows: in time where somebody reads, and
 * never waiting where nobody does. */
#include "windows-test.h"

#include "platform/malt-console.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_NO_CONSOLE 77

/* More than a pipe keeps for its reader. */
#define TEXT_BYTES ((gsize) 1 << 20)

/* Standard output, with a pipe in its place. */
typedef struct
{
  HANDLE saved;
  HANDLE reader; /* (owned) */
  HANDLE writer; /* (owned) */
} Host;

static gboolean
host_init (Host *host)
{
  host->saved = GetStdHandle (STD_OUTPUT_HANDLE);
  return CreatePipe (&host->reader, &host->writer, NULL, 65536) &&
         SetStdHandle (STD_OUTPUT_HANDLE, host->writer);
}

static void
host_clear (Host *host)
{
  SetStdHandle (STD_OUTPUT_HANDLE, host->saved);
  malt_handle_clear (&host->writer);
  malt_handle_clear (&host->reader);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Host, host_clear)

static void
what_is_forwarded_is_there_before_what_comes_next (void)
{
  g_auto (Host) host = { 0 };
  char text[64] = "";
  DWORD n = 0;

  malt_assert (host_init (&host));
  malt_console_write (MALT_STREAM_STDOUT, "first ", 6);
  malt_assert (WriteFile (host.writer, "second", 6, &n, NULL));
  malt_assert (ReadFile (host.reader, text, sizeof text - 1, &n, NULL));
  malt_assert (strcmp (text, "first second") == 0 || n == 6);
  if (n == 6)
    malt_assert_string (text, "first ");
}

/* Nobody reads until all has been handed over. */
static void
nothing_waits_and_nothing_is_lost (void)
{
  g_auto (Host) host = { 0 };
  g_autofree char *text = g_malloc (TEXT_BYTES);
  g_autofree char *read = g_malloc (TEXT_BYTES);
  gsize n_read = 0;

  for (gsize i = 0; i < TEXT_BYTES; i++)
    text[i] = (char) ('a' + i % 23);
  malt_assert (host_init (&host));
  for (gsize i = 0; i < TEXT_BYTES; i += TEXT_BYTES / 16)
    malt_console_write (MALT_STREAM_STDOUT, text + i, TEXT_BYTES / 16);
  while (n_read < TEXT_BYTES)
    {
      DWORD n = 0;

      malt_assert (
          ReadFile (host.reader, read + n_read, (DWORD) (TEXT_BYTES - n_read), &n, NULL));
      n_read += n;
    }
  malt_assert (memcmp (text, read, TEXT_BYTES) == 0);
}

/* In a console, which the tests are not run in: this program with an argument
 * (test_windows_console.py). */

static gboolean
shows (HANDLE screen, const wchar_t *text)
{
  wchar_t shown[16] = L"";
  DWORD n = 0;

  return ReadConsoleOutputCharacterW (screen, shown, G_N_ELEMENTS (shown) - 1,
                                      (COORD){ 0, 0 }, &n) &&
         wcsncmp (shown, text, wcslen (text)) == 0;
}

/* It shows characters, whatever its code page, and whatever pieces they come in. */
static int
show_characters (void)
{
  static const char text[] = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac\xff!";
  static const wchar_t shown[] = L"gr\u00fc\u00df \u20ac\ufffd! ";
  gint64 deadline_us = g_get_monotonic_time () + (gint64) WINDOWS_TEST_PATIENCE_MS * 1000;
  HANDLE screen;

  SetConsoleOutputCP (437);
  screen = CreateConsoleScreenBuffer (GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                      CONSOLE_TEXTMODE_BUFFER, NULL);
  if (screen == INVALID_HANDLE_VALUE || !shows (screen, L" "))
    return EXIT_NO_CONSOLE;
  SetStdHandle (STD_OUTPUT_HANDLE, screen);
  for (gsize i = 0; i < sizeof text - 1; i++)
    malt_console_write (MALT_STREAM_STDOUT, text + i, 1);
  while (!shows (screen, shown))
    {
      if (g_get_monotonic_time () > deadline_us)
        return EXIT_FAILURE;
      g_thread_yield ();
    }
  return EXIT_SUCCESS;
}

static CU_TestInfo tests[] = {
  MALT_TEST (what_is_forwarded_is_there_before_what_comes_next),
  MALT_TEST (nothing_waits_and_nothing_is_lost),
  CU_TEST_INFO_NULL,
};

int
main (int argc, G_GNUC_UNUSED char **argv)
{
  CU_SuiteInfo suites[] = {
    { .pName = "console on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return argc > 1 ? show_characters () : malt_test_run (suites);
}
