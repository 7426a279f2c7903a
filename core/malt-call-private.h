/* SPDX-License-Identifier: MIT */
/* What a worker does to a call that it is given. Internal to the library. */
#pragma once

#include <malt/malt.h>

G_BEGIN_DECLS

/* From now on the call may be read from several threads, so it cannot be changed. */
void malt_call_seal (MaltCall *call);

/* The same call, with its value discarded on the worker. (transfer full) */
MaltCall *malt_call_dup_discarding (MaltCall *call);

G_END_DECLS
