/* SPDX-License-Identifier: MIT */
/*
 * A hundred thousand calls from eight threads at once, of all kinds mixed. Every future
 * completes with the right answer, and when all is over nothing is kept on either side:
 * calls, handles, loans of Julia's memory, loans of the host's, memory.
 */
#include "inprocess-test.h"

#include <malloc.h>
#include <string.h>

enum
{
  N_THREADS = 8,
  N_CALLS = 100000, /* of all threads */
  N_WARM_CALLS = 8000,
  N_PENDING = 12, /* that a thread leaves pending before it fetches them */
  N_ELEMENTS = 1024, /* of arrays, which are lent from 4096 bytes on */
};

#define MOST_GROWTH_BYTES \
  ((gint64) 24 * 1024 * 1024) /* of either heap, after tens of GB went through */

/* What the runtime still keeps. No name leads to its module, but a method of Base's
 * belongs to it. */
static const char probe[] =
    "runtime = typeof(current_task().code).name.module;"
    "n_kept(table) = length(getfield(runtime, table));"
    "n_of_hosts(field) = sum(length(getfield(p, field)) for p in values(runtime.HOSTS));"
    "0";
static const char n_lent[] = "n_kept(:LENT)";
static const char n_handles[] = "n_of_hosts(:handles)";
static const char n_jobs[] = "n_of_hosts(:jobs)"; /* one is the call that asks */
static const char n_hosts[] = "n_kept(:HOSTS)";

static MaltWorker *worker; /* (owned) */
static gint n_wrong; /* atomic */
static gint n_lent_by_host; /* atomic: not given back yet */

static void
note_wrong (const char *what, const GError *error)
{
  if (g_atomic_int_add (&n_wrong, 1) < 10)
    g_printerr ("\n      %s: %s\n", what, error != NULL ? error->message : "wrong");
}

/* Kinds of calls: how each is made, and what its answer must be. */

static MaltCall *
make_sum (gint64 n)
{
  MaltCall *call = malt_call_new ("+");

  malt_call_take_argument (call, malt_value_new_int64 (n));
  return malt_call_take_argument (call, malt_value_new_int64 (1));
}

static gboolean
is_sum (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  return value != NULL && malt_value_get_int64 (value) == n + 1;
}

static MaltCall *
make_eval (gint64 n)
{
  g_autofree char *source = g_strdup_printf ("%d + %d", (int) (n % 50), 7);

  return malt_call_new_eval (NULL, source);
}

static gboolean
is_evaluated (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  return value != NULL && malt_value_get_int64 (value) == n % 50 + 7;
}

static MaltCall *
make_exception (gint64 n)
{
  g_autofree char *text = g_strdup_printf ("number %" G_GINT64_FORMAT, n);
  MaltCall *call = malt_call_new ("error");

  return malt_call_take_argument (call, malt_value_new_string (text));
}

static gboolean
is_exception (gint64 n, MaltValue *value, const GError *error)
{
  g_autofree char *text = g_strdup_printf ("number %" G_GINT64_FORMAT, n);

  return value == NULL &&
         g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION) &&
         g_strcmp0 (malt_error_get_exception_message (error), text) == 0;
}

static MaltCall *
make_array_of_julia (gint64 n)
{
  MaltCall *call = malt_call_new ("fill");

  malt_call_take_argument (call, malt_value_new_int64 (n));
  return malt_call_take_argument (call, malt_value_new_int64 (N_ELEMENTS));
}

static gboolean
is_array (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  gsize n_bytes = 0;
  const gint64 *numbers =
      value != NULL ? malt_value_get_array_data (value, &n_bytes) : NULL;

  if (n_bytes != N_ELEMENTS * sizeof *numbers)
    return FALSE;
  for (gsize i = 0; i < N_ELEMENTS; i++)
    if (numbers[i] != n)
      return FALSE;
  return TRUE;
}

static void
on_given_back (gpointer memory)
{
  g_atomic_int_add (&n_lent_by_host, -1);
  g_free (memory);
}

static MaltCall *
make_array_of_host (gint64 n)
{
  const gsize dims[] = { N_ELEMENTS };
  gint64 *numbers = g_new (gint64, N_ELEMENTS);
  g_autoptr (GBytes) bytes = NULL;
  MaltCall *call = malt_call_new ("sum");

  for (gsize i = 0; i < N_ELEMENTS; i++)
    numbers[i] = n;
  g_atomic_int_inc (&n_lent_by_host);
  bytes = g_bytes_new_with_free_func (numbers, N_ELEMENTS * sizeof *numbers,
                                      on_given_back, numbers);
  return malt_call_take_argument (
      call, malt_value_new_array_from_bytes (MALT_VALUE_INT64, dims, 1, bytes, NULL));
}

static gboolean
is_sum_of_array (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  return value != NULL && malt_value_get_int64 (value) == n * N_ELEMENTS;
}

static MaltCall *
make_handle (gint64 n)
{
  MaltCall *call = malt_call_new ("Ref");

  return malt_call_take_argument (call, malt_value_new_int64 (n));
}

/* A handle goes back as an argument; the last reference to it goes here. */
static gboolean
is_handle (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  g_autoptr (MaltCall) call = malt_call_new ("getindex");
  g_autoptr (MaltValue) content = NULL;

  if (value == NULL || malt_value_get_kind (value) != MALT_VALUE_HANDLE)
    return FALSE;
  malt_call_add_argument (call, value);
  content = malt_worker_remote_call_fetch (worker, call, NULL, NULL);
  return content != NULL && malt_value_get_int64 (content) == n;
}

static MaltCall *
make_waiting (gint64 n)
{
  MaltCall *call = malt_call_new ("n -> (yield(); n)");

  return malt_call_take_argument (call, malt_value_new_int64 (n - 1));
}

static gboolean
is_waited (gint64 n, MaltValue *value, G_GNUC_UNUSED const GError *error)
{
  return value != NULL && malt_value_get_int64 (value) == n - 1;
}

/* Functions of the host: in a thread of the library, which uses the worker in turn, and
 * in the thread of Julia. Odd numbers are errors. */

static gint64
double_number (gint64 n, gpointer user_data, GError **error)
{
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (n % 2 != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%d is odd", (int) n);
      return 0;
    }
  if (user_data == NULL)
    return 2 * n;
  call = make_sum (n);
  value = malt_worker_remote_call_fetch (user_data, call, NULL, error);
  return value != NULL ? 2 * n : 0;
}

static MaltCall *
make_host_call (gint64 n)
{
  MaltCall *call = malt_call_new ("Malt.host.double_number");

  return malt_call_take_argument (call, malt_value_new_int64 (n));
}

static MaltCall *
make_direct_call (gint64 n)
{
  MaltCall *call = malt_call_new ("Malt.host.double_directly");

  return malt_call_take_argument (call, malt_value_new_int64 (n));
}

static gboolean
is_doubled (gint64 n, MaltValue *value, const GError *error)
{
  g_autofree char *text = g_strdup_printf ("%d is odd", (int) n);

  if (n % 2 == 0)
    return value != NULL && malt_value_get_int64 (value) == 2 * n;
  return value == NULL && g_strcmp0 (malt_error_get_exception_message (error), text) == 0;
}

static gboolean
export_functions (void)
{
  GCallback function = G_CALLBACK (double_number);

  return malt_worker_export (worker, "double_number", "i64(i64)", MALT_EXPORT_DEFAULT,
                             function, worker, NULL, NULL) &&
         malt_worker_export (worker, "double_directly", "i64(i64)", MALT_EXPORT_DIRECT,
                             function, NULL, NULL, NULL);
}

static const struct
{
  const char *name;
  MaltCall *(*make) (gint64 n);
  gboolean (*is_right) (gint64 n, MaltValue *value, const GError *error);
} kinds[] = {
  { "a call", make_sum, is_sum },
  { "an evaluation", make_eval, is_evaluated },
  { "an exception", make_exception, is_exception },
  { "an array of Julia's", make_array_of_julia, is_array },
  { "an array of the host's", make_array_of_host, is_sum_of_array },
  { "a handle", make_handle, is_handle },
  { "a call that waits", make_waiting, is_waited },
  { "a host function", make_host_call, is_doubled },
  { "a direct function", make_direct_call, is_doubled },
};

/* Threads */

static void
check (guint kind, gint64 n, MaltFuture *future)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  if (!kinds[kind].is_right (n, value, error))
    note_wrong (kinds[kind].name, error);
}

/* Some calls are fetched at once, some later, as many as N_PENDING together. */
static void
call_some (GRand *random, gint64 *n)
{
  guint n_pending = (guint) g_rand_int_range (random, 1, N_PENDING + 1);
  MaltFuture *futures[N_PENDING];
  guint chosen[N_PENDING];

  for (guint i = 0; i < n_pending; i++)
    {
      g_autoptr (MaltCall) call = NULL;

      chosen[i] = (guint) g_rand_int_range (random, 0, G_N_ELEMENTS (kinds));
      call = kinds[chosen[i]].make (*n + i);
      futures[i] = malt_worker_remote_call (worker, call);
    }
  for (guint i = 0; i < n_pending; i++)
    {
      check (chosen[i], *n + i, futures[i]);
      g_object_unref (futures[i]);
    }
  *n += n_pending;
}

typedef struct
{
  guint32 seed;
  gint64 n_calls;
} Share;

static gpointer
call_many (gpointer data)
{
  const Share *share = data;
  GRand *random = g_rand_new_with_seed (share->seed);
  gint64 n = 0;

  while (n < share->n_calls)
    call_some (random, &n);
  g_rand_free (random);
  return NULL;
}

static void
call_from_all_threads (gint64 n_calls)
{
  GThread *threads[N_THREADS];
  Share shares[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      shares[i] = (Share){ .seed = 4711 + i, .n_calls = n_calls / N_THREADS };
      threads[i] = g_thread_new ("caller", call_many, &shares[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

/* What is left */

static gint64
eval_int (const char *source)
{
  return inprocess_test_eval_int (worker, source);
}

static void
note_left (void)
{
  g_printerr (
      "\n      left: %d lent by Julia, %d handles, %d jobs, %d lent by the host\n",
      (int) eval_int (n_lent), (int) eval_int (n_handles), (int) eval_int (n_jobs) - 1,
      g_atomic_int_get (&n_lent_by_host));
}

/* Handles and loans go back through queues, and finalizers run when Julia collects. */
static gboolean
is_all_back (G_GNUC_UNUSED gpointer data)
{
  eval_int ("GC.gc(); GC.gc(); 0");
  return eval_int (n_lent) == 0 && eval_int (n_handles) == 0 && eval_int (n_jobs) == 1 &&
         g_atomic_int_get (&n_lent_by_host) == 0;
}

static gboolean
comes_all_back (void)
{
  if (inprocess_test_until (is_all_back, NULL, INPROCESS_DEADLINE_MS))
    return TRUE;
  note_left ();
  return FALSE;
}

static gint64
get_host_heap (void)
{
  struct mallinfo2 heap = mallinfo2 ();

  return (gint64) (heap.uordblks + heap.hblkhd);
}

static void
nothing_is_lost_wrong_or_left_behind (void)
{
  gint64 julia_before;
  gint64 host_before;
  gint64 start_ms;

  worker = inprocess_test_launch (NULL);
  malt_assert (worker != NULL);
  malt_assert_int (eval_int ("1 + 1"), 2);
  malt_assert_int (eval_int (probe), 0);
  malt_assert (export_functions ());
  call_from_all_threads (N_WARM_CALLS);
  malt_assert (comes_all_back ());
  julia_before = eval_int ("Base.gc_live_bytes()");
  host_before = get_host_heap ();

  start_ms = inprocess_test_now_ms ();
  call_from_all_threads (N_CALLS);
  g_print ("[%d calls in %" G_GINT64_FORMAT " ms] ", N_CALLS,
           inprocess_test_now_ms () - start_ms);
  malt_assert_int (n_wrong, 0);
  malt_assert (comes_all_back ());
  malt_assert (eval_int ("Base.gc_live_bytes()") - julia_before < MOST_GROWTH_BYTES);
  malt_assert (get_host_heap () - host_before < MOST_GROWTH_BYTES);
}

static gboolean
has_one_host (gpointer other)
{
  return inprocess_test_eval_int (other, n_hosts) == 1;
}

static void
worker_that_has_ended_leaves_nothing_in_the_runtime (void)
{
  g_autoptr (MaltWorker) last = NULL;

  g_clear_object (&worker);
  last = inprocess_test_launch (NULL);
  malt_assert (last != NULL);
  malt_assert_int (inprocess_test_eval_int (last, probe), 0);
  malt_assert (inprocess_test_until (has_one_host, last, INPROCESS_DEADLINE_MS));
  for (int i = 0; i < 50; i++)
    {
      g_autoptr (MaltWorker) passing =
          inprocess_test_launch (i % 2 == 0 ? "module=new" : "output=discard", NULL);
      g_autoptr (MaltValue) handle = NULL;
      g_autoptr (MaltFuture) waiting = NULL;

      malt_assert (passing != NULL);
      handle = inprocess_test_eval_value (passing, "Ref(1)");
      waiting = malt_worker_remote_eval (passing, NULL, "sleep(600)");
      malt_assert (handle != NULL && !malt_future_is_done (waiting));
    }
  malt_assert (inprocess_test_until (has_one_host, last, INPROCESS_DEADLINE_MS));
  malt_assert_int (inprocess_test_eval_int (last, n_handles), 0);
  malt_assert_int (inprocess_test_eval_int (last, "n_kept(:OUTPUTS)"), 0);
}

static const CU_TestInfo tests[] = {
  MALT_TEST (nothing_is_lost_wrong_or_left_behind),
  MALT_TEST (worker_that_has_ended_leaves_nothing_in_the_runtime),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process stress", tests, NULL);
}
