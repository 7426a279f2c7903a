/* SPDX-License-Identifier: MIT */
/* What julias have said when they were asked, kept from one program to the next. Internal
 * to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The values of @names in the answer to @question, an array of as many. NULL: none is
 * kept, or one of the files that it depends on is another one by now. (transfer full)
 * (nullable) */
char **malt_julia_answers_recall (const char *question, const char *const *names);

/* @values: as many as there are @names. @files: paths; the answer counts while size, time
 * and inode of each are what they are now. Does nothing where it cannot: then Julia is
 * asked again. */
void malt_julia_answers_keep (const char *question, const char *const *names,
                              const char *const *values, const char *const *files);

G_END_DECLS
