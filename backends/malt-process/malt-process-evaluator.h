/* SPDX-License-Identifier: MIT */
/* The process behind a worker object, from its launch to its end; it outlives the object. */
#pragma once

#include "link/malt-link.h"
#include "platform/malt-process-launcher.h"
#include "process/malt-launch.h"

G_BEGIN_DECLS

typedef struct _MaltProcessEvaluator MaltProcessEvaluator;

/* Makes the process, by the options of the worker. NULL and an error if none could be
 * made. Nothing is heard of it before start. */
MaltProcessEvaluator *malt_process_evaluator_new (MaltWorker *worker, GError **error);
/* Once, when the worker knows its evaluator. */
void malt_process_evaluator_start (MaltProcessEvaluator *evaluator,
                                   gint64 start_timeout_ms);
MaltProcessEvaluator *malt_process_evaluator_ref (MaltProcessEvaluator *evaluator);
void malt_process_evaluator_unref (MaltProcessEvaluator *evaluator);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltProcessEvaluator, malt_process_evaluator_unref)

/* (transfer none) */
MaltLaunch *malt_process_evaluator_get_launch (MaltProcessEvaluator *evaluator);
MaltLink *malt_process_evaluator_get_link (MaltProcessEvaluator *evaluator);
gint64 malt_process_evaluator_get_pid (MaltProcessEvaluator *evaluator);
/* NULL before the runtime has introduced itself. */
const char *malt_process_evaluator_get_julia_version (MaltProcessEvaluator *evaluator);
/* Before each call. */
void malt_process_evaluator_note_call (MaltProcessEvaluator *evaluator);
gboolean malt_process_evaluator_is_running (MaltProcessEvaluator *evaluator);

/* Begins to end the process, or makes an end that has begun come sooner. @task (nullable)
 * (transfer full) returns TRUE after the end. */
void malt_process_evaluator_stop (MaltProcessEvaluator *evaluator, gint64 exit_timeout_ms,
                                  gint64 term_timeout_ms, GTask *task);

/* Nothing, if there is no process any more. */
/* FALSE: this process may not. */
gboolean malt_process_evaluator_kill (MaltProcessEvaluator *evaluator, int signum);

G_END_DECLS
