/* SPDX-License-Identifier: MIT */
/* One worker, some calls one after the other, and the signals that come in between. */
/*
 * Everything happens in the main thread, but the writing of output
 * (malt-cli-writer.c). An operation is something asynchronous that was started: the
 * launch, a call, an interrupt, the end of the worker. The session is over when none
 * is under way any more, so each callback first starts what follows.
 *
 *   launch -> call -> call -> ... -> stop
 *
 * The first SIGINT cancels the launch or interrupts the call; the second one kills the
 * worker. Other signals end it, politely, or are passed on to a worker that has the
 * command's place. A worker in the process group of the command gets the terminal's
 * signals itself; SIGINT it drops, or, where no judge stands before Julia
 * (MALT_CAPABILITY_CAN_INTERRUPT_BUSY is clear), the first one is not sent on: it would
 * count twice. Once the end has begun (is_ending), answers that still come are of no
 * interest: the worker was told to go.
 *
 * The code writes to the command's own output, also where it runs in this process: so it
 * waits for a slow reader, and the command holds nothing of it. Where that cannot be
 * (malt-cli-options.c), output goes through the signal of the worker and not through its
 * forwarding: the library never waits for whoever reads the host's output, and so drops
 * what is too much, and knows nothing of a reader that has gone. A command must do neither.
 */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <errno.h>
#include <string.h>

/* How long a worker that is to end on a signal may take after its own SIGTERM. */
enum
{
  SIGNALLED_TERM_TIMEOUT_MS = 1000,
};

typedef struct
{
  MaltConfig *config; /* (unowned) */
  GPtrArray *calls; /* (unowned) */
  guint n_started; /* calls that were started */
  MaltWorker *worker; /* (owned) (nullable): until the launch has succeeded */
  MaltFuture *future; /* (owned) (nullable): the call under way */
  GCancellable *cancellable; /* (owned): gives up the launch */
  MaltCliWriter *writer; /* (owned) */
  guint n_operations; /* under way */
  MaltInterruptFlags flags; /* of an interrupt */
  guint n_interrupts; /* SIGINTs so far */
  gboolean is_program; /* signals are the program's own */
  gboolean is_lent; /* the worker has the command's own output */
  gboolean is_closing; /* the worker ends when all is written */
  gboolean is_leaving; /* Julia is to end this process */
  gint has_left; /* it is about to: its thread says so */
  gboolean is_ending;
  int signum; /* what the command dies of; 0: nothing */
  gboolean is_abandoned; /* what is not yet written will not be */
  gboolean is_written; /* all of it */
  int status;
} MaltCliSession;

static gboolean take_end (MaltCliSession *session);
static void start_next (MaltCliSession *session);
static void finish (MaltCliSession *session);

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MaltCliSession *session = user_data;

  malt_worker_stop_finish (MALT_WORKER (source), result, NULL, NULL);
  if (!session->is_abandoned)
    take_end (session);
  session->n_operations--;
}

static void
end_worker (MaltCliSession *session, gint64 exit_timeout_ms, gint64 term_timeout_ms)
{
  session->is_ending = TRUE;
  session->n_operations++;
  malt_worker_stop_async (session->worker, exit_timeout_ms, term_timeout_ms, NULL,
                          on_stopped, session);
}

static gboolean
is_here (MaltCliSession *session)
{
  return (malt_worker_get_capabilities (session->worker) & MALT_CAPABILITY_ISOLATED) == 0;
}

/* It has ended, or it will not. */
static void
end_leaving (MaltCliSession *session)
{
  session->n_operations -= (guint) session->is_leaving;
  session->is_leaving = FALSE;
}

static void
on_left (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MaltValue) value =
      malt_future_fetch_finish (MALT_FUTURE (source), result, NULL);

  end_leaving (user_data);
}

static void on_looked (GObject *source, GAsyncResult *result, gpointer user_data);

/* Does Julia come to anything any more? The interrupt of a call tells. */
static void
look_whether_busy (MaltCliSession *session)
{
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "nothing");
  g_autoptr (MaltFuture) future = malt_worker_remote_call (session->worker, call);

  malt_future_interrupt_async (future, MALT_INTERRUPT_DEFAULT, NULL, on_looked, session);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MaltCliSession *session = user_data;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult outcome =
      malt_future_interrupt_finish (MALT_FUTURE (source), result, &error);

  if (g_atomic_int_get (&session->has_left) || !session->is_leaving)
    return;
  if (error || outcome == MALT_INTERRUPT_UNDELIVERABLE)
    end_leaving (session);
  else
    look_whether_busy (session);
}

/* Julia in this process ends it as it ends a program, hooks of atexit included, however
 * long they take. A task that never waits would keep the call from that, which says here
 * when it has begun: then the command ends without Julia. */
static void
leave (MaltCliSession *session)
{
  g_autofree char *text =
      g_strdup_printf ("unsafe_store!(Ptr{Cint}(%" G_GUINTPTR_FORMAT "), 1); "
                       "ccall(:jl_exit, Cvoid, (Int32,), %d)",
                       (guintptr) &session->has_left, session->status);
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, text);
  g_autoptr (MaltFuture) future = malt_worker_remote_call (session->worker, call);

  session->is_leaving = TRUE;
  session->n_operations++;
  malt_future_fetch_async (future, NULL, on_left, session);
  look_whether_busy (session);
}

/* How a worker that has the command's place has ended is how the command ends: FALSE:
 * it has not ended, or otherwise than a program does. */
static gboolean
take_end (MaltCliSession *session)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (session->worker);
  MaltTerminationReason reason;
  int status;

  if (!session->is_lent || !termination)
    return FALSE;
  reason = malt_termination_get_reason (termination);
  session->signum = malt_termination_get_signal (termination);
  status = session->signum != 0 ? MALT_CLI_SIGNAL_BASE + session->signum
                                : malt_termination_get_exit_status (termination);
  if (status > 0)
    session->status = status;
  return session->signum != 0 || reason == MALT_TERMINATION_EXITED ||
         reason == MALT_TERMINATION_STOPPED;
}

static void
report (MaltCliSession *session, const GError *error)
{
  const char *backend = malt_worker_get_backend_name (session->worker);
  const char *output = malt_config_get_for (session->config, backend, "output");
  gboolean is_seen = g_strcmp0 (output, "discard") != 0;
  g_autofree char *text = NULL;

  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED) &&
      take_end (session))
    return;
  text = malt_cli_describe_error (error, is_seen, &session->status);
  malt_cli_writer_print (session->writer, MALT_CLI_STDERR, text);
  /* InterruptException itself, or what the code that was hit made of it: LoadError,
   * TaskFailedException. */
  if (session->n_interrupts > 0 && session->status == MALT_CLI_EXCEPTION)
    session->status = MALT_CLI_SIGNAL_BASE + MALT_CLI_SIGINT;
}

static void
show (MaltCliSession *session, MaltValue *value)
{
  g_autoptr (GBytes) text = malt_cli_describe_display (value);

  malt_cli_writer_write (session->writer, MALT_CLI_STDOUT, text);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MaltCliSession *session = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  value = malt_future_fetch_finish (MALT_FUTURE (source), result, &error);
  g_clear_object (&session->future);
  session->n_operations--;
  if (session->is_ending)
    return;
  if (error)
    {
      report (session, error);
      finish (session);
      return;
    }
  if (session->n_started == session->calls->len)
    show (session, value);
  start_next (session);
}

/* The worker may still write, too: what the command has to say comes before that. */
static void
finish (MaltCliSession *session)
{
  if (!session->is_lent && !is_here (session))
    {
      end_worker (session, -1, -1);
      return;
    }
  session->is_closing = TRUE;
  session->n_operations++;
  malt_cli_writer_close (session->writer);
}

static void
start_next (MaltCliSession *session)
{
  if (session->n_started == session->calls->len)
    {
      finish (session);
      return;
    }
  session->future = malt_worker_remote_call (session->worker,
                                             session->calls->pdata[session->n_started]);
  session->n_started++;
  session->n_operations++;
  malt_future_fetch_async (session->future, NULL, on_answer, session);
}

static void
on_output (MaltWorker *worker G_GNUC_UNUSED, MaltStream stream,
           guint call_id G_GNUC_UNUSED, GBytes *bytes, gpointer user_data)
{
  MaltCliSession *session = user_data;

  /* What a worker says about the signal that ends it is not for the user who sent the
   * signal. */
  if (session->is_abandoned)
    return;
  malt_cli_writer_write (session->writer,
                         stream == MALT_STREAM_STDERR ? MALT_CLI_STDERR : MALT_CLI_STDOUT,
                         bytes);
}

/* Nobody can see what the evaluation would still print. */
static void
on_writer_event (MaltCliWriterEvent event, int error_number, gpointer user_data)
{
  MaltCliSession *session = user_data;

  if (event == MALT_CLI_WRITER_DONE)
    {
      session->is_written = TRUE;
      if (session->is_closing && !session->is_ending && is_here (session))
        leave (session);
      else if (session->is_closing && !session->is_ending)
        end_worker (session, -1, -1);
      session->n_operations -= (guint) session->is_closing;
      return;
    }
  if (!session->is_ending && !session->is_closing)
    end_worker (session, 0, SIGNALLED_TERM_TIMEOUT_MS);
  if (session->status == MALT_CLI_OK)
    session->status = malt_cli_report_lost_output (error_number);
}

static void
report_launch_failure (MaltCliSession *session, const GError *error)
{
  g_autofree char *text = g_strconcat ("malt: ", error->message, "\n", NULL);

  malt_cli_writer_print (session->writer, MALT_CLI_STDERR, text);
  session->status = MALT_CLI_WORKER;
}

static void
on_launched (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  MaltCliSession *session = user_data;
  g_autoptr (GError) error = NULL;

  session->worker = malt_worker_launch_finish (result, &error);
  session->n_operations--;
  if (!session->worker)
    {
      if (!session->is_ending)
        report_launch_failure (session, error);
      return;
    }
  if (session->is_lent)
    malt_cli_host_share_signals (malt_worker_get_pid (session->worker));
  g_signal_connect (session->worker, "output", G_CALLBACK (on_output), session);
  if (session->is_ending)
    end_worker (session, 0, 0);
  else
    start_next (session);
}

static const char unreachable[] =
    "malt: the evaluation cannot be interrupted; interrupt again to end it\n";

static void
on_interrupted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MaltCliSession *session = user_data;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult outcome;

  outcome = malt_future_interrupt_finish (MALT_FUTURE (source), result, &error);
  if (!session->is_ending && !error && outcome == MALT_INTERRUPT_UNDELIVERABLE)
    malt_cli_writer_print (session->writer, MALT_CLI_STDERR, unreachable);
  session->n_operations--;
}

/* Ends whatever goes on, at once or within a second, with the status of a program that
 * a signal has ended. */
static void
end_on_signal (MaltCliSession *session, int signum)
{
  session->status = MALT_CLI_SIGNAL_BASE + signum;
  session->is_abandoned = TRUE;
  if (!session->worker)
    {
      session->is_ending = TRUE;
      g_cancellable_cancel (session->cancellable);
      return;
    }
  if (signum == MALT_CLI_SIGINT)
    malt_worker_kill (session->worker, MALT_CLI_SIGKILL, NULL);
  if (!session->is_ending)
    end_worker (session, 0, signum == MALT_CLI_SIGINT ? 0 : SIGNALLED_TERM_TIMEOUT_MS);
}

static gboolean
takes_interrupts_itself (MaltWorker *worker)
{
  return (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_INTERRUPT_BUSY) ==
             0 &&
         malt_cli_host_shares_terminal (malt_worker_get_pid (worker));
}

static void
interrupt (MaltCliSession *session, gboolean is_shared)
{
  session->n_interrupts++;
  if (session->n_interrupts > 1 || !session->future)
    {
      end_on_signal (session, MALT_CLI_SIGINT);
      return;
    }
  if (is_shared && !is_here (session) && takes_interrupts_itself (session->worker))
    return;
  session->n_operations++;
  malt_future_interrupt_async (session->future, session->flags, NULL, on_interrupted,
                               session);
}

static void
on_signal (int signum, MaltCliSignalFlags flags, gpointer user_data)
{
  MaltCliSession *session = user_data;
  gboolean is_shared =
      (flags & MALT_CLI_SIGNAL_SHARED) != 0 && session->worker != NULL &&
      malt_cli_host_shares_terminal (malt_worker_get_pid (session->worker));
  gboolean is_workers = session->is_lent && session->worker != NULL &&
                        !session->is_closing &&
                        (session->is_program || signum != MALT_CLI_SIGINT);

  /* Also what was ignored: so it is in the worker, too, unless Julia has taken it. */
  if (is_workers && !is_shared)
    malt_worker_kill (session->worker, signum, NULL);
  else if (is_workers || (flags & MALT_CLI_SIGNAL_IGNORED) != 0)
    return;
  else if (signum == MALT_CLI_SIGINT)
    interrupt (session, is_shared);
  else
    end_on_signal (session, signum);
}

/* Until nothing is under way and, unless a signal has ended the session, all is
 * written. */
static void
run (MaltCliSession *session)
{
  while (session->n_operations > 0)
    g_main_context_iteration (NULL, TRUE);
  if (!session->is_closing)
    malt_cli_writer_close (session->writer);
  while (!session->is_written && !session->is_abandoned)
    g_main_context_iteration (NULL, TRUE);
}

int
malt_cli_session_run (MaltConfig *config, GPtrArray *calls, const MaltCliOptions *options,
                      gboolean is_program)
{
  MaltCliSession session = { .config = config,
                             .calls = calls,
                             .flags = options->is_unjudged ? MALT_INTERRUPT_UNJUDGED
                                                           : MALT_INTERRUPT_DEFAULT,
                             .is_program = is_program,
                             .is_lent = options->is_lent,
                             .n_operations = 1 };

  if (!malt_cli_host_has_resources ())
    {
      g_printerr ("malt: no descriptors or threads are left: %s\n", g_strerror (errno));
      return MALT_CLI_WORKER;
    }
  malt_cli_host_watch_signals (on_signal, session.is_lent, &session);
  malt_cli_host_hide_descriptors ();
  session.cancellable = g_cancellable_new ();
  session.writer = malt_cli_writer_new (on_writer_event, &session);
  malt_worker_launch_async (config, session.cancellable, on_launched, &session);
  run (&session);

  g_clear_object (&session.worker);
  g_clear_object (&session.cancellable);
  /* An abandoned writer may wait for its reader for ever; it ends with the process. */
  if (session.is_written)
    malt_cli_writer_free (session.writer);
  malt_cli_host_end (session.signum);
  return session.status;
}
