/* SPDX-License-Identifier: MIT */
/* Every key file of the corpus has the verdict that stands in the table: accepted, or the
 * line that is wrong and what is said about it. */
#include "corpus.h"
#include "malt-test.h"
#include "selection/malt-key-file.h"

#include <string.h>

static void
check_refusal (const CorpusCase *one, const GError *error)
{
  g_autofree char *start = g_strdup_printf ("%s:%u: ", one->name, one->line);

  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG) ||
      !g_str_has_prefix (error->message, start) ||
      strchr (error->message, '\n') != NULL || strlen (error->message) > 1000)
    {
      MALT_TEST_FAIL ("expected one line that begins with '%s', got '%s'", start,
                      error != NULL ? error->message : "no error");
      return;
    }
  for (char **word = one->words; *word != NULL; word++)
    if (strstr (error->message, *word) == NULL)
      MALT_TEST_FAIL ("%s: expected \"%s\" in '%s'", one->name, *word, error->message);
}

static void
check_case (const CorpusCase *one)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltKeyFile) file =
      malt_key_file_parse (one->name, one->text, one->n_bytes, &error);

  if (one->line > 0)
    {
      if (file != NULL)
        MALT_TEST_FAIL ("%s: expected line %u to be refused", one->name, one->line);
      else
        check_refusal (one, error);
      return;
    }
  if (file == NULL)
    MALT_TEST_FAIL ("%s: expected to be accepted, got '%s'", one->name,
                    error != NULL ? error->message : "no error");
}

static void
files_have_the_verdicts_of_the_table (void)
{
  g_autoptr (GPtrArray) cases = corpus_load ();
  guint n_accepted = 0;

  malt_assert (cases != NULL);
  malt_assert (cases->len >= 100);
  for (guint i = 0; i < cases->len; i++)
    {
      const CorpusCase *one = g_ptr_array_index (cases, i);

      n_accepted += one->line == 0 ? 1 : 0;
      check_case (one);
    }
  malt_assert (n_accepted >= 50 && cases->len - n_accepted >= 50);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (files_have_the_verdicts_of_the_table),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "key file corpus", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
