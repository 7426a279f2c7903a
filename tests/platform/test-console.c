/* SPDX-License-Identifier: MIT */
/* Forwarding to whatever the host's standard output is, while nobody reads it: nothing
 * waits, nothing is lost. */
#include "process-test.h"

#include "platform/malt-console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* More than a terminal, a pipe or a socket keeps for its reader. */
#define TEXT_BYTES ((gsize) 1 << 20)

/* Standard output, with something else in its place. */
typedef struct
{
  int saved_fd;
  int reader_fd; /* (owned): the other end */
  int flags; /* of the new standard output */
  GThread *writer;
  char *text; /* (owned) */
  gint is_written; /* atomic */
} Host;

static gpointer
write_text (gpointer data)
{
  Host *host = data;

  malt_console_write (MALT_STREAM_STDOUT, host->text, TEXT_BYTES);
  g_atomic_int_set (&host->is_written, TRUE);
  return NULL;
}

/* Takes both descriptors over, and forwards the text in a thread. */
static void
host_init (Host *host, int reader_fd, int writer_fd)
{
  host->text = g_malloc (TEXT_BYTES);
  for (gsize i = 0; i < TEXT_BYTES; i++)
    host->text[i] = (char) ('a' + i % 23);
  host->saved_fd = dup (STDOUT_FILENO);
  host->reader_fd = reader_fd;
  dup2 (writer_fd, STDOUT_FILENO);
  close (writer_fd);
  host->flags = fcntl (STDOUT_FILENO, F_GETFL);
  host->is_written = FALSE;
  host->writer = g_thread_new ("writer", write_text, host);
}

static gboolean
is_written (gpointer data)
{
  return g_atomic_int_get (&((Host *) data)->is_written);
}

/* Reads until all has come; puts standard output back. */
static gboolean
host_finish (Host *host)
{
  g_autofree char *seen = g_malloc (TEXT_BYTES);
  gsize n_seen = 0;
  gboolean are_flags_kept;
  gboolean is_whole;

  while (n_seen < TEXT_BYTES)
    {
      ssize_t n = read (host->reader_fd, seen + n_seen, TEXT_BYTES - n_seen);
      if (n <= 0)
        break;
      n_seen += (gsize) n;
    }
  g_thread_join (host->writer);
  are_flags_kept = fcntl (STDOUT_FILENO, F_GETFL) == host->flags;
  dup2 (host->saved_fd, STDOUT_FILENO);
  close (host->saved_fd);
  close (host->reader_fd);
  is_whole = n_seen == TEXT_BYTES && memcmp (seen, host->text, TEXT_BYTES) == 0;
  g_free (host->text);
  return is_whole && are_flags_kept;
}

static void
check_unread (int reader_fd, int writer_fd)
{
  Host host;
  gboolean is_free;
  gboolean is_whole;

  host_init (&host, reader_fd, writer_fd);
  is_free = process_test_wait (is_written, &host, PROCESS_TEST_PATIENCE_MS);
  is_whole = host_finish (&host);
  CHECK (is_free);
  CHECK (is_whole);
}

static void
terminal_that_nobody_reads_keeps_nobody (void)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios settings;
  int slave;

  CHECK (master >= 0 && grantpt (master) == 0 && unlockpt (master) == 0);
  slave = open (ptsname (master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK (slave >= 0 && tcgetattr (slave, &settings) == 0);
  cfmakeraw (&settings);
  CHECK (tcsetattr (slave, TCSANOW, &settings) == 0);
  check_unread (master, slave);
}

static void
pipe_that_nobody_reads_keeps_nobody (void)
{
  int fds[2];

  CHECK (pipe (fds) == 0);
  check_unread (fds[0], fds[1]);
}

static void
socket_that_nobody_reads_keeps_nobody (void)
{
  int fds[2];

  CHECK (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  check_unread (fds[0], fds[1]);
}

/* Reads so much, and returns it; the rest is zero if there is an end before. */
static char *
read_all (int fd, gsize n_bytes)
{
  char *text = g_malloc0 (n_bytes + 1);
  ssize_t n = 1;

  for (gsize n_read = 0; n_read < n_bytes && n > 0; n_read += (gsize) n)
    n = read (fd, text + n_read, n_bytes - n_read);
  return text;
}

/* Of 64 MiB that may wait: what has been taken of the first text is still in memory when
 * the second comes. */
static void
what_waits_is_bounded_by_its_memory (void)
{
  g_autofree char *first = g_strnfill (40 << 20, 'a');
  g_autofree char *second = g_strnfill (30 << 20, 'b');
  g_autofree char *part = NULL;
  g_autofree char *rest = NULL;
  g_autofree char *note = NULL;
  int saved_fd = dup (STDOUT_FILENO);
  int fds[2];

  CHECK (pipe (fds) == 0);
  dup2 (fds[1], STDOUT_FILENO);
  close (fds[1]);
  malt_console_write (MALT_STREAM_STDOUT, first, strlen (first));
  part = read_all (fds[0], 16 << 20);
  malt_console_write (MALT_STREAM_STDOUT, second, strlen (second));
  rest = read_all (fds[0], 24 << 20);
  note = read_all (fds[0], strlen ("\n[31457280 bytes of output dropped]\n"));
  dup2 (saved_fd, STDOUT_FILENO);
  close (saved_fd);
  close (fds[0]);
  CHECK (g_str_has_prefix (first, part) && g_str_has_prefix (first, rest));
  CU_ASSERT_STRING_EQUAL (note, "\n[31457280 bytes of output dropped]\n");
}

static const ProcessTest tests[] = {
  { "what_waits_is_bounded_by_its_memory", what_waits_is_bounded_by_its_memory },
  { "terminal_that_nobody_reads_keeps_nobody", terminal_that_nobody_reads_keeps_nobody },
  { "pipe_that_nobody_reads_keeps_nobody", pipe_that_nobody_reads_keeps_nobody },
  { "socket_that_nobody_reads_keeps_nobody", socket_that_nobody_reads_keeps_nobody },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "console", tests);
}
