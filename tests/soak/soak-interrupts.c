/* SPDX-License-Identifier: MIT */
/* Interrupts at random moments, by what the call does that is meant.
 *
 * A call that is hit ends with an InterruptException and the result is DELIVERED; if
 * the result is another, the call has its own value. The neighbours of a call are
 * never hit. All victims end by themselves, too, some of them soon, so that interrupts
 * also come too late. */
#include "soak.h"

enum
{
  N_NEIGHBOURS = 3,
  SOON_MS = 15,
  /* Longer than the result of an interrupt takes on a machine that is not loaded. */
  LATE_MS = 6000,
  LATE_IF_HOGGING_MS = 400, /* where only its end ends a busy call */
  SLEEP_IN_C_MS = 300,
  N_NESTED = 20000, /* whose encoding takes a while */
  N_COMPILED_TERMS = 30
};

typedef struct
{
  const char *kind; /* the operation's name */
  const char *function; /* of soak.jl */
  gint64 soon; /* its argument, where it ends soon */
  gint64 late;
  gint64 most_wait_us; /* before the interrupt */
  /* DELIVERED or GONE, where busy neighbours can be interrupted, too. */
  gboolean is_always_reached;
} Victim;

static const Victim victims[] = {
  { "waiting", "soak_sleep", SOON_MS, LATE_MS, 25000, TRUE },
  { "process", "soak_run", SOON_MS, 400, 50000, TRUE },
  { "allocating", "soak_allocate", SOON_MS, LATE_MS, 25000, FALSE },
  { "encoding", "soak_nested", 100, N_NESTED, 100000, FALSE },
  { "tight", "soak_spin", SOON_MS, LATE_MS, 25000, FALSE },
  { "compiling", "soak_compile", 2, N_COMPILED_TERMS, 300000, FALSE },
  { "sleep-in-c", "soak_c_sleep", SOON_MS, SLEEP_IN_C_MS, 50000, FALSE },
};

/* What an interrupt said, and what became of its call. */
static void
compare (SoakFlight *flight, const Victim *victim, MaltInterruptResult result,
         SoakLanding landing)
{
  static const char *const names[] = { "DELIVERED", "IDLE", "GONE", "UNDELIVERABLE" };
  gboolean is_hit = landing == SOAK_LANDED_INTERRUPTED;

  if (landing != SOAK_LANDED_FAULT && landing != SOAK_LANDED_ENDED &&
      is_hit != (result == MALT_INTERRUPT_DELIVERED))
    soak_fault (SOAK_UNTRUE, "%s %" G_GINT64_FORMAT ": %s, and the call %s", victim->kind,
                flight->id, names[result], is_hit ? "was interrupted" : "has a value");
  if (victim->is_always_reached && soak_can (MALT_CAPABILITY_CAN_INTERRUPT_BUSY) &&
      result == MALT_INTERRUPT_UNDELIVERABLE)
    soak_fault (SOAK_UNDELIVERED, "%s %" G_GINT64_FORMAT, victim->kind, flight->id);
}

/* FALSE: it has no result, which was counted. */
gboolean
soak_interrupt (SoakFlight *flight, const char *kind, MaltInterruptResult *out_result)
{
  g_autoptr (GError) error = NULL;
  int patience_s = soak_get_options ()->patience_s / 2;
  gint64 begin_us = g_get_monotonic_time ();

  *out_result =
      malt_future_interrupt (flight->future, MALT_INTERRUPT_DEFAULT,
                             soak_patience (flight->thread, patience_s), &error);
  if (error == NULL)
    soak_count_interrupt (kind, *out_result, g_get_monotonic_time () - begin_us);
  else if (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED))
    soak_fault (SOAK_UNANSWERED, "%s %" G_GINT64_FORMAT " after %d s", kind, flight->id,
                patience_s);
  else
    soak_fault (SOAK_WRONG, "interrupt of %s %" G_GINT64_FORMAT ": %s", kind, flight->id,
                error->message);
  return error == NULL;
}

/* As soak_nested() of soak.jl: the last element tells. */
static SoakLanding
land_nested (SoakFlight *flight)
{
  SoakLanding landing = soak_land (flight, SOAK_MAY_BE_INTERRUPTED);
  g_autoptr (MaltValue) last = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *seen = NULL;
  gsize n;

  if (landing != SOAK_LANDED_VALUE)
    return landing;
  n = malt_value_get_n_children (flight->value);
  last = n > 0 ? malt_value_dup_child (flight->value, n - 1) : malt_value_new_nothing ();
  seen = malt_value_to_string (last);
  expected = g_strdup_printf ("(%" G_GINT64_FORMAT ", %" G_GSIZE_FORMAT
                              ", \"%" G_GSIZE_FORMAT "\")",
                              flight->id, n, n);
  if (g_strcmp0 (seen, expected) == 0)
    return landing;
  soak_fault (SOAK_WRONG, "encoding: expected %s, got %.80s", expected, seen);
  return SOAK_LANDED_FAULT;
}

static void
land_victim (SoakFlight *flight, const Victim *victim)
{
  MaltInterruptResult result;
  gboolean has_result = soak_interrupt (flight, victim->kind, &result);
  SoakLanding landing;

  landing = victim->late == N_NESTED
                ? land_nested (flight)
                : soak_land_int (flight, SOAK_MAY_BE_INTERRUPTED, flight->id);
  if (has_result)
    compare (flight, victim, result, landing);
}

static SoakFlight *
fly_victim (SoakThread *thread, SoakWorker *worker, const Victim *victim)
{
  gint64 argument = soak_chance (thread, 30) ? victim->soon : victim->late;

  if (!soak_can (MALT_CAPABILITY_CAN_INTERRUPT_BUSY) && argument == LATE_MS)
    argument = LATE_IF_HOGGING_MS;
  return soak_fly_function (thread, worker, soak_next_id (thread), victim->function,
                            argument);
}

static const Victim *
get_victim (const char *kind)
{
  const Victim *victim = victims;

  while (!g_str_equal (victim->kind, kind))
    victim++;
  return victim;
}

static void
run_victim (SoakThread *thread)
{
  const Victim *victim = get_victim (thread->operation->name);
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  SoakFlight *flight;

  if (worker == NULL)
    return;
  flight = fly_victim (thread, worker, victim);
  soak_wait_us (thread, victim->most_wait_us);
  land_victim (flight, victim);
}

/* Queued neighbours: calls in front, and behind, some of them given up. */
static void
run_queued (SoakThread *thread)
{
  static const Victim busy[] = {
    { "queued", "soak_allocate", SOON_MS, LATE_MS, 20000, FALSE },
    { "queued", "soak_spin", SOON_MS, LATE_MS, 20000, FALSE },
  };
  const Victim *victim = &busy[soak_random (thread, 0, G_N_ELEMENTS (busy))];
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  SoakFlight *flights[2 * N_NEIGHBOURS];
  SoakFlight *flight = NULL;
  gint64 victim_at = soak_random (thread, 0, N_NEIGHBOURS);

  if (worker == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (flights); i++)
    {
      if (i == victim_at)
        flight = fly_victim (thread, worker, victim);
      flights[i] = soak_fly_function (thread, worker, soak_next_id (thread),
                                      i < victim_at ? "soak_sleep" : "soak_once",
                                      soak_random (thread, 0, 30));
      if (i % 3 == 2)
        malt_future_cancel (flights[i]->future);
    }
  soak_wait_us (thread, victim->most_wait_us);
  land_victim (flight, victim);
  for (guint i = 0; i < G_N_ELEMENTS (flights); i++)
    soak_land_int (flights[i], i % 3 == 2 ? SOAK_MAY_BE_CANCELLED : SOAK_MAY_ONLY_ANSWER,
                   i < victim_at ? flights[i]->id : 3 * flights[i]->id + 1);
}

const SoakOperation soak_interrupts[] = {
  { "waiting", 1, MALT_CAPABILITY_CAN_INTERRUPT_WAITING, run_victim },
  { "process", 1, MALT_CAPABILITY_CAN_INTERRUPT_WAITING, run_victim },
  { "allocating", 1, MALT_CAPABILITY_NONE, run_victim },
  { "encoding", 1, MALT_CAPABILITY_NONE, run_victim },
  { "tight", 1, MALT_CAPABILITY_NONE, run_victim },
  { "compiling", 1, MALT_CAPABILITY_NONE, run_victim },
  { "sleep-in-c", 1, MALT_CAPABILITY_NONE, run_victim },
  { "queued", 1, MALT_CAPABILITY_NONE, run_queued },
  SOAK_OPERATIONS_END,
};
