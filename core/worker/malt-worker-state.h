/* SPDX-License-Identifier: MIT */
/* The private part of a worker; for the malt-worker*.c files only. Internal to the
 * library. */
#pragma once

#include "base/malt-error-private.h"
#include "worker/malt-future-private.h"
#include "worker/malt-waiter.h"
#include "worker/malt-worker-private.h"

#include <malt/malt-worker-class.h>

G_BEGIN_DECLS

/* In the order in which they are passed through; see malt-worker.c. */
typedef enum
{
  MALT_WORKER_NEW,
  MALT_WORKER_LAUNCHING,
  MALT_WORKER_RUNNING,
  MALT_WORKER_STOPPING,
  MALT_WORKER_ENDED,
} MaltWorkerState;

typedef struct _MaltEmission MaltEmission;

typedef struct
{
  GList kept; /* in forks */

  /* Constant from construction on. */
  MaltConfig *config; /* (owned): sealed */
  GMainContext
      *context; /* (owned): of the thread that launched; signals are emitted there */
  MaltWeakWorker *weak; /* (owned): to the worker itself */
  MaltHandleHome *home; /* (owned) */

  /* Set once, during a launch; see malt-worker-inner.c. */
  MaltWorker *inner; /* (owned) (nullable): which this one wraps */
  MaltWeakWorker *front; /* (owned) (nullable) (atomic): which wraps this one */

  gint state; /* atomic: MaltWorkerState; written under lock, and only forward */
  gint capabilities; /* atomic */
  gint has_silent_calls; /* atomic: malt_worker_remote_do() was used */
  gpointer attachment; /* (owned) (nullable) (atomic): written under lock, once */

  GMutex lock; /* guards what follows */
  const MaltAttachmentKind *attachment_kind; /* (nullable): while there is none */
  MaltTermination *termination; /* (owned) (nullable): until the state is ENDED */
  GHashTable *outstanding; /* (owned): call id -> MaltFuture (owned) */
  GQueue order; /* the same futures, by their own links, oldest first */
  guint n_calls; /* those that are not requests */
  guint32 last_call_id;
  GHashTable *channels; /* (owned): channel id -> GWeakRef (owned) */
  guint32 last_channel_id;
  gsize n_queued_output_bytes; /* what output costs that waits for handlers */
  MaltEmission *last_output; /* (unowned) (nullable): the last that waits */
  GSList *stops; /* (owned): of MaltWaiter: stops that are under way */
} MaltWorkerPrivate;

MaltWorkerPrivate *malt_worker_get_private (MaltWorker *worker);

MaltWorkerState malt_worker_get_state (MaltWorker *worker);

/* FALSE, and nothing changes, unless the state is one that comes before. */
gboolean malt_worker_advance (MaltWorker *worker, MaltWorkerState state);

/* The error of something that needs a running worker. (transfer full) */
GError *malt_worker_new_terminated_error (MaltWorker *worker, MaltCall *call);

/* Another number than those in @taken. Those with the highest bit are for requests of
 * backends, which core does not know. */
guint32 malt_worker_next_id (guint32 *last, GHashTable *taken);

/* For the field channels. */
GHashTable *malt_worker_channel_table_new (void);

/* Has handles of @inner released through @worker. */
void malt_worker_share_home (MaltWorker *worker, MaltWorker *inner);

/* The call that an interrupt means: that of the future, or with NULL the newest. NULL:
 * it is not outstanding. (transfer full) */
MaltFuture *malt_worker_dup_interrupted (MaltWorker *worker, MaltFuture *future);

/* The future of a call or request (NULL), registered and numbered; see
 * malt_worker_begin_request(). */
MaltFuture *malt_worker_begin (MaltWorker *worker, MaltCall *call,
                               gboolean *out_is_pending);

/* Emission of signals, in malt-worker-signal.c */

void malt_worker_install_signals (MaltWorkerClass *klass);
void malt_worker_queue_exited (MaltWorker *worker, MaltTermination *termination);

G_END_DECLS
