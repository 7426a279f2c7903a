/* SPDX-License-Identifier: MIT */
/* What the files of malt-trust.h for the platforms share. */
#pragma once

#include "platform/malt-trust.h"

G_BEGIN_DECLS

/* Says what is wrong with a path; always FALSE. */
gboolean malt_trust_refuse (const char *path, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
