/* SPDX-License-Identifier: MIT */
/*
 * The environment of a worker.
 *
 * The option env-policy lists names of variables that the worker gets from the host, and
 * the words `clean` (the variables below) and `inherit` (all). The option env adds
 * NAME=VALUE pairs, which win. A worker's project is its own: JULIA_PROJECT and
 * JULIA_LOAD_PATH are not in the clean set, because they say what the *host's* user works
 * on.
 */
#include "process/malt-julia-command.h"

#include "platform/malt-platform.h"

#include <malt/malt-worker-class.h>
#include <string.h>

/* On Windows "Path" and "PATH" are the same variable. */
#define COMPARE_N MALT_PLATFORM_PICK (strncmp, g_ascii_strncasecmp)

/* A name that ends with `*` stands for all names that begin so. */
static const char *const clean_names[] = {
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TZ",
  "TMPDIR",
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "all_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "FTP_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "SSL_CERT_*",
  "LD_LIBRARY_PATH",
  "JULIA_DEPOT_PATH",
  NULL,
};

static gboolean
matches_name (const char *word, const char *name)
{
  gsize n = strlen (name);

  return strlen (word) == n && COMPARE_N (word, name, n) == 0;
}

static gboolean
matches (const char *pattern, const char *name)
{
  gsize n = strlen (pattern);

  if (n > 0 && pattern[n - 1] == '*')
    return COMPARE_N (pattern, name, n - 1) == 0;
  return matches_name (pattern, name);
}

static gboolean
matches_any (const char *const *patterns, const char *name)
{
  for (const char *const *pattern = patterns; *pattern != NULL; pattern++)
    if (matches (*pattern, name))
      return TRUE;
  return FALSE;
}

static gboolean
is_clean (const char *name)
{
  return matches_any (clean_names, name) || matches_any (malt_platform_variables, name);
}

static gboolean
is_passed_on (char **policy, const char *name)
{
  for (char **word = policy; *word != NULL; word++)
    {
      if (strcmp (*word, "inherit") == 0 || matches_name (*word, name))
        return TRUE;
      if (strcmp (*word, "clean") == 0 && is_clean (name))
        return TRUE;
    }
  return FALSE;
}

static gboolean
add_pair (char ***environment, const char *pair, GError **error)
{
  const char *equals = strchr (pair, '=');
  g_autofree char *name = NULL;

  if (equals == NULL || equals == pair)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                   "option 'env': expected NAME=VALUE, got '%.80s'", pair);
      return FALSE;
    }
  name = g_strndup (pair, (gsize) (equals - pair));
  *environment = g_environ_setenv (*environment, name, equals + 1, TRUE);
  return TRUE;
}

char **
malt_julia_dup_environment (MaltWorker *worker, const char *julia, GError **error)
{
  g_auto (GStrv) policy = malt_worker_dup_option_strings (worker, "env-policy");
  g_auto (GStrv) pairs = malt_worker_dup_option_strings (worker, "env");
  g_auto (GStrv) host = malt_platform_dup_environment ();
  g_auto (GStrv) environment = g_new0 (char *, 1);

  for (char **pair = host; *pair != NULL; pair++)
    {
      g_autofree char *name = g_strndup (*pair, strcspn (*pair, "="));
      if (*name != '\0' && policy != NULL && is_passed_on (policy, name))
        environment = g_environ_setenv (g_steal_pointer (&environment), name,
                                        *pair + strlen (name) + 1, TRUE);
    }
  /* Evaluated code that is a host itself runs the same julia. */
  if (policy != NULL && g_strv_contains ((const char *const *) policy, "clean"))
    environment =
        g_environ_setenv (g_steal_pointer (&environment), "MALT_JULIA", julia, TRUE);
  for (char **pair = pairs; pairs != NULL && *pair != NULL; pair++)
    if (!add_pair (&environment, *pair, error))
      return NULL;
  return g_steal_pointer (&environment);
}
