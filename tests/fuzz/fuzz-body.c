/* SPDX-License-Identifier: MIT */
/* What is done with each hostile body. */
#include "fuzz-body.h"

#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"

#include <string.h>

static MaltValue *
decode (GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  value = malt_wire_reader_take_value (&reader, &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (value == NULL || !malt_wire_reader_finish (&reader, NULL))
    return NULL;
  return g_steal_pointer (&value);
}

static GBytes *
encode (MaltValue *value)
{
  g_auto (MaltWireWriter) writer;
  g_autoptr (MaltWireFrame) frame = NULL;
  g_autoptr (GError) error = NULL;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_value (&writer, value, &error);
  g_assert_no_error (error);
  frame = malt_wire_writer_finish (&writer, MALT_FRAME_OK, 0, 1);
  return malt_wire_frame_dup_body (frame);
}

/* Looks at a few of the parts, as a host would. */
static void
look_at (MaltValue *value)
{
  g_autofree char *text = malt_value_to_string (value);
  gsize n = malt_value_get_n_children (value);

  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_nonnull (malt_value_get_type_name (value));
  for (gsize i = 0; i < MIN (n, 3); i++)
    {
      g_autoptr (MaltValue) child = malt_value_dup_child (value, i % 2 == 0 ? i : n - i);

      /* A range of parts that only Julia can compute with has no elements here. */
      g_assert_true (child != NULL || malt_value_get_kind (value) == MALT_VALUE_RANGE);
    }
  malt_value_hash (value);
}

gboolean
malt_fuzz_body (const guint8 *data, gsize n_bytes)
{
  g_autoptr (GBytes) body = g_bytes_new (data, n_bytes);
  g_autoptr (MaltValue) value = decode (body);
  g_autoptr (GBytes) written = NULL;
  g_autoptr (MaltValue) again = NULL;
  g_autoptr (GBytes) rewritten = NULL;

  if (value == NULL)
    return FALSE;
  look_at (value);
  written = encode (value);
  again = decode (written);
  g_assert_nonnull (again);
  malt_value_equal (value, again);
  rewritten = encode (again);
  g_assert_true (g_bytes_equal (written, rewritten));
  return TRUE;
}
