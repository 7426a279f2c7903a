/* SPDX-License-Identifier: MIT */
/* malt eval: evaluates expressions in one worker and prints what the REPL would print
 * for the last one. */
#include "malt-cli.h"

static GPtrArray *
make_calls (const MaltCliOptions *options, char **expressions)
{
  GPtrArray *calls = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_call_unref);

  if (options->arguments)
    malt_cli_add_arguments (calls, "", options->arguments);
  malt_cli_add_commands (calls, options->commands);
  for (char **expression = expressions; *expression; expression++)
    {
      MaltCall *call = malt_call_new_eval (options->module, *expression);

      malt_call_set_result_mode (call, MALT_RESULT_DISCARD);
      g_ptr_array_add (calls, call);
    }
  malt_cli_set_display (calls->pdata[calls->len - 1]);
  return calls;
}

int
malt_cli_eval (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) expressions = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (GPtrArray) calls = NULL;
  int status;

  expressions = malt_cli_parse (argv, &options, &status);
  if (!expressions)
    return status;
  if (!expressions[0])
    return malt_cli_usage_error ("eval", "expected an expression");

  config = malt_cli_options_make_config (&options, &status);
  if (!config)
    return status;
  calls = make_calls (&options, expressions);
  return malt_cli_session_run (config, calls, &options, FALSE);
}
