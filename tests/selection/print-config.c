/* SPDX-License-Identifier: MIT */
/* Prints what a program is told by the environment and by key files, and which julia it
 * would run: for copies of it that run with more rights than their user has. */
#include "platform/malt-trust.h"
#include "process/malt-julia-program.h"

#include <malt/malt.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) no_julia = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autofree char *julia = malt_julia_find_program (NULL, &no_julia);
  g_auto (GStrv) keys = NULL;

  g_print ("trusts its environment: %s\n", malt_trust_environment () ? "yes" : "no");
  g_print ("julia: %s\n", julia != NULL ? julia : no_julia->message);
  if (argc > 1 && config != NULL)
    malt_config_load_file (config, argv[1], NULL, &error);
  if (error != NULL)
    g_print ("error: %s\n", error->message);
  keys = config != NULL ? malt_config_dup_keys (config) : g_new0 (char *, 1);
  for (char **key = keys; *key != NULL; key++)
    g_print ("%s = %s\n", *key, malt_config_get (config, *key));
  return 0;
}
