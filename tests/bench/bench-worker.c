/* SPDX-License-Identifier: MIT */
/* What is measured with a worker of this library, and the start of a bare julia. */
#include "bench.h"

enum
{
  SPACING_US = 5000,
  SETTLE_WINDOW_US = 250000,
  SETTLE_WINDOWS = 40,
};

/* Of one processor, in a window: what a worker that has nothing left to do stays
 * below. */
#define SETTLED_SHARE 0.005

/* One thing to be timed; FALSE if it went wrong. */
typedef gboolean (*BenchStep) (MaltWorker *worker, gpointer data, GError **error);

static double
time_steps (MaltWorker *worker, BenchStep step, gpointer data, guint n, gulong pause_us,
            GError **error)
{
  g_autoptr (GArray) times = g_array_sized_new (FALSE, FALSE, sizeof (double), n);

  for (guint i = 0; i < n; i++)
    {
      double elapsed;

      if (pause_us > 0)
        g_usleep (pause_us);
      elapsed = bench_now_us ();
      if (!step (worker, data, error))
        return -1;
      elapsed = bench_now_us () - elapsed;
      g_array_append_val (times, elapsed);
    }
  return bench_median (times);
}

static gboolean
check_int64 (MaltValue *value, gint64 expected, GError **error)
{
  gint64 number;

  if (!value || !malt_value_as_int64 (value, &number, error))
    return FALSE;
  if (number == expected)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "expected %" G_GINT64_FORMAT " from the worker, got %" G_GINT64_FORMAT,
               expected, number);
  return FALSE;
}

/* The array comes from the worker, so that it exists there before anything is timed. */
static const char bulk_source[] =
    "malt_bench_bulk = rand(6_250_000); length(malt_bench_bulk)";

MaltWorker *
bench_worker_start (MaltConfig *config, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, error);
  g_autoptr (MaltValue) length = NULL;

  if (!worker)
    return NULL;
  length = malt_worker_remote_eval_fetch (worker, NULL, bulk_source, NULL, error);
  if (!check_int64 (length, BENCH_BULK_ELEMENTS, error))
    return NULL;
  return g_steal_pointer (&worker);
}

void
bench_worker_stop (MaltWorker *worker)
{
  malt_worker_stop (worker, NULL, NULL);
  g_object_unref (worker);
}

/* From the start to the first answer; the worker is (transfer full). */
double
bench_worker_launch_kept (MaltConfig *config, MaltWorker **out_worker, GError **error)
{
  double elapsed = bench_now_us ();
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, error);
  g_autoptr (MaltValue) sum = NULL;

  if (!worker)
    return -1;
  sum = malt_worker_remote_eval_fetch (worker, NULL, "1 + 1", NULL, error);
  elapsed = bench_now_us () - elapsed;
  if (!check_int64 (sum, 2, error))
    return -1;
  *out_worker = g_steal_pointer (&worker);
  return elapsed;
}

double
bench_worker_launch (MaltConfig *config, GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;
  double elapsed = bench_worker_launch_kept (config, &worker, error);

  if (worker)
    malt_worker_stop (worker, NULL, NULL);
  return elapsed;
}

static gboolean
step_call (MaltWorker *worker, gpointer data G_GNUC_UNUSED, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new ("+");
  g_autoptr (MaltValue) sum = NULL;

  malt_call_take_argument (call, malt_value_new_int64 (1));
  malt_call_take_argument (call, malt_value_new_int64 (1));
  sum = malt_worker_remote_call_fetch (worker, call, NULL, error);
  return check_int64 (sum, 2, error);
}

double
bench_worker_call (MaltWorker *worker, guint n, GError **error)
{
  return time_steps (worker, step_call, NULL, n, 0, error);
}

double
bench_worker_call_spaced (MaltWorker *worker, guint n, GError **error)
{
  return time_steps (worker, step_call, NULL, n, SPACING_US, error);
}

static gboolean
step_eval (MaltWorker *worker, gpointer data G_GNUC_UNUSED, GError **error)
{
  g_autoptr (MaltValue) sum =
      malt_worker_remote_eval_fetch (worker, NULL, "1 + 1", NULL, error);

  return check_int64 (sum, 2, error);
}

double
bench_worker_eval (MaltWorker *worker, guint n, GError **error)
{
  return time_steps (worker, step_eval, NULL, n, 0, error);
}

static gboolean
step_error (MaltWorker *worker, gpointer data G_GNUC_UNUSED, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new ("error");
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) exception = NULL;

  malt_call_take_argument (call, malt_value_new_string ("x"));
  value = malt_worker_remote_call_fetch (worker, call, NULL, &exception);
  if (g_error_matches (exception, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION))
    return TRUE;
  if (!value)
    g_propagate_error (error, g_steal_pointer (&exception));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                         "expected an exception from the worker, got a value");
  return FALSE;
}

double
bench_worker_error (MaltWorker *worker, guint n, GError **error)
{
  return time_steps (worker, step_error, NULL, n, 0, error);
}

static gboolean
step_bulk_out (MaltWorker *worker, gpointer data, GError **error)
{
  MaltValue **out_array = data;

  *out_array =
      malt_worker_remote_eval_fetch (worker, NULL, "malt_bench_bulk", NULL, error);
  return *out_array != NULL;
}

/* One at a time, so that the array of before is dropped outside of the time that is
 * taken. */
double
bench_worker_bulk_out (MaltWorker *worker, guint n, GError **error)
{
  g_autoptr (GArray) times = g_array_sized_new (FALSE, FALSE, sizeof (double), n);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (MaltValue) array = NULL;
      double elapsed = time_steps (worker, step_bulk_out, &array, 1, 0, error);
      gsize n_bytes = 0;

      if (elapsed < 0)
        return -1;
      malt_value_get_array_data (array, &n_bytes);
      if (n_bytes != BENCH_BULK_BYTES)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       "expected %d bytes from the worker, got %" G_GSIZE_FORMAT,
                       BENCH_BULK_BYTES, n_bytes);
          return -1;
        }
      g_array_append_val (times, elapsed);
    }
  return bench_median (times);
}

static gboolean
step_bulk_in (MaltWorker *worker, gpointer data, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new ("length");
  g_autoptr (MaltValue) length = NULL;

  malt_call_add_argument (call, data);
  length = malt_worker_remote_call_fetch (worker, call, NULL, error);
  return check_int64 (length, BENCH_BULK_ELEMENTS, error);
}

double
bench_worker_bulk_in (MaltWorker *worker, guint n, GError **error)
{
  const gsize dims[] = { BENCH_BULK_ELEMENTS };
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (MaltValue) array = NULL;
  double *numbers = g_new (double, BENCH_BULK_ELEMENTS);

  for (gsize i = 0; i < BENCH_BULK_ELEMENTS; i++)
    numbers[i] = (double) i;
  bytes = g_bytes_new_take (numbers, BENCH_BULK_BYTES);
  array = malt_value_new_array_from_bytes (MALT_VALUE_FLOAT64, dims, 1, bytes, error);
  return array ? time_steps (worker, step_bulk_in, array, n, 0, error) : -1;
}

/* A new worker compiles ahead what it will need. Waits, within limits, until it does
 * nothing any more. */
void
bench_worker_settle (MaltWorker *worker)
{
  gint64 pid = malt_worker_get_pid (worker);
  double used = bench_process_seconds (pid);

  for (guint i = 0; i < SETTLE_WINDOWS; i++)
    {
      double before = used;

      g_usleep (SETTLE_WINDOW_US);
      used = bench_process_seconds (pid);
      if (used - before < SETTLED_SHARE * SETTLE_WINDOW_US / 1e6)
        return;
    }
}

/* Processor seconds that the worker uses in that many seconds without a call. */
double
bench_worker_idle (MaltWorker *worker, double seconds, GError **error)
{
  gint64 pid = malt_worker_get_pid (worker);
  double used = bench_process_seconds (pid);

  g_usleep ((gulong) (seconds * 1e6));
  used = bench_process_seconds (pid) - used;
  if (malt_worker_is_running (worker))
    return used;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the idle worker has ended");
  return -1;
}

double
bench_julia_startup (const char *julia, GError **error)
{
  double elapsed = bench_now_us ();
  g_autoptr (GSubprocess) process = g_subprocess_new (
      G_SUBPROCESS_FLAGS_NONE, error, julia, "--startup-file=no", "-e", "0", NULL);

  if (!process || !g_subprocess_wait_check (process, NULL, error))
    return -1;
  return bench_now_us () - elapsed;
}
