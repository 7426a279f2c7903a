/* SPDX-License-Identifier: MIT */
/*
 * Launching: from the options of a worker to a process that has introduced itself.
 *
 * The process is made first, and nothing is read from it. Once the worker object knows
 * its evaluator, start() opens the connection, collects output and watches the process:
 * what a worker sends with its first breath calls slots.
 */
#include "malt-process-evaluator-private.h"

#include "link/malt-julia-source.h"
#include "malt-process-julia.h"
#include "platform/malt-socket.h"
#include "process/malt-julia-command.h"
#include "process/malt-julia-program.h"
#include "process/malt-output.h"

static void
on_connected (int fd, GError *failure, gpointer user_data)
{
  MaltProcessEvaluator *evaluator = user_data;
  GError *error = failure;

  if (error != NULL || !malt_link_attach (evaluator->link, fd, &error))
    malt_launch_decide (evaluator->launch, error);
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
                ? malt_socket_open_local_pair (fds, error)
                : malt_socket_open_tcp_pair (fds, error);
  if (!is_open)
    return FALSE;
  evaluator->fd = fds[0];
  launcher->inherited_fd = fds[1];
  return TRUE;
}

static gboolean
spawn (MaltProcessEvaluator *evaluator, MaltWorker *worker, MaltProcessLauncher *launcher,
       GError **error)
{
  g_autofree char *julia =
      malt_julia_find_program (malt_worker_get_option (worker, "julia"), error);
  g_autoptr (GBytes) library = NULL;
  g_auto (GStrv) environment = NULL;
  g_auto (GStrv) arguments = NULL;
  GError *failure = NULL;
  g_autofree char *boot = malt_process_dup_boot ();

  if (julia == NULL)
    return FALSE;
  environment = malt_julia_dup_environment (worker, julia, error);
  if (environment == NULL)
    return FALSE;
  library = malt_julia_dup_source ("julia/judge.so");
  launcher->judge = evaluator->judge = malt_judge_new (library, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  /* Who sends signals to the host's group interrupts what is busy. */
  if (evaluator->judge == NULL && !launcher->is_group_leader)
    malt_worker_set_capabilities (worker,
                                  malt_worker_get_capabilities (worker) &
                                      ~(guint) MALT_CAPABILITY_CAN_INTERRUPT_BUSY);
  arguments = malt_process_dup_arguments (
      worker, julia, (const char *const *) environment,
      evaluator->listener != NULL ? boot : NULL,
      evaluator->listener != NULL ? "connect" : "fd",
      evaluator->listener != NULL ? malt_link_listener_get_port (evaluator->listener) : 3,
      evaluator->judge != NULL ? MALT_CHILD_JUDGE : "");
  launcher->script = evaluator->listener != NULL ? NULL : boot;
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

  if (!malt_output_prepare (worker, error))
    return FALSE;
  launcher.has_hosts_output = malt_output_is_hosts (worker);
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
    malt_socket_close (launcher.inherited_fd);
  return is_launched;
}

/* What julia has said so far. */
static char *
dup_tail (gpointer owner)
{
  MaltProcessEvaluator *evaluator = owner;

  malt_output_pipes_drain (evaluator->output);
  return malt_output_pipes_dup_tail (evaluator->output);
}

/* The connection before the watch: what a worker that has ended has said is heard. */
void
malt_process_evaluator_start (MaltProcessEvaluator *evaluator, gint64 start_timeout_ms)
{
  int fd = evaluator->fd;

  evaluator->fd = -1;
  evaluator->memory = malt_memory_watch_new (malt_child_get_pid (evaluator->child));
  malt_link_set_thread (evaluator->link, malt_child_get_pid (evaluator->child),
                        evaluator->judge, 0);
  malt_output_pipes_set_pid (evaluator->output, malt_child_get_pid (evaluator->child));
  if (evaluator->listener != NULL)
    malt_link_listener_start (evaluator->listener, on_connected, evaluator);
  else
    on_connected (fd, NULL, evaluator);
  malt_output_pipes_start (evaluator->output, malt_child_get_stdout (evaluator->child),
                           malt_child_get_stderr (evaluator->child));
  malt_process_evaluator_watch (evaluator);
  malt_launch_limit (evaluator->launch, start_timeout_ms, dup_tail);
}

MaltProcessEvaluator *
malt_process_evaluator_new (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltProcessEvaluator) evaluator =
      malt_process_evaluator_prepare (worker, error);
  static const char *const transport[] = { "julia/frames.jl", "julia/stream.jl", NULL };
  g_autoptr (GBytes) runtime = NULL;

  if (evaluator == NULL)
    return NULL;
  runtime = malt_julia_dup_runtime (transport);
  malt_link_start (evaluator->link, NULL, runtime);
  if (!launch (evaluator, worker, error))
    {
      malt_link_close (evaluator->link);
      return NULL;
    }
  return g_steal_pointer (&evaluator);
}
