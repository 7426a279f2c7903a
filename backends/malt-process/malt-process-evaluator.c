/* SPDX-License-Identifier: MIT */
/*
 * The process behind a worker object.
 *
 * States (state, guarded by lock):
 *
 *   LAUNCHING  the process was made; HELLO has not come. Ends well with HELLO; ends badly
 *              when the process exits, the start timeout passes, or the cancellable
 *              fires. Whoever is first decides (MaltLaunch); later ones find it decided.
 *              A launch that fails brings the end forward to now.
 *   RUNNING    calls are answered
 *   ENDED      the process has been collected; malt_worker_exited() was called
 *
 * Ending is not a state but two dates (MaltReaper): when SIGTERM is sent and when SIGKILL
 * is. Whoever wants the end brings them forward: stop, the loss of the worker object, a
 * failed launch, a broken protocol (at once), a connection that ended while the process
 * lives (after LOST_PATIENCE_MS). Concurrent stops therefore join. Ends that are asked
 * for before the process is watched happen then.
 *
 * SIGKILL, whether by date or by malt_worker_kill(), goes to the worker's process group:
 * a forced end takes along what evaluated code started. Other signals, and an end that
 * the worker came to by itself, leave other processes of the group alone.
 *
 * The end itself has one place, on_child_ended(), in the I/O thread: answers that are
 * still in the socket are given, output that is still in the pipes is handed on, the
 * process is collected, the worker object (if there still is one) is told. A process that
 * does not end by SIGKILL, for instance since the host has become another user and may
 * not send it, is left after KILL_PATIENCE_MS: the worker is LOST, and what is left to do
 * is to collect the process, whenever it ends.
 *
 * Who keeps it: the worker object, its link (until the end), and its sources. So a worker
 * whose object is gone is ended in peace.
 */
#include "malt-process-evaluator-private.h"

#include "base/malt-signals.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-socket.h"

#include <errno.h>
#include <malt/malt-error-construction.h>

enum
{
  LOST_PATIENCE_MS = 1000,
  KILL_PATIENCE_MS = 5000
};

MaltProcessEvaluator *
malt_process_evaluator_ref (MaltProcessEvaluator *evaluator)
{
  g_atomic_ref_count_inc (&evaluator->ref_count);
  return evaluator;
}

void
malt_process_evaluator_unref (MaltProcessEvaluator *evaluator)
{
  if (!g_atomic_ref_count_dec (&evaluator->ref_count))
    return;
  g_clear_pointer (&evaluator->output, malt_output_pipes_free);
  g_clear_pointer (&evaluator->listener, malt_link_listener_free);
  if (evaluator->fd >= 0)
    malt_socket_close (evaluator->fd);
  g_clear_pointer (&evaluator->child_watch, g_source_unref);
  g_clear_pointer (&evaluator->link, malt_link_unref);
  g_clear_pointer (&evaluator->judge, malt_judge_free);
  g_clear_pointer (&evaluator->memory, malt_memory_watch_free);
  g_clear_pointer (&evaluator->child, malt_child_unref);
  g_clear_pointer (&evaluator->worker, malt_weak_worker_unref);
  g_clear_pointer (&evaluator->launch, malt_launch_free);
  g_clear_pointer (&evaluator->reaper, malt_reaper_free);
  g_free (evaluator->julia_version);
  g_free (evaluator->violation);
  malt_stops_clear (&evaluator->stops);
  g_mutex_clear (&evaluator->lock);
  g_free (evaluator);
}

static gpointer
ref_owner (gpointer owner)
{
  return malt_process_evaluator_ref (owner);
}

static void
unref_owner (gpointer owner)
{
  malt_process_evaluator_unref (owner);
}

static gboolean on_patience_over (gpointer data);

/* With lock held */
static void
lose_patience_soon (MaltProcessEvaluator *evaluator)
{
  if (evaluator->patience == NULL && evaluator->state != MALT_PROCESS_ENDED)
    evaluator->patience =
        malt_io_thread_attach (g_timeout_source_new (KILL_PATIENCE_MS), on_patience_over,
                               malt_process_evaluator_ref (evaluator), unref_owner);
}

/* With lock held: what is known of the reason changes together with the signal. */
static gboolean
send_signal (MaltProcessEvaluator *evaluator, int signum)
{
  if (signum != SIGKILL)
    return malt_child_signal (evaluator->child, signum, MALT_CHILD_TARGET_PROCESS);
  if (!malt_child_signal (evaluator->child, signum, MALT_CHILD_TARGET_GROUP))
    return FALSE;
  evaluator->is_forced = TRUE;
  malt_memory_watch_dismiss (evaluator->memory);
  lose_patience_soon (evaluator);
  return TRUE;
}

static void
on_due (gpointer owner, int signum)
{
  MaltProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  if (!send_signal (evaluator, signum) && signum == SIGKILL)
    lose_patience_soon (evaluator);
  g_mutex_unlock (&evaluator->lock);
}

static void
on_decided (gpointer owner, const GError *error)
{
  MaltProcessEvaluator *evaluator = owner;

  if (error != NULL)
    {
      malt_reaper_kill_within (evaluator->reaper, 0);
      return;
    }
  g_mutex_lock (&evaluator->lock);
  if (evaluator->state == MALT_PROCESS_LAUNCHING)
    {
      evaluator->state = MALT_PROCESS_RUNNING;
      g_atomic_int_set (&evaluator->is_running, TRUE);
    }
  g_mutex_unlock (&evaluator->lock);
}

/* What the link tells and asks */

/* What was launched may be a program that runs julia as its child: signals would end
 * that, and how long it runs says nothing. */
static void
on_hello (gpointer owner, guint32 pid, const char *julia_version)
{
  MaltProcessEvaluator *evaluator = owner;

  if (pid == malt_child_get_pid (evaluator->child))
    g_atomic_int_set (&evaluator->is_julia, TRUE);
  else
    malt_link_set_thread (evaluator->link, 0, NULL, 0);
  g_mutex_lock (&evaluator->lock);
  evaluator->julia_version = g_strdup (julia_version);
  g_mutex_unlock (&evaluator->lock);
  malt_launch_decide (evaluator->launch, NULL);
}

static void
on_before_answer (gpointer owner)
{
  malt_output_pipes_drain (((MaltProcessEvaluator *) owner)->output);
}

static void
on_link_output (gpointer owner, MaltStream stream, guint32 call_id, GBytes *bytes)
{
  malt_output_pipes_handle (((MaltProcessEvaluator *) owner)->output, stream, call_id,
                            bytes);
}

static void
on_link_ended (gpointer owner, const GError *error)
{
  MaltProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  if (error != NULL)
    evaluator->violation = g_strdup (error->message);
  else
    evaluator->is_lost = TRUE;
  g_mutex_unlock (&evaluator->lock);
  malt_reaper_kill_within (evaluator->reaper, error != NULL ? 0 : LOST_PATIENCE_MS);
}

static MaltLinkSignal
send_interrupt_signal (gpointer owner)
{
  MaltProcessEvaluator *evaluator = owner;

  return g_atomic_int_get (&evaluator->is_julia) &&
                 malt_child_signal (evaluator->child, SIGINT, MALT_CHILD_TARGET_PROCESS)
             ? MALT_LINK_SIGNAL_SENT
             : MALT_LINK_SIGNAL_IMPOSSIBLE;
}

static gboolean
ask_judge (gpointer owner, MaltJudge *judge, guint64 call)
{
  return malt_child_ask_judge (((MaltProcessEvaluator *) owner)->child, judge, call);
}

static const MaltLinkFuncs link_funcs = {
  .hello = on_hello,
  .before_answer = on_before_answer,
  .output = on_link_output,
  .ended = on_link_ended,
  .send_interrupt_signal = send_interrupt_signal,
  .ask_judge = ask_judge,
};

/* The end */

/* With lock held. Julia exits by itself when it gets SIGTERM, or aborts on its way. */
static gboolean
was_ended_by_host (MaltProcessEvaluator *evaluator, MaltChildEnd end, int number)
{
  if (malt_stops_are_wanted (&evaluator->stops) || evaluator->host_signum == SIGTERM)
    return TRUE;
  return evaluator->host_signum != 0 && end == MALT_CHILD_END_SIGNALLED &&
         number == evaluator->host_signum;
}

/* With lock held, when the child has been collected. */
static MaltTermination *
make_termination (MaltProcessEvaluator *evaluator)
{
  int number;
  MaltChildEnd end = malt_child_get_end (evaluator->child, &number);
  g_autofree char *tail = malt_output_pipes_dup_tail (evaluator->output);
  g_autofree char *text = NULL;

  if (evaluator->is_left)
    return malt_termination_new (MALT_TERMINATION_LOST, 0,
                                 "libmalt: the process did not end when it was killed",
                                 NULL);
  if (evaluator->violation != NULL)
    {
      text = g_strdup_printf ("libmalt: %s%s%s", evaluator->violation,
                              tail != NULL ? "\n" : "", tail != NULL ? tail : "");
      return malt_termination_new (MALT_TERMINATION_PROTOCOL, 0, text, NULL);
    }
  if (end == MALT_CHILD_END_UNKNOWN)
    return malt_termination_new (MALT_TERMINATION_UNKNOWN, ECHILD, tail, NULL);
  if (was_ended_by_host (evaluator, end, number))
    return malt_termination_new (MALT_TERMINATION_STOPPED,
                                 end == MALT_CHILD_END_EXITED ? MAX (number, 0) : -number,
                                 tail, NULL);
  if (evaluator->is_forced && evaluator->is_lost)
    return malt_termination_new (MALT_TERMINATION_LOST, 0, tail, NULL);
  if (end == MALT_CHILD_END_EXITED)
    return malt_termination_new (MALT_TERMINATION_EXITED, number, tail, NULL);
  if (number == SIGKILL && malt_memory_watch_judge (evaluator->memory))
    return malt_termination_new (MALT_TERMINATION_OUT_OF_MEMORY, SIGKILL, tail, NULL);
  return malt_termination_new (MALT_TERMINATION_SIGNALLED, number, tail, NULL);
}

static void
tell_worker (MaltProcessEvaluator *evaluator, MaltTermination *termination)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (evaluator->worker);

  if (worker != NULL)
    malt_worker_exited (worker, termination);
  malt_stops_end (&evaluator->stops);
}

/* Nothing of it is left but what the worker object may still ask. */
static void
end (MaltProcessEvaluator *evaluator)
{
  g_autoptr (MaltTermination) termination = NULL;
  GSource *watch = NULL;
  GSource *patience;

  g_mutex_lock (&evaluator->lock);
  termination = make_termination (evaluator);
  malt_memory_watch_dismiss (evaluator->memory);
  g_atomic_int_set (&evaluator->is_running, FALSE);
  evaluator->state = MALT_PROCESS_ENDED;
  if (!evaluator->is_left)
    watch = g_steal_pointer (&evaluator->child_watch);
  patience = g_steal_pointer (&evaluator->patience);
  g_mutex_unlock (&evaluator->lock);

  malt_child_close_output (evaluator->child);
  g_clear_pointer (&evaluator->listener, malt_link_listener_free);
  tell_worker (evaluator, termination);
  malt_link_close (evaluator->link);
  malt_io_thread_detach (watch);
  malt_io_thread_detach (patience);
  malt_reaper_stop (evaluator->reaper);
}

static void
fail_launch (MaltProcessEvaluator *evaluator)
{
  g_autoptr (MaltTermination) termination = NULL;

  if (malt_launch_is_decided (evaluator->launch))
    return;
  g_mutex_lock (&evaluator->lock);
  termination = make_termination (evaluator);
  g_mutex_unlock (&evaluator->lock);
  malt_launch_fail (evaluator->launch, termination);
}

static gboolean
on_patience_over (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;

  malt_output_pipes_stop (evaluator->output);
  g_mutex_lock (&evaluator->lock);
  evaluator->is_left = TRUE;
  g_mutex_unlock (&evaluator->lock);
  fail_launch (evaluator);
  end (evaluator);
  return G_SOURCE_REMOVE;
}

static gboolean
on_child_ended (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;
  gboolean is_forced;
  gboolean is_left;

  g_mutex_lock (&evaluator->lock);
  is_left = evaluator->is_left;
  g_mutex_unlock (&evaluator->lock);
  if (is_left)
    return malt_child_reap (evaluator->child) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
  malt_link_drain (evaluator->link);
  malt_output_pipes_stop (evaluator->output);
  g_mutex_lock (&evaluator->lock);
  is_forced = evaluator->is_forced;
  g_mutex_unlock (&evaluator->lock);
  if (is_forced)
    malt_child_signal (evaluator->child, SIGKILL, MALT_CHILD_TARGET_GROUP);
  if (!malt_child_reap (evaluator->child))
    return G_SOURCE_CONTINUE;
  fail_launch (evaluator);
  end (evaluator);
  return G_SOURCE_REMOVE;
}

void
malt_process_evaluator_watch (MaltProcessEvaluator *evaluator)
{
  malt_reaper_start (evaluator->reaper);
  g_mutex_lock (&evaluator->lock);
  evaluator->child_watch =
      malt_io_thread_attach (malt_child_watch_new (evaluator->child), on_child_ended,
                             malt_process_evaluator_ref (evaluator), unref_owner);
  g_mutex_unlock (&evaluator->lock);
}

MaltProcessEvaluator *
malt_process_evaluator_prepare (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltProcessEvaluator) evaluator = g_new0 (MaltProcessEvaluator, 1);

  g_atomic_ref_count_init (&evaluator->ref_count);
  g_mutex_init (&evaluator->lock);
  malt_stops_init (&evaluator->stops);
  evaluator->fd = -1;
  evaluator->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  evaluator->launch = malt_launch_new (evaluator, ref_owner, unref_owner, on_decided);
  evaluator->reaper = malt_reaper_new (evaluator, ref_owner, unref_owner, on_due);
  evaluator->link = malt_link_new (
      worker, &link_funcs, malt_process_evaluator_ref (evaluator), unref_owner,
      (guint64) malt_worker_get_option_int (worker, "max-frame-bytes"), error);
  if (evaluator->link == NULL)
    {
      malt_process_evaluator_unref (evaluator);
      return NULL;
    }
  evaluator->output = malt_output_pipes_new (worker, evaluator->link);
  return g_steal_pointer (&evaluator);
}

/* What the worker object asks */

MaltLaunch *
malt_process_evaluator_get_launch (MaltProcessEvaluator *evaluator)
{
  return evaluator->launch;
}

MaltLink *
malt_process_evaluator_get_link (MaltProcessEvaluator *evaluator)
{
  return evaluator->link;
}

gint64
malt_process_evaluator_get_pid (MaltProcessEvaluator *evaluator)
{
  return malt_child_get_pid (evaluator->child);
}

const char *
malt_process_evaluator_get_julia_version (MaltProcessEvaluator *evaluator)
{
  return evaluator->julia_version;
}

void
malt_process_evaluator_note_call (MaltProcessEvaluator *evaluator)
{
  malt_memory_watch_follow (evaluator->memory);
}

gboolean
malt_process_evaluator_is_running (MaltProcessEvaluator *evaluator)
{
  return g_atomic_int_get (&evaluator->is_running);
}

void
malt_process_evaluator_stop (MaltProcessEvaluator *evaluator, gint64 exit_timeout_ms,
                             gint64 term_timeout_ms, GTask *task)
{
  gboolean is_first = malt_stops_join (&evaluator->stops, task);

  malt_reaper_end_within (evaluator->reaper, exit_timeout_ms, term_timeout_ms);
  if (is_first)
    malt_link_shutdown (evaluator->link);
}

gboolean
malt_process_evaluator_kill (MaltProcessEvaluator *evaluator, int signum)
{
  gboolean is_allowed;

  g_mutex_lock (&evaluator->lock);
  is_allowed =
      send_signal (evaluator, signum) || !malt_child_is_forbidden (evaluator->child);
  if (is_allowed)
    evaluator->host_signum = signum;
  g_mutex_unlock (&evaluator->lock);
  return is_allowed;
}
