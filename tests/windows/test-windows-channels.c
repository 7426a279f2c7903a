/* SPDX-License-Identifier: MIT */
/* Channels of workers on Windows, of the backend that the argument names: items, credit,
 * states, ends. */
#include "windows-test.h"

#include <string.h>

#define N_ITEMS 1000 /* many times the credit that a host gives at once */

static MaltChannel *
open_channel (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  MaltChannel *channel = malt_worker_channel (worker, NULL, source, NULL, &error);

  if (channel == NULL)
    MALT_TEST_FAIL ("%s: %s", source, error->message);
  return channel;
}

/* -1: there was an error. */
static gint64
take_int (MaltChannel *channel, GError **error)
{
  g_autoptr (MaltValue) value = malt_channel_take (channel, NULL, error);
  gint64 number = -1;

  if (value != NULL)
    malt_value_as_int64 (value, &number, NULL);
  return number;
}

/* The numbers from 1 on, as many. */
static gboolean
takes_numbers (MaltChannel *channel, gint64 n)
{
  for (gint64 i = 1; i <= n; i++)
    if (take_int (channel, NULL) != i)
      return FALSE;
  return TRUE;
}

static void
items_come_in_order_as_credit_is_given (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltChannel) channel = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "count " G_STRINGIFY (N_ITEMS));
  malt_assert (channel != NULL);
  malt_assert (takes_numbers (channel, N_ITEMS));
  malt_assert_int (windows_test_get_int (worker, "int 1", NULL), 1);
}

static void
channels_of_a_worker_are_told_apart (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltChannel) first = NULL;
  g_autoptr (MaltChannel) second = NULL;

  malt_assert (worker != NULL);
  first = open_channel (worker, "count 100");
  second = open_channel (worker, "count 200");
  malt_assert (first != NULL && second != NULL);
  malt_assert (takes_numbers (second, 200));
  malt_assert (takes_numbers (first, 100));
}

static void
closed_channel_is_emptied_first (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "closing 100");
  malt_assert (channel != NULL);
  malt_assert (takes_numbers (channel, 100));
  malt_assert_int (take_int (channel, &error), -1);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
}

static void
reason_of_a_closed_channel_is_told (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "failing for no reason");
  malt_assert (channel != NULL);
  malt_assert_int (take_int (channel, &error), -1);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  malt_assert (strstr (error->message, "for no reason") != NULL);
}

static void
source_that_gives_no_channel_is_an_exception (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = malt_worker_channel (worker, NULL, "none", NULL, &error);
  malt_assert (channel == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "ArgumentError");
}

static void
what_is_put_into_a_channel_comes_back (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltValue) item = malt_value_new_string ("gr\xc3\xbcn");
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (MaltValue) taken = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "count 0");
  malt_assert (channel != NULL);
  malt_assert (malt_channel_put (channel, item, NULL, &error));
  malt_assert_no_error (error);
  taken = malt_channel_take (channel, NULL, &error);
  malt_assert_no_error (error);
  malt_assert (malt_value_equal (taken, item));
}

static void
state_of_a_channel_is_the_workers (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (1);
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "count 0");
  malt_assert (channel != NULL);
  malt_assert (malt_channel_is_open (channel, NULL, &error));
  malt_assert (!malt_channel_is_ready (channel, NULL, &error));
  malt_assert (malt_channel_put (channel, item, NULL, &error));
  malt_assert (malt_channel_wait (channel, NULL, &error));
  malt_assert (malt_channel_is_ready (channel, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (malt_channel_close (channel, NULL, &error));
  malt_assert_no_error (error);
  malt_assert (!malt_channel_put (channel, item, NULL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
  malt_assert_int (take_int (channel, NULL), 1);
}

/* A take that was given up leaves its item to the next. */
static void
take_that_is_given_up_loses_nothing (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MaltValue) item = malt_value_new_int64 (1);
  g_autoptr (MaltChannel) channel = NULL;
  g_auto (MaltTestAwait) await = { 0 };
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "count 0");
  malt_assert (channel != NULL);
  malt_channel_take_async (channel, cancellable, malt_test_on_ready,
                           malt_test_expect (&await));
  g_cancellable_cancel (cancellable);
  malt_test_await (&await);
  value = malt_channel_take_finish (channel, await.result, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CANCELLED);
  malt_assert (malt_channel_put (channel, item, NULL, NULL));
  malt_assert_int (take_int (channel, NULL), 1);
}

/* What the host has got stays, whatever becomes of the worker. */
static void
items_that_have_come_outlive_the_worker (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltChannel) channel = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  channel = open_channel (worker, "count 10");
  malt_assert (channel != NULL);
  /* Behind them. */
  malt_assert_int (windows_test_get_int (worker, "int 1", NULL), 1);
  malt_assert (malt_worker_kill (worker, 9, NULL));
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert (takes_numbers (channel, 10));
  malt_assert_int (take_int (channel, &error), -1);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CHANNEL_CLOSED);
}

static void
items_without_credit_break_the_protocol (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltChannel) channel = NULL;

  malt_assert (worker != NULL);
  channel =
      malt_worker_channel (worker, NULL, "greedy " G_STRINGIFY (N_ITEMS), NULL, NULL);
  termination = windows_test_await_end (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_PROTOCOL);
  malt_assert (strstr (malt_termination_get_stderr (termination), "without credit") !=
               NULL);
}

static void
channel_that_is_dropped_is_forgotten (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  MaltChannel *channel;

  malt_assert (worker != NULL);
  for (int i = 0; i < 20; i++)
    {
      channel = open_channel (worker, "count " G_STRINGIFY (N_ITEMS));
      malt_assert (channel != NULL);
      g_object_unref (channel);
    }
  malt_assert_int (windows_test_get_int (worker, "int 2", NULL), 2);
}

static CU_TestInfo tests[] = {
  MALT_TEST (items_come_in_order_as_credit_is_given),
  MALT_TEST (channels_of_a_worker_are_told_apart),
  MALT_TEST (closed_channel_is_emptied_first),
  MALT_TEST (reason_of_a_closed_channel_is_told),
  MALT_TEST (source_that_gives_no_channel_is_an_exception),
  MALT_TEST (what_is_put_into_a_channel_comes_back),
  MALT_TEST (state_of_a_channel_is_the_workers),
  MALT_TEST (take_that_is_given_up_loses_nothing),
  MALT_TEST (items_that_have_come_outlive_the_worker),
  MALT_TEST (items_without_credit_break_the_protocol),
  MALT_TEST (channel_that_is_dropped_is_forgotten),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "channels on Windows", tests);
}
