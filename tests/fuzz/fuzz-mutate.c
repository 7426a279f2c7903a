/* SPDX-License-Identifier: MIT */
/* Bodies that are nearly right. */
#include "fuzz-mutate.h"

#include "malt-test.h"
#include "malt-vectors.h"

#include <string.h>

#define MAX_BODY_BYTES 4096

GPtrArray *
fuzz_load_bodies (void)
{
  g_autoptr (GPtrArray) bodies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GPtrArray) vectors = malt_vectors_load ("reprs.txt");

  for (guint i = 0; vectors != NULL && i < vectors->len; i++)
    {
      const MaltVector *vector = g_ptr_array_index (vectors, i);

      g_ptr_array_add (bodies, malt_vectors_unhex (vector->second));
    }
  return g_steal_pointer (&bodies);
}

GBytes *
fuzz_pick (GRand *random, GPtrArray *bodies)
{
  return g_ptr_array_index (bodies, g_rand_int_range (random, 0, (gint32) bodies->len));
}

static guint
pick_offset (GRand *random, const GByteArray *body)
{
  return body->len == 0 ? 0 : (guint) g_rand_int_range (random, 0, (gint32) body->len);
}

guint64
fuzz_pick_number (GRand *random)
{
  static const guint64 numbers[] = { 0,
                                     1,
                                     2,
                                     3,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x100,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     0x3fffffffffffffff,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     0xffffffffffffffff };

  return numbers[g_rand_int_range (random, 0, G_N_ELEMENTS (numbers))];
}

/* Puts a stretch of another body in. */
static void
splice (GRand *random, GByteArray *body, GPtrArray *bodies)
{
  GBytes *other = fuzz_pick (random, bodies);
  gsize n_other;
  const guint8 *data = g_bytes_get_data (other, &n_other);
  gsize start = (gsize) g_rand_int_range (random, 0, (gint32) n_other);
  guint n = (guint) g_rand_int_range (random, 0, (gint32) (n_other - start) + 1);
  guint offset = pick_offset (random, body);
  guint old_length = body->len;

  if (old_length + n > MAX_BODY_BYTES)
    return;
  g_byte_array_set_size (body, old_length + n);
  memmove (body->data + offset + n, body->data + offset, old_length - offset);
  memcpy (body->data + offset, data + start, n);
}

void
fuzz_mutate (GRand *random, GByteArray *body, GPtrArray *bodies)
{
  guint offset = pick_offset (random, body);
  guint64 number = fuzz_pick_number (random);
  guint n_left = body->len - offset;

  if (body->len == 0)
    return;
  switch (g_rand_int_range (random, 0, 7))
    {
    case 0:
      body->data[offset] ^= (guint8) (1u << g_rand_int_range (random, 0, 8));
      break;
    case 1:
      body->data[offset] = (guint8) g_rand_int_range (random, 0, 0x30);
      break;
    case 2:
      memcpy (body->data + offset, &number, MIN (n_left, 8));
      break;
    case 3:
      memcpy (body->data + offset, &number, MIN (n_left, 4));
      break;
    case 4:
      g_byte_array_remove_range (
          body, offset, (guint) g_rand_int_range (random, 1, (gint32) n_left + 1));
      break;
    case 5:
      splice (random, body, bodies);
      break;
    default:
      body->data[offset]++;
      break;
    }
}
