/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets on Windows. Programs that are launched get no socket
 * (MaltProcessLauncher names what they get), and programs that others launch get none of
 * ours, which are not inheritable.
 */
#include "platform/malt-socket.h"

#include "platform/windows/malt-handle.h"

#include <gio/gnetworking.h>
#include <malt/malt-error.h>

/* What is sent at once, at most. The system takes all that it is offered, however much,
 * into memory that it cannot page out, or fails for want of that. */
#define MAX_SEND_BYTES ((gsize) 1024 * 1024)

static gssize
result_of_error (void)
{
  return WSAGetLastError () == WSAEWOULDBLOCK ? MALT_SOCKET_LATER : MALT_SOCKET_BROKEN;
}

gssize
malt_socket_receive (int fd, gpointer data, gsize n_bytes)
{
  int n = recv ((SOCKET) fd, data, (int) MIN (n_bytes, G_MAXINT), 0);

  return n >= 0 ? n : result_of_error ();
}

gssize
malt_socket_send (int fd, const GOutputVector *segments, guint n_segments)
{
  WSABUF buffers[MALT_SOCKET_MAX_SEGMENTS];
  gsize n_left = MAX_SEND_BYTES;
  DWORD n_buffers = 0;
  DWORD n_sent;

  while (n_buffers < MIN (n_segments, MALT_SOCKET_MAX_SEGMENTS) && n_left > 0)
    {
      gsize n_bytes = MIN (segments[n_buffers].size, n_left);

      buffers[n_buffers].buf = (char *) segments[n_buffers].buffer;
      buffers[n_buffers].len = (ULONG) n_bytes;
      n_left -= n_bytes;
      n_buffers++;
    }
  if (WSASend ((SOCKET) fd, buffers, n_buffers, &n_sent, 0, NULL, NULL) == 0)
    return (gssize) n_sent;
  return result_of_error ();
}

gboolean
malt_socket_has_input (int fd)
{
  char byte;

  return recv ((SOCKET) fd, &byte, 1, MSG_PEEK) >= 0;
}

/* The system has no such mark. */
void
malt_socket_set_low_water (G_GNUC_UNUSED int fd, G_GNUC_UNUSED gsize n_bytes)
{
}

void
malt_socket_set_no_delay (int fd)
{
  BOOL on = TRUE;
  setsockopt ((SOCKET) fd, IPPROTO_TCP, TCP_NODELAY, (const char *) &on, sizeof on);
}

gboolean
malt_socket_set_nonblocking (int fd, GError **error)
{
  u_long on = 1;

  return ioctlsocket ((SOCKET) fd, (long) FIONBIO, &on) == 0 ||
         malt_handle_set_error (error, "cannot use the connection",
                                (DWORD) WSAGetLastError ());
}

void
malt_socket_end (int fd)
{
  shutdown ((SOCKET) fd, SD_BOTH);
}

void
malt_socket_close (int fd)
{
  closesocket ((SOCKET) fd);
}

int
malt_socket_listen (int backlog, guint *out_port, GError **error)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int n = sizeof address;
  BOOL on = TRUE;
  SOCKET fd;

  g_networking_init ();
  fd = WSASocketW (AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  /* Otherwise another program could take the port over. */
  if (fd == INVALID_SOCKET ||
      setsockopt (fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *) &on, sizeof on) !=
          0 ||
      bind (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      listen (fd, backlog) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &n) != 0 ||
      !malt_socket_set_nonblocking ((int) fd, NULL))
    {
      malt_handle_set_error (error, "cannot listen: loopback TCP",
                             (DWORD) WSAGetLastError ());
      if (fd != INVALID_SOCKET)
        closesocket (fd);
      return -1;
    }
  *out_port = ntohs (address.sin_port);
  return (int) fd;
}

int
malt_socket_accept (int fd, gboolean *out_is_short)
{
  SOCKET connection = accept ((SOCKET) fd, NULL, NULL);
  int code = WSAGetLastError ();

  *out_is_short =
      connection == INVALID_SOCKET && (code == WSAEMFILE || code == WSAENOBUFS);
  if (connection == INVALID_SOCKET)
    return -1;
  SetHandleInformation ((HANDLE) connection, HANDLE_FLAG_INHERIT, 0);
  malt_socket_set_nonblocking ((int) connection, NULL);
  return (int) connection;
}

/* The source: an event that the socket sets. A socket has one such event at a time: the
 * one that was asked for last. */

typedef struct
{
  GSource source;
  GPollFD poll;
  int fd; /* (unowned) */
} SocketSource;

static gboolean
check (GSource *source)
{
  return (((SocketSource *) source)->poll.revents & G_IO_IN) != 0;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  SocketSource *socket_source = (SocketSource *) source;
  WSANETWORKEVENTS events;

  /* What is read or accepted now sets the event again if there is more. */
  WSAEnumNetworkEvents ((SOCKET) socket_source->fd,
                        (HANDLE) (gintptr) socket_source->poll.fd, &events);
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  CloseHandle ((HANDLE) (gintptr) ((SocketSource *) source)->poll.fd);
}

static GSourceFuncs source_funcs = { .check = check,
                                     .dispatch = dispatch,
                                     .finalize = finalize };

GSource *
malt_socket_source_new (int fd)
{
  GSource *source = g_source_new (&source_funcs, sizeof (SocketSource));
  SocketSource *socket_source = (SocketSource *) source;
  HANDLE event = CreateEventW (NULL, TRUE, FALSE, NULL);

  WSAEventSelect ((SOCKET) fd, event, FD_READ | FD_ACCEPT | FD_CLOSE);
  socket_source->fd = fd;
  socket_source->poll.fd = (gintptr) event;
  socket_source->poll.events = G_IO_IN;
  g_source_set_static_name (source, "malt: socket");
  g_source_add_poll (source, &socket_source->poll);
  return source;
}

/* A process can inherit a socket, but Julia can do nothing with it. */

static gboolean
refuse_pair (const char *what, GError **error)
{
  g_set_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
               "a worker cannot inherit a %s on this system: 'tcp-connect' is the "
               "transport that works",
               what);
  return FALSE;
}

gboolean
malt_socket_open_tcp_pair (G_GNUC_UNUSED int fds[2], GError **error)
{
  return refuse_pair ("connection", error);
}

gboolean
malt_socket_open_local_pair (G_GNUC_UNUSED int fds[2], GError **error)
{
  return refuse_pair ("local socket", error);
}
