/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets, by the numbers that the system has for them. This header is the same
 * everywhere; each platform has one file that implements it.
 *
 * The number is an int, as GSocket has it: where sockets are handles, these are small
 * enough. No program that is launched later has a socket that was opened here.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What is returned in place of a number of bytes. */
enum
{
  MALT_SOCKET_LATER = -1, /* nothing can be done without waiting */
  MALT_SOCKET_BROKEN = -2,
};

/* Segments of a message that are sent at once, at most. */
#define MALT_SOCKET_MAX_SEGMENTS 64

/* What is there, at most @n_bytes, without waiting. 0: the peer has ended the stream. */
gssize malt_socket_receive (int fd, gpointer data, gsize n_bytes);

/* Sends as much as there is room for, without waiting. */
gssize malt_socket_send (int fd, const GOutputVector *segments, guint n_segments);

/* Is there something to be received, or the end? */
gboolean malt_socket_has_input (int fd);

/* From now on the socket counts as readable once so many bytes are there, where the
 * system can do that. */
void malt_socket_set_low_water (int fd, gsize n_bytes);

void malt_socket_set_no_delay (int fd);
gboolean malt_socket_set_nonblocking (int fd, GError **error);

/* Ends both directions; who waits for the socket finds the end. */
void malt_socket_end (int fd);
void malt_socket_close (int fd);

/* A port of its own on the loopback interface, on which the next function does not wait.
 * -1: LAUNCH_FAILED. */
int malt_socket_listen (int backlog, guint *out_port, GError **error);

/* A connection, on which nothing waits; -1: there is none. @out_is_short: because the
 * host has no means left for it. */
int malt_socket_accept (int fd, gboolean *out_is_short);

/* A source that is dispatched, with a GSourceFunc, while there is something to be
 * received or accepted. It may outlive the socket. */
GSource *malt_socket_source_new (int fd);

/* What a child can inherit as its end of a connection: a connected pair, which waits.
 * NOT_SUPPORTED where the launcher cannot hand on a socket. */
gboolean malt_socket_open_tcp_pair (int fds[2], GError **error);
gboolean malt_socket_open_local_pair (int fds[2], GError **error);

G_END_DECLS
