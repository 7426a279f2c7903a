/* SPDX-License-Identifier: MIT */
/* Connected pairs of sockets, of which the worker inherits one end. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Both ends of a connection that nobody else can have: fds[0] is the host's, fds[1] the worker's. */
gboolean malt_process_open_tcp_pair (int fds[2], GError **error);
gboolean malt_process_open_socketpair (int fds[2], GError **error);

G_END_DECLS
