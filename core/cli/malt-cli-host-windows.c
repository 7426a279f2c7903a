/* SPDX-License-Identifier: MIT */
/* The command on Windows. Events of its console stand for signals: Ctrl-C for SIGINT;
 * Ctrl-Break for SIGTERM; the closing of the window, logging off and shutting down for
 * SIGHUP. After these the system ends the command within seconds, or as soon as their
 * handler returns (Microsoft, "HandlerRoutine callback function"). */
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
  MaltCliSignalFunc func;
} SignalSource;

static struct
{
  GMutex lock; /* guards the rest */
  guint is_pending[MALT_CLI_SIGTERM + 1];
} signals;

/* The console, as it was before: it is not this command's alone. */
static struct
{
  UINT code_page; /* 0: none */
  DWORD modes[MALT_CLI_STDERR + 1]; /* by descriptor; 0: left as it was */
} console;

static HANDLE
get_handle (int descriptor)
{
  static const DWORD names[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };

  return GetStdHandle (names[descriptor]);
}

static void
restore_console (void)
{
  for (int descriptor = MALT_CLI_STDOUT; descriptor <= MALT_CLI_STDERR; descriptor++)
    if (console.modes[descriptor] != 0)
      SetConsoleMode (get_handle (descriptor), console.modes[descriptor]);
  if (console.code_page != 0)
    SetConsoleOutputCP (console.code_page);
}

char **
malt_cli_host_begin (int *argc, char **argv)
{
  static char **arguments; /* (owned): for the life of the program */

  (void) argv;
  /* What is printed are bytes: no line end becomes two characters. */
  _setmode (MALT_CLI_STDOUT, _O_BINARY);
  _setmode (MALT_CLI_STDERR, _O_BINARY);
  console.code_page = GetConsoleOutputCP ();
  atexit (restore_console);
  SetConsoleOutputCP (CP_UTF8);
  arguments = g_win32_get_command_line ();
  *argc = (int) g_strv_length (arguments);
  return arguments;
}

/* The null device is none, which isatty() says is one. */
gboolean
malt_cli_host_is_terminal (int descriptor)
{
  DWORD mode;

  return GetConsoleMode (get_handle (descriptor), &mode);
}

gboolean
malt_cli_host_has_colors (int descriptor)
{
  HANDLE handle = get_handle (descriptor);
  DWORD mode;

  if (!GetConsoleMode (handle, &mode))
    return FALSE;
  if ((mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0)
    return TRUE;
  if (!SetConsoleMode (handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING))
    return FALSE;
  console.modes[descriptor] = mode;
  return TRUE;
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
  /* The time that is left is the main thread's. */
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
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, gpointer user_data)
{
  SignalSource *own = (SignalSource *) source;

  g_mutex_lock (&signals.lock);
  signals.is_pending[own->signum]--;
  g_mutex_unlock (&signals.lock);
  own->func (own->signum, MALT_CLI_SIGNAL_ALONE, user_data);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs signal_funcs = { .prepare = prepare,
                                     .check = is_pending,
                                     .dispatch = dispatch };

static void
watch_signal (int signum, MaltCliSignalFunc func, gpointer user_data)
{
  GSource *source = g_source_new (&signal_funcs, sizeof (SignalSource));

  ((SignalSource *) source)->signum = signum;
  ((SignalSource *) source)->func = func;
  g_source_set_callback (source, NULL, user_data, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
}

void
malt_cli_host_watch_signals (MaltCliSignalFunc func, G_GNUC_UNUSED gboolean has_all,
                             gpointer user_data)
{
  watch_signal (MALT_CLI_SIGINT, func, user_data);
  watch_signal (MALT_CLI_SIGTERM, func, user_data);
  watch_signal (MALT_CLI_SIGHUP, func, user_data);
  SetConsoleCtrlHandler (on_console_event, TRUE);
}

void
malt_cli_host_share_signals (G_GNUC_UNUSED gint64 pid)
{
}

gboolean
malt_cli_host_has_resources (void)
{
  return TRUE;
}

/* None are inherited. */
void
malt_cli_host_hide_descriptors (void)
{
}

void
malt_cli_host_end (G_GNUC_UNUSED int signum)
{
}

/* A worker is told the secrets of its connection by its standard input. */
gboolean
malt_cli_host_shares_stdin (void)
{
  return FALSE;
}

/* A worker in the command's own group gets Ctrl-C itself; which one that is the system
 * does not say. */
gboolean
malt_cli_host_shares_terminal (G_GNUC_UNUSED gint64 pid)
{
  return FALSE;
}

gssize
malt_cli_host_write (int descriptor, const char *text, gsize n_bytes)
{
  DWORD n_written;

  if (WriteFile (get_handle (descriptor), text, (DWORD) MIN (n_bytes, G_MAXINT),
                 &n_written, NULL))
    return (gssize) n_written;
  errno = GetLastError () == ERROR_BROKEN_PIPE || GetLastError () == ERROR_NO_DATA ? EPIPE
                                                                                   : EIO;
  return -1;
}
