/* SPDX-License-Identifier: MIT */
/* The floor of every round trip: two C processes that echo a few bytes over loopback
 * TCP with blocking calls. */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
fail (GError **error, const char *what)
{
  int error_number = errno;

  g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (error_number),
               "echo: %s: %s", what, g_strerror (error_number));
  return FALSE;
}

static int
listen_on_loopback (struct sockaddr_in *out_address)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (listener < 0 || bind (listener, (struct sockaddr *) &address, size) < 0 ||
      listen (listener, 1) < 0 ||
      getsockname (listener, (struct sockaddr *) &address, &size) < 0)
    {
      if (listener >= 0)
        close (listener);
      return -1;
    }
  *out_address = address;
  return listener;
}

static gboolean
make_pair (int pair[2])
{
  struct sockaddr_in address;
  int one = 1;
  int listener = listen_on_loopback (&address);

  if (listener < 0)
    return FALSE;
  pair[0] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pair[1] = -1;
  if (pair[0] >= 0 &&
      connect (pair[0], (struct sockaddr *) &address, sizeof address) == 0)
    pair[1] = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  close (listener);
  if (pair[1] < 0)
    {
      if (pair[0] >= 0)
        close (pair[0]);
      return FALSE;
    }
  for (int i = 0; i < 2; i++)
    setsockopt (pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return TRUE;
}

static gboolean
read_exactly (int descriptor, char *bytes, size_t n_bytes)
{
  while (n_bytes > 0)
    {
      ssize_t n = read (descriptor, bytes, n_bytes);

      if (n <= 0)
        return FALSE;
      bytes += n;
      n_bytes -= (size_t) n;
    }
  return TRUE;
}

static gboolean
write_exactly (int descriptor, const char *bytes, size_t n_bytes)
{
  return send (descriptor, bytes, n_bytes, MSG_NOSIGNAL) == (ssize_t) n_bytes;
}

static void
echo_until_closed (int descriptor)
{
  char bytes[BENCH_ECHO_BYTES];

  while (read_exactly (descriptor, bytes, sizeof bytes) &&
         write_exactly (descriptor, bytes, sizeof bytes))
    continue;
}

/* To be called before the process has a second thread: the child is a plain fork. It
 * ends with the connection. */
gboolean
bench_echo_start (BenchEcho *out_echo, GError **error)
{
  int pair[2];
  pid_t pid;

  if (!make_pair (pair))
    return fail (error, "cannot connect to loopback");
  pid = fork ();
  if (pid == 0)
    {
      close (pair[0]);
      echo_until_closed (pair[1]);
      _exit (0);
    }
  close (pair[1]);
  if (pid < 0)
    {
      fail (error, "cannot fork");
      close (pair[0]);
      return FALSE;
    }
  out_echo->descriptor = pair[0];
  out_echo->pid = pid;
  return TRUE;
}

void
bench_echo_stop (BenchEcho *echo)
{
  if (echo->pid == 0)
    return;
  close (echo->descriptor);
  waitpid ((pid_t) echo->pid, NULL, 0);
  echo->pid = 0;
}

double
bench_echo_measure (BenchEcho *echo, guint n, GError **error)
{
  g_autoptr (GArray) times = g_array_sized_new (FALSE, FALSE, sizeof (double), n);
  char bytes[BENCH_ECHO_BYTES] = { 0 };

  for (guint i = 0; i < n; i++)
    {
      double elapsed = bench_now_us ();

      if (!write_exactly (echo->descriptor, bytes, sizeof bytes) ||
          !read_exactly (echo->descriptor, bytes, sizeof bytes))
        {
          fail (error, "the connection broke");
          return -1;
        }
      elapsed = bench_now_us () - elapsed;
      g_array_append_val (times, elapsed);
    }
  return bench_median (times);
}
