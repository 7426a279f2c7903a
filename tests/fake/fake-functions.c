/* SPDX-License-Identifier: MIT */
/* What the fake evaluator can evaluate: the table of its functions. All of it runs in the
 * evaluator's thread. */
#include "fake-evaluator.h"

#include <string.h>

#define UNKNOWN_CALL_ID G_MAXUINT32

typedef struct
{
  const char *name;
  void (*run) (FakeCall *call);
} FakeFunction;

static gint64
argument_int (FakeCall *call)
{
  gint64 number = 0;

  if (call->argument == NULL || !malt_value_as_int64 (call->argument, &number, NULL))
    return 0;
  return number;
}

static const char *
argument_text (FakeCall *call)
{
  const char *text = call->argument ? malt_value_as_string (call->argument, NULL) : NULL;

  return text ? text : "";
}

static void
finish_with_argument (FakeCall *call)
{
  fake_call_finish (
      call, call->argument ? malt_value_ref (call->argument) : malt_value_new_nothing (),
      NULL);
}

static void
finish_with_exception (FakeCall *call, const char *type, const char *message)
{
  fake_call_finish (call, NULL,
                    fake_evaluator_exception (call->evaluator, type, message));
}

static void
run_throw (FakeCall *call)
{
  finish_with_exception (call, "ErrorException", argument_text (call));
}

/* A value that nobody asks for need not be encoded. */
static void
run_unencodable (FakeCall *call)
{
  if (call->mode == MALT_RESULT_DISCARD)
    fake_call_finish (call, malt_value_new_nothing (), NULL);
  else
    fake_call_finish (
        call, NULL, g_error_new (MALT_ERROR, MALT_ERROR_ENCODE, "value has no encoding"));
}

static void
run_never (G_GNUC_UNUSED FakeCall *call)
{
}

static gboolean
on_slept (gpointer user_data)
{
  finish_with_argument (user_data);
  return G_SOURCE_REMOVE;
}

static void
run_sleep_ms (FakeCall *call)
{
  call->timer = g_timeout_source_new ((guint) argument_int (call));
  g_source_set_callback (call->timer, on_slept, call, NULL);
  g_source_attach (call->timer, call->evaluator->context);
}

static void
run_stubborn_ms (FakeCall *call)
{
  call->is_stubborn = TRUE;
  run_sleep_ms (call);
}

static gboolean
on_record_time (gpointer user_data)
{
  FakeCall *call = user_data;
  gint64 mark = argument_int (call);

  g_array_append_val (call->evaluator->record, mark);
  finish_with_argument (call);
  return G_SOURCE_REMOVE;
}

static void
run_record (FakeCall *call)
{
  on_record_time (call);
}

/* Records its argument when as many milliseconds have passed. */
static void
run_record_later (FakeCall *call)
{
  call->timer = g_timeout_source_new ((guint) argument_int (call));
  g_source_set_callback (call->timer, on_record_time, call, NULL);
  g_source_attach (call->timer, call->evaluator->context);
}

static void
run_recorded (FakeCall *call)
{
  GArray *record = call->evaluator->record;
  gsize n_marks = record->len;

  fake_call_finish (call,
                    malt_value_new_array (MALT_VALUE_INT64, &n_marks, 1, record->data,
                                          n_marks * sizeof (gint64)),
                    NULL);
}

static void
run_forget_record (FakeCall *call)
{
  g_array_set_size (call->evaluator->record, 0);
  finish_with_argument (call);
}

static void
run_print (FakeCall *call)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&call->evaluator->worker);
  const char *text = argument_text (call);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  if (worker != NULL &&
      (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_OUTPUT) != 0 &&
      g_strcmp0 (malt_worker_get_option (worker, "output"), "signal") == 0)
    malt_worker_emit_output (worker, MALT_STREAM_STDOUT, call->id, bytes);
  fake_call_finish (call, malt_value_new_nothing (), NULL);
}

/* Keeps the thread busy for as many milliseconds as its argument says, without one for ever. */
static void
run_spin_ms (FakeCall *call)
{
  FakeEvaluator *evaluator = call->evaluator;
  gint64 n_ms = argument_int (call);
  gint64 until_us = n_ms > 0 ? g_get_monotonic_time () + n_ms * 1000 : G_MAXINT64;
  gboolean is_hit;
  gboolean is_over;

  g_mutex_lock (&evaluator->mutex);
  evaluator->is_spinning = TRUE;
  evaluator->spinning_id = call->id;
  while (!evaluator->is_signalled &&
         g_get_monotonic_time () < MIN (until_us, evaluator->spin_until_us))
    g_cond_wait_until (&evaluator->changed, &evaluator->mutex,
                       MIN (until_us, evaluator->spin_until_us));
  is_hit = evaluator->is_signalled;
  is_over = g_get_monotonic_time () >= until_us;
  evaluator->is_signalled = FALSE;
  evaluator->is_spinning = FALSE;
  g_mutex_unlock (&evaluator->mutex);

  if (is_hit)
    finish_with_exception (call, "InterruptException", "InterruptException:");
  else if (is_over)
    finish_with_argument (call);
}

static void
run_exit (FakeCall *call)
{
  fake_evaluator_end (call->evaluator, MALT_TERMINATION_EXITED, (int) argument_int (call),
                      0);
}

/* Dies of the signal that its argument names. */
static void
run_die (FakeCall *call)
{
  fake_evaluator_end (call->evaluator, MALT_TERMINATION_SIGNALLED,
                      (int) argument_int (call), 0);
}

static void
run_answer_twice (FakeCall *call)
{
  FakeEvaluator *evaluator = call->evaluator;
  guint32 id = call->id;

  finish_with_argument (call);
  fake_evaluator_answer (evaluator, id, malt_value_new_string ("again"), NULL);
}

static void
run_answer_unknown (FakeCall *call)
{
  fake_evaluator_answer (call->evaluator, UNKNOWN_CALL_ID, malt_value_new_nothing (),
                         NULL);
  finish_with_argument (call);
}

/* Reports its end to core while the evaluator goes on, and answers after it. */
static void
run_exit_too_early (FakeCall *call)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&call->evaluator->worker);
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_LOST, 0, NULL, NULL);

  if (worker != NULL)
    malt_worker_exited (worker, termination);
  finish_with_argument (call);
}

static const FakeFunction functions[] = {
  { "echo", finish_with_argument },
  { "throw", run_throw },
  { "unencodable", run_unencodable },
  { "never", run_never },
  { "sleep_ms", run_sleep_ms },
  { "stubborn_ms", run_stubborn_ms },
  { "spin_ms", run_spin_ms },
  { "record", run_record },
  { "record_later", run_record_later },
  { "recorded", run_recorded },
  { "forget_record", run_forget_record },
  { "print", run_print },
  { "exit", run_exit },
  { "die", run_die },
  { "answer_twice", run_answer_twice },
  { "answer_unknown", run_answer_unknown },
  { "exit_too_early", run_exit_too_early },
};

/* Runs the call, which frees itself when it is finished. */
void
fake_call_run (FakeCall *call)
{
  g_ptr_array_add (call->evaluator->calls, call);
  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      if (g_strcmp0 (functions[i].name, call->name) == 0)
        {
          functions[i].run (call);
          return;
        }
    }
  finish_with_exception (call, "UndefVarError", call->name);
}
