/* SPDX-License-Identifier: MIT */
/* Lends functions of this program to Julia code: one with a signature, one that may fail, one that calls Julia back. */
#include <malt/malt.h>

/* "f64(f64*,i64)": the array's memory and its length, then what every function gets. */
static double
mean (const double *numbers, gint64 n, G_GNUC_UNUSED gpointer user_data, GError **error)
{
  double sum = 0;

  if (n == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "no numbers");
  for (gint64 i = 0; i < n; i++)
    sum += numbers[i];
  return n > 0 ? sum / (double) n : 0;
}

/* Any number of arguments of any type; here the first is a function of Julia's. */
static MaltValue *
call_back (MaltWorker *worker, MaltValue **arguments, gsize n_arguments,
           G_GNUC_UNUSED gpointer user_data, GError **error)
{
  g_autoptr (MaltCall) call = NULL;

  if (n_arguments == 0 || malt_value_get_kind (arguments[0]) != MALT_VALUE_HANDLE)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE, "expected a function first");
      return NULL;
    }
  call = malt_call_new_for_handle (arguments[0]);
  for (gsize i = 1; i < n_arguments; i++)
    malt_call_add_argument (call, arguments[i]);
  return malt_worker_remote_call_fetch (worker, call, NULL, error);
}

static gboolean
show (MaltWorker *worker, const char *source, GError **error)
{
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, source, NULL, error);
  g_autofree char *text = value ? malt_value_to_string (value) : NULL;

  if (text)
    g_print ("%s = %s\n", source, text);
  return value != NULL;
}

static gboolean
run (MaltWorker *worker, GError **error)
{
  g_autoptr (GError) exception = NULL;

  if (!malt_worker_export (worker, "mean", "f64(f64*,i64)", MALT_EXPORT_DEFAULT,
                           G_CALLBACK (mean), NULL, NULL, error) ||
      !malt_worker_export_func (worker, "call_back", call_back, NULL, NULL,
                                MALT_EXPORT_DEFAULT, error))
    return FALSE;
  if (!show (worker, "Malt.host.mean([1.0, 2.0, 6.0], 3)", error) ||
      !show (worker, "Malt.host.call_back(map, uppercase, \"julia\")", error))
    return FALSE;
  if (!show (worker, "Malt.host.mean(Float64[], 0)", &exception))
    g_print ("%s\n", exception->message);
  return TRUE;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltWorker) worker =
      config ? malt_worker_launch (config, NULL, &error) : NULL;

  if (!worker || !run (worker, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  malt_worker_stop (worker, NULL, NULL);
  return 0;
}
