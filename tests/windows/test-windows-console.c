/* SPDX-License-Identifier: MIT */
/* Forwarding to the host's standard output on Windows: in time where somebody reads, and never waiting where nobody does. */
#include "windows-test.h"

#include "process/malt-console.h"

#include <string.h>

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

static CU_TestInfo tests[] = {
  MALT_TEST (what_is_forwarded_is_there_before_what_comes_next),
  MALT_TEST (nothing_waits_and_nothing_is_lost),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "console on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
