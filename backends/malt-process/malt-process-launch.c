/* SPDX-License-Identifier: MIT */
/*
 * Launching: from the options of a worker to a process that has introduced itself.
 *
 * HELLO and the text of the runtime are written into the connection before there is a process to read them. The launch is decided once, by whoever
 * comes first: HELLO, the end of the process, the start timeout, the cancellable (malt_process_evaluator_decide_launch()). A launch that fails
 * brings the end of the process forward to now.
 */
#include "malt-process-evaluator-private.h"

#include "link/malt-julia-source.h"
#include "malt-process-julia.h"
#include "malt-process-transport.h"
#include "process/malt-julia-command.h"
#include "process/malt-julia-program.h"

#include <unistd.h>

/* The launch is decided */

void
malt_process_evaluator_decide_launch (MaltProcessEvaluator *evaluator, GError *error)
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
          evaluator->state = MALT_PROCESS_RUNNING;
          g_atomic_int_set (&evaluator->is_running, TRUE);
        }
      else
        malt_process_evaluator_end_within (evaluator, -1, 0);
    }
  launched = is_first ? g_steal_pointer (&evaluator->launched) : NULL;
  timer = g_steal_pointer (&evaluator->launch_timer);
  cancel = g_steal_pointer (&evaluator->launch_cancel);
  g_mutex_unlock (&evaluator->lock);

  malt_process_source_clear (timer);
  malt_process_source_clear (cancel);
  g_clear_error (&error);
  if (launched != NULL)
    launched (evaluator->launch_error, evaluator->launched_data);
}

static gboolean
on_launch_timeout (gpointer data)
{
  MaltProcessEvaluator *evaluator = data;
  g_autofree char *tail = NULL;

  malt_process_output_drain (evaluator->output);
  tail = malt_process_output_dup_tail (evaluator->output);
  malt_process_evaluator_decide_launch (
      evaluator, g_error_new (MALT_ERROR, MALT_ERROR_TIMED_OUT,
                              "julia was not ready within the start timeout and was "
                              "killed%s%s",
                              tail != NULL ? ": " : "", tail != NULL ? tail : ""));
  return G_SOURCE_REMOVE;
}

static gboolean
on_launch_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  malt_process_evaluator_decide_launch (
      data,
      g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED, "the launch was cancelled"));
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
        evaluator->launch_cancel = malt_process_evaluator_attach (
            evaluator, g_cancellable_source_new (cancellable),
            G_SOURCE_FUNC (on_launch_cancelled));
    }
  g_mutex_unlock (&evaluator->lock);
  if (is_decided)
    launched (evaluator->launch_error, user_data);
}

void
malt_process_evaluator_fail_launch (MaltProcessEvaluator *evaluator)
{
  g_autoptr (MaltTermination) termination = NULL;
  g_autofree char *how = NULL;
  const char *tail;

  g_mutex_lock (&evaluator->lock);
  if (!evaluator->is_launch_decided)
    termination = malt_process_evaluator_make_termination (evaluator);
  g_mutex_unlock (&evaluator->lock);
  if (termination == NULL)
    return;
  how = malt_termination_to_string (termination);
  tail = malt_termination_get_stderr (termination);
  malt_process_evaluator_decide_launch (
      evaluator, g_error_new (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                              "julia %s before it was ready%s%s", how,
                              tail != NULL ? ": " : "", tail != NULL ? tail : ""));
}

/* Making the process */

static void
on_connected (int fd, gpointer user_data)
{
  MaltProcessEvaluator *evaluator = user_data;
  GError *error = NULL;

  if (!malt_link_attach (evaluator->link, fd, &error))
    malt_process_evaluator_decide_launch (evaluator, error);
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
      evaluator->listener = malt_link_listener_new (error);
      if (evaluator->listener == NULL)
        return FALSE;
      launcher->stdin_source = MALT_CHILD_STDIN_BYTES;
      launcher->stdin_bytes = malt_link_listener_dup_secrets (evaluator->listener);
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
      malt_julia_find_program (malt_worker_get_option (worker, "julia"), error);
  g_auto (GStrv) environment = NULL;
  g_auto (GStrv) arguments = NULL;

  if (julia == NULL)
    return FALSE;
  environment = malt_julia_dup_environment (worker, julia, error);
  if (environment == NULL)
    return FALSE;
  arguments = malt_process_dup_arguments (
      worker, julia, evaluator->listener != NULL ? "connect" : "fd",
      evaluator->listener != NULL ? malt_link_listener_get_port (evaluator->listener)
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
begin_to_watch (MaltProcessEvaluator *evaluator, gint64 start_timeout_ms)
{
  if (evaluator->listener != NULL)
    malt_link_listener_start (evaluator->listener, on_connected, evaluator);
  malt_process_output_start (evaluator->output, evaluator->child);
  g_mutex_lock (&evaluator->lock);
  malt_process_evaluator_watch (evaluator);
  if (!evaluator->is_launch_decided)
    evaluator->launch_timer = malt_process_evaluator_attach (
        evaluator, g_timeout_source_new ((guint) start_timeout_ms), on_launch_timeout);
  g_mutex_unlock (&evaluator->lock);
}

MaltProcessEvaluator *
malt_process_evaluator_new (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltProcessEvaluator) evaluator = g_new0 (MaltProcessEvaluator, 1);
  static const char *const transport[] = { "julia/frames.jl", "julia/stream.jl", NULL };
  g_autoptr (GBytes) runtime = malt_julia_dup_runtime (transport);

  g_atomic_ref_count_init (&evaluator->ref_count);
  g_mutex_init (&evaluator->lock);
  evaluator->term_due_us = MALT_PROCESS_NEVER;
  evaluator->kill_due_us = MALT_PROCESS_NEVER;
  evaluator->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  evaluator->n_memory_kills = malt_child_count_memory_kills ();
  evaluator->link = malt_link_new (
      worker, &malt_process_link_funcs, malt_process_evaluator_ref (evaluator),
      (GDestroyNotify) malt_process_evaluator_unref,
      (guint64) malt_worker_get_option_int (worker, "max-frame-bytes"), error);
  if (evaluator->link == NULL)
    {
      malt_process_evaluator_unref (evaluator);
      return NULL;
    }
  evaluator->output = malt_process_output_new (worker, evaluator->link);
  malt_link_start (evaluator->link, NULL, runtime);
  if (!launch (evaluator, worker, error))
    {
      malt_link_close (evaluator->link);
      return NULL;
    }
  begin_to_watch (evaluator, malt_worker_get_option_int (worker, "start-timeout-ms"));
  return g_steal_pointer (&evaluator);
}
