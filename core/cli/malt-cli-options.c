/* SPDX-License-Identifier: MIT */
/* Makes a worker's config of what the command line says. */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <string.h>

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

/* A mistake in the command line has another status than all else that may be wrong. */
static int
report (const GError *error, gboolean is_usage)
{
  if (is_usage)
    return malt_cli_usage_error (NULL, "%s", error->message);
  fprintf (stderr, "malt: %s\n", error->message);
  return MALT_CLI_WORKER;
}

static MaltBackend *
choose (MaltConfig *config, const MaltCliOptions *options, int *out_status)
{
  g_autoptr (GError) error = NULL;
  MaltBackend *backend = malt_backend_choose (config, NULL, &error);

  if (!backend)
    *out_status =
        report (error, options->backend && g_error_matches (error, MALT_ERROR,
                                                            MALT_ERROR_UNKNOWN_BACKEND));
  return backend;
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
  g_autoptr (MaltBackend) backend = choose (config, options, out_status);

  if (!backend)
    return FALSE;
  for (char **option = options->options; *option; option++)
    if (!set_option (config, backend, *option))
      {
        *out_status = malt_cli_usage_error (
            NULL, "expected KEY=VALUE after '--option', got '%s'", *option);
        return FALSE;
      }
  return TRUE;
}

/* A number of threads, or auto; since Julia 1.9 another one behind a comma. */
static gboolean
is_count (const char *text)
{
  return g_regex_match_simple ("^(auto|[1-9][0-9]*)(,(auto|[0-9]+))?$", text,
                               G_REGEX_DOLLAR_ENDONLY, 0);
}

MaltConfig *
malt_cli_options_read_config (MaltCliOptions *options, int *out_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_for_profile (options->profile, &error);

  if (!config)
    {
      *out_status = report (error, FALSE);
      return NULL;
    }
  if (options->backend)
    malt_config_set_backend (config, options->backend);
  if (options->julia)
    malt_config_set (config, "julia", options->julia);
  if (options->threads && !is_count (options->threads))
    {
      *out_status = malt_cli_usage_error (
          NULL, "expected a number or 'auto' after '--threads', got '%s'",
          options->threads);
      return NULL;
    }
  if (options->threads)
    malt_config_set (config, "threads", options->threads);
  if (options->project)
    malt_config_set (config, "project", options->project);
  if (options->options && !set_options (config, options, out_status))
    return NULL;
  return g_steal_pointer (&config);
}

/* Is it the command line that is wrong? Then all is well without its options. */
static gboolean
check (MaltConfig *config, MaltBackend *backend, const MaltCliOptions *options,
       int *out_status)
{
  MaltCliOptions others = { .backend = options->backend,
                            .profile = options->profile,
                            .julia = options->julia };
  g_autoptr (MaltConfig) without = NULL;
  g_autoptr (GError) error = NULL;

  if (malt_backend_check_config (backend, config, &error))
    return TRUE;
  without = malt_cli_options_read_config (&others, out_status);
  if (without)
    *out_status = report (error, malt_backend_check_config (backend, without, NULL));
  return FALSE;
}

/* Can workers of the backend have this value? */
static gboolean
takes (MaltBackend *backend, const char *key, const char *value)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  malt_config_set_for (config, malt_backend_get_name (backend), key, value);
  return malt_backend_check_config (backend, config, NULL);
}

/* Sets what the command wants of its workers, where nobody has said otherwise. */
static void
set_default (MaltConfig *config, MaltBackend *backend, const char *key, const char *value)
{
  const char *name = malt_backend_get_name (backend);

  if (!malt_config_get_for (config, name, key) && takes (backend, key, value))
    malt_config_set_for (config, name, key, value);
}

/* The secrets of a connection that is made back come by standard input. */
static gboolean
can_share_stdin (MaltConfig *config, MaltBackend *backend)
{
  const char *transport =
      malt_config_get_for (config, malt_backend_get_name (backend), "transport");

  return malt_cli_host_shares_stdin () && g_strcmp0 (transport, "tcp-connect") != 0;
}

/* Is a worker of distributed out of reach for what the command has itself? */
static gboolean
is_elsewhere (MaltConfig *config, MaltBackend *backend)
{
  const char *name = malt_backend_get_name (backend);

  return strcmp (name, "distributed") == 0 &&
         (!takes (backend, "descriptors", "inherit") ||
          malt_config_get_for (config, name, "machine") ||
          malt_config_get_for (config, name, "manager"));
}

/* Who reads a terminal without being in its foreground group is stopped, but for those
 * in another session. */
static void
set_input (MaltConfig *config, MaltBackend *backend)
{
  const char *group =
      malt_config_get_for (config, malt_backend_get_name (backend), "process-group");

  if (can_share_stdin (config, backend) && !is_elsewhere (config, backend) &&
      (g_strcmp0 (group, "own") != 0 || !malt_cli_host_is_terminal (MALT_CLI_STDIN)))
    set_default (config, backend, "stdin", "inherit");
}

/* Is the evaluated code in the command's own process? Then its output is the command's. */
static gboolean
is_here (MaltBackend *backend)
{
  return (malt_backend_get_capabilities (backend) & MALT_CAPABILITY_ISOLATED) == 0;
}

/* Lends the command's standard output, unless the command line says where output goes. */
static void
set_output (MaltConfig *config, MaltBackend *backend, MaltCliOptions *options)
{
  static const char *const lending[] = { "malt-process", "distributed", NULL };

  malt_config_set (config, "output", is_here (backend) ? "forward" : "signal");
  for (char **option = options->options; option && *option; option++)
    if (g_str_has_prefix (*option, "output="))
      return;
  /* What a backend around another one has inside may not have them. */
  if (!g_strv_contains (lending, malt_backend_get_name (backend)) ||
      is_elsewhere (config, backend))
    return;
  malt_config_set (config, "output", "inherit");
  malt_config_set (config, "output-prefix", NULL);
  malt_config_set_for (config, malt_backend_get_name (backend), "output-prefix", NULL);
}

MaltConfig *
malt_cli_options_make_config (MaltCliOptions *options, int *out_status)
{
  g_autoptr (MaltConfig) config = malt_cli_options_read_config (options, out_status);
  g_autoptr (MaltBackend) backend = config ? choose (config, options, out_status) : NULL;

  if (!backend)
    return NULL;
  /* What the terminal and kill(1) do to the command, they do to the worker. */
  set_default (config, backend, "process-group", "host");
  set_default (config, backend, "env-policy", "inherit");
  if (is_here (backend) && g_getenv ("JULIA_NUM_THREADS"))
    set_default (config, backend, "threads", "environment");
  if (!is_elsewhere (config, backend))
    set_default (config, backend, "descriptors", "inherit");
  set_input (config, backend);
  set_output (config, backend, options);
  options->is_lent =
      g_strcmp0 (malt_config_get_for (config, malt_backend_get_name (backend), "output"),
                 "inherit") == 0;
  if (!check (config, backend, options, out_status))
    return NULL;
  return g_steal_pointer (&config);
}

/* Lets Julia itself do what @flags say, when its program begins. FALSE: this backend
 * cannot. */
gboolean
malt_cli_set_program_flags (MaltConfig *config, const char *const *flags)
{
  g_autoptr (MaltBackend) backend = malt_backend_choose (config, NULL, NULL);
  g_autoptr (MaltConfig) joined = malt_config_new ();
  const char *text;

  malt_config_set_strings (joined, "program-flags", flags);
  text = malt_config_get (joined, "program-flags");
  if (!backend || !can_share_stdin (config, backend) ||
      !takes (backend, "program-flags", text))
    return FALSE;
  malt_config_set_for (config, malt_backend_get_name (backend), "program-flags", text);
  return TRUE;
}
