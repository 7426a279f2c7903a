/* SPDX-License-Identifier: MIT */
/* malt completion: what bash needs to complete the words of this command. */
#include "malt-cli.h"

static void
print_words (char **words)
{
  for (char **word = words; *word; word++)
    printf ("%s%s", word == words ? "" : " ", *word);
}

static void
print_backends (void)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();

  for (guint i = 0; i < backends->len; i++)
    printf ("%s ", malt_backend_get_name (backends->pdata[i]));
  fputs ("auto", stdout);
}

static void
print_option_words (const MaltCliCommand *command)
{
  g_auto (GStrv) words = malt_cli_dup_option_words (command);

  print_words (words);
}

static void
print_options (void)
{
  for (const MaltCliCommand *command = malt_cli_commands; command->name; command++)
    {
      printf ("    %s) options='", command->name);
      print_option_words (command);
      fputs ("' ;;\n", stdout);
    }
}

static void
print_commands (void)
{
  for (const MaltCliCommand *command = malt_cli_commands; command->name; command++)
    printf ("%s ", command->name);
}

/* Values that are no names of files are said; all else is left to bash. */
int
malt_cli_completion (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  int status;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (arguments[0])
    return malt_cli_usage_error ("completion", "expected no arguments, got '%s'",
                                 arguments[0]);
  fputs ("_malt() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  local options='",
         stdout);
  print_option_words (malt_cli_find_command ("run"));
  fputs ("' commands='", stdout);
  print_commands ();
  fputs ("'\n"
         "  [ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}\n"
         "  [ \"$word\" != = ] || { before=${COMP_WORDS[COMP_CWORD - 1]}; word=; }\n"
         "  COMPREPLY=()\n"
         "  [ \"$COMP_CWORD\" -eq 1 ] || case ${COMP_WORDS[1]} in\n",
         stdout);
  print_options ();
  fputs ("  esac\n"
         "  case $before in\n"
         "    --backend | -b) options='",
         stdout);
  print_backends ();
  fputs ("' ;;\n"
         "    *)\n"
         "      if [ \"$COMP_CWORD\" -eq 1 ] || [ \"${COMP_WORDS[1]}\" = help ]; then\n"
         "        [ \"${word#-}\" != \"$word\" ] || options=$commands\n"
         "      elif [ \"${word#-}\" = \"$word\" ]; then\n"
         "        return\n"
         "      fi ;;\n"
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _malt malt\n",
         stdout);
  return MALT_CLI_OK;
}
