/* SPDX-License-Identifier: MIT */
/* What selection needs to know of a class of workers. Internal to the library. */
#pragma once

#include "selection/malt-backend-private.h"

G_BEGIN_DECLS

/* Reads the traits of a class, after a look at its slots. What they point to stays for the life of
 * the process. FALSE, with MALT_ERROR_INVALID_ARGUMENT: it is that of no backend. */
gboolean malt_worker_class_describe (GType worker_type, MaltBackendTraits *out_traits,
                                     GError **error);

G_END_DECLS
