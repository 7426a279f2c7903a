/* SPDX-License-Identifier: MIT */
/* Values are printed as Julia prints them: every line of tests/vectors/reprs.txt and
 * floats.txt, which Julia made. */
#include "malt-test.h"
#include "malt-vectors.h"

#include <string.h>

static void
values_print_as_in_julia (void)
{
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("reprs.txt");

  malt_assert (vectors != NULL && vectors->len > 300);
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);
      g_autoptr (GBytes) body = malt_vectors_unhex (vector->second);
      g_autofree char *expected = malt_vectors_unescape (vector->third);
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = malt_vectors_decode (body, &error);
      g_autofree char *text = value != NULL ? malt_value_to_string (value) : NULL;

      if (g_strcmp0 (text, expected) != 0)
        MALT_TEST_FAIL ("%s: expected\n%s\ngot\n%s", vector->name, expected,
                        text != NULL ? text : error->message);
    }
  CU_PASS ("");
}

/* Lines: kind, bits in hexadecimal, text */
static void
floats_print_as_in_julia (void)
{
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("floats.txt");

  malt_assert (vectors != NULL && vectors->len > 1000);
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);
      MaltValueKind kind = strcmp (vector->name, "Float64") == 0   ? MALT_VALUE_FLOAT64
                           : strcmp (vector->name, "Float32") == 0 ? MALT_VALUE_FLOAT32
                                                                   : MALT_VALUE_FLOAT16;
      g_autoptr (MaltValue) value =
          malt_value_new_scalar (kind, g_ascii_strtoull (vector->second, NULL, 16), 0);
      g_autofree char *text = malt_value_to_string (value);

      if (strcmp (text, vector->third) != 0)
        MALT_TEST_FAIL ("%s 0x%s: expected %s, got %s", vector->name, vector->second,
                        vector->third, text);
    }
  CU_PASS ("");
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "values_print_as_in_julia", values_print_as_in_julia },
    { "floats_print_as_in_julia", floats_print_as_in_julia },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "print", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
