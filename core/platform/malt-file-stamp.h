/* SPDX-License-Identifier: MIT */
/* Whether a file is still the one it was. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A line that changes when the file is written to or replaced; NULL: there is none. */
char *malt_file_stamp (const char *path);

G_END_DECLS
