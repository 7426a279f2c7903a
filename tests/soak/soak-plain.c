/* SPDX-License-Identifier: MIT */
/* Calls of all sizes and kinds, on workers that are shared: values, errors, channels,
 * handles, host functions, floods of output. */
#include "soak.h"

#include <math.h>
#include <string.h>

enum
{
  MAX_MANY = 64,
  MAX_ITEMS = 200,
  MAX_FLOOD = 1000000,
  N_TERMS = 12
};

/* Small calls */

static void
run_eval (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);

  if (worker != NULL)
    soak_land_int (
        soak_fly_source (thread, worker, id, "%" G_GINT64_FORMAT " * 3 + 1", id),
        SOAK_MAY_ONLY_ANSWER, id * 3 + 1);
}

/* Also sees whether the worker runs a call twice. */
static void
run_once (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);

  if (worker != NULL)
    soak_land_int (soak_fly_function (thread, worker, id, "soak_once", 0),
                   SOAK_MAY_ONLY_ANSWER, id * 3 + 1);
}

static void
run_error (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autofree char *expected = g_strdup_printf ("E%" G_GINT64_FORMAT, id);
  SoakFlight *flight;
  SoakLanding landing;

  if (worker == NULL)
    return;
  flight = soak_fly_source (thread, worker, id, "error(\"%s\")", expected);
  landing = soak_land (flight, SOAK_MAY_THROW);
  if (landing == SOAK_LANDED_VALUE ||
      (landing == SOAK_LANDED_THROWN &&
       g_strcmp0 (malt_error_get_exception_message (flight->error), expected) != 0))
    soak_fault (SOAK_WRONG, "error %s: %s", expected,
                flight->error ? flight->error->message : "a value");
}

static void
run_many (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  int n_flights = (int) soak_random (thread, 2, MAX_MANY);
  SoakFlight *flights[MAX_MANY];

  if (worker == NULL)
    return;
  for (int i = 0; i < n_flights; i++)
    {
      gint64 id = soak_next_id (thread);

      flights[i] = soak_fly_source (
          thread, worker, id, "sleep(%d / 1000); %" G_GINT64_FORMAT " + 1", i % 3, id);
    }
  for (int i = 0; i < n_flights; i++)
    soak_land_int (flights[i], SOAK_MAY_ONLY_ANSWER, flights[i]->id + 1);
}

/* Calls start in the order sent, so the mark that has no answer is there when it is
 * asked for. */
static void
run_do (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autoptr (MaltCall) call = malt_call_new ("soak_mark");
  g_autoptr (GError) error = NULL;

  if (worker == NULL)
    return;
  malt_call_take_argument (call, malt_value_new_int64 (id));
  malt_call_take_argument (call, malt_value_new_int64 (0));
  if (malt_worker_remote_do (worker->worker, call, &error))
    soak_land_int (soak_fly_function (thread, worker, id, "soak_marked", 0),
                   SOAK_MAY_ONLY_ANSWER, id);
  else
    soak_worker_may_have_ended (worker, error, "do");
}

static void
run_compile (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);

  if (worker != NULL)
    soak_land_int (soak_fly_function (thread, worker, id, "soak_compile", N_TERMS),
                   SOAK_MAY_ONLY_ANSWER, id);
}

/* Giving up */

static void
run_cancel (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  SoakFlight *flight;

  if (worker == NULL)
    return;
  flight =
      soak_fly_function (thread, worker, id, "soak_sleep", soak_random (thread, 0, 10));
  soak_wait_us (thread, 10000);
  malt_future_cancel (flight->future);
  soak_land_int (flight, SOAK_MAY_BE_CANCELLED, id);
}

static void
run_timeout (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  MaltCall *call;

  if (worker == NULL)
    return;
  call = malt_call_new ("soak_sleep");
  malt_call_take_argument (call, malt_value_new_int64 (id));
  malt_call_take_argument (call, malt_value_new_int64 (soak_random (thread, 0, 20)));
  malt_call_set_timeout_ms (call, soak_random (thread, 1, 20));
  soak_land_int (soak_fly (thread, worker, id, call), SOAK_MAY_TIME_OUT, id);
}

/* Values */

/* From nothing to megabytes, as many of each order of magnitude. */
static gsize
draw_size (SoakThread *thread, double n_digits)
{
  if (soak_chance (thread, 10))
    return 0;
  return (gsize) pow (10, (double) soak_random (thread, 0, 1000) * n_digits / 1000);
}

/* As soak_byte() in soak.jl. */
static gboolean
has_bytes_of (MaltValue *value, gint64 id, gsize n_bytes)
{
  gsize n_seen = 0;
  const guint8 *seen;

  if (malt_value_get_kind (value) != MALT_VALUE_ARRAY ||
      malt_value_get_element_kind (value) != MALT_VALUE_UINT8)
    return FALSE;
  seen = malt_value_get_array_data (value, &n_seen);
  for (gsize i = 0; i < n_bytes && n_seen == n_bytes; i++)
    if (seen[i] != (guint8) ((id + 7 * (gint64) (i + 1)) % 251))
      return FALSE;
  return n_seen == n_bytes;
}

static void
land_bytes (SoakFlight *flight, gsize n_bytes)
{
  if (soak_land (flight, SOAK_MAY_ONLY_ANSWER) == SOAK_LANDED_VALUE &&
      !has_bytes_of (flight->value, flight->id, n_bytes))
    soak_fault (SOAK_WRONG, "%s %" G_GINT64_FORMAT ": not the %" G_GSIZE_FORMAT " bytes",
                flight->what, flight->id, n_bytes);
}

static void
run_bytes (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  gsize n_bytes = draw_size (thread, 6);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (MaltValue) array = NULL;
  guint8 *filled;
  MaltCall *call;

  if (worker == NULL)
    return;
  filled = g_malloc (n_bytes + 1);
  for (gsize i = 0; i < n_bytes; i++)
    filled[i] = (guint8) ((id + 7 * (gint64) (i + 1)) % 251);
  bytes = g_bytes_new_take (filled, n_bytes);
  array = malt_value_new_array_from_bytes (MALT_VALUE_UINT8, &n_bytes, 1, bytes, NULL);
  call = malt_call_new (soak_chance (thread, 50) ? "identity" : "copy");
  malt_call_add_argument (call, array);
  land_bytes (soak_fly (thread, worker, id, call), n_bytes);
}

static void
run_large (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  gsize n_bytes = (gsize) soak_random (thread, 1000000, 12000000);

  if (worker != NULL)
    land_bytes (soak_fly_function (thread, worker, id, "soak_bytes", (gint64) n_bytes),
                n_bytes);
}

/* One of many kinds, with others inside. */
static MaltValue *
build_value (gint64 id)
{
  g_autofree char *text = g_strdup_printf ("text %" G_GINT64_FORMAT, id);
  const char *const names[] = { "a", "b" };
  g_autoptr (MaltValue) number = malt_value_new_int64 (id);
  g_autoptr (MaltValue) string = malt_value_new_string (text);
  g_autoptr (MaltValue) real = malt_value_new_double ((double) id / 3);
  g_autoptr (MaltValue) pair = malt_value_new_pair (string, real);
  g_autoptr (MaltValue) named =
      malt_value_new_named_tuple (names, (MaltValue *[]){ number, pair }, 2);
  g_autoptr (MaltValue) dict = malt_value_new_dict (NULL, &string, &named, 1);
  gsize n = 3;
  g_autoptr (MaltValue) array = malt_value_new_value_array (
      NULL, &n, 1, (MaltValue *[]){ number, string, dict }, 3);

  return malt_value_new_tuple ((MaltValue *[]){ array, named, real }, 3);
}

static void
run_value (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autoptr (MaltValue) value = build_value (id);
  MaltCall *call;
  SoakFlight *flight;

  if (worker == NULL)
    return;
  call = malt_call_new ("identity");
  malt_call_add_argument (call, value);
  flight = soak_fly (thread, worker, id, call);
  if (soak_land (flight, SOAK_MAY_ONLY_ANSWER) == SOAK_LANDED_VALUE &&
      !malt_value_equal (flight->value, value))
    {
      g_autofree char *seen = malt_value_to_string (flight->value);

      soak_fault (SOAK_WRONG, "value %" G_GINT64_FORMAT ": %.200s", id, seen);
    }
}

static void
run_handle (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autofree char *source = g_strdup_printf ("Ref(%" G_GINT64_FORMAT ")", id);
  MaltCall *call;
  SoakFlight *flight;

  if (worker == NULL)
    return;
  call = malt_call_new_eval (NULL, source);
  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  flight = soak_fly (thread, worker, id, call);
  if (soak_land (flight, SOAK_MAY_ONLY_ANSWER) != SOAK_LANDED_VALUE)
    return;
  call = malt_call_new ("getindex");
  malt_call_add_argument (call, flight->value);
  soak_land_int (soak_fly (thread, worker, id, call), SOAK_MAY_ONLY_ANSWER, id);
}

/* Channels */

/* Items in order, each once; afterwards the channel says that it is closed. */
static void
take_items (SoakThread *thread, SoakWorker *worker, MaltChannel *channel, gint64 id,
            gint64 n_items, gint64 n_wanted)
{
  for (gint64 i = 1; i <= n_wanted; i++)
    {
      g_autoptr (GError) error = NULL;
      GCancellable *patience = soak_patience (thread, soak_get_options ()->patience_s);
      g_autoptr (MaltValue) item = malt_channel_take (channel, patience, &error);

      if (item == NULL && i > n_items &&
          g_error_matches (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED))
        return;
      if (item == NULL && !malt_worker_is_running (worker->worker) &&
          g_atomic_int_get (&worker->is_doomed))
        return;
      if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED))
        soak_fault (SOAK_LOST, "channel %" G_GINT64_FORMAT ": no item %" G_GINT64_FORMAT,
                    id, i);
      else if (item == NULL)
        soak_fault (SOAK_WRONG, "channel %" G_GINT64_FORMAT ": %s", id, error->message);
      else if (i > n_items || malt_value_get_int64 (item) != id * 1000 + i)
        soak_fault (SOAK_WRONG,
                    "channel %" G_GINT64_FORMAT
                    ": another item than the %" G_GINT64_FORMAT,
                    id, i);
      else
        continue;
      return;
    }
}

static void
run_channel (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  gint64 n_items = soak_random (thread, 0, MAX_ITEMS);
  int n_buffered = (int) soak_random (thread, 0, 20);
  g_autoptr (GError) error = NULL;
  g_autofree char *source =
      g_strdup_printf ("Channel{Int}(c -> for i in 1:%" G_GINT64_FORMAT
                       "; put!(c, %" G_GINT64_FORMAT " * 1000 + i); end, %d)",
                       n_items, id, n_buffered);
  g_autoptr (MaltChannel) channel = NULL;

  if (worker == NULL)
    return;
  channel = malt_worker_channel (worker->worker, NULL, source,
                                 soak_patience (thread, soak_get_options ()->patience_s),
                                 &error);
  if (channel != NULL)
    take_items (thread, worker, channel, id, n_items,
                soak_chance (thread, 70) ? n_items + 1 : n_items / 2);
  else if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED))
    soak_fault (SOAK_LOST, "channel %" G_GINT64_FORMAT " does not open", id);
  else
    soak_worker_may_have_ended (worker, error, "channel");
}

/* Host functions and output */

static void
run_host_call (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autofree char *expected = g_strdup_printf ("soak %" G_GINT64_FORMAT, id);
  SoakFlight *flight;

  if (worker == NULL)
    return;
  flight =
      soak_fly_source (thread, worker, id, "Malt.host.soak(%" G_GINT64_FORMAT ")", id);
  if (id % 7 != 0)
    soak_land_int (flight, SOAK_MAY_ONLY_ANSWER, id * 7);
  else if (soak_land (flight, SOAK_MAY_THROW) == SOAK_LANDED_VALUE ||
           (flight->error != NULL && strstr (flight->error->message, expected) == NULL &&
            !g_error_matches (flight->error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED)))
    soak_fault (SOAK_WRONG, "%s expected, got %s", expected,
                flight->error ? flight->error->message : "a value");
}

static void
run_flood (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);

  if (worker != NULL)
    soak_land_int (soak_fly_function (thread, worker, id, "soak_print",
                                      soak_random (thread, 1, MAX_FLOOD)),
                   SOAK_MAY_ONLY_ANSWER, id);
}

const SoakOperation soak_plain[] = {
  { "eval", 4, MALT_CAPABILITY_NONE, run_eval },
  { "once", 4, MALT_CAPABILITY_NONE, run_once },
  { "error", 2, MALT_CAPABILITY_NONE, run_error },
  { "many", 2, MALT_CAPABILITY_NONE, run_many },
  { "do", 2, MALT_CAPABILITY_NONE, run_do },
  { "compile", 1, MALT_CAPABILITY_NONE, run_compile },
  { "cancel", 2, MALT_CAPABILITY_NONE, run_cancel },
  { "timeout", 2, MALT_CAPABILITY_NONE, run_timeout },
  { "bytes", 2, MALT_CAPABILITY_NONE, run_bytes },
  { "large", 1, MALT_CAPABILITY_NONE, run_large },
  { "value", 2, MALT_CAPABILITY_NONE, run_value },
  { "handle", 2, MALT_CAPABILITY_HANDLES, run_handle },
  { "channel", 2, MALT_CAPABILITY_CHANNELS, run_channel },
  { "host-function", 2, MALT_CAPABILITY_HOST_FUNCTIONS, run_host_call },
  { "flood", 1, MALT_CAPABILITY_NONE, run_flood },
  SOAK_OPERATIONS_END,
};
