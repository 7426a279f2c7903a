/* SPDX-License-Identifier: MIT */
/* malt run: runs a Julia program in a worker as `julia FILE ARGS` would, or `julia -e
 * EXPR ARGS`. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <string.h>

/* All of it. What stands behind a NUL byte is lost, which no program has. */
static char *
read_stdin (void)
{
  GString *text = g_string_new (NULL);
  char piece[4096];
  gsize n;

  while ((n = fread (piece, 1, sizeof piece, stdin)) > 0)
    g_string_append_len (text, piece, (gssize) n);
  return g_string_free (text, FALSE);
}

/* Where a worker cannot have the command's standard input, it gets the text instead. */
static void
add_program (GPtrArray *calls, const char *file, char **arguments)
{
  if (strcmp (file, "-") != 0 || malt_cli_host_shares_stdin ())
    {
      g_ptr_array_add (calls,
                       malt_call_new_program (file, (const char *const *) arguments));
      return;
    }
  g_autofree char *text = read_stdin ();

  malt_cli_add_arguments (calls, file, arguments);
  malt_cli_add_text (calls, text, "stdin");
}

/* What `--eval` and `--print` say is the program if one of them is there; a file to load
 * comes before it. Julia does it all itself where its program is on the root task, which
 * one from standard input is not. */
static void
add_calls (GPtrArray *calls, MaltConfig *config, const MaltCliOptions *options,
           gboolean has_file, char **arguments)
{
  char **commands = options->commands;
  const char *file = has_file ? arguments[0] : "";
  static const char *const none[] = { NULL };
  gboolean is_julias = strcmp (file, "-") != 0 &&
                       malt_cli_set_program_flags (
                           config, commands ? (const char *const *) commands : none);

  arguments += has_file;
  if (commands && !is_julias)
    {
      malt_cli_add_arguments (calls, file, arguments);
      malt_cli_add_commands (calls, commands);
    }
  if (has_file || is_julias)
    add_program (calls, file, arguments);
}

static gboolean
has_expression (const MaltCliOptions *options)
{
  for (char **command = options->commands; command && *command; command++)
    if (!g_str_has_prefix (*command, "--load="))
      return TRUE;
  return FALSE;
}

int
malt_cli_run (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (GPtrArray) calls = NULL;
  gboolean has_file;
  int status;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (options.is_interactive)
    return malt_cli_usage_error ("run",
                                 "'-i' needs a REPL, which malt does not have yet");
  has_file = !has_expression (&options);
  if (has_file && !arguments[0])
    {
      if (malt_cli_host_is_terminal (MALT_CLI_STDIN))
        return malt_cli_usage_error ("run", "expected a file");
      g_strfreev (arguments);
      arguments = g_strdupv ((char *[]){ "-", NULL });
    }

  config = malt_cli_options_make_config (&options, &status);
  if (!config)
    return status;
  calls = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_call_unref);
  add_calls (calls, config, &options, has_file, arguments);
  return malt_cli_session_run (config, calls, &options, TRUE);
}
