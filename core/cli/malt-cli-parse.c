/* SPDX-License-Identifier: MIT */
/* Reads the command line of a subcommand, by one table of options, as julia reads its
 * own: values in a word of their own or behind `=`, behind a letter at once. */
#include "malt-cli.h"

#include <string.h>

typedef enum
{
  FLAG, /* has no value */
  VALUE, /* the last one counts */
  LIST, /* each counts */
  COMMAND, /* each counts, in their order, with the name of the option */
} Kind;

typedef struct
{
  guint parse; /* MaltCliParseFlags: subcommands with one of these have it; 0: all */
  const char *name;
  char letter; /* '\0': none */
  Kind kind;
  gsize offset; /* in MaltCliOptions */
  const char *value; /* what it is, for the help text */
  const char *fallback; /* (nullable): stands for a value that is left out */
  const char *summary;
} Option;

#define FIELD(name) offsetof (MaltCliOptions, name)

static const Option all_options[] = {
  { 0, "help", 'h', FLAG, FIELD (is_help), NULL, NULL, "Show this text" },
  { MALT_CLI_PARSE_WORKER, "backend", 'b', VALUE, FIELD (backend), "NAME", NULL,
    "Evaluate with this backend (see malt backends)" },
  { MALT_CLI_PARSE_WORKER, "julia", 'j', VALUE, FIELD (julia), "PATH", NULL,
    "Use this julia, or +CHANNEL of juliaup" },
  { MALT_CLI_PARSE_WORKER, "option", 'o', LIST, FIELD (options), "KEY=VALUE", NULL,
    "Set an option of the worker; may be given again" },
  { MALT_CLI_PARSE_PROFILE, "profile", 'p', VALUE, FIELD (profile), "NAME", NULL,
    "Take this profile of the key files" },
  { MALT_CLI_PARSE_WORKER, "threads", 't', VALUE, FIELD (threads), "N", NULL,
    "Number of Julia threads, or auto" },
  { MALT_CLI_PARSE_WORKER, "project", '\0', VALUE, FIELD (project), "DIR", "@.",
    "Project environment; without a directory, that around the current one" },
  { MALT_CLI_PARSE_MODULE, "module", 'm', VALUE, FIELD (module), "MODULE", NULL,
    "Evaluate in this module instead of Main" },
  { MALT_CLI_PARSE_SESSION, "load", 'L', COMMAND, FIELD (commands), "FILE", NULL,
    "Run this file first; may be given again" },
  { MALT_CLI_PARSE_PROGRAM, "eval", 'e', COMMAND, FIELD (commands), "EXPR", NULL,
    "Evaluate this instead of a file; may be given again" },
  { MALT_CLI_PARSE_PROGRAM, "print", 'E', COMMAND, FIELD (commands), "EXPR", NULL,
    "As --eval, and show the value" },
  { MALT_CLI_PARSE_PROGRAM, "interactive", 'i', FLAG, FIELD (is_interactive), NULL, NULL,
    "Go on with the REPL, which malt does not have yet" },
  { MALT_CLI_PARSE_SESSION, "unjudged", '\0', FLAG, FIELD (is_unjudged), NULL, NULL,
    "Let Ctrl-C throw where that may end the worker" },
  { MALT_CLI_PARSE_CHECK, "check", '\0', VALUE, FIELD (check), "FILE", NULL,
    "Say whether this key file is right, and nothing else" },
  { MALT_CLI_PARSE_PROGRAM, "version", 'v', FLAG, FIELD (is_version), NULL, NULL,
    "Show the version of malt" },
};

static gboolean
has_option (const MaltCliCommand *command, const Option *option)
{
  return option->parse == 0 || (option->parse & command->flags) != 0;
}

static char *
dup_word (const Option *option)
{
  return g_strconcat ("--", option->name, NULL);
}

char **
malt_cli_dup_option_words (const MaltCliCommand *command)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (all_options); i++)
    if (has_option (command, &all_options[i]))
      {
        g_autofree char *word = dup_word (&all_options[i]);

        g_strv_builder_add (words, word);
      }
  return g_strv_builder_end (words);
}

/* Texts are bytes that need not be in the encoding of the locale. */
void
malt_cli_options_clear (MaltCliOptions *options)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all_options); i++)
    {
      gpointer field = G_STRUCT_MEMBER_P (options, all_options[i].offset);

      if (all_options[i].kind == VALUE)
        g_clear_pointer ((char **) field, g_free);
      else if (all_options[i].kind != FLAG)
        g_clear_pointer ((char ***) field, g_strfreev);
    }
  g_clear_pointer (&options->arguments, g_strfreev);
}

/* The help text */

static void
print_option (const Option *option)
{
  g_autofree char *letter =
      option->letter ? g_strdup_printf ("-%c,", option->letter) : g_strdup ("");
  const char *value = option->value ? option->value : "";
  const char *equals = !option->value ? "" : option->fallback ? "[=" : "=";
  g_autofree char *words =
      g_strconcat ("--", option->name, equals, value, option->fallback ? "]" : "", NULL);

  printf ("  %-3s %-20s  %s\n", letter, words, option->summary);
}

static void
print_help (const MaltCliCommand *command)
{
  const char *space = command->arguments[0] == '\0' ? "" : " ";

  printf ("Usage:\n  malt %s%s%s\n\n%c%s.\n\nOptions:\n", command->name, space,
          command->arguments, g_ascii_toupper (command->summary[0]),
          command->summary + 1);
  for (gsize i = 0; i < G_N_ELEMENTS (all_options); i++)
    if (has_option (command, &all_options[i]))
      print_option (&all_options[i]);
}

/* Reading */

typedef struct
{
  const MaltCliCommand *command; /* (unowned) */
  char **words; /* (unowned): from the one that is read on */
  MaltCliOptions *options; /* (unowned) */
} Parse;

/* @letter '\0': the one with the name, of which @name need not be the end. */
static const Option *
find_option (const MaltCliCommand *command, char letter, const char *name, gsize n_name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all_options); i++)
    {
      const Option *option = &all_options[i];

      if (has_option (command, option) &&
          (letter ? option->letter == letter
                  : strlen (option->name) == n_name &&
                        strncmp (option->name, name, n_name) == 0))
        return option;
    }
  return NULL;
}

static void
append (char ***list, char *text)
{
  guint n = *list ? g_strv_length (*list) : 0;

  *list = g_renew (char *, *list, n + 2);
  (*list)[n] = text;
  (*list)[n + 1] = NULL;
}

static void
take (MaltCliOptions *options, const Option *option, const char *value)
{
  gpointer field = G_STRUCT_MEMBER_P (options, option->offset);

  if (option->kind == FLAG)
    *(gboolean *) field = TRUE;
  else if (option->kind == VALUE)
    {
      g_free (*(char **) field);
      *(char **) field = g_strdup (value);
    }
  else if (option->kind == LIST)
    append (field, g_strdup (value));
  else
    append (field, g_strconcat ("--", option->name, "=", value, NULL));
}

/* @value: what stands in the word of the option, or NULL. */
static int
take_value (Parse *parse, const Option *option, const char *typed, const char *value)
{
  if (!value)
    value = option->fallback;
  if (!value)
    value = *++parse->words;
  if (!value)
    return malt_cli_usage_error (parse->command->name, "expected %s after '%s'",
                                 option->value, typed);
  take (parse->options, option, value);
  return MALT_CLI_OK;
}

static int
report_unknown (Parse *parse, const char *typed)
{
  g_auto (GStrv) words = malt_cli_dup_option_words (parse->command);

  return malt_cli_unknown_error (parse->command->name, "option", typed,
                                 (const char *const *) words);
}

static int
read_long (Parse *parse)
{
  const char *name = *parse->words + 2;
  gsize n_name = strcspn (name, "=");
  const char *value = name[n_name] == '=' ? name + n_name + 1 : NULL;
  g_autofree char *typed = g_strndup (*parse->words, n_name + 2);
  const Option *option = find_option (parse->command, '\0', name, n_name);

  if (!option)
    return report_unknown (parse, typed);
  if (option->kind != FLAG)
    return take_value (parse, option, typed, value);
  if (value)
    return malt_cli_usage_error (parse->command->name, "'%s' has no value, got '%s'",
                                 typed, value);
  take (parse->options, option, NULL);
  return MALT_CLI_OK;
}

/* Several letters may stand in a word, of which the last may have a value. */
static int
read_letters (Parse *parse)
{
  for (const char *letter = *parse->words + 1; *letter; letter++)
    {
      const char typed[] = { '-', *letter, '\0' };
      const Option *option = find_option (parse->command, *letter, NULL, 0);

      if (!option)
        return report_unknown (parse,
                               letter == *parse->words + 1 ? *parse->words : typed);
      if (option->kind != FLAG)
        return take_value (parse, option, typed, letter[1] ? letter + 1 : NULL);
      take (parse->options, option, NULL);
    }
  return MALT_CLI_OK;
}

/* Behind `--` stand no options. With MALT_CLI_PARSE_ARGS the code has what stands behind
 * it, once there is an expression. */
static void
read_rest (Parse *parse, GStrvBuilder *arguments, gboolean is_empty)
{
  gboolean has_args = (parse->command->flags & MALT_CLI_PARSE_ARGS) != 0;

  for (char **word = parse->words; *word; word++)
    {
      if (has_args && !is_empty && strcmp (*word, "--") == 0)
        {
          parse->options->arguments = g_strdupv (word + 1);
          return;
        }
      g_strv_builder_add (arguments, *word);
      is_empty = FALSE;
    }
}

static int
read_words (Parse *parse, GStrvBuilder *arguments)
{
  gboolean is_strict = (parse->command->flags & MALT_CLI_PARSE_STRICT) != 0;
  gboolean is_empty = TRUE;
  int status = MALT_CLI_OK;

  for (; status == MALT_CLI_OK && *parse->words; parse->words++)
    {
      const char *word = *parse->words;

      if (strcmp (word, "--") == 0)
        {
          parse->words += is_strict || is_empty;
          read_rest (parse, arguments, is_empty);
          return MALT_CLI_OK;
        }
      if (word[0] == '-' && word[1] != '\0')
        {
          status = word[1] == '-' ? read_long (parse) : read_letters (parse);
          continue;
        }
      if (is_strict)
        {
          read_rest (parse, arguments, is_empty);
          return MALT_CLI_OK;
        }
      g_strv_builder_add (arguments, word);
      is_empty = FALSE;
    }
  return status;
}

/* As juliaup's launcher has it: the first word may choose the julia. */
static void
read_channel (Parse *parse)
{
  const char *word = *parse->words;

  if ((parse->command->flags & MALT_CLI_PARSE_PROGRAM) == 0 || !word || *word != '+' ||
      g_str_has_suffix (word, ".jl"))
    return;
  parse->options->julia = g_strdup (word);
  parse->words++;
}

char **
malt_cli_parse (char **argv, MaltCliOptions *out_options, int *out_status)
{
  const MaltCliCommand *command = malt_cli_find_command (argv[0]);
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  Parse parse = { command, argv + 1, out_options };

  read_channel (&parse);
  *out_status = read_words (&parse, arguments);
  if (*out_status != MALT_CLI_OK)
    return NULL;
  if (out_options->is_help)
    print_help (command);
  else if (out_options->is_version)
    malt_cli_print_version ();
  else
    return g_strv_builder_end (arguments);
  return NULL;
}
