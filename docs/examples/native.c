/* SPDX-License-Identifier: MIT */
/* Calls a Julia function as a C function: Julia runs inside this program. */
#include <malt/malt.h>

typedef double (*Potential) (double x, double y);

enum
{
  STEPS = 1000
};

/* In the thread of Julia: there the plain pointer may be called, at the cost of a C call. */
static void
add_up (gpointer user_data)
{
  MaltNative *potential = user_data;
  Potential call = (Potential) malt_native_get_pointer (potential);
  g_autoptr (GError) error = NULL;
  double sum = 0;

  for (int i = 0; i < STEPS; i++)
    sum += call (i, STEPS - i);

  /* A call that throws returns zero, and the exception waits to be fetched. */
  if (malt_native_take_error (potential, &error))
    g_printerr ("%s\n", error->message);
  else
    g_print ("sum of %d calls: %.1f\n", STEPS, sum);
}

static gboolean
run (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltNative) potential =
      malt_native_new (worker, "(x, y) -> sqrt(x^2 + y^2)", "f64(f64,f64)", NULL, error);
  double x = 3;
  double y = 4;
  double result;

  if (!potential)
    return FALSE;

  /* In any thread. The call is carried into the thread of Julia. */
  if (!malt_native_call (potential, &result, (gpointer[]){ &x, &y }, error))
    return FALSE;
  g_print ("%g\n", result);

  return malt_worker_invoke_on_julia_thread (worker, add_up, potential, error);
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltWorker) worker = NULL;

  if (config)
    {
      malt_config_set_backend (config, "inprocess");
      worker = malt_worker_launch (config, NULL, &error);
    }
  if (!worker || !run (worker, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  malt_worker_stop (worker, NULL, NULL);
  return 0;
}
