/* SPDX-License-Identifier: MIT */
/*
 * The port on which a worker connects back.
 *
 * Anybody on the machine can connect, so a connection is nobody until it has sent the 32
 * bytes that only the worker was told, by a way that nobody else can read, such as its
 * standard input. Connections that say something else are closed. Those that say nothing
 * cost nothing: all are read at once, and when there are more than MAX_STRANGERS the
 * oldest goes. None has a deadline: the worker speaks as soon as it is connected, but on
 * a loaded machine that may be seconds later. Only the worker is told the host's own
 * secret. As soon as it has proved itself the port and all other connections are closed.
 *
 * Everything runs in the I/O thread.
 */
#include "link/malt-link-listener.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "platform/malt-socket.h"

#include <malt/malt-error.h>

enum
{
  SECRET_BYTES = 32,
  /* room for a crowd while this thread waits for a processor: who finds none tries again
   * after a second */
  BACKLOG = 1024,
  MAX_STRANGERS = 64,
  REST_MS = 100, /* while the host has no descriptor to accept with */
  MAX_RESTS = 30 /* on end: then it is given up */
};

typedef struct
{
  MaltLinkListener *listener; /* (unowned) */
  int fd; /* (owned) */
  GSource *source; /* (owned) */
  guint8 bytes[SECRET_BYTES];
  gsize n_bytes;
} Stranger;

struct _MaltLinkListener
{
  int fd; /* (owned) */
  guint port;
  guint8 secrets[2 * SECRET_BYTES]; /* the worker's, then the host's */
  GSource *source; /* (owned) (nullable) */
  guint n_rests; /* on end */
  GQueue strangers; /* of Stranger (owned), oldest first */
  MaltLinkConnected connected;
  gpointer user_data; /* (unowned) */
};

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
  if (stranger->fd >= 0)
    malt_socket_close (stranger->fd);
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
    malt_socket_close (listener->fd);
  listener->fd = -1;
  g_queue_clear_full (&listener->strangers, stranger_free);
}

/* The worker has proved itself: now the host does. */
static void
accept_worker (Stranger *stranger)
{
  MaltLinkListener *listener = stranger->listener;
  GOutputVector proof = { listener->secrets + SECRET_BYTES, SECRET_BYTES };
  int fd = stranger->fd;

  if (malt_socket_send (fd, &proof, 1) != SECRET_BYTES)
    {
      drop_stranger (stranger);
      return;
    }
  stranger->fd = -1;
  malt_socket_set_no_delay (fd);
  close_port (listener);
  listener->connected (fd, NULL, listener->user_data);
}

static gboolean
on_stranger_ready (gpointer data)
{
  Stranger *stranger = data;
  gssize n = malt_socket_receive (stranger->fd, stranger->bytes + stranger->n_bytes,
                                  SECRET_BYTES - stranger->n_bytes);

  if (n == MALT_SOCKET_LATER)
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

static void
add_stranger (MaltLinkListener *listener, int connection)
{
  Stranger *stranger = g_new0 (Stranger, 1);

  if (listener->strangers.length >= MAX_STRANGERS)
    drop_stranger (g_queue_peek_head (&listener->strangers));
  stranger->listener = listener;
  stranger->fd = connection;
  stranger->source = malt_socket_source_new (connection);
  /* Whoever has spoken is heard before others are let in and may push it out. */
  g_source_set_priority (stranger->source, G_PRIORITY_HIGH);
  attach (stranger->source, on_stranger_ready, stranger);
  g_queue_push_tail (&listener->strangers, stranger);
}

static gboolean on_connection (gpointer data);

static void
watch_port (MaltLinkListener *listener)
{
  destroy_source (&listener->source);
  listener->source =
      attach (malt_socket_source_new (listener->fd), on_connection, listener);
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
  if (++listener->n_rests > MAX_RESTS)
    {
      close_port (listener);
      listener->connected (
          -1,
          g_error_new_literal (MALT_ERROR, MALT_ERROR_RESOURCES,
                               "no descriptor is left for the worker's connection"),
          listener->user_data);
      return;
    }
  destroy_source (&listener->source);
  listener->source = attach (g_timeout_source_new (REST_MS), on_rested, listener);
}

/* One at a time: whoever has spoken is heard before the next is let in. And Wine 8 tells
 * of no connection any more once it has told of one that was accepted before, which
 * happens to those who accept more than what they were told of. */
static gboolean
on_connection (gpointer data)
{
  MaltLinkListener *listener = data;
  gboolean is_short;
  int connection = malt_socket_accept (listener->fd, &is_short);

  if (connection >= 0)
    {
      listener->n_rests = 0;
      add_stranger (listener, connection);
    }
  else if (is_short)
    rest (listener);
  return G_SOURCE_CONTINUE;
}

MaltLinkListener *
malt_link_listener_new (GError **error)
{
  MaltLinkListener *listener = g_new0 (MaltLinkListener, 1);

  g_queue_init (&listener->strangers);
  listener->fd = malt_socket_listen (BACKLOG, &listener->port, error);
  if (listener->fd < 0 ||
      !malt_platform_fill_secret (listener->secrets, sizeof listener->secrets, error))
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
  malt_platform_erase_secret (listener->secrets, sizeof listener->secrets);
  g_free (listener);
}
