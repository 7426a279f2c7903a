/* SPDX-License-Identifier: MIT */
/* Launching: from the options of a worker to a request to the bridge, and to a worker
 * that has introduced itself. */
#include "malt-distributed-evaluator-private.h"

#include "link/malt-julia-source.h"
#include "malt-distributed-request.h"
#include "platform/malt-process-launcher.h"
#include "process/malt-output.h"

enum
{
  DISTANCE_MS = 900 /* of a worker on another machine */
};

static gint n_workers; /* atomic: made so far */

static void
on_connected (int fd, GError *failure, gpointer user_data)
{
  MaltDistributedEvaluator *evaluator = user_data;
  GError *error = failure;

  if (error != NULL || !malt_link_attach (evaluator->link, fd, &error))
    malt_launch_decide (evaluator->launch, error);
}

static void
on_decided (gpointer owner, const GError *error)
{
  MaltDistributedEvaluator *evaluator = owner;

  if (error != NULL)
    {
      malt_distributed_evaluator_leave (evaluator);
      return;
    }
  g_mutex_lock (&evaluator->lock);
  if (evaluator->state == DISTRIBUTED_LAUNCHING)
    {
      evaluator->state = DISTRIBUTED_RUNNING;
      g_atomic_int_set (&evaluator->is_running, TRUE);
    }
  g_mutex_unlock (&evaluator->lock);
}

/* The bridge has answered: with nothing, when the worker is connected, or with what went
 * wrong. A worker that is ended since it has broken the protocol is not ready either:
 * that will be told by its end. */
static void
on_added (G_GNUC_UNUSED MaltValue *value, const GError *error, gpointer user_data)
{
  g_autoptr (MaltDistributedEvaluator) evaluator = user_data;
  const char *message;
  gboolean has_violated;
  gboolean is_short;

  g_mutex_lock (&evaluator->lock);
  has_violated = evaluator->violation != NULL;
  g_mutex_unlock (&evaluator->lock);
  if (error == NULL || has_violated)
    return;
  is_short = g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES);
  message = malt_error_get_exception_message (error);
  malt_launch_decide (
      evaluator->launch,
      g_error_new_literal (MALT_ERROR,
                           is_short ? MALT_ERROR_RESOURCES : MALT_ERROR_LAUNCH_FAILED,
                           message != NULL ? message : error->message));
}

static char *
dup_tail (gpointer owner)
{
  return malt_output_pipes_dup_tail (((MaltDistributedEvaluator *) owner)->output);
}

/* In the I/O thread, to which the listener belongs. */
static gboolean
begin_to_listen (gpointer data)
{
  MaltDistributedEvaluator *evaluator = data;

  if (evaluator->listener != NULL)
    malt_link_listener_start (evaluator->listener, on_connected, evaluator);
  if (evaluator->listener != NULL && evaluator->pipes.pipes[0] != NULL)
    malt_output_pipes_start (evaluator->output, evaluator->pipes.pipes[0],
                             evaluator->pipes.pipes[1]);
  return G_SOURCE_REMOVE;
}

static gboolean
prepare (MaltDistributedEvaluator *evaluator, MaltWorker *worker, GError **error)
{
  g_autoptr (GBytes) secrets = NULL;
  g_autoptr (GBytes) library = NULL;
  GError *failure = NULL;

  evaluator->listener = malt_link_listener_new (error);
  if (evaluator->listener == NULL)
    return FALSE;
  secrets = malt_link_listener_dup_secrets (evaluator->listener);
  if (evaluator->is_local)
    {
      library = malt_julia_dup_source ("julia/judge.so");
      evaluator->judge = malt_judge_new (library, &failure);
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  evaluator->add = malt_distributed_call_new_add (
      evaluator->number, worker, malt_link_listener_get_port (evaluator->listener),
      secrets, evaluator->judge != NULL ? malt_judge_get_path (evaluator->judge) : "",
      &evaluator->pipes, error);
  return evaluator->add != NULL;
}

void
malt_distributed_evaluator_start (MaltDistributedEvaluator *evaluator, MaltWorker *worker)
{
  evaluator->bridge = malt_distributed_bridge_enter (worker);
  malt_distributed_bridge_add_worker (
      evaluator->bridge, evaluator->number, malt_distributed_evaluator_printed,
      malt_distributed_evaluator_ref (evaluator), malt_distributed_evaluator_unref_owner);
  malt_launch_limit (evaluator->launch,
                     malt_worker_get_option_int (worker, "start-timeout-ms"), dup_tail);
  malt_reaper_start (evaluator->reaper);
  g_source_unref (malt_distributed_evaluator_attach (evaluator, g_idle_source_new (),
                                                     begin_to_listen));
  malt_distributed_bridge_call (evaluator->bridge, g_steal_pointer (&evaluator->add),
                                on_added, malt_distributed_evaluator_ref (evaluator));
}

MaltDistributedEvaluator *
malt_distributed_evaluator_new (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltDistributedEvaluator) evaluator = g_new0 (MaltDistributedEvaluator, 1);

  g_atomic_ref_count_init (&evaluator->ref_count);
  g_mutex_init (&evaluator->lock);
  malt_stops_init (&evaluator->stops);
  evaluator->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  evaluator->is_local = malt_distributed_is_local (worker);
  evaluator->number = g_atomic_int_add (&n_workers, 1) + 1;
  evaluator->launch =
      malt_launch_new (evaluator, malt_distributed_evaluator_ref_owner,
                       malt_distributed_evaluator_unref_owner, on_decided);
  evaluator->reaper = malt_reaper_new (evaluator, malt_distributed_evaluator_ref_owner,
                                       malt_distributed_evaluator_unref_owner,
                                       malt_distributed_evaluator_due);
  evaluator->link = malt_link_new (
      worker, &malt_distributed_link_funcs, malt_distributed_evaluator_ref (evaluator),
      malt_distributed_evaluator_unref_owner,
      (guint64) malt_worker_get_option_int (worker, "max-frame-bytes"), error);
  if (evaluator->link == NULL)
    {
      malt_distributed_evaluator_unref (evaluator);
      return NULL;
    }
  evaluator->output = malt_output_pipes_new (worker, evaluator->link);
  if (!evaluator->is_local)
    malt_link_set_distance (evaluator->link, DISTANCE_MS);
  malt_link_start (evaluator->link, NULL, NULL);
  if ((evaluator->is_local && !malt_output_is_hosts (worker) &&
       !malt_distributed_pipes_open (&evaluator->pipes, error)) ||
      !prepare (evaluator, worker, error))
    {
      malt_link_close (evaluator->link);
      return NULL;
    }
  return g_steal_pointer (&evaluator);
}
