/* SPDX-License-Identifier: MIT */
/* Large frames and many at once, on the direct connection and through the bridge: every
 * byte arrives, and in its place. */
#include "distributed-test.h"

#include <string.h>

#define BRIDGED "manager=Distributed.LocalManager(1, true)"

#define LARGE_ELEMENTS 25000000 /* 200 MB */
#define N_THREADS 8
#define N_CALLS 40
#define BIG_EVERY 10
#define SMALL_ELEMENTS 10
#define BIG_ELEMENTS 100000

static MaltWorker *keeper; /* of a connection of its own */
static MaltWorker *bridged; /* (owned) (nullable): behind the bridge */

static MaltWorker *
get_bridged (void)
{
  if (bridged == NULL)
    bridged = process_test_launch (BRIDGED);
  return bridged;
}

static MaltValue *
array_new (gsize n, gint64 first)
{
  gint64 *numbers = g_new (gint64, n);
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < n; i++)
    numbers[i] = first + (gint64) i;
  bytes = g_bytes_new_take (numbers, n * sizeof (gint64));
  return malt_value_new_array_from_bytes (MALT_VALUE_INT64, &n, 1, bytes, NULL);
}

/* Is it what array_new() makes? */
static gboolean
is_array (MaltValue *value, gsize n, gint64 first)
{
  gsize n_bytes = 0;
  const gint64 *numbers = malt_value_get_array_data (value, &n_bytes);

  if (n_bytes != n * sizeof (gint64))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (numbers[i] != first + (gint64) i)
      return FALSE;
  return TRUE;
}

/* There and back, and looked at on both sides. */
static gboolean
echoes (MaltWorker *worker, gsize n, gint64 first)
{
  g_autoptr (MaltCall) call =
      malt_call_new ("a -> (a == a[1]:a[end] || error(\"out of order\"); a)");
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_call_take_argument (call, array_new (n, first));
  value = malt_worker_remote_call_fetch (worker, call, NULL, &error);
  if (value != NULL && is_array (value, n, first))
    return TRUE;
  g_printerr ("\n%" G_GSIZE_FORMAT " elements: %s\n", n,
              error != NULL ? error->message : "not what was sent");
  return FALSE;
}

static void
two_hundred_megabytes_go_there_and_back (void)
{
  CHECK (echoes (keeper, LARGE_ELEMENTS, 1));
  CHECK (process_test_eval_int (keeper, "3") == 3);
}

static void
two_hundred_megabytes_go_through_the_bridge (void)
{
  CHECK (get_bridged () != NULL);
  CHECK (echoes (bridged, LARGE_ELEMENTS, 1));
  CHECK (process_test_eval_int (bridged, "3") == 3);
}

typedef struct
{
  MaltWorker *worker; /* (unowned) */
  gint64 first;
} Caller;

static gpointer
call_many (gpointer data)
{
  Caller *caller = data;
  gsize n_wrong = 0;

  for (gint64 i = 0; i < N_CALLS; i++)
    n_wrong +=
        !echoes (caller->worker, i % BIG_EVERY == 0 ? BIG_ELEMENTS : SMALL_ELEMENTS,
                 caller->first + i);
  return GSIZE_TO_POINTER (n_wrong);
}

static void
check_threads (MaltWorker *worker)
{
  GThread *threads[N_THREADS];
  Caller callers[N_THREADS];
  gsize n_wrong = 0;

  CHECK (worker != NULL);
  for (guint i = 0; i < N_THREADS; i++)
    {
      callers[i] = (Caller){ worker, (gint64) i * 1000 };
      threads[i] = g_thread_new ("caller", call_many, &callers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    n_wrong += GPOINTER_TO_SIZE (g_thread_join (threads[i]));
  CHECK (n_wrong == 0);
}

static void
small_and_large_calls_of_many_threads_are_not_mixed_up (void)
{
  check_threads (keeper);
}

static void
small_and_large_calls_through_the_bridge_are_not_mixed_up (void)
{
  check_threads (get_bridged ());
}

static void
worker_behind_the_bridge_ends (void)
{
  g_autoptr (MaltWorker) worker = g_steal_pointer (&bridged);

  CHECK (worker == NULL || malt_worker_stop (worker, NULL, NULL));
}

static const ProcessTest tests[] = {
  { "two_hundred_megabytes_go_there_and_back", two_hundred_megabytes_go_there_and_back },
  { "small_and_large_calls_of_many_threads_are_not_mixed_up",
    small_and_large_calls_of_many_threads_are_not_mixed_up },
  { "two_hundred_megabytes_go_through_the_bridge",
    two_hundred_megabytes_go_through_the_bridge },
  { "small_and_large_calls_through_the_bridge_are_not_mixed_up",
    small_and_large_calls_through_the_bridge_are_not_mixed_up },
  { "worker_behind_the_bridge_ends", worker_behind_the_bridge_ends },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return distributed_test_main (argc, argv, "large frames", tests, NULL, &keeper);
}
