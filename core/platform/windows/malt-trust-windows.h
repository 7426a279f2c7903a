/* SPDX-License-Identifier: MIT */
/* What only Windows knows of trust. */
#pragma once

#include "platform/windows/malt-handle.h"

G_BEGIN_DECLS

/* Whom an access list lets make one of such changes (bits of rights) who is neither this
 * user nor one of those who may do everything anyway. NULL: nobody. (transfer full) */
char *malt_trust_dup_stranger (PACL list, DWORD changes);

G_END_DECLS
