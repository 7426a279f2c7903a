/* SPDX-License-Identifier: MIT */
/* Reads the command line of a subcommand and makes a worker's config of it. */
#include "malt-cli.h"

#include <string.h>

void
malt_cli_options_clear (MaltCliOptions *options)
{
  g_clear_pointer (&options->backend, g_free);
  g_clear_pointer (&options->module, g_free);
  g_clear_pointer (&options->julia, g_free);
  g_clear_pointer (&options->profile, g_free);
  g_clear_pointer (&options->check, g_free);
  g_clear_pointer (&options->options, g_strfreev);
}

int
malt_cli_usage_error (const char *command, const char *format, ...)
{
  g_autofree char *message = NULL;
  const char *space = command ? " " : "";
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, "malt%s%s: %s; see 'malt help%s%s'\n", space, command ? command : "",
           message, space, command ? command : "");
  return MALT_CLI_USAGE;
}

/* Those of the options that @flags has, in the order of the help text, and one that
 * ends them. Texts are taken as file names: bytes that need not be in the encoding of
 * the locale. (transfer full) */
static GOptionEntry *
make_entries (guint flags, MaltCliOptions *options)
{
  const struct
  {
    guint flag;
    GOptionEntry entry;
  } all[] = {
    { G_MAXUINT,
      { "help", 'h', 0, G_OPTION_ARG_NONE, &options->is_help, "Show this text", NULL } },
    { MALT_CLI_PARSE_WORKER,
      { "backend", 'b', 0, G_OPTION_ARG_FILENAME, &options->backend,
        "Evaluate with this backend (see malt backends)", "NAME" } },
    { MALT_CLI_PARSE_WORKER,
      { "julia", 'j', 0, G_OPTION_ARG_FILENAME, &options->julia, "Use this julia",
        "PATH" } },
    { MALT_CLI_PARSE_WORKER,
      { "option", 'o', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->options,
        "Set an option of the worker; may be given again", "KEY=VALUE" } },
    { MALT_CLI_PARSE_PROFILE,
      { "profile", 'p', 0, G_OPTION_ARG_FILENAME, &options->profile,
        "Take this profile of the key files", "NAME" } },
    { MALT_CLI_PARSE_MODULE,
      { "module", 'm', 0, G_OPTION_ARG_FILENAME, &options->module,
        "Evaluate in this module instead of Main", "MODULE" } },
    { MALT_CLI_PARSE_SESSION,
      { "unjudged", 0, 0, G_OPTION_ARG_NONE, &options->is_unjudged,
        "Let Ctrl-C throw where that may end the worker", NULL } },
    { MALT_CLI_PARSE_CHECK,
      { "check", 0, 0, G_OPTION_ARG_FILENAME, &options->check,
        "Say whether this key file is right, and nothing else", "FILE" } },
  };
  GOptionEntry *entries = g_new0 (GOptionEntry, G_N_ELEMENTS (all) + 1);
  gsize n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].flag == G_MAXUINT || (flags & all[i].flag))
      entries[n++] = all[i].entry;
  return entries;
}

char **
malt_cli_dup_option_words (const MaltCliCommand *command)
{
  MaltCliOptions options;
  g_autofree GOptionEntry *entries = make_entries (command->flags, &options);
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  for (const GOptionEntry *entry = entries; entry->long_name; entry++)
    {
      g_autofree char *word = g_strconcat ("--", entry->long_name, NULL);

      g_strv_builder_add (words, word);
    }
  return g_strv_builder_end (words);
}

static GOptionContext *
make_context (const MaltCliCommand *command, MaltCliOptions *options, char ***arguments)
{
  g_autofree GOptionEntry *entries = make_entries (command->flags, options);
  const char *parameters = command->arguments;
  GOptionContext *context;
  const GOptionEntry rest[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, arguments, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };

  /* GOptionContext writes the word for the options itself. */
  if (g_str_has_prefix (parameters, "[OPTIONS]"))
    parameters += strlen ("[OPTIONS]");
  parameters += strspn (parameters, " ");
  context = g_option_context_new (parameters);
  g_option_context_set_summary (context, command->summary);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context,
                                     (command->flags & MALT_CLI_PARSE_STRICT) != 0);
  g_option_context_add_main_entries (context, rest, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static void
print_help (GOptionContext *context, const char *command)
{
  g_autofree char *program = g_strconcat ("malt ", command, NULL);
  g_autofree char *help = NULL;

  g_set_prgname (program);
  help = g_option_context_get_help (context, FALSE, NULL);
  fputs (help, stdout);
}

/* GOption's message is in the user's language, and ends with the option. */
static int
report_parse_error (const MaltCliCommand *command, const GError *error)
{
  g_auto (GStrv) words = malt_cli_dup_option_words (command);
  const char *option = strrchr (error->message, ' ');

  if (!option || !g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    return malt_cli_usage_error (command->name, "%s", error->message);
  return malt_cli_unknown_error (command->name, "option", option + 1,
                                 (const char *const *) words);
}

char **
malt_cli_parse (char **argv, MaltCliOptions *out_options, int *out_status)
{
  const MaltCliCommand *command = malt_cli_find_command (argv[0]);
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;
  g_auto (GStrv) words = g_strdupv (argv);

  context = make_context (command, out_options, &arguments);
  if (!g_option_context_parse_strv (context, &words, &error))
    {
      *out_status = report_parse_error (command, error);
      return NULL;
    }
  if (out_options->is_help)
    {
      print_help (context, command->name);
      *out_status = MALT_CLI_OK;
      return NULL;
    }
  return arguments ? g_steal_pointer (&arguments) : g_new0 (char *, 1);
}

/* Any option of the backend can be set here, so they are set for the one that will be
 * taken. */
static gboolean
set_option (MaltConfig *config, MaltBackend *backend, const char *text)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = NULL;

  if (!equals || equals == text)
    return FALSE;
  key = g_strndup (text, (gsize) (equals - text));
  malt_config_set_for (config, malt_backend_get_name (backend), key, equals + 1);
  return TRUE;
}

static gboolean
set_options (MaltConfig *config, MaltCliOptions *options, int *out_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltBackend) backend = malt_backend_choose (config, NULL, &error);

  if (!backend)
    {
      fprintf (stderr, "malt: %s\n", error->message);
      *out_status = MALT_CLI_WORKER;
      return FALSE;
    }
  for (char **option = options->options; *option; option++)
    if (!set_option (config, backend, *option))
      {
        *out_status = malt_cli_usage_error (
            NULL, "expected KEY=VALUE after --option, got '%s'", *option);
        return FALSE;
      }
  return TRUE;
}

MaltConfig *
malt_cli_options_read_config (MaltCliOptions *options, int *out_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_for_profile (options->profile, &error);

  if (!config)
    {
      fprintf (stderr, "malt: %s\n", error->message);
      *out_status = MALT_CLI_WORKER;
      return NULL;
    }
  if (options->backend)
    malt_config_set_backend (config, options->backend);
  if (options->julia)
    malt_config_set (config, "julia", options->julia);
  if (options->options && !set_options (config, options, out_status))
    return NULL;
  return g_steal_pointer (&config);
}

/* Can workers of the backend have this stream of the command? */
static gboolean
can_lend (MaltBackend *backend, const char *stream)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_config_set_for (config, malt_backend_get_name (backend), stream, "inherit");
  return malt_backend_check_config (backend, config, NULL);
}

/* Hands on what the command found open. */
static void
set_descriptors (MaltConfig *config, MaltBackend *backend)
{
  const char *name = malt_backend_get_name (backend);

  if (can_lend (backend, "descriptors") &&
      !malt_config_get_for (config, name, "descriptors"))
    malt_config_set_for (config, name, "descriptors", "inherit");
}

/* Lends the command's standard output, unless the command line says where output goes. */
static void
set_output (MaltConfig *config, MaltCliOptions *options)
{
  g_autoptr (MaltBackend) backend = malt_backend_choose (config, NULL, NULL);

  if (backend)
    set_descriptors (config, backend);
  malt_config_set (config, "output", "signal");
  for (char **option = options->options; option && *option; option++)
    if (g_str_has_prefix (*option, "output="))
      return;
  /* What one around another one has inside may not have them. */
  if (!backend || g_strcmp0 (malt_backend_get_name (backend), "malt-process") != 0 ||
      !can_lend (backend, "output") || !can_lend (backend, "stdin"))
    return;
  malt_config_set (config, "output", "inherit");
  malt_config_set (config, "output-prefix", NULL);
  /* The terminal's kind is a variable, too. */
  if (!malt_config_get_for (config, "malt-process", "env-policy"))
    malt_config_set_for (config, "malt-process", "env-policy", "inherit");
  malt_config_set_for (config, malt_backend_get_name (backend), "output-prefix", NULL);
}

MaltConfig *
malt_cli_options_make_config (MaltCliOptions *options, const char *standard_input,
                              int *out_status)
{
  MaltConfig *config = malt_cli_options_read_config (options, out_status);
  g_autoptr (MaltBackend) backend = NULL;

  if (!config)
    return NULL;
  set_output (config, options);
  /* What the terminal and kill(1) do to the command, they do to the worker. */
  if (!malt_config_get_for (config, "malt-process", "process-group"))
    malt_config_set_for (config, "malt-process", "process-group", "host");
  backend = malt_backend_choose (config, NULL, NULL);
  if (standard_input && backend && can_lend (backend, "stdin"))
    malt_config_set (config, "stdin", standard_input);
  options->is_lent =
      backend &&
      g_strcmp0 (malt_config_get_for (config, malt_backend_get_name (backend), "output"),
                 "inherit") == 0;
  return config;
}
