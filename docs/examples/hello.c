/* SPDX-License-Identifier: MIT */
/* Evaluates one expression in a worker. */
#include <malt/malt.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltValue) sum = NULL;

  if (config)
    worker = malt_worker_launch (config, NULL, &error);
  if (worker)
    sum = malt_worker_remote_eval_fetch (worker, NULL, "sum(sqrt.(1:5))", NULL, &error);
  if (sum)
    g_print ("%g\n", malt_value_get_double (sum));
  else
    g_printerr ("%s\n", error->message);
  if (worker)
    malt_worker_stop (worker, NULL, NULL);
  return sum ? 0 : 1;
}
