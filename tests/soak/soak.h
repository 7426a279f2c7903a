/* SPDX-License-Identifier: MIT */
/* What the parts of the soak share.
 *
 * Some threads run operations on a few workers that they share, and on workers of
 * their own. Which operation a thread runs as its n-th, and with which numbers,
 * follows from the seed, the thread and n alone; how they meet does not. Every value
 * is a function of its call, so each answer can be judged by itself. What is not as it
 * must be is a fault: it is counted by kind and told on standard error. */
#pragma once

#include <malt/malt.h>

G_BEGIN_DECLS

typedef struct _SoakThread SoakThread;
typedef struct _SoakWorker SoakWorker;

/* Options: malt-soak.c */

/* How many times as long it takes at most, where the machine is too busy for all
 * operations to come often enough. */
#define SOAK_STRETCH 3

typedef struct
{
  char *backend; /* (owned) */
  char **only; /* (owned) (nullable): operations to run; the others are not */
  char **without; /* (owned) (nullable): operations that are not run */
  char *fault; /* (owned) (nullable): the fault to plant */
  gint64 seed;
  int n_seconds;
  int n_loops; /* busy loops beside it */
  int n_threads;
  int patience_s; /* for an answer; for the result of an interrupt, half of it */
  gboolean is_traced; /* each operation is told as it begins */
  gboolean is_short_of_memory; /* this is the host that is: soak-memory.c */
} SoakOptions;

const SoakOptions *soak_get_options (void);
/* Of the backend's workers as they are launched here. */
gboolean soak_can (MaltCapabilities capability);

/* Operations: a table in each of soak-plain.c, soak-interrupts.c, soak-ends.c, soak-
 * host.c, soak-memory.c */

typedef struct
{
  const char *name;
  guint weight; /* how many cards of a deck; 0: other operations do it on the way */
  MaltCapabilities needs;
  void (*run) (SoakThread *thread);
} SoakOperation;

#define SOAK_OPERATIONS_END \
  {                         \
    NULL, 0, 0, NULL        \
  }

extern const SoakOperation soak_plain[];
extern const SoakOperation soak_interrupts[];
extern const SoakOperation soak_ends[];
extern const SoakOperation soak_host[];
extern const SoakOperation soak_memory[];

/* Threads: soak-threads.c */

struct _SoakThread
{
  guint index;
  GThread *thread; /* (owned) */
  GMainContext *context; /* (owned): the thread-default one */
  GQueue *landed; /* (owned): the flights of late, the last one first */

  /* Of the operation that runs, also read by the watch: under the lock of soak-
   * threads.c. */
  const SoakOperation *operation; /* (nullable): none runs */
  guint number;
  gint64 since_us;
  GCancellable *cancellable; /* (owned) (nullable): fires at the deadline */
  gint64 deadline_us;

  GRand *random; /* (owned) (nullable): of the operation that runs */
};

/* Runs operations in all threads for @n_ms, or, where they have not come often enough,
 * at most @most_ms. */
void soak_threads_run (gint64 n_ms, gint64 most_ms);
/* Fires the cancellables that are due. How long the operation has taken that has taken
 * longest. */
gint64 soak_threads_look (void);
/* Says what each thread does and which answers are missing. Any thread. */
void soak_threads_describe (void);
/* Names of the operations that are run; of those that this backend cannot do.
 * (transfer container) */
GPtrArray *soak_operations_possible (void);
GPtrArray *soak_operations_impossible (void);
gboolean soak_operation_exists (const char *name);

/* A cancellable that fires when the patience is over (borrowed: until the next one). */
GCancellable *soak_patience (SoakThread *self, int n_seconds);

gint64 soak_random (SoakThread *self, gint64 begin, gint64 end);
gboolean soak_chance (SoakThread *self, int n_in_100);
void soak_wait_us (SoakThread *self, gint64 most_us);

/* The watch: soak-watch.c. Fires cancellables that are due; ends the program where one
 * operation, or all of it, takes too long. */

void soak_watch_start (void);

/* The tally: soak-tally.c */

typedef enum
{
  SOAK_DEAD, /* a worker ended, and nobody had asked for it */
  SOAK_LOST, /* a call had no answer */
  SOAK_MISDIRECTED, /* an interrupt hit a call that was not meant, or nothing was meant */
  SOAK_UNANSWERED, /* an interrupt had no result */
  SOAK_TWICE, /* a call was answered or run twice */
  SOAK_WRONG, /* a value, an error or an end that is not that of the call */
  SOAK_UNTRUE, /* an interrupt's result is not what became of the call */
  SOAK_UNDELIVERED, /* an interrupt did not reach what it must reach */
  SOAK_CRITICAL, /* the library or GLib logged a warning */
  SOAK_HUNG, /* an operation did not end */
  SOAK_N_FAULTS,
} SoakFault;

/* Before anything is told. */
gboolean soak_streams_open (void);
void soak_fault (SoakFault fault, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* A line on standard error that is not a fault. */
void soak_note (const char *format, ...) G_GNUC_PRINTF (1, 2);
void soak_count_operation (const char *name);
void soak_count_interrupt (const char *kind, MaltInterruptResult result, gint64 took_us);
void soak_count_launch (void);

typedef struct
{
  guint n_processes;
  guint n_descriptors; /* more than there were */
  guint n_threads; /* more than there were */
  guint n_files;
  gint64 memory_kib; /* more than there was; may be less than 0 */
} SoakRemains;

/* Has each operation come as often as the seconds ask for? */
gboolean soak_has_enough (void);
/* Prints the line, and says whether all is well. */
gboolean soak_report (const SoakRemains *remains);

/* What is there of the host and its workers: soak-remains.c */

gboolean soak_remains_prepare (void);
/* Takes note of the process of a worker. */
void soak_remains_note (gint64 pid);
void soak_remains_exclude (gint64 pid);
/* When the first worker is gone, and after the first tenth: what the end is measured against. */
void soak_remains_take_first (void);
void soak_remains_take_tenth (void);
/* Waits until nothing is left, or patience is over. */
void soak_remains_look (SoakRemains *out_remains);
/* Ends what is left, so that it does not stay on this machine. */
void soak_remains_clear (void);

/* Shortage: soak-host.c */

guint soak_shortages_count (void);
/* Was there a shortage since there had been so many, and is that what the error says? */
gboolean soak_shortage_explains (const GError *error, guint n_before);
/* Waits until there is none. */
void soak_shortage_await (void);

/* Shortage of memory: soak-memory.c */

/* Starts the host that is short, if that is wanted. */
gboolean soak_memory_begin (GError **error);
void soak_memory_end (void);
/* Is that host. */
gboolean soak_memory_serve (GError **error);

/* Workers: soak-workers.c */

/* Reads soak.jl, for there may be no descriptor later. */
gboolean soak_workers_prepare (GError **error);

struct _SoakWorker
{
  gatomicrefcount n_references;
  MaltWorker *worker; /* (owned) (nullable): NULL: its only user has dropped it */
  char *summary; /* (owned) */
  gint is_doomed; /* (atomic): its end was asked for */
  gint is_noted; /* (atomic): its unwanted end was counted */
};

/* NULL, with a fault, if there is none. Set up: with soak.jl and the host function. */
SoakWorker *soak_worker_launch (SoakThread *thread, gboolean is_set_up);
/* One of those that are shared. */
SoakWorker *soak_worker_share (SoakThread *thread);
SoakWorker *soak_worker_ref (SoakWorker *self);
void soak_worker_unref (SoakWorker *self);
/* Has it ended, although nobody asked for it? */
void soak_worker_check (SoakWorker *self);
/* From now on its end is no fault. */
void soak_worker_doom (SoakWorker *self);
/* Is it what an operation may meet if the worker was doomed? Otherwise a fault was
 * counted. */
gboolean soak_worker_may_have_ended (SoakWorker *self, const GError *error,
                                     const char *what);
/* Ends all that are shared. */
void soak_workers_end (void);
MaltConfig *soak_config_new (SoakThread *thread);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SoakWorker, soak_worker_unref)

/* Flights, calls that are under way: soak-flights.c */

typedef enum
{
  SOAK_MAY_ONLY_ANSWER = 0,
  SOAK_MAY_BE_CANCELLED = 1 << 0,
  SOAK_MAY_TIME_OUT = 1 << 1,
  SOAK_MAY_BE_INTERRUPTED = 1 << 2,
  SOAK_MAY_THROW = 1 << 3,
} SoakMay;

typedef enum
{
  SOAK_LANDED_VALUE,
  SOAK_LANDED_CANCELLED,
  SOAK_LANDED_TIMED_OUT,
  SOAK_LANDED_INTERRUPTED,
  SOAK_LANDED_THROWN,
  SOAK_LANDED_ENDED, /* the worker had been doomed */
  SOAK_LANDED_FAULT, /* which was counted */
} SoakLanding;

typedef struct
{
  const char *what; /* (unowned) static: the operation */
  gint64 id;
  SoakThread *thread; /* (unowned) */
  SoakWorker *worker; /* (owned) */
  MaltFuture *future; /* (owned) */
  gint64 since_us;
  gint n_answers; /* (atomic) */
  MaltValue *value; /* (owned) (nullable) */
  GError *error; /* (owned) (nullable) */
  gboolean is_landed;
  gboolean is_lost; /* a fault was counted; its answer may still come */
} SoakFlight;

gint64 soak_next_id (SoakThread *thread);
/* Takes the call. The flight belongs to its thread. */
SoakFlight *soak_fly (SoakThread *thread, SoakWorker *worker, gint64 id, MaltCall *call);
SoakFlight *soak_fly_source (SoakThread *thread, SoakWorker *worker, gint64 id,
                             const char *format, ...) G_GNUC_PRINTF (4, 5);
/* A function of soak.jl, of the id and one number. */
SoakFlight *soak_fly_function (SoakThread *thread, SoakWorker *worker, gint64 id,
                               const char *function, gint64 argument);
SoakLanding soak_land (SoakFlight *self, SoakMay may);
/* It lands, and its value is that number. */
SoakLanding soak_land_int (SoakFlight *self, SoakMay may, gint64 expected);
/* Interrupts its call, and counts that as one of a kind. FALSE, with a fault: there is
 * no result. */
gboolean soak_interrupt (SoakFlight *flight, const char *kind,
                         MaltInterruptResult *out_result);
/* All answers of a thread that ends have come, each once. */
void soak_flights_end (SoakThread *thread);
void soak_flights_describe (void);

/* Faults that are planted: soak-breaks.c */

gboolean soak_break_exists (const char *name);
/* Planted faults come once, and not before this. */
void soak_breaks_begin (void);
gboolean soak_break_is_pending (void);
gboolean soak_break_is_due (const char *name);
/* Those that need no answer. */
void soak_break_host (void);

G_END_DECLS
