/* SPDX-License-Identifier: MIT */
#include "corpus.h"

#include <string.h>

static void
case_free (gpointer data)
{
  CorpusCase *one = data;

  g_free (one->name);
  g_free (one->text);
  g_strfreev (one->words);
  g_free (one);
}

static CorpusCase *
case_new (const char *row)
{
  g_auto (GStrv) columns = g_strsplit (row, "\t", -1);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  CorpusCase *one;

  if (g_strv_length (columns) < 3)
    {
      g_printerr ("cases.txt: '%s' lacks a verdict or a text\n", row);
      return NULL;
    }
  one = g_new0 (CorpusCase, 1);
  one->name = g_strdup (columns[0]);
  one->line = (guint) g_ascii_strtoull (columns[1], NULL, 10);
  one->words = g_strdupv (columns + 3);
  if (strcmp (columns[2], "@") != 0)
    {
      one->text = g_strcompress (columns[2]);
      one->n_bytes = strlen (one->text);
      return one;
    }
  one->is_file = TRUE;
  path = g_build_filename (MALT_TEST_SOURCE_DIR, "selection", "cases", columns[0], NULL);
  if (g_file_get_contents (path, &one->text, &one->n_bytes, &error))
    return one;
  g_printerr ("%s\n", error->message);
  case_free (one);
  return NULL;
}

/* Every file stands in the table. */
static gboolean
has_all_files (GPtrArray *cases)
{
  g_autofree char *path =
      g_build_filename (MALT_TEST_SOURCE_DIR, "selection", "cases", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint n_files = 0;
  guint n_cases = 0;

  for (guint i = 0; i < cases->len; i++)
    n_cases += ((CorpusCase *) g_ptr_array_index (cases, i))->is_file ? 1 : 0;
  while (directory != NULL && g_dir_read_name (directory) != NULL)
    n_files++;
  if (n_files == n_cases)
    return TRUE;
  g_printerr ("%u files in cases/, %u of them in cases.txt\n", n_files, n_cases);
  return FALSE;
}

GPtrArray *
corpus_load (void)
{
  g_autoptr (GPtrArray) cases = g_ptr_array_new_with_free_func (case_free);
  g_autofree char *path =
      g_build_filename (MALT_TEST_SOURCE_DIR, "selection", "cases.txt", NULL);
  g_autofree char *table = NULL;
  g_auto (GStrv) rows = NULL;

  if (!g_file_get_contents (path, &table, NULL, NULL))
    {
      g_printerr ("no %s\n", path);
      return NULL;
    }
  rows = g_strsplit (table, "\n", -1);
  for (char **row = rows; *row != NULL; row++)
    {
      CorpusCase *one;

      if (**row == '#' || **row == '\0')
        continue;
      one = case_new (*row);
      if (one == NULL)
        return NULL;
      g_ptr_array_add (cases, one);
    }
  return has_all_files (cases) ? g_steal_pointer (&cases) : NULL;
}
