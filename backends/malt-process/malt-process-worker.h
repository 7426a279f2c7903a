/* SPDX-License-Identifier: MIT */
/* What tests of this backend may look at. */
#pragma once

#include "link/malt-link.h"

G_BEGIN_DECLS

GType malt_process_worker_get_type (void);

/* (transfer none): the connection of a worker of this class. */
MaltLink *malt_process_worker_get_link (MaltWorker *worker);

G_END_DECLS
