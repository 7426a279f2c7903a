/* SPDX-License-Identifier: MIT */
/* The life of an in-process worker, apart from its object. */
#pragma once

#include "link/malt-link.h"

G_BEGIN_DECLS

typedef struct _MaltInProcessEvaluator MaltInProcessEvaluator;

/* Starts Julia if it does not run yet. Blocks; not in the Julia thread. */
MaltInProcessEvaluator *malt_inprocess_evaluator_new (MaltWorker *worker,
                                                      GCancellable *cancellable,
                                                      GError **error);
/* Introduces the worker to Julia, once, when the worker knows its evaluator. Blocks. If
 * it fails, the end of the worker object ends the rest. */
gboolean malt_inprocess_evaluator_launch (MaltInProcessEvaluator *evaluator,
                                          MaltWorker *worker, GCancellable *cancellable,
                                          GError **error);
MaltInProcessEvaluator *malt_inprocess_evaluator_ref (MaltInProcessEvaluator *evaluator);
void malt_inprocess_evaluator_unref (MaltInProcessEvaluator *evaluator);

MaltLink *malt_inprocess_evaluator_get_link (MaltInProcessEvaluator *evaluator);
gboolean malt_inprocess_evaluator_is_running (MaltInProcessEvaluator *evaluator);

gboolean malt_inprocess_evaluator_forces_interrupts (MaltInProcessEvaluator *evaluator);

/* The worker ends, Julia stays. From any thread; does not wait. @task, (transfer full)
 * (nullable), is completed with TRUE after the end. */
void malt_inprocess_evaluator_stop (MaltInProcessEvaluator *evaluator, GTask *task);

G_END_DECLS
