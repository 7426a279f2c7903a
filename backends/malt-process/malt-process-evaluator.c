/* SPDX-License-Identifier: MIT */
/*
 * The process behind a worker object.
 *
 * States (state, guarded by lock):
 *
 *   LAUNCHING  the process was made; HELLO has not come. Ends well with HELLO; ends badly when the process exits, the start timeout passes, or the
 *              cancellable fires. Whoever is first decides (decide_launch()); later ones find it decided.
 *   RUNNING    calls are answered
 *   ENDED      the process has been collected; malt_worker_exited() was called
 *
 * Ending is not a state but two dates: term_due_us, when SIGTERM is sent, and kill_due_us, when SIGKILL is. Whoever wants the end brings
 * them forward: stop, the loss of the worker object, a failed launch, a broken protocol (at once), a connection that ended while the
 * process lives (after LOST_PATIENCE_MS). One source, the reaper, sleeps until the next of them. Concurrent stops therefore join.
 *
 * SIGKILL, whether by date or by malt_worker_kill(), goes to the worker's process group: a forced end takes along what evaluated code
 * started. Other signals, and an end that the worker came to by itself, leave other processes of the group alone.
 *
 * The end itself has one place, on_child_ended(), in the I/O thread: answers that are still in the socket are given, output that is still in
 * the pipes is handed on, the process is collected, the worker object (if there still is one) is told.
 *
 * Who keeps it: the worker object, its link (until the end), and its sources. So a worker whose object is gone is ended in peace.
 */
#include "malt-process-evaluator.h"

#include "malt-io-thread.h"
#include "malt-process-julia.h"
#include "malt-process-output.h"
#include "malt-process-transport.h"
#include "malt-worker-private.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNTIME_RESOURCE "/org/libmalt/julia/runtime.jl"
#define NEVER G_MAXINT64

enum
{
  LOST_PATIENCE_MS = 1000
};

typedef enum
{
  STATE_LAUNCHING,
  STATE_RUNNING,
  STATE_ENDED,
} State;

struct _MaltProcessEvaluator
{
  gatomicrefcount ref_count;
  MaltWeakWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  MaltProcessOutput *output; /* (owned) */
  MaltChild *child; /* (owned) (nullable): NULL only if the launch failed at once */
  MaltProcessListener *listener; /* (owned) (nullable): of the I/O thread once started */
  guint64 n_memory_kills; /* before the launch */
  gint is_running; /* atomic; state == STATE_RUNNING */

  GMutex lock; /* guards the rest */
  State state;
  char *julia_version; /* (owned) (nullable): set once */
  gboolean is_launch_decided;
  GError *launch_error; /* (owned) (nullable) */
  MaltProcessLaunched launched; /* (nullable): until it was called */
  gpointer launched_data;
  GSource *launch_timer; /* (owned) (nullable) */
  GSource *launch_cancel; /* (owned) (nullable) */
  GSource *child_watch; /* (owned) (nullable) */
  GSource *reaper; /* (owned) (nullable) */
  gint64 term_due_us; /* NEVER: not wanted, or done */
  gint64 kill_due_us;
  gboolean is_end_wanted; /* by the host */
  gboolean is_forced; /* SIGKILL was sent to the group */
  int host_signum; /* the last that malt_worker_kill() sent */
  gboolean is_lost; /* the connection ended first */
  char *violation; /* (owned) (nullable): of the protocol */
  GSList *stops; /* of GTask (owned) */
};

/* Sources. All run in the I/O thread and hold a reference. */

static GSource *
evaluator_attach (MaltProcessEvaluator *evaluator, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, malt_process_evaluator_ref (evaluator),
                         (GDestroyNotify) malt_process_evaluator_unref);
  g_source_attach (source, malt_io_thread_get_context ());
  return source;
}

static void
destroy_source (GSource *source)
{
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

static gboolean
dispatch_reaper (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs reaper_funcs = { .dispatch = dispatch_reaper };

/* Ending by date. With lock held. */

static void
schedule_reaper (MaltProcessEvaluator *evaluator)
{
  gint64 due_us = MIN (evaluator->term_due_us, evaluator->kill_due_us);
  if (evaluator->reaper != NULL && due_us != NEVER)
    g_source_set_ready_time (evaluator->reaper, due_us);
}

static void
bring_end_forward (MaltProcessEvaluator *evaluator, gint64 term_ms, gint64 kill_ms)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean is_term_sent = evaluator->is_end_wanted && evaluator->term_due_us == NEVER;

  if (term_ms >= 0 && !is_term_sent)
    evaluator->term_due_us = MIN (evaluator->term_due_us, now_us + term_ms * 1000);
  evaluator->kill_due_us = MIN (evaluator->kill_due_us, now_us + kill_ms * 1000);
  schedule_reaper (evaluator);
}

static gboolean
on_reaper (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;
  gint64 now_us = g_get_monotonic_time ();

  g_mutex_lock (&evaluator->lock);
  if (evaluator->kill_due_us <= now_us)
    {
      evaluator->term_due_us = NEVER;
      evaluator->kill_due_us = NEVER;
      evaluator->is_forced = TRUE;
      malt_child_signal (evaluator->child, SIGKILL, MALT_CHILD_TARGET_GROUP);
    }
  else if (evaluator->term_due_us <= now_us)
    {
      evaluator->term_due_us = NEVER;
      malt_child_signal (evaluator->child, SIGTERM, MALT_CHILD_TARGET_PROCESS);
    }
  schedule_reaper (evaluator);
  g_mutex_unlock (&evaluator->lock);
  return G_SOURCE_CONTINUE;
}

/* The launch is decided */

/* Takes the error over; NULL: well. FALSE: it was decided before. */
static gboolean
decide_launch (MaltProcessEvaluator *evaluator, GError *error)
{
  MaltProcessLaunched launched;
  GSource *timer;
  GSource *cancel;
  gboolean is_first;

  g_mutex_lock (&evaluator->lock);
  is_first = !evaluator->is_launch_decided;
  evaluator->is_launch_decided = TRUE;
  if (is_first)
    {
      evaluator->launch_error = g_steal_pointer (&error);
      if (evaluator->launch_error == NULL)
        {
          evaluator->state = STATE_RUNNING;
          g_atomic_int_set (&evaluator->is_running, TRUE);
        }
      else
        bring_end_forward (evaluator, -1, 0);
    }
  launched = is_first ? g_steal_pointer (&evaluator->launched) : NULL;
  timer = g_steal_pointer (&evaluator->launch_timer);
  cancel = g_steal_pointer (&evaluator->launch_cancel);
  g_mutex_unlock (&evaluator->lock);

  destroy_source (timer);
  destroy_source (cancel);
  g_clear_error (&error);
  if (launched != NULL)
    launched (evaluator->launch_error, evaluator->launched_data);
  return is_first;
}

/* Puts the last lines of standard error behind the reason. */
static GError *
new_launch_error (MaltProcessEvaluator *evaluator, MaltError code, const char *reason)
{
  g_autofree char *tail = malt_process_output_dup_tail (evaluator->output);

  if (tail == NULL)
    return g_error_new (MALT_ERROR, (gint) code, "%s", reason);
  return g_error_new (MALT_ERROR, (gint) code, "%s: %s", reason, tail);
}

static gboolean
on_launch_timeout (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;

  malt_process_output_drain (evaluator->output);
  decide_launch (evaluator, new_launch_error (evaluator, MALT_ERROR_TIMED_OUT,
                                              "julia did not get ready within the start "
                                              "timeout and was killed"));
  return G_SOURCE_REMOVE;
}

static gboolean
on_launch_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  decide_launch (data, g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                            "the launch was cancelled"));
  return G_SOURCE_REMOVE;
}

void
malt_process_evaluator_await (MaltProcessEvaluator *evaluator, GCancellable *cancellable,
                              MaltProcessLaunched launched, gpointer user_data)
{
  gboolean is_decided;

  g_mutex_lock (&evaluator->lock);
  is_decided = evaluator->is_launch_decided;
  evaluator->launched_data = user_data;
  if (!is_decided)
    {
      evaluator->launched = launched;
      if (cancellable != NULL)
        evaluator->launch_cancel =
            evaluator_attach (evaluator, g_cancellable_source_new (cancellable),
                              G_SOURCE_FUNC (on_launch_cancelled));
    }
  g_mutex_unlock (&evaluator->lock);
  if (is_decided)
    launched (evaluator->launch_error, user_data);
}

/* What the link tells and asks */

static void
on_hello (gpointer owner, G_GNUC_UNUSED guint32 pid, const char *julia_version)
{
  MaltProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  evaluator->julia_version = g_strdup (julia_version);
  g_mutex_unlock (&evaluator->lock);
  decide_launch (evaluator, NULL);
}

static void
on_before_answer (gpointer owner)
{
  malt_process_output_drain (((MaltProcessEvaluator *) owner)->output);
}

static void
on_link_output (gpointer owner, MaltStream stream, guint32 call_id, GBytes *bytes)
{
  malt_process_output_handle (((MaltProcessEvaluator *) owner)->output, stream, call_id,
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
  bring_end_forward (evaluator, -1, error != NULL ? 0 : LOST_PATIENCE_MS);
  g_mutex_unlock (&evaluator->lock);
}

static void
send_interrupt_signal (gpointer owner)
{
  malt_child_signal (((MaltProcessEvaluator *) owner)->child, SIGINT,
                     MALT_CHILD_TARGET_PROCESS);
}

static const MaltLinkFuncs link_funcs = {
  .hello = on_hello,
  .before_answer = on_before_answer,
  .output = on_link_output,
  .ended = on_link_ended,
  .send_interrupt_signal = send_interrupt_signal,
};

/* The end */

/* With lock held. */
static gboolean
was_ended_by_host (MaltProcessEvaluator *evaluator, int wait_status)
{
  if (evaluator->is_end_wanted)
    return TRUE;
  return evaluator->host_signum != 0 && WIFSIGNALED (wait_status) &&
         WTERMSIG (wait_status) == evaluator->host_signum;
}

/* With lock held. */
static MaltTermination *
make_termination (MaltProcessEvaluator *evaluator)
{
  int status = malt_child_get_wait_status (evaluator->child);
  g_autofree char *tail = malt_process_output_dup_tail (evaluator->output);
  g_autofree char *text = NULL;

  if (evaluator->violation != NULL)
    {
      text = g_strdup_printf ("libmalt: %s%s%s", evaluator->violation,
                              tail != NULL ? "\n" : "", tail != NULL ? tail : "");
      return malt_termination_new (MALT_TERMINATION_PROTOCOL, 0, text, NULL);
    }
  if (status == -1)
    return malt_termination_new (MALT_TERMINATION_UNKNOWN, 0, tail, NULL);
  if (was_ended_by_host (evaluator, status))
    return malt_termination_new (MALT_TERMINATION_STOPPED, 0, tail, NULL);
  if (evaluator->is_forced && evaluator->is_lost)
    return malt_termination_new (MALT_TERMINATION_LOST, 0, tail, NULL);
  if (WIFEXITED (status))
    return malt_termination_new (MALT_TERMINATION_EXITED, WEXITSTATUS (status), tail,
                                 NULL);
  if (WTERMSIG (status) == SIGKILL &&
      malt_child_count_memory_kills () > evaluator->n_memory_kills)
    return malt_termination_new (MALT_TERMINATION_OUT_OF_MEMORY, SIGKILL, tail, NULL);
  return malt_termination_new (MALT_TERMINATION_SIGNALLED, WTERMSIG (status), tail, NULL);
}

static void
tell_worker (MaltProcessEvaluator *evaluator, MaltTermination *termination, GSList *stops)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (evaluator->worker);

  if (worker != NULL)
    malt_worker_exited (worker, termination);
  for (GSList *l = stops; l != NULL; l = l->next)
    g_task_return_boolean (l->data, TRUE);
  g_slist_free_full (stops, g_object_unref);
}

/* Nothing of it is left but what the worker object may still ask. */
static void
end (MaltProcessEvaluator *evaluator)
{
  g_autoptr (MaltTermination) termination = NULL;
  GSource *watch;
  GSource *reaper;
  GSList *stops;

  g_mutex_lock (&evaluator->lock);
  termination = make_termination (evaluator);
  g_atomic_int_set (&evaluator->is_running, FALSE);
  evaluator->state = STATE_ENDED;
  stops = g_steal_pointer (&evaluator->stops);
  watch = g_steal_pointer (&evaluator->child_watch);
  reaper = g_steal_pointer (&evaluator->reaper);
  g_mutex_unlock (&evaluator->lock);

  malt_child_close_output (evaluator->child);
  g_clear_pointer (&evaluator->listener, malt_process_listener_free);
  tell_worker (evaluator, termination, stops);
  malt_link_close (evaluator->link);
  destroy_source (watch);
  destroy_source (reaper);
}

static void
fail_launch (MaltProcessEvaluator *evaluator)
{
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *how = NULL;
  g_autofree char *reason = NULL;

  g_mutex_lock (&evaluator->lock);
  if (!evaluator->is_launch_decided)
    termination = make_termination (evaluator);
  g_mutex_unlock (&evaluator->lock);
  if (termination == NULL)
    return;
  how = malt_termination_to_string (termination);
  reason = g_strdup_printf ("julia %s before it was ready", how);
  decide_launch (evaluator,
                 new_launch_error (evaluator, MALT_ERROR_LAUNCH_FAILED, reason));
}

static gboolean
on_child_ended (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;
  gboolean is_forced;

  malt_link_drain (evaluator->link);
  malt_process_output_stop (evaluator->output);
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

/* Launch */

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
  g_clear_pointer (&evaluator->output, malt_process_output_free);
  g_clear_pointer (&evaluator->listener, malt_process_listener_free);
  g_clear_pointer (&evaluator->link, malt_link_unref);
  g_clear_pointer (&evaluator->child, malt_child_unref);
  g_clear_pointer (&evaluator->worker, malt_weak_worker_unref);
  g_clear_error (&evaluator->launch_error);
  g_free (evaluator->julia_version);
  g_free (evaluator->violation);
  g_mutex_clear (&evaluator->lock);
  g_free (evaluator);
}

static void
on_connected (int fd, gpointer user_data)
{
  MaltProcessEvaluator *evaluator = user_data;
  GError *error = NULL;

  if (!malt_link_attach (evaluator->link, fd, &error))
    decide_launch (evaluator, error);
}

/* The worker's end goes to the launcher, which the caller closes. */
static gboolean
connect_worker (MaltProcessEvaluator *evaluator, const char *transport,
                MaltProcessLauncher *launcher, GError **error)
{
  int fds[2];
  gboolean is_open;

  if (g_strcmp0 (transport, "tcp-connect") == 0)
    {
      evaluator->listener = malt_process_listener_new (error);
      if (evaluator->listener == NULL)
        return FALSE;
      launcher->stdin_source = MALT_CHILD_STDIN_BYTES;
      launcher->stdin_bytes = malt_process_listener_dup_secrets (evaluator->listener);
      return TRUE;
    }
  is_open = g_strcmp0 (transport, "socketpair") == 0
                ? malt_process_open_socketpair (fds, error)
                : malt_process_open_tcp_pair (fds, error);
  if (!is_open)
    return FALSE;
  launcher->inherited_fd = fds[1];
  return malt_link_attach (evaluator->link, fds[0], error);
}

static gboolean
spawn (MaltProcessEvaluator *evaluator, MaltWorker *worker, MaltProcessLauncher *launcher,
       GError **error)
{
  g_autofree char *julia =
      malt_process_find_julia (malt_worker_get_option (worker, "julia"), error);
  g_auto (GStrv) environment = NULL;
  g_auto (GStrv) arguments = NULL;

  if (julia == NULL)
    return FALSE;
  environment = malt_process_dup_environment (worker, julia, error);
  if (environment == NULL)
    return FALSE;
  arguments = malt_process_dup_arguments (
      worker, julia, evaluator->listener != NULL ? "connect" : "fd",
      evaluator->listener != NULL ? malt_process_listener_get_port (evaluator->listener)
                                  : 3);
  launcher->argv = (const char *const *) arguments;
  launcher->envp = (const char *const *) environment;
  evaluator->child = malt_process_launcher_spawn (launcher, error);
  return evaluator->child != NULL;
}

static gboolean
launch (MaltProcessEvaluator *evaluator, MaltWorker *worker, GError **error)
{
  const char *transport = malt_worker_get_option (worker, "transport");
  MaltProcessLauncher launcher = { .inherited_fd = -1 };
  gboolean is_launched;

  launcher.cwd = malt_worker_get_option (worker, "cwd");
  launcher.is_group_leader =
      g_strcmp0 (malt_worker_get_option (worker, "process-group"), "host") != 0;
  if (g_strcmp0 (malt_worker_get_option (worker, "stdin"), "inherit") == 0)
    {
      if (g_strcmp0 (transport, "tcp-connect") == 0)
        {
          g_set_error (
              error, MALT_ERROR, MALT_ERROR_CONFIG,
              "option 'stdin': 'inherit' does not go with transport 'tcp-connect', "
              "which needs standard input");
          return FALSE;
        }
      launcher.stdin_source = MALT_CHILD_STDIN_INHERIT;
    }
  is_launched = connect_worker (evaluator, transport, &launcher, error) &&
                spawn (evaluator, worker, &launcher, error);
  g_clear_pointer (&launcher.stdin_bytes, g_bytes_unref);
  if (launcher.inherited_fd >= 0)
    close (launcher.inherited_fd);
  return is_launched;
}

/* From here on the I/O thread watches the process. */
static void
watch (MaltProcessEvaluator *evaluator, gint64 start_timeout_ms)
{
  if (evaluator->listener != NULL)
    malt_process_listener_start (evaluator->listener, on_connected, evaluator);
  malt_process_output_start (evaluator->output, evaluator->child);
  g_mutex_lock (&evaluator->lock);
  evaluator->reaper = evaluator_attach (
      evaluator, g_source_new (&reaper_funcs, sizeof (GSource)), on_reaper);
  schedule_reaper (evaluator);
  evaluator->child_watch = evaluator_attach (
      evaluator, malt_child_watch_new (evaluator->child), on_child_ended);
  if (!evaluator->is_launch_decided)
    evaluator->launch_timer = evaluator_attach (
        evaluator, g_timeout_source_new ((guint) start_timeout_ms), on_launch_timeout);
  g_mutex_unlock (&evaluator->lock);
}

MaltProcessEvaluator *
malt_process_evaluator_new (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltProcessEvaluator) evaluator = g_new0 (MaltProcessEvaluator, 1);
  g_autoptr (GBytes) runtime =
      g_resources_lookup_data (RUNTIME_RESOURCE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_atomic_ref_count_init (&evaluator->ref_count);
  g_mutex_init (&evaluator->lock);
  evaluator->term_due_us = NEVER;
  evaluator->kill_due_us = NEVER;
  evaluator->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  evaluator->n_memory_kills = malt_child_count_memory_kills ();
  evaluator->link = malt_link_new (
      worker, &link_funcs, malt_process_evaluator_ref (evaluator),
      (GDestroyNotify) malt_process_evaluator_unref,
      (guint64) malt_worker_get_option_int (worker, "max-frame-bytes"), error);
  if (evaluator->link == NULL)
    {
      malt_process_evaluator_unref (evaluator);
      return NULL;
    }
  evaluator->output = malt_process_output_new (worker, evaluator->link);
  malt_link_start (evaluator->link, runtime);
  if (!launch (evaluator, worker, error))
    {
      malt_link_close (evaluator->link);
      return NULL;
    }
  watch (evaluator, malt_worker_get_option_int (worker, "start-timeout-ms"));
  return g_steal_pointer (&evaluator);
}

/* What the worker object asks */

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

gboolean
malt_process_evaluator_is_running (MaltProcessEvaluator *evaluator)
{
  return g_atomic_int_get (&evaluator->is_running);
}

void
malt_process_evaluator_stop (MaltProcessEvaluator *evaluator, gint64 exit_timeout_ms,
                             gint64 term_timeout_ms, GTask *task)
{
  gboolean is_ended;
  gboolean is_first;

  g_mutex_lock (&evaluator->lock);
  is_ended = evaluator->state == STATE_ENDED;
  is_first = !evaluator->is_end_wanted;
  if (!is_ended)
    {
      bring_end_forward (evaluator, exit_timeout_ms, exit_timeout_ms + term_timeout_ms);
      evaluator->is_end_wanted = TRUE;
      if (task != NULL)
        evaluator->stops = g_slist_prepend (evaluator->stops, task);
    }
  g_mutex_unlock (&evaluator->lock);
  if (!is_ended && is_first)
    malt_link_shutdown (evaluator->link);
  if (is_ended && task != NULL)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
}

gboolean
malt_process_evaluator_kill (MaltProcessEvaluator *evaluator, int signum)
{
  gboolean is_sent;

  g_mutex_lock (&evaluator->lock);
  evaluator->host_signum = signum;
  evaluator->is_forced = evaluator->is_forced || signum == SIGKILL;
  is_sent = malt_child_signal (evaluator->child, signum,
                               signum == SIGKILL ? MALT_CHILD_TARGET_GROUP
                                                 : MALT_CHILD_TARGET_PROCESS);
  g_mutex_unlock (&evaluator->lock);
  return is_sent;
}
