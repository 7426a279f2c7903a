/* SPDX-License-Identifier: MIT */
/* A port of the host on which one worker connects back, and proves itself. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _MaltLinkListener MaltLinkListener;

/* Called once, in the I/O thread, with the worker's connection, which it takes over; or
 * with the error RESOURCES (transfer full), and -1, if the host has had no descriptor for
 * it for some seconds. May free the listener. */
typedef void (*MaltLinkConnected) (int fd, GError *error, gpointer user_data);

/* Opens a port on the loopback interface. Nobody is accepted yet. Errors: LAUNCH_FAILED,
 * RESOURCES. */
MaltLinkListener *malt_link_listener_new (GError **error);
guint malt_link_listener_get_port (MaltLinkListener *listener);
/* What the worker must be told, and nobody else: 32 bytes that it sends first, then 32
 * that it must be answered with. */
GBytes *malt_link_listener_dup_secrets (MaltLinkListener *listener);
/* From here on connections are accepted. */
void malt_link_listener_start (MaltLinkListener *listener, MaltLinkConnected connected,
                               gpointer user_data);
/* Closes everything. In the I/O thread, or before start. */
void malt_link_listener_free (MaltLinkListener *listener);

G_END_DECLS
