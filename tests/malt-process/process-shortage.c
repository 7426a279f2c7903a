/* SPDX-License-Identifier: MIT */
/* A host that is short of descriptors, threads or memory: each operation succeeds or
 * fails with MALT_ERROR_RESOURCES, and succeeds when the limit has been lifted. Nothing
 * is lost, and nothing is left behind.
 *
 * A limit is one of a whole process. So each case is this program again: `live LIMIT N`
 * launches and ends workers with so many left; `work FIRST LAST` does everything else
 * with a worker that runs, under these limits and for all their numbers. */
#include "process-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  MAX_LEFT = 8,
  MAX_DESCRIPTORS = 64,
  N_AT_ONCE = 4,
  N_TRIES = 4,
  N_KEPT = 3, /* descriptors of a process that has used the library */
  SETTLING_MS = 200,
  STRANGER = 54321, /* a user who runs nothing else */
  PATIENCE_S = 300
};

#define JULIA "MALT_TEST_SHORTAGE_JULIA" /* the program, in the environment of cases */

/* Limits */

typedef struct
{
  const char *name;
  guint first; /* numbers that are left */
  guint last;
  gboolean is_inherited; /* a julia that it hits says so itself, and is not launched */
  gboolean (*prepare) (void); /* (nullable) */
  gboolean (*shorten) (guint n_left);
  gboolean (*lift) (void);
} Limit;

static int held[MAX_DESCRIPTORS];
static guint n_held;

static gboolean
limit_descriptors (void)
{
  struct rlimit limit = { MAX_DESCRIPTORS, MAX_DESCRIPTORS };

  return setrlimit (RLIMIT_NOFILE, &limit) == 0;
}

static gboolean
take_descriptors (guint n_left)
{
  while ((held[n_held] = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    n_held++;
  for (; n_left > 0; n_left--)
    close (held[--n_held]);
  return errno == EMFILE;
}

static gboolean
give_descriptors_back (void)
{
  while (n_held > 0)
    close (held[--n_held]);
  return TRUE;
}

/* Root has no limit of processes. The right to read stays, also in what is launched: a
 * julia may lie where only root may look. */
static gboolean
become_stranger (void)
{
  const guint32 readers = 1u << CAP_DAC_READ_SEARCH;
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct sets[2] = { { readers, readers, readers }, { 0 } };

  return prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setgid (STRANGER) == 0 &&
         setuid (STRANGER) == 0 && syscall (SYS_capset, &header, sets) == 0 &&
         prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) == 0 &&
         prctl (PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static gboolean
set_soft_limit (__rlimit_resource_t resource, rlim_t n)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) != 0)
    return FALSE;
  limit.rlim_cur = MIN (n, limit.rlim_max);
  return setrlimit (resource, &limit) == 0;
}

static gboolean
limit_processes (guint n_left)
{
  return set_soft_limit (RLIMIT_NPROC, n_left);
}

static gboolean
lift_processes (void)
{
  return set_soft_limit (RLIMIT_NPROC, RLIM_INFINITY);
}

static gboolean
limit_memory (guint n_left)
{
  g_autofree char *text = NULL;
  guint64 n_pages;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return FALSE;
  n_pages = g_ascii_strtoull (text, NULL, 10);
  return set_soft_limit (RLIMIT_AS,
                         n_pages * (guint64) getpagesize () + ((guint64) n_left << 20));
}

static gboolean
lift_memory (void)
{
  return set_soft_limit (RLIMIT_AS, RLIM_INFINITY);
}

/* Those that only root can try come last. */
static const Limit limits[] = {
  { "descriptors", 0, MAX_LEFT, FALSE, limit_descriptors, take_descriptors,
    give_descriptors_back },
  { "MiB", 32, 32, TRUE, NULL, limit_memory, lift_memory },
  { "processes", 0, 0, FALSE, become_stranger, limit_processes, lift_processes },
};

/* Operations: TRUE if the result is right; where there is no error, it is a wrong one. */

typedef struct
{
  const Limit *limit; /* (unowned) */
  MaltConfig *config; /* (owned) */
  GPtrArray *workers; /* (owned): of MaltWorker; the first one is worked with */
  MaltWorker *worker; /* (unowned) (nullable): that one */
  MaltFuture *waiting; /* (owned) (nullable): a call that has no answer yet */
  MaltChannel *channel; /* (owned) (nullable): holds one item */
  gint64 n_put;
  gint64 n_taken;
} Bench;

typedef struct
{
  const char *name;
  gboolean (*run) (Bench *bench, GError **error);
} Operation;

static gboolean
launch (Bench *bench, GError **error)
{
  MaltWorker *worker = malt_worker_launch (bench->config, NULL, error);

  if (worker != NULL)
    g_ptr_array_add (bench->workers, worker);
  return worker != NULL;
}

static gboolean
stop (Bench *bench, GError **error)
{
  return malt_worker_stop (g_ptr_array_index (bench->workers, 1), NULL, error);
}

static gboolean
drop_all (Bench *bench, G_GNUC_UNUSED GError **error)
{
  g_ptr_array_set_size (bench->workers, 0);
  return TRUE;
}

static gboolean
read_config (G_GNUC_UNUSED Bench *bench, GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new_default (error);

  return config != NULL;
}

static gboolean
is_int (MaltValue *value, gint64 expected)
{
  return value != NULL && malt_value_get_kind (value) == MALT_VALUE_INT64 &&
         malt_value_get_int64 (value) == expected;
}

static gboolean
call (Bench *bench, GError **error)
{
  g_autoptr (MaltCall) identity = malt_call_new ("identity");
  g_autoptr (MaltValue) value = NULL;

  malt_call_take_argument (identity, malt_value_new_int64 (7));
  value = malt_worker_remote_call_fetch (bench->worker, identity, NULL, error);
  return is_int (value, 7);
}

static gboolean
fetch_with_cancellable (Bench *bench, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (bench->worker, NULL, "1 + 1", cancellable, error);

  return is_int (value, 2);
}

static gboolean
wait_with_cancellable (Bench *bench, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) late = NULL;

  if (malt_future_wait (bench->waiting, 10, cancellable, &late))
    return FALSE;
  if (g_error_matches (late, MALT_ERROR, MALT_ERROR_TIMED_OUT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&late));
  return FALSE;
}

static gboolean
interrupt (MaltFuture *future, GError **error)
{
  MaltInterruptResult result =
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, error);

  if (result == MALT_INTERRUPT_DELIVERED)
    return process_test_was_interrupted (future);
  g_printerr ("\ninterrupted with the result %d\n", (int) result);
  return FALSE;
}

static gboolean
interrupt_waiting (Bench *bench, GError **error)
{
  g_autoptr (MaltFuture) future =
      malt_worker_remote_eval (bench->worker, NULL, "sleep(100)");

  return interrupt (future, error);
}

/* Beside a call that waits: only the judge can reach it. */
static gboolean
interrupt_busy (Bench *bench, GError **error)
{
  g_autoptr (MaltFuture) future =
      process_test_start_running (bench->worker, PROCESS_TEST_ALLOCATE);

  return interrupt (future, error);
}

static MaltChannel *
open_channel (Bench *bench, GError **error)
{
  return malt_worker_channel (bench->worker, NULL, "Channel{Int}(2)", NULL, error);
}

static gboolean
open_another_channel (Bench *bench, GError **error)
{
  g_autoptr (MaltChannel) channel = open_channel (bench, error);

  return channel != NULL && malt_channel_close (channel, NULL, error);
}

static gboolean
put (Bench *bench, GError **error)
{
  g_autoptr (MaltValue) value = malt_value_new_int64 (bench->n_put);
  gboolean is_put = malt_channel_put (bench->channel, value, NULL, error);

  bench->n_put += is_put ? 1 : 0;
  return is_put;
}

static gboolean
take (Bench *bench, GError **error)
{
  g_autoptr (MaltValue) value = malt_channel_take (bench->channel, NULL, error);
  gboolean is_next = is_int (value, bench->n_taken);

  bench->n_taken += is_next ? 1 : 0;
  return is_next;
}

static MaltValue *
get_five (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltValue **arguments,
          G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
          G_GNUC_UNUSED GError **error)
{
  return malt_value_new_int64 (5);
}

static gboolean
export_and_be_called (Bench *bench, GError **error)
{
  g_autoptr (MaltValue) value = NULL;

  if (!malt_worker_export_func (bench->worker, "five", get_five, NULL, NULL, 0, error))
    return FALSE;
  value = malt_worker_remote_eval_fetch (bench->worker, NULL, "Malt.host.five()", NULL,
                                         error);
  return is_int (value, 5) && malt_worker_unexport (bench->worker, "five");
}

/* In this order. */
static const Operation life[] = {
  { "read the first config", read_config },
  { "first launch", launch },
  { "second launch", launch },
  { "stop", stop },
  { "last reference", drop_all },
};

/* In an order that begins elsewhere for each number. */
static const Operation work[] = {
  { "call", call },
  { "fetch with a cancellable", fetch_with_cancellable },
  { "wait with a cancellable", wait_with_cancellable },
  { "interrupt what waits", interrupt_waiting },
  { "interrupt what is busy", interrupt_busy },
  { "open a channel", open_another_channel },
  { "put and take", put },
  { "take", take },
  { "export and be called", export_and_be_called },
  { "read a config", read_config },
};

/* Under the limit */

static gboolean
has_so_many_descriptors (gpointer n)
{
  return process_test_count_descriptors () == *(guint *) n;
}

/* What ends in threads of the library may be on its way. */
static gboolean
are_descriptors (guint n)
{
  if (process_test_wait (has_so_many_descriptors, &n, PROCESS_TEST_PATIENCE_MS))
    return TRUE;
  g_printerr ("\n%u descriptors, not %u\n", process_test_count_descriptors (), n);
  return FALSE;
}

/* A host function that cannot run throws in Julia. */
static gboolean
is_shortage (const Limit *limit, const GError *error)
{
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES) ||
         g_strcmp0 (malt_error_get_exception_type (error), "HostError") == 0 ||
         (limit->is_inherited &&
          g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
}

typedef enum
{
  RIGHT,
  SHORT,
  WRONG
} Outcome;

static Outcome
try (Bench *bench, const Operation *operation, guint n_left)
{
  g_autoptr (GError) error = NULL;
  gboolean is_short = bench->limit->shorten (n_left);
  gboolean is_right = operation->run (bench, &error);

  if (!bench->limit->lift () || !is_short)
    g_printerr ("\nno limit\n");
  else if (is_right && error == NULL)
    return RIGHT;
  else if (is_shortage (bench->limit, error))
    return SHORT;
  g_printerr ("\n%s with %u %s left: %s\n", operation->name, n_left, bench->limit->name,
              error != NULL ? error->message : "wrong result");
  return WRONG;
}

/* What failed is tried again until that leaves nothing behind: the first times may have
 * made what a process keeps. Then it must succeed without the limit. */
static gboolean
perform (Bench *bench, const Operation *operation, guint n_left)
{
  Outcome outcome = try (bench, operation, n_left);
  gboolean leaves_something = TRUE;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_TRIES && leaves_something && outcome == SHORT; i++)
    {
      guint n_descriptors = process_test_count_descriptors ();

      outcome = try (bench, operation, n_left);
      leaves_something =
          !process_test_wait (has_so_many_descriptors, &n_descriptors, SETTLING_MS);
    }
  if (outcome != SHORT)
    return outcome == RIGHT;
  if (!leaves_something && operation->run (bench, &error) && error == NULL)
    return TRUE;
  g_printerr ("\n%s after %u %s: %s\n", operation->name, n_left, bench->limit->name,
              error != NULL ? error->message : "wrong, or leaves something");
  return FALSE;
}

static gboolean
has_no_child (G_GNUC_UNUSED gpointer data)
{
  siginfo_t info;

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

/* Cases */

static gboolean
live (Bench *bench, guint n_left)
{
  guint n_descriptors = process_test_count_descriptors ();

  for (gsize i = 0; i < G_N_ELEMENTS (life); i++)
    if (!perform (bench, &life[i], n_left))
      return FALSE;
  return are_descriptors (n_descriptors + N_KEPT);
}

typedef struct
{
  Bench *bench; /* (unowned) */
  guint n_left;
} Round;

/* In a thread of its own, as its main context is made on first use. */
static gpointer
run_round (gpointer data)
{
  Round *round = data;
  guint n_descriptors = process_test_count_descriptors ();

  for (guint i = 0; i < G_N_ELEMENTS (work); i++)
    if (!perform (round->bench, &work[(i + round->n_left) % G_N_ELEMENTS (work)],
                  round->n_left))
      return GINT_TO_POINTER (FALSE);
  return GINT_TO_POINTER (are_descriptors (n_descriptors));
}

static gboolean
prepare_work (Bench *bench)
{
  g_autoptr (GError) error = NULL;

  if (launch (bench, &error))
    {
      bench->worker = g_ptr_array_index (bench->workers, 0);
      bench->waiting = malt_worker_remote_eval (bench->worker, NULL, "sleep(1000)");
      bench->channel = open_channel (bench, &error);
      if (bench->channel != NULL && put (bench, &error))
        return TRUE;
    }
  g_printerr ("\n%s\n", error->message);
  return FALSE;
}

static gboolean
work_under (Bench *bench, const Limit *limit)
{
  bench->limit = limit;
  for (guint n = limit->first; n <= limit->last; n++)
    {
      Round round = { bench, n };

      if (!GPOINTER_TO_INT (g_thread_join (g_thread_new ("round", run_round, &round))))
        return FALSE;
    }
  return TRUE;
}

static gboolean
work_for_all (Bench *bench, guint first, guint last)
{
  static const Operation end = { "last reference of a busy worker", drop_all };
  g_autoptr (GError) error = NULL;

  if (!prepare_work (bench))
    return FALSE;
  for (guint i = first; i <= last; i++)
    if (!work_under (bench, &limits[i]))
      return FALSE;
  g_clear_object (&bench->channel);
  if (!perform (bench, &end, bench->limit->first) ||
      malt_future_fetch (bench->waiting, NULL, &error))
    return FALSE;
  g_clear_object (&bench->waiting);
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
}

/* Without what a machine or a user has set, which cannot be read when it is short. */
static MaltConfig *
config_new (void)
{
  MaltConfig *config = malt_config_new ();

  malt_config_set_backend (config, PROCESS_TEST_BACKEND);
  malt_config_set_for (config, PROCESS_TEST_BACKEND, "output", "discard");
  malt_config_set_for (config, PROCESS_TEST_BACKEND, "julia", g_getenv (JULIA));
  return config;
}

static gboolean
prepare (guint first, guint last)
{
  for (guint i = first; i <= last; i++)
    if (limits[i].prepare != NULL && !limits[i].prepare ())
      return FALSE;
  return TRUE;
}

static int
run_case (const char *what, guint first, guint second)
{
  gboolean lives = strcmp (what, "live") == 0;
  Bench bench = { .limit = &limits[first], .config = config_new () };
  gboolean is_right;

  alarm (PATIENCE_S);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  if (!prepare (first, lives ? first : second))
    return EXIT_FAILURE;
  bench.workers = g_ptr_array_new_with_free_func (g_object_unref);
  is_right = lives ? live (&bench, second) : work_for_all (&bench, first, second);
  g_ptr_array_unref (bench.workers);
  g_object_unref (bench.config);
  if (is_right && !process_test_wait (has_no_child, NULL, PROCESS_TEST_PATIENCE_MS))
    is_right = FALSE;
  return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Some at a time */

static GSubprocess *children[N_AT_ONCE];
static guint n_started;

static void
wait_for_child (guint i)
{
  g_autoptr (GSubprocess) child = g_steal_pointer (&children[i]);
  g_autoptr (GError) error = NULL;

  if (child != NULL && !g_subprocess_wait_check (child, NULL, &error))
    g_printerr ("\n%s\n", error->message);
  CU_ASSERT (error == NULL);
}

static void
start_case (const char *what, guint first, guint second)
{
  g_autofree char *first_text = g_strdup_printf ("%u", first);
  g_autofree char *second_text = g_strdup_printf ("%u", second);
  guint i = n_started++ % N_AT_ONCE;

  wait_for_child (i);
  children[i] = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "/proc/self/exe", what,
                                  first_text, second_text, NULL);
  CU_ASSERT (children[i] != NULL);
}

/* Work for each limit with a worker of its own, where that costs little. */
static void
what_is_short_fails_alone (void)
{
  guint n_limits = (guint) G_N_ELEMENTS (limits) - (geteuid () == 0 ? 0 : 1);
  gboolean is_cheap = strcmp (PROCESS_TEST_BACKEND, "malt-process") == 0;

  for (guint i = 0; i < n_limits; i += is_cheap ? 1 : n_limits)
    start_case ("work", i, is_cheap ? i : n_limits - 1);
  for (guint i = 0; i < n_limits; i++)
    for (guint n = limits[i].first; n <= limits[i].last; n += is_cheap ? 1 : MAX_LEFT)
      start_case ("live", i, n);
  for (guint i = 0; i < N_AT_ONCE; i++)
    wait_for_child (i);
}

static const ProcessTest tests[] = {
  PROCESS_TEST (what_is_short_fails_alone),
  { NULL, NULL },
};

/* Cases are given the julia as a script, which another user finds. */
int
process_shortage_main (int argc, char **argv)
{
  g_auto (ProcessTestScript) script = { NULL, NULL };
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;

  if (argc == 4)
    return run_case (argv[1], (guint) atoi (argv[2]), (guint) atoi (argv[3]));
  path = g_strdup (g_getenv ("MALT_JULIA"));
  if (path == NULL)
    path = g_find_program_in_path ("julia");
  text = g_strdup_printf ("exec '%s' \"$@\"", path);
  script = process_test_script_new (text);
  g_chmod (script.directory, 0755);
  g_setenv (JULIA, script.path, TRUE);
  return process_test_main_with_julia (argc, argv, "shortage of a host", tests);
}
