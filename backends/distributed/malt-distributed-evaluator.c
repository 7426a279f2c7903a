/* SPDX-License-Identifier: MIT */
/*
 * What stands behind a worker object of this backend.
 *
 * States (state, guarded by lock):
 *
 *   LAUNCHING  the bridge was asked for a worker. The launch ends well with HELLO, which
 *              the worker's runtime sends; it ends badly with the bridge's answer, the
 *              worker's end, the start timeout or the cancellable (MaltLaunch).
 *   RUNNING    calls are answered
 *   LEAVING    it is over, or has to be: the bridge was asked to bury the worker, to end
 *              what is left and say how it ended
 *   ENDED      malt_worker_exited() was called; the bridge was left
 *
 * The connection is the measure of life. A local worker makes it itself; otherwise it is
 * the bridge's, who closes it when Distributed has lost the worker. A local worker is
 * also watched directly: its end is then noticed although the bridge may be busy, and
 * signals need no detour. Ends that are asked for are dates (MaltReaper).
 *
 * If the bridge itself is gone, or does not answer, the worker is lost: local workers die
 * with their bridge, others by their watch.
 *
 * Who keeps it: the worker object, its link (until the end), its sources, and requests to
 * the bridge.
 */
#include "malt-distributed-evaluator-private.h"

#include "malt-distributed-request.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-process-launcher.h"

#include "base/malt-signals.h"

#include <malt/malt-error-construction.h>

/* Of a worker that closes its connection: for it to end. */
#define END_PATIENCE_S 2.0

enum
{
  LOST_PATIENCE_MS = 1000, /* of a process that has ended: for the bridge to notice */
  KILL_PATIENCE_MS = 5000, /* of a worker that was killed: the same */
  BURY_TIMEOUT_MS = 10000,
  SIGNAL_TIMEOUT_MS = 10000,
};

MaltDistributedEvaluator *
malt_distributed_evaluator_ref (MaltDistributedEvaluator *evaluator)
{
  g_atomic_ref_count_inc (&evaluator->ref_count);
  return evaluator;
}

void
malt_distributed_evaluator_unref (MaltDistributedEvaluator *evaluator)
{
  if (!g_atomic_ref_count_dec (&evaluator->ref_count))
    return;
  g_clear_pointer (&evaluator->listener, malt_link_listener_free);
  g_clear_pointer (&evaluator->output, malt_output_pipes_free);
  malt_distributed_pipes_close (&evaluator->pipes);
  g_clear_pointer (&evaluator->add, malt_call_unref);
  g_clear_pointer (&evaluator->link, malt_link_unref);
  g_clear_pointer (&evaluator->judge, malt_judge_free);
  g_clear_pointer (&evaluator->launch, malt_launch_free);
  g_clear_pointer (&evaluator->reaper, malt_reaper_free);
  g_clear_pointer (&evaluator->memory, malt_memory_watch_free);
  g_clear_pointer (&evaluator->process, malt_other_process_free);
  g_clear_pointer (&evaluator->bridge, malt_distributed_bridge_unref);
  g_clear_pointer (&evaluator->worker, malt_weak_worker_unref);
  g_free (evaluator->julia_version);
  g_free (evaluator->violation);
  malt_stops_clear (&evaluator->stops);
  g_mutex_clear (&evaluator->lock);
  g_free (evaluator);
}

gpointer
malt_distributed_evaluator_ref_owner (gpointer owner)
{
  return malt_distributed_evaluator_ref (owner);
}

void
malt_distributed_evaluator_unref_owner (gpointer owner)
{
  malt_distributed_evaluator_unref (owner);
}

/* A source of the I/O thread that holds a reference. (transfer full) */
GSource *
malt_distributed_evaluator_attach (MaltDistributedEvaluator *evaluator, GSource *source,
                                   GSourceFunc callback)
{
  return malt_io_thread_attach (source, callback,
                                malt_distributed_evaluator_ref (evaluator),
                                malt_distributed_evaluator_unref_owner);
}

/* The end */

static void
tell_worker (MaltDistributedEvaluator *evaluator, MaltTermination *termination)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (evaluator->worker);

  if (worker != NULL)
    malt_worker_exited (worker, termination);
  malt_stops_end (&evaluator->stops);
}

/* In the I/O thread. */
static void
end (MaltDistributedEvaluator *evaluator, MaltTermination *termination)
{
  gboolean is_first;
  GSource *watch;
  GSource *patience;

  g_mutex_lock (&evaluator->lock);
  is_first = evaluator->state != DISTRIBUTED_ENDED;
  evaluator->state = DISTRIBUTED_ENDED;
  g_atomic_int_set (&evaluator->is_running, FALSE);
  watch = g_steal_pointer (&evaluator->watch);
  patience = g_steal_pointer (&evaluator->patience);
  g_mutex_unlock (&evaluator->lock);
  if (!is_first)
    return;
  malt_launch_fail (evaluator->launch, termination);
  malt_link_drain (evaluator->link);
  malt_output_pipes_stop (evaluator->output);
  g_clear_pointer (&evaluator->listener, malt_link_listener_free);
  /* Who is told may launch the next worker at once: if this was the last one, that is not
   * to meet the bridge. */
  malt_distributed_bridge_remove_worker (evaluator->bridge, evaluator->number);
  malt_distributed_bridge_leave (evaluator->bridge);
  tell_worker (evaluator, termination);
  malt_link_close (evaluator->link);
  malt_reaper_stop (evaluator->reaper);
  malt_io_thread_detach (watch);
  malt_io_thread_detach (patience);
}

/* With lock held: was this the end that the host has asked for? Julia exits by itself when
 * it gets SIGTERM, or aborts on its way. @signum: -1: not known. */
static gboolean
was_ended_by_host (MaltDistributedEvaluator *evaluator, int signum)
{
  if (malt_stops_are_wanted (&evaluator->stops) || evaluator->host_signum == SIGTERM)
    return TRUE;
  if (evaluator->host_signum == 0)
    return FALSE;
  return signum == evaluator->host_signum ||
         (signum < 0 && evaluator->host_signum == SIGKILL);
}

static char *
join_texts (const char *first, const char *second)
{
  gboolean has_first = first != NULL && *first != '\0';
  gboolean has_second = second != NULL && *second != '\0';

  if (!has_first && !has_second)
    return NULL;
  return g_strconcat (has_first ? first : "", has_first && has_second ? "\n" : "",
                      has_second ? second : "", NULL);
}

/* @code and @signum as the bridge knows them; -1: it does not. @tail (nullable): what the
 * bridge saw last. */
static MaltTermination *
termination_new (MaltDistributedEvaluator *evaluator, gint64 code, int signum,
                 const char *tail)
{
  int status = 0;
  g_autofree char *own_tail = malt_output_pipes_dup_tail (evaluator->output);
  g_autofree char *text = join_texts (own_tail, tail);
  g_autofree char *violation = NULL;
  gboolean is_by_host;

  /* Julia knows of no signals where the system has none. */
  if (code >= 0 && signum <= 0 &&
      malt_child_end_of_code (code, &status) == MALT_CHILD_END_SIGNALLED)
    signum = status;
  g_mutex_lock (&evaluator->lock);
  is_by_host = was_ended_by_host (evaluator, signum);
  if (evaluator->violation != NULL)
    violation = g_strdup_printf ("libmalt: %s", evaluator->violation);
  g_mutex_unlock (&evaluator->lock);

  if (violation != NULL)
    {
      g_autofree char *report = join_texts (violation, text);
      return malt_termination_new (MALT_TERMINATION_PROTOCOL, 0, report, NULL);
    }
  if (is_by_host)
    return malt_termination_new (MALT_TERMINATION_STOPPED,
                                 signum > 0 ? -signum : MAX (status, 0), text, NULL);
  if (signum > 0)
    return malt_termination_new (signum == SIGKILL && evaluator->memory != NULL &&
                                         malt_memory_watch_judge (evaluator->memory)
                                     ? MALT_TERMINATION_OUT_OF_MEMORY
                                     : MALT_TERMINATION_SIGNALLED,
                                 signum, text, NULL);
  if (code >= 0)
    return malt_termination_new (MALT_TERMINATION_EXITED, status, text, NULL);
  return malt_termination_new (MALT_TERMINATION_LOST, 0, text, NULL);
}

static gint64
get_int_child (MaltValue *tuple, gsize index)
{
  g_autoptr (MaltValue) child = malt_value_dup_child (tuple, index);
  gint64 number = -1;

  malt_value_as_int64 (child, &number, NULL);
  return number;
}

static void
on_buried (MaltValue *value, const GError *error, gpointer user_data)
{
  g_autoptr (MaltDistributedEvaluator) evaluator = user_data;
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *tail = NULL;

  if (value != NULL)
    {
      g_autoptr (MaltValue) text = malt_value_dup_child (value, 2);

      tail = malt_value_dup_string (text);
      g_strstrip (tail);
      termination = termination_new (evaluator, get_int_child (value, 0),
                                     (int) get_int_child (value, 1), tail);
    }
  else
    {
      tail = g_strdup_printf ("libmalt: %s", error->message);
      termination = termination_new (evaluator, -1, -1, tail);
    }
  end (evaluator, termination);
}

/* In the I/O thread, or before it knows of us: asks the bridge to end what is left. */
void
malt_distributed_evaluator_leave (MaltDistributedEvaluator *evaluator)
{
  MaltCall *call;
  gboolean is_first;
  gboolean is_launching;
  double patience_s;

  g_mutex_lock (&evaluator->lock);
  is_first = evaluator->state < DISTRIBUTED_LEAVING;
  is_launching = evaluator->state == DISTRIBUTED_LAUNCHING;
  patience_s = evaluator->state == DISTRIBUTED_RUNNING && evaluator->violation == NULL
                   ? END_PATIENCE_S
                   : 0;
  if (is_first)
    evaluator->state = DISTRIBUTED_LEAVING;
  g_mutex_unlock (&evaluator->lock);
  if (!is_first)
    return;
  /* A bridge that is not ready knows of no worker, and may never be. */
  if (is_launching && malt_distributed_bridge_withdraw (evaluator->bridge, evaluator))
    {
      g_autoptr (MaltTermination) termination = termination_new (evaluator, -1, -1, NULL);

      end (evaluator, termination);
      return;
    }
  call = malt_distributed_call_new_bury (evaluator->number, patience_s);
  malt_call_set_timeout_ms (call, BURY_TIMEOUT_MS);
  malt_distributed_bridge_call (evaluator->bridge, call, on_buried,
                                malt_distributed_evaluator_ref (evaluator));
}

static gboolean
on_leave (gpointer data)
{
  malt_distributed_evaluator_leave (data);
  return G_SOURCE_REMOVE;
}

/* Leaves in @delay_ms at the latest. */
static void
leave_within (MaltDistributedEvaluator *evaluator, guint delay_ms)
{
  g_mutex_lock (&evaluator->lock);
  if (evaluator->patience == NULL && evaluator->state != DISTRIBUTED_ENDED)
    evaluator->patience = malt_distributed_evaluator_attach (
        evaluator, g_timeout_source_new (delay_ms), on_leave);
  g_mutex_unlock (&evaluator->lock);
}

/* Signals: the bridge may send them where this process may not any more. */

static void
send_signal (MaltDistributedEvaluator *evaluator, int signum)
{
  MaltOtherProcess *process;

  g_mutex_lock (&evaluator->lock);
  process = evaluator->process;
  g_mutex_unlock (&evaluator->lock);
  if (process != NULL && malt_other_process_signal (process, signum))
    return;
  if (malt_distributed_evaluator_is_running (evaluator))
    malt_distributed_bridge_call (
        evaluator->bridge, malt_distributed_call_new_signal (evaluator->number, signum),
        NULL, NULL);
}

void
malt_distributed_evaluator_due (gpointer owner, int signum)
{
  MaltDistributedEvaluator *evaluator = owner;

  if (signum == SIGKILL)
    {
      g_mutex_lock (&evaluator->lock);
      evaluator->is_forced = TRUE;
      g_mutex_unlock (&evaluator->lock);
      leave_within (evaluator, KILL_PATIENCE_MS);
    }
  send_signal (evaluator, signum);
}

/* The process of a local worker has ended. Who wanted that need not ask how: one that was
 * told to go has gone, unless it had to be killed. */
static gboolean
on_process_ended (gpointer data)
{
  MaltDistributedEvaluator *evaluator = data;
  gboolean is_killed;
  gboolean is_known;

  g_mutex_lock (&evaluator->lock);
  is_killed = evaluator->is_forced || evaluator->host_signum == SIGKILL;
  is_known = is_killed || malt_stops_are_wanted (&evaluator->stops);
  g_mutex_unlock (&evaluator->lock);
  if (is_known)
    {
      g_autoptr (MaltTermination) termination = NULL;

      malt_link_drain (evaluator->link);
      termination = termination_new (evaluator, -1, is_killed ? SIGKILL : -1, NULL);
      malt_distributed_bridge_call (evaluator->bridge,
                                    malt_distributed_call_new_bury (evaluator->number, 0),
                                    NULL, NULL);
      end (evaluator, termination);
    }
  else
    leave_within (evaluator, LOST_PATIENCE_MS);
  return G_SOURCE_REMOVE;
}

/* What the link tells and asks */

/* In the I/O thread: who introduces himself has the pipes. */
static gboolean
on_pipes_taken (gpointer data)
{
  malt_distributed_pipes_close_writers (&((MaltDistributedEvaluator *) data)->pipes);
  return G_SOURCE_REMOVE;
}

static void
on_hello (gpointer owner, guint32 pid, const char *julia_version)
{
  MaltDistributedEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  evaluator->pid = pid;
  evaluator->julia_version = g_strdup (julia_version);
  if (evaluator->is_local)
    {
      evaluator->process = malt_other_process_new (pid);
      evaluator->memory = malt_memory_watch_new (pid);
    }
  if (evaluator->process != NULL)
    evaluator->watch = malt_distributed_evaluator_attach (
        evaluator, malt_other_process_watch_new (evaluator->process), on_process_ended);
  g_mutex_unlock (&evaluator->lock);
  if (evaluator->process != NULL)
    malt_link_set_thread (evaluator->link, pid, evaluator->judge, 0);
  malt_output_pipes_set_pid (evaluator->output, pid);
  g_source_unref (malt_distributed_evaluator_attach (evaluator, g_idle_source_new (),
                                                     on_pipes_taken));
  malt_launch_decide (evaluator->launch, NULL);
}

static void
on_before_answer (gpointer owner)
{
  malt_output_pipes_drain (((MaltDistributedEvaluator *) owner)->output);
}

static void
on_output (gpointer owner, MaltStream stream, guint32 call_id, GBytes *bytes)
{
  malt_output_pipes_handle (((MaltDistributedEvaluator *) owner)->output, stream, call_id,
                            bytes);
}

void
malt_distributed_evaluator_printed (gpointer owner, MaltStream stream, const char *text,
                                    gsize n_bytes)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, n_bytes);

  on_output (owner, stream, 0, bytes);
}

/* Before the launch is decided the bridge knows more, and will say it. */
static void
on_link_ended (gpointer owner, const GError *error)
{
  MaltDistributedEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  if (error != NULL)
    evaluator->violation = g_strdup (error->message);
  g_mutex_unlock (&evaluator->lock);
  if (error != NULL || malt_launch_is_decided (evaluator->launch))
    g_source_unref (
        malt_distributed_evaluator_attach (evaluator, g_idle_source_new (), on_leave));
}

static void
on_signal_sent (MaltValue *value, G_GNUC_UNUSED const GError *error, gpointer user_data)
{
  g_autoptr (MaltDistributedEvaluator) evaluator = user_data;
  gboolean is_sent = FALSE;

  if (value != NULL)
    malt_value_as_bool (value, &is_sent, NULL);
  malt_link_signal_sent (evaluator->link, is_sent);
}

static gboolean
ask_judge (gpointer owner, MaltJudge *judge, guint64 call)
{
  return malt_other_process_ask_judge (((MaltDistributedEvaluator *) owner)->process,
                                       judge, call);
}

static MaltLinkSignal
send_interrupt_signal (gpointer owner)
{
  MaltDistributedEvaluator *evaluator = owner;
  MaltOtherProcess *process;
  MaltCall *call;

  g_mutex_lock (&evaluator->lock);
  process = evaluator->process;
  g_mutex_unlock (&evaluator->lock);
  if (process != NULL)
    return malt_other_process_signal (process, SIGINT) ? MALT_LINK_SIGNAL_SENT
                                                       : MALT_LINK_SIGNAL_IMPOSSIBLE;
  call = malt_distributed_call_new_signal (evaluator->number, SIGINT);
  malt_call_set_timeout_ms (call, SIGNAL_TIMEOUT_MS);
  malt_distributed_bridge_call (evaluator->bridge, call, on_signal_sent,
                                malt_distributed_evaluator_ref (evaluator));
  return MALT_LINK_SIGNAL_ON_ITS_WAY;
}

const MaltLinkFuncs malt_distributed_link_funcs = {
  .hello = on_hello,
  .before_answer = on_before_answer,
  .output = on_output,
  .ended = on_link_ended,
  .send_interrupt_signal = send_interrupt_signal,
  .ask_judge = ask_judge,
};

/* What the worker object asks */

MaltLaunch *
malt_distributed_evaluator_get_launch (MaltDistributedEvaluator *evaluator)
{
  return evaluator->launch;
}

MaltLink *
malt_distributed_evaluator_get_link (MaltDistributedEvaluator *evaluator)
{
  return evaluator->link;
}

gint64
malt_distributed_evaluator_get_pid (MaltDistributedEvaluator *evaluator)
{
  return evaluator->pid;
}

const char *
malt_distributed_evaluator_get_julia_version (MaltDistributedEvaluator *evaluator)
{
  return evaluator->julia_version;
}

gboolean
malt_distributed_evaluator_is_running (MaltDistributedEvaluator *evaluator)
{
  return g_atomic_int_get (&evaluator->is_running);
}

gint64
malt_distributed_evaluator_get_bridge_pid (MaltDistributedEvaluator *evaluator)
{
  return malt_distributed_bridge_get_pid (evaluator->bridge);
}

void
malt_distributed_evaluator_stop (MaltDistributedEvaluator *evaluator,
                                 gint64 exit_timeout_ms, gint64 term_timeout_ms,
                                 GTask *task)
{
  gboolean is_first = malt_stops_join (&evaluator->stops, task);

  malt_reaper_end_within (evaluator->reaper, exit_timeout_ms, term_timeout_ms);
  if (is_first)
    malt_link_shutdown (evaluator->link);
}

void
malt_distributed_evaluator_kill (MaltDistributedEvaluator *evaluator, int signum)
{
  g_mutex_lock (&evaluator->lock);
  evaluator->host_signum = signum;
  g_mutex_unlock (&evaluator->lock);
  if (signum == SIGKILL)
    leave_within (evaluator, KILL_PATIENCE_MS);
  send_signal (evaluator, signum);
}
