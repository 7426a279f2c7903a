/* SPDX-License-Identifier: MIT */
/* malt help: what the command does; for a subcommand, what its --help says. */
#include "malt-cli.h"

#include <string.h>

void
malt_cli_print_version (void)
{
  printf ("malt %u.%u.%u\n", malt_get_major_version (), malt_get_minor_version (),
          malt_get_micro_version ());
}

static void
print_overview (void)
{
  fputs ("Usage:\n", stdout);
  for (const MaltCliCommand *command = malt_cli_commands; command->name; command++)
    {
      const char *space = command->arguments[0] == '\0' ? "" : " ";

      printf ("  malt %s%s%s\n", command->name, space, command->arguments);
    }
  fputs ("  malt [OPTIONS] FILE.jl [ARGS]\n  malt [OPTIONS] -e EXPR [ARGS]\n"
         "  malt --version\n\nEvaluates Julia code in a worker of its own.\n\n"
         "Subcommands:\n",
         stdout);
  for (const MaltCliCommand *command = malt_cli_commands; command->name; command++)
    printf ("  %-11s %s\n", command->name, command->summary);
  fputs ("\n'malt help SUBCOMMAND' lists the options of a subcommand.\n", stdout);
}

int
malt_cli_help (int argc, char **argv)
{
  const MaltCliCommand *command;
  char name[] = "";
  char flag[] = "--help";
  char *arguments[] = { name, flag, NULL };

  if (argc < 2 || strcmp (argv[1], "--help") == 0)
    {
      print_overview ();
      return MALT_CLI_OK;
    }
  if (argc > 2)
    return malt_cli_usage_error ("help", "expected one subcommand");

  command = malt_cli_find_command (argv[1]);
  if (!command)
    return malt_cli_unknown_command ("help", argv[1]);
  arguments[0] = argv[1];
  return command->run (2, arguments);
}
