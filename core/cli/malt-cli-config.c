/* SPDX-License-Identifier: MIT */
/* malt config: the options of the worker that would be launched, each with its value
 * and where that comes from; or whether a key file is right. */
#include "malt-cli.h"

#include <string.h>

/* The value as it would stand in a key file, so that it is one line. */
static void
print_value (const char *value, gboolean is_list)
{
  if (*value == ' ')
    {
      fputs ("\\s", stdout);
      value++;
    }
  for (const char *byte = value; *byte != '\0'; byte++)
    if (*byte == '\n')
      fputs ("\\n", stdout);
    else if (*byte == '\r')
      fputs ("\\r", stdout);
    else if (*byte == '\t')
      fputs ("\\t", stdout);
    else if (*byte == ' ' && byte[1] == '\0')
      fputs ("\\s", stdout);
    else if (*byte == '\\' && !is_list)
      fputs ("\\\\", stdout);
    else
      fputc (*byte, stdout);
}

static void
print_row (MaltBackend *backend, MaltConfig *config, const char *key)
{
  const char *name = malt_backend_get_name (backend);
  const char *value = malt_config_get_for (config, name, key);
  const char *origin = malt_config_get_origin_for (config, name, key);
  gboolean is_list = malt_backend_get_option_type (backend, key) == MALT_OPTION_STRINGS;

  if (!value)
    value = malt_backend_get_option_default (backend, key);
  printf ("%s\t", key);
  if (value)
    print_value (value, is_list);
  printf ("\t%s\n", value ? origin : "not set");
}

static int
print_config (MaltConfig *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;
  g_autoptr (MaltBackend) backend = malt_backend_choose (config, &reason, &error);
  g_auto (GStrv) keys = NULL;

  if (!backend)
    {
      fprintf (stderr, "malt: %s\n", error->message);
      return MALT_CLI_WORKER;
    }
  printf ("backend\t%s\t%s\n", malt_backend_get_name (backend), reason);
  keys = malt_backend_dup_option_names (backend);
  for (char **key = keys; *key; key++)
    print_row (backend, config, *key);
  if (malt_backend_check_config (backend, config, &error))
    return MALT_CLI_OK;
  fprintf (stderr, "malt: %s\n", error->message);
  return MALT_CLI_WORKER;
}

static int
check_file (const char *path, const char *profile)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;

  if (!malt_config_load_file (config, path, profile, &error))
    {
      fprintf (stderr, "malt: %s\n", error->message);
      return MALT_CLI_WORKER;
    }
  printf ("%s: no mistakes\n", path);
  return MALT_CLI_OK;
}

int
malt_cli_config (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (MaltConfig) config = NULL;
  int status;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (arguments[0])
    return malt_cli_usage_error ("config", "expected no arguments, got '%s'",
                                 arguments[0]);
  if (options.check)
    return check_file (options.check, options.profile);
  config = malt_cli_options_read_config (&options, &status);
  return config ? print_config (config) : status;
}
