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

/* What a launch needs until the process is there. */
typedef struct
{
  MaltProcessLauncher launcher;
  MaltProcessGiven given; /* the launcher's */
} Launch;

static void
launch_clear (Launch *launch)
{
  malt_child_close_given (launch->launcher.given);
  g_clear_pointer (&launch->launcher.stdin_bytes, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Launch, launch_clear)

static gboolean
connect_worker (MaltProcessEvaluator *evaluator, const char *transport, Launch *launch,
                GError **error)
{
  int fds[2];
  gboolean is_open;

  if (g_strcmp0 (transport, "tcp-connect") == 0)
    {
      evaluator->listener = malt_link_listener_new (error);
      if (evaluator->listener == NULL)
        return FALSE;
      launch->given.port = malt_link_listener_get_port (evaluator->listener);
      launch->launcher.stdin_source = MALT_CHILD_STDIN_BYTES;
      launch->launcher.stdin_bytes = malt_link_listener_dup_secrets (evaluator->listener);
      return TRUE;
    }
  is_open = g_strcmp0 (transport, "socketpair") == 0
                ? malt_socket_open_local_pair (fds, error)
                : malt_socket_open_tcp_pair (fds, error);
  if (!is_open)
    return FALSE;
  evaluator->fd = fds[0];
  launch->given.link = launch->launcher.given[0] = malt_child_give (fds[1], error);
  malt_socket_close (fds[1]);
  return launch->given.link > 0;
}

/* The judge, and the boot text of a worker that can lend its root task. */
static gboolean
give_files (MaltProcessEvaluator *evaluator, const char *boot, Launch *launch,
            GError **error)
{
  MaltProcessGiven *given = &launch->given;

  if (evaluator->judge != NULL)
    given->judge = malt_child_give (malt_judge_get_fd (evaluator->judge), error);
  if (given->judge >= 0 && given->link > 0)
    given->script = malt_child_give_text (boot, error);
  launch->launcher.given[1] = given->judge;
  launch->launcher.given[2] = given->script;
  return given->judge >= 0 && given->script >= 0;
}

static gboolean
check_script (MaltWorker *worker, const MaltProcessGiven *given, GError **error)
{
  const char *flags = malt_worker_get_option (worker, "program-flags");

  if (given->link == 0 || given->script > 0 || flags == NULL || *flags == '\0')
    return TRUE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                       "option 'program-flags' needs a file of the size of the boot "
                       "text, and this process may make none (ulimit -f)");
  return FALSE;
}

/* NULL where there is none. A program has all signals to itself. */
static gboolean
make_judge (MaltProcessEvaluator *evaluator, MaltWorker *worker, GError **error)
{
  g_autoptr (GBytes) library = NULL;
  GError *failure = NULL;

  if (malt_process_is_for_program (worker))
    return TRUE;
  library = malt_julia_dup_source ("julia/judge.so");
  evaluator->judge = malt_judge_new (library, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
spawn (MaltProcessEvaluator *evaluator, MaltWorker *worker, Launch *launch,
       GError **error)
{
  g_autofree char *julia = malt_julia_get_program (
      malt_worker_get_option (worker, "julia"), malt_worker_get_option (worker, "cwd"),
      malt_worker_get_option_int (worker, "start-timeout-ms"), NULL, error);
  g_auto (GStrv) environment = NULL;
  g_auto (GStrv) arguments = NULL;
  g_autofree char *boot = malt_process_dup_boot (worker);

  if (julia == NULL)
    return FALSE;
  environment = malt_julia_dup_environment (worker, julia, error);
  if (environment == NULL)
    return FALSE;
  if (!make_judge (evaluator, worker, error))
    return FALSE;
  /* Who sends signals to the host's group interrupts what is busy. */
  if (evaluator->judge == NULL && !launch->launcher.is_group_leader)
    malt_worker_set_capabilities (worker,
                                  malt_worker_get_capabilities (worker) &
                                      ~(guint) MALT_CAPABILITY_CAN_INTERRUPT_BUSY);
  if (!give_files (evaluator, boot, launch, error) ||
      !check_script (worker, &launch->given, error))
    return FALSE;
  arguments = malt_process_dup_arguments (
      worker, julia, (const char *const *) environment, boot, &launch->given);
  launch->launcher.argv = (const char *const *) arguments;
  launch->launcher.envp = (const char *const *) environment;
  evaluator->child = malt_process_launcher_spawn (&launch->launcher, error);
  return evaluator->child != NULL;
}

/* It takes standard input, and the place where Julia goes on to a program. */
static gboolean
check_connect (MaltWorker *worker, GError **error)
{
  const char *option = NULL;

  if (malt_julia_inherits (worker, "stdin"))
    option = "stdin";
  else if (malt_worker_get_option (worker, "program-flags") != NULL)
    option = "program-flags";
  if (option == NULL)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s': '%s' does not go with transport 'tcp-connect'", option,
               malt_worker_get_option (worker, option));
  return FALSE;
}

static gboolean
launch_julia (MaltProcessEvaluator *evaluator, MaltWorker *worker, GError **error)
{
  const char *transport = malt_worker_get_option (worker, "transport");
  g_auto (Launch) launch = { 0 };
  MaltProcessLauncher *launcher = &launch.launcher;

  if (!malt_output_prepare (worker, error))
    return FALSE;
  if (g_strcmp0 (transport, "tcp-connect") == 0 && !check_connect (worker, error))
    return FALSE;
  launcher->has_hosts_output = malt_output_is_hosts (worker);
  launcher->has_hosts_descriptors = malt_julia_inherits (worker, "descriptors");
  launcher->cwd = malt_worker_get_option (worker, "cwd");
  launcher->is_group_leader =
      g_strcmp0 (malt_worker_get_option (worker, "process-group"), "host") != 0;
  if (malt_julia_inherits (worker, "stdin"))
    launcher->stdin_source = MALT_CHILD_STDIN_INHERIT;
  return connect_worker (evaluator, transport, &launch, error) &&
         spawn (evaluator, worker, &launch, error);
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
  g_autoptr (GBytes) runtime = NULL;

  if (evaluator == NULL)
    return NULL;
  runtime = malt_process_dup_runtime (worker);
  malt_link_start (evaluator->link, NULL, runtime);
  if (!launch_julia (evaluator, worker, error))
    {
      malt_link_close (evaluator->link);
      return NULL;
    }
  return g_steal_pointer (&evaluator);
}
