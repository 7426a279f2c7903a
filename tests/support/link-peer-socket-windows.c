/* SPDX-License-Identifier: MIT */
/* The sockets of a runtime that a test plays, on Windows, which has no pairs of them:
 * connections to a port of our own. */
#include "link-peer-socket.h"

#include <gio/gnetworking.h>

static SOCKET
socket_new (void)
{
  return WSASocketW (AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                     WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

gboolean
link_peer_socket_pair (int fds[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int n = sizeof address;
  SOCKET listener;
  SOCKET ends[2];
  gboolean is_connected;

  g_networking_init ();
  listener = socket_new ();
  ends[0] = socket_new ();
  ends[1] = INVALID_SOCKET;
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  is_connected = bind (listener, (struct sockaddr *) &address, n) == 0 &&
                 listen (listener, 1) == 0 &&
                 getsockname (listener, (struct sockaddr *) &address, &n) == 0 &&
                 connect (ends[0], (struct sockaddr *) &address, n) == 0;
  if (is_connected)
    ends[1] = accept (listener, NULL, NULL);
  closesocket (listener);
  for (int i = 0; i < 2; i++)
    fds[i] = (int) ends[i];
  return ends[1] != INVALID_SOCKET;
}

gboolean
link_peer_socket_wait (int fd, guint timeout_ms)
{
  WSAPOLLFD poll_fd = { .fd = (SOCKET) fd, .events = POLLIN };

  return WSAPoll (&poll_fd, 1, (int) timeout_ms) > 0;
}

gssize
link_peer_socket_read (int fd, gpointer bytes, gsize n_bytes)
{
  return recv ((SOCKET) fd, bytes, (int) MIN (n_bytes, G_MAXINT), 0);
}

gssize
link_peer_socket_write (int fd, gconstpointer bytes, gsize n_bytes)
{
  return send ((SOCKET) fd, bytes, (int) MIN (n_bytes, G_MAXINT), 0);
}

gint64
link_peer_socket_get_thread (void)
{
  return 0;
}
