/* SPDX-License-Identifier: MIT */
/* Reads the files of tests/vectors. */
#include "malt-vectors.h"

#include "malt-test.h"

#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"

#include <string.h>

static void
free_vector (gpointer data)
{
  MaltVector *vector = data;

  g_free (vector->name);
  g_free (vector->second);
  g_free (vector->third);
  g_free (vector);
}

GPtrArray *
malt_vectors_load (const char *file)
{
  g_autoptr (GPtrArray) vectors = g_ptr_array_new_with_free_func (free_vector);
  g_autofree char *path = g_build_filename (MALT_TEST_SOURCE_DIR, "vectors", file, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) columns = g_strsplit (lines[i], "\t", 3);
      MaltVector *vector;

      if (lines[i][0] == '#' || g_strv_length (columns) != 3)
        continue;
      vector = g_new0 (MaltVector, 1);
      vector->name = g_strdup (columns[0]);
      vector->second = g_strdup (columns[1]);
      vector->third = g_strdup (columns[2]);
      g_ptr_array_add (vectors, vector);
    }
  return g_steal_pointer (&vectors);
}

GBytes *
malt_vectors_unhex (const char *hex)
{
  gsize n_bytes = strlen (hex) / 2;
  guint8 *bytes = g_malloc (n_bytes + 1);

  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 |
                         g_ascii_xdigit_value (hex[2 * i + 1]));
  return g_bytes_new_take (bytes, n_bytes);
}

char *
malt_vectors_unescape (const char *text)
{
  GString *out = g_string_new (NULL);

  for (; *text != '\0'; text++)
    {
      if (*text != '\\' || text[1] == '\0')
        {
          g_string_append_c (out, *text);
          continue;
        }
      text++;
      g_string_append_c (out, *text == 'n' ? '\n' : *text == 't' ? '\t' : *text);
    }
  return g_string_free (out, FALSE);
}

MaltValue *
malt_vectors_decode (GBytes *body, GError **error)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) value = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  value = malt_wire_reader_take_value (&reader, error);
  if (value == NULL || !malt_wire_reader_finish (&reader, error))
    return NULL;
  return g_steal_pointer (&value);
}

GBytes *
malt_vectors_encode (MaltValue *value, GError **error)
{
  g_auto (MaltWireWriter) writer;
  g_autoptr (MaltWireFrame) frame = NULL;

  malt_wire_writer_init (&writer, NULL);
  if (!malt_wire_writer_put_value (&writer, value, error))
    return NULL;
  frame = malt_wire_writer_finish (&writer, MALT_FRAME_OK, 0, 1);
  return malt_wire_frame_dup_body (frame);
}

/* A message may define a descriptor twice; ours do not, and are shorter then. */
static gboolean
is_same_message (GBytes *body, GBytes *again)
{
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GBytes) third = NULL;

  if (g_bytes_equal (body, again))
    return TRUE;
  if (g_bytes_get_size (again) >= g_bytes_get_size (body))
    return FALSE;
  value = malt_vectors_decode (again, NULL);
  third = value != NULL ? malt_vectors_encode (value, NULL) : NULL;
  return third != NULL && g_bytes_equal (again, third);
}

void
malt_vectors_check_round_trip (const char *name, const char *hex)
{
  g_autoptr (GBytes) body = malt_vectors_unhex (hex);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_vectors_decode (body, &error);
  g_autoptr (GBytes) again = value != NULL ? malt_vectors_encode (value, &error) : NULL;
  g_autofree char *text = NULL;

  if (again == NULL)
    {
      MALT_TEST_FAIL ("%s: %s", name, error->message);
      return;
    }
  if (!is_same_message (body, again))
    MALT_TEST_FAIL ("%s: encoded differently", name);
  if (!malt_value_equal (value, value))
    MALT_TEST_FAIL ("%s: does not equal itself", name);
  text = malt_value_to_string (value);
  if (text == NULL || text[0] == '\0' || malt_value_get_type_name (value) == NULL)
    MALT_TEST_FAIL ("%s: has no text", name);
}
