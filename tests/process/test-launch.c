/* SPDX-License-Identifier: MIT */
/* How a launch is decided: once, by whoever is first, and told to the owner before anybody else. */
#include "malt-test.h"

#include "malt-test-gate.h"
#include "process/malt-launch.h"

#include <malt/malt-abstract-worker.h>
#include <string.h>

enum
{
  N_THREADS = 6,
  N_ROUNDS = 100,
  FOREVER_MS = 3600 * 1000
};

static MaltTestGate n_freed;

/* What a backend's evaluator is to its launch. */
typedef struct
{
  gatomicrefcount ref_count;
  MaltLaunch *launch; /* (owned) */
  gint n_decided; /* atomic */
  gint is_in_io_thread; /* atomic: where it was decided */
  GTask *late; /* (unowned) (nullable): begins to wait while the owner is told */
  gboolean is_late_told_early;
  gboolean is_decided_again; /* while the owner is told */
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
  malt_launch_free (owner->launch);
  g_free (owner);
  malt_test_gate_add (&n_freed);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Owner, owner_unref)

static void
on_decided (gpointer data, G_GNUC_UNUSED const GError *error)
{
  Owner *owner = data;

  g_atomic_int_inc (&owner->n_decided);
  g_atomic_int_set (&owner->is_in_io_thread, malt_io_thread_is_current ());
  if (owner->late == NULL || owner->is_decided_again)
    return;
  owner->is_decided_again = TRUE;
  owner->is_decided_again = malt_launch_decide (owner->launch, NULL);
  malt_launch_await_task (owner->launch, NULL, g_object_ref (owner->late));
  owner->is_late_told_early = g_task_had_error (owner->late);
}

static Owner *
owner_new (void)
{
  Owner *owner = g_new0 (Owner, 1);

  g_atomic_ref_count_init (&owner->ref_count);
  owner->launch = malt_launch_new (owner, owner_ref, owner_unref, on_decided);
  return owner;
}

/* Lets go, and waits until sources and handlers have done so too. */
static gboolean
owner_is_freed (Owner **owner)
{
  guint n = malt_test_gate_get (&n_freed);

  g_clear_pointer (owner, owner_unref);
  return malt_test_gate_wait (&n_freed, n + 1);
}

static GError *
failure_new (int number)
{
  return g_error_new (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "failure %d", number);
}

static char *
dup_tail (G_GNUC_UNUSED gpointer owner)
{
  return g_strdup ("last words");
}

static void
first_decision_counts (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GError) error = NULL;

  malt_assert (!malt_launch_is_decided (owner->launch));
  malt_assert (malt_launch_decide (owner->launch, NULL));
  malt_assert (malt_launch_is_decided (owner->launch));
  malt_assert (!malt_launch_decide (owner->launch, failure_new (1)));
  malt_assert (!malt_launch_decide (owner->launch, NULL));
  malt_assert_int (owner->n_decided, 1);
  malt_assert (malt_launch_await_blocking (owner->launch, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (owner_is_freed (&owner));
}

static void
waiting_after_the_decision_gives_its_error (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (GError) error = NULL;
  GTask *task = g_task_new (NULL, NULL, malt_test_on_ready, malt_test_expect (&await));

  malt_assert (malt_launch_decide (owner->launch, failure_new (1)));
  malt_launch_await_task (owner->launch, NULL, task);
  malt_test_await (&await);
  malt_assert (!g_task_propagate_boolean (G_TASK (await.result), &error));
  malt_assert_string (error->message, "failure 1");
  g_clear_error (&error);
  malt_assert (!malt_launch_await_blocking (owner->launch, NULL, &error));
  malt_assert_string (error->message, "failure 1");
}

static void
task_that_waits_is_told (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (MaltTestAwait) await = { .result = NULL };
  g_autoptr (GError) error = NULL;
  GTask *task = g_task_new (NULL, NULL, malt_test_on_ready, malt_test_expect (&await));

  malt_launch_await_task (owner->launch, cancellable, task);
  malt_assert (malt_launch_decide (owner->launch, NULL));
  g_cancellable_cancel (cancellable);
  malt_test_await (&await);
  malt_assert (g_task_propagate_boolean (G_TASK (await.result), &error));
  malt_assert_no_error (error);
  malt_assert (owner_is_freed (&owner));
}

static void
owner_is_told_before_who_begins_to_wait_meanwhile (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GTask) late = g_task_new (NULL, NULL, NULL, NULL);

  owner->late = late;
  malt_assert (malt_launch_decide (owner->launch, failure_new (1)));
  malt_assert (!owner->is_decided_again);
  malt_assert_int (owner->n_decided, 1);
  malt_assert (!owner->is_late_told_early);
  malt_assert (g_task_had_error (late));
  while (!g_task_get_completed (late))
    g_main_context_iteration (NULL, TRUE);
}

/* Several threads decide, one cancels, and there is a timeout. */
typedef struct
{
  Owner *owner; /* (unowned) */
  int number;
  gint *winner; /* atomic */
  gint *n_winners; /* atomic */
} Decider;

static gpointer
decide_in_thread (gpointer data)
{
  Decider *decider = data;

  if (!malt_launch_decide (decider->owner->launch, failure_new (decider->number)))
    return NULL;
  g_atomic_int_set (decider->winner, decider->number);
  g_atomic_int_inc (decider->n_winners);
  return NULL;
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* The error of the one who waits has to be that of the one who was first. */
static gboolean
has_one_winner (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = NULL;
  GThread *threads[N_THREADS + 1];
  Decider deciders[N_THREADS];
  gint winner = -1;
  gint n_winners = 0;
  gboolean is_well;

  malt_launch_limit (owner->launch, 1, NULL);
  for (int i = 0; i < N_THREADS; i++)
    {
      deciders[i] = (Decider){ owner, i, &winner, &n_winners };
      threads[i] = g_thread_new ("decide", decide_in_thread, &deciders[i]);
    }
  threads[N_THREADS] = g_thread_new ("cancel", cancel_in_thread, cancellable);
  is_well = malt_launch_await_blocking (owner->launch, cancellable, &error);
  for (int i = 0; i <= N_THREADS; i++)
    g_thread_join (threads[i]);
  if (is_well || n_winners > 1 || g_atomic_int_get (&owner->n_decided) != 1)
    return FALSE;
  if (n_winners == 1)
    expected = g_strdup_printf ("failure %d", winner);
  else if (g_error_matches (error, MALT_ERROR, MALT_ERROR_TIMED_OUT))
    expected = g_strdup ("julia was not ready within the start timeout and was killed");
  else
    expected = g_strdup ("the launch was cancelled");
  return g_strcmp0 (error->message, expected) == 0 && owner_is_freed (&owner);
}

static void
threads_that_race_decide_once (void)
{
  for (int i = 0; i < N_ROUNDS; i++)
    malt_assert (has_one_winner ());
}

static void
start_timeout_decides_with_the_tail (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GError) error = NULL;

  malt_launch_limit (owner->launch, 1, dup_tail);
  malt_assert (!malt_launch_await_blocking (owner->launch, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_TIMED_OUT);
  malt_assert_string (
      error->message,
      "julia was not ready within the start timeout and was killed: last words");
  malt_assert (owner->is_in_io_thread);
  malt_assert (owner_is_freed (&owner));
}

static void
decision_ends_the_start_timeout (void)
{
  g_autoptr (Owner) owner = owner_new ();

  malt_launch_limit (owner->launch, FOREVER_MS, NULL);
  malt_assert (malt_launch_decide (owner->launch, NULL));
  malt_assert (owner_is_freed (&owner));
  owner = owner_new ();
  malt_assert (malt_launch_decide (owner->launch, NULL));
  malt_launch_limit (owner->launch, FOREVER_MS, NULL);
  malt_assert (owner_is_freed (&owner));
}

static void
source_of_the_launch_may_be_the_last_to_hold_the_owner (void)
{
  g_autoptr (Owner) owner = owner_new ();

  malt_launch_limit (owner->launch, 1, dup_tail);
  malt_assert (owner_is_freed (&owner));
}

static void
cancellation_decides (void)
{
  for (int is_before = 0; is_before < 2; is_before++)
    {
      g_autoptr (Owner) owner = owner_new ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      GThread *thread = NULL;
      gboolean is_well;

      if (is_before)
        g_cancellable_cancel (cancellable);
      else
        thread = g_thread_new ("cancel", cancel_in_thread, cancellable);
      is_well = malt_launch_await_blocking (owner->launch, cancellable, &error);
      g_clear_pointer (&thread, g_thread_join);
      malt_assert (!is_well);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
      malt_assert (owner->is_in_io_thread);
      malt_assert (owner_is_freed (&owner));
    }
}

static void
cancellation_after_the_decision_changes_nothing (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  malt_assert (malt_launch_decide (owner->launch, NULL));
  g_cancellable_cancel (cancellable);
  malt_assert (malt_launch_await_blocking (owner->launch, cancellable, &error));
  malt_test_settle ();
  malt_assert_int (owner->n_decided, 1);
  malt_assert (owner_is_freed (&owner));
}

static void
cancellable_is_watched_until_the_decision_only (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  guint signal = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);

  malt_launch_await_task (owner->launch, cancellable, g_object_ref (task));
  malt_assert (g_signal_has_handler_pending (cancellable, signal, 0, TRUE));
  malt_assert (malt_launch_decide (owner->launch, NULL));
  malt_assert (!g_signal_has_handler_pending (cancellable, signal, 0, TRUE));
  malt_assert_int (G_OBJECT (cancellable)->ref_count, 1);
  malt_assert (owner_is_freed (&owner));
  while (!g_task_get_completed (task))
    g_main_context_iteration (NULL, TRUE);
}

static void
worker_that_ends_first_says_how (void)
{
  g_autoptr (Owner) owner = owner_new ();
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_EXITED, 3, "last words", NULL);
  g_autoptr (GError) error = NULL;

  malt_launch_fail (owner->launch, termination);
  malt_assert (!malt_launch_await_blocking (owner->launch, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (g_str_has_prefix (error->message, "julia exited"));
  malt_assert (g_str_has_suffix (error->message, "before it was ready: last words"));
}

static CU_TestInfo tests[] = {
  MALT_TEST (first_decision_counts),
  MALT_TEST (waiting_after_the_decision_gives_its_error),
  MALT_TEST (task_that_waits_is_told),
  MALT_TEST (owner_is_told_before_who_begins_to_wait_meanwhile),
  MALT_TEST (threads_that_race_decide_once),
  MALT_TEST (start_timeout_decides_with_the_tail),
  MALT_TEST (decision_ends_the_start_timeout),
  MALT_TEST (source_of_the_launch_may_be_the_last_to_hold_the_owner),
  MALT_TEST (cancellation_decides),
  MALT_TEST (cancellation_after_the_decision_changes_nothing),
  MALT_TEST (cancellable_is_watched_until_the_decision_only),
  MALT_TEST (worker_that_ends_first_says_how),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "launches", NULL, NULL, NULL, NULL, tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
