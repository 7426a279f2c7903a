/* SPDX-License-Identifier: MIT */
/* How workers introduce themselves on Windows, of the backend that the argument names:
 * those who do it right are let in, and all others are not. */
#include "windows-test.h"

#include <string.h>

#define N_WORKERS 8
#define N_CROWDS 10

static MaltConfig *
config_new (const char *way)
{
  MaltConfig *config = windows_test_config_new (windows_test_get_backend ());
  g_autofree char *pair = g_strconcat ("FAKE_START=", way, NULL);

  malt_config_set (config, "env", pair);
  return config;
}

static MaltWorker *
launch (const char *way)
{
  g_autoptr (MaltConfig) config = config_new (way);

  return windows_test_launch (config);
}

/* What is let in */

static void
check_start (const char *way)
{
  g_autoptr (MaltWorker) worker = launch (way);
  g_autofree char *version = NULL;

  malt_assert (worker != NULL);
  malt_assert_int (windows_test_get_int (worker, "int 3", NULL), 3);
  version = malt_worker_dup_julia_version (worker);
  malt_assert_string (version, "1.99.0");
}

static void
worker_that_proves_itself_is_let_in (void)
{
  check_start ("");
}

static void
secret_may_come_in_pieces (void)
{
  check_start ("pieces");
}

static void
crowd_of_silent_strangers_keeps_nobody_out (void)
{
  for (int i = 0; i < N_CROWDS; i++)
    check_start ("crowd");
}

/* Who comes second knows the secret, too. */
static void
second_connection_is_refused (void)
{
  g_autoptr (MaltWorker) worker = launch ("twice");
  g_autofree char *text = NULL;

  malt_assert (worker != NULL);
  text = windows_test_dup_text (worker, "second-connection", NULL);
  malt_assert_string (text, "refused");
}

typedef struct
{
  guint n_done;
  guint n_workers;
} Crowd;

static void
on_launched (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  Crowd *crowd = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch_finish (result, &error);

  crowd->n_done++;
  if (worker != NULL && windows_test_get_int (worker, "int 4", &error) == 4)
    crowd->n_workers++;
  else
    MALT_TEST_FAIL ("no worker: %s", error->message);
}

static gboolean
are_all_done (gpointer crowd)
{
  return ((Crowd *) crowd)->n_done == N_WORKERS;
}

static void
many_workers_may_start_at_once (void)
{
  g_autoptr (MaltConfig) config = config_new ("");
  static Crowd crowd;

  for (int i = 0; i < N_WORKERS; i++)
    malt_worker_launch_async (config, NULL, on_launched, &crowd);
  malt_assert (windows_test_until (are_all_done, &crowd));
  malt_assert_int (crowd.n_workers, N_WORKERS);
}

/* What is not */

/* The launch fails with that code, and says why. @direct: where the worker is a child of
 * ours; @bridged: elsewhere. */
static void
check_refusal (const char *way, int code, const char *direct, const char *bridged)
{
  const char *expected = windows_test_is_direct () ? direct : bridged;
  g_autoptr (MaltConfig) config = config_new (way);
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  if (code == MALT_ERROR_TIMED_OUT)
    malt_config_set (config, "start-timeout-ms", "1500");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  if (!g_error_matches (error, MALT_ERROR, code) ||
      strstr (error->message, expected) == NULL)
    MALT_TEST_FAIL ("%s: expected error %d with '%s', got %d '%s'", way, code, expected,
                    error->code, error->message);
  malt_assert (strchr (error->message, '\r') == NULL);
}

static void
check_launch_fails (const char *way, const char *direct, const char *bridged)
{
  check_refusal (way, MALT_ERROR_LAUNCH_FAILED, direct, bridged);
}

static void
program_that_ends_at_once_is_told_with_its_words (void)
{
  check_launch_fails ("exit", "exited with status 4 before it was ready: no start today",
                      "ended before it was ready: no start today");
}

static void
program_that_crashes_at_once_is_told (void)
{
  check_launch_fails ("crash", "was ended by SIGSEGV before it was ready",
                      "ended before it was ready");
}

/* Nobody who does not know the secret is told the host's. */
static void
strangers_are_hung_up_on (void)
{
  const char *const ways[] = { "wrong-secret", "host-secret", "half-secret" };

  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    check_launch_fails (ways[i], "was hung up on", "was hung up on");
}

static void
worker_that_never_comes_is_given_up (void)
{
  check_refusal ("absent", MALT_ERROR_TIMED_OUT, "start timeout", "start timeout");
}

static void
worker_that_says_nothing_is_given_up (void)
{
  check_refusal ("silent", MALT_ERROR_TIMED_OUT, "start timeout", "start timeout");
}

static void
other_version_of_the_protocol_is_refused (void)
{
  const char *text = "expected version 1 of the protocol, got 2.0";

  check_launch_fails ("version", text, text);
}

static void
other_program_than_a_runtime_is_refused (void)
{
  check_launch_fails ("magic", "not a runtime of libmalt", "not a runtime of libmalt");
}

static void
nonsense_in_the_place_of_an_introduction_is_refused (void)
{
  check_launch_fails ("nonsense", "expected zero at the end of a frame header, got",
                      "expected zero at the end of a frame header, got");
}

static void
answer_in_the_place_of_an_introduction_is_refused (void)
{
  check_launch_fails ("answer", "the first frame is of kind OK, not HELLO",
                      "the first frame is of kind OK, not HELLO");
}

static void
end_within_the_introduction_is_told (void)
{
  check_launch_fails ("half-hello", "exited with status 6 before it was ready",
                      "ended before it was ready");
}

/* The variable goes to the bridge as well. */
static void
bridge_that_does_not_start_is_told (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  if (windows_test_is_direct ())
    return;
  g_setenv ("FAKE_START", "exit", TRUE);
  malt_config_set (config, "env-policy", "clean;FAKE_START");
  worker = malt_worker_launch (config, NULL, &error);
  g_unsetenv ("FAKE_START");
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
  malt_assert (strstr (error->message, "the bridge to Distributed") != NULL);
  malt_assert (strstr (error->message, "no start today") != NULL);
}

static void
launch_that_is_given_up_ends (void)
{
  g_autoptr (MaltConfig) config = config_new ("absent");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (MaltTestAwait) await = { 0 };
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_worker_launch_async (config, cancellable, malt_test_on_ready,
                            malt_test_expect (&await));
  g_cancellable_cancel (cancellable);
  malt_test_await (&await);
  worker = malt_worker_launch_finish (await.result, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
}

static CU_TestInfo tests[] = {
  MALT_TEST (worker_that_proves_itself_is_let_in),
  MALT_TEST (secret_may_come_in_pieces),
  MALT_TEST (crowd_of_silent_strangers_keeps_nobody_out),
  MALT_TEST (second_connection_is_refused),
  MALT_TEST (many_workers_may_start_at_once),
  MALT_TEST (program_that_ends_at_once_is_told_with_its_words),
  MALT_TEST (program_that_crashes_at_once_is_told),
  MALT_TEST (strangers_are_hung_up_on),
  MALT_TEST (worker_that_never_comes_is_given_up),
  MALT_TEST (worker_that_says_nothing_is_given_up),
  MALT_TEST (other_version_of_the_protocol_is_refused),
  MALT_TEST (other_program_than_a_runtime_is_refused),
  MALT_TEST (nonsense_in_the_place_of_an_introduction_is_refused),
  MALT_TEST (answer_in_the_place_of_an_introduction_is_refused),
  MALT_TEST (end_within_the_introduction_is_told),
  MALT_TEST (bridge_that_does_not_start_is_told),
  MALT_TEST (launch_that_is_given_up_ends),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "starts on Windows", tests);
}
