/* SPDX-License-Identifier: MIT */
/* What the environment says about a config. */
#include "malt-config-private.h"

#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(G_OS_UNIX)
#include <unistd.h>
#endif

/* A variable, and the common option that it gives a value to. */
static const struct
{
  const char *variable;
  const char *key;
} variables[] = {
  { "MALT_BACKEND", "backend" },
  { "MALT_JULIA", "julia" },
};

/* A program that runs with more rights than its user has must not do what the user's
 * environment says. */
static gboolean
is_trusted (void)
{
#if defined(__linux__)
  return getauxval (AT_SECURE) == 0;
#elif defined(G_OS_UNIX)
  return getuid () == geteuid () && getgid () == getegid ();
#else
  return TRUE;
#endif
}

void
malt_config_read_environment (MaltConfig *config)
{
  if (!is_trusted ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      const char *value = g_getenv (variables[i].variable);
      g_autofree char *origin = g_strconcat ("environment ", variables[i].variable, NULL);

      if (value != NULL && *value != '\0')
        malt_config_set_from (config, NULL, variables[i].key, value,
                              MALT_ORIGIN_ENVIRONMENT, origin);
    }
}
