/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, however many a host has left to itself. */
#pragma once

#include <glib.h>
#include <poll.h>
#include <time.h>

G_BEGIN_DECLS

/* ppoll() without a signal mask, also for more descriptors than RLIMIT_NOFILE, which a
 * host may lower below the number that are open. @timeout (nullable): none. There the end
 * of a stream is told as POLLIN or POLLOUT. */
int malt_poll (struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout);

/* The same, in the form of GLib: for g_main_context_set_poll_func(). */
gint malt_poll_for_context (GPollFD *fds, guint n_fds, gint timeout_ms);

G_END_DECLS
