/* SPDX-License-Identifier: MIT */
/*
 * Connected pairs of sockets, made by the host alone.
 *
 * A loopback TCP pair needs a listening port for a moment, and anybody on the machine may
 * connect to it. So the connection that is accepted is taken only if each end's own
 * address is the other's peer address; others are dropped. The port is closed before the
 * worker is launched.
 */
#include "platform/malt-socket.h"

#include "base/malt-error-private.h"
#include "platform/unix/malt-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum
{
  BACKLOG = 128,
  MAX_STRANGERS = 1000, /* connections of others that are dropped before it is given up */
  CONNECT_TIMEOUT_S = 5
};

static gboolean
set_errno_error (GError **error, const char *what)
{
  return malt_error_set_by_errno (error, MALT_ERROR_LAUNCH_FAILED, what);
}

static int
open_socket (int family)
{
#ifdef SOCK_CLOEXEC
  return malt_descriptor_raise (socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0));
#else
  int fd = malt_descriptor_raise (socket (family, SOCK_STREAM, 0));
  if (fd >= 0)
    fcntl (fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

static int
accept_cloexec (int listener)
{
#ifdef SOCK_CLOEXEC
  return malt_descriptor_raise (accept4 (listener, NULL, NULL, SOCK_CLOEXEC));
#else
  int fd = malt_descriptor_raise (accept (listener, NULL, NULL));
  if (fd >= 0)
    fcntl (fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

static gboolean
get_address (int fd, gboolean is_peer, struct sockaddr_in *out_address)
{
  socklen_t n = sizeof *out_address;

  memset (out_address, 0, sizeof *out_address);
  return (is_peer ? getpeername (fd, (struct sockaddr *) out_address, &n)
                  : getsockname (fd, (struct sockaddr *) out_address, &n)) == 0;
}

/* Is what @a calls its peer what @b calls itself? */
static gboolean
is_peer_of (int a, int b)
{
  struct sockaddr_in peer;
  struct sockaddr_in own;

  return get_address (a, TRUE, &peer) && get_address (b, FALSE, &own) &&
         peer.sin_port == own.sin_port && peer.sin_addr.s_addr == own.sin_addr.s_addr;
}

static int
accept_own (int listener, int connected)
{
  for (int i = 0; i < MAX_STRANGERS; i++)
    {
      int fd = accept_cloexec (listener);
      if (fd >= 0 && is_peer_of (fd, connected) && is_peer_of (connected, fd))
        return fd;
      if (fd >= 0)
        close (fd);
      else if (errno != EINTR && errno != ECONNABORTED)
        return -1;
    }
  errno = EADDRINUSE;
  return -1;
}

static int
open_loopback_listener (struct sockaddr_in *out_address)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int fd = open_socket (AF_INET);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (fd < 0)
    return -1;
  if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (fd, BACKLOG) < 0 || !get_address (fd, FALSE, out_address))
    {
      close (fd);
      return -1;
    }
  return fd;
}

gboolean
malt_socket_open_tcp_pair (int fds[2], GError **error)
{
  struct sockaddr_in address;
  struct timeval timeout = { .tv_sec = CONNECT_TIMEOUT_S };
  struct timeval forever = { .tv_sec = 0 };
  int listener = open_loopback_listener (&address);

  fds[0] = -1;
  fds[1] = listener >= 0 ? open_socket (AF_INET) : -1;
  if (fds[1] >= 0)
    setsockopt (fds[1], SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (fds[1] >= 0 && connect (fds[1], (struct sockaddr *) &address, sizeof address) == 0)
    fds[0] = accept_own (listener, fds[1]);
  if (fds[0] < 0)
    {
      set_errno_error (error, "cannot make a connection: loopback TCP");
      if (fds[1] >= 0)
        close (fds[1]);
    }
  if (listener >= 0)
    close (listener);
  if (fds[0] < 0)
    return FALSE;
  setsockopt (fds[1], SOL_SOCKET, SO_SNDTIMEO, &forever, sizeof forever);
  malt_socket_set_no_delay (fds[0]);
  malt_socket_set_no_delay (fds[1]);
  return TRUE;
}

gboolean
malt_socket_open_local_pair (int fds[2], GError **error)
{
#ifdef SOCK_CLOEXEC
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0 &&
      malt_descriptor_raise_pair (fds))
    return TRUE;
#else
  if (socketpair (AF_UNIX, SOCK_STREAM, 0, fds) == 0 && malt_descriptor_raise_pair (fds))
    {
      fcntl (fds[0], F_SETFD, FD_CLOEXEC);
      fcntl (fds[1], F_SETFD, FD_CLOEXEC);
      return TRUE;
    }
#endif
  return set_errno_error (error, "cannot make a connection: socketpair");
}
