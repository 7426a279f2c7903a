/* SPDX-License-Identifier: MIT */
/*
 * Two ways of waiting for one socket: a source for the I/O thread, and a blocking wait
 * for a thread that reads for itself. This header is the same everywhere; each platform
 * has one file that implements it.
 *
 * The source is deaf to what it is told not to be interested in, and telling it so wakes
 * nobody: that is what lets a blocking caller read its answer without the I/O thread
 * taking part.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MaltSocketPoller MaltSocketPoller;

typedef enum
{
  MALT_SOCKET_POLL_NONE = 0,
  MALT_SOCKET_POLL_READ = 1 << 0,
  MALT_SOCKET_POLL_WRITE = 1 << 1,
} MaltSocketPoll;

MaltSocketPoller *malt_socket_poller_new (GError **error);
void malt_socket_poller_free (MaltSocketPoller *poller);

/* The socket; -1: none any more. The poller does not own it. */
gboolean malt_socket_poller_set_fd (MaltSocketPoller *poller, int fd, GError **error);

/* What the source listens to. The end of the stream may be reported whatever it is.
 * Callers see to it that only one of them is here. */
void malt_socket_poller_set_interest (MaltSocketPoller *poller, MaltSocketPoll interest);

/* A source dispatched with a GSourceFunc when the socket is ready for what is of interest. */
GSource *malt_socket_poller_source_new (MaltSocketPoller *poller);

/* What it is ready for, now. */
MaltSocketPoll malt_socket_poller_get_ready (MaltSocketPoller *poller);

/* Waits until the socket is readable, malt_socket_poller_wake() was called, or
 * @deadline_us (g_get_monotonic_time(), -1: none) has passed. One thread at a time. */
void malt_socket_poller_wait (MaltSocketPoller *poller, gint64 deadline_us);

/* The socket has been ended from here (malt_socket_end()): who waits finds the end. */
void malt_socket_poller_end (MaltSocketPoller *poller);

/* Ends the wait that is under way, or the next one. From any thread. */
void malt_socket_poller_wake (MaltSocketPoller *poller);

G_END_DECLS
