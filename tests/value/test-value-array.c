/* SPDX-License-Identifier: MIT */
/* Values that are arrays and ranges: their elements, their memory, and what does not fit. */
#include "malt-test.h"

#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* Arrays */

static void
arrays_give_elements_and_memory (void)
{
  const gsize dims[] = { 2, 3 };
  const gint32 numbers[] = { 1, 2, 3, 4, 5, -6 };
  g_autoptr (MaltValue) value =
      malt_value_new_array (MALT_VALUE_INT32, dims, 2, numbers, sizeof numbers);
  g_autoptr (MaltValue) last = malt_value_dup_child (value, 5);
  g_autoptr (GBytes) bytes = malt_value_dup_bytes (value);
  gsize n_bytes = 0;
  gsize n_dims = 0;
  const gint32 *data = malt_value_get_array_data (value, &n_bytes);

  malt_assert (malt_value_is_bits_array (value));
  malt_assert_int (malt_value_get_n_children (value), 6);
  malt_assert_int (malt_value_get_n_dims (value), 2);
  malt_assert_int (malt_value_get_dims (value, &n_dims)[1], 3);
  malt_assert_int (n_dims, 2);
  malt_assert_int (n_bytes, sizeof numbers);
  malt_assert_int (data[5], -6);
  malt_assert_int (malt_value_get_int64 (last), -6);
  malt_assert_int (malt_value_get_element_kind (value), MALT_VALUE_INT32);
  malt_assert_int (malt_value_get_element_size (value), 4);
  malt_assert_string (malt_value_get_element_type_name (value), "Int32");
  malt_assert_string (malt_value_get_type_name (value), "Matrix{Int32}");
  malt_assert_int (g_bytes_get_size (bytes), sizeof numbers);
}

static void
arrays_of_bytes_are_not_copied (void)
{
  const gsize n = 2;
  static const gdouble numbers[] = { 1, 2 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (numbers, sizeof numbers);
  g_autoptr (MaltValue) value =
      malt_value_new_array_from_bytes (MALT_VALUE_FLOAT64, &n, 1, bytes, NULL);

  malt_assert (malt_value_get_array_data (value, NULL) == (gconstpointer) numbers);
}

static void
arrays_that_do_not_fit_are_errors (void)
{
  const gsize two = 2;
  const gsize large[] = { G_MAXSIZE / 2, 4 };
  gsize many[33];
  g_autoptr (GBytes) bytes = g_bytes_new ("\1\2", 2);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = 1;
  malt_assert (
      !malt_value_new_array_from_bytes (MALT_VALUE_INT16, &two, 1, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  malt_assert (
      !malt_value_new_array_from_bytes (MALT_VALUE_INT8, large, 2, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  malt_assert (
      !malt_value_new_array_from_bytes (MALT_VALUE_INT8, many, 33, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  malt_assert (
      !malt_value_new_array_from_bytes (MALT_VALUE_BOOL, &two, 1, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  malt_assert (
      !malt_value_new_array_from_bytes (MALT_VALUE_STRING, &two, 1, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  malt_assert_critical (malt_value_new_array (MALT_VALUE_INT16, &two, 1, "xy", 2));
}

static void
complex_arrays_have_complex_elements (void)
{
  const gsize n = 1;
  const gfloat numbers[] = { 1, -2 };
  g_autoptr (GBytes) bytes = g_bytes_new (numbers, sizeof numbers);
  g_autoptr (MaltValue) value =
      malt_value_new_complex_array_from_bytes (MALT_VALUE_FLOAT32, &n, 1, bytes, NULL);
  g_autoptr (MaltValue) element = malt_value_dup_child (value, 0);
  g_autoptr (MaltValue) imaginary = malt_value_dup_field (element, "im");
  g_autoptr (GError) error = NULL;

  malt_assert (malt_value_get_double (imaginary) == -2);
  malt_assert_string (malt_value_get_type_name (value), "Vector{ComplexF32}");
  malt_assert (
      !malt_value_new_complex_array_from_bytes (MALT_VALUE_CHAR, &n, 1, bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

static void
arrays_of_values_may_have_gaps (void)
{
  const gsize n = 2;
  g_autoptr (MaltValue) text = malt_value_new_string ("x");
  MaltValue *const values[] = { text, malt_value_new_undef () };
  g_autoptr (MaltValue) value = malt_value_new_value_array ("String", &n, 1, values, 2);
  g_autofree char *printed = malt_value_to_string (value);

  malt_assert (!malt_value_is_bits_array (value));
  malt_assert_string (printed, "[\"x\", #undef]");
  malt_assert_critical (malt_value_new_value_array (NULL, &n, 1, values, 1));
}

static void
an_array_without_dimensions_has_one_element (void)
{
  const gint64 number = 7;
  g_autoptr (MaltValue) value =
      malt_value_new_array (MALT_VALUE_INT64, NULL, 0, &number, sizeof number);

  malt_assert_int (malt_value_get_n_children (value), 1);
  malt_assert_int (malt_value_get_n_dims (value), 0);
  malt_assert_string (malt_value_get_type_name (value), "Array{Int64, 0}");
}

/* Ranges */

static MaltValue *
new_range (gint64 first, gint64 step, gint64 last)
{
  g_autoptr (MaltValue) first_value = malt_value_new_int64 (first);
  g_autoptr (MaltValue) step_value = malt_value_new_int64 (step);
  g_autoptr (MaltValue) last_value = malt_value_new_int64 (last);

  return malt_value_new_range (first_value, step == 0 ? NULL : step_value, last_value);
}

static void
check_range (gint64 first, gint64 step, gint64 last, gsize length, const char *text)
{
  g_autoptr (MaltValue) range = new_range (first, step, last);
  g_autofree char *printed = malt_value_to_string (range);

  malt_assert_int (malt_value_get_range_length (range), length);
  malt_assert_string (printed, text);
}

static void
ranges_end_where_their_steps_do (void)
{
  check_range (1, 0, 3, 3, "1:3");
  check_range (5, 0, 2, 0, "5:4");
  check_range (1, 2, 10, 5, "1:2:9");
  check_range (10, -3, 0, 4, "10:-3:1");
  check_range (1, -1, 5, 0, "1:-1:2");
  check_range (G_MININT64, G_MAXINT64, G_MAXINT64, 3,
               "-9223372036854775808:9223372036854775807:9223372036854775806");
}

static void
check_float_range (gdouble first, gdouble step, gdouble last, gsize length, gsize index,
                   gdouble element)
{
  g_autoptr (MaltValue) first_value = malt_value_new_double (first);
  g_autoptr (MaltValue) step_value = malt_value_new_double (step);
  g_autoptr (MaltValue) last_value = malt_value_new_double (last);
  g_autoptr (MaltValue) range =
      malt_value_new_range (first_value, step_value, last_value);
  g_autoptr (MaltValue) child = NULL;

  malt_assert_int (malt_value_get_range_length (range), length);
  if (length == 0)
    return;
  child = malt_value_dup_child (range, index);
  malt_assert (malt_value_get_double (child) == element);
}

/* What `collect` gives in Julia. */
static void
ranges_of_floats_have_the_elements_of_julia (void)
{
  check_float_range (0.0, 0.1, 1.0, 11, 3, 0.3);
  check_float_range (0.1, 0.1, 0.9, 9, 2, 0.3);
  check_float_range (0.1, 0.1, 0.9, 9, 6, 0.7);
  check_float_range (1.0, 0.5, 3.2, 5, 4, 3.0);
  check_float_range (1.0, -0.25, 0.0, 5, 1, 0.75);
  check_float_range (1.0, 1.0, 0.0, 0, 0, 0);
  check_float_range (0.0, 0.7, 7.0, 11, 7, 4.9);
}

static void
ranges_of_characters_have_characters (void)
{
  g_autoptr (MaltValue) a = malt_value_new_char ('a');
  g_autoptr (MaltValue) z = malt_value_new_char ('z');
  g_autoptr (MaltValue) range = malt_value_new_range (a, NULL, z);
  g_autoptr (MaltValue) third = malt_value_dup_child (range, 2);

  malt_assert_int (malt_value_get_range_length (range), 26);
  malt_assert_int (malt_value_get_char (third), 'c');
  malt_assert_int (malt_value_get_range_form (range), MALT_RANGE_STEP);
}

static void
a_range_equals_the_vector_of_its_elements (void)
{
  const gsize n = 3;
  const gint32 numbers[] = { 1, 2, 3 };
  g_autoptr (MaltValue) range = new_range (1, 0, 3);
  g_autoptr (MaltValue) stepped = new_range (1, 2, 3);
  g_autoptr (MaltValue) array =
      malt_value_new_array (MALT_VALUE_INT32, &n, 1, numbers, sizeof numbers);

  malt_assert (malt_value_equal (range, array) && malt_value_equal (array, range));
  malt_assert (malt_value_hash (range) == malt_value_hash (array));
  malt_assert (!malt_value_equal (stepped, array) && !malt_value_equal (stepped, range));
}

static CU_TestInfo array_tests[] = {
  MALT_TEST (arrays_give_elements_and_memory),
  MALT_TEST (arrays_of_bytes_are_not_copied),
  MALT_TEST (arrays_that_do_not_fit_are_errors),
  MALT_TEST (complex_arrays_have_complex_elements),
  MALT_TEST (arrays_of_values_may_have_gaps),
  MALT_TEST (an_array_without_dimensions_has_one_element),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo range_tests[] = {
  MALT_TEST (ranges_end_where_their_steps_do),
  MALT_TEST (ranges_of_floats_have_the_elements_of_julia),
  MALT_TEST (ranges_of_characters_have_characters),
  MALT_TEST (a_range_equals_the_vector_of_its_elements),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "arrays", NULL, NULL, NULL, NULL, array_tests },
    { "ranges", NULL, NULL, NULL, NULL, range_tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
