/* SPDX-License-Identifier: MIT */
/* A host that is short of memory.
 *
 * The limit is one of a whole process, in which every small allocation of GLib's must
 * succeed, also those of the other threads. So it is a process of its own, this program
 * with another argument, with a worker of its own. It is asked for rounds by lines on its
 * standard input, each a number to draw from, and answers each with a line: what was not
 * as it must be, or nothing. */
#include "soak.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  N_OF_ROUND = 2,
  MAX_NUMBER = 1000000
};

#define SPARE_BYTES ((gsize) 32 << 20)
#define LARGE "40000000" /* bytes: they do not fit */
#define LARGE_BYTES ((gsize) 40000000)

/* The host that is short: operations */

typedef struct
{
  MaltWorker *worker; /* (owned) */
  char *text; /* (owned): LARGE_BYTES */
  MaltValue *string; /* (owned): of it */
  GMutex lock; /* guards complaints */
  GString *complaints; /* (owned) */
} ShortHost;

static ShortHost here;

static void
complain (const char *what, const GError *error)
{
  g_mutex_lock (&here.lock);
  g_string_append_printf (here.complaints, "%s: %s; ", what,
                          error != NULL ? error->message : "another result");
  g_mutex_unlock (&here.lock);
}

static gboolean
is_short (const GError *error)
{
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES);
}

static void
expect_int (const char *what, MaltCall *call, gint64 expected)
{
  g_autoptr (MaltCall) owned = call;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_call_fetch (here.worker, call, NULL, &error);

  if (value == NULL || malt_value_get_kind (value) != MALT_VALUE_INT64 ||
      malt_value_get_int64 (value) != expected)
    complain (what, error);
}

static void
expect_shortage (const char *what, MaltCall *call)
{
  g_autoptr (MaltCall) owned = call;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_call_fetch (here.worker, call, NULL, &error);

  if (!is_short (error))
    complain (what, error);
}

/* A source that ends with the number. */
static MaltCall *
eval_new (const char *text, gint64 number)
{
  g_autofree char *source = g_strdup_printf ("%s%" G_GINT64_FORMAT, text, number);

  return malt_call_new_eval (NULL, source);
}

static void
try_small (gint64 n)
{
  expect_int ("small", eval_new ("1 + ", n), n + 1);
}

static void
try_argument (G_GNUC_UNUSED gint64 n)
{
  MaltCall *call = malt_call_new ("length");

  malt_call_add_argument (call, here.string);
  expect_int ("large argument", call, LARGE_BYTES);
}

static void
try_new_value (G_GNUC_UNUSED gint64 n)
{
  MaltCall *call = malt_call_new ("length");

  malt_call_take_argument (call, malt_value_new_string (here.text));
  expect_shortage ("value that cannot be made", call);
}

static void
try_source (G_GNUC_UNUSED gint64 n)
{
  expect_shortage ("large source", malt_call_new_eval (NULL, here.text));
}

static void
try_result (gint64 n)
{
  expect_shortage ("large result", eval_new ("zeros(UInt8, " LARGE ") .+ 0x00 #", n));
}

static void
try_exception (gint64 n)
{
  expect_shortage ("large exception", eval_new ("error(\"x\"^" LARGE ") #", n));
}

static void
try_output (gint64 n)
{
  expect_int ("large output", eval_new ("print(\"x\"^" LARGE "); ", n), n);
}

static void
try_host_call (gint64 n)
{
  expect_int ("large argument of a host function",
              eval_new ("try; Malt.host.soak(zeros(UInt8, " LARGE "))"
                        "; catch e; isa(e, Malt.HostError) || rethrow(); end; ",
                        n),
              n);
}

static void
try_channel (gint64 n)
{
  g_autofree char *source = g_strdup_printf ("Channel(c -> (put!(c, zeros(UInt8, " LARGE
                                             ")); put!(c, %" G_GINT64_FORMAT ")))",
                                             n);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChannel) channel =
      malt_worker_channel (here.worker, NULL, source, NULL, &error);
  g_autoptr (MaltValue) lost = NULL;
  g_autoptr (MaltValue) item = NULL;

  if (channel != NULL)
    lost = malt_channel_take (channel, NULL, &error);
  if (lost != NULL || !is_short (error))
    {
      complain ("large item", error);
      return;
    }
  g_clear_error (&error);
  item = malt_channel_take (channel, NULL, &error);
  if (item == NULL || malt_value_get_int64 (item) != n)
    complain ("item after a large one", error);
}

static void
try_interrupt (G_GNUC_UNUSED gint64 n)
{
  g_autoptr (MaltFuture) future =
      malt_worker_remote_eval (here.worker, NULL, "sleep(100)");
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result =
      malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  g_autoptr (MaltValue) value = NULL;

  if (result != MALT_INTERRUPT_DELIVERED)
    {
      complain ("interrupt", error);
      return;
    }
  value = malt_future_fetch (future, NULL, &error);
  if (value != NULL ||
      g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") != 0)
    complain ("interrupted call", error);
}

static void (*const attempts[]) (gint64 n) = {
  try_small,  try_argument,  try_new_value, try_source,  try_result,
  try_output, try_exception, try_host_call, try_channel, try_interrupt,
};

/* The host that is short: rounds */

static gboolean
limit_memory (void)
{
  g_autofree char *text = NULL;
  struct rlimit limit = { 0, RLIM_INFINITY };

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return FALSE;
  limit.rlim_cur =
      g_ascii_strtoull (text, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE) + SPARE_BYTES;
  return setrlimit (RLIMIT_AS, &limit) == 0;
}

static gboolean
lift_limit (void)
{
  const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

  return setrlimit (RLIMIT_AS, &limit) == 0;
}

static void
run_round (guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  if (!limit_memory ())
    complain ("limit", NULL);
  for (int i = 0; i < N_OF_ROUND; i++)
    {
      gint32 which = g_rand_int_range (random, 0, (gint32) G_N_ELEMENTS (attempts));

      attempts[which](g_rand_int_range (random, 0, MAX_NUMBER));
    }
  if (!lift_limit ())
    complain ("limit", NULL);
  try_small (1);
}

static void
answer (void)
{
  g_mutex_lock (&here.lock);
  printf ("%s\n", g_strdelimit (here.complaints->str, "\n", ' '));
  g_string_truncate (here.complaints, 0);
  g_mutex_unlock (&here.lock);
  fflush (stdout);
}

static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
        G_GNUC_UNUSED gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) != 0)
    {
      g_autofree char *text = g_log_writer_format_fields (level, fields, n_fields, FALSE);

      complain (text, NULL);
    }
  return G_LOG_WRITER_HANDLED;
}

static MaltValue *
on_host_call (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
              G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
              G_GNUC_UNUSED GError **error)
{
  return malt_value_ref (arguments[0]);
}

/* What is made once is made before memory is short. */
static gboolean
prepare (GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();

  here.complaints = g_string_new (NULL);
  here.text = g_malloc (LARGE_BYTES + 1);
  memset (here.text, '1', LARGE_BYTES);
  here.text[LARGE_BYTES] = '\0';
  here.string = malt_value_new_string (here.text);
  malt_config_set_backend (config, soak_get_options ()->backend);
  malt_config_set (config, "output", "discard");
  here.worker = malt_worker_launch (config, NULL, error);
  return here.worker != NULL &&
         malt_worker_export_func (here.worker, "soak", on_host_call, NULL, NULL,
                                  MALT_EXPORT_DEFAULT, error);
}

gboolean
soak_memory_serve (GError **error)
{
  char line[32];

  g_log_set_writer_func (on_log, NULL, NULL);
  if (!prepare (error))
    return FALSE;
  /* No large ones: the library keeps memory for the next. */
  try_small (1);
  try_interrupt (1);
  while (fgets (line, sizeof line, stdin) != NULL)
    {
      run_round ((guint32) g_ascii_strtoull (line, NULL, 10));
      answer ();
    }
  malt_worker_stop (here.worker, NULL, NULL);
  return TRUE;
}

/* The program that asks */

static struct
{
  GMutex lock; /* guards the rest; held while a round is run */
  GPid pid; /* 0: there is none */
  int requests; /* (owned) */
  int answers; /* (owned) */
} asked;

gboolean
soak_memory_begin (GError **error)
{
  const SoakOptions *options = soak_get_options ();
  char *const argv[] = { "/proc/self/exe", "--backend", options->backend,
                         "--short-of-memory", NULL };
  g_autoptr (GPtrArray) possible = soak_operations_possible ();

  if (!g_ptr_array_find_with_equal_func (possible, "memory", g_str_equal, NULL))
    return TRUE;
  return g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                   NULL, NULL, &asked.pid, &asked.requests,
                                   &asked.answers, NULL, error);
}

/* FALSE: it has ended, or does not answer. */
static gboolean
ask (gint64 seed, GString *out_answer)
{
  int patience_ms = soak_get_options ()->patience_s * 1000;
  g_autofree char *line = g_strdup_printf ("%" G_GINT64_FORMAT "\n", seed);
  struct pollfd answers = { .fd = asked.answers, .events = POLLIN };
  char letter = '\0';

  if (write (asked.requests, line, strlen (line)) < 0)
    return FALSE;
  while (letter != '\n')
    {
      if (poll (&answers, 1, patience_ms) <= 0 || read (asked.answers, &letter, 1) <= 0)
        return FALSE;
      g_string_append_c (out_answer, letter);
    }
  g_string_truncate (out_answer, out_answer->len - 1);
  return TRUE;
}

static void
run_memory (SoakThread *thread)
{
  gint64 seed = soak_random (thread, 0, MAX_NUMBER);
  g_autoptr (GString) said = g_string_new (NULL);

  g_mutex_lock (&asked.lock);
  if (!ask (seed, said))
    soak_fault (SOAK_LOST,
                "the host that is short of memory does not answer %" G_GINT64_FORMAT,
                seed);
  else if (said->len > 0)
    soak_fault (SOAK_WRONG, "short of memory, %" G_GINT64_FORMAT ": %s", seed, said->str);
  g_mutex_unlock (&asked.lock);
}

void
soak_memory_end (void)
{
  int status = 0;

  if (asked.pid == 0)
    return;
  close (asked.requests);
  close (asked.answers);
  while (waitpid (asked.pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (status != 0)
    soak_fault (SOAK_WRONG, "the host that is short of memory ended with 0x%x",
                (guint) status);
}

const SoakOperation soak_memory[] = {
  { "memory", 1, MALT_CAPABILITY_ISOLATED, run_memory },
  SOAK_OPERATIONS_END,
};
