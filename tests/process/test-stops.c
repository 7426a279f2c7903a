/* SPDX-License-Identifier: MIT */
/* Stops that join, whoever asks and whenever. */
#include "malt-test.h"

#include "process/malt-stops.h"

enum
{
  N_THREADS = 4,
  N_JOINS = 500
};

typedef struct
{
  MaltStops stops;
  guint n_returned; /* of the main thread */
  gint n_first; /* atomic */
} Owner;

static void
owner_init (Owner *owner)
{
  *owner = (Owner){ .n_returned = 0 };
  malt_stops_init (&owner->stops);
}

static void
owner_clear (Owner *owner)
{
  malt_stops_clear (&owner->stops);
}

static void
on_returned (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  Owner *owner = user_data;

  owner->n_returned += g_task_propagate_boolean (G_TASK (result), NULL) ? 1 : 0;
}

static gboolean
join (Owner *owner)
{
  return malt_stops_join (&owner->stops, g_task_new (NULL, NULL, on_returned, owner));
}

static guint
run_pending (Owner *owner)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return owner->n_returned;
}

static void
stops_wait_for_the_end (void)
{
  Owner owner;

  owner_init (&owner);
  malt_assert (!malt_stops_are_wanted (&owner.stops));
  malt_assert (join (&owner));
  malt_assert (!join (&owner));
  malt_assert (malt_stops_are_wanted (&owner.stops));
  malt_assert_int (run_pending (&owner), 0);
  malt_stops_end (&owner.stops);
  malt_assert_int (run_pending (&owner), 2);
  owner_clear (&owner);
}

static void
stop_after_the_end_returns_and_is_not_the_first (void)
{
  Owner owner;

  owner_init (&owner);
  malt_stops_end (&owner.stops);
  malt_assert (!malt_stops_are_wanted (&owner.stops));
  malt_assert (!join (&owner));
  malt_assert_int (run_pending (&owner), 1);
  owner_clear (&owner);
}

static void
nobody_needs_to_wait (void)
{
  Owner owner;

  owner_init (&owner);
  malt_assert (malt_stops_join (&owner.stops, NULL));
  malt_assert (malt_stops_are_wanted (&owner.stops));
  malt_stops_end (&owner.stops);
  malt_assert (!malt_stops_join (&owner.stops, NULL));
  owner_clear (&owner);
}

static gpointer
join_often (gpointer data)
{
  Owner *owner = data;

  for (int i = 0; i < N_JOINS; i++)
    if (join (owner))
      g_atomic_int_inc (&owner->n_first);
  return NULL;
}

/* The end comes in the middle; tasks return in the context of this thread, which is the
 * default one. */
static void
every_stop_returns_once_and_one_was_the_first (void)
{
  Owner owner;
  GThread *threads[N_THREADS];

  owner_init (&owner);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("join", join_often, &owner);
  while (!malt_stops_are_wanted (&owner.stops))
    g_thread_yield ();
  malt_stops_end (&owner.stops);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  malt_assert_int (run_pending (&owner), N_THREADS * N_JOINS);
  malt_assert_int (g_atomic_int_get (&owner.n_first), 1);
  owner_clear (&owner);
}

static CU_TestInfo tests[] = {
  MALT_TEST (stops_wait_for_the_end),
  MALT_TEST (stop_after_the_end_returns_and_is_not_the_first),
  MALT_TEST (nobody_needs_to_wait),
  MALT_TEST (every_stop_returns_once_and_one_was_the_first),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { "stops", NULL, NULL, NULL, NULL, tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
