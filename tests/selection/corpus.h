/* SPDX-License-Identifier: MIT */
/* The key files of cases.txt, with what is expected of each. */
#pragma once

#include <glib.h>

typedef struct
{
  char *name; /* (owned) */
  char *text; /* (owned) */
  gsize n_bytes;
  gboolean is_file; /* of cases/ */
  guint line; /* the one that is wrong; 0: the file is accepted */
  char **words; /* (owned): what the message contains */
} CorpusCase;

/* All cases, or NULL after it has said on standard error what is missing. (transfer full) */
GPtrArray *corpus_load (void);
