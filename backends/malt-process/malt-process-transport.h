/* SPDX-License-Identifier: MIT */
/* How host and worker get connected. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Both ends of a connection that nobody else can have: fds[0] is the host's, fds[1] the worker's. */
gboolean malt_process_open_tcp_pair (int fds[2], GError **error);
gboolean malt_process_open_socketpair (int fds[2], GError **error);

/* A port on which one worker connects back, and proves itself. */
typedef struct _MaltProcessListener MaltProcessListener;

/* Called once, in the I/O thread, with the worker's connection, which it takes over. */
typedef void (*MaltProcessConnected) (int fd, gpointer user_data);

MaltProcessListener *malt_process_listener_new (GError **error);
guint malt_process_listener_get_port (MaltProcessListener *listener);
/* What the worker must read on its standard input. */
GBytes *malt_process_listener_dup_secrets (MaltProcessListener *listener);
/* From here on connections are accepted. */
void malt_process_listener_start (MaltProcessListener *listener,
                                  MaltProcessConnected connected, gpointer user_data);
/* Closes everything. In the I/O thread, or before start. */
void malt_process_listener_free (MaltProcessListener *listener);

G_END_DECLS
