/* SPDX-License-Identifier: MIT */
/* The worker class of LinkPeer: for link-peer.c and link-peer-worker.c only. */
#pragma once

#include "link-peer.h"

#include "link/malt-link-worker.h"

#include <malt/malt-abstract-worker.h>

G_BEGIN_DECLS

#define LINK_TYPE_WORKER (link_worker_get_type ())
G_DECLARE_FINAL_TYPE (LinkWorker, link_worker, LINK, WORKER, MaltLinkWorker)

/* What the link tells its owner; outlives the worker. */
typedef struct _LinkPeerOwner
{
  gatomicrefcount ref_count;
  GMutex lock; /* guards the rest */
  char *end; /* (owned) (nullable) */
  GString *output;
  char *refusal; /* (owned) (nullable) */
  MaltLinkSignal signal; /* what becomes of signals */
  guint n_signals;
  GQueue frames; /* of MaltWireFrame (owned): handed over in memory, not read yet */
  GCond has_frames;
} LinkPeerOwner;

struct _LinkWorker
{
  MaltLinkWorker parent_instance;
  MaltLink *link; /* (owned) */
  LinkPeerOwner *owner; /* (owned) */
  int peer_fd; /* the runtime's end; the peer takes it over */
  gboolean is_running;
};

/* Atomic: loans that have not been given back. */
extern gint link_peer_n_borrowed;

void link_peer_owner_unref (gpointer data);

/* Of a frame that was handed over in memory. */
gboolean link_peer_read_header (MaltWireFrame *frame, MaltFrameHeader *out_header);

G_END_DECLS
