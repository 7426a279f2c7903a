/* SPDX-License-Identifier: MIT */
/* What stands behind a worker object: a worker of Distributed and the way to it; it
 * outlives the object. */
#pragma once

#include "link/malt-link.h"
#include "process/malt-launch.h"

G_BEGIN_DECLS

typedef struct _MaltDistributedEvaluator MaltDistributedEvaluator;

/* By the options of the worker. NULL and an error if a launch cannot even begin. */
MaltDistributedEvaluator *malt_distributed_evaluator_new (MaltWorker *worker,
                                                          GError **error);
/* Asks the bridge, once, when the worker knows its evaluator. */
void malt_distributed_evaluator_start (MaltDistributedEvaluator *evaluator,
                                       MaltWorker *worker);
MaltDistributedEvaluator *malt_distributed_evaluator_ref (
    MaltDistributedEvaluator *evaluator);
void malt_distributed_evaluator_unref (MaltDistributedEvaluator *evaluator);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltDistributedEvaluator, malt_distributed_evaluator_unref)

/* How the launch ends. (transfer none) */
MaltLaunch *malt_distributed_evaluator_get_launch (MaltDistributedEvaluator *evaluator);
MaltLink *malt_distributed_evaluator_get_link (MaltDistributedEvaluator *evaluator);
/* 0 and NULL before the runtime has introduced itself. */
gint64 malt_distributed_evaluator_get_pid (MaltDistributedEvaluator *evaluator);
const char *malt_distributed_evaluator_get_julia_version (
    MaltDistributedEvaluator *evaluator);
gboolean malt_distributed_evaluator_is_running (MaltDistributedEvaluator *evaluator);

/* Begins to end the worker, or makes an end that has begun come sooner. @task (nullable)
 * (transfer full) returns TRUE after the end. */
void malt_distributed_evaluator_stop (MaltDistributedEvaluator *evaluator,
                                      gint64 exit_timeout_ms, gint64 term_timeout_ms,
                                      GTask *task);

void malt_distributed_evaluator_kill (MaltDistributedEvaluator *evaluator, int signum);

/* For tests: of the bridge's process. */
gint64 malt_distributed_evaluator_get_bridge_pid (MaltDistributedEvaluator *evaluator);

G_END_DECLS
