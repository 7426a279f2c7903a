/* SPDX-License-Identifier: MIT */
/* Key files that are made of those of the corpus, by fixed seeds: each is accepted, or
 * refused with a line that it has. Takes the number of files as its argument. */
#include "corpus.h"
#include "malt-test.h"
#include "selection/malt-config-private.h"
#include "selection/malt-key-file.h"

#include <string.h>

enum
{
  N_FILES = 2000,
  MAX_MUTATIONS = 3,
};

static guint n_files = N_FILES;

/* Pieces that mean something. */
static const char *const pieces[] = {
  "[malt]\n",
  "[malt-process]\n",
  "[inprocess]\n",
  "[distributed]\n",
  "[profile x]\n",
  "[profile x",
  " inprocess]\n",
  "backend = ",
  "threads = 2\n",
  "cwd = /\n",
  "exeflags = ;",
  "\\;",
  "\\",
  "\r\n",
  "\n",
  "=",
  "[",
  "]",
  "#",
  "\xef\xbb\xbf",
  "\xff",
  "\x1b",
  "auto\n",
  "inprocess\n",
  "99999999999999",
};

/* Mutations */

static void
insert (GByteArray *text, guint at, const guint8 *bytes, guint n_bytes)
{
  guint old_length = text->len;

  g_byte_array_set_size (text, old_length + n_bytes);
  memmove (text->data + at + n_bytes, text->data + at, old_length - at);
  memcpy (text->data + at, bytes, n_bytes);
}

static guint
random_below (GRand *rand, guint limit)
{
  return limit > 0 ? (guint) g_rand_int_range (rand, 0, (gint32) limit) : 0;
}

static void
insert_piece (GByteArray *text, GRand *rand)
{
  const char *piece = pieces[random_below (rand, G_N_ELEMENTS (pieces))];

  insert (text, random_below (rand, text->len + 1), (const guint8 *) piece,
          (guint) strlen (piece));
}

static void
insert_byte (GByteArray *text, GRand *rand)
{
  guint8 byte = (guint8) random_below (rand, 256);

  insert (text, random_below (rand, text->len + 1), &byte, 1);
}

static void
change_byte (GByteArray *text, GRand *rand)
{
  if (text->len > 0)
    text->data[random_below (rand, text->len)] ^= (guint8) (1U << random_below (rand, 8));
}

static void
drop_range (GByteArray *text, GRand *rand)
{
  guint start = random_below (rand, text->len);
  guint length = random_below (rand, MIN (text->len - start, 40) + 1);

  if (length > 0)
    g_byte_array_remove_range (text, start, length);
}

static void
repeat_range (GByteArray *text, GRand *rand)
{
  guint start = random_below (rand, text->len);
  guint length = random_below (rand, MIN (text->len - start, 200) + 1);
  g_autofree guint8 *range = g_memdup2 (text->data + start, length);

  if (length > 0)
    insert (text, random_below (rand, text->len + 1), range, length);
}

typedef void (*Mutation) (GByteArray *text, GRand *rand);

static const Mutation mutations[] = {
  insert_piece, insert_piece, insert_byte, change_byte, drop_range, repeat_range,
};

/* Mostly of one that is accepted, so that there is something to find behind the first mistake. */
static const CorpusCase *
pick_case (GPtrArray *cases, GRand *rand)
{
  const CorpusCase *one = g_ptr_array_index (cases, random_below (rand, cases->len));

  for (guint i = 0; i < 4 && one->line != 0; i++)
    one = g_ptr_array_index (cases, random_below (rand, cases->len));
  return one;
}

static GByteArray *
make_file (GPtrArray *cases, GRand *rand)
{
  GByteArray *text = g_byte_array_new ();
  guint n_cases = random_below (rand, 4) == 0 ? 2 : 1;
  guint n_mutations = 1 + random_below (rand, MAX_MUTATIONS);

  for (guint i = 0; i < n_cases; i++)
    {
      const CorpusCase *one = pick_case (cases, rand);
      g_byte_array_append (text, (const guint8 *) one->text, (guint) one->n_bytes);
    }
  for (guint i = 0; i < n_mutations; i++)
    mutations[random_below (rand, G_N_ELEMENTS (mutations))](text, rand);
  return text;
}

/* Verdicts */

static guint
count_lines (const GByteArray *text)
{
  guint n_lines = text->len > 0 && text->data[text->len - 1] != '\n' ? 1 : 0;

  for (guint i = 0; i < text->len; i++)
    n_lines += text->data[i] == '\n' ? 1 : 0;
  return n_lines;
}

static gboolean
is_good_refusal (const GError *error, guint n_lines)
{
  const char *message = error != NULL ? error->message : "";
  char *rest = NULL;
  guint64 line;

  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG) ||
      !g_str_has_prefix (message, "fuzz:") || strchr (message, '\n') != NULL ||
      strlen (message) > 1500 || !g_utf8_validate (message, -1, NULL))
    return FALSE;
  line = g_ascii_strtoull (message + strlen ("fuzz:"), &rest, 10);
  return line >= 1 && line <= n_lines && g_str_has_prefix (rest, ": ");
}

/* What is accepted can be used. Returns whether it was accepted. */
static gboolean
check_file (guint seed, const GByteArray *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltKeyFile) file =
      malt_key_file_parse ("fuzz", (const char *) text->data, text->len, &error);
  g_autoptr (MaltConfig) config = malt_config_new ();

  if (file == NULL)
    {
      if (!is_good_refusal (error, count_lines (text)))
        MALT_TEST_FAIL ("seed %u: '%s'", seed,
                        error != NULL ? error->message : "no error");
      return FALSE;
    }
  malt_key_file_apply (file, "x", config);
  for (gsize i = 0; i < malt_config_get_n_entries (config); i++)
    if (!g_utf8_validate (malt_config_get_entry (config, i)->value, -1, NULL))
      MALT_TEST_FAIL ("seed %u: a value is no UTF-8", seed);
  return TRUE;
}

static void
mutated_files_are_accepted_or_refused_with_a_line (void)
{
  g_autoptr (GPtrArray) cases = corpus_load ();
  guint n_accepted = 0;

  malt_assert (cases != NULL);
  for (guint seed = 1; seed <= n_files; seed++)
    {
      GRand *rand = g_rand_new_with_seed (seed);
      g_autoptr (GByteArray) text = make_file (cases, rand);

      n_accepted += check_file (seed, text) ? 1 : 0;
      g_rand_free (rand);
    }
  g_print ("%u of %u files accepted\n", n_accepted, n_files);
  malt_assert (n_accepted > 0 && n_accepted < n_files);
}

int
main (int argc, char **argv)
{
  CU_TestInfo tests[] = {
    MALT_TEST (mutated_files_are_accepted_or_refused_with_a_line),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "key file fuzz", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  if (argc > 1)
    n_files = (guint) g_ascii_strtoull (argv[1], NULL, 10);
  return malt_test_run (suites);
}
