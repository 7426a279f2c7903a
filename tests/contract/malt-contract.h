/* SPDX-License-Identifier: MIT */
/* The contract suite: what it is run over, and what its tests share. */
#pragma once

#include "contract-host.h"
#include "malt-test.h"

G_BEGIN_DECLS

/*
 * A test is a function that asserts. It asks for a worker, contract_shared() if it leaves
 * it as it was, contract_launch() if it ends it, and for calls in the words below, which
 * every dialect knows. Decisions are made by capability bits, never by names of backends.
 * A test that needs Julia's semantics is marked as such and not run over evaluators that
 * do not speak Julia.
 */

/* How long an event that must come may take. Longer than any machine needs, shorter than
 * the watchdog's patience. */
#define CONTRACT_DEADLINE_MS 60000

/* What a call asks of the evaluator. All take at most one argument. */
typedef enum
{
  CONTRACT_ECHO, /* the argument */
  CONTRACT_THROW, /* an ErrorException with the text given */
  CONTRACT_UNENCODABLE, /* a value that cannot be encoded */
  CONTRACT_NEVER, /* waits for ever */
  CONTRACT_SLEEP_MS, /* waits, then the argument */
  CONTRACT_STUBBORN_MS, /* as sleep, where nothing can interrupt it */
  CONTRACT_SPIN_MS, /* hogs the evaluator, then the argument; 0: for ever */
  CONTRACT_RECORD, /* appends the argument to a list; gives the argument */
  CONTRACT_RECORD_LATER, /* the same after as many milliseconds */
  CONTRACT_RECORDED, /* the list, as a Vector{Int64} */
  CONTRACT_FORGET_RECORD, /* empties the list */
  CONTRACT_PRINT, /* writes the text given to standard output */
  CONTRACT_EXIT, /* ends the evaluator's process with the status given */
  CONTRACT_DIE, /* ends it by the signal given */
  CONTRACT_N_WORDS,
} ContractWord;

/* How to say these things to an evaluator. */
typedef struct
{
  gboolean is_julia;
  const char *setup; /* (nullable): evaluated first in each worker */
  const char *words[CONTRACT_N_WORDS]; /* functions of calls */
  const char *source_two; /* source text whose value is the Int64 2 */
  const char
      *source_channel; /* format for a count N: a channel with 1 to N in it, open */
  const char *source_closing_channel; /* the same, closed behind them */
} ContractDialect;

extern const ContractDialect contract_dialect_julia;
extern const ContractDialect contract_dialect_fake;

typedef struct
{
  const char *name;
  void (*run) (void);
  gboolean needs_julia;
} ContractTest;

/* What the suite is run over. */
typedef struct
{
  const char *backend;
  const char *const *options; /* (nullable): texts KEY=VALUE, ended by NULL */
  const ContractDialect *dialect;
  const ContractTest *
      own_tests; /* (nullable): what only this backend can be asked, as faults of a fake one */
} ContractSubject;

#define CONTRACT_TEST(function) \
  {                             \
#function, function, FALSE  \
  }
#define CONTRACT_JULIA_TEST(function) \
  {                                   \
#function, function, TRUE         \
  }
#define CONTRACT_END  \
  {                   \
    NULL, NULL, FALSE \
  }

/* One table for each rule, ended by CONTRACT_END. */
extern const ContractTest contract_b01[], contract_b02[], contract_b03[], contract_b04[],
    contract_b05[], contract_b06[], contract_b07[], contract_b08[], contract_b09[],
    contract_b10[], contract_b11[], contract_b12[], contract_b13[], contract_b14[],
    contract_b15[], contract_b16[], contract_b17[], contract_b18[], contract_stress[],
    contract_remains[];

/* Runs the suite as the arguments say: [--backend NAME] [--option KEY=VALUE]... [--rule
 * RULE]... [--test TEXT] [--keep-one] [--list]. Arguments win over @subject. Returns the
 * exit status of the program. */
int contract_main (int argc, char **argv, const ContractSubject *subject);

const ContractSubject *contract_get_subject (void);
const ContractDialect *contract_get_dialect (void);
guint contract_get_n_descriptors_at_start (void);

/* The role of a host that dies, played by a second process of this program (b15). */
#define CONTRACT_DOOMED_HOST_OPTION "--doomed-host"
int contract_play_doomed_host (void);

/* Assertions are those of malt-test.h, in the thread of the test only. */

/* Says on standard error what was seen instead of what was expected. From any thread. */
void contract_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Workers */

MaltConfig *contract_config_new (void);
MaltWorker *contract_launch (void);
MaltWorker *contract_launch_with (const char *key, const char *value);
gboolean contract_lends_output (void);
MaltWorker *contract_launch_with_output (const char *output);
MaltWorker *contract_launch_config (MaltConfig *config);
MaltWorker *contract_shared (void);
void contract_drop_shared (void);
gboolean contract_keep_one (void);
/* The shared one and the kept one. */
void contract_drop_all (void);
gboolean contract_can (MaltWorker *worker, MaltCapabilities capability);
void contract_end_abruptly (MaltWorker *worker);
guint contract_count_processes (void);
gboolean contract_has_runtime_here (void);

/* Calls */

MaltCall *contract_call (ContractWord word);
MaltCall *contract_call_int (ContractWord word, gint64 argument);
MaltCall *contract_call_text (ContractWord word, const char *argument);
MaltFuture *contract_start (MaltWorker *worker, ContractWord word);
MaltFuture *contract_start_int (MaltWorker *worker, ContractWord word, gint64 argument);
MaltFuture *contract_start_text (MaltWorker *worker, ContractWord word,
                                 const char *argument);

/* These wait, and say what they saw if it is not what they want. From any thread. */
gboolean contract_is_done_soon (MaltFuture *future);
gboolean contract_gives_int (MaltFuture *future, gint64 expected);
gboolean contract_fails (MaltFuture *future, MaltError code);
gboolean contract_throws (MaltFuture *future, const char *exception_type);
gboolean contract_works (MaltWorker *worker);
gboolean contract_evals_to (MaltWorker *worker, const char *source, const char *expected);
gboolean contract_dup_record (MaltWorker *worker, GArray **out_record);

/* Main contexts */

typedef gboolean (*ContractPredicate) (gpointer data);

/* Runs the thread's main context until @is_true says so. FALSE: it did not within @timeout_ms. */
gboolean contract_until (ContractPredicate is_true, gpointer data, gint64 timeout_ms);

typedef void (*ContractReadyFunc) (gpointer data);

/* Where contract_on_ready() puts what it is called with. Start from { 0 }, and clear it:
 * a callback that comes later, since an assertion failed meanwhile, then finds
 * nothing. */
typedef struct
{
  /* (owned) (nullable): what the callback is given; its own if it comes after the end */
  gpointer ticket;
  ContractReadyFunc on_ready; /* (nullable): is run first, by the callback */
  gpointer data; /* (unowned): of on_ready */
  GAsyncResult *result; /* (owned) */
  guint n_calls;
  GThread *thread;
  gboolean is_starting; /* set by the test around the starting call */
  gboolean was_inside; /* the callback came while is_starting was set */
  GArray *order; /* (unowned) (nullable): of int: where it appends its number */
  int number;
} ContractAwait;

/* The user data of contract_on_ready(), for one call. */
gpointer contract_expect (ContractAwait *await);
void contract_on_ready (GObject *source, GAsyncResult *result, gpointer user_data);
gboolean contract_await (ContractAwait *await);
void contract_await_clear (ContractAwait *await);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ContractAwait, contract_await_clear)

/* A main context of its own for the thread, from push to pop. */
typedef GMainContext ContractContext;
ContractContext *contract_context_push (void);
void contract_context_pop (ContractContext *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ContractContext, contract_context_pop)

/* Threads */

typedef void (*ContractThreadFunc) (guint index, gpointer data);

/* Runs @func in @n_threads threads at once, and waits for all of them. */
void contract_in_threads (guint n_threads, ContractThreadFunc func, gpointer data);

static inline gint64
contract_now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

G_END_DECLS
