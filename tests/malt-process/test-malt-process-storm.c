/* SPDX-License-Identifier: MIT */
/* 500 interrupts at random moments, with a fixed seed: no dead worker, no lost answer,
 * none misdirected. */
#include "process-test.h"

#include "malt-process-worker.h"

#include <string.h>

enum
{
  N_INTERRUPTS = 500,
  SEED = 20240131,
  MAX_DELAY_US = 15000,
  ANSWER_DEADLINE_MS = 20000
};

/* Loops that end by themselves, so that an interrupt may come too late, too. */
static const char *const bodies[] = {
  "sleep(0.008)",
  "t = time(); while time() < t + 0.008; global X = [rand(3)]; end",
  "t = time_ns(); while time_ns() < t + 8_000_000; end",
};

/* Is the answer one that this call can have had: its own number, or InterruptException? */
static gboolean
has_right_answer (MaltFuture *future, gint64 number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  if (!malt_future_wait (future, ANSWER_DEADLINE_MS, NULL, NULL))
    {
      g_printerr ("\nno answer to call %" G_GINT64_FORMAT "\n", number);
      return FALSE;
    }
  value = malt_future_fetch (future, NULL, &error);
  if (value != NULL)
    return malt_value_get_kind (value) == MALT_VALUE_INT64 &&
           malt_value_get_int64 (value) == number;
  if (g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") == 0)
    return TRUE;
  g_printerr ("\ncall %" G_GINT64_FORMAT ": %s\n", number, error->message);
  return FALSE;
}

/* One call that is interrupted at some moment, and sometimes another behind it that must
 * not be hit. */
static void
interrupt_at_random (MaltWorker *worker, GRand *random, gint64 number)
{
  const char *body = bodies[g_rand_int_range (random, 0, G_N_ELEMENTS (bodies))];
  g_autofree char *source =
      g_strdup_printf ("let; %s; end; %" G_GINT64_FORMAT, body, number);
  g_autofree char *behind_source = g_strdup_printf ("%" G_GINT64_FORMAT, -number);
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);
  g_autoptr (MaltFuture) behind = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;

  g_usleep ((gulong) g_rand_int_range (random, 0, MAX_DELAY_US));
  malt_worker_interrupt_async (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL, NULL);
  if (g_rand_boolean (random))
    behind = malt_worker_remote_eval (worker, NULL, behind_source);
  CHECK (has_right_answer (future, number));
  if (behind == NULL)
    return;
  value = malt_future_fetch (behind, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == -number);
}

static void
random_interrupts_lose_nothing (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);

  CHECK (worker != NULL);
  for (gint64 i = 0; i < N_INTERRUPTS && malt_worker_is_running (worker); i++)
    interrupt_at_random (worker, random, i);
  CHECK (malt_worker_is_running (worker));
  CHECK (process_test_eval_int (worker, "1 + 1") == 2);
}

/* The same with loops that only signals end. */
static void
random_signals_lose_nothing (void)
{
  const char *const endless[] = { "while true; global X = [rand(3)]; end",
                                  "while true end" };
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);

  CHECK (worker != NULL);
  for (gint64 i = 0; i < 20; i++)
    {
      const char *source = endless[g_rand_int_range (random, 0, G_N_ELEMENTS (endless))];
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);

      g_usleep ((gulong) g_rand_int_range (random, 0, MAX_DELAY_US));
      malt_worker_interrupt_async (worker, future, MALT_INTERRUPT_DEFAULT, NULL, NULL,
                                   NULL);
      CHECK (has_right_answer (future, -1));
      CHECK (process_test_eval_int (worker, "4") == 4);
    }
  CHECK (malt_worker_is_running (worker));
}

static const ProcessTest tests[] = {
  { "random_interrupts_lose_nothing", random_interrupts_lose_nothing },
  { "random_signals_lose_nothing", random_signals_lose_nothing },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "storm of interrupts", tests);
}
