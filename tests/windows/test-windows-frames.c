/* SPDX-License-Identifier: MIT */
/* Frames from workers on Windows, of the backend that the argument names: large ones,
 * many, and wrong ones. */
#include "windows-test.h"

#include <string.h>

#define N_NUMBERS ((gsize) 2000000)
#define N_CALLS 500

/* Right ones */

static gboolean
counts_up (MaltValue *array)
{
  gsize n_bytes = 0;
  const gint64 *numbers =
      array != NULL ? malt_value_get_array_data (array, &n_bytes) : NULL;

  if (n_bytes != N_NUMBERS * sizeof *numbers)
    return FALSE;
  for (gsize i = 0; i < N_NUMBERS; i++)
    if (numbers[i] != (gint64) i)
      return FALSE;
  return TRUE;
}

static MaltValue *
numbers_new (void)
{
  g_autofree gint64 *numbers = g_new (gint64, N_NUMBERS);
  const gsize n = N_NUMBERS;

  for (gsize i = 0; i < n; i++)
    numbers[i] = (gint64) i;
  return malt_value_new_array (MALT_VALUE_INT64, &n, 1, numbers, n * sizeof *numbers);
}

/* More than a connection takes at once. */
static void
large_answer_arrives_whole (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autofree char *line = g_strdup_printf ("array %" G_GSIZE_FORMAT, N_NUMBERS);
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  value = malt_worker_remote_eval_fetch (worker, NULL, line, NULL, &error);
  malt_assert_no_error (error);
  malt_assert (counts_up (value));
}

static void
large_requests_and_answers_pass_each_other (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltValue) numbers = numbers_new ();
  MaltFuture *futures[4];
  gboolean is_right = TRUE;

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      g_autoptr (MaltCall) call = malt_call_new ("identity");

      malt_call_add_argument (call, numbers);
      futures[i] = malt_worker_remote_call (worker, call);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      g_autoptr (MaltValue) value = malt_future_fetch (futures[i], NULL, NULL);

      is_right = is_right && counts_up (value);
      g_object_unref (futures[i]);
    }
  malt_assert (is_right);
}

static void
many_calls_are_answered_each (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  MaltFuture *futures[N_CALLS];
  int n_right = 0;

  malt_assert (worker != NULL);
  for (int i = 0; i < N_CALLS; i++)
    {
      g_autofree char *line = g_strdup_printf ("int %d", i);

      futures[i] = malt_worker_remote_eval (worker, NULL, line);
    }
  for (int i = 0; i < N_CALLS; i++)
    {
      g_autoptr (MaltValue) value = malt_future_fetch (futures[i], NULL, NULL);

      n_right += value != NULL && malt_value_get_int64 (value) == i ? 1 : 0;
      g_object_unref (futures[i]);
    }
  malt_assert_int (n_right, N_CALLS);
}

static gpointer
call_many_times (gpointer worker)
{
  int n_right = 0;

  for (int i = 0; i < N_CALLS / 5; i++)
    n_right += windows_test_get_int (worker, "int 8", NULL) == 8 ? 1 : 0;
  return GINT_TO_POINTER (n_right);
}

static void
threads_may_call_at_once (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  GThread *threads[4];
  int n_right = 0;

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_many_times, worker);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    n_right += GPOINTER_TO_INT (g_thread_join (threads[i]));
  malt_assert_int (n_right, N_CALLS / 5 * (int) G_N_ELEMENTS (threads));
}

static void
answer_may_overtake_an_earlier_one (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) waiting = NULL;

  malt_assert (worker != NULL);
  waiting = malt_worker_remote_eval (worker, NULL, "wait");
  malt_assert_int (windows_test_get_int (worker, "int 9", NULL), 9);
  malt_assert (!malt_future_is_done (waiting));
}

/* Wrong ones */

/* A line that sends one, with a call outstanding; what is said of it. */
static const struct
{
  const char *line;
  const char *text;
} violations[] = {
  { "raw 74686973206973206e6f206672616d65", "expected zero" },
  { "frame 82 0 1 this 01", "expected zero at the end of a frame header, got 0100" },
  { "frame 99 0 0 this 01", "unknown kind of frame 99" },
  { "frame 82 40 0 this 01", "unknown flags 40" },
  { "frame 3 0 0 this -", "expected a frame from the runtime, got one of kind EVAL" },
  { "frame 82 0 0 this - ffffffffffff", "is larger than the limit" },
  { "frame 82 0 0 fffff 01", "which is not outstanding" },
  { "frame 83 0 0 fffff 0120000000000000000020000000000000000020000000000000000000000000",
    "which is not outstanding" },
  { "frame 82 0 0 this 0101", "" },
  { "frame 82 0 0 this ff", "" },
  { "frame 82 0 0 this 2010000000000000004142", "" },
  { "frame 82 0 0 this 22ffffffffffffffff", "" },
  { "frame 83 0 0 this 09", "unknown class of errors 9" },
  { "frame 84 0 0 this 00", "not asked for" },
  { "frame 86 0 0 5 ff", "" },
  { "frame 89 0 0 0 0741", "unknown stream 7" },
  { "frame 81 0 0 0 4d414c540d0a1a0001000000", "introduced itself twice" },
  { "frame 88 0 0 1 01", "" },
  { "host-nonsense f", "the arguments of a host call are of kind" },
};

static void
check_violation (const char *line, const char *text)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltFuture) other = NULL;
  g_autoptr (GError) error = NULL;
  const char *tail;
  HANDLE process;

  malt_assert (worker != NULL);
  process = windows_test_open_process (malt_worker_get_pid (worker));
  other = malt_worker_remote_eval (worker, NULL, "wait");
  windows_test_get_int (worker, line, &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  g_clear_error (&error);
  malt_assert (malt_future_fetch (other, NULL, &error) == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  tail = malt_termination_get_stderr (termination);
  if (malt_termination_get_reason (termination) != MALT_TERMINATION_PROTOCOL ||
      tail == NULL || !g_str_has_prefix (tail, "libmalt: ") ||
      strstr (tail, text) == NULL)
    MALT_TEST_FAIL ("%s: expected '%s', got reason %d, '%s'", line, text,
                    malt_termination_get_reason (termination), tail);
  malt_assert (windows_test_ends (process));
}

static void
worker_that_breaks_the_protocol_is_ended (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (violations); i++)
    check_violation (violations[i].line, violations[i].text);
}

static void
second_answer_breaks_the_protocol (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  value = malt_worker_remote_eval_fetch (worker, NULL, "answer-twice", NULL, &error);
  malt_assert_no_error (error);
  malt_assert (value != NULL);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_PROTOCOL);
}

static void
answer_beyond_the_limit_breaks_the_protocol (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (GError) error = NULL;

  malt_config_set (config, "max-frame-bytes", "100000");
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  windows_test_get_int (worker, "array 20000", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_PROTOCOL);
}

static CU_TestInfo tests[] = {
  MALT_TEST (large_answer_arrives_whole),
  MALT_TEST (large_requests_and_answers_pass_each_other),
  MALT_TEST (many_calls_are_answered_each),
  MALT_TEST (threads_may_call_at_once),
  MALT_TEST (answer_may_overtake_an_earlier_one),
  MALT_TEST (worker_that_breaks_the_protocol_is_ended),
  MALT_TEST (second_answer_breaks_the_protocol),
  MALT_TEST (answer_beyond_the_limit_breaks_the_protocol),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "frames on Windows", tests);
}
