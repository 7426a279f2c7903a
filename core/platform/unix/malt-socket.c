/* SPDX-License-Identifier: MIT */
/* Stream sockets on Unix. Connected pairs stand in a file of their own. */
#include "platform/malt-socket.h"

#include "base/malt-error-private.h"
#include "platform/unix/malt-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

G_STATIC_ASSERT (sizeof (GOutputVector) == sizeof (struct iovec));
G_STATIC_ASSERT (G_STRUCT_OFFSET (GOutputVector, buffer) ==
                 G_STRUCT_OFFSET (struct iovec, iov_base));
G_STATIC_ASSERT (G_STRUCT_OFFSET (GOutputVector, size) ==
                 G_STRUCT_OFFSET (struct iovec, iov_len));

static gssize
result_of_errno (void)
{
  return errno == EAGAIN || errno == EWOULDBLOCK ? MALT_SOCKET_LATER : MALT_SOCKET_BROKEN;
}

gssize
malt_socket_receive (int fd, gpointer data, gsize n_bytes)
{
  ssize_t n;

  do
    n = recv (fd, data, n_bytes, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n >= 0 ? n : result_of_errno ();
}

gssize
malt_socket_send (int fd, const GOutputVector *segments, guint n_segments)
{
  struct msghdr message = { .msg_iov = (struct iovec *) segments,
                            .msg_iovlen = n_segments };
  ssize_t n;

  do
    n = sendmsg (fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n >= 0 ? n : result_of_errno ();
}

gboolean
malt_socket_has_input (int fd)
{
  char byte;

  return recv (fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void
malt_socket_set_low_water (int fd, gsize n_bytes)
{
  int mark = (int) n_bytes;
  setsockopt (fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark);
}

void
malt_socket_set_no_delay (int fd)
{
  int on = 1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

gboolean
malt_socket_set_nonblocking (int fd, GError **error)
{
  return g_unix_set_fd_nonblocking (fd, TRUE, error);
}

void
malt_socket_end (int fd)
{
  shutdown (fd, SHUT_RDWR);
}

void
malt_socket_close (int fd)
{
  close (fd);
}

int
malt_socket_listen (int backlog, guint *out_port, GError **error)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t n = sizeof address;
  int fd = malt_descriptor_raise (
      socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (fd, backlog) < 0 || getsockname (fd, (struct sockaddr *) &address, &n) < 0)
    {
      malt_error_set_by_errno (error, MALT_ERROR_LAUNCH_FAILED,
                               "cannot listen: loopback TCP");
      if (fd >= 0)
        close (fd);
      return -1;
    }
  *out_port = ntohs (address.sin_port);
  return fd;
}

int
malt_socket_accept (int fd, gboolean *out_is_short)
{
  int connection =
      malt_descriptor_raise (accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));

  *out_is_short = connection < 0 && (errno == EMFILE || errno == ENFILE ||
                                     errno == ENOBUFS || errno == ENOMEM);
  return connection;
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

GSource *
malt_socket_source_new (int fd)
{
  GSource *source = g_source_new (&source_funcs, sizeof (GSource));

  g_source_set_static_name (source, "malt: socket");
  g_source_add_unix_fd (source, fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  return source;
}
