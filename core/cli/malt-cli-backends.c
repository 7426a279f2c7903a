/* SPDX-License-Identifier: MIT */
/* malt backends: what can evaluate code on this machine, and which of them auto would
 * take. */
#include "malt-cli.h"

#include <string.h>

static int
name_width (GPtrArray *backends)
{
  gsize width = strlen ("NAME");

  for (guint i = 0; i < backends->len; i++)
    width = MAX (width, strlen (malt_backend_get_name (backends->pdata[i])));
  return (int) width;
}

/* What a julia says of itself, and its path. */
static char *
dup_answer (const char *julia)
{
  const char *const arguments[] = { julia, "--version", NULL };
  g_autofree char *output = NULL;
  int status;

  if (!g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                     NULL, &output, NULL, &status, NULL) ||
      !g_spawn_check_wait_status (status, NULL))
    return g_strdup_printf ("%s, which does not say its version", julia);
  return g_strdup_printf ("%s, %s", g_strchomp (output), julia);
}

/* The julia that the backend would run, which mostly is that of others, too: @answers has
 * what each has said. (nullable) */
static const char *
find_julia (MaltBackend *backend, MaltConfig *config, GHashTable *answers)
{
  g_autofree char *julia = malt_backend_dup_julia (backend, config, NULL);

  if (!julia)
    return NULL;
  if (!g_hash_table_contains (answers, julia))
    g_hash_table_insert (answers, g_strdup (julia), dup_answer (julia));
  return g_hash_table_lookup (answers, julia);
}

static void
print_row (MaltBackend *backend, MaltConfig *config, GHashTable *answers, int width)
{
  g_autoptr (GError) error = NULL;
  const char *more = NULL;
  gboolean is_available = malt_backend_probe (backend, config, &error);

  printf ("%-*s  %-9s  %s\n", width, malt_backend_get_name (backend),
          is_available ? "yes" : "no", malt_backend_get_description (backend));
  if (is_available)
    more = find_julia (backend, config, answers);
  if (!is_available || more)
    printf ("%-*s  %-9s  %s\n", width, "", "", is_available ? more : error->message);
}

/* The last lines: what auto takes, and what the user's own settings take where they
 * differ. */
static void
print_choice (MaltConfig *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) automatic = malt_config_copy (config);
  g_autoptr (MaltBackend) choice = NULL;
  g_autofree char *reason = NULL;
  const char *named = malt_config_get_backend (config);

  malt_config_set_backend (automatic, "auto");
  choice = malt_backend_choose (automatic, &reason, &error);
  if (choice)
    printf ("\nauto takes %s\n", reason);
  else
    printf ("\nauto takes none: %s\n", error->message);
  if (named && strcmp (named, "auto") != 0)
    printf ("the settings of this user name %s (%s)\n", named,
            malt_config_get_origin (config, "backend"));
}

int
malt_cli_backends (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (GPtrArray) backends = NULL;
  g_autoptr (GHashTable) answers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  int status;
  int width;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (arguments[0])
    return malt_cli_usage_error ("backends", "expected no arguments, got '%s'",
                                 arguments[0]);

  config = malt_cli_options_read_config (&options, &status);
  if (!config)
    return status;
  backends = malt_backend_list ();
  width = name_width (backends);
  printf ("%-*s  %-9s  %s\n", width, "NAME", "AVAILABLE", "DESCRIPTION");
  for (guint i = 0; i < backends->len; i++)
    print_row (backends->pdata[i], config, answers, width);
  print_choice (config);
  return MALT_CLI_OK;
}
