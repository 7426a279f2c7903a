/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the object of an in-process worker: a link to the one Julia of this
 * process, under a number of its own.
 *
 * States (guarded by lock): LAUNCHING until Julia has introduced itself (or refused),
 * RUNNING, ENDING once the end is wanted, ENDED.
 *
 * The end is an affair of the host alone: Julia is told to forget the worker, which lets
 * calls that wait end in an exception, and goes on with what is busy; its answer finds
 * nobody. end() runs in the I/O thread, because stop may be called, and the last
 * reference may go, inside a callback of the link, where the link cannot be closed.
 *
 * Who keeps it: the worker object, its link (until the end), and the source that ends it.
 */
#include "malt-inprocess-evaluator.h"

#include "malt-inprocess-force.h"
#include "malt-inprocess-runtime.h"
#include "malt-inprocess-start.h"
#include "platform/malt-io-thread.h"
#include "process/malt-stops.h"
#include "worker/malt-weak-worker.h"

#include <malt/malt-error-construction.h>
#include <stdio.h>
#include <string.h>

#define CANCEL_LOOK_US 20000

typedef enum
{
  STATE_LAUNCHING,
  STATE_RUNNING,
  STATE_ENDING,
  STATE_ENDED,
} State;

/* Where output goes. */
typedef enum
{
  OUTPUT_FORWARD,
  OUTPUT_SIGNAL,
  OUTPUT_DISCARD,
} Output;

struct _MaltInProcessEvaluator
{
  gatomicrefcount ref_count;
  MaltWeakWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  MaltStops stops;
  gboolean forces_interrupts;
  Output output;
  guint64 host; /* 0 until it is added; constant then */
  gint is_running; /* atomic; state == STATE_RUNNING */

  GMutex lock; /* guards the rest */
  GCond changed;
  State state;
  char *refusal; /* (owned) (nullable) */
  char *violation; /* (owned) (nullable): of the protocol */
};

MaltInProcessEvaluator *
malt_inprocess_evaluator_ref (MaltInProcessEvaluator *evaluator)
{
  g_atomic_ref_count_inc (&evaluator->ref_count);
  return evaluator;
}

void
malt_inprocess_evaluator_unref (MaltInProcessEvaluator *evaluator)
{
  if (!g_atomic_ref_count_dec (&evaluator->ref_count))
    return;
  g_clear_pointer (&evaluator->link, malt_link_unref);
  malt_weak_worker_unref (evaluator->worker);
  g_free (evaluator->refusal);
  g_free (evaluator->violation);
  g_cond_clear (&evaluator->changed);
  malt_stops_clear (&evaluator->stops);
  g_mutex_clear (&evaluator->lock);
  g_free (evaluator);
}

/* The end */

/* With lock held. */
static MaltTermination *
make_termination (MaltInProcessEvaluator *evaluator)
{
  g_autofree char *text = NULL;

  if (evaluator->violation == NULL)
    return malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);
  text = g_strdup_printf ("libmalt: %s", evaluator->violation);
  return malt_termination_new (MALT_TERMINATION_PROTOCOL, 0, text, NULL);
}

static gboolean
end (gpointer data)
{
  MaltInProcessEvaluator *evaluator = data;
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (evaluator->worker);
  g_autoptr (MaltTermination) termination = NULL;

  if (evaluator->host != 0)
    malt_inprocess_runtime_remove_host (evaluator->host);
  g_mutex_lock (&evaluator->lock);
  evaluator->state = STATE_ENDED;
  termination = make_termination (evaluator);
  g_mutex_unlock (&evaluator->lock);
  if (worker != NULL)
    malt_worker_exited (worker, termination);
  malt_stops_end (&evaluator->stops);
  malt_link_close (evaluator->link);
  return G_SOURCE_REMOVE;
}

/* With lock held. */
static void
want_end (MaltInProcessEvaluator *evaluator)
{
  GSource *source;

  if (evaluator->state >= STATE_ENDING)
    return;
  evaluator->state = STATE_ENDING;
  g_atomic_int_set (&evaluator->is_running, FALSE);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, end, malt_inprocess_evaluator_ref (evaluator),
                         (GDestroyNotify) malt_inprocess_evaluator_unref);
  g_source_attach (source, malt_io_thread_get_context ());
  g_source_unref (source);
}

void
malt_inprocess_evaluator_stop (MaltInProcessEvaluator *evaluator, GTask *task)
{
  malt_stops_join (&evaluator->stops, task);
  g_mutex_lock (&evaluator->lock);
  want_end (evaluator);
  g_mutex_unlock (&evaluator->lock);
}

/* What the link tells and asks */

static void
on_hello (gpointer owner, G_GNUC_UNUSED guint32 pid,
          G_GNUC_UNUSED const char *julia_version)
{
  MaltInProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  if (evaluator->state == STATE_LAUNCHING)
    {
      evaluator->state = STATE_RUNNING;
      g_atomic_int_set (&evaluator->is_running, TRUE);
    }
  g_cond_broadcast (&evaluator->changed);
  g_mutex_unlock (&evaluator->lock);
}

static void
on_refused (gpointer owner, const char *message)
{
  MaltInProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  evaluator->refusal = g_strdup (message);
  g_cond_broadcast (&evaluator->changed);
  g_mutex_unlock (&evaluator->lock);
}

static void
on_before_answer (G_GNUC_UNUSED gpointer owner)
{
}

static void
on_output (gpointer owner, MaltStream stream, guint32 call_id, GBytes *bytes)
{
  MaltInProcessEvaluator *evaluator = owner;
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (evaluator->worker);

  if (worker == NULL)
    return;
  if (evaluator->output == OUTPUT_SIGNAL)
    malt_worker_emit_output (worker, stream, call_id, bytes);
  else if (evaluator->output == OUTPUT_FORWARD)
    {
      gsize n_bytes;
      const char *text = g_bytes_get_data (bytes, &n_bytes);

      /* An exception of a call that nobody waits for; all else Julia writes itself. */
      fwrite (text, 1, n_bytes, stream == MALT_STREAM_STDERR ? stderr : stdout);
    }
}

static void
on_ended (gpointer owner, const GError *error)
{
  MaltInProcessEvaluator *evaluator = owner;

  g_mutex_lock (&evaluator->lock);
  if (error != NULL && evaluator->violation == NULL)
    evaluator->violation = g_strdup (error->message);
  want_end (evaluator);
  g_cond_broadcast (&evaluator->changed);
  g_mutex_unlock (&evaluator->lock);
}

static gboolean
send_frame (gpointer owner, MaltWireFrame *frame)
{
  return malt_inprocess_runtime_send (((MaltInProcessEvaluator *) owner)->host, frame);
}

static gboolean
withdraw_interrupt (gpointer owner, guint32 call_id)
{
  return malt_inprocess_runtime_withdraw_interrupt (
      ((MaltInProcessEvaluator *) owner)->host, call_id);
}

/* The worker's name for the judge. */
static guint
get_host (MaltInProcessEvaluator *evaluator)
{
  return (guint) (evaluator->host & 0xffffff);
}

static gboolean
ask_judge (gpointer owner, MaltJudge *judge, guint64 call)
{
  return malt_inprocess_force_ask (get_host (owner), judge, call);
}

static void
interrupts_over (gpointer owner)
{
  malt_inprocess_force_end (get_host (owner));
}

#define LINK_FUNCS                                                                      \
  .hello = on_hello, .before_answer = on_before_answer, .output = on_output,            \
  .ended = on_ended, .send_frame = send_frame, .borrow = malt_inprocess_runtime_borrow, \
  .withdraw_interrupt = withdraw_interrupt, .refused = on_refused

static const MaltLinkFuncs link_funcs = { LINK_FUNCS };

static const MaltLinkFuncs forcing_link_funcs = {
  LINK_FUNCS,
  .ask_judge = ask_judge,
  .interrupts_over = interrupts_over,
};

/* The launch */

static gboolean
wait_for_hello (MaltInProcessEvaluator *evaluator, gint64 timeout_ms,
                GCancellable *cancellable, GError **error)
{
  gint64 deadline_us = g_get_monotonic_time () + timeout_ms * 1000;
  State state;

  g_mutex_lock (&evaluator->lock);
  while (evaluator->state == STATE_LAUNCHING && evaluator->refusal == NULL &&
         g_get_monotonic_time () < deadline_us &&
         !g_cancellable_is_cancelled (cancellable))
    g_cond_wait_until (&evaluator->changed, &evaluator->lock,
                       g_get_monotonic_time () + CANCEL_LOOK_US);
  state = evaluator->state;
  if (state == STATE_RUNNING)
    ;
  else if (evaluator->refusal != NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG, "option 'module': %s",
                 evaluator->refusal);
  else if (evaluator->violation != NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "%s", evaluator->violation);
  else if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                 "Julia did not answer within %" G_GINT64_FORMAT
                 " ms: evaluated code keeps its thread busy",
                 timeout_ms);
  g_mutex_unlock (&evaluator->lock);
  return state == STATE_RUNNING;
}

/* What differs from what the boot takes for granted, one setting on each line; (nullable). */
static char *
dup_settings (const char *module, const char *output, gboolean forces_interrupts)
{
  GString *text = g_string_new (NULL);

  if (g_strcmp0 (module, "Main") != 0)
    g_string_append_printf (text, "module=%s\n", module);
  if (strcmp (output, "forward") != 0)
    g_string_append_printf (text, "output=%s\n", output);
  if (forces_interrupts)
    g_string_append (text, "interrupt-busy=force\n");
  return g_string_free (text, text->len == 0);
}

gboolean
malt_inprocess_evaluator_launch (MaltInProcessEvaluator *evaluator, MaltWorker *worker,
                                 GCancellable *cancellable, GError **error)
{
  const char *module = malt_worker_get_option (worker, "module");
  gint64 timeout_ms = malt_worker_get_option_int (worker, "start-timeout-ms");
  g_autofree char *settings = NULL;

  if (evaluator->forces_interrupts && !malt_inprocess_force_is_supported ())
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CONFIG,
                           "option 'interrupt-busy': busy code cannot be interrupted "
                           "here: this needs Linux, and Julia's own handling of signals");
      return FALSE;
    }
  if (module != NULL && (*module == '\0' || strpbrk (module, "\n=") != NULL))
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                   "option 'module': '%s' is not the name of a module", module);
      return FALSE;
    }
  settings = dup_settings (module, malt_worker_get_option (worker, "output"),
                           evaluator->forces_interrupts);
  evaluator->host = malt_inprocess_runtime_add_host (evaluator->link);
  malt_link_set_thread (evaluator->link, malt_inprocess_force_get_thread (),
                        evaluator->forces_interrupts ? malt_inprocess_force_get_judge ()
                                                     : NULL,
                        get_host (evaluator));
  malt_link_start (evaluator->link, settings, NULL);
  return wait_for_hello (evaluator, timeout_ms, cancellable, error);
}

static Output
get_output (MaltWorker *worker)
{
  const char *output = malt_worker_get_option (worker, "output");

  if (strcmp (output, "signal") == 0)
    return OUTPUT_SIGNAL;
  return strcmp (output, "discard") == 0 ? OUTPUT_DISCARD : OUTPUT_FORWARD;
}

MaltInProcessEvaluator *
malt_inprocess_evaluator_new (MaltWorker *worker, GCancellable *cancellable,
                              GError **error)
{
  MaltInProcessSettings settings = {
    .julia = malt_worker_get_option (worker, "julia"),
    .threads = malt_worker_get_option (worker, "threads"),
    .project = malt_worker_get_option (worker, "project"),
    .handles_signals = malt_worker_get_option_bool (worker, "handle-signals"),
    .has_stdin = g_strcmp0 (malt_worker_get_option (worker, "stdin"), "inherit") == 0,
    .start_timeout_ms = malt_worker_get_option_int (worker, "start-timeout-ms"),
  };
  gboolean forces_interrupts =
      strcmp (malt_worker_get_option (worker, "interrupt-busy"), "force") == 0;
  MaltInProcessEvaluator *evaluator;

  if (forces_interrupts && !settings.handles_signals)
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CONFIG,
                           "option 'interrupt-busy': 'force' does not go with "
                           "handle-signals = false: it is Julia that handles the signal");
      return NULL;
    }
  if (malt_inprocess_runtime_is_current_thread ())
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                           "the Julia thread cannot wait for itself: workers are "
                           "launched in other threads");
      return NULL;
    }
  if (!malt_inprocess_start_require (&settings, cancellable, error))
    return NULL;
  evaluator = g_new0 (MaltInProcessEvaluator, 1);
  g_atomic_ref_count_init (&evaluator->ref_count);
  g_mutex_init (&evaluator->lock);
  malt_stops_init (&evaluator->stops);
  g_cond_init (&evaluator->changed);
  evaluator->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  evaluator->output = get_output (worker);
  evaluator->forces_interrupts = forces_interrupts;
  evaluator->link =
      malt_link_new (worker, forces_interrupts ? &forcing_link_funcs : &link_funcs,
                     malt_inprocess_evaluator_ref (evaluator),
                     (GDestroyNotify) malt_inprocess_evaluator_unref, G_MAXUINT64, NULL);
  return evaluator;
}

gboolean
malt_inprocess_evaluator_forces_interrupts (MaltInProcessEvaluator *evaluator)
{
  return evaluator->forces_interrupts;
}

MaltLink *
malt_inprocess_evaluator_get_link (MaltInProcessEvaluator *evaluator)
{
  return evaluator->link;
}

gboolean
malt_inprocess_evaluator_is_running (MaltInProcessEvaluator *evaluator)
{
  return g_atomic_int_get (&evaluator->is_running);
}
