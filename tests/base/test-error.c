/* SPDX-License-Identifier: MIT */
/* Errors that carry more than a message, and terminations. */
#include "base/malt-error-private.h"
#include "base/malt-signals.h"
#include "malt-test.h"

#include <malt/malt-error-construction.h>
#include <string.h>

static void
remote_exception_keeps_its_parts (void)
{
  g_autoptr (GError) error = malt_error_new_remote_exception (
      "DomainError", "DomainError with -1.0:\nsqrt was called with a negative number",
      "Stacktrace:\n [1] sqrt", "stub worker 7");
  g_autoptr (GError) copy = g_error_copy (error);

  malt_assert_error (copy, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  malt_assert_string (malt_error_get_exception_type (copy), "DomainError");
  malt_assert_string (malt_error_get_exception_message (copy),
                      "DomainError with -1.0:\nsqrt was called with a negative number");
  malt_assert_string (malt_error_get_backtrace (copy), "Stacktrace:\n [1] sqrt");
  malt_assert_string (malt_error_get_worker_summary (copy), "stub worker 7");
  malt_assert (malt_error_get_termination (copy) == NULL);
}

/* The last line of the message comes with the backtrace, where both are printed. */
static void
text_of_an_exception_is_in_the_order_of_julia (void)
{
  g_autoptr (GError) error = malt_error_new_remote_exception (
      "LoadError", "LoadError: no\nin expression starting at a.jl:2",
      "Stacktrace:\n [1] f\nin expression starting at a.jl:2", NULL);
  g_autoptr (GError) bare = malt_error_new_remote_exception ("Oops", "oops", "", NULL);
  g_autoptr (GError) copy = NULL;
  g_autofree char *bare_text = malt_error_dup_exception_text (bare);
  g_autofree char *text = NULL;

  malt_error_set_message_bytes_before_backtrace (error, 2); /* not the end of a line */
  malt_error_set_message_bytes_before_backtrace (error, 1000);
  malt_error_set_message_bytes_before_backtrace (error, strlen ("LoadError: no"));
  copy = g_error_copy (error);
  text = malt_error_dup_exception_text (copy);
  malt_assert_string (
      text, "LoadError: no\nStacktrace:\n [1] f\nin expression starting at a.jl:2");
  malt_assert_string (malt_error_get_exception_message (copy),
                      "LoadError: no\nin expression starting at a.jl:2");
  malt_assert_string (bare_text, "oops");
}

static void
message_of_a_remote_exception_is_one_line_with_its_type (void)
{
  g_autoptr (GError) with_type = malt_error_new_remote_exception (
      "KeyError", "KeyError: key 1\nnot found", NULL, NULL);
  g_autoptr (GError) without =
      malt_error_new_remote_exception ("ErrorException", "no\n\t luck", "", NULL);
  g_autoptr (GError) empty = malt_error_new_remote_exception ("Oops", "", NULL, NULL);

  malt_assert_string (with_type->message, "KeyError: key 1 not found");
  malt_assert_string (without->message, "ErrorException: no luck");
  malt_assert_string (empty->message, "Oops");
  malt_assert (malt_error_get_backtrace (without) == NULL);
}

static void
message_is_bounded_and_valid (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr (GError) error = NULL;

  text[10] = '\xff';
  error = malt_error_new_remote_exception ("ErrorException", text, NULL, NULL);
  malt_assert (g_utf8_validate (error->message, -1, NULL));
  malt_assert (g_utf8_strlen (error->message, -1) < 300);
  malt_assert (g_str_has_suffix (error->message, "…"));
}

static void
accessors_take_errors_of_any_domain (void)
{
  g_autoptr (GError) other = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  g_autoptr (GError) plain = g_error_new_literal (MALT_ERROR, MALT_ERROR_CONFIG, "wrong");

  malt_assert (malt_error_get_exception_type (other) == NULL);
  malt_assert (malt_error_get_exception_message (other) == NULL);
  malt_assert (malt_error_get_backtrace (NULL) == NULL);
  malt_assert (malt_error_dup_exception_text (plain) == NULL);
  malt_assert (malt_error_get_worker_summary (plain) == NULL);
  malt_assert (malt_error_get_termination (plain) == NULL);
}

static void
terminated_error_names_worker_reason_and_call (void)
{
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_SIGNALLED, SIGSEGV, "boom\n", NULL);
  g_autoptr (GError) error =
      malt_error_new_terminated (termination, "stub worker 7", "sum(1, 2)");
  MaltTermination *own = malt_error_get_termination (error);

  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert_string (error->message,
                      "stub worker 7 was ended by SIGSEGV; no answer to sum(1, 2)");
  malt_assert (own != NULL);
  malt_assert (malt_termination_get_reason (own) == MALT_TERMINATION_SIGNALLED);
  malt_assert (malt_termination_get_signal (own) == SIGSEGV);
  malt_assert (malt_termination_get_exit_status (own) == -1);
  malt_assert_string (malt_termination_get_stderr (own), "boom\n");
  malt_assert_string (malt_termination_get_call (own), "sum(1, 2)");
}

static void
every_reason_has_words (void)
{
  for (int reason = MALT_TERMINATION_UNKNOWN; reason <= MALT_TERMINATION_LOST; reason++)
    {
      g_autoptr (MaltTermination) termination =
          malt_termination_new ((MaltTerminationReason) reason, 3, "", NULL);
      g_autofree char *words = malt_termination_to_string (termination);

      malt_assert (words != NULL && strchr (words, '\n') == NULL);
      malt_assert (malt_termination_get_stderr (termination) == NULL);
      malt_assert (
          (malt_termination_get_exit_status (termination) == 3) ==
          (reason == MALT_TERMINATION_EXITED || reason == MALT_TERMINATION_STOPPED));
    }
}

static void
a_stop_tells_how_the_process_ended (void)
{
  g_autoptr (MaltTermination) quiet =
      malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);
  g_autoptr (MaltTermination) killed =
      malt_termination_new (MALT_TERMINATION_STOPPED, -SIGTERM, NULL, NULL);

  malt_assert (malt_termination_get_exit_status (quiet) == -1);
  malt_assert (malt_termination_get_signal (quiet) == 0);
  malt_assert (malt_termination_get_exit_status (killed) == -1);
  malt_assert (malt_termination_get_signal (killed) == SIGTERM);
}

static void
unknown_signals_have_a_number (void)
{
  g_autofree char *known = malt_signal_dup_name (SIGABRT);
  g_autofree char *unknown = malt_signal_dup_name (4242);

  malt_assert_string (known, "SIGABRT");
  malt_assert_string (unknown, "signal 4242");
}

static void
calls_are_described_on_one_short_line (void)
{
  g_autofree char *long_source = g_strnfill (1000, 'y');
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltCall) eval = malt_call_new_eval (NULL, "a = 1\nb = 2");
  g_autoptr (MaltCall) longer = malt_call_new_eval (NULL, long_source);
  g_autoptr (MaltValue) text = malt_value_new_string (long_source);
  g_autofree char *call_text = NULL;
  g_autofree char *eval_text = NULL;
  g_autofree char *longer_text = NULL;

  malt_call_take_argument (call, malt_value_new_int64 (1));
  malt_call_add_argument (call, text);
  malt_call_add_keyword (call, "by", text);
  call_text = malt_call_to_string (call);
  eval_text = malt_call_to_string (eval);
  longer_text = malt_call_to_string (longer);
  malt_assert_string (call_text, "f(1, ::String; by = ::String)");
  malt_assert_string (eval_text, "a = 1 b = 2");
  malt_assert (g_utf8_strlen (longer_text, -1) <= 81);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    { "remote_exception_keeps_its_parts", remote_exception_keeps_its_parts },
    { "text_of_an_exception_is_in_the_order_of_julia",
      text_of_an_exception_is_in_the_order_of_julia },
    { "message_of_a_remote_exception_is_one_line_with_its_type",
      message_of_a_remote_exception_is_one_line_with_its_type },
    { "message_is_bounded_and_valid", message_is_bounded_and_valid },
    { "accessors_take_errors_of_any_domain", accessors_take_errors_of_any_domain },
    { "terminated_error_names_worker_reason_and_call",
      terminated_error_names_worker_reason_and_call },
    { "every_reason_has_words", every_reason_has_words },
    { "a_stop_tells_how_the_process_ended", a_stop_tells_how_the_process_ended },
    { "unknown_signals_have_a_number", unknown_signals_have_a_number },
    { "calls_are_described_on_one_short_line", calls_are_described_on_one_short_line },
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "error", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
