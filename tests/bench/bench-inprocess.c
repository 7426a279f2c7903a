/* SPDX-License-Identifier: MIT */
/* Julia in the process of the benchmark: in new processes of the same program, which this
 * file starts, and whose main function it has. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKEND "inprocess"
#define ROLE_START "start"
#define ROLE_SERVE "serve"

/* In the benchmark */

static char *
dup_program (GError **error)
{
  return g_file_read_link ("/proc/self/exe", error);
}

double
bench_inprocess_start (const char *julia, GError **error)
{
  g_autofree char *program = dup_program (error);
  double elapsed = bench_now_us ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GDataInputStream) answers = NULL;
  g_autofree char *line = NULL;

  if (!program)
    return -1;
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, error, program,
                              BENCH_INPROCESS_OPTION, ROLE_START, julia, NULL);
  if (!process)
    return -1;
  answers = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  line = g_data_input_stream_read_line (answers, NULL, NULL, error);
  elapsed = bench_now_us () - elapsed;
  if ((!line && error && *error) || !g_subprocess_wait_check (process, NULL, error))
    return -1;
  if (g_strcmp0 (line, "2") == 0)
    return elapsed;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "expected 2 from a new process, got '%.100s'", line ? line : "nothing");
  return -1;
}

BenchDriven *
bench_inprocess_serve (const char *julia, GError **error)
{
  g_autofree char *program = dup_program (error);
  const char *arguments[] = { program, BENCH_INPROCESS_OPTION, ROLE_SERVE, julia, NULL };

  return program ? bench_driven_start (arguments, error) : NULL;
}

/* In the new process */

/* Takes the line. */
static gboolean
answer (char *line)
{
  int n = puts (line);

  g_free (line);
  return n >= 0 && fflush (stdout) == 0;
}

/* The answer is passed on before anything else happens. */
static gboolean
start (MaltConfig *config, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, error);
  g_autoptr (MaltValue) sum = NULL;
  gint64 number = 0;

  if (!worker)
    return FALSE;
  sum = malt_worker_remote_eval_fetch (worker, NULL, "1 + 1", NULL, error);
  return sum && malt_value_as_int64 (sum, &number, error) &&
         answer (g_strdup_printf ("%" G_GINT64_FORMAT, number)) && number == 2;
}

/* A Julia function of two numbers, called in the Julia thread: by libmalt, or by its
 * plain pointer. The result is the time of one call in nanoseconds. */
typedef struct
{
  MaltNative *native; /* (owned) */
  gboolean is_plain;
  guint n;
  double elapsed_ns;
} NativeRun;

static void
run_native (gpointer data)
{
  NativeRun *run = data;
  double (*function) (double, double) =
      (double (*) (double, double)) malt_native_get_pointer (run->native);
  double x = 0;
  double y = 1.5;
  double start = bench_now_us ();
  gpointer arguments[] = { &x, &y };

  for (guint i = 0; i < run->n; i++)
    {
      double result = 0;

      if (run->is_plain)
        result = function (x, y);
      else
        malt_native_call (run->native, &result, arguments, NULL);
      x = result > 1e6 ? 0 : result;
    }
  run->elapsed_ns = (bench_now_us () - start) * 1e3 / run->n;
}

static double
measure_native (MaltWorker *worker, gboolean is_plain, guint n, GError **error)
{
  NativeRun run = { .is_plain = is_plain, .n = n };
  gboolean is_ok;

  run.native = malt_native_new (worker, "(x, y) -> x + y", "f64(f64,f64)", NULL, error);
  if (!run.native)
    return -1;
  is_ok = malt_worker_invoke_on_julia_thread (worker, run_native, &run, error);
  malt_native_unref (run.native);
  return is_ok ? run.elapsed_ns : -1;
}

static double
measure (MaltWorker *worker, const char *command, guint n, GError **error)
{
  if (g_str_equal (command, "call"))
    return bench_worker_call (worker, n, error);
  if (g_str_equal (command, "eval"))
    return bench_worker_eval (worker, n, error);
  if (g_str_equal (command, "bulk_out"))
    return bench_worker_bulk_out (worker, n, error);
  if (g_str_equal (command, "native") || g_str_equal (command, "direct"))
    return measure_native (worker, g_str_equal (command, "direct"), n, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "nothing is called '%s'",
               command);
  return -1;
}

static gboolean
serve_commands (MaltWorker *worker, GError **error)
{
  char line[100];
  char command[50];
  guint n;

  while (fgets (line, sizeof line, stdin))
    {
      double figure;

      if (sscanf (line, "%49s %u", command, &n) != 2)
        continue;
      figure = measure (worker, command, n, error);
      if (figure < 0 || !answer (g_strdup_printf ("%f", figure)))
        return FALSE;
    }
  return TRUE;
}

enum
{
  WARM_CALLS = 1000,
};

static gboolean
serve (MaltConfig *config, GError **error)
{
  g_autoptr (MaltWorker) worker = bench_worker_start (config, error);
  g_autofree char *version = NULL;

  if (!worker)
    return FALSE;
  version = malt_worker_dup_julia_version (worker);
  bench_worker_settle (worker);
  return bench_worker_call (worker, WARM_CALLS, error) >= 0 &&
         bench_worker_eval (worker, WARM_CALLS, error) >= 0 &&
         bench_worker_bulk_out (worker, 1, error) >= 0 &&
         answer (g_strdup_printf ("ready %d %d %s", getpid (), getpid (), version)) &&
         serve_commands (worker, error);
}

int
bench_inprocess_main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  gboolean is_start = argc == 4 && g_str_equal (argv[2], ROLE_START);

  if (argc != 4 || !config)
    return 2;
  malt_config_set_backend (config, BACKEND);
  malt_config_set_for (config, BACKEND, "julia", argv[3]);
  if (is_start ? start (config, &error) : serve (config, &error))
    return 0;
  fprintf (stderr, "malt-bench: in-process: %s\n",
           error ? error->message : "cannot write to standard output");
  return 1;
}
