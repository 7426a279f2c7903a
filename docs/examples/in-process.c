/* SPDX-License-Identifier: MIT */
/* Two workers in the Julia of this program, each in a module of its own, and an array that
 * neither of the two sides copies. */
#include <malt/malt.h>

enum
{
  LENGTH = 1000 * 1000
};

static MaltWorker *
launch_in_new_module (GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new_default (error);

  if (!config)
    return NULL;
  malt_config_set_backend (config, "inprocess");
  malt_config_set_for (config, "inprocess", "module", "new");
  return malt_worker_launch (config, NULL, error);
}

/* The worker sees these bytes where they are, so they must not change any more. */
static MaltValue *
make_numbers (void)
{
  double *numbers = g_new (double, LENGTH);
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < LENGTH; i++)
    numbers[i] = (double) i;
  bytes = g_bytes_new_take (numbers, LENGTH * sizeof (double));
  return malt_value_new_array_from_bytes (MALT_VALUE_FLOAT64, (gsize[]){ LENGTH }, 1,
                                          bytes, NULL);
}

static gboolean
run (MaltWorker *one, MaltWorker *two, GError **error)
{
  g_autoptr (MaltValue) numbers = make_numbers ();
  g_autoptr (MaltCall) keep = malt_call_new ("x -> (global kept = x; sum(x))");
  g_autoptr (MaltValue) sum = NULL;
  g_autoptr (MaltValue) kept = NULL;
  g_autoptr (MaltValue) is_there = NULL;

  malt_call_add_argument (keep, numbers);
  sum = malt_worker_remote_call_fetch (one, keep, NULL, error);
  if (!sum)
    return FALSE;
  g_print ("sum: %g\n", malt_value_get_double (sum));

  kept = malt_worker_remote_eval_fetch (one, NULL, "kept", NULL, error);
  if (!kept)
    return FALSE;
  g_print ("the same memory: %s\n", malt_value_get_array_data (kept, NULL) ==
                                            malt_value_get_array_data (numbers, NULL)
                                        ? "yes"
                                        : "no");

  is_there = malt_worker_remote_eval_fetch (two, NULL, "@isdefined(kept)", NULL, error);
  if (!is_there)
    return FALSE;
  g_print ("seen by the other worker: %s\n",
           malt_value_get_bool (is_there) ? "yes" : "no");
  return TRUE;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) one = launch_in_new_module (&error);
  g_autoptr (MaltWorker) two = one ? launch_in_new_module (&error) : NULL;

  if (!two || !run (one, two, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  malt_worker_stop (one, NULL, NULL);
  malt_worker_stop (two, NULL, NULL);
  return 0;
}
