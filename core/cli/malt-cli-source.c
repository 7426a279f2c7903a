/* SPDX-License-Identifier: MIT */
/* Julia text that does what julia does with its command line, for workers that cannot have
 * Julia do it. */
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

static void
add_call (GPtrArray *calls, const char *source)
{
  MaltCall *call = malt_call_new_eval (NULL, source);

  malt_call_set_result_mode (call, MALT_RESULT_DISCARD);
  g_ptr_array_add (calls, call);
}

/* ARGS, and PROGRAM_FILE: @file, or nothing. */
void
malt_cli_add_arguments (GPtrArray *calls, const char *file, char **arguments)
{
  g_autoptr (GString) source =
      g_string_new ("empty!(Base.ARGS); append!(Base.ARGS, String[");

  for (char **argument = arguments; argument && *argument; argument++)
    {
      append_literal (source, *argument);
      g_string_append (source, ", ");
    }
  g_string_append (source, "]); Core.eval(Base, :(PROGRAM_FILE = ");
  append_literal (source, file);
  g_string_append (source, "))");
  add_call (calls, source->str);
}

/* A text in place of a file of that name. */
void
malt_cli_add_text (GPtrArray *calls, const char *text, const char *name)
{
  g_autoptr (GString) source = g_string_new ("Base.include_string(Main, ");

  append_literal (source, text);
  g_string_append (source, ", ");
  append_literal (source, name);
  g_string_append (source, ")");
  add_call (calls, source->str);
}

static void
add_around (GPtrArray *calls, const char *before, const char *text, const char *after)
{
  g_autoptr (GString) source = g_string_new (before);

  append_literal (source, text);
  g_string_append (source, after);
  add_call (calls, source->str);
}

/* @commands: see MaltCliOptions. */
void
malt_cli_add_commands (GPtrArray *calls, char **commands)
{
  for (char **command = commands; command && *command; command++)
    {
      const char *text = strchr (*command, '=') + 1;

      if (g_str_has_prefix (*command, "--eval="))
        add_call (calls, text);
      else if (g_str_has_prefix (*command, "--load="))
        add_around (calls, "Base.include(Main, abspath(", text, "))");
      else
        add_around (calls,
                    "Base.invokelatest(Base.show, Core.eval(Main, Base.parse_input_line(",
                    text, "))); Base.println()");
    }
}
