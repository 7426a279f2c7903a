/* SPDX-License-Identifier: MIT */
/* When signals are due to a process that has to end. */
#include "malt-test.h"

#include "base/malt-signals.h"
#include "malt-test-gate.h"
#include "process/malt-reaper.h"

#include <string.h>

enum
{
  N_THREADS = 6,
  N_ROUNDS = 50,
  MAX_SENT = 8,
  FOREVER_MS = 3600 * 1000
};

static MaltTestGate n_freed;

/* What a backend's evaluator is to its reaper. */
typedef struct
{
  gatomicrefcount ref_count;
  MaltReaper *reaper; /* (owned) */
  MaltTestGate n_sent;
  gint sent[MAX_SENT]; /* atomic: written before n_sent says so */
  gboolean is_stopped_by_signal;
} Owner;

static gpointer
owner_ref (gpointer data)
{
  g_atomic_ref_count_inc (&((Owner *) data)->ref_count);
  return data;
}

static void
owner_unref (gpointer data)
{
  Owner *owner = data;

  if (!g_atomic_ref_count_dec (&owner->ref_count))
    return;
  malt_reaper_free (owner->reaper);
  g_mutex_clear (&owner->n_sent.lock);
  g_cond_clear (&owner->n_sent.changed);
  g_free (owner);
  malt_test_gate_add (&n_freed);
}

/* In the I/O thread, the only one that sends. */
static void
on_due (gpointer data, int signum)
{
  Owner *owner = data;
  guint n = malt_test_gate_get (&owner->n_sent);

  if (n < MAX_SENT)
    g_atomic_int_set (&owner->sent[n], signum);
  if (owner->is_stopped_by_signal)
    malt_reaper_stop (owner->reaper);
  malt_test_gate_add (&owner->n_sent);
}

static Owner *
owner_new (void)
{
  Owner *owner = g_new0 (Owner, 1);

  g_atomic_ref_count_init (&owner->ref_count);
  g_mutex_init (&owner->n_sent.lock);
  g_cond_init (&owner->n_sent.changed);
  owner->reaper = malt_reaper_new (owner, owner_ref, owner_unref, on_due);
  return owner;
}

static void
owner_end (Owner *owner)
{
  malt_reaper_stop (owner->reaper);
  owner_unref (owner);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Owner, owner_end)

/* What has been sent, as soon as it is so much: T and K for SIGTERM and SIGKILL. */
static char *
dup_sent (Owner *owner, guint n_sent)
{
  GString *text = g_string_new (NULL);

  malt_test_gate_wait (&owner->n_sent, n_sent);
  n_sent = MIN (malt_test_gate_get (&owner->n_sent), MAX_SENT);
  for (guint i = 0; i < n_sent; i++)
    g_string_append (text, g_atomic_int_get (&owner->sent[i]) == SIGKILL ? "K" : "T");
  return g_string_free (text, FALSE);
}

/* Lets go, and waits until the source has done so too. */
static gboolean
owner_is_freed (Owner **owner)
{
  guint n = malt_test_gate_get (&n_freed);

  g_clear_pointer (owner, owner_end);
  return malt_test_gate_wait (&n_freed, n + 1);
}

static void
sigkill_follows_sigterm (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *sent = NULL;
  gint64 start_us = g_get_monotonic_time ();

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, 10, 20);
  sent = dup_sent (owner, 2);
  malt_assert_string (sent, "TK");
  malt_assert (g_get_monotonic_time () - start_us >= 30000);
  malt_assert (owner_is_freed (&owner));
}

static void
earlier_dates_win (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *first = NULL;
  g_autofree char *both = NULL;

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, FOREVER_MS, FOREVER_MS);
  malt_reaper_end_within (owner->reaper, 1, FOREVER_MS);
  first = dup_sent (owner, 1);
  malt_assert_string (first, "T");
  malt_reaper_kill_within (owner->reaper, 1);
  both = dup_sent (owner, 2);
  malt_assert_string (both, "TK");
}

static void
later_dates_change_nothing (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *sent = NULL;

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, 10, 10);
  malt_reaper_end_within (owner->reaper, FOREVER_MS, FOREVER_MS);
  malt_reaper_kill_within (owner->reaper, FOREVER_MS);
  sent = dup_sent (owner, 2);
  malt_assert_string (sent, "TK");
}

static void
sigterm_is_sent_once (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *first = NULL;
  g_autofree char *both = NULL;

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, 0, FOREVER_MS);
  first = dup_sent (owner, 1);
  malt_assert_string (first, "T");
  malt_reaper_end_within (owner->reaper, 0, 10);
  both = dup_sent (owner, 2);
  malt_assert_string (both, "TK");
}

static void
sigkill_leaves_sigterm_out_and_can_be_repeated (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *first = NULL;
  g_autofree char *both = NULL;

  malt_reaper_end_within (owner->reaper, 0, 0);
  malt_reaper_start (owner->reaper);
  first = dup_sent (owner, 1);
  malt_assert_string (first, "K");
  malt_reaper_end_within (owner->reaper, 0, 1);
  both = dup_sent (owner, 2);
  malt_assert_string (both, "KK");
}

static void
what_is_wanted_before_the_start_happens_then (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *sent = NULL;

  malt_reaper_end_within (owner->reaper, 0, FOREVER_MS);
  malt_test_settle ();
  malt_assert_int (malt_test_gate_get (&owner->n_sent), 0);
  malt_reaper_start (owner->reaper);
  sent = dup_sent (owner, 1);
  malt_assert_string (sent, "T");
}

static void
nothing_is_sent_after_the_stop (void)
{
  g_autoptr (Owner) owner = owner_new ();

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, FOREVER_MS, FOREVER_MS);
  malt_reaper_stop (owner->reaper);
  malt_reaper_stop (owner->reaper);
  malt_reaper_kill_within (owner->reaper, 0);
  malt_test_settle ();
  malt_assert_int (malt_test_gate_get (&owner->n_sent), 0);
  malt_assert (owner_is_freed (&owner));
}

static void
start_after_the_stop_does_nothing (void)
{
  g_autoptr (Owner) owner = owner_new ();

  malt_reaper_kill_within (owner->reaper, 0);
  malt_reaper_stop (owner->reaper);
  malt_reaper_start (owner->reaper);
  malt_test_settle ();
  malt_assert_int (malt_test_gate_get (&owner->n_sent), 0);
  malt_assert_int (g_atomic_int_get ((gint *) &owner->ref_count), 1);
}

static void
signal_that_stops_the_reaper_may_be_the_last_to_hold_the_owner (void)
{
  Owner *owner = owner_new ();
  guint n = malt_test_gate_get (&n_freed);

  owner->is_stopped_by_signal = TRUE;
  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, 0, 0);
  owner_unref (owner);
  malt_assert (malt_test_gate_wait (&n_freed, n + 1));
}

static void
longest_timeouts_never_come (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *sent = NULL;

  malt_reaper_start (owner->reaper);
  malt_reaper_end_within (owner->reaper, G_MAXINT64, G_MAXINT64);
  malt_reaper_end_within (owner->reaper, G_MAXINT64, 0);
  malt_reaper_kill_within (owner->reaper, G_MAXINT64);
  malt_test_settle ();
  malt_assert_int (malt_test_gate_get (&owner->n_sent), 0);
  malt_reaper_kill_within (owner->reaper, 0);
  sent = dup_sent (owner, 1);
  malt_assert_string (sent, "K");
}

static gpointer
end_in_thread (gpointer data)
{
  Owner *owner = data;

  malt_reaper_end_within (owner->reaper, 0, FOREVER_MS);
  malt_reaper_end_within (owner->reaper, 0, FOREVER_MS);
  owner_unref (owner);
  return NULL;
}

/* @is_stopped_meanwhile: else one SIGTERM has to come of it. */
static gboolean
joins_ends_of_threads (gboolean is_stopped_meanwhile)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autofree char *sent = NULL;
  GThread *threads[N_THREADS];

  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("end", end_in_thread, owner_ref (owner));
  malt_reaper_start (owner->reaper);
  if (is_stopped_meanwhile)
    malt_reaper_stop (owner->reaper);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  if (is_stopped_meanwhile)
    return owner_is_freed (&owner);
  sent = dup_sent (owner, 1);
  malt_test_settle ();
  return strcmp (sent, "T") == 0 && malt_test_gate_get (&owner->n_sent) == 1 &&
         owner_is_freed (&owner);
}

static void
ends_of_several_threads_join (void)
{
  for (int i = 0; i < N_ROUNDS; i++)
    malt_assert (joins_ends_of_threads (i % 2 == 0));
}

static CU_TestInfo tests[] = {
  MALT_TEST (sigkill_follows_sigterm),
  MALT_TEST (earlier_dates_win),
  MALT_TEST (later_dates_change_nothing),
  MALT_TEST (sigterm_is_sent_once),
  MALT_TEST (sigkill_leaves_sigterm_out_and_can_be_repeated),
  MALT_TEST (what_is_wanted_before_the_start_happens_then),
  MALT_TEST (nothing_is_sent_after_the_stop),
  MALT_TEST (start_after_the_stop_does_nothing),
  MALT_TEST (signal_that_stops_the_reaper_may_be_the_last_to_hold_the_owner),
  MALT_TEST (longest_timeouts_never_come),
  MALT_TEST (ends_of_several_threads_join),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "reapers", NULL, NULL, NULL, NULL, tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
