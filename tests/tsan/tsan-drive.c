/* SPDX-License-Identifier: MIT */
/*
 * Threads that use one worker in every way at once, for ThreadSanitizer to watch.
 *
 *   tsan-drive BACKEND SECONDS [race]
 *
 * Each round launches a worker, lets threads use it, and ends it while a call is
 * outstanding. Values are checked, too. With `race` the threads count without a lock,
 * which must be seen. GLib, which is not built with the sanitizer, hands things over
 * between threads in ways that it does not see: tsan-glib.c.
 */
#include "fake-worker.h"

#include <stdlib.h>
#include <string.h>

enum
{
  N_THREADS = 6,
  N_STEPS = 30,
  MAX_BYTES = 2000000,
  N_ITEMS = 20
};

/* The same things, said to each backend. */
typedef struct
{
  const char *backend;
  const char *echo; /* a number, then this, gives the number */
  const char *wait;
  const char *wait_long;
  const char *channel;
  const char *print;
  gboolean is_julia;
} Language;

static const Language languages[] = {
  { "fake", "echo %d", "sleep_ms 5", "sleep_ms 100000", "channel 20", "print hello",
    FALSE },
  { "malt-process", "identity(%d)", "sleep(0.005)", "sleep(100)",
    "Channel{Int}(c -> foreach(i -> put!(c, i), 1:20))", "println(\"x\"^5000)", TRUE },
};

typedef struct
{
  const Language *language; /* (unowned) */
  MaltWorker *worker; /* (owned) */
  guint32 seed;
} Driver;

enum
{
  SKIPPED = 77
};

static gint n_wrong; /* atomic */
static gint n_done; /* atomic */
static gboolean has_race;
static guint n_raced; /* guarded by nothing */

static void
expect (gboolean is_right, const char *what, const GError *error)
{
  g_atomic_int_inc (&n_done);
  if (is_right)
    return;
  g_atomic_int_inc (&n_wrong);
  g_printerr ("%s: %s\n", what, error != NULL ? error->message : "wrong");
}

static void
evaluate (Driver *driver, GRand *random)
{
  int number = g_rand_int_range (random, 0, 1000);
  g_autoptr (GString) source = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  gint64 got = -1;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  g_string_printf (source, driver->language->echo, number);
#pragma GCC diagnostic pop
  value = malt_worker_remote_eval_fetch (driver->worker, NULL, source->str, NULL, &error);
  if (value != NULL && malt_value_get_kind (value) == MALT_VALUE_STRING)
    got = g_ascii_strtoll (malt_value_get_string (value, NULL), NULL, 10);
  else if (value != NULL)
    got = malt_value_get_int64 (value);
  expect (got == number, "evaluation", error);
}

static void
send_array (Driver *driver, GRand *random)
{
  gsize n = (gsize) g_rand_int_range (random, 1, MAX_BYTES);
  g_autofree guint8 *bytes = g_malloc0 (n);
  g_autoptr (MaltCall) call =
      malt_call_new (driver->language->is_julia ? "identity" : "echo");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  bytes[n - 1] = 7;
  malt_call_take_argument (call,
                           malt_value_new_array (MALT_VALUE_UINT8, &n, 1, bytes, n));
  value = malt_worker_remote_call_fetch (driver->worker, call, NULL, &error);
  expect (value != NULL && malt_value_equal (value, malt_call_get_argument (call, 0)),
          "array", error);
}

static void
interrupt (Driver *driver, GRand *random)
{
  g_autoptr (MaltFuture) future =
      malt_worker_remote_eval (driver->worker, NULL, driver->language->wait);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  g_usleep ((gulong) g_rand_int_range (random, 0, 6000));
  malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, NULL);
  value = malt_future_fetch (future, NULL, &error);
  expect (value != NULL ||
              g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION),
          "interrupt", error);
}

static void
cancel (Driver *driver, G_GNUC_UNUSED GRand *random)
{
  g_autoptr (MaltFuture) future =
      malt_worker_remote_eval (driver->worker, NULL, driver->language->wait);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_future_cancel (future);
  value = malt_future_fetch (future, NULL, &error);
  expect (value != NULL || g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED),
          "cancellation", error);
}

static void
take_items (Driver *driver, GRand *random)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (driver->worker, NULL, driver->language->channel, NULL, &error);
  int n = g_rand_int_range (random, 0, N_ITEMS);
  gboolean is_right = channel != NULL;

  for (int i = 1; i <= n && is_right; i++)
    {
      g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, &error);

      is_right = value != NULL && malt_value_get_int64 (value) == i;
    }
  expect (is_right, "channel", error);
}

static void
print (Driver *driver, G_GNUC_UNUSED GRand *random)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_worker_remote_eval_fetch (
      driver->worker, NULL, driver->language->print, cancellable, &error);

  expect (value != NULL, "output", error);
}

static void
call_host (Driver *driver, G_GNUC_UNUSED GRand *random)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!driver->language->is_julia)
    return;
  value = malt_worker_remote_eval_fetch (driver->worker, NULL, "Malt.host.seven(6)", NULL,
                                         &error);
  expect (value != NULL && malt_value_get_int64 (value) == 42, "host function", error);
}

static void
hold (Driver *driver, G_GNUC_UNUSED GRand *random)
{
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "Ref(3)");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!driver->language->is_julia)
    return;
  malt_call_set_result_mode (call, MALT_RESULT_HANDLE);
  value = malt_worker_remote_call_fetch (driver->worker, call, NULL, &error);
  expect (value != NULL, "handle", error);
}

static gpointer
drive (gpointer data)
{
  static void (*const steps[]) (Driver * driver, GRand * random) = {
    evaluate, send_array, interrupt, cancel, take_items, print, call_host, hold
  };
  Driver *driver = data;
  GRand *random = g_rand_new_with_seed (driver->seed);

  for (guint i = 0; i < N_STEPS; i++)
    {
      if (has_race)
        n_raced++;
      steps[g_rand_int_range (random, 0, G_N_ELEMENTS (steps))](driver, random);
    }
  g_rand_free (random);
  return NULL;
}

/* A round */

static MaltValue *
seven (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
       G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
       G_GNUC_UNUSED GError **error)
{
  return malt_value_new_int64 (malt_value_get_int64 (arguments[0]) * 7);
}

static MaltWorker *
launch (const Language *language, guint round)
{
  static const char *const transports[] = { "tcp", "tcp-connect", "socketpair" };
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (GError) error = NULL;
  MaltWorker *worker;

  malt_config_set_backend (config, language->backend);
  if (language->is_julia)
    {
      malt_config_set_for (config, language->backend, "output",
                           round % 2 == 0 ? "signal" : "discard");
      malt_config_set_for (config, language->backend, "transport",
                           transports[round % G_N_ELEMENTS (transports)]);
    }
  worker = malt_worker_launch (config, NULL, &error);
  expect (worker != NULL, "launch", error);
  if (worker != NULL && language->is_julia)
    {
      malt_worker_export_func (worker, "seven", seven, NULL, NULL, MALT_EXPORT_DEFAULT,
                               &error);
      expect (error == NULL, "export", error);
    }
  return worker;
}

static void
run_round (const Language *language, guint round)
{
  g_autoptr (MaltWorker) worker = launch (language, round);
  g_autoptr (MaltFuture) future = NULL;
  Driver drivers[N_THREADS];
  GThread *threads[N_THREADS];

  if (worker == NULL)
    return;
  for (guint i = 0; i < N_THREADS; i++)
    {
      drivers[i] = (Driver){ language, worker, round * N_THREADS + i };
      threads[i] = g_thread_new ("driver", drive, &drivers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  future = malt_worker_remote_eval (worker, NULL, language->wait_long);
  if (round % 3 == 0)
    malt_worker_kill (worker, 9, NULL);
  else if (round % 3 == 1)
    malt_worker_stop_full (worker, 100, 100, NULL, NULL, NULL);
  else
    g_clear_object (&worker);
  expect (malt_future_wait (future, 60000, NULL, NULL) || malt_future_is_done (future),
          "end", NULL);
}

static const Language *
find_language (const char *backend)
{
  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++)
    if (strcmp (languages[i].backend, backend) == 0)
      return &languages[i];
  return NULL;
}

static gboolean
has_backend (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltBackend) backend = malt_backend_lookup (name, &error);
  g_autoptr (MaltConfig) config = malt_config_new ();

  if (backend != NULL && malt_backend_probe (backend, config, &error))
    return TRUE;
  g_printerr ("%s: %s\n", name, error->message);
  return FALSE;
}

int
main (int argc, char **argv)
{
  const Language *language = argc > 2 ? find_language (argv[1]) : NULL;
  guint n_rounds = 0;
  gint64 deadline_us;

  if (language == NULL || !fake_backends_register (NULL))
    return 2;
  if (!has_backend (language->backend))
    return g_strcmp0 (g_getenv ("MALT_TEST_REQUIRE_JULIA"), "1") == 0 ? EXIT_FAILURE
                                                                      : SKIPPED;
  has_race = argc > 3 && strcmp (argv[3], "race") == 0;
  deadline_us =
      g_get_monotonic_time () + g_ascii_strtoll (argv[2], NULL, 10) * G_USEC_PER_SEC;
  do
    run_round (language, n_rounds++);
  while (g_get_monotonic_time () < deadline_us);
  g_print ("{\"backend\": \"%s\", \"rounds\": %u, \"operations\": %d, \"wrong\": %d}\n",
           argv[1], n_rounds, n_done, n_wrong);
  return n_done > 0 && n_wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
