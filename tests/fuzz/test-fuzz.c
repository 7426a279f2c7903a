/* SPDX-License-Identifier: MIT */
/* The reader meets many thousand bodies that are nearly right: the vectors, mutated by
 * a generator with a fixed seed. It must not crash, and what it makes of a body must
 * be in proportion to the body. */
#include "malt-test.h"
#include "malt-vectors.h"

#include "fuzz-body.h"
#include "fuzz-mutate.h"

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

/* A value takes at most so many bytes for each byte of the body, and these for none. */
#define BYTES_FOR_EACH_BYTE 64
#define BYTES_FOR_NONE 65536

/* A body, changed in up to four places. */
static GByteArray *
make_body (GRand *random, GPtrArray *bodies)
{
  GByteArray *body = g_byte_array_new ();
  GBytes *original = fuzz_pick (random, bodies);
  int n_mutations = g_rand_int_range (random, 1, 5);

  g_byte_array_append (body, g_bytes_get_data (original, NULL),
                       (guint) g_bytes_get_size (original));
  for (int i = 0; i < n_mutations; i++)
    fuzz_mutate (random, body, bodies);
  return body;
}

static void
mutated_vectors_do_no_harm (void)
{
  g_autoptr (GPtrArray) bodies = fuzz_load_bodies ();
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
  g_autoptr (GPtrArray) bodies = fuzz_load_bodies ();
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
