/* SPDX-License-Identifier: MIT */
/* What the command needs of the system it runs on. One file per platform. */
#pragma once

#include <glib.h>

/* Numbers of signals, which exit statuses are made of, on every system. */
enum
{
  MALT_CLI_SIGHUP = 1,
  MALT_CLI_SIGINT = 2,
  MALT_CLI_SIGQUIT = 3,
  MALT_CLI_SIGKILL = 9,
  MALT_CLI_SIGPIPE = 13,
  MALT_CLI_SIGTERM = 15,
};

enum
{
  MALT_CLI_STDIN = 0,
  MALT_CLI_STDOUT = 1,
  MALT_CLI_STDERR = 2,
};

/* First of all. A reader that goes away early is noticed as an error of writing from
 * then on. Returns the arguments in UTF-8 or as the system has them, and their number;
 * they live as long as the program. */
char **malt_cli_host_begin (int *argc, char **argv);

gboolean malt_cli_host_is_terminal (int descriptor);

/* Is it a terminal that takes the escape sequences of colors? */
gboolean malt_cli_host_has_colors (int descriptor);

/* Of the terminal that standard output is; FALSE: it is none. */
gboolean malt_cli_host_get_size (guint *out_rows, guint *out_columns);

/* Are there descriptors and threads for what GLib makes by itself? It ends the process
 * where there are none. FALSE, and errno: no. */
gboolean malt_cli_host_has_resources (void);

typedef enum
{
  MALT_CLI_SIGNAL_ALONE = 0, /* somebody has sent it to the command alone */
  MALT_CLI_SIGNAL_SHARED = 1 << 0, /* to all of the process group */
  MALT_CLI_SIGNAL_IGNORED = 1 << 1, /* the command was started with it ignored */
} MaltCliSignalFlags;

typedef void (*MaltCliSignalFunc) (int signum, MaltCliSignalFlags flags,
                                   gpointer user_data);

/* Calls @func in the main thread when the command gets one of the signals above, but
 * for those that the command was started with ignored. @has_all: also those that mean
 * nothing to the command itself. */
void malt_cli_host_watch_signals (MaltCliSignalFunc func, gboolean has_all,
                                  gpointer user_data);

/* A worker has been started, whose signals the command passes on. Those that were ignored
 * are watched, too: it has them ignored. From now on what the terminal has not sent comes
 * a tenth of a second later, and is SHARED if it was sent to the whole process group. If
 * the worker is a child in that group, the command stops when it does. */
void malt_cli_host_share_signals (gint64 pid);

/* Can a worker have the command's standard input? */
gboolean malt_cli_host_shares_stdin (void);

/* Before a process is launched that is to have what the command found open: of other
 * descriptors nothing but the standard streams may reach it. */
void malt_cli_host_hide_descriptors (void);

/* Last of all: standard streams are left as they were found. @signum: the signal to die
 * of, without a core file; 0: none. Returns if that cannot be. */
void malt_cli_host_end (int signum);

/* Does what the terminal sends to this command reach the process, too? */
gboolean malt_cli_host_shares_terminal (gint64 pid);

/* As write(): the number of bytes, or -1 and errno. Waits for room. */
gssize malt_cli_host_write (int descriptor, const char *text, gsize n_bytes);
