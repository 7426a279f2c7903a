/* SPDX-License-Identifier: MIT */
/* What a mistyped word was probably meant to be. */
#include "malt-cli.h"

#include <string.h>

enum
{
  MAX_WORD_BYTES = 32,
  MAX_MISTAKES = 2,
};

/* How many letters are missing, too many or wrong, or swapped with their neighbour
 * (Damerau's distance, where no letter is changed twice). Both are at most
 * MAX_WORD_BYTES long. */
static gsize
count_mistakes (const char *typed, const char *meant)
{
  gsize n[MAX_WORD_BYTES + 1][MAX_WORD_BYTES + 1];
  gsize n_typed = strlen (typed);
  gsize n_meant = strlen (meant);

  for (gsize i = 0; i <= n_typed; i++)
    for (gsize j = 0; j <= n_meant; j++)
      {
        if (i == 0 || j == 0)
          {
            n[i][j] = i + j;
            continue;
          }
        n[i][j] = n[i - 1][j - 1] + (typed[i - 1] != meant[j - 1]);
        n[i][j] = MIN (n[i][j], MIN (n[i - 1][j], n[i][j - 1]) + 1);
        if (i > 1 && j > 1 && typed[i - 1] == meant[j - 2] &&
            typed[i - 2] == meant[j - 1])
          n[i][j] = MIN (n[i][j], n[i - 2][j - 2] + 1);
      }
  return n[n_typed][n_meant];
}

const char *
malt_cli_guess (const char *typed, const char *const *words)
{
  const char *best = NULL;
  gsize n_best = MAX_MISTAKES + 1;

  if (strlen (typed) > MAX_WORD_BYTES)
    return NULL;
  for (const char *const *word = words; *word; word++)
    {
      gsize n = strlen (*word) <= MAX_WORD_BYTES ? count_mistakes (typed, *word) : n_best;

      if (n < n_best && n * 2 < strlen (*word))
        {
          best = *word;
          n_best = n;
        }
    }
  return best;
}

int
malt_cli_unknown_error (const char *command, const char *kind, const char *typed,
                        const char *const *words)
{
  const char *guess = malt_cli_guess (typed, words);

  if (!guess)
    return malt_cli_usage_error (command, "unknown %s '%s'", kind, typed);
  return malt_cli_usage_error (command, "unknown %s '%s', did you mean '%s'?", kind,
                               typed, guess);
}
