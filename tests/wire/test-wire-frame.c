/* SPDX-License-Identifier: MIT */
/* Frames as wholes: what is lent, what is joined, results of host functions, and the
 * limit on types. */
#include "malt-test.h"
#include "malt-vectors.h"

#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"

#include <malt/malt-error-construction.h>
#include <string.h>

static MaltValue *
array_new (gsize n_bytes)
{
  g_autofree guint8 *bytes = g_malloc (n_bytes);

  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8) (i * 7);
  return malt_value_new_array (MALT_VALUE_UINT8, &n_bytes, 1, bytes, n_bytes);
}

static MaltWireFrame *
frame_new (MaltValue *value, gboolean lends)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_set_lends (&writer, lends);
  malt_wire_writer_put_value (&writer, value, NULL);
  return malt_wire_writer_finish (&writer, MALT_FRAME_OK, 0, 1);
}

static guint64 last_loan;

static GBytes *
borrow (gconstpointer data, gsize n_bytes, guint64 loan)
{
  last_loan = loan;
  return g_bytes_new_static (data, n_bytes);
}

static MaltValue *
read_value (MaltWireFrame *frame, gboolean borrows, GError **error)
{
  g_autoptr (GBytes) body = malt_wire_frame_dup_body (frame);
  g_auto (MaltWireReader) reader;

  malt_wire_reader_init (&reader, body, NULL);
  if (borrows)
    malt_wire_reader_set_borrow (&reader, borrow);
  return malt_wire_reader_take_value (&reader, error);
}

static void
large_arrays_are_lent_where_both_share_memory (void)
{
  g_autoptr (MaltValue) array = array_new (MALT_WIRE_LEND_BYTES);
  g_autoptr (MaltValue) small = array_new (MALT_WIRE_LEND_BYTES - 1);
  g_autoptr (MaltWireFrame) frame = frame_new (array, TRUE);
  g_autoptr (MaltWireFrame) copied = frame_new (array, FALSE);
  g_autoptr (MaltWireFrame) small_frame = frame_new (small, TRUE);
  g_autoptr (MaltValue) again = NULL;
  g_autoptr (MaltValue) refused = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (copied->loans == NULL && small_frame->loans == NULL);
  malt_assert (frame->loans != NULL && frame->loans->len == 1);
  malt_assert (frame->n_bytes < 100);
  again = read_value (frame, TRUE, &error);
  malt_assert (again != NULL && malt_value_equal (again, array));
  malt_assert (last_loan == (guintptr) g_ptr_array_index (frame->loans, 0));
  malt_assert (malt_value_get_array_data (again, NULL) ==
               malt_value_get_array_data (array, NULL));
  refused = read_value (frame, FALSE, &error);
  malt_assert (refused == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
}

static void
arrays_that_are_not_aligned_are_not_lent (void)
{
  const gsize n_bytes = MALT_WIRE_LEND_BYTES;
  g_autofree guint8 *memory = g_malloc0 (n_bytes + 1);
  g_autoptr (GBytes) bytes = g_bytes_new_static (memory + 1, n_bytes);
  g_autoptr (MaltValue) array =
      malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n_bytes, 1, bytes, NULL);
  g_autoptr (MaltWireFrame) frame = frame_new (array, TRUE);

  malt_assert (frame->loans == NULL);
}

static void
a_frame_that_is_joined_has_the_same_bytes (void)
{
  g_autoptr (MaltValue) array = array_new ((gsize) 2 * MALT_WIRE_BORROW_BYTES);
  g_autoptr (MaltWireFrame) frame = frame_new (array, FALSE);
  g_autoptr (GBytes) before = malt_wire_frame_dup_body (frame);
  g_autoptr (GBytes) after = NULL;

  malt_assert (frame->n_segments > 1);
  malt_assert (malt_wire_frame_join (frame, NULL));
  malt_assert (frame->n_segments == 1);
  malt_assert (g_bytes_get_size (frame->segments[0]) == frame->n_bytes);
  after = malt_wire_frame_dup_body (frame);
  malt_assert (g_bytes_equal (before, after));
  malt_assert (malt_wire_frame_join (frame, NULL));
  malt_assert (frame->n_segments == 1);
}

static void
bytes_alone_are_copied_or_borrowed (void)
{
  static const guint8 memory[MALT_WIRE_BORROW_BYTES] = { 1, 2, 3 };
  const gsize sizes[] = { 3, sizeof memory };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (memory, sizes[i]);
      g_auto (MaltWireWriter) writer;
      g_autoptr (MaltWireFrame) frame = NULL;
      g_autoptr (GBytes) body = NULL;

      malt_wire_writer_init (&writer, NULL);
      malt_wire_writer_put_bytes (&writer, bytes);
      frame = malt_wire_writer_finish (&writer, MALT_FRAME_LOAD, 0, 0);
      body = malt_wire_frame_dup_body (frame);
      malt_assert (g_bytes_equal (body, bytes));
      malt_assert (frame->n_segments == i + 1);
    }
}

/* Results of host functions */

/* The fields of an error. */
static void
check_error_result (MaltWireFrame *frame, guint8 class, const char *type,
                    const char *message)
{
  g_autoptr (GBytes) body = malt_wire_frame_dup_body (frame);
  const guint8 *bytes = g_bytes_get_data (frame->segments[0], NULL);
  g_auto (MaltWireReader) reader;
  MaltFrameHeader header;
  g_autofree char *got_type = NULL;
  g_autofree char *got_message = NULL;
  guint8 got_class;

  malt_wire_reader_init (&reader, body, NULL);
  malt_assert (malt_frame_header_parse (bytes, 1 << 20, &header, NULL));
  malt_assert (header.kind == MALT_FRAME_HOST_RESULT && header.id == 9);
  malt_assert (header.flags == MALT_FRAME_HOST_RESULT_IS_ERROR);
  malt_assert (malt_wire_reader_take_u8 (&reader, &got_class, NULL));
  got_type = malt_wire_reader_take_string_value (&reader, NULL);
  got_message = malt_wire_reader_take_string_value (&reader, NULL);
  malt_assert (got_class == class);
  CU_ASSERT_STRING_EQUAL (got_type, type);
  if (strstr (got_message, message) == NULL)
    MALT_TEST_FAIL ("expected '%s', got '%s'", message, got_message);
}

static MaltWireFrame *
result_new (MaltValue *value, const GError *error)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  return malt_wire_frame_new_host_result (&writer, 9, value, error);
}

static void
a_value_is_the_result_of_a_host_function (void)
{
  g_autoptr (MaltValue) value = malt_value_new_int64 (42);
  g_autoptr (MaltWireFrame) frame = result_new (value, NULL);
  g_autoptr (MaltValue) again = read_value (frame, FALSE, NULL);

  malt_assert (again != NULL && malt_value_get_int64 (again) == 42);
}

static void
errors_of_host_functions_keep_what_they_say (void)
{
  g_autoptr (GError) own = g_error_new (G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such file");
  g_autoptr (GError) remote = malt_error_new_remote_exception (
      "DomainError", "out of bounds", "Stacktrace:", "worker 1");
  g_autoptr (GError) nested = malt_error_new_remote_exception (
      "HostError", "no such function", "Stacktrace:", "worker 1");
  g_autoptr (GError) named = malt_error_new_remote_exception (
      "KeyError", "KeyError: key 1 not found", "", "worker 1");
  const struct
  {
    const GError *error;
    const char *type;
    const char *message;
  } cases[] = {
    { own, g_quark_to_string (G_FILE_ERROR), "no such file" },
    { remote, "DomainError", "DomainError: out of bounds" },
    { nested, "HostError", "no such function" },
    { named, "KeyError", "KeyError: key 1 not found" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MaltWireFrame) frame = result_new (NULL, cases[i].error);

      check_error_result (frame, MALT_FRAME_ERROR_REMOTE_EXCEPTION, cases[i].type,
                          cases[i].message);
    }
}

static MaltValue *
nested_new (guint n_levels)
{
  MaltValue *value = malt_value_new_nothing ();

  for (guint i = 0; i < n_levels; i++)
    {
      MaltValue *outer = malt_value_new_tuple (&value, 1);
      malt_value_unref (value);
      value = outer;
    }
  return value;
}

static void
a_result_that_cannot_be_sent_is_an_error (void)
{
  g_autoptr (MaltValue) value = nested_new (200);
  g_autoptr (MaltWireFrame) frame = result_new (value, NULL);

  check_error_result (frame, MALT_FRAME_ERROR_ENCODE, g_quark_to_string (MALT_ERROR),
                      "levels");
}

/* Limits */

/* As many structs, each of its own type. */
static MaltValue *
structs_new (guint n)
{
  g_autoptr (GPtrArray) values =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("T%u", i);

      g_ptr_array_add (values, malt_value_new_struct (name, NULL, NULL, 0));
    }
  return malt_value_new_tuple ((MaltValue **) values->pdata, n);
}

static gboolean
can_be_sent (MaltValue *first, MaltValue *second)
{
  g_autoptr (MaltValue) both = malt_value_new_tuple ((MaltValue *[]){ first, second }, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = malt_vectors_encode (both, &error);

  if (body == NULL)
    CU_ASSERT (g_error_matches (error, MALT_ERROR, MALT_ERROR_ENCODE) &&
               strstr (error->message, "different types") != NULL);
  return body != NULL;
}

/* One value of each kind behind all the types that a message may have. */
static void
types_in_one_message_are_limited (void)
{
  g_autoptr (MaltValue) full = structs_new (MALT_WIRE_MAX_DESCRIPTORS);
  g_autoptr (MaltValue) number = malt_value_new_int64 (1);
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("vectors.txt");
  g_autoptr (GHashTable) refused = g_hash_table_new (NULL, NULL);

  malt_assert (can_be_sent (full, number));
  malt_assert (can_be_sent (full, full));
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);
      g_autoptr (GBytes) body = malt_vectors_unhex (vector->third);
      g_autoptr (MaltValue) value = malt_vectors_decode (body, NULL);
      gpointer kind =
          value != NULL ? GINT_TO_POINTER (malt_value_get_kind (value)) : NULL;

      if (value == NULL || g_hash_table_contains (refused, kind))
        continue;
      if (malt_value_get_kind (value) >= MALT_VALUE_STRING && !can_be_sent (full, value))
        g_hash_table_add (refused, kind);
    }
  malt_assert (g_hash_table_contains (refused, GINT_TO_POINTER (MALT_VALUE_STRUCT)));
  malt_assert (g_hash_table_contains (refused, GINT_TO_POINTER (MALT_VALUE_NAMED_TUPLE)));
  malt_assert (g_hash_table_contains (refused, GINT_TO_POINTER (MALT_VALUE_DICT)));
  malt_assert (g_hash_table_contains (refused, GINT_TO_POINTER (MALT_VALUE_ARRAY)));
  malt_assert (!g_hash_table_contains (refused, GINT_TO_POINTER (MALT_VALUE_STRING)));
}

static void
a_text_is_expected_to_be_one (void)
{
  static const char *const bodies[] = { "01", "20", "200500000000000000",
                                        "20020000000000000061" };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (GBytes) body = malt_vectors_unhex (bodies[i]);
      g_autoptr (GError) error = NULL;
      g_auto (MaltWireReader) reader;

      malt_wire_reader_init (&reader, body, NULL);
      malt_assert (malt_wire_reader_take_string_value (&reader, &error) == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
    }
}

static CU_TestInfo lent_tests[] = {
  MALT_TEST (large_arrays_are_lent_where_both_share_memory),
  MALT_TEST (arrays_that_are_not_aligned_are_not_lent),
  MALT_TEST (a_frame_that_is_joined_has_the_same_bytes),
  MALT_TEST (bytes_alone_are_copied_or_borrowed),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo result_tests[] = {
  MALT_TEST (a_value_is_the_result_of_a_host_function),
  MALT_TEST (errors_of_host_functions_keep_what_they_say),
  MALT_TEST (a_result_that_cannot_be_sent_is_an_error),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo limit_tests[] = {
  MALT_TEST (types_in_one_message_are_limited),
  MALT_TEST (a_text_is_expected_to_be_one),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "lent", NULL, NULL, NULL, NULL, lent_tests },
    { "results", NULL, NULL, NULL, NULL, result_tests },
    { "limits", NULL, NULL, NULL, NULL, limit_tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
