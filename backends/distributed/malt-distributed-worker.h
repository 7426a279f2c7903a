/* SPDX-License-Identifier: MIT */
/* What tests of this backend may look at. */
#pragma once

#include "link/malt-link.h"

G_BEGIN_DECLS

GType malt_distributed_worker_get_type (void);

/* (transfer none): the connection of a worker of this class. */
MaltLink *malt_distributed_worker_get_link (MaltWorker *worker);

/* Of the bridge's process. */
gint64 malt_distributed_worker_get_bridge_pid (MaltWorker *worker);

G_END_DECLS
