/* SPDX-License-Identifier: MIT */
/* Calls of the fake evaluator: made from what core asks for, interrupted, finished. */
#include "fake-evaluator.h"

#include <string.h>

/* Source text is a name and, after a space, an argument: a number if it reads like one,
 * else text. */
static void
read_source (FakeCall *call, const char *source)
{
  const char *space = strchr (source, ' ');
  gint64 number;

  call->name = space ? g_strndup (source, (gsize) (space - source)) : g_strdup (source);
  if (space == NULL)
    return;
  if (g_ascii_string_to_signed (space + 1, 10, G_MININT64, G_MAXINT64, &number, NULL))
    call->argument = malt_value_new_int64 (number);
  else
    call->argument = malt_value_new_string (space + 1);
}

/* Makes a call of what core asks for. Runs in the caller's thread. */
FakeCall *
fake_call_new (FakeEvaluator *evaluator, MaltCall *call, guint32 id)
{
  FakeCall *self = g_new0 (FakeCall, 1);

  fake_count_live (1);
  self->evaluator = evaluator;
  self->id = id;
  self->mode = malt_call_get_result_mode (call);
  switch (malt_call_get_kind (call))
    {
    case MALT_CALL_FUNCTION:
      self->name = g_strdup (malt_call_get_function (call));
      if (malt_call_get_n_arguments (call) > 0)
        self->argument = malt_value_ref (malt_call_get_argument (call, 0));
      break;
    case MALT_CALL_EVAL:
      read_source (self, malt_call_get_source (call));
      break;
    case MALT_CALL_EVAL_VALUE:
    case MALT_CALL_PROGRAM:
    default:
      self->name = g_strdup ("echo");
      self->argument = malt_value_ref (malt_call_get_code (call));
      break;
    }
  return self;
}

void
fake_call_free (FakeCall *call)
{
  if (call->timer != NULL)
    {
      g_source_destroy (call->timer);
      g_source_unref (call->timer);
    }
  g_clear_pointer (&call->argument, malt_value_unref);
  g_free (call->name);
  g_free (call);
  fake_count_live (-1);
}

static MaltValue *
apply_mode (MaltResultMode mode, MaltValue *value)
{
  g_autoptr (MaltValue) owned = value;
  g_autofree char *text = NULL;

  if (mode == MALT_RESULT_DISCARD || malt_value_get_kind (value) == MALT_VALUE_NOTHING)
    return malt_value_new_nothing ();
  if (mode != MALT_RESULT_DISPLAY)
    return g_steal_pointer (&owned);
  text = malt_value_to_string (value);
  return malt_value_new_string (text);
}

static void
answer (FakeCall *call, MaltValue *value, GError *error)
{
  if (value != NULL)
    value = apply_mode (call->mode, value);
  fake_evaluator_answer (call->evaluator, call->id, value, error);
}

/* Answers and frees the call: takes @value (nullable) and @error (nullable). */
void
fake_call_finish (FakeCall *call, MaltValue *value, GError *error)
{
  FakeEvaluator *evaluator = call->evaluator;

  if (call->id != 0)
    answer (call, value, error);
  else
    {
      g_clear_pointer (&value, malt_value_unref);
      g_clear_error (&error);
    }
  g_ptr_array_remove (evaluator->calls, call);
}

/* Throws InterruptException into the call with that number. */
MaltInterruptResult
fake_call_interrupt (FakeEvaluator *evaluator, guint32 id)
{
  for (guint i = 0; i < evaluator->calls->len; i++)
    {
      FakeCall *call = g_ptr_array_index (evaluator->calls, i);

      if (call->id != id)
        continue;
      if (call->is_stubborn)
        return MALT_INTERRUPT_UNDELIVERABLE;
      fake_call_finish (call, NULL,
                        fake_evaluator_exception (evaluator, "InterruptException",
                                                  "InterruptException:"));
      return MALT_INTERRUPT_DELIVERED;
    }
  return MALT_INTERRUPT_GONE;
}
