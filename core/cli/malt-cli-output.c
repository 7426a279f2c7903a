/* SPDX-License-Identifier: MIT */
/* What the command itself writes: the value of an evaluation, and errors. What evaluated code prints goes past it. */
#include "malt-cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum
{
  PLAIN_ROWS = 24,
  PLAIN_COLUMNS = 80,
};

static gboolean
is_colored (int descriptor)
{
  const char *no_color = g_getenv ("NO_COLOR");

  return isatty (descriptor) && (!no_color || no_color[0] == '\0');
}

/* Asks for the value as the REPL would show it on this standard output. */
void
malt_cli_set_display (MaltCall *call)
{
  struct winsize size = { 0 };
  gboolean is_sized = isatty (STDOUT_FILENO) &&
                      ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
                      size.ws_col > 0;

  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  malt_call_set_display_size (call, is_sized ? size.ws_row : PLAIN_ROWS,
                              is_sized ? size.ws_col : PLAIN_COLUMNS);
  malt_call_set_display_color (call, is_colored (STDOUT_FILENO));
}

/* What failed to reach standard output. A reader that has gone away is no error of this program, but the end of its work. */
static int
report_lost_output (int error_number)
{
  if (error_number == EPIPE)
    return MALT_CLI_SIGNAL_BASE + SIGPIPE;
  fprintf (stderr, "malt: cannot write to standard output: %s\n",
           g_strerror (error_number));
  return MALT_CLI_EXCEPTION;
}

/* Prints what the REPL would print: a String holds it, `nothing` stands for no text. Returns the exit status. */
int
malt_cli_print_display (MaltValue *value)
{
  const char *text;
  gsize n_bytes;

  if (malt_value_get_kind (value) != MALT_VALUE_STRING)
    return MALT_CLI_OK;
  text = malt_value_get_string (value, &n_bytes);
  if (fwrite (text, 1, n_bytes, stdout) == n_bytes && fputc ('\n', stdout) != EOF &&
      fflush (stdout) == 0)
    return MALT_CLI_OK;
  return report_lost_output (errno);
}

/* Writes out what is still in memory. Returns @status, or what tells of a failure if it tells of success. */
int
malt_cli_close_output (int status)
{
  if (fflush (stdout) == 0 || status != MALT_CLI_OK)
    return status;
  return report_lost_output (errno);
}

static int
print_exception (const GError *error)
{
  const char *backtrace = malt_error_get_backtrace (error);
  gboolean is_color = is_colored (STDERR_FILENO);

  fprintf (stderr, "%sERROR: %s%s\n", is_color ? "\033[91m\033[1m" : "",
           is_color ? "\033[22m\033[39m" : "", malt_error_get_exception_message (error));
  if (backtrace && backtrace[0] != '\0')
    fprintf (stderr, "%s\n", backtrace);
  return MALT_CLI_EXCEPTION;
}

static int
print_termination (const GError *error, gboolean is_stderr_forwarded)
{
  MaltTermination *termination = malt_error_get_termination (error);
  const char *lines = termination ? malt_termination_get_stderr (termination) : NULL;

  if (termination && malt_termination_get_reason (termination) == MALT_TERMINATION_EXITED)
    return malt_termination_get_exit_status (termination);

  fprintf (stderr, "malt: %s\n", error->message);
  if (!is_stderr_forwarded && lines && lines[0] != '\0')
    fprintf (stderr, "%s%s", lines, g_str_has_suffix (lines, "\n") ? "" : "\n");
  return MALT_CLI_WORKER;
}

/* Says on standard error what went wrong and returns the exit status that belongs to it. exit() in evaluated code is not worth a word. */
int
malt_cli_print_error (const GError *error, gboolean is_stderr_forwarded)
{
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION))
    return print_exception (error);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    return print_termination (error, is_stderr_forwarded);
  fprintf (stderr, "malt: %s\n", error->message);
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT)
             ? MALT_CLI_USAGE
             : MALT_CLI_WORKER;
}
