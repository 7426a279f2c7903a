/* SPDX-License-Identifier: MIT */
/* The sockets of a runtime that a test plays. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A connected pair, which waits and is not inherited. */
gboolean link_peer_socket_pair (int fds[2]);

/* Is there something to be read, or the end, within the time? */
gboolean link_peer_socket_wait (int fd, guint timeout_ms);

/* Both wait. 0 or less: the end. */
gssize link_peer_socket_read (int fd, gpointer bytes, gsize n_bytes);
gssize link_peer_socket_write (int fd, gconstpointer bytes, gsize n_bytes);

/* The number of this thread, by which the system says how long it has run; 0: it does not. */
gint64 link_peer_socket_get_thread (void);

G_END_DECLS
