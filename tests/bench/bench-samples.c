/* SPDX-License-Identifier: MIT */
/* Figures by key, with the median of each. */
#include "bench.h"

struct _BenchSamples
{
  GPtrArray *keys; /* of char: in the order of their first sample */
  GHashTable *lists; /* key -> GArray of double */
};

BenchSamples *
bench_samples_new (void)
{
  BenchSamples *samples = g_new0 (BenchSamples, 1);

  samples->keys = g_ptr_array_new_with_free_func (g_free);
  samples->lists = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                          (GDestroyNotify) g_array_unref);
  return samples;
}

void
bench_samples_free (BenchSamples *samples)
{
  g_hash_table_unref (samples->lists);
  g_ptr_array_unref (samples->keys);
  g_free (samples);
}

void
bench_samples_add (BenchSamples *samples, const char *key, double value)
{
  GArray *list = g_hash_table_lookup (samples->lists, key);

  if (!list)
    {
      char *copy = g_strdup (key);

      list = g_array_new (FALSE, FALSE, sizeof (double));
      g_ptr_array_add (samples->keys, copy);
      g_hash_table_insert (samples->lists, copy, list);
    }
  g_array_append_val (list, value);
}

const char *
bench_samples_get_key (BenchSamples *samples, guint index)
{
  return index < samples->keys->len ? samples->keys->pdata[index] : NULL;
}

double
bench_samples_get_median (BenchSamples *samples, const char *key)
{
  GArray *list = g_hash_table_lookup (samples->lists, key);

  return list ? bench_median (list) : -1;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return (left > right) - (left < right);
}

double
bench_median (GArray *doubles)
{
  guint middle = doubles->len / 2;

  g_array_sort (doubles, compare_doubles);
  if (doubles->len % 2 == 1)
    return g_array_index (doubles, double, middle);
  return (g_array_index (doubles, double, middle - 1) +
          g_array_index (doubles, double, middle)) /
         2;
}
