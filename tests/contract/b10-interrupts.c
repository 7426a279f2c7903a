/* SPDX-License-Identifier: MIT */
/* B10: an interrupt hits the call that was meant, or nothing, and the result says which. */
#include "malt-contract.h"

#define SEED 20261121
#define N_RANDOM 200

/* So long after it was sent a call that hogs the evaluator has begun; before, it could be
 * interrupted as one that has not. Nothing can say so meanwhile. */
#define BEGIN_MS 500

/* Tests that use the processor have a worker of their own: where there is no judge a
 * signal is only sent for a call that is alone, and a call that a test before has given
 * up counts. */

/* Interrupts @future, or the newest call if it is NULL. NOT_SUPPORTED, where it is right, is -1. */
static int
interrupt (MaltWorker *worker, MaltFuture *future, MaltInterruptFlags flags)
{
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result =
      malt_worker_interrupt (worker, future, flags, NULL, &error);

  if (error == NULL)
    return (int) result;
  if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED))
    contract_note ("interrupt: %s", error->message);
  return -1;
}

static gboolean
is_expected (int seen, int expected)
{
  if (seen != expected)
    contract_note ("interrupt: result %d expected; seen: %d", expected, seen);
  return seen == expected;
}

static gboolean
can_interrupt_waiting (MaltWorker *worker)
{
  return contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_WAITING);
}

/* What a worker answers that cannot interrupt anything. */
static gboolean
refuses_interrupts (MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_SLEEP_MS, 50);

  return is_expected (interrupt (worker, future, MALT_INTERRUPT_DEFAULT), -1) &&
         contract_gives_int (future, 50);
}

static void
b10_a_waiting_call_is_hit (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  if (!can_interrupt_waiting (worker))
    {
      malt_assert (refuses_interrupts (worker));
      return;
    }
  future = contract_start (worker, CONTRACT_NEVER);
  malt_assert (contract_works (worker));
  malt_assert (is_expected (interrupt (worker, future, MALT_INTERRUPT_DEFAULT),
                            MALT_INTERRUPT_DELIVERED));
  malt_assert (contract_throws (future, "InterruptException"));
  malt_assert (contract_works (worker));
}

static void
b10_of_ten_waiting_calls_only_the_meant_one_is_hit (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  malt_assert (worker != NULL);
  if (!can_interrupt_waiting (worker))
    {
      malt_assert (refuses_interrupts (worker));
      return;
    }
  for (int i = 0; i < 10; i++)
    g_ptr_array_add (futures, i == 4
                                  ? contract_start (worker, CONTRACT_NEVER)
                                  : contract_start_int (worker, CONTRACT_SLEEP_MS, 600));
  malt_assert (contract_works (worker));
  malt_assert (is_expected (
      interrupt (worker, g_ptr_array_index (futures, 4), MALT_INTERRUPT_DEFAULT),
      MALT_INTERRUPT_DELIVERED));
  for (guint i = 0; i < futures->len; i++)
    {
      if (i == 4)
        malt_assert (
            contract_throws (g_ptr_array_index (futures, i), "InterruptException"));
      if (i != 4)
        malt_assert (contract_gives_int (g_ptr_array_index (futures, i), 600));
    }
}

static void
b10_without_a_future_the_newest_call_is_hit (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) older = NULL;
  g_autoptr (MaltFuture) newer = NULL;

  malt_assert (worker != NULL);
  if (!can_interrupt_waiting (worker))
    {
      malt_assert (refuses_interrupts (worker));
      return;
    }
  older = contract_start_int (worker, CONTRACT_SLEEP_MS, 400);
  newer = contract_start (worker, CONTRACT_NEVER);
  malt_assert (is_expected (interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT),
                            MALT_INTERRUPT_DELIVERED));
  malt_assert (contract_throws (newer, "InterruptException"));
  malt_assert (contract_gives_int (older, 400));
}

static void
b10_a_call_that_has_not_started_yet_is_hit (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  if (!can_interrupt_waiting (worker))
    {
      malt_assert (refuses_interrupts (worker));
      return;
    }
  for (int i = 0; i < 50; i++)
    {
      g_autoptr (MaltFuture) future = contract_start (worker, CONTRACT_NEVER);

      malt_assert (is_expected (interrupt (worker, future, MALT_INTERRUPT_DEFAULT),
                                MALT_INTERRUPT_DELIVERED));
      malt_assert (contract_throws (future, "InterruptException"));
    }
  malt_assert (contract_works (worker));
}

static void
b10_an_interrupt_of_a_call_that_ended_is_gone (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltFuture) bystander = NULL;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_ECHO, 1);
  malt_assert (contract_gives_int (future, 1));
  bystander = contract_start_int (worker, CONTRACT_SLEEP_MS, 100);
  if (can_interrupt_waiting (worker))
    malt_assert (is_expected (interrupt (worker, future, MALT_INTERRUPT_DEFAULT),
                              MALT_INTERRUPT_GONE));
  malt_assert (contract_gives_int (bystander, 100));
  malt_assert (contract_gives_int (future, 1));
}

static void
b10_an_idle_worker_is_left_alone (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  malt_assert (worker != NULL);
  malt_assert (contract_works (worker));
  for (int i = 0; i < 100 && can_interrupt_waiting (worker); i++)
    {
      malt_assert (is_expected (interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT),
                                MALT_INTERRUPT_IDLE));
      malt_assert (is_expected (interrupt (worker, NULL, MALT_INTERRUPT_FORCE),
                                MALT_INTERRUPT_IDLE));
    }
  malt_assert (contract_works (worker));
  malt_assert (malt_worker_is_running (worker));
}

static void
b10_a_call_that_hogs_the_processor_is_hit_where_that_is_possible (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  gint64 spin_ms;
  int result;

  malt_assert (worker != NULL);
  spin_ms = contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_BUSY) ? 15000 : 3000;
  future = contract_start_int (worker, CONTRACT_SPIN_MS, spin_ms);
  malt_future_wait (future, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, future, MALT_INTERRUPT_DEFAULT);
  if (contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_BUSY))
    {
      malt_assert (is_expected (result, MALT_INTERRUPT_DELIVERED));
      malt_assert (contract_throws (future, "InterruptException"));
    }
  else
    {
      /* Where the machine is busy as well it may have ended before the evaluator had its time. */
      malt_assert (result == MALT_INTERRUPT_GONE ||
                   is_expected (result, can_interrupt_waiting (worker)
                                            ? MALT_INTERRUPT_UNDELIVERABLE
                                            : -1));
      malt_assert (contract_gives_int (future, spin_ms));
    }
  malt_assert (contract_works (worker));
}

static void
b10_interrupt_of_a_sleeping_call_never_hits_the_one_that_spins (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) sleeper = NULL;
  g_autoptr (MaltFuture) spinner = NULL;
  int result;

  malt_assert (worker != NULL);
  sleeper = contract_start_int (worker, CONTRACT_SLEEP_MS, 5000);
  malt_assert (contract_works (worker));
  spinner = contract_start_int (worker, CONTRACT_SPIN_MS, 2000);
  malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, sleeper, MALT_INTERRUPT_DEFAULT);
  malt_assert (contract_gives_int (spinner, 2000));
  if (result == MALT_INTERRUPT_DELIVERED)
    malt_assert (contract_throws (sleeper, "InterruptException"));
  else
    {
      malt_assert (is_expected (
          result, can_interrupt_waiting (worker) ? MALT_INTERRUPT_UNDELIVERABLE : -1));
      malt_assert (contract_gives_int (sleeper, 5000));
    }
}

static void
b10_interrupt_of_a_spinning_call_never_hits_the_one_that_sleeps (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) sleeper = NULL;
  g_autoptr (MaltFuture) spinner = NULL;
  int result;

  malt_assert (worker != NULL);
  sleeper = contract_start_int (worker, CONTRACT_SLEEP_MS, 1500);
  malt_assert (contract_works (worker));
  spinner = contract_start_int (worker, CONTRACT_SPIN_MS, 1000);
  malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, spinner, MALT_INTERRUPT_DEFAULT);
  malt_assert (contract_gives_int (sleeper, 1500));
  if (result == MALT_INTERRUPT_DELIVERED)
    malt_assert (contract_throws (spinner, "InterruptException"));
  else
    malt_assert (contract_gives_int (spinner, 1000));
}

static void
b10_force_reaches_a_spinning_call_that_is_not_alone (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) sleeper = NULL;
  g_autoptr (MaltFuture) spinner = NULL;

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_BUSY))
    {
      malt_assert (contract_works (worker));
      spinner = contract_start_int (worker, CONTRACT_SPIN_MS, 3000);
      malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
      malt_assert (interrupt (worker, spinner, MALT_INTERRUPT_FORCE) !=
                   MALT_INTERRUPT_DELIVERED);
      malt_assert (contract_gives_int (spinner, 3000));
      return;
    }
  sleeper = contract_start (worker, CONTRACT_NEVER);
  malt_assert (contract_works (worker));
  spinner = contract_start_int (worker, CONTRACT_SPIN_MS, 15000);
  malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
  malt_assert (is_expected (interrupt (worker, spinner, MALT_INTERRUPT_FORCE),
                            MALT_INTERRUPT_DELIVERED));
  malt_assert (contract_throws (spinner, "InterruptException"));
  malt_future_cancel (sleeper);
  malt_assert (contract_works (worker));
}

/* What the result says became of a call that would have given @expected. */
static gboolean
has_fate (MaltFuture *future, int result, gint64 expected)
{
  if (result == MALT_INTERRUPT_DELIVERED)
    return contract_throws (future, "InterruptException");
  return contract_gives_int (future, expected);
}

static void
b10_calls_that_are_queued_or_cancelled_are_not_hit (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) spinner = NULL;
  g_autoptr (MaltFuture) queued = NULL;
  g_autoptr (MaltFuture) cancelled = NULL;
  int result;

  malt_assert (worker != NULL);
  malt_assert (contract_works (worker));
  spinner = contract_start_int (worker, CONTRACT_SPIN_MS, 3000);
  malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
  queued = contract_start_int (worker, CONTRACT_ECHO, 2);
  cancelled = contract_start_int (worker, CONTRACT_ECHO, 3);
  malt_future_cancel (cancelled);
  result = interrupt (worker, spinner, MALT_INTERRUPT_DEFAULT);
  malt_assert (has_fate (spinner, result, 3000));
  malt_assert (contract_gives_int (queued, 2));
  malt_assert (contract_works (worker));
}

/* Not even when it comes to wait, after the result has been given. */
static void
b10_what_is_undeliverable_is_not_hit_later (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  int result;

  malt_assert (worker != NULL);
  malt_assert (contract_works (worker));
  future = malt_worker_remote_eval (worker, NULL,
                                    "Sys.iswindows() ? "
                                    "ccall(:Sleep, stdcall, Cvoid, (UInt32,), 5500) : "
                                    "ccall(:usleep, Cint, (UInt32,), 5_500_000); "
                                    "sleep(0.3); 7");
  malt_future_wait (future, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, future, MALT_INTERRUPT_DEFAULT);
  malt_assert (has_fate (future, result, 7));
  malt_assert (contract_works (worker));
}

/* Where nothing is unjudged it is an interrupt like any other. */
static void
b10_a_throw_that_need_not_be_judged_hits_the_meant_call (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) waiting = NULL;
  g_autoptr (MaltFuture) spinner = NULL;
  gboolean can_interrupt_busy;
  gint64 spin_ms;
  int result;

  malt_assert (worker != NULL);
  malt_assert (contract_works (worker));
  can_interrupt_busy = contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_BUSY);
  if (can_interrupt_waiting (worker))
    {
      malt_assert (is_expected (interrupt (worker, NULL, MALT_INTERRUPT_UNJUDGED),
                                MALT_INTERRUPT_IDLE));
      waiting = contract_start (worker, CONTRACT_NEVER);
      malt_assert (is_expected (interrupt (worker, waiting, MALT_INTERRUPT_UNJUDGED),
                                MALT_INTERRUPT_DELIVERED));
      malt_assert (contract_throws (waiting, "InterruptException"));
    }
  spin_ms = can_interrupt_busy ? 15000 : 3000;
  spinner = contract_start_int (worker, CONTRACT_SPIN_MS, spin_ms);
  malt_future_wait (spinner, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, spinner, MALT_INTERRUPT_UNJUDGED);
  malt_assert (!can_interrupt_busy || result == MALT_INTERRUPT_DELIVERED);
  malt_assert (has_fate (spinner, result, spin_ms));
  malt_assert (contract_works (worker));
}

static void
b10_code_that_nothing_reaches_goes_on_and_the_result_says_so (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;
  int result;

  malt_assert (worker != NULL);
  future = contract_start_int (worker, CONTRACT_STUBBORN_MS, 2500);
  malt_future_wait (future, BEGIN_MS, NULL, NULL);
  result = interrupt (worker, future, MALT_INTERRUPT_DEFAULT);
  if (result == MALT_INTERRUPT_DELIVERED)
    malt_assert (contract_throws (future, "InterruptException"));
  if (result == MALT_INTERRUPT_UNDELIVERABLE || result == -1)
    malt_assert (contract_gives_int (future, 2500));
  malt_assert (result != MALT_INTERRUPT_IDLE);
  malt_assert (contract_works (worker));
}

static void
b10_a_large_reply_in_transit_is_not_disturbed (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  malt_assert (worker != NULL);
  for (gint64 delay_ms = 0; delay_ms <= 150; delay_ms += 30)
    {
      g_autoptr (MaltFuture) future =
          malt_worker_remote_eval (worker, NULL, "fill(0x5a, 200_000_000)");
      g_autoptr (MaltValue) value = NULL;
      g_autoptr (GError) error = NULL;
      gsize n_bytes = 0;

      malt_future_wait (future, delay_ms, NULL, NULL);
      interrupt (worker, future, MALT_INTERRUPT_DEFAULT);
      malt_assert (contract_is_done_soon (future));
      value = malt_future_fetch (future, NULL, &error);
      if (value != NULL)
        malt_value_get_array_data (value, &n_bytes);
      malt_assert (value != NULL ? n_bytes == 200000000
                                 : contract_throws (future, "InterruptException"));
      malt_assert (contract_works (worker));
    }
}

/* Random moments. A bystander waits beside half of the calls and must not be hit. */

static MaltFuture *
start_random (MaltWorker *worker, GRand *random)
{
  const ContractDialect *dialect = contract_get_dialect ();
  int kind = g_rand_int_range (random, 0, 100);
  gboolean can_interrupt_busy = contract_can (worker, MALT_CAPABILITY_CAN_INTERRUPT_BUSY);

  if (kind < 2)
    return contract_start_int (worker, CONTRACT_SPIN_MS, can_interrupt_busy ? 3000 : 50);
  if (kind < 20 && dialect->is_julia && can_interrupt_busy)
    return malt_worker_remote_eval (worker, NULL,
                                    "let t = time(), a = []; while time() - t < 1; a = "
                                    "rand(100); end; 77 end");
  return contract_start_int (worker, CONTRACT_SLEEP_MS, g_rand_int_range (random, 1, 40));
}

/* Each result stands for one fate of the call. */
static gboolean
is_fate_right (MaltFuture *future, int result)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!contract_is_done_soon (future))
    return FALSE;
  value = malt_future_fetch (future, NULL, &error);
  if (result == MALT_INTERRUPT_DELIVERED)
    return contract_throws (future, "InterruptException");
  if (value == NULL)
    contract_note ("interrupt: result %d, and yet: %s", result, error->message);
  return value != NULL;
}

static void
b10_interrupts_at_random_moments_lose_nothing (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();
  GRand *random = g_rand_new_with_seed (SEED);
  guint n_wrong = 0;

  malt_assert (worker != NULL);
  for (int i = 0; i < N_RANDOM && n_wrong == 0; i++)
    {
      g_autoptr (MaltFuture) bystander =
          g_rand_boolean (random) ? contract_start_int (worker, CONTRACT_SLEEP_MS, 20)
                                  : NULL;
      g_autoptr (MaltFuture) future = start_random (worker, random);

      malt_future_wait (future, g_rand_int_range (random, 0, 30), NULL, NULL);
      n_wrong +=
          !is_fate_right (future, interrupt (worker, future, MALT_INTERRUPT_DEFAULT));
      n_wrong += bystander != NULL && !contract_gives_int (bystander, 20);
    }
  g_rand_free (random);
  malt_assert (n_wrong == 0);
  malt_assert (malt_worker_is_running (worker));
  malt_assert (contract_works (worker));
}

const ContractTest contract_b10[] = {
  CONTRACT_TEST (b10_a_waiting_call_is_hit),
  CONTRACT_TEST (b10_of_ten_waiting_calls_only_the_meant_one_is_hit),
  CONTRACT_TEST (b10_without_a_future_the_newest_call_is_hit),
  CONTRACT_TEST (b10_a_call_that_has_not_started_yet_is_hit),
  CONTRACT_TEST (b10_an_interrupt_of_a_call_that_ended_is_gone),
  CONTRACT_TEST (b10_an_idle_worker_is_left_alone),
  CONTRACT_TEST (b10_a_call_that_hogs_the_processor_is_hit_where_that_is_possible),
  CONTRACT_TEST (b10_interrupt_of_a_sleeping_call_never_hits_the_one_that_spins),
  CONTRACT_TEST (b10_interrupt_of_a_spinning_call_never_hits_the_one_that_sleeps),
  CONTRACT_TEST (b10_force_reaches_a_spinning_call_that_is_not_alone),
  CONTRACT_TEST (b10_calls_that_are_queued_or_cancelled_are_not_hit),
  CONTRACT_JULIA_TEST (b10_what_is_undeliverable_is_not_hit_later),
  CONTRACT_TEST (b10_a_throw_that_need_not_be_judged_hits_the_meant_call),
  CONTRACT_TEST (b10_code_that_nothing_reaches_goes_on_and_the_result_says_so),
  CONTRACT_JULIA_TEST (b10_a_large_reply_in_transit_is_not_disturbed),
  CONTRACT_TEST (b10_interrupts_at_random_moments_lose_nothing),
  CONTRACT_END,
};
