/* SPDX-License-Identifier: MIT */
/* malt doctor: starts a worker of each backend, and says what to do where that fails. */
#include "malt-cli.h"

#include <string.h>

enum
{
  ANSWER_TIMEOUT_MS = 60000,
};

static const char question[] =
    "string(\"julia \", VERSION, \", \", first(Base.julia_cmd()))";

/* Where the option that chooses the julia comes from. */
static char *
dup_julia_origin (MaltConfig *config, const char *backend)
{
  const char *julia = malt_config_get_for (config, backend, "julia");

  if (!julia)
    return g_strdup ("the first julia of PATH");
  return g_strdup_printf ("'%s', %s", julia,
                          malt_config_get_origin_for (config, backend, "julia"));
}

static char *
dup_remedy (MaltConfig *config, const char *backend, const GError *error)
{
  g_autofree char *origin = dup_julia_origin (config, backend);

  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG))
    return g_strdup_printf (
        "correct that value; 'malt config --backend %s' says where it "
        "comes from",
        backend);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE))
    return g_strdup_printf ("install Julia, or name one with --julia, MALT_JULIA or in a "
                            "key file; looked for: %s",
                            origin);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED))
    return g_strdup_printf ("see whether this julia runs by itself: %s", origin);
  return g_strdup_printf ("'malt config --backend %s' prints what it was started with",
                          backend);
}

/* What Julia says of itself, and how long that took; NULL: @error. */
static char *
ask (MaltConfig *config, GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, question);
  g_autoptr (MaltValue) value = NULL;
  gint64 start = g_get_monotonic_time ();
  const char *text;

  worker = malt_worker_launch (config, NULL, error);
  if (!worker)
    return NULL;
  malt_call_set_timeout_ms (call, ANSWER_TIMEOUT_MS);
  value = malt_worker_remote_call_fetch (worker, call, NULL, error);
  malt_worker_stop (worker, NULL, NULL);
  if (!value)
    return NULL;
  text = malt_value_as_string (value, error);
  if (!text)
    return NULL;
  return g_strdup_printf ("%s, answered in %.1f s", text,
                          (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
}

/* Whether that backend works. */
static gboolean
examine (MaltConfig *config, MaltBackend *backend)
{
  const char *name = malt_backend_get_name (backend);
  g_autoptr (MaltConfig) own = malt_config_copy (config);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;
  g_autofree char *remedy = NULL;

  malt_config_set_backend (own, name);
  malt_config_set (own, "output", "signal"); /* what it says is in the error, too */
  printf ("%s: ", name);
  fflush (stdout);
  answer = ask (own, &error);
  if (answer)
    {
      printf ("works: %s\n", answer);
      return TRUE;
    }
  remedy = dup_remedy (own, name, error);
  printf ("does not work: %s\n  remedy: %s\n", error->message, remedy);
  return FALSE;
}

/* The backend that eval and run would take, which the exit status is about. */
static char *
dup_choice (MaltConfig *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;
  g_autoptr (MaltBackend) choice = malt_backend_choose (config, &reason, &error);

  if (!choice)
    {
      printf ("eval and run take none: %s\n", error->message);
      return NULL;
    }
  printf ("eval and run take %s\n", reason);
  return g_strdup (malt_backend_get_name (choice));
}

int
malt_cli_doctor (G_GNUC_UNUSED int argc, char **argv)
{
  g_auto (MaltCliOptions) options = { 0 };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (GPtrArray) backends = NULL;
  g_autofree char *choice = NULL;
  gboolean is_well = FALSE;
  int status;

  arguments = malt_cli_parse (argv, &options, &status);
  if (!arguments)
    return status;
  if (arguments[0])
    return malt_cli_usage_error ("doctor", "expected no arguments, got '%s'",
                                 arguments[0]);
  config = malt_cli_options_read_config (&options, &status);
  if (!config)
    return status;
  malt_cli_print_version ();
  choice = dup_choice (config);
  backends = malt_backend_list ();
  for (guint i = 0; i < backends->len; i++)
    {
      MaltBackend *backend = backends->pdata[i];
      const char *name = malt_backend_get_name (backend);
      gboolean is_named = options.backend && strcmp (options.backend, "auto") != 0;

      if (!is_named || strcmp (name, options.backend) == 0)
        is_well |= examine (config, backend) && g_strcmp0 (name, choice) == 0;
    }
  return is_well ? MALT_CLI_OK : MALT_CLI_WORKER;
}
