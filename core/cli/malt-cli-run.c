/* SPDX-License-Identifier: MIT */
/* malt run: runs a Julia program in a worker as `julia FILE ARGS` would. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <string.h>

/* Adds a Julia string literal whose value is exactly the bytes of @text, whatever they
 * are. */
static void
append_literal (GString *source, const char *text)
{
  g_string_append_c (source, '"');
  for (const char *byte = text; *byte != '\0'; byte++)
    if (g_ascii_isalnum (*byte) || strchr (" !%&'()*+,-./:;<=>?@[]^_{|}~", *byte))
      g_string_append_c (source, *byte);
    else
      g_string_append_printf (source, "\\x%02x", (guint) (guchar) *byte);
  g_string_append_c (source, '"');
}

/* What julia does before it runs a program: ARGS and PROGRAM_FILE. */
static char *
make_preparation (char **arguments)
{
  GString *source = g_string_new ("empty!(Base.ARGS); append!(Base.ARGS, String[");

  for (char **argument = arguments + 1; *argument; argument++)
    {
      append_literal (source, *argument);
      g_string_append (source, ", ");
    }
  g_string_append (source, "]); Core.eval(Base, :(PROGRAM_FILE = ");
  append_literal (source, arguments[0]);
  g_string_append (source, "))");
  return g_string_free (source, FALSE);
}

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

static char *
make_program (void)
{
  g_autofree char *text = read_stdin ();
  GString *source = g_string_new ("Base.include_string(Main, ");

  append_literal (source, text);
  g_string_append (source, ", \"stdin\")");
  return g_string_free (source, FALSE);
}

static void
add_call (GPtrArray *calls, char *source)
{
  MaltCall *call = malt_call_new_eval (NULL, source);

  malt_call_set_result_mode (call, MALT_RESULT_DISCARD);
  g_ptr_array_add (calls, call);
  g_free (source);
}

/* Where a worker cannot have the command's standard input, it gets the text instead. */
static void
add_program (GPtrArray *calls, char **arguments)
{
  if (strcmp (arguments[0], "-") != 0 || malt_cli_host_shares_stdin ())
    {
      g_ptr_array_add (calls, malt_call_new_program (
                                  arguments[0], (const char *const *) arguments + 1));
      return;
    }
  add_call (calls, make_preparation (arguments));
  add_call (calls, make_program ());
}

int
malt_cli_run (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (GPtrArray) calls = NULL;
  int status;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (!arguments[0])
    return malt_cli_usage_error ("run", "expected a file");

  config = malt_cli_options_make_config (
      &options, malt_cli_host_shares_stdin () ? "inherit" : NULL, &status);
  if (!config)
    return status;
  calls = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_call_unref);
  add_program (calls, arguments);
  return malt_cli_session_run (config, calls, &options, TRUE);
}
