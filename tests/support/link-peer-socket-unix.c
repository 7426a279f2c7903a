/* SPDX-License-Identifier: MIT */
/* The sockets of a runtime that a test plays, on Unix. */
#include "link-peer-socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

gboolean
link_peer_socket_pair (int fds[2])
{
  return socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0;
}

gboolean
link_peer_socket_wait (int fd, guint timeout_ms)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  return poll (&poll_fd, 1, (int) timeout_ms) > 0;
}

gssize
link_peer_socket_read (int fd, gpointer bytes, gsize n_bytes)
{
  return read (fd, bytes, n_bytes);
}

gssize
link_peer_socket_write (int fd, gconstpointer bytes, gsize n_bytes)
{
  return send (fd, bytes, n_bytes, MSG_NOSIGNAL);
}

gint64
link_peer_socket_get_thread (void)
{
#ifdef SYS_gettid
  return syscall (SYS_gettid);
#else
  return 0;
#endif
}
