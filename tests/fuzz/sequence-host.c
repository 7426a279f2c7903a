/* SPDX-License-Identifier: MIT */
/* The host of a session: it uses the worker in every way, and looks at what becomes of it. */
#include "sequence.h"

#include "malt-vectors.h"

#include <string.h>

enum
{
  MAX_LARGE_BYTES = 3 * 1000 * 1000, /* more than a socket holds */
  LENT_BYTES = 5000, /* in memory, so large an array is lent */
  DEADLINE_MS = 5,
  MAX_SINKS = 8,
  MAX_THREADS = 8,
  NESTING = 200
};

/* Calls. The number of a call is its source, or its last argument. */

static void
add_ask (Sequence *sequence, MaltCall *call, gint64 number)
{
  SequenceAsk *ask = g_new0 (SequenceAsk, 1);

  ask->may_fail = sequence_pick (sequence, 8) == 0;
  if (ask->may_fail)
    malt_call_set_timeout_ms (call, DEADLINE_MS);
  ask->future = malt_worker_remote_call (sequence->peer->worker, call);
  ask->number = number;
  g_ptr_array_add (sequence->asks, ask);
}

static void
set_mode (Sequence *sequence, MaltCall *call)
{
  static const MaltResultMode modes[] = { MALT_RESULT_VALUE, MALT_RESULT_VALUE,
                                          MALT_RESULT_DISCARD, MALT_RESULT_DISPLAY,
                                          MALT_RESULT_HANDLE };
  MaltResultMode mode = modes[sequence_pick (sequence, G_N_ELEMENTS (modes))];

  malt_call_set_result_mode (call, mode);
  if (mode == MALT_RESULT_DISPLAY)
    malt_call_set_display_size (call, 1 + sequence_pick (sequence, 50), 80);
  if (sequence_pick (sequence, 4) == 0)
    malt_call_set_module (call, "Base");
}

static MaltCall *
evaluation_new (Sequence *sequence, gint64 number)
{
  g_autofree char *source = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  return malt_call_new_eval (sequence_pick (sequence, 2) == 0 ? "Main" : NULL, source);
}

static void
evaluate (Sequence *sequence)
{
  gint64 number = ++sequence->last_number;
  g_autoptr (MaltCall) call = evaluation_new (sequence, number);

  set_mode (sequence, call);
  add_ask (sequence, call, number);
}

static void
evaluate_code (Sequence *sequence)
{
  g_autoptr (MaltValue) code = malt_vectors_decode (
      g_ptr_array_index (sequence->bodies,
                         sequence_pick (sequence, sequence->bodies->len)),
      NULL);
  g_autoptr (MaltCall) call = NULL;

  if (code == NULL || malt_value_get_kind (code) == MALT_VALUE_STRING)
    return;
  call = malt_call_new_eval_value (NULL, code);
  add_ask (sequence, call, -1);
}

/* Every byte of it is the low byte of the number. */
static MaltValue *
array_new (gint64 number, gsize n_bytes)
{
  g_autofree guint8 *bytes = g_malloc (n_bytes + 1);

  memset (bytes, (guint8) number, n_bytes);
  return malt_value_new_array (MALT_VALUE_UINT8, &n_bytes, 1, bytes, n_bytes);
}

static void
call_function (Sequence *sequence)
{
  static const gsize sizes[] = { 0, 10, LENT_BYTES, 40000, MAX_LARGE_BYTES };
  gsize n_bytes = sizes[sequence_pick (
      sequence, sequence_pick (sequence, 8) == 0 ? G_N_ELEMENTS (sizes) : 4)];
  gint64 number = ++sequence->last_number;
  g_autoptr (MaltCall) call = NULL;

  if (sequence->values->len > 0 && sequence_pick (sequence, 2) == 0)
    call = malt_call_new_for_handle (g_ptr_array_index (
        sequence->values, sequence_pick (sequence, sequence->values->len)));
  else
    call = malt_call_new ("f");
  if (n_bytes > 0)
    malt_call_take_argument (call, array_new (number, n_bytes));
  malt_call_take_argument (call, malt_value_new_int64 (number));
  if (sequence_pick (sequence, 3) == 0)
    {
      g_autoptr (MaltValue) value = malt_value_new_bool (TRUE);
      malt_call_add_keyword (call, "flag", value);
    }
  set_mode (sequence, call);
  add_ask (sequence, call, number);
}

/* Nested deeper than a frame may be. */
static void
call_what_cannot_be_encoded (Sequence *sequence)
{
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltValue) value = malt_value_new_nothing ();

  for (guint i = 0; i < NESTING; i++)
    {
      MaltValue *outer = malt_value_new_tuple (&value, 1);
      malt_value_unref (value);
      value = outer;
    }
  malt_call_add_argument (call, value);
  if (sequence_pick (sequence, 2) == 0)
    malt_worker_remote_do (sequence->peer->worker, call, NULL);
  else
    add_ask (sequence, call, -1);
}

static void
do_silently (Sequence *sequence)
{
  g_autoptr (MaltCall) call = evaluation_new (sequence, ++sequence->last_number);

  malt_worker_remote_do (sequence->peer->worker, call, NULL);
}

static SequenceAsk *
pick_ask (Sequence *sequence)
{
  if (sequence->asks->len == 0)
    return NULL;
  return g_ptr_array_index (sequence->asks,
                            sequence_pick (sequence, sequence->asks->len));
}

static void
cancel (Sequence *sequence)
{
  SequenceAsk *ask = pick_ask (sequence);

  if (ask == NULL)
    return;
  ask->may_fail = TRUE;
  malt_future_cancel (ask->future);
}

/* Interrupts */

typedef struct
{
  Sequence *sequence; /* (unowned) */
  guint32 id;
} Interrupted;

static void
on_interrupted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Interrupted *interrupted = user_data;
  Sequence *sequence = interrupted->sequence;
  MaltInterruptResult outcome =
      malt_future_interrupt_finish (MALT_FUTURE (source), result, NULL);

  sequence->n_callbacks--;
  if (sequence->is_calm && outcome == MALT_INTERRUPT_DELIVERED &&
      !g_hash_table_contains (sequence->hit, GUINT_TO_POINTER (interrupted->id)))
    sequence_find (sequence, "an interrupt of call %u was delivered that hit nothing",
                   interrupted->id);
}

static void
interrupt (Sequence *sequence)
{
  SequenceAsk *ask = pick_ask (sequence);
  Interrupted *interrupted;

  if (ask == NULL)
    return;
  ask->may_fail = TRUE;
  interrupted = g_new (Interrupted, 1);
  interrupted->sequence = sequence;
  interrupted->id = malt_future_get_id (ask->future);
  sequence->n_callbacks++;
  malt_future_interrupt_async (ask->future,
                               sequence_pick (sequence, 3) == 0 ? MALT_INTERRUPT_FORCE
                                                                : MALT_INTERRUPT_DEFAULT,
                               NULL, on_interrupted, interrupted);
}

static void
report_signal (Sequence *sequence)
{
  malt_link_signal_sent (sequence->peer->link, sequence_pick (sequence, 2) == 0);
}

/* Channels */

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sequence *sequence = user_data;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel_finish (MALT_WORKER (source), result, NULL);
  SequenceSink *sink;

  sequence->n_callbacks--;
  if (channel == NULL || sequence->sinks->len >= MAX_SINKS)
    return;
  sink = g_new0 (SequenceSink, 1);
  sink->channel = g_steal_pointer (&channel);
  g_ptr_array_add (sequence->sinks, sink);
}

static void
open_channel (Sequence *sequence)
{
  sequence->n_callbacks++;
  malt_worker_channel_async (sequence->peer->worker, NULL, "Channel(1)",
                             sequence->cancellable, on_opened, sequence);
}

static SequenceSink *
pick_sink (Sequence *sequence)
{
  if (sequence->sinks->len == 0)
    return NULL;
  return g_ptr_array_index (sequence->sinks,
                            sequence_pick (sequence, sequence->sinks->len));
}

static SequenceSink *
find_sink (Sequence *sequence, gpointer channel)
{
  for (guint i = 0; i < sequence->sinks->len; i++)
    {
      SequenceSink *sink = g_ptr_array_index (sequence->sinks, i);
      if (sink->channel == channel)
        return sink;
    }
  return NULL;
}

/* Numbers come in order, without a gap. */
static void
on_taken (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sequence *sequence = user_data;
  g_autoptr (MaltValue) value =
      malt_channel_take_finish (MALT_CHANNEL (source), result, NULL);
  SequenceSink *sink = find_sink (sequence, source);

  sequence->n_callbacks--;
  if (value == NULL || sink == NULL || !sequence->is_calm)
    return;
  if (malt_value_get_int64 (value) != sink->n_taken++)
    sequence_find (sequence,
                   "item %" G_GINT64_FORMAT
                   " of a channel came as number %" G_GINT64_FORMAT,
                   malt_value_get_int64 (value), sink->n_taken - 1);
}

static void
on_put (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Sequence *) user_data)->n_callbacks--;
  malt_channel_put_finish (MALT_CHANNEL (source), result, NULL);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Sequence *) user_data)->n_callbacks--;
  malt_channel_wait_finish (MALT_CHANNEL (source), result, NULL);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Sequence *) user_data)->n_callbacks--;
  malt_channel_close_finish (MALT_CHANNEL (source), result, NULL);
}

static void
use_channel (Sequence *sequence)
{
  SequenceSink *sink = pick_sink (sequence);
  g_autoptr (MaltValue) item = malt_value_new_int64 (++sequence->last_number);
  guint choice = sequence_pick (sequence, 12);

  if (sink == NULL)
    {
      open_channel (sequence);
      return;
    }
  sequence->n_callbacks++;
  if (choice == 0)
    malt_channel_close_async (sink->channel, NULL, on_closed, sequence);
  else if (choice < 3)
    malt_channel_wait_async (sink->channel, sequence->cancellable, on_waited, sequence);
  else if (choice < 5)
    malt_channel_put_async (sink->channel, item, NULL, on_put, sequence);
  else
    malt_channel_take_async (sink->channel, sequence->cancellable, on_taken, sequence);
}

static void
drop_channel (Sequence *sequence)
{
  if (sequence->sinks->len > 0)
    g_ptr_array_remove_index_fast (sequence->sinks,
                                   sequence_pick (sequence, sequence->sinks->len));
}

/* Handles */

static void
drop_value (Sequence *sequence)
{
  if (sequence->values->len > 0)
    g_ptr_array_remove_index_fast (sequence->values,
                                   sequence_pick (sequence, sequence->values->len));
}

/* Host functions */

static MaltValue *
seven (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments, gsize n_arguments,
       G_GNUC_UNUSED gpointer user_data, GError **error)
{
  gint64 number;

  if (n_arguments != 1 || !malt_value_as_int64 (arguments[0], &number, error))
    {
      if (error != NULL && *error == NULL)
        g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FAILED, "no number");
      return NULL;
    }
  return malt_value_new_int64 (number > G_MAXINT32 || number < 0 ? 0 : number * 7);
}

static MaltValue *
fail (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
      G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data, GError **error)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FAILED, "it fails");
  return NULL;
}

static double
sum (const double *numbers, gint64 n)
{
  double total = 0;

  for (gint64 i = 0; i < n; i++)
    total += numbers[i];
  return total;
}

/* Threads that block */

typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltChannel *channel; /* (owned) (nullable) */
  guint choice;
} Blocked;

enum
{
  N_BLOCKING = 7
};

static gpointer
block (gpointer data)
{
  g_autofree Blocked *blocked = data;
  g_autoptr (MaltWorker) worker = blocked->worker;
  g_autoptr (MaltChannel) channel = blocked->channel;
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "0");
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (MaltFuture) future = NULL;

  switch (blocked->choice)
    {
    case 0:
      malt_worker_export_func (worker, "seven", seven, NULL, NULL, MALT_EXPORT_DEFAULT,
                               NULL);
      break;
    case 1:
      malt_worker_export_func (worker, "fail", fail, NULL, NULL, MALT_EXPORT_DEFAULT,
                               NULL);
      break;
    case 2:
      malt_worker_export (worker, "sum", "f64(f64*,i64)", MALT_EXPORT_DEFAULT,
                          G_CALLBACK (sum), NULL, NULL, NULL);
      break;
    case 3:
      future = malt_worker_remote_call (worker, call);
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
      value = malt_future_fetch (future, NULL, NULL);
      break;
    case 4:
      malt_call_set_timeout_ms (call, DEADLINE_MS);
      value = malt_worker_remote_call_fetch (worker, call, NULL, NULL);
      break;
    case 5:
      if (channel != NULL)
        malt_channel_is_ready (channel, NULL, NULL);
      break;
    default:
      value = malt_worker_remote_call_fetch (worker, call, NULL, NULL);
      break;
    }
  return NULL;
}

/* Where each step is waited for they only export, and nobody waits for them. */
static void
start_blocking (Sequence *sequence)
{
  SequenceSink *sink = pick_sink (sequence);
  Blocked *blocked;

  if (sequence->threads->len >= MAX_THREADS)
    return;
  blocked = g_new0 (Blocked, 1);
  blocked->worker = g_object_ref (sequence->peer->worker);
  blocked->channel = sink != NULL ? g_object_ref (sink->channel) : NULL;
  blocked->choice = sequence_pick (sequence, sequence->is_stepped ? 3 : N_BLOCKING);
  g_ptr_array_add (sequence->threads, g_thread_new ("host", block, blocked));
}

static void
unexport (Sequence *sequence)
{
  malt_worker_unexport (sequence->peer->worker, "fail");
}

/* What only a runtime in this process is asked: core knows nothing of these calls. */

enum
{
  FIRST_FOREIGN_ID = 0x40000000
};

static void
ask_in_process (Sequence *sequence)
{
  g_autoptr (GBytes) owner = g_bytes_new_static ("", 1);
  MaltDirectFunction function = { .code = owner, .signature = "i64()", .owner = owner };
  guint32 id = FIRST_FOREIGN_ID + (guint32) ++sequence->last_number;

  if (!sequence->is_memory)
    return;
  if (sequence_pick (sequence, 2) == 0)
    malt_link_native (sequence->peer->link, NULL, "f", "i64()", id);
  else
    malt_link_export_direct (sequence->peer->link, "f", &function, id);
}

/* Steps */

typedef struct
{
  guint weight;
  void (*run) (Sequence *sequence);
} Step;

static const Step steps[] = {
  { 10, evaluate },      { 10, call_function }, { 2, evaluate_code },
  { 2, do_silently },    { 2, cancel },         { 4, interrupt },
  { 2, open_channel },   { 10, use_channel },   { 1, drop_channel },
  { 3, drop_value },     { 4, start_blocking }, { 1, unexport },
  { 1, ask_in_process }, { 1, report_signal },  { 1, call_what_cannot_be_encoded },
};

void
sequence_host_step (Sequence *sequence)
{
  guint n = 0;
  guint i = 0;

  for (gsize k = 0; k < G_N_ELEMENTS (steps); k++)
    n += steps[k].weight;
  n = sequence_pick (sequence, n);
  while (n >= steps[i].weight)
    n -= steps[i++].weight;
  steps[i].run (sequence);
}

/* What becomes of it */

/* A calm worker has answered the number, in the way that was asked for. */
static gboolean
is_right (SequenceAsk *ask, MaltValue *value, const GError *error)
{
  g_autofree char *text = NULL;

  if (error != NULL)
    return ask->may_fail;
  switch (malt_call_get_result_mode (malt_future_get_call (ask->future)))
    {
    case MALT_RESULT_VALUE:
      return malt_value_get_kind (value) == MALT_VALUE_INT64 &&
             malt_value_get_int64 (value) == ask->number;
    case MALT_RESULT_DISPLAY:
      text = g_strdup_printf ("%" G_GINT64_FORMAT, ask->number);
      return malt_value_get_kind (value) == MALT_VALUE_STRING &&
             strcmp (malt_value_get_string (value, NULL), text) == 0;
    case MALT_RESULT_HANDLE:
      return malt_value_get_kind (value) == MALT_VALUE_HANDLE;
    case MALT_RESULT_DISCARD:
    default:
      return malt_value_get_kind (value) == MALT_VALUE_NOTHING;
    }
}

static void
look_at (Sequence *sequence, SequenceAsk *ask)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_future_fetch (ask->future, NULL, &error);
  gboolean is_answered =
      ask->number > 0 &&
      g_hash_table_contains (sequence->answered, GSIZE_TO_POINTER ((gsize) ask->number));

  if ((value == NULL) == (error == NULL))
    sequence_find (sequence, "a call has neither a value nor an error, or both");
  else if (sequence->is_calm && is_answered && !is_right (ask, value, error))
    sequence_find (sequence, "call %u got %s", malt_future_get_id (ask->future),
                   error != NULL ? error->message : "another value");
  if (value == NULL)
    return;
  if (malt_value_get_kind (value) == MALT_VALUE_HANDLE)
    g_ptr_array_add (sequence->values, g_steal_pointer (&value));
}

void
sequence_host_check (Sequence *sequence)
{
  for (guint i = 0; i < sequence->asks->len; i++)
    {
      SequenceAsk *ask = g_ptr_array_index (sequence->asks, i);

      if (!malt_future_is_done (ask->future))
        continue;
      look_at (sequence, ask);
      g_ptr_array_remove_index_fast (sequence->asks, i--);
    }
}

static gboolean
is_over (Sequence *sequence)
{
  sequence_host_check (sequence);
  return sequence->asks->len == 0 && sequence->n_callbacks == 0;
}

void
sequence_host_end (Sequence *sequence)
{
  gint64 deadline_us = sequence_deadline ();

  for (;;)
    {
      sequence_iterate ();
      if (is_over (sequence))
        break;
      if (g_get_monotonic_time () > deadline_us)
        {
          sequence_find (sequence, "%u calls and %u other operations have no end",
                         sequence->asks->len, sequence->n_callbacks);
          return;
        }
      sequence_settle ();
    }
  for (guint i = 0; i < sequence->threads->len; i++)
    g_thread_join (g_ptr_array_index (sequence->threads, i));
  g_ptr_array_set_size (sequence->threads, 0);
}
