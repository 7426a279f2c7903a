/* SPDX-License-Identifier: MIT */
/* The threads of host functions: bounded, and never a deadlock or an abort. */
#include "ffi/malt-export-private.h"
#include "ffi/malt-host-threads.h"
#include "malt-test.h"

#define N_WORKS 300
#define N_MORE 68 /* than the 64 that are made at once */
#define N_BOUND 150 /* reached only after four seconds more */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)

static struct
{
  GMutex lock; /* guards the rest */
  GCond changed;
  gint n_begun;
  gint n_ended;
  gboolean is_open;
} gate;

/* The library's thread maker is this one: the test links its internal parts. */
static gint are_threads_short; /* atomic */

GThread *
g_thread_try_new (const gchar *name, GThreadFunc func, gpointer data, GError **error)
{
  if (!g_atomic_int_get (&are_threads_short))
    return g_thread_new (name, func, data);
  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "none left");
  return NULL;
}

/* With lock held. */
static void
await_count (const gint *count, gint n, gint64 patience_us)
{
  gint64 deadline = g_get_monotonic_time () + patience_us;

  while (*count < n && g_cond_wait_until (&gate.changed, &gate.lock, deadline))
    ;
}

static void
pass_gate (G_GNUC_UNUSED gpointer data)
{
  g_mutex_lock (&gate.lock);
  gate.n_begun++;
  g_cond_broadcast (&gate.changed);
  while (!gate.is_open)
    g_cond_wait (&gate.changed, &gate.lock);
  gate.n_ended++;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

static void
reset_gate (void)
{
  gate.n_begun = gate.n_ended = 0;
  gate.is_open = FALSE;
}

/* Lets all go, and returns how many came to their end. */
static gint
open_gate (gint n)
{
  gint n_ended;

  g_mutex_lock (&gate.lock);
  gate.is_open = TRUE;
  g_cond_broadcast (&gate.changed);
  await_count (&gate.n_ended, n, PATIENCE);
  n_ended = gate.n_ended;
  g_mutex_unlock (&gate.lock);
  return n_ended;
}

static void
functions_that_block_get_more_threads_but_not_one_each (void)
{
  gint n_begun;

  reset_gate ();
  for (gint i = 0; i < N_WORKS; i++)
    malt_export_run_destroy (pass_gate, NULL);
  g_mutex_lock (&gate.lock);
  await_count (&gate.n_begun, N_MORE, PATIENCE);
  await_count (&gate.n_begun, N_BOUND, G_TIME_SPAN_SECOND);
  n_begun = gate.n_begun;
  g_mutex_unlock (&gate.lock);
  malt_assert_int (open_gate (N_WORKS), N_WORKS);
  malt_assert (n_begun >= N_MORE && n_begun < N_BOUND);
}

/* Each level waits for the one below it. */
static void
nest (gpointer data)
{
  gint level = GPOINTER_TO_INT (data);

  if (level > 1)
    malt_export_run_destroy (nest, GINT_TO_POINTER (level - 1));
  g_mutex_lock (&gate.lock);
  await_count (&gate.n_ended, level - 1, PATIENCE);
  gate.n_ended++;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

static void
functions_that_wait_for_each_other_all_end (void)
{
  gint n_ended;

  reset_gate ();
  malt_export_run_destroy (nest, GINT_TO_POINTER (N_MORE));
  g_mutex_lock (&gate.lock);
  await_count (&gate.n_ended, N_MORE, PATIENCE);
  n_ended = gate.n_ended;
  g_mutex_unlock (&gate.lock);
  malt_assert_int (n_ended, N_MORE);
}

static void
run_plain (G_GNUC_UNUSED MaltHostWork *work)
{
  pass_gate (NULL);
}

static void
refuse_plain (G_GNUC_UNUSED MaltHostWork *work)
{
  g_mutex_lock (&gate.lock);
  gate.n_ended++;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

/* More than there can be idle threads of the tests before. */
static void
functions_are_refused_where_no_thread_can_be_made (void)
{
  static MaltHostWork works[N_WORKS];
  gint n_refused;

  reset_gate ();
  g_atomic_int_set (&are_threads_short, TRUE);
  for (gint i = 0; i < N_WORKS; i++)
    {
      works[i] = (MaltHostWork){ .run = run_plain, .refuse = refuse_plain };
      malt_host_threads_push (&works[i]);
    }
  g_mutex_lock (&gate.lock);
  await_count (&gate.n_ended, 2, PATIENCE);
  n_refused = gate.n_ended;
  g_mutex_unlock (&gate.lock);
  malt_assert_int (open_gate (N_WORKS), N_WORKS);
  g_atomic_int_set (&are_threads_short, FALSE);
  malt_assert (n_refused >= 2);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (functions_that_block_get_more_threads_but_not_one_each),
    MALT_TEST (functions_that_wait_for_each_other_all_end),
    MALT_TEST (functions_are_refused_where_no_thread_can_be_made),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = {
    { .pName = "host threads", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
