/* SPDX-License-Identifier: MIT */
/* The malt command: finds the subcommand and runs it. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <locale.h>
#include <string.h>

const MaltCliCommand malt_cli_commands[] = {
  { .name = "eval",
    .arguments = "[OPTIONS] EXPR... [-- ARGS]",
    .summary = "evaluate expressions and print the value of the last one",
    .flags = MALT_CLI_PARSE_WORKER | MALT_CLI_PARSE_SESSION | MALT_CLI_PARSE_PROFILE |
             MALT_CLI_PARSE_MODULE | MALT_CLI_PARSE_ARGS,
    .run = malt_cli_eval },
  { .name = "run",
    .arguments = "[+CHANNEL] [OPTIONS] [FILE] [ARGS]",
    .summary = "run a Julia program, as julia FILE ARGS does",
    .flags = MALT_CLI_PARSE_WORKER | MALT_CLI_PARSE_SESSION | MALT_CLI_PARSE_PROFILE |
             MALT_CLI_PARSE_STRICT | MALT_CLI_PARSE_PROGRAM,
    .run = malt_cli_run },
  { .name = "backends",
    .arguments = "[OPTIONS]",
    .summary = "list what can evaluate code on this machine",
    .flags = MALT_CLI_PARSE_PROFILE,
    .run = malt_cli_backends },
  { .name = "config",
    .arguments = "[OPTIONS]",
    .summary = "print the options of a worker and where their values come from",
    .flags = MALT_CLI_PARSE_WORKER | MALT_CLI_PARSE_PROFILE | MALT_CLI_PARSE_CHECK,
    .run = malt_cli_config },
  { .name = "doctor",
    .arguments = "[OPTIONS]",
    .summary = "start a worker of each backend, and say what to do where that fails",
    .flags = MALT_CLI_PARSE_WORKER | MALT_CLI_PARSE_PROFILE,
    .run = malt_cli_doctor },
  { .name = "completion",
    .arguments = "",
    .summary = "print what bash needs to complete the words of this command",
    .run = malt_cli_completion },
  { .name = "help",
    .arguments = "[SUBCOMMAND]",
    .summary = "explain the command or a subcommand",
    .run = malt_cli_help },
  { .name = NULL },
};

const MaltCliCommand *
malt_cli_find_command (const char *name)
{
  for (const MaltCliCommand *command = malt_cli_commands; command->name; command++)
    if (strcmp (command->name, name) == 0)
      return command;
  return NULL;
}

int
malt_cli_unknown_command (const char *command, const char *name)
{
  const char *names[G_N_ELEMENTS (malt_cli_commands)] = { NULL };

  for (gsize i = 0; malt_cli_commands[i].name; i++)
    names[i] = malt_cli_commands[i].name;
  return malt_cli_unknown_error (command, "subcommand", name, names);
}

/* What julia takes, `run` takes without being named: a channel, its options, and a file. */
static int
dispatch (int argc, char **argv)
{
  static char run[] = "run";
  const MaltCliCommand *command;
  const char *word;

  if (argc < 2)
    return malt_cli_usage_error (NULL, "expected a subcommand");

  word = argv[1];
  if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0)
    return malt_cli_help (1, argv + 1);

  command = malt_cli_find_command (word);
  if (command)
    return command->run (argc - 1, argv + 1);
  if (!strchr ("-+", word[0]) && !g_str_has_suffix (word, ".jl"))
    return malt_cli_unknown_command (NULL, word);
  argv[0] = run;
  return malt_cli_run (argc, argv);
}

int
main (int argc, char **argv)
{
  argv = malt_cli_host_begin (&argc, argv);
  setlocale (LC_ALL, "");
  g_set_prgname ("malt");
  return malt_cli_close_output (dispatch (argc, argv));
}
