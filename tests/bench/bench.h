/* SPDX-License-Identifier: MIT */
/* What the parts of the benchmark share. */
#pragma once

#include <malt/malt.h>

G_BEGIN_DECLS

/* Bytes in a message of the socket echo, and in the arrays of the bulk figures. */
enum
{
  BENCH_ECHO_BYTES = 64,
  BENCH_BULK_ELEMENTS = 6250000,
  BENCH_BULK_BYTES = BENCH_BULK_ELEMENTS * 8,
};

/* bench-samples.c: figures by key. A key's figure is the median of what its rounds
 * measured. */

typedef struct _BenchSamples BenchSamples;

BenchSamples *bench_samples_new (void);
void bench_samples_free (BenchSamples *samples);
void bench_samples_add (BenchSamples *samples, const char *key, double value);
/* Keys in the order in which they were first added. */
const char *bench_samples_get_key (BenchSamples *samples, guint index);
/* A negative number if nothing was measured under that key. */
double bench_samples_get_median (BenchSamples *samples, const char *key);
double bench_median (GArray *doubles);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchSamples, bench_samples_free)

/* bench-clock.c: time, and the processors that threads may use. */

double bench_now_us (void);
double bench_process_seconds (gint64 pid);

typedef struct
{
  guint n_processors; /* that this process may use */
  int processors[2]; /* the first two of them */
} BenchProcessors;

void bench_get_processors (BenchProcessors *out_processors);
/* Lets all threads of a process run on one processor only; negative: on every
 * processor of before. */
void bench_pin (gint64 pid, int processor);
/* The same with a processor for its main thread and one for all others. */
void bench_pin_parts (gint64 pid, int main_processor, int other_processor);

/* bench-echo.c: a process that sends back what it receives over a TCP connection. */

typedef struct
{
  int descriptor;
  gint64 pid;
} BenchEcho;

gboolean bench_echo_start (BenchEcho *out_echo, GError **error);
void bench_echo_stop (BenchEcho *echo);
double bench_echo_measure (BenchEcho *echo, guint n, GError **error);

/* bench-driven.c: a process that measures on command, and does nothing else:
 * distributed.jl, or this program as a host of an in-process worker. */

typedef struct _BenchDriven BenchDriven;

BenchDriven *bench_driven_start (const char *const *arguments, GError **error);
void bench_driven_stop (BenchDriven *driven);
double bench_driven_measure (BenchDriven *driven, const char *command, guint n,
                             GError **error);
/* Its host may be the worker, too: then the main thread is one side and all others are
 * the other. */
void bench_driven_pin (BenchDriven *driven, int host_processor, int worker_processor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchDriven, bench_driven_stop)

/* bench-inprocess.c: Julia in this process. It can be started once in each, so these are
 * for processes of their own. */

/* A new process, from its start to the first answer: in microseconds. */
double bench_inprocess_start (const char *julia, GError **error);
BenchDriven *bench_inprocess_serve (const char *julia, GError **error);

/* What main() does in such a process. The exit status. */
#define BENCH_INPROCESS_OPTION "--inprocess-host"
int bench_inprocess_main (int argc, char **argv);

/* bench-worker.c: the same with a worker of this library. Times of @n repetitions:
 * their median, in microseconds. */

MaltWorker *bench_worker_start (MaltConfig *config, GError **error);
void bench_worker_stop (MaltWorker *worker);
void bench_worker_settle (MaltWorker *worker);
double bench_worker_launch (MaltConfig *config, GError **error);
double bench_worker_launch_kept (MaltConfig *config, MaltWorker **out_worker,
                                 GError **error);
double bench_worker_call (MaltWorker *worker, guint n, GError **error);
double bench_worker_call_spaced (MaltWorker *worker, guint n, GError **error);
double bench_worker_eval (MaltWorker *worker, guint n, GError **error);
double bench_worker_error (MaltWorker *worker, guint n, GError **error);
double bench_worker_bulk_out (MaltWorker *worker, guint n, GError **error);
double bench_worker_bulk_in (MaltWorker *worker, guint n, GError **error);
double bench_worker_idle (MaltWorker *worker, double seconds, GError **error);
double bench_julia_startup (const char *julia, GError **error);

/* bench-bridged.c: a worker of the distributed backend, and the bridge that it stands behind. */

#define BENCH_BRIDGED_BACKEND "distributed"

typedef struct
{
  MaltConfig *config; /* (owned) */
  MaltWorker *worker; /* (owned) */
  gint64 bridge_pid;
} BenchBridged;

BenchBridged *bench_bridged_start (const char *julia, GError **error);
void bench_bridged_stop (BenchBridged *bridged);
/* Both the worker and the bridge are what the host is not. */
void bench_bridged_pin (BenchBridged *bridged, int processor);
/* Times in microseconds: of the first worker, for which a bridge is started, and of one
 * more behind the bridge that is there. */
double bench_bridged_launch_first (const char *julia, GError **error);
double bench_bridged_launch_next (BenchBridged *bridged, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchBridged, bench_bridged_stop)

/* bench-report.c: figures, as a table and as JSON. */

typedef struct
{
  const char *name;
  const char *value;
} BenchFact;

gboolean bench_print_json (BenchSamples *samples, const BenchFact *facts, guint n_facts);
void bench_print_table (BenchSamples *samples, const BenchFact *facts, guint n_facts);

G_END_DECLS
