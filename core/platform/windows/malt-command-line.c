/* SPDX-License-Identifier: MIT */
/*
 * How arguments and variables are handed to a process on Windows.
 *
 * A process gets one line, which it takes apart itself; C programs, and Julia, all do it
 * in the same way: blanks separate, unless they stand in quotes; n pairs of backslashes
 * before a quote stand for n backslashes, an odd one makes the quote a character;
 * elsewhere a backslash is itself.
 */
#include "platform/windows/malt-command-line.h"

#include <string.h>

static void
append_argument (GString *line, const char *argument)
{
  gsize n_backslashes = 0;

  if (*argument != '\0' && strpbrk (argument, " \t\n\v\"") == NULL)
    {
      g_string_append (line, argument);
      return;
    }
  g_string_append_c (line, '"');
  for (const char *at = argument; *at != '\0'; at++)
    {
      if (*at == '\\')
        n_backslashes++;
      else
        {
          /* Those before a quote are doubled, and one more makes it a character. */
          for (gsize i = 0; *at == '"' && i <= n_backslashes; i++)
            g_string_append_c (line, '\\');
          n_backslashes = 0;
        }
      g_string_append_c (line, *at);
    }
  for (gsize i = 0; i < n_backslashes; i++)
    g_string_append_c (line, '\\');
  g_string_append_c (line, '"');
}

char *
malt_command_line_join (const char *const *argv)
{
  GString *line = g_string_new (NULL);

  for (const char *const *argument = argv; *argument != NULL; argument++)
    {
      if (argument != argv)
        g_string_append_c (line, ' ');
      append_argument (line, *argument);
    }
  return g_string_free (line, FALSE);
}

/* Of the name, which may begin with the sign that ends it. */
static int
get_name_length (const wchar_t *variable)
{
  const wchar_t *end = wcschr (variable + (*variable != 0 ? 1 : 0), L'=');

  return (int) (end != NULL ? (gsize) (end - variable) : wcslen (variable));
}

/* As the system compares names: letters of any language, great and small ones alike. */
static int
compare_variables (gconstpointer a, gconstpointer b)
{
  const wchar_t *first = *(const wchar_t *const *) a;
  const wchar_t *second = *(const wchar_t *const *) b;

  return CompareStringOrdinal (first, get_name_length (first), second,
                               get_name_length (second), TRUE) -
         CSTR_EQUAL;
}

wchar_t *
malt_environment_block (const char *const *envp)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) block = g_array_new (FALSE, FALSE, sizeof (wchar_t));
  const wchar_t end[2] = { 0, 0 };

  for (const char *const *variable = envp; *variable != NULL; variable++)
    g_ptr_array_add (sorted, malt_handle_dup_wide (*variable));
  g_ptr_array_sort (sorted, compare_variables);
  for (guint i = 0; i < sorted->len; i++)
    g_array_append_vals (block, sorted->pdata[i], (guint) wcslen (sorted->pdata[i]) + 1);
  /* An empty block ends with two as well. */
  g_array_append_vals (block, end, block->len == 0 ? 2 : 1);
  return (wchar_t *) g_array_free (g_steal_pointer (&block), FALSE);
}
