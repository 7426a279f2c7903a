/* SPDX-License-Identifier: MIT */
/* Workers on Windows, of the backend that the argument names. What stands for Julia is a
 * program that plays by a script. */
#include "windows-test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FLOOD_BYTES 3000000

static void
values_and_exceptions_come_back (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), windows_test_get_backend ());
  malt_assert_int (windows_test_get_int (worker, "int 42", &error), 42);
  malt_assert_no_error (error);
  text = windows_test_dup_text (worker, "text gr\xc3\xbcn", &error);
  malt_assert_string (text, "gr\xc3\xbcn");
  windows_test_get_int (worker, "throw DomainError much too large", &error);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "DomainError");
  malt_assert_string (malt_error_get_exception_message (error), "much too large");
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 43", &error), 43);
}

/* Output */

/* What came of each stream. */
typedef struct
{
  GString *texts[2]; /* (owned) */
} Heard;

static void
heard_init (Heard *heard, MaltWorker *worker, GCallback on_output)
{
  heard->texts[0] = g_string_new (NULL);
  heard->texts[1] = g_string_new (NULL);
  g_signal_connect (worker, "output", on_output, heard);
}

static void
heard_clear (Heard *heard)
{
  for (int i = 0; i < 2; i++)
    if (heard->texts[i] != NULL)
      g_string_free (heard->texts[i], TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Heard, heard_clear)

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream,
           G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  Heard *heard = user_data;

  g_string_append_len (heard->texts[stream == MALT_STREAM_STDERR],
                       g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
}

static gboolean
is_flood (const GString *text)
{
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] != (char) ('a' + i % 16))
      return FALSE;
  return text->len == FLOOD_BYTES;
}

static gboolean
has_heard_flood (gpointer data)
{
  Heard *heard = data;

  return heard->texts[0]->len >= FLOOD_BYTES && heard->texts[1]->len >= FLOOD_BYTES;
}

static void
output_is_there_before_the_answer (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_auto (MaltTestAwait) await = { 0 };
  g_auto (Heard) heard = { { NULL, NULL } };
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  heard_init (&heard, worker, G_CALLBACK (on_output));
  malt_worker_remote_eval_async (worker, NULL, "flood " G_STRINGIFY (FLOOD_BYTES), NULL,
                                 malt_test_on_ready, malt_test_expect (&await));
  malt_test_await (&await);
  value = malt_worker_remote_eval_finish (worker, await.result, &error);
  malt_assert_no_error (error);
  malt_assert (value != NULL);
  malt_assert (is_flood (heard.texts[0]));
  malt_assert (is_flood (heard.texts[1]));
}

/* Nobody runs a main context until all is written. */
static void
check_unheard (const char *line)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_auto (Heard) heard = { { NULL, NULL } };
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  heard_init (&heard, worker, G_CALLBACK (on_output));
  value = malt_worker_remote_eval_fetch (worker, NULL, line, NULL, &error);
  malt_assert_no_error (error);
  malt_assert (value != NULL);
  malt_assert_int (heard.texts[0]->len, 0);
  malt_assert (windows_test_until (has_heard_flood, &heard));
  malt_assert (is_flood (heard.texts[0]));
  malt_assert (is_flood (heard.texts[1]));
}

static void
output_that_nobody_hears_keeps_nobody (void)
{
  check_unheard ("flood " G_STRINGIFY (FLOOD_BYTES));
}

static void
output_past_the_runtime_comes_whole (void)
{
  check_unheard ("raw-flood " G_STRINGIFY (FLOOD_BYTES));
}

static void
output_that_is_discarded_is_not_told (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (windows_test_get_backend ());
  g_autoptr (MaltWorker) worker = NULL;
  g_auto (Heard) heard = { { NULL, NULL } };

  malt_config_set (config, "output", "discard");
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  heard_init (&heard, worker, G_CALLBACK (on_output));
  windows_test_get_int (worker, "raw-flood " G_STRINGIFY (FLOOD_BYTES), NULL);
  windows_test_get_int (worker, "flood " G_STRINGIFY (FLOOD_BYTES), NULL);
  malt_assert_int (windows_test_get_int (worker, "int 1", NULL), 1);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  malt_assert_int (heard.texts[0]->len + heard.texts[1]->len, 0);
}

static void
bytes_that_are_no_text_are_told_as_they_are (void)
{
  static const char expected[] = { 'a', '\xff', '\xfe', '\0', '\r', '\n', '\xc3' };
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_auto (MaltTestAwait) await = { 0 };
  g_auto (Heard) heard = { { NULL, NULL } };
  g_autoptr (MaltValue) value = NULL;

  malt_assert (worker != NULL);
  heard_init (&heard, worker, G_CALLBACK (on_output));
  malt_worker_remote_eval_async (worker, NULL, "bytes 61fffe000d0ac3", NULL,
                                 malt_test_on_ready, malt_test_expect (&await));
  malt_test_await (&await);
  value = malt_worker_remote_eval_finish (worker, await.result, NULL);
  malt_assert (value != NULL);
  malt_assert_int (heard.texts[0]->len, sizeof expected);
  malt_assert (memcmp (heard.texts[0]->str, expected, sizeof expected) == 0);
}

/* Interrupts */

static void
waiting_call_is_interrupted_exactly (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "wait");
  malt_assert_int (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error),
      MALT_INTERRUPT_DELIVERED);
  malt_assert_no_error (error);
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (error), "InterruptException");
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 5", &error), 5);
}

static void
interrupt_of_nothing_hits_nothing (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert_int (
      malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_FORCE, NULL, &error),
      MALT_INTERRUPT_IDLE);
  future = malt_worker_remote_eval (worker, NULL, "int 1");
  value = malt_future_fetch (future, NULL, &error);
  malt_assert_int (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_FORCE, NULL, &error),
      MALT_INTERRUPT_GONE);
  malt_assert_no_error (error);
  malt_assert_int (windows_test_get_int (worker, "int 5", &error), 5);
}

/* A call that hogs its worker, and has begun to. (transfer full) */
static MaltFuture *
start_hogging (MaltWorker *worker, const char *line)
{
  g_auto (Heard) heard = { { NULL, NULL } };
  MaltFuture *future;

  heard_init (&heard, worker, G_CALLBACK (on_output));
  future = malt_worker_remote_eval (worker, NULL, line);
  while (heard.texts[0]->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handlers_disconnect_by_data (worker, &heard);
  return future;
}

/* An event of the console ends a call that reads no frames, where the worker is a child.
 * The event is the one that Wine delivers. */
static void
interrupt_busy_call (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult result;
  HANDLE output = GetStdHandle (STD_OUTPUT_HANDLE);
  gboolean can_interrupt;

  malt_assert (worker != NULL);
  can_interrupt =
      (malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_INTERRUPT_BUSY) != 0;
  malt_assert_int (can_interrupt, windows_test_is_direct ());
  future = start_hogging (worker, "spin");
  result = malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error);
  malt_assert_no_error (error);
  malt_assert_int (result, can_interrupt ? MALT_INTERRUPT_DELIVERED
                                         : MALT_INTERRUPT_UNDELIVERABLE);
  /* Joining the worker's console has changed nothing of the host's. */
  malt_assert (GetStdHandle (STD_OUTPUT_HANDLE) == output);
  if (!can_interrupt)
    {
      malt_assert (malt_worker_kill (worker, 9, NULL));
      return;
    }
  value = malt_future_fetch (future, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  g_clear_error (&error);
  malt_assert_int (windows_test_get_int (worker, "int 6", &error), 6);
}

static void
busy_call_is_interrupted_where_that_can_be (void)
{
  interrupt_busy_call ();
}

static void
call_that_does_not_listen_is_undeliverable (void)
{
  g_autoptr (MaltWorker) worker = windows_test_launch_one ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  future = start_hogging (worker, "stubborn");
  malt_assert_int (
      malt_worker_interrupt (worker, future, MALT_INTERRUPT_DEFAULT, NULL, &error),
      MALT_INTERRUPT_UNDELIVERABLE);
  malt_assert_no_error (error);
  malt_assert (!malt_future_is_done (future));
  malt_assert (malt_worker_kill (worker, 9, NULL));
}

static void
busy_call_is_interrupted_in_a_console_that_is_shared (void)
{
  windows_test_need_console ();
  interrupt_busy_call ();
}

static CU_TestInfo tests[] = {
  MALT_TEST (values_and_exceptions_come_back),
  MALT_TEST (output_is_there_before_the_answer),
  MALT_TEST (output_that_nobody_hears_keeps_nobody),
  MALT_TEST (output_past_the_runtime_comes_whole),
  MALT_TEST (output_that_is_discarded_is_not_told),
  MALT_TEST (bytes_that_are_no_text_are_told_as_they_are),
  MALT_TEST (waiting_call_is_interrupted_exactly),
  MALT_TEST (interrupt_of_nothing_hits_nothing),
  MALT_TEST (busy_call_is_interrupted_where_that_can_be),
  MALT_TEST (call_that_does_not_listen_is_undeliverable),
  MALT_TEST (busy_call_is_interrupted_in_a_console_that_is_shared),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return windows_test_main (argc, argv, "workers on Windows", tests);
}
