/* SPDX-License-Identifier: MIT */
/* What malt-process-evaluator.c, which has the essay, and malt-process-launch.c share. */
#pragma once

#include "link/malt-link-listener.h"
#include "malt-process-evaluator.h"
#include "platform/malt-memory-watch.h"
#include "process/malt-output-pipes.h"
#include "process/malt-reaper.h"
#include "process/malt-stops.h"
#include "worker/malt-weak-worker.h"

G_BEGIN_DECLS

typedef enum
{
  MALT_PROCESS_LAUNCHING,
  MALT_PROCESS_RUNNING,
  MALT_PROCESS_ENDED,
} MaltProcessState;

struct _MaltProcessEvaluator
{
  gatomicrefcount ref_count;
  MaltWeakWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  MaltOutputPipes *output; /* (owned) */
  MaltLaunch *launch; /* (owned) */
  MaltReaper *reaper; /* (owned) */
  MaltStops stops;
  MaltChild *child; /* (owned) (nullable): NULL only if the launch failed at once */
  MaltJudge *judge; /* (owned) (nullable): NULL where there is none */
  MaltLinkListener *listener; /* (owned) (nullable): of the I/O thread once started */
  int fd; /* (owned): the host's end of the connection, until start; -1: none */
  MaltMemoryWatch *memory; /* (owned) (nullable): from start on */
  gint is_running; /* atomic; state == MALT_PROCESS_RUNNING */

  GMutex lock; /* guards the rest */
  MaltProcessState state;
  char *julia_version; /* (owned) (nullable): set once */
  gint is_julia; /* atomic: the child is what has introduced itself */
  GSource *child_watch; /* (owned) (nullable) */
  gboolean is_forced; /* SIGKILL was sent to the group */
  GSource *patience; /* (owned) (nullable): since then */
  gboolean is_left; /* it did not end, and nobody waits for that any more */
  int host_signum; /* the last that malt_worker_kill() sent */
  gboolean is_lost; /* the connection ended first */
  char *violation; /* (owned) (nullable): of the protocol */
};

/* An evaluator without a process. Who does not give it one closes its link. */
MaltProcessEvaluator *malt_process_evaluator_prepare (MaltWorker *worker, GError **error);

/* From now on the ends that were asked for happen, and the end is noticed. */
void malt_process_evaluator_watch (MaltProcessEvaluator *evaluator);

G_END_DECLS
