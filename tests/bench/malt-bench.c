/* SPDX-License-Identifier: MIT */
/* malt-bench: what a worker costs, beside what Julia's own Distributed costs on the
 * same Julia in the same run. */
/*
 * Rounds interleave everything that is compared, so that a machine that slows down
 * slows all of it. A sample is the median of one round's repetitions; a figure is the
 * median of the samples. Round trips are measured twice: all processes on one
 * processor, and the host's threads on one, the worker's on another.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The backend that has transports to choose from, and the one that it takes by itself. */
#define PROCESS_BACKEND "malt-process"
#define DEFAULT_TRANSPORT "tcp"

#define INPROCESS_BACKEND "inprocess"

typedef struct
{
  MaltConfig *config; /* (owned) */
  MaltWorker *worker; /* (owned): the one that is called */
  BenchDriven *distributed; /* (owned) (nullable): unless nothing of it is measured */
  BenchDriven *inprocess; /* (owned) (nullable): the same */
  BenchBridged *bridged; /* (owned) (nullable): the same */
  BenchEcho echo;
  BenchSamples *samples; /* (owned) */
  char *julia; /* (owned) */
  char *version; /* (owned) */
  char *bulk[2]; /* (owned): source and destination of the memory copy */
  char **only; /* (owned) (nullable) */
  gboolean is_json;
  gboolean is_quick;
  guint n_calls; /* repetitions in one sample of a round trip */
} Bench;

typedef enum
{
  PHASE_LAUNCH,
  PHASE_ROUND_TRIP,
  PHASE_BULK,
  PHASE_IDLE,
} BenchPhase;

/* How many rounds each phase has. */
static const guint n_rounds[] = { 11, 9, 9, 1 };
static const guint n_quick_rounds[] = { 3, 3, 3, 1 };

enum
{
  CALLS = 1000,
  QUICK_CALLS = 300,
  BULK_REPETITIONS = 3,
  NATIVE_REPETITIONS = 200000,
  IDLE_SECONDS = 10,
  QUICK_IDLE_SECONDS = 3,
};

static double
measure_julia_startup (Bench *bench, GError **error)
{
  return bench_julia_startup (bench->julia, error) / 1e3;
}

static double
measure_launch (Bench *bench, GError **error)
{
  return bench_worker_launch (bench->config, error) / 1e3;
}

static double
measure_distributed_launch (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->distributed, "launch", 1, error);
}

static double
measure_inprocess_start (Bench *bench, GError **error)
{
  return bench_inprocess_start (bench->julia, error) / 1e3;
}

static double
measure_inprocess_call (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->inprocess, "call", bench->n_calls, error);
}

static double
measure_inprocess_eval (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->inprocess, "eval", bench->n_calls, error);
}

static double
measure_inprocess_native (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->inprocess, "native", NATIVE_REPETITIONS, error);
}

static double
measure_inprocess_direct (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->inprocess, "direct", NATIVE_REPETITIONS, error);
}

static double
measure_inprocess_bulk_out (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->inprocess, "bulk_out", BULK_REPETITIONS, error) /
         1e3;
}

static double
measure_bridged_launch (Bench *bench, GError **error)
{
  return bench_bridged_launch_first (bench->julia, error) / 1e3;
}

static double
measure_bridged_next_launch (Bench *bench, GError **error)
{
  return bench_bridged_launch_next (bench->bridged, error) / 1e3;
}

static double
measure_bridged_call (Bench *bench, GError **error)
{
  return bench_worker_call (bench->bridged->worker, bench->n_calls, error);
}

static double
measure_bridged_eval (Bench *bench, GError **error)
{
  return bench_worker_eval (bench->bridged->worker, bench->n_calls, error);
}

static double
measure_bridged_bulk_out (Bench *bench, GError **error)
{
  return bench_worker_bulk_out (bench->bridged->worker, BULK_REPETITIONS, error) / 1e3;
}

static double
measure_echo (Bench *bench, GError **error)
{
  return bench_echo_measure (&bench->echo, bench->n_calls, error);
}

static double
measure_call (Bench *bench, GError **error)
{
  return bench_worker_call (bench->worker, bench->n_calls, error);
}

static double
measure_distributed_call (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->distributed, "call", bench->n_calls, error);
}

static double
measure_eval (Bench *bench, GError **error)
{
  return bench_worker_eval (bench->worker, bench->n_calls, error);
}

static double
measure_distributed_eval (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->distributed, "eval", bench->n_calls, error);
}

static double
measure_error (Bench *bench, GError **error)
{
  return bench_worker_error (bench->worker, bench->n_calls / 10, error);
}

static double
measure_call_spaced (Bench *bench, GError **error)
{
  return bench_worker_call_spaced (bench->worker, bench->n_calls / 10, error);
}

static double
measure_bulk_out (Bench *bench, GError **error)
{
  return bench_worker_bulk_out (bench->worker, BULK_REPETITIONS, error) / 1e3;
}

static double
measure_bulk_in (Bench *bench, GError **error)
{
  return bench_worker_bulk_in (bench->worker, BULK_REPETITIONS, error) / 1e3;
}

static double
measure_distributed_bulk_out (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->distributed, "bulk_out", BULK_REPETITIONS, error);
}

static double
measure_distributed_bulk_in (Bench *bench, GError **error)
{
  return bench_driven_measure (bench->distributed, "bulk_in", BULK_REPETITIONS, error);
}

static double
measure_memcpy (Bench *bench, GError **error G_GNUC_UNUSED)
{
  double elapsed;

  /* The first touch of memory costs more than the copy, so it comes before. */
  for (int i = 0; i < 2; i++)
    if (!bench->bulk[i])
      {
        bench->bulk[i] = g_malloc (BENCH_BULK_BYTES);
        memset (bench->bulk[i], i + 1, BENCH_BULK_BYTES);
      }
  elapsed = bench_now_us ();
  memcpy (bench->bulk[1], bench->bulk[0], BENCH_BULK_BYTES);
  return (bench_now_us () - elapsed) / 1e3;
}

static double
measure_idle (Bench *bench, GError **error)
{
  double seconds = bench->is_quick ? QUICK_IDLE_SECONDS : IDLE_SECONDS;

  return bench_worker_idle (bench->worker, seconds, error) * IDLE_SECONDS / seconds;
}

/* Who is needed besides the worker that is called. */
typedef enum
{
  PARTY_NONE,
  PARTY_JULIA, /* a Julia host with a worker of Distributed: distributed.jl */
  PARTY_INPROCESS,
  PARTY_BRIDGED,
} BenchParty;

/* What is measured, in the order of a round. The key of a figure is its name and its
 * unit, with _2core in between on two processors. */
static const struct
{
  const char *name;
  const char *unit;
  BenchPhase phase;
  BenchParty party;
  double (*measure) (Bench *bench, GError **error);
} measurements[] = {
  { "julia_startup", "ms", PHASE_LAUNCH, PARTY_NONE, measure_julia_startup },
  { "launch", "ms", PHASE_LAUNCH, PARTY_NONE, measure_launch },
  { "distributed_launch", "ms", PHASE_LAUNCH, PARTY_JULIA, measure_distributed_launch },
  { "inprocess_start", "ms", PHASE_LAUNCH, PARTY_INPROCESS, measure_inprocess_start },
  { "distributed_backend_launch", "ms", PHASE_LAUNCH, PARTY_BRIDGED,
    measure_bridged_launch },
  { "distributed_backend_next_launch", "ms", PHASE_LAUNCH, PARTY_BRIDGED,
    measure_bridged_next_launch },
  { "echo", "us", PHASE_ROUND_TRIP, PARTY_NONE, measure_echo },
  { "call", "us", PHASE_ROUND_TRIP, PARTY_NONE, measure_call },
  { "distributed_call", "us", PHASE_ROUND_TRIP, PARTY_JULIA, measure_distributed_call },
  { "distributed_backend_call", "us", PHASE_ROUND_TRIP, PARTY_BRIDGED,
    measure_bridged_call },
  { "eval", "us", PHASE_ROUND_TRIP, PARTY_NONE, measure_eval },
  { "distributed_eval", "us", PHASE_ROUND_TRIP, PARTY_JULIA, measure_distributed_eval },
  { "distributed_backend_eval", "us", PHASE_ROUND_TRIP, PARTY_BRIDGED,
    measure_bridged_eval },
  { "inprocess_call", "us", PHASE_ROUND_TRIP, PARTY_INPROCESS, measure_inprocess_call },
  { "inprocess_eval", "us", PHASE_ROUND_TRIP, PARTY_INPROCESS, measure_inprocess_eval },
  { "error", "us", PHASE_ROUND_TRIP, PARTY_NONE, measure_error },
  { "call_spaced", "us", PHASE_ROUND_TRIP, PARTY_NONE, measure_call_spaced },
  { "bulk_out", "ms", PHASE_BULK, PARTY_NONE, measure_bulk_out },
  { "distributed_bulk_out", "ms", PHASE_BULK, PARTY_JULIA, measure_distributed_bulk_out },
  { "distributed_backend_bulk_out", "ms", PHASE_BULK, PARTY_BRIDGED,
    measure_bridged_bulk_out },
  { "bulk_in", "ms", PHASE_BULK, PARTY_NONE, measure_bulk_in },
  { "distributed_bulk_in", "ms", PHASE_BULK, PARTY_JULIA, measure_distributed_bulk_in },
  { "inprocess_bulk_out", "ms", PHASE_BULK, PARTY_INPROCESS, measure_inprocess_bulk_out },
  { "inprocess_native", "ns", PHASE_BULK, PARTY_INPROCESS, measure_inprocess_native },
  { "inprocess_direct", "ns", PHASE_BULK, PARTY_INPROCESS, measure_inprocess_direct },
  { "memcpy", "ms", PHASE_BULK, PARTY_NONE, measure_memcpy },
  { "cpu_idle", "s", PHASE_IDLE, PARTY_NONE, measure_idle },
};

static gboolean
has_backend (const char *name)
{
  g_autoptr (MaltBackend) backend = malt_backend_lookup (name, NULL);

  return backend != NULL;
}

/* A library may have been built without a backend. */
static gboolean
is_possible (BenchParty party)
{
  switch (party)
    {
    case PARTY_INPROCESS:
      return has_backend (INPROCESS_BACKEND);
    case PARTY_BRIDGED:
      return has_backend (BENCH_BRIDGED_BACKEND);
    case PARTY_NONE:
    case PARTY_JULIA:
    default:
      return TRUE;
    }
}

static gboolean
is_wanted (Bench *bench, guint index)
{
  if (!is_possible (measurements[index].party))
    return FALSE;
  return !bench->only ||
         g_strv_contains ((const char *const *) bench->only, measurements[index].name);
}

static gboolean
measure_round (Bench *bench, BenchPhase phase, const char *regime, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (measurements); i++)
    {
      g_autofree char *key = NULL;
      double value;

      if (measurements[i].phase != phase || !is_wanted (bench, i))
        continue;
      value = measurements[i].measure (bench, error);
      if (value < 0)
        {
          g_prefix_error (error, "%s: ", measurements[i].name);
          return FALSE;
        }
      key = g_strconcat (measurements[i].name, regime, "_", measurements[i].unit, NULL);
      bench_samples_add (bench->samples, key, value);
    }
  return TRUE;
}

static void
pin_all (Bench *bench, int host_processor, int worker_processor)
{
  bench_pin (getpid (), host_processor);
  bench_pin (malt_worker_get_pid (bench->worker), worker_processor);
  bench_pin (bench->echo.pid, worker_processor);
  if (bench->distributed)
    bench_driven_pin (bench->distributed, host_processor, worker_processor);
  if (bench->inprocess)
    bench_driven_pin (bench->inprocess, host_processor, worker_processor);
  if (bench->bridged)
    bench_bridged_pin (bench->bridged, worker_processor);
}

static gboolean
measure_round_trips (Bench *bench, GError **error)
{
  BenchProcessors processors;
  gboolean is_done;

  bench_get_processors (&processors);
  pin_all (bench, processors.processors[0], processors.processors[0]);
  is_done = measure_round (bench, PHASE_ROUND_TRIP, "", error);
  if (is_done && processors.n_processors > 1)
    {
      pin_all (bench, processors.processors[0], processors.processors[1]);
      is_done = measure_round (bench, PHASE_ROUND_TRIP, "_2core", error);
    }
  pin_all (bench, -1, -1);
  return is_done;
}

static gboolean
measure_all (Bench *bench, GError **error)
{
  for (BenchPhase phase = PHASE_LAUNCH; phase <= PHASE_IDLE; phase++)
    {
      guint n = bench->is_quick ? n_quick_rounds[phase] : n_rounds[phase];

      for (guint i = 0; i < n; i++)
        if (!(phase == PHASE_ROUND_TRIP ? measure_round_trips (bench, error)
                                        : measure_round (bench, phase, "", error)))
          return FALSE;
    }
  return TRUE;
}

static gboolean
needs (Bench *bench, BenchParty party)
{
  for (guint i = 0; i < G_N_ELEMENTS (measurements); i++)
    if (is_wanted (bench, i) && measurements[i].party == party)
      return TRUE;
  return FALSE;
}

/* The worker itself says which julia it is, so that all figures are of the same one. */
static gboolean
find_julia (Bench *bench, GError **error)
{
  g_autoptr (MaltValue) path = malt_worker_remote_eval_fetch (
      bench->worker, NULL, "joinpath(Sys.BINDIR, Base.julia_exename())", NULL, error);
  const char *text = path ? malt_value_as_string (path, error) : NULL;

  bench->julia = g_strdup (text);
  bench->version = malt_worker_dup_julia_version (bench->worker);
  return text != NULL;
}

/* First calls compile; what is compared is warm on both sides. */
static gboolean
warm_up (MaltWorker *worker, GError **error)
{
  bench_worker_settle (worker);
  return bench_worker_call (worker, CALLS, error) >= 0 &&
         bench_worker_eval (worker, CALLS, error) >= 0 &&
         bench_worker_error (worker, 1, error) >= 0;
}

static BenchDriven *
start_distributed (const char *julia, GError **error)
{
  static const char script[] = BENCH_SOURCE_DIR "/distributed.jl";
  const char *arguments[] = { julia, "--startup-file=no", "--color=no", script, NULL };

  return bench_driven_start (arguments, error);
}

/* A second launch finds compiled what every launch needs. */
static BenchBridged *
start_bridged (const char *julia, GError **error)
{
  g_autoptr (BenchBridged) bridged = bench_bridged_start (julia, error);

  if (!bridged || bench_bridged_launch_next (bridged, error) < 0 ||
      !warm_up (bridged->worker, error))
    return NULL;
  return g_steal_pointer (&bridged);
}

static gboolean
start_all (Bench *bench, GError **error)
{
  bench->worker = bench_worker_start (bench->config, error);
  if (!bench->worker || !find_julia (bench, error) || !warm_up (bench->worker, error))
    return FALSE;
  if (needs (bench, PARTY_JULIA))
    bench->distributed = start_distributed (bench->julia, error);
  if (!bench->distributed && needs (bench, PARTY_JULIA))
    return FALSE;
  if (needs (bench, PARTY_BRIDGED))
    bench->bridged = start_bridged (bench->julia, error);
  if (!bench->bridged && needs (bench, PARTY_BRIDGED))
    return FALSE;
  /* Also finds out where this Julia's library is, for all that are started later. */
  if (needs (bench, PARTY_INPROCESS))
    bench->inprocess = bench_inprocess_serve (bench->julia, error);
  return bench->inprocess || !needs (bench, PARTY_INPROCESS);
}

static void
stop_all (Bench *bench)
{
  g_clear_pointer (&bench->inprocess, bench_driven_stop);
  g_clear_pointer (&bench->bridged, bench_bridged_stop);
  g_clear_pointer (&bench->distributed, bench_driven_stop);
  g_clear_pointer (&bench->worker, bench_worker_stop);
  bench_echo_stop (&bench->echo);
  g_clear_object (&bench->config);
  g_clear_pointer (&bench->samples, bench_samples_free);
  g_clear_pointer (&bench->julia, g_free);
  g_clear_pointer (&bench->version, g_free);
  g_clear_pointer (&bench->bulk[0], g_free);
  g_clear_pointer (&bench->bulk[1], g_free);
  g_clear_pointer (&bench->only, g_strfreev);
}

static gboolean
print_report (Bench *bench)
{
  const char *backend = malt_worker_get_backend_name (bench->worker);
  const char *transport = malt_config_get_for (bench->config, backend, "transport");
  const BenchFact facts[] = {
    { "julia", bench->julia },
    { "julia_version", bench->version },
    { "backend", backend },
    { "transport", transport ? transport : DEFAULT_TRANSPORT },
    { "mode", bench->is_quick ? "quick" : "full" },
  };

  if (bench->is_json)
    return bench_print_json (bench->samples, facts, G_N_ELEMENTS (facts));
  bench_print_table (bench->samples, facts, G_N_ELEMENTS (facts));
  return TRUE;
}

static gboolean
run (Bench *bench, GError **error)
{
  /* The echo is a fork: it comes before anything that starts threads. */
  if (!bench_echo_start (&bench->echo, error) || !start_all (bench, error) ||
      !measure_all (bench, error))
    return FALSE;
  if (print_report (bench) && fflush (stdout) == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       "cannot write to standard output");
  return FALSE;
}

static gboolean
check_names (char **names, GError **error)
{
  for (char **name = names; name && *name; name++)
    {
      gboolean is_known = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (measurements); i++)
        is_known = is_known || g_str_equal (*name, measurements[i].name);
      if (is_known)
        continue;
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "nothing is called '%s'", *name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
parse (Bench *bench, int argc, char **argv, GError **error)
{
  g_autofree char *only = NULL;
  g_autofree char *julia = NULL;
  g_autofree char *backend = NULL;
  g_autofree char *transport = NULL;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &bench->is_json, "Print one JSON object", NULL },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &bench->is_quick, "Take about a minute", NULL },
    { "only", 0, 0, G_OPTION_ARG_STRING, &only, "Measure these alone", "NAME,..." },
    { "julia", 0, 0, G_OPTION_ARG_FILENAME, &julia, "Use this julia", "PATH" },
    { "backend", 0, 0, G_OPTION_ARG_STRING, &backend, "Measure this backend", "NAME" },
    { "transport", 0, 0, G_OPTION_ARG_STRING, &transport, "Measure this transport",
      "NAME" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   "expected no argument, got '%s'", argv[1]);
      return FALSE;
    }
  bench->only = only ? g_strsplit (only, ",", -1) : NULL;
  bench->n_calls = bench->is_quick ? QUICK_CALLS : CALLS;
  if (backend)
    malt_config_set_backend (bench->config, backend);
  if (transport)
    malt_config_set_for (bench->config, PROCESS_BACKEND, "transport", transport);
  if (julia)
    malt_config_set (bench->config, "julia", julia);
  return check_names (bench->only, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { 0 };
  int status = 0;

  if (argc > 1 && g_str_equal (argv[1], BENCH_INPROCESS_OPTION))
    return bench_inprocess_main (argc, argv);
  bench.samples = bench_samples_new ();
  bench.config = malt_config_new_default (&error);
  if (!bench.config || !parse (&bench, argc, argv, &error) || !run (&bench, &error))
    {
      fprintf (stderr, "malt-bench: %s\n", error->message);
      status = error->domain == G_OPTION_ERROR ? 2 : 1;
    }
  stop_all (&bench);
  return status;
}
