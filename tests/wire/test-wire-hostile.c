/* SPDX-License-Identifier: MIT */
/* Bodies of frames that no honest worker sends: all are refused, and say where they are wrong. */
#include "malt-test.h"
#include "malt-vectors.h"

#include "wire/malt-wire-reader.h"

#include <string.h>

static void
check_refused (const char *hex, const char *message)
{
  g_autoptr (GBytes) body = malt_vectors_unhex (hex);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_vectors_decode (body, &error);

  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
  if (strstr (error->message, message) == NULL)
    MALT_TEST_FAIL ("%s: expected an error with '%s', got '%s'", hex, message,
                    error->message);
}

static void
unknown_tags_are_refused (void)
{
  check_refused ("00", "unknown tag 00 at offset 0");
  check_refused ("06", "unknown tag 06");
  check_refused ("1e", "unknown tag 1e");
  check_refused ("2d", "unknown tag 2d");
  check_refused ("30", "unknown tag 30");
  check_refused ("ff", "unknown tag ff");
  /* #undef is not a value by itself, nor in a tuple */
  check_refused ("05", "unknown tag 05");
  check_refused ("220100000000000000"
                 "05",
                 "unknown tag 05");
}

static void
bytes_behind_the_value_are_refused (void)
{
  check_refused ("0101", "expected the end of the body");
}

static void
counts_larger_than_the_body_are_refused (void)
{
  check_refused ("20"
                 "ffffffffffffffff"
                 "61",
                 "expected 18446744073709551615 bytes");
  check_refused ("22"
                 "ffffffffffffffff"
                 "01",
                 "expected 18446744073709551615 items");
  check_refused ("22"
                 "0300000000000000"
                 "0101",
                 "room for 2");
  /* a dictionary of one entry more than fits */
  check_refused ("27"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "44"
                 "00000000"
                 "0200000000000000"
                 "010101",
                 "expected 2 items");
  /* a named tuple and a struct with more names than bytes */
  check_refused ("23"
                 "00000000"
                 "0200"
                 "0000000000000000"
                 "ffffffff"
                 "00",
                 "items");
  check_refused ("2e"
                 "00000000"
                 "0300"
                 "0100000000000000"
                 "50"
                 "ffffffff"
                 "00",
                 "items");
}

static void
counts_promised_to_outer_containers_are_not_given_twice (void)
{
  /* ((?, ...8 in all), ...8 in all) in a body that has room for 8 only once */
  check_refused ("22"
                 "0800000000000000"
                 "22"
                 "0800000000000000"
                 "0101010101010101",
                 "room for 1");
}

static void
nesting_is_bounded (void)
{
  g_autoptr (GString) hex = g_string_new (NULL);

  for (int i = 0; i < 127; i++)
    g_string_append (hex, "220100000000000000");
  g_string_append (hex, "01");
  malt_vectors_check_round_trip ("128 levels", hex->str);
  g_string_prepend (hex, "220100000000000000");
  check_refused (hex->str, "at most 128 levels");
}

static void
nesting_of_elements_is_bounded (void)
{
  g_autoptr (GString) hex = g_string_new ("25");

  for (guint i = 0; i < 200; i++)
    g_string_append_printf (hex,
                            "2e"
                            "%02x000000"
                            "0401"
                            "0000000000000000"
                            "01000000"
                            "01000000"
                            "01000000"
                            "00000000",
                            i);
  g_string_append (hex, "10"
                        "01000000"
                        "0000000000000000");
  check_refused (hex->str, "at most 128 levels");
}

static void
descriptors_that_contain_themselves_are_refused (void)
{
  check_refused ("25"
                 "2e"
                 "00000000"
                 "0401"
                 "0000000000000000"
                 "01000000"
                 "01000000"
                 "01000000"
                 "00000000"
                 "2e"
                 "00000000",
                 "complete layout");
}

static void
descriptors_of_the_wrong_kind_are_refused (void)
{
  /* index 1 where 0 is next */
  check_refused ("23"
                 "01000000",
                 "expected a descriptor up to 0");
  /* a type where a named tuple's names are wanted */
  check_refused ("23"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "50"
                 "00000000",
                 "another descriptor");
  check_refused ("23"
                 "00000000"
                 "0600"
                 "0100000000000000"
                 "50"
                 "00000000",
                 "unknown kind 6");
  check_refused ("23"
                 "00000000"
                 "0204"
                 "0000000000000000"
                 "00000000",
                 "flags 4");
  check_refused ("27"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "50"
                 "01000000",
                 "without fields");
  /* elements without layout */
  check_refused ("25"
                 "2e"
                 "00000000"
                 "0300"
                 "0100000000000000"
                 "50"
                 "00000000",
                 "layout");
}

static void
layouts_that_cannot_be_are_refused (void)
{
#define STRUCT_OF(size, alignment, offsets) \
  "25"                                      \
  "2e"                                      \
  "00000000"                                \
  "0401"                                    \
  "0000000000000000"                        \
  "02000000" size alignment offsets
  check_refused (STRUCT_OF ("00000000", "01000000", "0000"), "at least one byte");
  check_refused (STRUCT_OF ("02000000", "03000000", "0000"), "an alignment");
  check_refused (STRUCT_OF ("02000000", "00000000", "0000"), "an alignment");
  check_refused (STRUCT_OF ("02000000", "01000000",
                            "00000000"
                            "10"
                            "00000000"
                            "10"),
                 "one behind the other");
  check_refused (STRUCT_OF ("02000000", "01000000",
                            "00000000"
                            "10"
                            "02000000"
                            "10"),
                 "one behind the other");
  check_refused (STRUCT_OF ("02000000", "01000000",
                            "00000000"
                            "16"
                            "00000000"
                            "10"),
                 "one behind the other");
#undef STRUCT_OF
  check_refused ("25"
                 "29"
                 "1d",
                 "parts that are numbers");
  check_refused ("25"
                 "2a"
                 "1c",
                 "parts that are numbers");
  check_refused ("25"
                 "29"
                 "29"
                 "1c",
                 "parts that are numbers");
  check_refused ("25"
                 "20",
                 "unknown element 20");
}

static void
dimensions_that_do_not_fit_are_refused (void)
{
  check_refused ("25"
                 "10"
                 "21000000",
                 "at most 32 dimensions, got 33");
  /* 2^32 x 2^32 x Int8 */
  check_refused ("25"
                 "10"
                 "02000000"
                 "0000000001000000"
                 "0000000001000000"
                 "00000000000000000000",
                 "fit into memory");
  /* 2^62 x Int64 */
  check_refused ("25"
                 "16"
                 "01000000"
                 "0000000000000040"
                 "0000",
                 "fit into memory");
  check_refused ("25"
                 "10"
                 "01000000"
                 "0200000000000000"
                 "0000"
                 "01",
                 "expected 2 bytes");
  check_refused ("26"
                 "00000000"
                 "0100"
                 "0300000000000000"
                 "416e79"
                 "00000000"
                 "02000000"
                 "0000000001000000"
                 "0000000001000000",
                 "fit into memory");
  check_refused ("26"
                 "00000000"
                 "0100"
                 "0300000000000000"
                 "416e79"
                 "00000000"
                 "01000000"
                 "0200000000000000"
                 "01",
                 "expected 2 items");
  /* padding that is not zero */
  check_refused ("25"
                 "10"
                 "01000000"
                 "0100000000000000"
                 "0001"
                 "01",
                 "padding");
}

static void
dimensions_of_an_empty_array_may_be_large (void)
{
  malt_vectors_check_round_trip ("0 x 2^62", "25"
                                             "10"
                                             "02000000"
                                             "0000000000000000"
                                             "0000000000000040"
                                             "0000000000000000"
                                             "0000");
}

static void
parts_of_the_wrong_kind_are_refused (void)
{
  /* a head that is no Symbol, a range without a length, a form that is unknown, flags
   * of a handle */
  check_refused ("2c"
                 "01",
                 "a Symbol as the head");
  check_refused ("2b"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "52"
                 "00000000"
                 "00"
                 "01010101",
                 "the length of a range");
  check_refused ("2b"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "52"
                 "00000000"
                 "00"
                 "010101"
                 "16"
                 "ffffffffffffffff",
                 "the length of a range");
  check_refused ("2b"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "52"
                 "00000000"
                 "04",
                 "unknown form 4");
  check_refused ("2f"
                 "0100000000000000"
                 "00000000"
                 "0100"
                 "0100000000000000"
                 "52"
                 "00000000"
                 "08"
                 "0000000000000000",
                 "unknown flags 08");
}

static CU_TestInfo tests[] = {
  MALT_TEST (unknown_tags_are_refused),
  MALT_TEST (bytes_behind_the_value_are_refused),
  MALT_TEST (counts_larger_than_the_body_are_refused),
  MALT_TEST (counts_promised_to_outer_containers_are_not_given_twice),
  MALT_TEST (nesting_is_bounded),
  MALT_TEST (nesting_of_elements_is_bounded),
  MALT_TEST (descriptors_that_contain_themselves_are_refused),
  MALT_TEST (descriptors_of_the_wrong_kind_are_refused),
  MALT_TEST (layouts_that_cannot_be_are_refused),
  MALT_TEST (dimensions_that_do_not_fit_are_refused),
  MALT_TEST (dimensions_of_an_empty_array_may_be_large),
  MALT_TEST (parts_of_the_wrong_kind_are_refused),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "hostile bodies", NULL, NULL, NULL, NULL, tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
