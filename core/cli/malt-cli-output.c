/* SPDX-License-Identifier: MIT */
/* What the command says: the value of an evaluation, errors, and that its output went
 * nowhere. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <errno.h>
#include <string.h>

enum
{
  PLAIN_ROWS = 24,
  PLAIN_COLUMNS = 80,
};

static gboolean
is_colored (int descriptor)
{
  const char *no_color = g_getenv ("NO_COLOR");

  return malt_cli_host_has_colors (descriptor) && (!no_color || no_color[0] == '\0');
}

/* Asks for the value as the REPL would show it on this standard output. */
void
malt_cli_set_display (MaltCall *call)
{
  guint n_rows = PLAIN_ROWS;
  guint n_columns = PLAIN_COLUMNS;

  malt_cli_host_get_size (&n_rows, &n_columns);
  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  malt_call_set_display_size (call, n_rows, n_columns);
  malt_call_set_display_color (call, is_colored (MALT_CLI_STDOUT));
}

/* What the REPL would print: a String holds it, `nothing` stands for no text. */
GBytes *
malt_cli_describe_display (MaltValue *value)
{
  g_autoptr (GByteArray) line = g_byte_array_new ();

  if (malt_value_get_kind (value) == MALT_VALUE_STRING)
    {
      gsize n_bytes;
      const char *text = malt_value_get_string (value, &n_bytes);

      g_byte_array_append (line, (const guint8 *) text, (guint) n_bytes);
      g_byte_array_append (line, (const guint8 *) "\n", 1);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&line));
}

/* The exit status of a command that could not write all of its output. A reader that
 * has gone away is no error of this program, but the end of its work. */
int
malt_cli_report_lost_output (int error_number)
{
  if (error_number == EPIPE)
    return MALT_CLI_SIGNAL_BASE + MALT_CLI_SIGPIPE;
  fprintf (stderr, "malt: cannot write to standard output: %s\n",
           g_strerror (error_number));
  return MALT_CLI_EXCEPTION;
}

/* Writes out what is still in memory. Returns @status, or what tells of a failure if
 * it tells of success. */
int
malt_cli_close_output (int status)
{
  if (fflush (stdout) == 0 || status != MALT_CLI_OK)
    return status;
  return malt_cli_report_lost_output (errno);
}

static char *
describe_exception (const GError *error)
{
  g_autofree char *text = malt_error_dup_exception_text (error);
  gboolean is_color = is_colored (MALT_CLI_STDERR);

  return g_strconcat (is_color ? "\033[91m\033[1m" : "",
                      "ERROR: ", is_color ? "\033[22m\033[39m" : "", text, "\n", NULL);
}

static char *
describe_termination (const GError *error, gboolean is_stderr_seen, int *out_status)
{
  MaltTermination *termination = malt_error_get_termination (error);
  const char *lines = termination ? malt_termination_get_stderr (termination) : NULL;

  if (termination && malt_termination_get_reason (termination) == MALT_TERMINATION_EXITED)
    {
      *out_status = malt_termination_get_exit_status (termination);
      return g_strdup ("");
    }
  *out_status = MALT_CLI_WORKER;
  if (is_stderr_seen || !lines || lines[0] == '\0')
    return g_strconcat ("malt: ", error->message, "\n", NULL);
  return g_strconcat ("malt: ", error->message, "\n", lines,
                      g_str_has_suffix (lines, "\n") ? "" : "\n", NULL);
}

/* What to say on standard error about a call that failed, and the exit status that
 * belongs to it. exit() in evaluated code is not worth a word. */
char *
malt_cli_describe_error (const GError *error, gboolean is_stderr_seen, int *out_status)
{
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION))
    {
      *out_status = MALT_CLI_EXCEPTION;
      return describe_exception (error);
    }
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    return describe_termination (error, is_stderr_seen, out_status);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT))
    *out_status = MALT_CLI_USAGE;
  else
    *out_status = MALT_CLI_WORKER;
  return g_strconcat ("malt: ", error->message, "\n", NULL);
}
