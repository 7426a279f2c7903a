/* SPDX-License-Identifier: MIT */
/* The malt command: finds the subcommand and runs it. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <locale.h>
#include <string.h>

const MaltCliCommand malt_cli_commands[] = {
  { .name = "eval",
    .arguments = "[OPTIONS] EXPR...",
    .summary = "evaluate expressions and print the value of the last one",
    .run = malt_cli_eval },
  { .name = "run",
    .arguments = "[OPTIONS] FILE [ARGS]",
    .summary = "run a Julia program, as julia FILE ARGS does",
    .run = malt_cli_run },
  { .name = "backends",
    .arguments = "[OPTIONS]",
    .summary = "list what can evaluate code on this machine",
    .run = malt_cli_backends },
  { .name = "config",
    .arguments = "[OPTIONS]",
    .summary = "print the options of a worker and where their values come from",
    .run = malt_cli_config },
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

static int
print_version (void)
{
  printf ("malt %u.%u.%u\n", malt_get_major_version (), malt_get_minor_version (),
          malt_get_micro_version ());
  return MALT_CLI_OK;
}

static int
dispatch (int argc, char **argv)
{
  const MaltCliCommand *command;
  const char *word;

  if (argc < 2)
    return malt_cli_usage_error (NULL, "expected a subcommand");

  word = argv[1];
  if (strcmp (word, "--version") == 0)
    return print_version ();
  if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0)
    return malt_cli_help (1, argv + 1);

  command = malt_cli_find_command (word);
  if (command)
    return command->run (argc - 1, argv + 1);
  if (word[0] == '-')
    return malt_cli_usage_error (NULL, "unknown option '%s'", word);
  return malt_cli_usage_error (NULL, "unknown subcommand '%s'", word);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_set_prgname ("malt");
  argv = malt_cli_host_begin (&argc, argv);
  return malt_cli_close_output (dispatch (argc, argv));
}
