/* SPDX-License-Identifier: MIT */
/* The reader meets many thousand bodies that are nearly right: the vectors, mutated by
 * a generator with a fixed seed. It must not crash, and what it makes of a body must
 * be in proportion to the body. */
#include "malt-test.h"
#include "malt-vectors.h"

#include "fuzz-body.h"

#include "wire/malt-wire-reader.h"

#include <features.h>
#include <string.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define MALLOC_IS_REPLACED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MALLOC_IS_REPLACED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(MALLOC_IS_REPLACED)
#include <malloc.h>
#endif

#define SEED 20261121
#define N_BODIES 1000000
#define MAX_BODY_BYTES 4096

/* A value takes at most so many bytes for each byte of the body, and these for none. */
#define BYTES_FOR_EACH_BYTE 64
#define BYTES_FOR_NONE 65536

static GPtrArray *
load_bodies (void)
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

static GBytes *
pick (GRand *random, GPtrArray *bodies)
{
  return g_ptr_array_index (bodies, g_rand_int_range (random, 0, (gint32) bodies->len));
}

static guint
pick_offset (GRand *random, const GByteArray *body)
{
  return body->len == 0 ? 0 : (guint) g_rand_int_range (random, 0, (gint32) body->len);
}

static guint64
pick_number (GRand *random)
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
  GBytes *other = pick (random, bodies);
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

static void
mutate (GRand *random, GByteArray *body, GPtrArray *bodies)
{
  guint offset = pick_offset (random, body);
  guint64 number = pick_number (random);
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

/* A body, changed in up to four places. */
static GByteArray *
make_body (GRand *random, GPtrArray *bodies)
{
  GByteArray *body = g_byte_array_new ();
  GBytes *original = pick (random, bodies);
  int n_mutations = g_rand_int_range (random, 1, 5);

  g_byte_array_append (body, g_bytes_get_data (original, NULL),
                       (guint) g_bytes_get_size (original));
  for (int i = 0; i < n_mutations; i++)
    mutate (random, body, bodies);
  return body;
}

static void
mutated_vectors_do_no_harm (void)
{
  g_autoptr (GPtrArray) bodies = load_bodies ();
  GRand *random = g_rand_new_with_seed (SEED);
  guint n_values = 0;

  malt_assert (bodies->len > 300);
  for (guint i = 0; i < N_BODIES; i++)
    {
      g_autoptr (GByteArray) body = make_body (random, bodies);

      if (malt_fuzz_body (body->data, body->len))
        n_values++;
    }
  g_rand_free (random);
  /* Both outcomes must be frequent, or nothing has been tested. */
  malt_assert (n_values > N_BODIES / 20 && n_values < N_BODIES / 2);
}

#if defined(__GLIBC__) && !defined(MALLOC_IS_REPLACED)

static gsize
n_used_bytes (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static void
values_are_in_proportion_to_their_bodies (void)
{
  g_autoptr (GPtrArray) bodies = load_bodies ();
  GRand *random = g_rand_new_with_seed (SEED + 1);

  for (guint i = 0; i < N_BODIES / 10; i++)
    {
      g_autoptr (GByteArray) array = make_body (random, bodies);
      g_autoptr (GBytes) body = g_bytes_new (array->data, array->len);
      gsize n_before = n_used_bytes ();
      G_GNUC_UNUSED g_autoptr (MaltValue) value = malt_vectors_decode (body, NULL);
      gsize n_after = n_used_bytes ();

      if (n_after > n_before + BYTES_FOR_NONE + (gsize) BYTES_FOR_EACH_BYTE * array->len)
        MALT_TEST_FAIL ("a body of %u bytes took %" G_GSIZE_FORMAT, array->len,
                        n_after - n_before);
    }
  g_rand_free (random);
  CU_PASS ("");
}

/* What is allocated and freed again on the way to an error does not show above; it
 * would abort here. */
static int
limit_memory (void)
{
  const struct rlimit limit = { 512u << 20, 512u << 20 };

  return setrlimit (RLIMIT_AS, &limit);
}

#else

static void
values_are_in_proportion_to_their_bodies (void)
{
  CU_PASS ("malloc is replaced; the build without sanitizers measures this");
}

static int
limit_memory (void)
{
  return 0;
}

#endif

int
main (void)
{
  CU_TestInfo tests[] = {
    { "mutated_vectors_do_no_harm", mutated_vectors_do_no_harm },
    { "values_are_in_proportion_to_their_bodies",
      values_are_in_proportion_to_their_bodies },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "fuzz", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return limit_memory () == 0 ? malt_test_run (suites) : 1;
}
