/* SPDX-License-Identifier: MIT */
/* What the environment says about a config. */
#include "platform/malt-trust.h"
#include "selection/malt-config-private.h"

/* A variable, and the common option that it gives a value to. */
static const struct
{
  const char *variable;
  const char *key;
} variables[] = {
  { "MALT_BACKEND", "backend" },
  { "MALT_JULIA", "julia" },
};

void
malt_config_read_environment (MaltConfig *config)
{
  if (!malt_trust_environment ())
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
