/* SPDX-License-Identifier: MIT */
/* The evaluator of the fake backends: its thread, its messages and its end.
 * fake-evaluator.h describes the states. */
#include "fake-evaluator.h"

typedef struct
{
  FakeEvaluator *
      evaluator; /* (unowned): a message does not outlive the thread, which holds a reference */
  FakeMessageFunc func;
  gpointer data;
} FakeMessage;

static FakeEvaluator *
fake_evaluator_ref (FakeEvaluator *evaluator)
{
  g_atomic_ref_count_inc (&evaluator->ref_count);
  return evaluator;
}

void
fake_evaluator_unref (FakeEvaluator *evaluator)
{
  if (!g_atomic_ref_count_dec (&evaluator->ref_count))
    return;
  g_weak_ref_clear (&evaluator->worker);
  g_main_context_unref (evaluator->context);
  g_mutex_clear (&evaluator->mutex);
  g_cond_clear (&evaluator->changed);
  g_ptr_array_unref (evaluator->stop_tasks);
  g_ptr_array_unref (evaluator->calls);
  g_ptr_array_unref (evaluator->channels);
  g_array_unref (evaluator->record);
  g_free (evaluator);
  fake_count_live (-1);
}

static gboolean
is_ending (FakeEvaluator *evaluator)
{
  gboolean answer;

  g_mutex_lock (&evaluator->mutex);
  answer = evaluator->is_ending;
  g_mutex_unlock (&evaluator->mutex);
  return answer;
}

gboolean
fake_evaluator_is_running (FakeEvaluator *evaluator)
{
  gboolean is_ended;

  g_mutex_lock (&evaluator->mutex);
  is_ended = evaluator->is_ended;
  g_mutex_unlock (&evaluator->mutex);
  return !is_ended;
}

static gboolean
on_message (gpointer user_data)
{
  FakeMessage *message = user_data;

  message->func (message->evaluator, message->data,
                 !fake_evaluator_is_running (message->evaluator));
  return G_SOURCE_REMOVE;
}

/* Has @func run in the evaluator's thread. FALSE, and @data untouched, if the evaluator
 * has ended. */
gboolean
fake_evaluator_post (FakeEvaluator *evaluator, FakeMessageFunc func, gpointer data)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  FakeMessage *message = g_new (FakeMessage, 1);
  gboolean is_accepted;

  *message = (FakeMessage){ .evaluator = evaluator, .func = func, .data = data };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_message, message, g_free);

  g_mutex_lock (&evaluator->mutex);
  is_accepted = !evaluator->is_ended;
  if (is_accepted)
    g_source_attach (source, evaluator->context);
  g_mutex_unlock (&evaluator->mutex);
  return is_accepted;
}

static void
end_locked (FakeEvaluator *evaluator, MaltTerminationReason reason, int status,
            gint64 spin_until_us)
{
  if (!evaluator->is_ending)
    {
      evaluator->reason = reason;
      evaluator->status = status;
    }
  evaluator->is_ending = TRUE;
  evaluator->spin_until_us = MIN (evaluator->spin_until_us, spin_until_us);
  g_cond_broadcast (&evaluator->changed);
  g_main_context_wakeup (evaluator->context);
}

/* Ends the evaluator: at once if it is idle or waits, at @spin_until_us if it spins. The
 * first reason given stands. */
void
fake_evaluator_end (FakeEvaluator *evaluator, MaltTerminationReason reason, int status,
                    gint64 spin_until_us)
{
  g_mutex_lock (&evaluator->mutex);
  end_locked (evaluator, reason, status, spin_until_us);
  g_mutex_unlock (&evaluator->mutex);
}

/* Ends the evaluator because the host asked for it, and returns from @task (transfer
 * full) when it has ended. */
void
fake_evaluator_end_then (FakeEvaluator *evaluator, gint64 spin_until_us, GTask *task)
{
  g_mutex_lock (&evaluator->mutex);
  if (!evaluator->is_ended)
    {
      end_locked (evaluator, MALT_TERMINATION_STOPPED, 0, spin_until_us);
      g_ptr_array_add (evaluator->stop_tasks, g_steal_pointer (&task));
    }
  g_mutex_unlock (&evaluator->mutex);

  if (task != NULL)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
}

/* Interrupts whatever spins, if it is the call meant or @is_forced. FALSE if nothing
 * spins: a message then reaches the call. */
gboolean
fake_evaluator_signal (FakeEvaluator *evaluator, guint32 call_id, gboolean is_forced,
                       MaltInterruptResult *out_result)
{
  gboolean is_spinning;
  gboolean is_hit;

  g_mutex_lock (&evaluator->mutex);
  is_spinning = evaluator->is_spinning;
  is_hit = is_spinning && (evaluator->spinning_id == call_id || is_forced);
  if (is_hit)
    {
      evaluator->is_signalled = TRUE;
      g_cond_broadcast (&evaluator->changed);
    }
  g_mutex_unlock (&evaluator->mutex);

  if (is_spinning)
    *out_result = is_hit ? MALT_INTERRUPT_DELIVERED : MALT_INTERRUPT_UNDELIVERABLE;
  return is_spinning;
}

/* Answers a call: takes @value (nullable) and @error (nullable). */
void
fake_evaluator_answer (FakeEvaluator *evaluator, guint32 call_id, MaltValue *value,
                       GError *error)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&evaluator->worker);

  if (worker == NULL)
    {
      g_clear_pointer (&value, malt_value_unref);
      g_clear_error (&error);
    }
  else if (!malt_worker_complete_call (worker, call_id, value, error))
    fake_count_refused_answer ();
}

/* An exception as Julia would report it. */
GError *
fake_evaluator_exception (FakeEvaluator *evaluator, const char *type, const char *message)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&evaluator->worker);
  g_autofree char *summary = worker ? malt_worker_dup_summary (worker) : NULL;

  return malt_error_new_remote_exception (type, message,
                                          "Stacktrace:\n [1] top-level scope", summary);
}

static void
report_end (FakeEvaluator *evaluator)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&evaluator->worker);
  g_autoptr (MaltTermination) termination =
      malt_termination_new (evaluator->reason, evaluator->status, NULL, NULL);

  if (worker != NULL)
    malt_worker_exited (worker, termination);
  for (guint i = 0; i < evaluator->stop_tasks->len; i++)
    g_task_return_boolean (g_ptr_array_index (evaluator->stop_tasks, i), TRUE);
  g_ptr_array_set_size (evaluator->stop_tasks, 0);
}

static gpointer
evaluator_thread (gpointer user_data)
{
  FakeEvaluator *evaluator = user_data;

  g_main_context_push_thread_default (evaluator->context);
  while (!is_ending (evaluator))
    g_main_context_iteration (evaluator->context, TRUE);

  g_ptr_array_set_size (evaluator->calls, 0);
  g_mutex_lock (&evaluator->mutex);
  evaluator->is_ended = TRUE;
  g_mutex_unlock (&evaluator->mutex);
  while (g_main_context_iteration (evaluator->context, FALSE))
    continue;
  g_ptr_array_set_size (evaluator->channels, 0);

  report_end (evaluator);
  g_main_context_pop_thread_default (evaluator->context);
  fake_evaluator_unref (evaluator);
  return NULL;
}

/* Starts an evaluator for @worker, of which it keeps only a weak reference. */
FakeEvaluator *
fake_evaluator_new (MaltWorker *worker)
{
  FakeEvaluator *evaluator = g_new0 (FakeEvaluator, 1);

  g_atomic_ref_count_init (&evaluator->ref_count);
  g_weak_ref_init (&evaluator->worker, worker);
  evaluator->context = g_main_context_new ();
  g_mutex_init (&evaluator->mutex);
  g_cond_init (&evaluator->changed);
  evaluator->spin_until_us = G_MAXINT64;
  evaluator->stop_tasks = g_ptr_array_new_with_free_func (g_object_unref);
  evaluator->calls = g_ptr_array_new_with_free_func ((GDestroyNotify) fake_call_free);
  evaluator->channels =
      g_ptr_array_new_with_free_func ((GDestroyNotify) fake_channel_free);
  evaluator->record = g_array_new (FALSE, FALSE, sizeof (gint64));
  fake_count_live (1);

  g_thread_unref (
      g_thread_new ("fake-evaluator", evaluator_thread, fake_evaluator_ref (evaluator)));
  return evaluator;
}
