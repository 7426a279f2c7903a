/* SPDX-License-Identifier: MIT */
/* Flights: calls that are under way. Each lands once, and with what its call can give.
 *
 * The answer comes to a callback in the context of the thread that started the flight;
 * half of the landings first wait in the blocking form, which reads the connection
 * itself. A flight stays with its thread for a while after it has landed, and until
 * the end if it was lost, so that a second answer is seen whenever it comes. */
#include "soak.h"

#include <string.h>

enum
{
  N_KEPT = 64, /* flights of a thread that have landed */
  N_SETTLED = 20 /* rounds of a context in which nothing may come any more */
};

static GMutex lock; /* guards in_flight */
static GQueue in_flight =
    G_QUEUE_INIT; /* of SoakFlight (unowned): those that have not landed, or are lost */
static gint next_number; /* (atomic) */

gint64
soak_next_id (G_GNUC_UNUSED SoakThread *thread)
{
  return g_atomic_int_add (&next_number, 1) + 1;
}

static void
flight_free (SoakFlight *self)
{
  if (g_atomic_int_get (&self->n_answers) > 1)
    soak_fault (SOAK_TWICE, "%s %" G_GINT64_FORMAT " was answered %d times", self->what,
                self->id, g_atomic_int_get (&self->n_answers));
  g_clear_pointer (&self->worker, soak_worker_unref);
  g_clear_object (&self->future);
  g_clear_pointer (&self->value, malt_value_unref);
  g_clear_error (&self->error);
  g_free (self);
}

static void
take_answer (SoakFlight *self, GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;
  MaltValue *value = malt_future_fetch_finish (self->future, result, &error);

  if (g_atomic_int_add (&self->n_answers, 1) > 0)
    g_clear_pointer (&value, malt_value_unref);
  else
    {
      self->value = value;
      self->error = g_steal_pointer (&error);
    }
}

static void
on_answer (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  SoakFlight *self = user_data;

  if (soak_break_is_due ("lost"))
    return;
  take_answer (self, result);
  if (soak_break_is_due ("twice"))
    g_atomic_int_inc (&self->n_answers);
}

SoakFlight *
soak_fly (SoakThread *thread, SoakWorker *worker, gint64 id, MaltCall *call)
{
  SoakFlight *self = g_new0 (SoakFlight, 1);

  self->what = thread->operation ? thread->operation->name : "end";
  self->id = id;
  self->thread = thread;
  self->worker = soak_worker_ref (worker);
  self->since_us = g_get_monotonic_time ();
  self->future = malt_worker_remote_call (worker->worker, call);
  malt_call_unref (call);
  g_mutex_lock (&lock);
  g_queue_push_tail (&in_flight, self);
  g_mutex_unlock (&lock);
  malt_future_fetch_async (self->future, NULL, on_answer, self);
  return self;
}

SoakFlight *
soak_fly_source (SoakThread *thread, SoakWorker *worker, gint64 id, const char *format,
                 ...)
{
  g_autofree char *source = NULL;
  va_list arguments;

  va_start (arguments, format);
  source = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return soak_fly (thread, worker, id, malt_call_new_eval (NULL, source));
}

SoakFlight *
soak_fly_function (SoakThread *thread, SoakWorker *worker, gint64 id,
                   const char *function, gint64 argument)
{
  MaltCall *call = malt_call_new (function);

  malt_call_take_argument (call, malt_value_new_int64 (id));
  malt_call_take_argument (call, malt_value_new_int64 (argument));
  return soak_fly (thread, worker, id, call);
}

/* Landings */

static gboolean
on_deadline (gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
until_answered (SoakFlight *self)
{
  GMainContext *context = self->thread->context;
  gint64 patience_ms = (gint64) soak_get_options ()->patience_s * 1000;
  gboolean is_over = FALSE;
  GSource *source;

  if (soak_chance (self->thread, 50))
    malt_future_wait (self->future, patience_ms, NULL, NULL);
  source = g_timeout_source_new ((guint) patience_ms);
  g_source_set_callback (source, on_deadline, &is_over, NULL);
  g_source_attach (source, context);
  while (g_atomic_int_get (&self->n_answers) == 0 && !is_over)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (source);
  g_source_unref (source);
  return g_atomic_int_get (&self->n_answers) > 0;
}

/* A second look at the future sees what the first one saw. */
static gboolean
is_unchanged (SoakFlight *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_future_fetch (self->future, NULL, &error);

  if (self->value != NULL)
    return value != NULL &&
           (value == self->value || malt_value_equal (value, self->value));
  return error != NULL && g_error_matches (error, self->error->domain, self->error->code);
}

static void
keep (SoakFlight *self)
{
  GQueue *landed = self->thread->landed;

  g_mutex_lock (&lock);
  if (!self->is_lost)
    g_queue_remove (&in_flight, self);
  g_mutex_unlock (&lock);
  self->is_landed = TRUE;
  g_queue_push_head (landed, self);
  /* The oldest may be one whose answer may still come. */
  while (g_queue_get_length (landed) > N_KEPT &&
         !((SoakFlight *) g_queue_peek_tail (landed))->is_lost)
    flight_free (g_queue_pop_tail (landed));
}

static SoakLanding
judge_exception (SoakFlight *self, SoakMay may)
{
  const char *type = malt_error_get_exception_type (self->error);
  const char *message = malt_error_get_exception_message (self->error);

  if (g_strcmp0 (type, "InterruptException") == 0)
    {
      if ((may & SOAK_MAY_BE_INTERRUPTED) != 0)
        return SOAK_LANDED_INTERRUPTED;
      soak_fault (SOAK_MISDIRECTED, "%s %" G_GINT64_FORMAT " was interrupted", self->what,
                  self->id);
      return SOAK_LANDED_FAULT;
    }
  if ((may & SOAK_MAY_THROW) != 0)
    return SOAK_LANDED_THROWN;
  soak_fault (g_strcmp0 (message, "soak: run twice") == 0 ? SOAK_TWICE : SOAK_WRONG,
              "%s %" G_GINT64_FORMAT ": %s", self->what, self->id, message);
  return SOAK_LANDED_FAULT;
}

static SoakLanding
judge_error (SoakFlight *self, SoakMay may)
{
  const GError *error = self->error;

  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    return soak_worker_may_have_ended (self->worker, error, self->what)
               ? SOAK_LANDED_ENDED
               : SOAK_LANDED_FAULT;
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION))
    return judge_exception (self, may);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED) &&
      (may & SOAK_MAY_BE_CANCELLED) != 0)
    return SOAK_LANDED_CANCELLED;
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT) &&
      (may & SOAK_MAY_TIME_OUT) != 0)
    return SOAK_LANDED_TIMED_OUT;
  soak_fault (SOAK_WRONG, "%s %" G_GINT64_FORMAT ": %s", self->what, self->id,
              error->message);
  return SOAK_LANDED_FAULT;
}

/* What else waits for that worker would be lost as well. */
static void
lose (SoakFlight *self)
{
  self->is_lost = TRUE;
  soak_fault (SOAK_LOST, "%s %" G_GINT64_FORMAT " has no answer after %d s%s; %s",
              self->what, self->id, soak_get_options ()->patience_s,
              malt_future_is_done (self->future) ? ", but its future is done" : "",
              self->worker->summary);
  soak_worker_doom (self->worker);
  if (self->worker->worker != NULL)
    malt_worker_stop_full (self->worker->worker, 0, 0, NULL, NULL, NULL);
}

SoakLanding
soak_land (SoakFlight *self, SoakMay may)
{
  SoakLanding landing = SOAK_LANDED_VALUE;

  if (!until_answered (self))
    {
      lose (self);
      keep (self);
      return SOAK_LANDED_FAULT;
    }
  if (!is_unchanged (self))
    soak_fault (SOAK_TWICE, "%s %" G_GINT64_FORMAT " has two results", self->what,
                self->id);
  if (self->value != NULL && soak_break_is_due ("value"))
    {
      malt_value_unref (self->value);
      self->value = malt_value_new_int64 (-4711);
    }
  if (self->value == NULL)
    landing = judge_error (self, may);
  keep (self);
  return landing;
}

SoakLanding
soak_land_int (SoakFlight *self, SoakMay may, gint64 expected)
{
  SoakLanding landing = soak_land (self, may);
  g_autofree char *seen = NULL;

  if (landing != SOAK_LANDED_VALUE ||
      (malt_value_get_kind (self->value) == MALT_VALUE_INT64 &&
       malt_value_get_int64 (self->value) == expected))
    return landing;
  seen = malt_value_to_string (self->value);
  soak_fault (SOAK_WRONG,
              "%s %" G_GINT64_FORMAT ": expected %" G_GINT64_FORMAT ", got %.80s",
              self->what, self->id, expected, seen);
  return SOAK_LANDED_FAULT;
}

static void
drop_worker (SoakFlight *flight)
{
  SoakWorker *worker;

  g_mutex_lock (&lock);
  worker = g_steal_pointer (&flight->worker);
  g_mutex_unlock (&lock);
  soak_worker_unref (worker);
}

void
soak_flights_end (SoakThread *thread)
{
  SoakFlight *flight;

  for (int i = 0; i < N_SETTLED; i++)
    while (g_main_context_iteration (thread->context, FALSE))
      continue;
  while ((flight = g_queue_pop_head (thread->landed)) != NULL)
    /* The library may still hold on to one that is lost, which must not keep the
     * worker. */
    if (!flight->is_lost || g_atomic_int_get (&flight->n_answers) > 0)
      flight_free (flight);
    else
      drop_worker (flight);
}

void
soak_flights_describe (void)
{
  g_mutex_lock (&lock);
  for (GList *link = in_flight.head; link != NULL; link = link->next)
    {
      SoakFlight *flight = link->data;
      SoakWorker *worker = flight->worker;

      soak_note ("  thread %u: %s %" G_GINT64_FORMAT ", for %" G_GINT64_FORMAT
                 " ms: its future is %s, its callback %s; %s%s",
                 flight->thread->index, flight->what, flight->id,
                 (g_get_monotonic_time () - flight->since_us) / 1000,
                 malt_future_is_done (flight->future) ? "done" : "pending",
                 g_atomic_int_get (&flight->n_answers) > 0 ? "has come" : "has not come",
                 worker ? worker->summary : "a worker that is gone",
                 worker && g_atomic_int_get (&worker->is_doomed) ? ", doomed" : "");
    }
  g_mutex_unlock (&lock);
}
