/* SPDX-License-Identifier: MIT */
/* What malt-distributed-evaluator.c, which has the essay, and malt-distributed-launch.c share. */
#pragma once

#include "link/malt-link-listener.h"
#include "malt-distributed-bridge.h"
#include "malt-distributed-evaluator.h"
#include "malt-distributed-pipes.h"
#include "platform/malt-memory-watch.h"
#include "platform/malt-other-process.h"
#include "process/malt-output-pipes.h"
#include "process/malt-reaper.h"
#include "process/malt-stops.h"
#include "worker/malt-weak-worker.h"

G_BEGIN_DECLS

typedef enum
{
  DISTRIBUTED_LAUNCHING,
  DISTRIBUTED_RUNNING,
  DISTRIBUTED_LEAVING,
  DISTRIBUTED_ENDED,
} DistributedState;

struct _MaltDistributedEvaluator
{
  gatomicrefcount ref_count;
  MaltWeakWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  MaltOutputPipes *output; /* (owned) */
  MaltDistributedPipes pipes; /* of a local worker; of the I/O thread once started */
  MaltLaunch *launch; /* (owned) */
  MaltReaper *reaper; /* (owned) */
  MaltStops stops;
  MaltDistributedBridge *bridge; /* (owned): left when ended */
  MaltLinkListener *listener; /* (owned) (nullable): of the I/O thread once started */
  MaltCall *add; /* (owned) (nullable): asks the bridge for the worker; until start */
  MaltJudge *judge; /* (owned) (nullable): of a local worker */
  gint64 number; /* the bridge's name for the worker, unique in the host */
  gboolean is_local;
  gint is_running; /* atomic; state == DISTRIBUTED_RUNNING */

  GMutex lock; /* guards the rest */
  DistributedState state;
  gint64 pid;
  char *julia_version; /* (owned) (nullable): set once */
  MaltOtherProcess *process; /* (owned) (nullable): set once, of a local worker */
  MaltMemoryWatch *memory; /* (owned) (nullable): set once, of a local worker */
  GSource *watch; /* (owned) (nullable) */
  GSource *patience; /* (owned) (nullable) */
  gboolean is_forced; /* SIGKILL was sent */
  int host_signum; /* the last that malt_worker_kill() sent */
  char *violation; /* (owned) (nullable): of the protocol */
};

/* For those who keep an owner that they know nothing of. */
gpointer malt_distributed_evaluator_ref_owner (gpointer owner);
void malt_distributed_evaluator_unref_owner (gpointer owner);

/* A source of the I/O thread that holds a reference. (transfer full) */
GSource *malt_distributed_evaluator_attach (MaltDistributedEvaluator *evaluator,
                                            GSource *source, GSourceFunc callback);

/* In the I/O thread, or before it knows of us: asks the bridge to end what is left. */
void malt_distributed_evaluator_leave (MaltDistributedEvaluator *evaluator);

/* MaltReaperFunc and MaltDistributedPrinted. */
void malt_distributed_evaluator_due (gpointer owner, int signum);
void malt_distributed_evaluator_printed (gpointer owner, MaltStream stream,
                                         const char *text, gsize n_bytes);

extern const MaltLinkFuncs malt_distributed_link_funcs;

G_END_DECLS
