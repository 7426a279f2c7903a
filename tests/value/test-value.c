/* SPDX-License-Identifier: MIT */
/* Values: what is put in comes out, what does not fit is said, what is equal is equal.
 * Arrays have test-value-array.c, printing test-print.c. */
#include "malt-test.h"
#include "value/malt-float.h"

#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* Scalars */

static void
integers_of_all_kinds_come_back (void)
{
  g_autoptr (MaltValue) i8 = malt_value_new_int8 (G_MININT8);
  g_autoptr (MaltValue) u8 = malt_value_new_uint8 (G_MAXUINT8);
  g_autoptr (MaltValue) i16 = malt_value_new_int16 (G_MININT16);
  g_autoptr (MaltValue) u16 = malt_value_new_uint16 (G_MAXUINT16);
  g_autoptr (MaltValue) i32 = malt_value_new_int32 (G_MININT32);
  g_autoptr (MaltValue) u32 = malt_value_new_uint32 (G_MAXUINT32);
  g_autoptr (MaltValue) i64 = malt_value_new_int64 (G_MININT64);
  g_autoptr (MaltValue) u64 = malt_value_new_uint64 (G_MAXUINT64);

  malt_assert_int (malt_value_get_int64 (i8), G_MININT8);
  malt_assert_int (malt_value_get_int64 (u8), G_MAXUINT8);
  malt_assert_int (malt_value_get_int64 (i16), G_MININT16);
  malt_assert_int (malt_value_get_int64 (u16), G_MAXUINT16);
  malt_assert_int (malt_value_get_int64 (i32), G_MININT32);
  malt_assert_int (malt_value_get_int64 (u32), G_MAXUINT32);
  malt_assert_int (malt_value_get_int64 (i64), G_MININT64);
  malt_assert (malt_value_get_uint64 (u64) == G_MAXUINT64);
  malt_assert (malt_value_get_double (u64) == 18446744073709551616.0);
  malt_assert_int (malt_value_get_int64 (malt_value_new_bool (TRUE)), 1);
  malt_assert (malt_value_is_integer (malt_value_new_bool (TRUE)));
}

static void
halves_of_wide_integers_come_back (void)
{
  g_autoptr (MaltValue) least = malt_value_new_int128 (G_MININT64, 0);
  g_autoptr (MaltValue) most = malt_value_new_uint128 (G_MAXUINT64, 7);
  g_autoptr (MaltValue) minus_two = malt_value_new_int64 (-2);
  gint64 high = 0;
  guint64 low = 0;

  malt_value_get_int128 (least, &high, &low);
  malt_assert (high == G_MININT64 && low == 0);
  malt_value_get_int128 (most, &high, &low);
  malt_assert (high == -1 && low == 7);
  malt_value_get_int128 (minus_two, &high, &low);
  malt_assert (high == -1 && low == (guint64) -2);
  malt_assert (malt_value_get_double (least) == -0x1p127);
}

static void
numbers_that_do_not_fit_are_errors (void)
{
  g_autoptr (MaltValue) wide = malt_value_new_int128 (1, 0);
  g_autoptr (MaltValue) negative = malt_value_new_int8 (-1);
  g_autoptr (MaltValue) just = malt_value_new_int128 (-1, G_GUINT64_CONSTANT (1) << 63);
  g_autoptr (GError) error = NULL;
  gint64 number = 5;
  guint64 size = 5;

  malt_assert (!malt_value_as_int64 (wide, &number, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert (number == 5);
  g_clear_error (&error);
  malt_assert (!malt_value_as_uint64 (negative, &size, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert (malt_value_as_int64 (just, &number, NULL) && number == G_MININT64);
}

static void
values_of_another_kind_are_errors (void)
{
  g_autoptr (MaltValue) text = malt_value_new_string ("x");
  g_autoptr (GError) error = NULL;
  gboolean truth;
  gint64 number;
  guint64 size;
  gdouble real;

  malt_assert (!malt_value_as_bool (text, &truth, NULL));
  malt_assert (!malt_value_as_int64 (text, &number, NULL));
  malt_assert (!malt_value_as_uint64 (text, &size, NULL));
  malt_assert (!malt_value_as_double (text, &real, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert_string (error->message,
                      "expected a real number, got a value of type String");
  g_clear_error (&error);
  malt_assert (malt_value_as_string (malt_value_new_nothing (), &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert_critical (malt_value_get_int64 (text));
  malt_assert_critical (malt_value_get_string (malt_value_new_nothing (), NULL));
}

static void
floats_come_back (void)
{
  g_autoptr (MaltValue) half = malt_value_new_float16 (1.5f);
  g_autoptr (MaltValue) tiny = malt_value_new_float16 (0x1p-24f);
  g_autoptr (MaltValue) rounded = malt_value_new_float16 (2049.0f);
  g_autoptr (MaltValue) huge = malt_value_new_float16 (65520.0f);
  g_autoptr (MaltValue) single = malt_value_new_float32 (0.1f);
  g_autoptr (MaltValue) wide = malt_value_new_double (-0.0);

  malt_assert (malt_value_get_double (half) == 1.5);
  malt_assert (malt_value_get_double (tiny) == 0x1p-24);
  malt_assert (malt_value_get_double (rounded) == 2048.0);
  malt_assert (malt_value_get_double (huge) == INFINITY);
  malt_assert (malt_value_get_double (single) == (gdouble) 0.1f);
  malt_assert (malt_has_minus (malt_value_get_double (wide)));
}

static void
all_float16_survive_a_round_trip (void)
{
  for (guint bits = 0; bits <= 0xffff; bits++)
    {
      gdouble number = malt_float16_to_double ((guint16) bits);
      gboolean is_nan = (bits & 0x7fff) > 0x7c00;

      if (is_nan ? !malt_is_nan (number) : malt_float16_from_double (number) != bits)
        MALT_TEST_FAIL ("Float16 0x%04x became %g", bits, number);
    }
  CU_PASS ("");
}

static void
characters_come_back (void)
{
  const gunichar code_points[] = { 0,     'a',    0x7f,   0x80,    0x7ff,
                                   0x800, 0xd800, 0xffff, 0x10000, 0x10ffff };
  g_autoptr (MaltValue) malformed = malt_value_new_char_bits (0xff000000);

  for (gsize i = 0; i < G_N_ELEMENTS (code_points); i++)
    {
      g_autoptr (MaltValue) value = malt_value_new_char (code_points[i]);

      malt_assert_int (malt_value_get_char (value), code_points[i]);
    }
  malt_assert_int (malt_value_get_char (malformed), 0xfffd);
  malt_assert_int (malt_value_get_char_bits (malformed), 0xff000000);
  malt_assert_critical (malt_value_new_char (0x110000));
}

static void
strings_hold_any_bytes (void)
{
  g_autoptr (MaltValue) value = malt_value_new_string_len ("a\0\xff", 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = malt_value_dup_bytes (value);
  g_autofree char *valid = malt_value_dup_string (value);
  gsize n_bytes = 0;
  const char *text = malt_value_get_string (value, &n_bytes);

  malt_assert (n_bytes == 3 && memcmp (text, "a\0\xff", 4) == 0);
  malt_assert_int (g_bytes_get_size (bytes), 3);
  malt_assert_string (valid, "a\357\277\275\357\277\275");
  malt_assert (malt_value_as_string (value, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
}

static void
bytes_outlive_their_value (void)
{
  MaltValue *value = malt_value_new_string ("text");
  g_autoptr (GBytes) bytes = malt_value_dup_bytes (value);

  malt_value_unref (value);
  malt_assert (memcmp (g_bytes_get_data (bytes, NULL), "text", 4) == 0);
}

/* Containers */

static void
parts_of_tuples_and_pairs_come_back (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) text = malt_value_new_string ("x");
  MaltValue *const values[] = { one, text };
  g_autoptr (MaltValue) tuple = malt_value_new_tuple (values, 2);
  g_autoptr (MaltValue) pair = malt_value_new_pair (one, text);
  g_autoptr (MaltValue) empty = malt_value_new_tuple (NULL, 0);
  g_autoptr (MaltValue) child = malt_value_dup_child (tuple, 1);
  g_autoptr (MaltValue) second = malt_value_dup_field (pair, "second");

  malt_assert_int (malt_value_get_n_children (tuple), 2);
  malt_assert (child == text && second == text);
  malt_assert_string (malt_value_get_type_name (tuple), "Tuple{Int64, String}");
  malt_assert_string (malt_value_get_type_name (pair), "Pair{Int64, String}");
  malt_assert_string (malt_value_get_type_name (empty), "Tuple{}");
  malt_assert (malt_value_dup_field (pair, "third") == NULL);
  malt_assert_critical (malt_value_dup_child (tuple, 2));
}

static void
named_tuples_have_names (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  MaltValue *const values[] = { one, one };
  const char *const names[] = { "a", "b" };
  const char *const same[] = { "a", "a" };
  g_autoptr (MaltValue) value = malt_value_new_named_tuple (names, values, 2);
  g_autoptr (MaltValue) field = malt_value_dup_field (value, "b");

  malt_assert_string (malt_value_get_name (value, 1), "b");
  malt_assert (field == one);
  malt_assert_string (malt_value_get_type_name (value),
                      "NamedTuple{(:a, :b), Tuple{Int64, Int64}}");
  malt_assert_critical (malt_value_new_named_tuple (same, values, 2));
}

static void
entries_of_dictionaries_are_found (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) narrow = malt_value_new_int8 (1);
  g_autoptr (MaltValue) text = malt_value_new_string ("x");
  g_autoptr (MaltValue) symbol = malt_value_new_symbol ("y");
  MaltValue *const keys[] = { one, text, symbol };
  MaltValue *const values[] = { text, one, symbol };
  g_autoptr (MaltValue) dict = malt_value_new_dict (NULL, keys, values, 3);
  g_autoptr (MaltValue) by_number = malt_value_lookup (dict, narrow);
  g_autoptr (MaltValue) by_string = malt_value_lookup_string (dict, "x");
  g_autoptr (MaltValue) by_symbol = malt_value_lookup_string (dict, "y");
  g_autoptr (MaltValue) key = malt_value_dup_key (dict, 1);

  malt_assert_int (malt_value_get_n_children (dict), 3);
  malt_assert_string (malt_value_get_type_name (dict), "Dict{Any, Any}");
  malt_assert (by_number == text && by_string == one && by_symbol == symbol &&
               key == text);
  malt_assert (malt_value_lookup_string (dict, "z") == NULL);
}

static void
structs_have_a_type_and_fields (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  MaltValue *const values[] = { one, malt_value_new_undef () };
  const char *const names[] = { "a", "b" };
  g_autoptr (MaltValue) value = malt_value_new_struct ("P", names, values, 2);
  g_autoptr (MaltValue) field = malt_value_dup_field (value, "a");
  g_autofree char *text = malt_value_to_string (value);

  malt_assert_string (malt_value_get_type_name (value), "P");
  malt_assert (field == one);
  malt_assert_string (text, "P(1, #undef)");
}

static void
rationals_are_in_lowest_terms (void)
{
  g_autoptr (MaltValue) six = malt_value_new_int64 (6);
  g_autoptr (MaltValue) minus_four = malt_value_new_int64 (-4);
  g_autoptr (MaltValue) zero = malt_value_new_int64 (0);
  g_autoptr (MaltValue) least = malt_value_new_int64 (G_MININT64);
  g_autoptr (MaltValue) three = malt_value_new_int64 (3);
  g_autoptr (MaltValue) value = malt_value_new_rational (six, minus_four);
  g_autoptr (MaltValue) infinite = malt_value_new_rational (minus_four, zero);
  g_autofree char *text = malt_value_to_string (value);
  g_autofree char *infinite_text = malt_value_to_string (infinite);

  malt_assert_string (text, "-3//2");
  malt_assert_string (infinite_text, "-1//0");
  malt_assert (malt_value_get_double (value) == -1.5);
  malt_assert_critical (malt_value_new_rational (zero, zero));
  malt_assert_critical (malt_value_new_rational (three, least));
}

static void
parts_that_cannot_be_are_callers_mistakes (void)
{
  g_autoptr (MaltValue) text = malt_value_new_string ("x");
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) real = malt_value_new_double (1);
  MaltValue *const undef[] = { malt_value_new_undef () };

  malt_assert_critical (malt_value_new_complex (text, text));
  malt_assert_critical (malt_value_new_complex (one, real));
  malt_assert_critical (malt_value_new_rational (real, real));
  malt_assert_critical (malt_value_new_tuple (undef, 1));
  malt_assert_critical (malt_value_new_set (NULL, undef, 1));
  malt_assert_critical (malt_value_new_range (one, NULL, real));
  malt_assert_critical (malt_value_new_range (text, NULL, text));
}

static void
nesting_is_bounded (void)
{
  g_autoptr (MaltValue) value = malt_value_new_tuple (NULL, 0);

  for (int i = 1; i < 250; i++)
    {
      MaltValue *inner = value;

      value = malt_value_new_tuple (&inner, 1);
      malt_value_unref (inner);
    }
  malt_assert (value != NULL);
  malt_assert_critical (malt_value_new_tuple (&value, 1));
}

static void
expressions_have_a_head_and_arguments (void)
{
  g_autoptr (MaltValue) plus = malt_value_new_symbol ("+");
  g_autoptr (MaltValue) x = malt_value_new_symbol ("x");
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) expr =
      malt_value_new_expr ("call", (MaltValue *[]){ plus, x, one }, 3);
  g_autoptr (MaltValue) last = malt_value_dup_child (expr, 2);
  g_autofree char *text = malt_value_to_string (expr);

  malt_assert_string (malt_value_get_head (expr), "call");
  malt_assert_int (malt_value_get_n_children (expr), 3);
  malt_assert (last == one);
  malt_assert_string (text, ":(x + 1)");
}

/* Equality */

static void
numbers_are_compared_by_what_they_are_worth (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) narrow = malt_value_new_uint8 (1);
  g_autoptr (MaltValue) real = malt_value_new_double (1);
  g_autoptr (MaltValue) large = malt_value_new_uint64 (G_MAXUINT64);
  g_autoptr (MaltValue) minus_one = malt_value_new_int64 (-1);
  g_autoptr (MaltValue) large_real = malt_value_new_double (18446744073709551616.0);
  g_autoptr (MaltValue) nan = malt_value_new_double ((gdouble) NAN);
  g_autoptr (MaltValue) other_nan = malt_value_new_float32 ((gfloat) -NAN);
  g_autoptr (MaltValue) zero = malt_value_new_double (0.0);
  g_autoptr (MaltValue) minus_zero = malt_value_new_double (-0.0);
  g_autoptr (MaltValue) integer_zero = malt_value_new_int64 (0);

  malt_assert (malt_value_equal (one, narrow) && malt_value_equal (one, real));
  malt_assert (malt_value_hash (one) == malt_value_hash (narrow));
  malt_assert (malt_value_hash (one) == malt_value_hash (real));
  malt_assert (malt_value_equal (one, malt_value_new_bool (TRUE)));
  malt_assert (!malt_value_equal (large, minus_one) &&
               !malt_value_equal (large, large_real));
  malt_assert (malt_value_equal (nan, other_nan));
  malt_assert (malt_value_hash (nan) == malt_value_hash (other_nan));
  malt_assert (!malt_value_equal (zero, minus_zero) &&
               malt_value_equal (zero, integer_zero));
  malt_assert (!malt_value_equal (minus_zero, integer_zero));
}

static void
order_does_not_matter_in_dictionaries_and_sets (void)
{
  MaltValue *keys[20];
  MaltValue *reversed[20];
  g_autoptr (MaltValue) set = NULL;
  g_autoptr (MaltValue) reversed_set = NULL;
  g_autoptr (MaltValue) dict = NULL;
  g_autoptr (MaltValue) reversed_dict = NULL;
  g_autoptr (MaltValue) other_dict = NULL;

  for (int i = 0; i < 20; i++)
    keys[i] = reversed[19 - i] = malt_value_new_int64 (i);
  set = malt_value_new_set (NULL, keys, 20);
  reversed_set = malt_value_new_set (NULL, reversed, 20);
  dict = malt_value_new_dict (NULL, keys, keys, 20);
  reversed_dict = malt_value_new_dict (NULL, reversed, reversed, 20);
  other_dict = malt_value_new_dict (NULL, keys, reversed, 20);
  for (int i = 0; i < 20; i++)
    malt_value_unref (keys[i]);
  malt_assert (malt_value_equal (set, reversed_set));
  malt_assert (malt_value_hash (set) == malt_value_hash (reversed_set));
  malt_assert (malt_value_equal (dict, reversed_dict));
  malt_assert (!malt_value_equal (dict, other_dict));
}

static void
strings_and_symbols_differ (void)
{
  g_autoptr (MaltValue) string = malt_value_new_string ("x");
  g_autoptr (MaltValue) symbol = malt_value_new_symbol ("x");
  g_autoptr (MaltValue) same = malt_value_new_string_len ("x", 1);

  malt_assert (!malt_value_equal (string, symbol) && malt_value_equal (string, same));
  malt_assert (!malt_value_equal (malt_value_new_nothing (), malt_value_new_missing ()));
}

/* Names of types */

static void
check_canonical (const char *text, const char *expected)
{
  g_autofree char *canonical = malt_type_text_canonical (text);

  malt_assert_string (canonical, expected);
}

static void
names_of_types_are_those_of_newer_julia (void)
{
  check_canonical ("Int64", "Int64");
  check_canonical ("Dict{String,Int64}", "Dict{String, Int64}");
  check_canonical ("Dict{String, Int64}", "Dict{String, Int64}");
  check_canonical ("Array{Float64,1}", "Vector{Float64}");
  check_canonical ("Array{Array{Int8,2},1}", "Vector{Matrix{Int8}}");
  check_canonical ("Array{Float64,3}", "Array{Float64, 3}");
  check_canonical ("MyArray{Float64,1}", "MyArray{Float64, 1}");
  check_canonical ("Complex{Float64}", "ComplexF64");
  check_canonical ("Union{Missing, Array{T,1} where T}",
                   "Union{Missing, Vector{T} where T}");
  check_canonical ("NamedTuple{(:a, :b),Tuple{Int64,String}}",
                   "NamedTuple{(:a, :b), Tuple{Int64, String}}");
  check_canonical ("Val{Symbol(\"a,{b\")}", "Val{Symbol(\"a,{b\")}");
  check_canonical ("Val{','}", "Val{','}");
  check_canonical ("Broken{Int,", "Broken{Int, ");
  check_canonical ("}},{", "}},{");
  check_canonical ("", "");
}

static void
parameters_of_types_are_found (void)
{
  g_autofree char *first =
      malt_type_text_dup_parameter ("Dict{Tuple{Int, Int}, Char}", 0);
  g_autofree char *second =
      malt_type_text_dup_parameter ("Dict{Tuple{Int, Int}, Char}", 1);

  malt_assert_string (first, "Tuple{Int, Int}");
  malt_assert_string (second, "Char");
  malt_assert (malt_type_text_dup_parameter ("Dict{Tuple{Int, Int}, Char}", 2) == NULL);
  malt_assert (malt_type_text_dup_parameter ("Tuple{}", 0) == NULL);
  malt_assert (malt_type_text_dup_parameter ("Int", 0) == NULL);
}

static gpointer
ask_for_type_name (gpointer data)
{
  return (gpointer) malt_value_get_type_name (data);
}

static void
threads_get_the_same_name (void)
{
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) pair = malt_value_new_pair (one, one);
  GThread *threads[4];
  const char *name = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("name", ask_for_type_name, pair);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      const char *found = g_thread_join (threads[i]);

      if (name != NULL && found != name)
        MALT_TEST_FAIL ("two names");
      name = found;
    }
  malt_assert_string (name, "Pair{Int64, Int64}");
}

static CU_TestInfo scalar_tests[] = {
  MALT_TEST (integers_of_all_kinds_come_back),
  MALT_TEST (halves_of_wide_integers_come_back),
  MALT_TEST (numbers_that_do_not_fit_are_errors),
  MALT_TEST (values_of_another_kind_are_errors),
  MALT_TEST (floats_come_back),
  MALT_TEST (all_float16_survive_a_round_trip),
  MALT_TEST (characters_come_back),
  MALT_TEST (strings_hold_any_bytes),
  MALT_TEST (bytes_outlive_their_value),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo container_tests[] = {
  MALT_TEST (parts_of_tuples_and_pairs_come_back),
  MALT_TEST (named_tuples_have_names),
  MALT_TEST (entries_of_dictionaries_are_found),
  MALT_TEST (structs_have_a_type_and_fields),
  MALT_TEST (rationals_are_in_lowest_terms),
  MALT_TEST (parts_that_cannot_be_are_callers_mistakes),
  MALT_TEST (nesting_is_bounded),
  MALT_TEST (expressions_have_a_head_and_arguments),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo equality_tests[] = {
  MALT_TEST (numbers_are_compared_by_what_they_are_worth),
  MALT_TEST (order_does_not_matter_in_dictionaries_and_sets),
  MALT_TEST (strings_and_symbols_differ),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo type_tests[] = {
  MALT_TEST (names_of_types_are_those_of_newer_julia),
  MALT_TEST (parameters_of_types_are_found),
  MALT_TEST (threads_get_the_same_name),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "scalars", NULL, NULL, NULL, NULL, scalar_tests },
    { "containers", NULL, NULL, NULL, NULL, container_tests },
    { "equality", NULL, NULL, NULL, NULL, equality_tests },
    { "names of types", NULL, NULL, NULL, NULL, type_tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
