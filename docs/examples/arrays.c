/* SPDX-License-Identifier: MIT */
/* Sends a matrix to a worker and reads one back, without copying on this side. Arrays
 * are column-major, as in Julia. */
#include <malt/malt.h>

enum
{
  ROWS = 2,
  COLUMNS = 3,
};

static void
print_matrix (MaltValue *matrix)
{
  gsize n_dims;
  const gsize *dims = malt_value_get_dims (matrix, &n_dims);
  const double *elements = malt_value_get_array_data (matrix, NULL);

  for (gsize row = 0; row < dims[0]; row++)
    for (gsize column = 0; column < dims[1]; column++)
      g_print ("%g%c", elements[column * dims[0] + row],
               column + 1 == dims[1] ? '\n' : ' ');
}

static gboolean
run (MaltWorker *worker, GError **error)
{
  static const double elements[ROWS * COLUMNS] = { 1, 4, 2, 5, 3, 6 };
  const gsize dims[] = { ROWS, COLUMNS };
  g_autoptr (MaltCall) call = malt_call_new ("a -> a' .* 10");
  g_autoptr (MaltValue) matrix = NULL;
  g_autoptr (MaltValue) result = NULL;

  matrix = malt_value_new_array (MALT_VALUE_FLOAT64, dims, 2, elements, sizeof elements);
  print_matrix (matrix);
  g_print ("transposed, times ten:\n");

  malt_call_add_argument (call, matrix);
  result = malt_worker_remote_call_fetch (worker, call, NULL, error);
  if (!result)
    return FALSE;
  print_matrix (result);
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
