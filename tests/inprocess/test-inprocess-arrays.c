/* SPDX-License-Identifier: MIT */
/* Arrays without copies: Julia's memory in the host, and the host's in Julia. */
#include "inprocess-test.h"

#include <string.h>

#define BULK_ELEMENTS 6250000 /* of Float64: 50 MB */
#define BULK_BYTES ((gint64) BULK_ELEMENTS * 8)
#define COLLECT "for i in 1:5; GC.gc(); end; 0"

/* Finalizers run when Julia collects, and a reference that goes travels through the queue
 * of the Julia thread before that. */
#define SETTLE_ROUNDS 20

static MaltWorker *
get_worker (void)
{
  static MaltWorker *worker;

  if (worker == NULL)
    worker = inprocess_test_launch (NULL);
  return worker;
}

static gint64
eval_int (const char *source)
{
  return inprocess_test_eval_int (get_worker (), source);
}

static gint64 eval_int_format (const char *format, ...) G_GNUC_PRINTF (1, 2);

static gint64
eval_int_format (const char *format, ...)
{
  g_autofree char *source = NULL;
  va_list arguments;

  va_start (arguments, format);
  source = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return eval_int (source);
}

static gboolean
becomes (const char *source, gint64 expected)
{
  gint64 seen = G_MININT64;

  for (int i = 0; i < SETTLE_ROUNDS && seen != expected; i++)
    {
      eval_int (COLLECT);
      seen = eval_int (source);
    }
  if (seen != expected)
    g_printerr ("\n      %s: %" G_GINT64_FORMAT " expected; seen: %" G_GINT64_FORMAT "\n",
                source, expected, seen);
  return seen == expected;
}

static double
sum_of (MaltValue *array)
{
  gsize n_bytes = 0;
  const double *numbers = malt_value_get_array_data (array, &n_bytes);
  double sum = 0;

  for (gsize i = 0; i < n_bytes / sizeof *numbers; i++)
    sum += numbers[i];
  return sum;
}

/* Julia's memory in the host */

static void
fetched_array_is_julias_own_memory (void)
{
  g_autoptr (MaltValue) array = NULL;
  gsize n_bytes = 0;
  gconstpointer data;

  malt_assert (get_worker () != NULL);
  malt_assert_int (eval_int_format ("bulk = collect(1.0:%d); 0", BULK_ELEMENTS), 0);
  array = inprocess_test_eval_value (get_worker (), "bulk");
  malt_assert (array != NULL);
  data = malt_value_get_array_data (array, &n_bytes);
  malt_assert_int (n_bytes, BULK_BYTES);
  malt_assert_int (eval_int ("UInt(pointer(bulk))"), (guintptr) data);
  malt_assert_int (eval_int ("bulk[1] = 17.0; 0"), 0);
  malt_assert (((const double *) data)[0] == 17.0);
}

static void
fetched_array_stays_when_julia_has_dropped_it (void)
{
  const double expected = (double) BULK_ELEMENTS * (BULK_ELEMENTS + 1.0) / 2;
  g_autoptr (MaltValue) array = NULL;

  malt_assert (get_worker () != NULL);
  malt_assert_int (eval_int_format ("dropped = collect(1.0:%d); 0", BULK_ELEMENTS), 0);
  array = inprocess_test_eval_value (get_worker (), "dropped");
  malt_assert (array != NULL);
  malt_assert_int (eval_int ("dropped = nothing; 0"), 0);
  for (int i = 0; i < 10; i++)
    malt_assert_int (eval_int ("GC.gc(); length([zeros(1000) for i in 1:1000])"), 1000);
  malt_assert (sum_of (array) == expected);
}

static void
fetched_array_outlives_its_worker (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch ("module=new", NULL);
  g_autoptr (MaltValue) array = NULL;

  malt_assert (worker != NULL);
  array = inprocess_test_eval_value (worker, "collect(1.0:100_000)");
  malt_assert (array != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  g_clear_object (&worker);
  malt_assert_int (eval_int (COLLECT), 0);
  malt_assert_int (eval_int ("sum(length(zeros(100_000)) for i in 1:50)"), 5000000);
  malt_assert (sum_of (array) == 100000.0 * 100001.0 / 2);
}

static gpointer
drop (gpointer array)
{
  malt_value_unref (array);
  return NULL;
}

static gpointer
drop_bytes (gpointer bytes)
{
  g_bytes_unref (bytes);
  return NULL;
}

/* From Julia 1.11 on an array only refers to what has its memory. */
#define WATCHED                                                                      \
  "watched = zeros(100_000); finalizer(a -> (global n_freed += 1), isdefined(Core, " \
  ":GenericMemory) ? watched.ref.mem : watched); watched"

static void
array_is_freed_after_the_last_reference_whichever_thread_drops_it (void)
{
  MaltValue *array;
  GBytes *bytes;

  malt_assert (get_worker () != NULL);
  malt_assert_int (eval_int ("n_freed = 0"), 0);
  array = inprocess_test_eval_value (get_worker (), WATCHED);
  malt_assert (array != NULL);
  malt_assert_int (eval_int ("watched = nothing; 0"), 0);
  bytes = malt_value_dup_bytes (array);
  g_thread_join (g_thread_new ("drop", drop, array));
  malt_assert_int (eval_int (COLLECT), 0);
  malt_assert_int (eval_int ("n_freed"), 0);
  g_thread_join (g_thread_new ("drop", drop_bytes, bytes));
  malt_assert (becomes ("n_freed", 1));
}

static void
memory_of_arrays_comes_back (void)
{
  gint64 before;
  gint64 after = G_MAXINT64;

  malt_assert (get_worker () != NULL);
  malt_assert_int (eval_int ("bulk = nothing; " COLLECT), 0);
  before = eval_int ("Base.gc_live_bytes()");
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (MaltValue) array =
          inprocess_test_eval_value (get_worker (), "zeros(6_250_000)");

      malt_assert (array != NULL);
    }
  for (int i = 0; i < SETTLE_ROUNDS && after > before + BULK_BYTES / 10; i++)
    {
      malt_assert_int (eval_int (COLLECT), 0);
      after = eval_int ("Base.gc_live_bytes()");
    }
  malt_assert (after <= before + BULK_BYTES / 10);
}

/* Its memory must not move while the host reads it. From 1.11 on a Vector that grows
 * takes new memory and leaves the old. */
static void
lent_vector_is_not_resized_under_the_host (void)
{
  g_autoptr (MaltValue) array = NULL;
  g_autoptr (MaltValue) pushed = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_old;

  malt_assert (get_worker () != NULL);
  is_old = eval_int ("Int(VERSION < v\"1.11-\")") == 1;
  array = inprocess_test_eval_value (get_worker (), "lent = ones(100_000)");
  malt_assert (array != NULL);
  pushed = malt_worker_remote_eval_fetch (
      get_worker (), NULL, "for i in 1:100_000; push!(lent, 2.0); end", NULL, &error);
  if (is_old)
    {
      malt_assert (pushed == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
    }
  malt_assert_int (eval_int ("lent = nothing; " COLLECT), 0);
  malt_assert (sum_of (array) == 100000.0);
}

static void
small_arrays_are_copies (void)
{
  g_autoptr (MaltValue) array = NULL;

  malt_assert (get_worker () != NULL);
  array = inprocess_test_eval_value (get_worker (), "small = [1.0, 2.0, 3.0]");
  malt_assert (array != NULL);
  malt_assert_int (eval_int ("small[1] = 100.0; push!(small, 4.0); length(small)"), 4);
  malt_assert (sum_of (array) == 6.0);
}

static void
array_inside_of_a_container_is_lent_too (void)
{
  g_autoptr (MaltValue) tuple = NULL;
  g_autoptr (MaltValue) array = NULL;

  malt_assert (get_worker () != NULL);
  tuple = inprocess_test_eval_value (get_worker (),
                                     "held = zeros(1000, 3); (\"name\", held, held)");
  malt_assert (tuple != NULL);
  array = malt_value_dup_child (tuple, 2);
  g_clear_pointer (&tuple, malt_value_unref);
  malt_assert_int (eval_int ("UInt(pointer(held))"),
                   (guintptr) malt_value_get_array_data (array, NULL));
}

/* Every element type and up to four dimensions, lent and copied. */
static const struct
{
  MaltValueKind kind;
  gsize size;
  const char *type;
} bits_types[] = {
  { MALT_VALUE_BOOL, 1, "Bool" },        { MALT_VALUE_INT8, 1, "Int8" },
  { MALT_VALUE_UINT8, 1, "UInt8" },      { MALT_VALUE_INT16, 2, "Int16" },
  { MALT_VALUE_UINT16, 2, "UInt16" },    { MALT_VALUE_INT32, 4, "Int32" },
  { MALT_VALUE_UINT32, 4, "UInt32" },    { MALT_VALUE_INT64, 8, "Int64" },
  { MALT_VALUE_UINT64, 8, "UInt64" },    { MALT_VALUE_INT128, 16, "Int128" },
  { MALT_VALUE_UINT128, 16, "UInt128" }, { MALT_VALUE_FLOAT16, 2, "Float16" },
  { MALT_VALUE_FLOAT32, 4, "Float32" },  { MALT_VALUE_FLOAT64, 8, "Float64" },
  { MALT_VALUE_CHAR, 4, "Char" },
};

static const gsize shapes[][4] = {
  { 24, 0, 0, 0 },   { 4, 6, 0, 0 },    { 2, 3, 4, 0 },
  { 2, 3, 2, 2 },    { 9000, 0, 0, 0 }, { 9000, 3, 0, 0 },
  { 300, 10, 9, 0 }, { 60, 15, 5, 6 },  { 0, 0, 0, 0 },
};

#define N_LARGE_FROM 4
#define N_SHAPES (G_N_ELEMENTS (shapes) - 1)

static guint
count_dims (const gsize *shape)
{
  guint n = 0;

  while (n < 4 && shape[n] > 0)
    n++;
  return n;
}

static void
check_array_of_julia (gsize type, const gsize *shape, gboolean is_large)
{
  guint n_dims = count_dims (shape);
  g_autofree char *source = g_strdup_printf (
      "shaped = reshape(%s[%s(i %% 2) for i in 1:%" G_GSIZE_FORMAT "], (%" G_GSIZE_FORMAT
      ", %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT ")[1:%u])",
      bits_types[type].type, bits_types[type].type,
      shape[0] * MAX (1, shape[1]) * MAX (1, shape[2]) * MAX (1, shape[3]), shape[0],
      shape[1], shape[2], shape[3], n_dims);
  g_autoptr (MaltValue) array = inprocess_test_eval_value (get_worker (), source);
  gsize n_seen = 0;
  const gsize *dims;
  const guint8 *data;

  malt_assert (array != NULL);
  dims = malt_value_get_dims (array, &n_seen);
  data = malt_value_get_array_data (array, NULL);
  malt_assert_int (malt_value_get_element_kind (array), bits_types[type].kind);
  malt_assert_int (malt_value_get_element_size (array), bits_types[type].size);
  malt_assert_int (n_seen, n_dims);
  malt_assert (memcmp (dims, shape, n_dims * sizeof *dims) == 0);
  if (is_large)
    malt_assert_int (eval_int ("UInt(pointer(shaped))"), (guintptr) data);
  malt_assert_int (eval_int_format ("Int(unsafe_load(Ptr{%s}(UInt(%" G_GUINTPTR_FORMAT
                                    "))) == shaped[1])",
                                    bits_types[type].type, (guintptr) data),
                   1);
}

static void
arrays_of_all_types_and_shapes_come (void)
{
  malt_assert (get_worker () != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bits_types); i++)
    for (gsize j = 0; j < N_SHAPES; j++)
      check_array_of_julia (i, shapes[j], j >= N_LARGE_FROM);
}

/* The host's memory in Julia */

static gint n_host_frees; /* atomic */

static void
free_counted (gpointer memory)
{
  g_atomic_int_inc (&n_host_frees);
  g_free (memory);
}

static gboolean
call_with (const char *function, MaltValue *argument, gint64 *out_number)
{
  g_autoptr (MaltCall) call = malt_call_new (function);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  malt_call_add_argument (call, argument);
  value = malt_worker_remote_call_fetch (get_worker (), call, NULL, &error);
  if (value != NULL && malt_value_as_int64 (value, out_number, &error))
    return TRUE;
  g_printerr ("\n      %s: %s\n", function, error->message);
  return FALSE;
}

static void
check_array_of_host (gsize type, const gsize *shape, gboolean is_large)
{
  guint n_dims = count_dims (shape);
  gsize n_bytes = bits_types[type].size;
  g_autofree char *function = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (MaltValue) array = NULL;
  gint64 address = 0;
  gint64 is_right = 0;

  for (guint i = 0; i < n_dims; i++)
    n_bytes *= shape[i];
  bytes = g_bytes_new_take (g_malloc0 (n_bytes), n_bytes);
  array =
      malt_value_new_array_from_bytes (bits_types[type].kind, shape, n_dims, bytes, NULL);
  malt_assert (array != NULL);
  function = g_strdup_printf (
      "a -> Int(a isa Array{%s,%u} && size(a) == (%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT
      ", %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT ")[1:%u] && all(==(a[1]), a))",
      bits_types[type].type, n_dims, shape[0], shape[1], shape[2], shape[3], n_dims);
  malt_assert (call_with (function, array, &is_right) && is_right == 1);
  malt_assert (call_with ("a -> UInt(pointer(a))", array, &address));
  if (is_large)
    malt_assert_int (address, (guintptr) g_bytes_get_data (bytes, NULL));
}

static void
arrays_of_all_types_and_shapes_go (void)
{
  malt_assert (get_worker () != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bits_types); i++)
    for (gsize j = 0; j < N_SHAPES; j++)
      check_array_of_host (i, shapes[j], j >= N_LARGE_FROM);
}

static MaltValue *
make_counted_array (gsize n)
{
  g_autoptr (GBytes) bytes = NULL;
  double *numbers = g_new (double, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (double) i;
  bytes =
      g_bytes_new_with_free_func (numbers, n * sizeof *numbers, free_counted, numbers);
  return malt_value_new_array_from_bytes (MALT_VALUE_FLOAT64, &n, 1, bytes, NULL);
}

static gboolean
is_freed (gpointer data)
{
  eval_int (COLLECT);
  return g_atomic_int_get (&n_host_frees) >= GPOINTER_TO_INT (data);
}

static void
array_of_the_host_is_freed_when_julia_has_collected_it (void)
{
  MaltValue *array;
  gint64 sum = 0;

  malt_assert (get_worker () != NULL);
  g_atomic_int_set (&n_host_frees, 0);
  array = make_counted_array (100000);
  malt_assert (call_with ("a -> (global kept = a; Int(sum(a)))", array, &sum));
  malt_assert_int (sum, G_GINT64_CONSTANT (99999) * 100000 / 2);
  malt_value_unref (array);
  malt_assert_int (eval_int (COLLECT), 0);
  malt_assert_int (g_atomic_int_get (&n_host_frees), 0);
  malt_assert_int (eval_int ("Int(sum(kept))"), sum);
  malt_assert_int (eval_int ("kept = nothing; 0"), 0);
  malt_assert (
      inprocess_test_until (is_freed, GINT_TO_POINTER (1), INPROCESS_DEADLINE_MS));
}

static void
array_of_the_host_outlives_the_worker_that_was_given_it (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltCall) call = malt_call_new ("a -> (global inherited = a; 0)");

  malt_assert (worker != NULL && get_worker () != NULL);
  g_atomic_int_set (&n_host_frees, 0);
  malt_call_take_argument (call, make_counted_array (1000));
  malt_assert (malt_worker_remote_call_wait (worker, call, NULL, NULL));
  g_clear_pointer (&call, malt_call_unref);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  g_clear_object (&worker);
  malt_assert_int (eval_int (COLLECT), 0);
  malt_assert_int (eval_int ("Int(sum(inherited))"), 999 * 1000 / 2);
  malt_assert_int (g_atomic_int_get (&n_host_frees), 0);
  malt_assert_int (eval_int ("inherited = nothing; 0"), 0);
  malt_assert (
      inprocess_test_until (is_freed, GINT_TO_POINTER (1), INPROCESS_DEADLINE_MS));
}

static void
array_of_the_host_comes_back_as_the_same_memory (void)
{
  g_autoptr (MaltValue) array = make_counted_array (5000);
  g_autoptr (MaltCall) call = malt_call_new ("identity");
  g_autoptr (MaltValue) back = NULL;

  malt_assert (get_worker () != NULL);
  malt_call_add_argument (call, array);
  back = malt_worker_remote_call_fetch (get_worker (), call, NULL, NULL);
  malt_assert (back != NULL);
  malt_assert (malt_value_get_array_data (back, NULL) ==
               malt_value_get_array_data (array, NULL));
}

static void
array_of_the_host_is_not_resized (void)
{
  g_autoptr (MaltValue) array = make_counted_array (5000);
  gint64 is_refused = 0;

  malt_assert (get_worker () != NULL);
  malt_assert (
      call_with ("a -> (n = length(a); try; for i in 1:10_000; push!(a, 1.0); "
                 "end; catch; end; Int(VERSION >= v\"1.11-\" || length(a) == n))",
                 array, &is_refused));
  malt_assert_int (is_refused, 1);
  malt_assert (sum_of (array) == 4999.0 * 5000.0 / 2);
}

static const CU_TestInfo tests[] = {
  MALT_TEST (fetched_array_is_julias_own_memory),
  MALT_TEST (fetched_array_stays_when_julia_has_dropped_it),
  MALT_TEST (fetched_array_outlives_its_worker),
  MALT_TEST (array_is_freed_after_the_last_reference_whichever_thread_drops_it),
  MALT_TEST (memory_of_arrays_comes_back),
  MALT_TEST (lent_vector_is_not_resized_under_the_host),
  MALT_TEST (small_arrays_are_copies),
  MALT_TEST (array_inside_of_a_container_is_lent_too),
  MALT_TEST (arrays_of_all_types_and_shapes_come),
  MALT_TEST (arrays_of_all_types_and_shapes_go),
  MALT_TEST (array_of_the_host_is_freed_when_julia_has_collected_it),
  MALT_TEST (array_of_the_host_outlives_the_worker_that_was_given_it),
  MALT_TEST (array_of_the_host_comes_back_as_the_same_memory),
  MALT_TEST (array_of_the_host_is_not_resized),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process arrays", tests, NULL);
}
