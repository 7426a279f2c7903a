/* SPDX-License-Identifier: MIT */
/* MaltLinkWorker: a worker that reaches Julia through a link. Its class fills in the
 * slots that hand their work to the link: calls, interrupts, channels, host functions,
 * handles. A backend derives from it and provides the rest. Internal to the library. */
#pragma once

#include "link/malt-link.h"

G_BEGIN_DECLS

#define MALT_TYPE_LINK_WORKER (malt_link_worker_get_type ())
#define MALT_LINK_WORKER_GET_CLASS(obj) \
  (G_TYPE_INSTANCE_GET_CLASS ((obj), MALT_TYPE_LINK_WORKER, MaltLinkWorkerClass))
#define MALT_LINK_WORKER_CLASS(klass) \
  (G_TYPE_CHECK_CLASS_CAST ((klass), MALT_TYPE_LINK_WORKER, MaltLinkWorkerClass))

typedef struct
{
  MaltWorker parent_instance;
} MaltLinkWorker;

typedef struct
{
  MaltWorkerClass parent_class;

  /* Must be provided: the link, which is there as soon as slots may be called. Any
   * thread. (transfer none) */
  MaltLink *(*get_link) (MaltWorker *worker);
} MaltLinkWorkerClass;

GType malt_link_worker_get_type (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltLinkWorker, g_object_unref)

G_END_DECLS
