/* SPDX-License-Identifier: MIT */
/* What malt-process-evaluator.c, which has the essay, and malt-process-launch.c share. */
#pragma once

#include "link/malt-link-listener.h"
#include "link/malt-weak-worker.h"
#include "malt-process-evaluator.h"
#include "malt-process-output.h"

G_BEGIN_DECLS

/* The date of what is not going to happen. */
#define MALT_PROCESS_NEVER G_MAXINT64

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
  MaltProcessOutput *output; /* (owned) */
  MaltChild *child; /* (owned) (nullable): NULL only if the launch failed at once */
  MaltLinkListener *listener; /* (owned) (nullable): of the I/O thread once started */
  guint64 n_memory_kills; /* before the launch */
  gint is_running; /* atomic; state == MALT_PROCESS_RUNNING */

  GMutex lock; /* guards the rest */
  MaltProcessState state;
  char *julia_version; /* (owned) (nullable): set once */
  gboolean is_launch_decided;
  GError *launch_error; /* (owned) (nullable) */
  MaltProcessLaunched launched; /* (nullable): until it was called */
  gpointer launched_data;
  GSource *launch_timer; /* (owned) (nullable) */
  GSource *launch_cancel; /* (owned) (nullable) */
  GSource *child_watch; /* (owned) (nullable) */
  GSource *reaper; /* (owned) (nullable) */
  gint64 term_due_us; /* MALT_PROCESS_NEVER: not wanted, or done */
  gint64 kill_due_us;
  gboolean is_end_wanted; /* by the host */
  gboolean is_forced; /* SIGKILL was sent to the group */
  int host_signum; /* the last that malt_worker_kill() sent */
  gboolean is_lost; /* the connection ended first */
  char *violation; /* (owned) (nullable): of the protocol */
  GSList *stops; /* of GTask (owned) */
};

/* A source of the I/O thread that holds a reference. (transfer full) */
GSource *malt_process_evaluator_attach (MaltProcessEvaluator *evaluator, GSource *source,
                                        GSourceFunc callback);

/* Destroys and drops; NULL is fine. */
void malt_process_source_clear (GSource *source);

/* With lock held: SIGTERM after @term_ms (-1: none), SIGKILL after @kill_ms, or sooner. */
void malt_process_evaluator_end_within (MaltProcessEvaluator *evaluator, gint64 term_ms,
                                        gint64 kill_ms);

/* With lock held: from now on the ends that were asked for happen, and the end is noticed. */
void malt_process_evaluator_watch (MaltProcessEvaluator *evaluator);

/* With lock held, when the child has been collected. (transfer full) */
MaltTermination *malt_process_evaluator_make_termination (
    MaltProcessEvaluator *evaluator);

/* Without lock: malt-process-launch.c. Takes the error over; NULL: well. Nothing happens if it was decided before. */
void malt_process_evaluator_decide_launch (MaltProcessEvaluator *evaluator,
                                           GError *error);

/* The same for a child that has been collected. */
void malt_process_evaluator_fail_launch (MaltProcessEvaluator *evaluator);

extern const MaltLinkFuncs malt_process_link_funcs;

G_END_DECLS
