/* SPDX-License-Identifier: MIT */
/* Signatures of C functions: what parses, what does not and where, and values on their
 * way in and out. */
#include "ffi/malt-signature.h"
#include "malt-test.h"
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* The parser */

static void
check_parses (const char *text, const char *expected, guint n_arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltSignature) signature = malt_signature_parse (text, 2, &error);
  g_autofree char *again = NULL;

  if (signature == NULL)
    {
      MALT_TEST_FAIL ("%s: %s", text, error->message);
      return;
    }
  malt_assert_int (signature->n_arguments, n_arguments);
  malt_assert_int (signature->cif.nargs, n_arguments + 2);
  again = malt_signature_to_string (signature);
  malt_assert_string (again, expected);
}

static void
signatures_are_parsed (void)
{
  check_parses ("f64(f64,f64)", "f64(f64,f64)", 2);
  check_parses ("void()", "void()", 0);
  check_parses ("bool(bool,i8,u8,i16,u16,i32,u32,i64,u64,f32,f64)",
                "bool(bool,i8,u8,i16,u16,i32,u32,i64,u64,f32,f64)", 11);
  check_parses ("string(string)", "string(string)", 1);
  check_parses ("value(value,i64)", "value(value,i64)", 2);
  check_parses ("void(f64*,i64)", "void(f64*,i64)", 2);
  check_parses ("i64(bool*,i8*,u8*,i16*,u16*,i32*,u32*,i64*,u64*,f32*)",
                "i64(bool*,i8*,u8*,i16*,u16*,i32*,u32*,i64*,u64*,f32*)", 10);
  check_parses (" f64 (\tf64 * , i64\n) ", "f64(f64*,i64)", 2);
}

static void
a_signature_may_have_as_many_arguments_as_the_limit (void)
{
  g_autoptr (GString) text = g_string_new ("void(i8");

  for (int i = 1; i < MALT_SIGNATURE_MAX_ARGUMENTS; i++)
    g_string_append (text, ",i8");
  g_string_append_c (text, ')');
  check_parses (text->str, text->str, MALT_SIGNATURE_MAX_ARGUMENTS);
  g_string_insert (text, 5, "i8,");
  malt_assert (malt_signature_parse (text->str, 0, NULL) == NULL);
}

typedef struct
{
  const char *text;
  const char *expected; /* what the message says was expected */
  int at; /* and at which character */
} BadSignature;

static const BadSignature bad_signatures[] = {
  { "", "a type", 1 },
  { " ", "a type", 2 },
  { "(", "a type", 1 },
  { "()", "a type", 1 },
  { "f65()", "a type", 1 },
  { "F64()", "a type", 1 },
  { "int()", "a type", 1 },
  { "i128()", "a type", 1 },
  { "i64", "'('", 4 },
  { "i64 ", "'('", 5 },
  { "i64 i64()", "'('", 5 },
  { "i64)", "'('", 4 },
  { "i64[]", "'('", 4 },
  { "i64(", "a type", 5 },
  { "i64(,", "a type", 5 },
  { "i64(,)", "a type", 5 },
  { "i64(i64", "',' or ')'", 8 },
  { "i64(i64;i64)", "',' or ')'", 8 },
  { "i64(i64 i64)", "',' or ')'", 9 },
  { "i64(i64,", "a type", 9 },
  { "i64(i64,)", "a type", 9 },
  { "i64(i64))", "the end", 9 },
  { "i64()x", "the end", 6 },
  { "i64() -> i64", "the end", 7 },
  { "i64(void)", "an argument that is not void", 5 },
  { "i64(i8,void)", "an argument that is not void", 8 },
  { "f64*(i64)", "a result that is not a pointer", 1 },
  { "void*()", "no '*'", 5 },
  { "void(string*)", "no '*'", 12 },
  { "void(value *)", "no '*'", 12 },
  { "void(void*)", "no '*'", 10 },
  { "void(i64**)", "',' or ')'", 10 },
  { "void(*i64)", "a type", 6 },
  { "void(const i64*)", "a type", 6 },
  { "void(\xff)", "a type", 6 },
  { "void(i64\xc3\xa9)", "',' or ')'", 9 },
  { "\xe2\x82\xac()", "a type", 1 },
};

static void
check_refused (const BadSignature *bad)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *where = g_strdup_printf ("at character %d,", bad->at);

  malt_assert (malt_signature_parse (bad->text, 0, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  malt_assert (g_utf8_validate (error->message, -1, NULL));
  if (strstr (error->message, bad->expected) == NULL ||
      strstr (error->message, where) == NULL)
    MALT_TEST_FAIL ("'%s': expected '%s' and '%s', got '%s'", bad->text, bad->expected,
                    where, error->message);
}

static void
bad_signatures_are_refused_with_what_was_expected_and_where (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_signatures); i++)
    check_refused (&bad_signatures[i]);
}

static void
a_long_bad_signature_is_quoted_in_part (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr (GError) error = NULL;

  malt_assert (malt_signature_parse (text, 0, &error) == NULL);
  malt_assert (strlen (error->message) < 300);
}

/* Every text of a few pieces either parses to one that parses again to the same, or fails
 * with a message. */
static void
no_text_does_worse_than_fail (void)
{
  static const char *const pieces[] = { "f64", "i8",    "(", ")", ",",    "*",
                                        " ",   "value", "",  "v", "void", "\x80" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261121);
  guint n_parsed = 0;

  for (int i = 0; i < 20000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltSignature) signature = NULL;
      int n = g_rand_int_range (rand, 0, 9);

      for (int j = 0; j < n; j++)
        g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
      signature = malt_signature_parse (text->str, 0, &error);
      malt_assert ((signature == NULL) == (error != NULL));
      if (signature != NULL)
        {
          g_autofree char *once = malt_signature_to_string (signature);
          check_parses (once, once, signature->n_arguments);
          n_parsed++;
        }
    }
  malt_assert (n_parsed > 10);
}

/* Arguments */

static MaltCType
type_of (const char *name)
{
  g_autofree char *text = g_strdup_printf ("void(%s)", name);
  g_autoptr (MaltSignature) signature = malt_signature_parse (text, 0, NULL);

  return signature->arguments[0];
}

/* Takes the value over. */
static MaltCSlot
set (const char *type, MaltValue *owned, GError **error)
{
  g_autoptr (MaltValue) value = owned;
  MaltCSlot slot = { .u64 = 0 };

  malt_c_slot_set_argument (&slot, type_of (type), value, error);
  return slot;
}

static void
check_unfit (const char *type, MaltValue *owned, const char *message)
{
  g_autoptr (GError) error = NULL;

  set (type, owned, &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert_string (error->message, message);
}

#define check_fits(type, member, value, expected)   \
  do                                                \
    {                                               \
      g_autoptr (GError) error_ = NULL;             \
      MaltCSlot slot_ = set (type, value, &error_); \
      malt_assert_no_error (error_);                \
      malt_assert (slot_.member == (expected));     \
    }                                               \
  while (0)

static void
integers_go_into_every_type_that_holds_them (void)
{
  check_fits ("i8", i8, malt_value_new_int64 (-128), -128);
  check_fits ("i8", i8, malt_value_new_uint128 (0, 127), 127);
  check_fits ("u8", u8, malt_value_new_int8 (5), 5);
  check_fits ("u8", u8, malt_value_new_int64 (255), 255);
  check_fits ("i16", i16, malt_value_new_uint8 (255), 255);
  check_fits ("u16", u16, malt_value_new_int64 (65535), 65535);
  check_fits ("i32", i32, malt_value_new_int64 (G_MININT32), G_MININT32);
  check_fits ("u32", u32, malt_value_new_int64 (G_MAXUINT32), G_MAXUINT32);
  check_fits ("i64", i64, malt_value_new_int128 (-1, G_MAXUINT64), -1);
  check_fits ("i64", i64, malt_value_new_int64 (G_MININT64), G_MININT64);
  check_fits ("u64", u64, malt_value_new_uint64 (G_MAXUINT64), G_MAXUINT64);
  check_fits ("u64", u64, malt_value_new_int128 (0, G_MAXUINT64), G_MAXUINT64);
}

static void
integers_that_a_type_does_not_hold_are_refused (void)
{
  check_unfit ("i8", malt_value_new_int64 (128),
               "expected i8, from -128 to 127, got the Int64 128");
  check_unfit ("i8", malt_value_new_int64 (-129),
               "expected i8, from -128 to 127, got the Int64 -129");
  check_unfit ("u8", malt_value_new_int8 (-1),
               "expected u8, from 0 to 255, got the Int8 -1");
  check_unfit ("u64", malt_value_new_int64 (-1),
               "expected u64, from 0 to 18446744073709551615, got the Int64 -1");
  check_unfit (
      "i64", malt_value_new_uint64 (G_GUINT64_CONSTANT (1) << 63),
      "expected i64, from -9223372036854775808 to 9223372036854775807, got the UInt64 "
      "0x8000000000000000");
  check_unfit ("i32", malt_value_new_int128 (1, 0),
               "expected i32, from -2147483648 to 2147483647, got the Int128 "
               "18446744073709551616");
}

static void
numbers_go_into_floats_exactly_or_not_at_all (void)
{
  check_fits ("f64", f64, malt_value_new_double (0.1), 0.1);
  check_fits ("f64", f64, malt_value_new_float16 (0.5f), 0.5);
  check_fits ("f64", f64, malt_value_new_int64 (-(G_GINT64_CONSTANT (1) << 53)), -0x1p53);
  check_fits ("f64", f64, malt_value_new_int64 (G_MININT64), -0x1p63);
  check_fits ("f64", f64, malt_value_new_int128 (1, 0), 0x1p64);
  check_fits ("f32", f32, malt_value_new_double (0.25), 0.25f);
  check_fits ("f32", f32, malt_value_new_double (INFINITY), INFINITY);
  check_fits ("f32", f32, malt_value_new_int64 (1 << 24), 0x1p24f);
  malt_assert (malt_is_nan (set ("f32", malt_value_new_double (NAN), NULL).f32));
  malt_assert (malt_is_nan (set ("f64", malt_value_new_float32 (NAN), NULL).f64));
  check_unfit ("f64", malt_value_new_int64 ((G_GINT64_CONSTANT (1) << 53) + 1),
               "expected f64, which does not hold it exactly, got the Int64 "
               "9007199254740993");
  check_unfit ("f64", malt_value_new_int64 (G_MAXINT64),
               "expected f64, which does not hold it exactly, got the Int64 "
               "9223372036854775807");
  check_unfit ("f64", malt_value_new_uint128 (G_MAXUINT64, G_MAXUINT64),
               "expected f64, which does not hold it exactly, got the UInt128 "
               "0xffffffffffffffffffffffffffffffff");
  check_unfit ("f32", malt_value_new_double (0.1),
               "expected f32, which does not hold it exactly, got the Float64 0.1");
  check_unfit ("f32", malt_value_new_double (1e300),
               "expected f32, which does not hold it exactly, got the Float64 1.0e300");
  check_unfit ("f32", malt_value_new_int64 ((1 << 24) + 1),
               "expected f32, which does not hold it exactly, got the Int64 16777217");
}

static void
values_of_another_kind_are_refused (void)
{
  check_fits ("bool", boolean, malt_value_new_bool (TRUE), TRUE);
  check_unfit ("bool", malt_value_new_int64 (1), "expected bool, got the Int64 1");
  check_unfit ("i64", malt_value_new_bool (TRUE), "expected i64, got the Bool true");
  check_unfit ("i64", malt_value_new_double (1), "expected i64, got the Float64 1.0");
  check_unfit ("f64", malt_value_new_bool (TRUE), "expected f64, got the Bool true");
  check_unfit ("f64", malt_value_new_string ("1"), "expected f64, got the String \"1\"");
  check_unfit ("string", malt_value_new_symbol ("a"),
               "expected string, got the Symbol :a");
  check_unfit ("string", malt_value_new_nothing (),
               "expected string, got the Nothing nothing");
}

static void
texts_are_utf_8_without_nul (void)
{
  g_autoptr (MaltValue) text = malt_value_new_string ("h\xc3\xa9");
  MaltCSlot slot;
  g_autoptr (GError) error = NULL;

  malt_assert (malt_c_slot_set_argument (&slot, type_of ("string"), text, &error));
  malt_assert_string ((const char *) slot.pointer, "h\xc3\xa9");
  set ("string", malt_value_new_string_len ("a\0b", 3), &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
  malt_assert (g_str_has_prefix (error->message, "expected string of UTF-8 without NUL"));
  g_clear_error (&error);
  set ("string", malt_value_new_string ("\xff"), &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_VALUE);
}

static void
arrays_are_borrowed_where_their_elements_are_the_right_ones (void)
{
  const gdouble numbers[] = { 1, 2, 3, 4 };
  const gsize dims[] = { 2, 2 };
  g_autoptr (MaltValue) array =
      malt_value_new_array (MALT_VALUE_FLOAT64, dims, 2, numbers, sizeof numbers);
  g_autoptr (GError) error = NULL;
  MaltCSlot slot = { .pointer = NULL };

  malt_assert (malt_c_slot_set_argument (&slot, type_of ("f64*"), array, &error));
  malt_assert (slot.pointer == malt_value_get_array_data (array, NULL));
  malt_assert (!malt_c_slot_set_argument (&slot, type_of ("f32*"), array, &error));
  malt_assert (g_str_has_prefix (
      error->message, "expected f32*, an array of Float32, got the Matrix{Float64}"));
  check_unfit ("f64*", malt_value_new_double (1),
               "expected f64*, an array of Float64, got the Float64 1.0");
}

/* Results */

static void
check_result (const char *type, MaltCSlot slot, const char *kind, const char *text)
{
  g_autofree char *signature_text = g_strdup_printf ("%s()", type);
  g_autoptr (MaltSignature) signature = malt_signature_parse (signature_text, 0, NULL);
  g_autoptr (MaltValue) value = malt_c_slot_take_result (&slot, signature->result);
  g_autofree char *got = malt_value_to_string (value);

  malt_assert_string (got, text);
  malt_assert_string (malt_value_kind_to_string (malt_value_get_kind (value)), kind);
}

static void
results_become_values_of_their_type (void)
{
  check_result ("void", (MaltCSlot){ .u64 = 7 }, "nothing", "nothing");
  check_result ("bool", (MaltCSlot){ .widened = 2 }, "Bool", "true");
  check_result ("i8", (MaltCSlot){ .widened = (ffi_arg) -3 }, "Int8", "-3");
  check_result ("u8", (MaltCSlot){ .widened = 200 }, "UInt8", "0xc8");
  check_result ("i16", (MaltCSlot){ .widened = (ffi_arg) -300 }, "Int16", "-300");
  check_result ("u16", (MaltCSlot){ .widened = 65535 }, "UInt16", "0xffff");
  check_result ("i32", (MaltCSlot){ .widened = (ffi_arg) -70000 }, "Int32", "-70000");
  check_result ("u32", (MaltCSlot){ .widened = 1 }, "UInt32", "0x00000001");
  check_result ("i64", (MaltCSlot){ .i64 = G_MININT64 }, "Int64", "-9223372036854775808");
  check_result ("u64", (MaltCSlot){ .u64 = 1 }, "UInt64", "0x0000000000000001");
  check_result ("f32", (MaltCSlot){ .f32 = 0.5f }, "Float32", "0.5f0");
  check_result ("f64", (MaltCSlot){ .f64 = 0.1 }, "Float64", "0.1");
  check_result ("string", (MaltCSlot){ .pointer = g_strdup ("a") }, "String", "\"a\"");
  check_result ("string", (MaltCSlot){ .pointer = NULL }, "nothing", "nothing");
  check_result ("value", (MaltCSlot){ .pointer = malt_value_new_int8 (1) }, "Int8", "1");
  check_result ("value", (MaltCSlot){ .pointer = NULL }, "nothing", "nothing");
}

/* Calls */

static gint8
mix (gint8 a, guint16 b, gfloat c, gdouble d, const gint32 *e, const char *f, gpointer g)
{
  return (gint8) (a + b + (int) c + (int) d + e[1] + (int) strlen (f) - *(int *) g);
}

static void
a_call_through_the_cif_passes_everything (void)
{
  g_autoptr (MaltSignature) signature =
      malt_signature_parse ("i8(i8,u16,f32,f64,i32*,string)", 1, NULL);
  gint32 numbers[] = { 0, 30 };
  int last = 100;
  MaltCSlot slots[] = {
    { .i8 = -1 },           { .u16 = 2 },          { .f32 = 3 },         { .f64 = 4 },
    { .pointer = numbers }, { .pointer = "four" }, { .pointer = &last },
  };
  void *arguments[G_N_ELEMENTS (slots)];
  MaltCSlot result;

  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    arguments[i] = &slots[i];
  ffi_call (&signature->cif, FFI_FN (mix), &result, arguments);
  malt_assert_int ((gint8) result.widened, -1 + 2 + 3 + 4 + 30 + 4 - 100);
}

static CU_TestInfo parser_tests[] = {
  MALT_TEST (signatures_are_parsed),
  MALT_TEST (a_signature_may_have_as_many_arguments_as_the_limit),
  MALT_TEST (bad_signatures_are_refused_with_what_was_expected_and_where),
  MALT_TEST (a_long_bad_signature_is_quoted_in_part),
  MALT_TEST (no_text_does_worse_than_fail),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo value_tests[] = {
  MALT_TEST (integers_go_into_every_type_that_holds_them),
  MALT_TEST (integers_that_a_type_does_not_hold_are_refused),
  MALT_TEST (numbers_go_into_floats_exactly_or_not_at_all),
  MALT_TEST (values_of_another_kind_are_refused),
  MALT_TEST (texts_are_utf_8_without_nul),
  MALT_TEST (arrays_are_borrowed_where_their_elements_are_the_right_ones),
  MALT_TEST (results_become_values_of_their_type),
  MALT_TEST (a_call_through_the_cif_passes_everything),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "parser", .pTests = parser_tests },
    { .pName = "values", .pTests = value_tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
