/* SPDX-License-Identifier: MIT */
/*
 * The command on Windows. Events of its console stand for signals: Ctrl-C for SIGINT; the closing of the window, logging off and shutting down for SIGHUP, after
 * which the system ends the command within seconds; Ctrl-Break for SIGTERM.
 */
#include "malt-cli-host.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <windows.h>

typedef struct
{
  GSource source;
  int signum;
} SignalSource;

static struct
{
  GMutex lock; /* guards the rest */
  gboolean is_watching;
  guint is_pending[MALT_CLI_SIGTERM + 1];
} signals;

static UINT code_page; /* of the console, before the command */

static void
restore_code_page (void)
{
  SetConsoleOutputCP (code_page);
}

char **
malt_cli_host_begin (int *argc, char **argv)
{
  static char **arguments; /* (owned): for the life of the program */

  (void) argv;
  /* What is printed are bytes: no line end becomes two characters. */
  _setmode (MALT_CLI_STDOUT, _O_BINARY);
  _setmode (MALT_CLI_STDERR, _O_BINARY);
  /* The console is the user's, and stays. */
  code_page = GetConsoleOutputCP ();
  if (code_page != 0 && SetConsoleOutputCP (CP_UTF8))
    atexit (restore_code_page);
  arguments = g_win32_get_command_line ();
  *argc = (int) g_strv_length (arguments);
  return arguments;
}

gboolean
malt_cli_host_is_terminal (int descriptor)
{
  return _isatty (descriptor) != 0;
}

gboolean
malt_cli_host_get_size (guint *out_rows, guint *out_columns)
{
  CONSOLE_SCREEN_BUFFER_INFO info;

  if (!GetConsoleScreenBufferInfo (GetStdHandle (STD_OUTPUT_HANDLE), &info))
    return FALSE;
  *out_rows = (guint) (info.srWindow.Bottom - info.srWindow.Top + 1);
  *out_columns = (guint) (info.srWindow.Right - info.srWindow.Left + 1);
  return TRUE;
}

/* Signals */

/* In a thread of the system. */
static BOOL WINAPI
on_console_event (DWORD event)
{
  int signum = event == CTRL_C_EVENT       ? MALT_CLI_SIGINT
               : event == CTRL_BREAK_EVENT ? MALT_CLI_SIGTERM
                                           : MALT_CLI_SIGHUP;

  g_mutex_lock (&signals.lock);
  signals.is_pending[signum]++;
  g_mutex_unlock (&signals.lock);
  g_main_context_wakeup (NULL);
  /* The system ends the command as soon as it hears that such an event was dealt with. */
  if (signum == MALT_CLI_SIGHUP)
    Sleep (INFINITE);
  return TRUE;
}

static gboolean
is_pending (GSource *source)
{
  gboolean is;

  g_mutex_lock (&signals.lock);
  is = signals.is_pending[((SignalSource *) source)->signum] > 0;
  g_mutex_unlock (&signals.lock);
  return is;
}

static gboolean
prepare (GSource *source, int *timeout_ms)
{
  *timeout_ms = -1;
  return is_pending (source);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_mutex_lock (&signals.lock);
  signals.is_pending[((SignalSource *) source)->signum]--;
  g_mutex_unlock (&signals.lock);
  return callback (user_data);
}

static GSourceFuncs signal_funcs = { .prepare = prepare,
                                     .check = is_pending,
                                     .dispatch = dispatch };

guint
malt_cli_host_add_signal (int signum, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_source_new (&signal_funcs, sizeof (SignalSource));
  guint id;

  ((SignalSource *) source)->signum = signum;
  g_mutex_lock (&signals.lock);
  if (!signals.is_watching)
    SetConsoleCtrlHandler (on_console_event, TRUE);
  signals.is_watching = TRUE;
  g_mutex_unlock (&signals.lock);
  g_source_set_callback (source, func, user_data, NULL);
  id = g_source_attach (source, NULL);
  g_source_unref (source);
  return id;
}

/* A worker is told the secrets of its connection by its standard input. */
gboolean
malt_cli_host_shares_stdin (void)
{
  return FALSE;
}

/* A worker in the command's own group gets Ctrl-C itself; which one that is the system does not say. */
gboolean
malt_cli_host_shares_terminal (G_GNUC_UNUSED gint64 pid)
{
  return FALSE;
}

gssize
malt_cli_host_write (int descriptor, const char *text, gsize n_bytes)
{
  HANDLE handle =
      GetStdHandle (descriptor == MALT_CLI_STDERR ? STD_ERROR_HANDLE : STD_OUTPUT_HANDLE);
  DWORD n_written;

  if (WriteFile (handle, text, (DWORD) MIN (n_bytes, G_MAXINT), &n_written, NULL))
    return (gssize) n_written;
  errno = GetLastError () == ERROR_BROKEN_PIPE || GetLastError () == ERROR_NO_DATA ? EPIPE
                                                                                   : EIO;
  return -1;
}
