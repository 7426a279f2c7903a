/* SPDX-License-Identifier: MIT */
/*
 * The port on which a worker connects back.
 *
 * Anybody on the machine can connect, so a connection is nobody until it has sent the 32 bytes that only the worker was told, by a way that nobody
 * else can read, such as its standard input. Connections that say nothing, or something else, cost nothing: all are read at once, each with a deadline; when there are
 * more than MAX_STRANGERS the oldest goes, since the worker speaks as soon as it is connected. Only the worker is told the host's own secret.
 * As soon as it has proved itself the port and all other connections are closed.
 *
 * Everything runs in the I/O thread.
 */
#include "link/malt-link-listener.h"

#include "link/malt-io-thread.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <malt/malt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum
{
  SECRET_BYTES = 32,
  BACKLOG =
      1024, /* room for a crowd while this thread waits for a processor: who finds none tries again after a second */
  MAX_STRANGERS = 64,
  STRANGER_DEADLINE_MS = 2000,
  REST_MS = 100 /* while the host has no descriptor to accept with */
};

typedef struct
{
  MaltLinkListener *listener; /* (unowned) */
  int fd; /* (owned) */
  GSource *source; /* (owned) */
  GSource *deadline; /* (owned) */
  guint8 bytes[SECRET_BYTES];
  gsize n_bytes;
} Stranger;

struct _MaltLinkListener
{
  int fd; /* (owned) */
  guint port;
  guint8 secrets[2 * SECRET_BYTES]; /* the worker's, then the host's */
  GSource *source; /* (owned) (nullable) */
  GQueue strangers; /* of Stranger (owned), oldest first */
  MaltLinkConnected connected;
  gpointer user_data; /* (unowned) */
};

static gboolean
set_errno_error (GError **error, const char *what)
{
  int saved_errno = errno;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "cannot listen: %s: %s", what,
               g_strerror (saved_errno));
  return FALSE;
}

static GSource *
attach (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_callback (source, callback, data, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  return source;
}

static void
destroy_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
stranger_free (gpointer data)
{
  Stranger *stranger = data;
  destroy_source (&stranger->source);
  destroy_source (&stranger->deadline);
  if (stranger->fd >= 0)
    close (stranger->fd);
  g_free (stranger);
}

static void
drop_stranger (Stranger *stranger)
{
  g_queue_remove (&stranger->listener->strangers, stranger);
  stranger_free (stranger);
}

/* Takes as long whatever the bytes are. */
static gboolean
is_equal_secret (const guint8 *a, const guint8 *b)
{
  volatile guint8 difference = 0;
  for (gsize i = 0; i < SECRET_BYTES; i++)
    difference = (guint8) (difference | (a[i] ^ b[i]));
  return difference == 0;
}

static void
close_port (MaltLinkListener *listener)
{
  destroy_source (&listener->source);
  if (listener->fd >= 0)
    close (listener->fd);
  listener->fd = -1;
  g_queue_clear_full (&listener->strangers, stranger_free);
}

/* The worker has proved itself: now the host does. */
static void
accept_worker (Stranger *stranger)
{
  MaltLinkListener *listener = stranger->listener;
  int fd = stranger->fd;
  int on = 1;

  if (send (fd, listener->secrets + SECRET_BYTES, SECRET_BYTES, MSG_NOSIGNAL) !=
      SECRET_BYTES)
    {
      drop_stranger (stranger);
      return;
    }
  stranger->fd = -1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close_port (listener);
  listener->connected (fd, listener->user_data);
}

static gboolean
on_stranger_ready (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition,
                   gpointer data)
{
  Stranger *stranger = data;
  ssize_t n = recv (stranger->fd, stranger->bytes + stranger->n_bytes,
                    SECRET_BYTES - stranger->n_bytes, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n > 0)
    stranger->n_bytes += (gsize) n;
  if (n > 0 && stranger->n_bytes < SECRET_BYTES)
    return G_SOURCE_CONTINUE;
  if (n > 0 && is_equal_secret (stranger->bytes, stranger->listener->secrets))
    accept_worker (stranger);
  else
    drop_stranger (stranger);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_stranger_deadline (gpointer data)
{
  drop_stranger (data);
  return G_SOURCE_CONTINUE;
}

static void
add_stranger (MaltLinkListener *listener, int connection)
{
  Stranger *stranger = g_new0 (Stranger, 1);

  if (listener->strangers.length >= MAX_STRANGERS)
    drop_stranger (g_queue_peek_head (&listener->strangers));
  stranger->listener = listener;
  stranger->fd = connection;
  stranger->source = g_unix_fd_source_new (connection, G_IO_IN | G_IO_HUP | G_IO_ERR);
  /* Whoever has spoken is heard before others are let in and may push it out. */
  g_source_set_priority (stranger->source, G_PRIORITY_HIGH);
  attach (stranger->source, G_SOURCE_FUNC (on_stranger_ready), stranger);
  stranger->deadline = attach (g_timeout_source_new (STRANGER_DEADLINE_MS),
                               on_stranger_deadline, stranger);
  g_queue_push_tail (&listener->strangers, stranger);
}

static gboolean on_connection (int fd, GIOCondition condition, gpointer data);

static void
watch_port (MaltLinkListener *listener)
{
  destroy_source (&listener->source);
  listener->source = g_unix_fd_source_new (listener->fd, G_IO_IN);
  attach (listener->source, G_SOURCE_FUNC (on_connection), listener);
}

static gboolean
on_rested (gpointer data)
{
  watch_port (data);
  return G_SOURCE_REMOVE;
}

/* The connection that could not be accepted stays, and would wake the source at once. */
static void
rest (MaltLinkListener *listener)
{
  destroy_source (&listener->source);
  listener->source = attach (g_timeout_source_new (REST_MS), on_rested, listener);
}

static gboolean
is_want_of_resources (int error_number)
{
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

static gboolean
on_connection (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  int connection;

  for (int i = 0; i < MAX_STRANGERS / 2; i++)
    {
      connection = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (connection < 0)
        {
          if (is_want_of_resources (errno))
            rest (data);
          break;
        }
      add_stranger (data, connection);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
open_port (MaltLinkListener *listener, GError **error)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t n = sizeof address;

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  listener->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener->fd < 0 ||
      bind (listener->fd, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (listener->fd, BACKLOG) < 0 ||
      getsockname (listener->fd, (struct sockaddr *) &address, &n) < 0)
    return set_errno_error (error, "loopback TCP");
  listener->port = ntohs (address.sin_port);
  if (getrandom (listener->secrets, sizeof listener->secrets, 0) !=
      (ssize_t) sizeof listener->secrets)
    return set_errno_error (error, "getrandom");
  return TRUE;
}

MaltLinkListener *
malt_link_listener_new (GError **error)
{
  MaltLinkListener *listener = g_new0 (MaltLinkListener, 1);

  listener->fd = -1;
  g_queue_init (&listener->strangers);
  if (!open_port (listener, error))
    g_clear_pointer (&listener, malt_link_listener_free);
  return listener;
}

guint
malt_link_listener_get_port (MaltLinkListener *listener)
{
  return listener->port;
}

GBytes *
malt_link_listener_dup_secrets (MaltLinkListener *listener)
{
  return g_bytes_new (listener->secrets, sizeof listener->secrets);
}

void
malt_link_listener_start (MaltLinkListener *listener, MaltLinkConnected connected,
                          gpointer user_data)
{
  listener->connected = connected;
  listener->user_data = user_data;
  watch_port (listener);
}

void
malt_link_listener_free (MaltLinkListener *listener)
{
  close_port (listener);
  explicit_bzero (listener->secrets, sizeof listener->secrets);
  g_free (listener);
}
