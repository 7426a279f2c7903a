/* SPDX-License-Identifier: MIT */
/* Workers that live for one operation: fresh ones, and what their ends do to the calls
 * that wait for them. */
#include "soak.h"

#include <errno.h>
#include <signal.h>

enum
{
  N_PENDING = 4,
  EXIT_STATUS = 7
};

/* Before the first call there is nothing to interrupt. */
static void
interrupt_idle (SoakWorker *worker)
{
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result =
      malt_worker_interrupt (worker->worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, &error);

  if (error != NULL || result != MALT_INTERRUPT_IDLE)
    soak_fault (SOAK_MISDIRECTED, "an interrupt of an idle worker: %s",
                error ? error->message : "not IDLE");
  soak_count_operation ("idle");
}

/* NULL: it could not be used, which was counted. */
static SoakWorker *
launch_for_itself (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_launch (thread, FALSE);
  gint64 id = soak_next_id (thread);

  if (worker == NULL)
    return NULL;
  interrupt_idle (worker);
  if (soak_land_int (soak_fly_source (thread, worker, id, "%" G_GINT64_FORMAT " + 1", id),
                     SOAK_MAY_ONLY_ANSWER, id + 1) == SOAK_LANDED_VALUE)
    return g_steal_pointer (&worker);
  soak_worker_doom (worker);
  return NULL;
}

/* The first call of a worker is interrupted, which is still loading what it needs for
 * that; another one may wait behind it. */
static void
run_fresh (SoakThread *thread)
{
  static const char *const bodies[] = {
    "sleep(100)",
    "sleep(0.02)",
    "try; sleep(0.02); catch e; rethrow(e); end",
    "wait(Condition())",
    "n = 0; while true; n += 1; end",
    "while true; rand(3); end",
  };
  guint n_bodies = soak_can (MALT_CAPABILITY_CAN_INTERRUPT_BUSY) ? 6 : 4;
  const char *body = bodies[soak_random (thread, 0, n_bodies)];
  SoakFlight *behind = NULL;
  gint64 id = soak_next_id (thread);
  g_autoptr (SoakWorker) worker = soak_worker_launch (thread, FALSE);
  MaltInterruptResult result;
  SoakLanding landing;
  SoakFlight *flight;

  if (worker == NULL)
    return;
  flight =
      soak_fly_source (thread, worker, id, "let; %s; end; %" G_GINT64_FORMAT, body, id);
  if (soak_chance (thread, 50))
    behind = soak_fly_source (thread, worker, soak_next_id (thread), "collect(1:3); 7");
  soak_wait_us (thread, 60000);
  if (soak_interrupt (flight, "fresh", &result))
    {
      landing = soak_land_int (flight, SOAK_MAY_BE_INTERRUPTED, id);
      if (result != MALT_INTERRUPT_DELIVERED && result != MALT_INTERRUPT_GONE)
        soak_fault (SOAK_UNDELIVERED, "fresh %" G_GINT64_FORMAT ": result %d", id,
                    (int) result);
      if ((landing == SOAK_LANDED_INTERRUPTED) != (result == MALT_INTERRUPT_DELIVERED) &&
          landing != SOAK_LANDED_FAULT)
        soak_fault (SOAK_UNTRUE, "fresh %" G_GINT64_FORMAT ": result %d", id,
                    (int) result);
      if (behind != NULL)
        soak_land_int (behind, SOAK_MAY_ONLY_ANSWER, 7);
      id = soak_next_id (thread);
      soak_land_int (soak_fly_source (thread, worker, id, "%" G_GINT64_FORMAT " + 1", id),
                     SOAK_MAY_ONLY_ANSWER, id + 1);
    }
  soak_worker_doom (worker);
}

/* Calls that do not end by themselves; some of them leave no chance to end politely. */
static guint
fly_pending (SoakThread *thread, SoakWorker *worker, SoakFlight **out_flights)
{
  static const char *const bodies[] = { "sleep(1000)", "wait(Condition())",
                                        "while true; rand(3); end" };
  guint n_flights = (guint) soak_random (thread, 1, N_PENDING + 1);

  for (guint i = 0; i < n_flights; i++)
    out_flights[i] = soak_fly_source (
        thread, worker, soak_next_id (thread), "%s",
        bodies[soak_random (
            thread, 0, soak_can (MALT_CAPABILITY_ISOLATED) ? G_N_ELEMENTS (bodies) : 2)]);
  soak_wait_us (thread, 20000);
  return n_flights;
}

/* All of them fail, for the worker has ended. */
static void
land_pending (SoakFlight **flights, guint n_flights)
{
  for (guint i = 0; i < n_flights; i++)
    {
      SoakLanding landing = soak_land (flights[i], SOAK_MAY_ONLY_ANSWER);

      if (landing == SOAK_LANDED_VALUE)
        soak_fault (SOAK_WRONG, "%s %" G_GINT64_FORMAT " has a value, after the end",
                    flights[i]->what, flights[i]->id);
    }
}

static void
check_reason (SoakWorker *worker, MaltTerminationReason reason, int status)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (worker->worker);
  g_autofree char *seen =
      termination ? malt_termination_to_string (termination) : g_strdup ("none");

  if (termination == NULL || malt_termination_get_reason (termination) != reason ||
      (reason == MALT_TERMINATION_SIGNALLED &&
       malt_termination_get_signal (termination) != status) ||
      (reason == MALT_TERMINATION_EXITED &&
       malt_termination_get_exit_status (termination) != status))
    soak_fault (SOAK_WRONG, "an end: expected reason %d, status %d, got %s", (int) reason,
                status, seen);
}

/* Now and then it is one that others are using. */
static SoakWorker *
find_victim (SoakThread *thread)
{
  return soak_chance (thread, 5) ? soak_worker_share (thread)
                                 : launch_for_itself (thread);
}

/* By the library, by somebody else, by the code itself. */
static void
run_kill (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = find_victim (thread);
  SoakFlight *flights[N_PENDING + 1];
  guint n_flights;
  gint64 way = soak_random (thread, 0, 4);

  if (worker == NULL)
    return;
  soak_worker_doom (worker);
  if (way == 3)
    {
      flights[0] = soak_fly_source (thread, worker, soak_next_id (thread), "exit(%d)",
                                    EXIT_STATUS);
      n_flights = 1;
    }
  else
    n_flights = fly_pending (thread, worker, flights);
  if (way == 0)
    malt_worker_kill (worker->worker, SIGKILL, NULL);
  else if (way == 1)
    malt_worker_kill (worker->worker, SIGTERM, NULL);
  else if (way == 2)
    kill ((pid_t) malt_worker_get_pid (worker->worker), SIGKILL);
  land_pending (flights, n_flights);
  check_reason (worker,
                way == 2   ? MALT_TERMINATION_SIGNALLED
                : way == 3 ? MALT_TERMINATION_EXITED
                           : MALT_TERMINATION_STOPPED,
                way == 3 ? EXIT_STATUS : SIGKILL);
}

static void
stop (SoakThread *thread, SoakWorker *worker)
{
  gboolean is_stopped = soak_can (MALT_CAPABILITY_CAN_KILL) && soak_chance (thread, 20);
  GError *error = NULL;

  /* One that stands still does not hear what it is asked. */
  if (is_stopped)
    kill ((pid_t) malt_worker_get_pid (worker->worker), SIGSTOP);
  malt_worker_stop_full (worker->worker, is_stopped ? 200 : soak_random (thread, 0, 2000),
                         500, NULL,
                         soak_patience (thread, soak_get_options ()->patience_s), &error);
  if (error != NULL)
    soak_fault (SOAK_WRONG, "stop: %s", error->message);
  g_clear_error (&error);
  if (malt_worker_is_running (worker->worker))
    soak_fault (SOAK_WRONG, "a worker runs after its stop");
}

static void
run_stop (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = find_victim (thread);
  SoakFlight *flights[N_PENDING + 1];
  guint n_flights;

  if (worker == NULL)
    return;
  soak_worker_doom (worker);
  n_flights = fly_pending (thread, worker, flights);
  stop (thread, worker);
  land_pending (flights, n_flights);
}

/* The last reference. The flights keep none of the library's. */
static void
run_drop (SoakThread *thread)
{
  SoakWorker *worker = launch_for_itself (thread);
  SoakFlight *flights[N_PENDING + 1];
  guint n_flights;

  if (worker == NULL)
    return;
  soak_worker_doom (worker);
  n_flights = fly_pending (thread, worker, flights);
  g_clear_object (&worker->worker);
  land_pending (flights, n_flights);
  soak_worker_unref (worker);
}

const SoakOperation soak_ends[] = {
  { "fresh", 1, MALT_CAPABILITY_CAN_INTERRUPT_WAITING, run_fresh },
  { "idle", 0, MALT_CAPABILITY_NONE, NULL },
  { "kill", 1, MALT_CAPABILITY_CAN_KILL, run_kill },
  { "stop", 1, MALT_CAPABILITY_NONE, run_stop },
  { "drop", 1, MALT_CAPABILITY_NONE, run_drop },
  SOAK_OPERATIONS_END,
};
