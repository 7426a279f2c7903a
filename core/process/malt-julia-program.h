/* SPDX-License-Identifier: MIT */
/* Which julia is used. Internal to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @julia: what the option says, a path or a name; (nullable). Returns an absolute path. */
char *malt_julia_find_program (const char *julia, GError **error);

G_END_DECLS
