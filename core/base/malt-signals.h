/* SPDX-License-Identifier: MIT */
/* Signals by number. Where the system has none, these stand for what a launcher does in
 * their place. */
#pragma once

#include <glib.h>
#include <signal.h>

G_BEGIN_DECLS

#ifndef SIGKILL
#define SIGKILL 9
#endif

#ifndef NSIG
#define NSIG 65
#endif

/* "SIGABRT" of 6; "signal 99" of a number without a name. (transfer full) */
char *malt_signal_dup_name (int signum);

G_END_DECLS
