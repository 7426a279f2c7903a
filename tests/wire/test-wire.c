/* SPDX-License-Identifier: MIT */
/* The reader, the writer and the header of frames: what Julia wrote comes back as it
 * was. test-wire-hostile.c has what is refused. */
#include "malt-test.h"
#include "malt-vectors.h"

#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"

#include <string.h>

/* Vectors */

static void
vectors_come_back_as_they_were (void)
{
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("vectors.txt");

  malt_assert (vectors != NULL && vectors->len > 20);
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);

      malt_vectors_check_round_trip (vector->name, vector->third);
    }
  CU_PASS ("");
}

static void
printed_vectors_come_back_as_they_were (void)
{
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("reprs.txt");

  malt_assert (vectors != NULL && vectors->len > 300);
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);

      malt_vectors_check_round_trip (vector->name, vector->second);
    }
  CU_PASS ("");
}

static void
every_prefix_of_a_vector_is_refused (void)
{
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("reprs.txt");

  malt_assert (vectors != NULL);
  for (guint i = 0; i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);
      g_autoptr (GBytes) body = malt_vectors_unhex (vector->second);

      for (gsize n = 0; n < g_bytes_get_size (body); n++)
        {
          g_autoptr (GBytes) prefix = g_bytes_new_from_bytes (body, 0, n);
          g_autoptr (GError) error = NULL;
          g_autoptr (MaltValue) value = malt_vectors_decode (prefix, &error);

          malt_assert (value == NULL);
          malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
        }
    }
}

/* Headers */

static void
headers_come_back_as_they_were (void)
{
  MaltFrameHeader header = {
    .n_body_bytes = 0x123456789, .id = 0xfedcba98, .kind = MALT_FRAME_EVAL, .flags = 0x2b
  };
  MaltFrameHeader again = { 0 };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];
  const guint8 expected[] = { 0x89, 0x67, 0x45, 0x23, 0x01, 0,    0, 0,
                              0x98, 0xba, 0xdc, 0xfe, 0x03, 0x2b, 0, 0 };
  g_autoptr (GError) error = NULL;

  malt_frame_header_write (&header, bytes);
  malt_assert (memcmp (bytes, expected, sizeof bytes) == 0);
  malt_assert (
      malt_frame_header_parse (bytes, MALT_FRAME_DEFAULT_MAX_BYTES, &again, &error));
  malt_assert (again.n_body_bytes == header.n_body_bytes && again.id == header.id);
  malt_assert (again.kind == header.kind && again.flags == header.flags);
}

static void
check_header_refused (guint8 kind, guint8 flags, guint8 zero, guint64 n_bytes,
                      const char *message)
{
  guint8 bytes[MALT_FRAME_HEADER_BYTES] = { 0 };
  MaltFrameHeader header;
  g_autoptr (GError) error = NULL;

  memcpy (bytes, &n_bytes, sizeof n_bytes);
  bytes[12] = kind;
  bytes[13] = flags;
  bytes[15] = zero;
  malt_assert (!malt_frame_header_parse (bytes, 100, &header, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
  if (strstr (error->message, message) == NULL)
    MALT_TEST_FAIL ("expected '%s', got '%s'", message, error->message);
}

static void
wrong_headers_are_refused_in_the_order_of_the_specification (void)
{
  check_header_refused (0x00, 0xff, 1, 1000, "expected zero");
  check_header_refused (0x00, 0xff, 0, 1000, "unknown kind of frame 00");
  check_header_refused (0x13, 0xff, 0, 1000, "unknown kind of frame 13");
  check_header_refused (0x8b, 0, 0, 0, "unknown kind of frame 8b");
  check_header_refused (0x82, 0x02, 0, 1000, "unknown flags 02 in a frame OK");
  check_header_refused (0x03, 0x04, 0, 1000, "unknown flags 04 in a frame EVAL");
  check_header_refused (0x03, 0x10, 0, 1000, "unknown flags 10 in a frame EVAL");
  check_header_refused (0x04, 0x10, 0, 1000, "unknown flags 10 in a frame CALL");
  check_header_refused (0x10, 0x02, 0, 1000, "unknown flags 02 in a frame HOST_RESULT");
  check_header_refused (0x11, 0x04, 0, 1000, "unknown flags 04 in a frame EXPORT");
  check_header_refused (0x82, 0, 0, 101, "larger than the limit of 100");
}

/* Writer */

static MaltValue *
new_bytes_array (gsize n_bytes)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (n_bytes), n_bytes);

  return malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n_bytes, 1, bytes, NULL);
}

static void
large_arrays_are_borrowed (void)
{
  g_autoptr (MaltValue) large = new_bytes_array (MALT_WIRE_BORROW_BYTES);
  g_autoptr (MaltValue) small = new_bytes_array (MALT_WIRE_BORROW_BYTES - 1);
  g_autoptr (MaltValue) tuple =
      malt_value_new_tuple ((MaltValue *[]){ large, small, large }, 3);
  g_auto (MaltWireWriter) writer;
  g_autoptr (MaltWireFrame) frame = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (MaltValue) again = NULL;
  MaltFrameHeader header;
  gsize n_bytes = 0;

  malt_wire_writer_init (&writer, NULL);
  malt_assert (malt_wire_writer_put_value (&writer, tuple, NULL));
  frame = malt_wire_writer_finish (&writer, MALT_FRAME_OK, 0, 7);
  malt_assert_int (frame->n_segments, 4);
  malt_assert (g_bytes_get_data (frame->segments[1], NULL) ==
               malt_value_get_array_data (large, NULL));
  for (gsize i = 0; i < frame->n_segments; i++)
    n_bytes += g_bytes_get_size (frame->segments[i]);
  malt_assert_int (n_bytes, frame->n_bytes);
  malt_assert (malt_frame_header_parse (g_bytes_get_data (frame->segments[0], NULL),
                                        G_MAXUINT64, &header, NULL));
  malt_assert_int (header.n_body_bytes, frame->n_bytes - MALT_FRAME_HEADER_BYTES);
  body = malt_wire_frame_dup_body (frame);
  again = malt_vectors_decode (body, NULL);
  malt_assert (again != NULL && malt_value_equal (tuple, again));
}

static void
a_writer_can_be_used_again (void)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  for (guint32 i = 0; i < 3; i++)
    {
      g_autoptr (MaltWireFrame) frame = NULL;
      g_autoptr (GBytes) body = NULL;

      malt_wire_writer_put_u8 (&writer, 1);
      malt_wire_writer_put_u16 (&writer, 2);
      malt_wire_writer_put_u32 (&writer, i);
      malt_wire_writer_put_u64 (&writer, 4);
      malt_wire_writer_put_text (&writer, "five", -1);
      malt_wire_writer_put_string_value (&writer, NULL);
      frame = malt_wire_writer_finish (&writer, MALT_FRAME_PING, 0, i);
      body = malt_wire_frame_dup_body (frame);
      malt_assert_int (g_bytes_get_size (body), 1 + 2 + 4 + 8 + 12 + 1);
      malt_assert_int (((const guint8 *) g_bytes_get_data (body, NULL))[3], i);
    }
}

static void
frames_without_a_body_have_a_header (void)
{
  g_auto (MaltWireWriter) writer;
  g_autoptr (MaltWireFrame) frame = NULL;
  g_autoptr (GBytes) body = NULL;

  malt_wire_writer_init (&writer, NULL);
  frame = malt_wire_writer_finish (&writer, MALT_FRAME_FENCE, 0, 0);
  malt_assert_int (frame->n_bytes, MALT_FRAME_HEADER_BYTES);
  malt_assert_int (frame->n_segments, 1);
  body = malt_wire_frame_dup_body (frame);
  malt_assert_int (g_bytes_get_size (body), 0);
}

static void
names_of_types_are_sent_once (void)
{
  g_autoptr (GPtrArray) values =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltValue) tuple = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (MaltValue) again = NULL;

  /* 20 types, so that the table is used, each twice, each value with a descriptor of
   * its own */
  for (int i = 0; i < 40; i++)
    {
      g_autofree char *type = g_strdup_printf ("Type%d", i % 20);

      g_ptr_array_add (values,
                       malt_value_new_struct (type, (const char *[]){ "a" }, &one, 1));
    }
  tuple = malt_value_new_tuple ((MaltValue **) values->pdata, values->len);
  body = malt_vectors_encode (tuple, NULL);
  malt_assert_int (g_bytes_get_size (body),
                   9 + 40 * (1 + 4 + 9) + 20 * (2 + 8 + 4 + 9) + 10 * 5 + 10 * 6);
  again = malt_vectors_decode (body, NULL);
  malt_assert (again != NULL && malt_value_equal (tuple, again));
}

static void
values_nested_too_deep_are_an_error_of_the_writer (void)
{
  g_autoptr (MaltValue) value = malt_value_new_tuple (NULL, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) outer = NULL;
  g_autoptr (GBytes) body = NULL;

  for (int i = 1; i < 128; i++)
    {
      MaltValue *inner = value;

      value = malt_value_new_tuple (&inner, 1);
      malt_value_unref (inner);
    }
  body = malt_vectors_encode (value, &error);
  malt_assert (body != NULL);
  outer = malt_value_new_tuple (&value, 1);
  malt_assert (malt_vectors_encode (outer, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_ENCODE);
}

static void
undef_is_not_sent_by_itself (void)
{
  g_autoptr (GError) error = NULL;

  malt_assert (malt_vectors_encode (malt_value_new_undef (), &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

/* Handles */

static void
on_release (guint64 id, gpointer user_data)
{
  guint64 *sum = user_data;

  *sum += id;
}

#define HANDLE(id)         \
  "2f" id "00000000000000" \
  "00000000"               \
  "0100"                   \
  "0100000000000000"       \
  "54"                     \
  "00000000"               \
  "01"                     \
  "0000000000000000"

static MaltValue *
decode_handle (MaltHandleHome *home, const char *hex)
{
  g_autoptr (GBytes) body = malt_vectors_unhex (hex);
  g_auto (MaltWireReader) reader;

  malt_wire_reader_init (&reader, body, home);
  return malt_wire_reader_take_value (&reader, NULL);
}

static void
handles_are_released_with_their_last_reference (void)
{
  guint64 sum = 0;
  g_autoptr (MaltHandleHome) home = malt_handle_home_new (on_release, &sum);
  MaltValue *value = decode_handle (home, HANDLE ("05"));

  malt_assert (value != NULL);
  malt_assert_int (malt_value_get_handle_id (value), 5);
  malt_assert_int (malt_value_get_handle_flags (value), MALT_HANDLE_CALLABLE);
  malt_assert_string (malt_value_get_type_name (value), "T");
  malt_value_ref (value);
  malt_value_unref (value);
  malt_assert_int (sum, 0);
  malt_value_unref (value);
  malt_assert_int (sum, 5);
}

static void
a_closed_home_releases_nothing (void)
{
  guint64 sum = 0;
  g_autoptr (MaltHandleHome) home = malt_handle_home_new (on_release, &sum);
  MaltValue *value = decode_handle (home, HANDLE ("05"));

  malt_handle_home_close (home);
  malt_assert (malt_handle_home_is_closed (home));
  malt_value_unref (value);
  malt_assert_int (sum, 0);
}

static void
handles_in_a_body_that_is_refused_are_released (void)
{
  guint64 sum = 0;
  g_autoptr (MaltHandleHome) home = malt_handle_home_new (on_release, &sum);

  malt_assert (decode_handle (home, "22"
                                    "0200000000000000" HANDLE ("05") "ff") == NULL);
  malt_assert_int (sum, 5);
}

static void
handles_of_another_worker_are_refused (void)
{
  guint64 sum = 0;
  g_autoptr (MaltHandleHome) home = malt_handle_home_new (on_release, &sum);
  g_autoptr (MaltHandleHome) other = malt_handle_home_new (on_release, &sum);
  g_autoptr (MaltValue) value = decode_handle (home, HANDLE ("05"));
  g_autoptr (MaltValue) tuple = malt_value_new_tuple (&value, 1);
  g_autoptr (GError) error = NULL;
  g_auto (MaltWireWriter) own_writer;
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&own_writer, home);
  malt_assert (malt_wire_writer_put_value (&own_writer, tuple, NULL));
  malt_wire_writer_init (&writer, other);
  malt_assert (!malt_wire_writer_put_value (&writer, tuple, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
}

/* Reader */

static void
fixed_fields_are_read_and_checked (void)
{
  g_autoptr (GBytes) body = malt_vectors_unhex ("01"
                                                "0203"
                                                "04050607"
                                                "08090a0b0c0d0e0f"
                                                "0200000000000000"
                                                "6869"
                                                "20"
                                                "0200000000000000"
                                                "6869"
                                                "ff");
  g_auto (MaltWireReader) reader;
  guint8 byte = 0;
  guint16 half = 0;
  guint32 word = 0;
  guint64 wide = 0;
  const char *text = NULL;
  const guint8 *raw = NULL;
  gsize n_bytes = 0;
  g_autofree char *string = NULL;
  g_autoptr (GBytes) rest = NULL;
  g_autoptr (GError) error = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  malt_assert (malt_wire_reader_take_u8 (&reader, &byte, NULL) && byte == 1);
  malt_assert (malt_wire_reader_take_u16 (&reader, &half, NULL) && half == 0x0302);
  malt_assert (malt_wire_reader_take_u32 (&reader, &word, NULL) && word == 0x07060504);
  malt_assert (malt_wire_reader_take_u64 (&reader, &wide, NULL) &&
               wide == 0x0f0e0d0c0b0a0908);
  malt_assert (malt_wire_reader_take_text (&reader, &text, &n_bytes, NULL));
  malt_assert (n_bytes == 2 && memcmp (text, "hi", 2) == 0);
  string = malt_wire_reader_take_string_value (&reader, NULL);
  malt_assert_string (string, "hi");
  malt_assert (!malt_wire_reader_finish (&reader, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_PROTOCOL);
  malt_assert (!malt_wire_reader_take_raw (&reader, 2, &raw, NULL));
  rest = malt_wire_reader_take_rest (&reader);
  malt_assert_int (g_bytes_get_size (rest), 1);
  malt_assert (malt_wire_reader_finish (&reader, NULL));
}

static void
arrays_are_slices_of_the_body (void)
{
  const gsize dims[] = { 2, 1 };
  const gint64 numbers[] = { 1, 2 };
  g_autoptr (MaltValue) value =
      malt_value_new_array (MALT_VALUE_INT64, dims, 2, numbers, sizeof numbers);
  g_autoptr (GBytes) body = malt_vectors_encode (value, NULL);
  g_autoptr (MaltValue) again = malt_vectors_decode (body, NULL);
  const guint8 *start = g_bytes_get_data (body, NULL);
  const guint8 *data = malt_value_get_array_data (again, NULL);

  malt_assert (data > start && data < start + g_bytes_get_size (body));
  malt_assert (((gsize) data & 15) == ((gsize) start & 15));
}

static void
arrays_in_an_unaligned_body_are_copied (void)
{
  const gsize n = 2;
  const gint64 numbers[] = { 1, 2 };
  g_autoptr (MaltValue) value =
      malt_value_new_array (MALT_VALUE_INT64, &n, 1, numbers, sizeof numbers);
  g_autoptr (GBytes) body = malt_vectors_encode (value, NULL);
  gsize n_bytes = g_bytes_get_size (body);
  guint8 *shifted = g_malloc (n_bytes + 1);
  g_autoptr (GBytes) all = NULL;
  g_autoptr (GBytes) slice = NULL;
  g_autoptr (MaltValue) again = NULL;

  memcpy (shifted + 1, g_bytes_get_data (body, NULL), n_bytes);
  all = g_bytes_new_take (shifted, n_bytes + 1);
  slice = g_bytes_new_from_bytes (all, 1, n_bytes);
  again = malt_vectors_decode (slice, NULL);
  malt_assert (again != NULL && malt_value_equal (value, again));
  malt_assert_int ((gsize) malt_value_get_array_data (again, NULL) % 8, 0);
}

static CU_TestInfo vector_tests[] = {
  MALT_TEST (vectors_come_back_as_they_were),
  MALT_TEST (printed_vectors_come_back_as_they_were),
  MALT_TEST (every_prefix_of_a_vector_is_refused),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo frame_tests[] = {
  MALT_TEST (headers_come_back_as_they_were),
  MALT_TEST (wrong_headers_are_refused_in_the_order_of_the_specification),
  MALT_TEST (large_arrays_are_borrowed),
  MALT_TEST (a_writer_can_be_used_again),
  MALT_TEST (frames_without_a_body_have_a_header),
  MALT_TEST (names_of_types_are_sent_once),
  MALT_TEST (values_nested_too_deep_are_an_error_of_the_writer),
  MALT_TEST (undef_is_not_sent_by_itself),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo handle_tests[] = {
  MALT_TEST (handles_are_released_with_their_last_reference),
  MALT_TEST (a_closed_home_releases_nothing),
  MALT_TEST (handles_in_a_body_that_is_refused_are_released),
  MALT_TEST (handles_of_another_worker_are_refused),
  CU_TEST_INFO_NULL,
};

static CU_TestInfo reader_tests[] = {
  MALT_TEST (fixed_fields_are_read_and_checked),
  MALT_TEST (arrays_are_slices_of_the_body),
  MALT_TEST (arrays_in_an_unaligned_body_are_copied),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "vectors", NULL, NULL, NULL, NULL, vector_tests },
    { "frames", NULL, NULL, NULL, NULL, frame_tests },
    { "handles", NULL, NULL, NULL, NULL, handle_tests },
    { "reader", NULL, NULL, NULL, NULL, reader_tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
