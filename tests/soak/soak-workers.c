/* SPDX-License-Identifier: MIT */
/* Workers: those that all threads share, and those that an operation has for itself. */
#include "soak.h"

#include <string.h>

/* Of last references. */
#define EXIT_TIMEOUT_MS "300"
#define TERM_TIMEOUT_MS "300"

enum
{
  N_SHARED = 2,
  MAX_LAUNCHES = 3 /* for one that is shared */
};

typedef struct
{
  GMutex lock; /* guards worker; held while one is launched */
  SoakWorker *worker; /* (owned) (nullable) */
} Place;

static Place places[N_SHARED];
static char *source; /* (owned): of soak.jl */

/* Launches */

static void
set_if_known (MaltConfig *config, const char *key, const char *value)
{
  const char *backend = soak_get_options ()->backend;
  g_autoptr (MaltBackend) description = malt_backend_lookup (backend, NULL);
  g_auto (GStrv) names = malt_backend_dup_option_names (description);

  if (g_strv_contains ((const char *const *) names, key))
    malt_config_set_for (config, backend, key, value);
}

/* Streams and transports are drawn. What code prints to the host's streams goes
 * nowhere, see soak-tally.c. */
MaltConfig *
soak_config_new (SoakThread *thread)
{
  static const char *const transports[] = { "tcp", "socketpair", "tcp-connect" };
  static const char *const outputs[] = { "forward", "discard", "signal" };
  MaltConfig *config = malt_config_new ();

  malt_config_set_backend (config, soak_get_options ()->backend);
  set_if_known (config, "transport", transports[soak_random (thread, 0, 3)]);
  set_if_known (config, "output", outputs[soak_random (thread, 0, 3)]);
  set_if_known (config, "exit-timeout-ms", EXIT_TIMEOUT_MS);
  set_if_known (config, "term-timeout-ms", TERM_TIMEOUT_MS);
  return config;
}

/* What Julia calls as Malt.host.soak(n): every fifth asks the worker again, every
 * seventh fails. */
static MaltValue *
on_host_call (MaltWorker *worker, MaltValue **arguments, G_GNUC_UNUSED gsize n_arguments,
              G_GNUC_UNUSED gpointer user_data, GError **error)
{
  gint64 number = malt_value_get_int64 (arguments[0]);

  if (number % 5 == 0)
    {
      g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT " + 1", number);
      g_autoptr (MaltValue) value =
          malt_worker_remote_eval_fetch (worker, NULL, text, NULL, error);

      if (value == NULL)
        return NULL;
      number = malt_value_get_int64 (value) - 1;
    }
  if (number % 7 == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "soak %" G_GINT64_FORMAT,
                   number);
      return NULL;
    }
  return malt_value_new_int64 (number * 7);
}

gboolean
soak_workers_prepare (GError **error)
{
  return g_file_get_contents (SOAK_SOURCE_DIR "/soak.jl", &source, NULL, error);
}

static gboolean
set_up (SoakWorker *self, GError **error)
{
  return malt_worker_remote_eval_wait (self->worker, NULL, source, NULL, error) &&
         malt_worker_export_func (self->worker, "soak", on_host_call, NULL, NULL,
                                  MALT_EXPORT_DEFAULT, error);
}

/* Again, if another thread had taken what a launch needs. */
static MaltWorker *
launch (SoakThread *thread, GError **error)
{
  g_autoptr (MaltConfig) config = soak_config_new (thread);

  for (;;)
    {
      g_autoptr (GError) launch_error = NULL;
      guint n_shortages = soak_shortages_count ();
      MaltWorker *worker = malt_worker_launch (config, NULL, &launch_error);

      if (worker != NULL)
        return worker;
      if (!soak_shortage_explains (launch_error, n_shortages))
        {
          g_propagate_error (error, g_steal_pointer (&launch_error));
          return NULL;
        }
      soak_shortage_await ();
    }
}

SoakWorker *
soak_worker_launch (SoakThread *thread, gboolean is_set_up)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SoakWorker) self = NULL;
  MaltWorker *worker = launch (thread, &error);

  if (worker == NULL)
    {
      soak_fault (SOAK_WRONG, "launch: %s", error->message);
      return NULL;
    }
  soak_count_launch ();
  self = g_new0 (SoakWorker, 1);
  g_atomic_ref_count_init (&self->n_references);
  self->worker = worker;
  self->summary = malt_worker_dup_summary (worker);
  soak_remains_note (malt_worker_get_pid (worker));
  if (!is_set_up || set_up (self, &error))
    return g_steal_pointer (&self);
  soak_fault (SOAK_WRONG, "set-up: %s", error->message);
  return NULL;
}

SoakWorker *
soak_worker_ref (SoakWorker *self)
{
  g_atomic_ref_count_inc (&self->n_references);
  return self;
}

void
soak_worker_unref (SoakWorker *self)
{
  if (!g_atomic_ref_count_dec (&self->n_references))
    return;
  soak_worker_check (self);
  g_clear_object (&self->worker);
  g_free (self->summary);
  g_free (self);
}

/* Ends */

void
soak_worker_doom (SoakWorker *self)
{
  g_atomic_int_set (&self->is_doomed, TRUE);
}

static void
note_death (SoakWorker *self, const char *what)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (self->worker);
  g_autofree char *text =
      termination ? malt_termination_to_string (termination) : g_strdup ("no reason");
  const char *last_words = termination ? malt_termination_get_stderr (termination) : NULL;

  if (g_atomic_int_compare_and_exchange (&self->is_noted, FALSE, TRUE))
    soak_fault (SOAK_DEAD, "%s, seen by %s: %s: %s", self->summary, what, text,
                last_words ? last_words : "");
}

void
soak_worker_check (SoakWorker *self)
{
  if (self->worker != NULL && !g_atomic_int_get (&self->is_doomed) &&
      !malt_worker_is_running (self->worker))
    note_death (self, "its last user");
}

gboolean
soak_worker_may_have_ended (SoakWorker *self, const GError *error, const char *what)
{
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    {
      soak_fault (SOAK_WRONG, "%s: %s", what, error->message);
      return FALSE;
    }
  if (g_atomic_int_get (&self->is_doomed))
    return TRUE;
  note_death (self, what);
  return FALSE;
}

/* Those that are shared */

SoakWorker *
soak_worker_share (SoakThread *thread)
{
  Place *place = &places[soak_random (thread, 0, N_SHARED)];
  SoakWorker *worker = NULL;

  g_mutex_lock (&place->lock);
  if (place->worker != NULL && !malt_worker_is_running (place->worker->worker))
    g_clear_pointer (&place->worker, soak_worker_unref);
  for (int i = 0; place->worker == NULL && i < MAX_LAUNCHES; i++)
    place->worker = soak_worker_launch (thread, TRUE);
  if (place->worker != NULL)
    worker = soak_worker_ref (place->worker);
  g_mutex_unlock (&place->lock);
  return worker;
}

void
soak_workers_end (void)
{
  for (guint i = 0; i < N_SHARED; i++)
    {
      g_autoptr (SoakWorker) worker = g_steal_pointer (&places[i].worker);

      if (worker == NULL)
        continue;
      soak_worker_check (worker);
      soak_worker_doom (worker);
      malt_worker_stop (worker->worker, NULL, NULL);
    }
}
