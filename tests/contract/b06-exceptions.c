/* SPDX-License-Identifier: MIT */
/* B6: an exception in a call is a remote exception with the same fields in every backend;
 * the worker stays usable. */
#include "malt-contract.h"

#include <string.h>

static gboolean
fetch_error (MaltFuture *future, GError **error)
{
  g_autoptr (MaltValue) value = NULL;

  if (!contract_fails (future, MALT_ERROR_REMOTE_EXCEPTION))
    return FALSE;
  value = malt_future_fetch (future, NULL, error);
  return value == NULL;
}

static void
b06_an_exception_has_all_its_fields (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *summary = NULL;

  malt_assert (worker != NULL);
  future = contract_start_text (worker, CONTRACT_THROW, "boom");
  malt_assert (fetch_error (future, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION);
  summary = malt_worker_dup_summary (worker);
  malt_assert (g_strcmp0 (malt_error_get_exception_type (error), "ErrorException") == 0);
  malt_assert (g_strcmp0 (malt_error_get_exception_message (error), "boom") == 0);
  malt_assert (malt_error_get_backtrace (error) != NULL);
  malt_assert (g_str_has_prefix (malt_error_get_backtrace (error), "Stacktrace:"));
  malt_assert (g_strcmp0 (malt_error_get_worker_summary (error), summary) == 0);
  malt_assert (malt_error_get_termination (error) == NULL);
  malt_assert (error != NULL && strstr (error->message, "boom") != NULL &&
               strchr (error->message, '\n') == NULL);
  malt_assert (contract_works (worker));
}

static void
b06_every_fetch_gives_the_same_fields (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  malt_assert (worker != NULL);
  future = contract_start_text (worker, CONTRACT_THROW, "again");
  malt_assert (fetch_error (future, &first));
  malt_assert (fetch_error (future, &second));
  malt_assert (first != NULL && second != NULL &&
               g_strcmp0 (first->message, second->message) == 0);
  malt_assert (g_strcmp0 (malt_error_get_exception_type (second), "ErrorException") == 0);
  malt_assert (g_strcmp0 (malt_error_get_exception_message (second), "again") == 0);
  malt_assert (g_strcmp0 (malt_error_get_backtrace (first),
                          malt_error_get_backtrace (second)) == 0);
}

static void
b06_an_exception_nobody_waits_for_hurts_nobody (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltCall) call = NULL;

  malt_assert (worker != NULL);
  call = contract_call_text (CONTRACT_THROW, "to nobody");
  malt_assert (malt_worker_remote_do (worker, call, NULL));
  malt_assert (contract_works (worker));
}

static void
b06_a_hundred_exceptions_leave_the_worker_usable (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  malt_assert (worker != NULL);
  for (int i = 0; i < 100; i++)
    g_ptr_array_add (futures, contract_start_text (worker, CONTRACT_THROW, "many"));
  for (guint i = 0; i < futures->len; i++)
    malt_assert (contract_throws (g_ptr_array_index (futures, i), "ErrorException"));
  malt_assert (contract_works (worker));
}

/* Julia's own */

typedef struct
{
  const char *source;
  const char *type;
  const char *message_part;
} Thrower;

static const Thrower throwers[] = {
  { "sqrt(-1)", "DomainError", "sqrt" },
  { "contract_no_such_name", "UndefVarError", "contract_no_such_name" },
  { "[1, 2][3]", "BoundsError", "index" },
  { "Dict()[:missing_key]", "KeyError", "missing_key" },
  { "div(1, 0)", "DivideError", "integer division" },
  { "identity(1, 2)", "MethodError", "no method matching identity(" },
  { "throw(42)", "Int64", "42" },
  { "throw(ArgumentError(\"this one\"))", "ArgumentError", "this one" },
  { "struct ContractOops <: Exception; n; end; throw(ContractOops(3))", "ContractOops",
    "3" },
  { "fetch(@async error(\"in a task\"))", "TaskFailedException", "in a task" },
  { "let f() = 1 + f(); f(); end", "StackOverflowError", "" },
  { "throw(InterruptException())", "InterruptException", "" },
  { "using ContractNoSuchPackage", "ArgumentError", "ContractNoSuchPackage" },
  { "@eval Base.Meta begin error(\"inside another module\") end", "ErrorException",
    "inside another module" },
};

static void
b06_exceptions_of_julia_keep_type_and_message (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (throwers); i++)
    {
      const Thrower *thrower = &throwers[i];
      g_autoptr (MaltFuture) future =
          malt_worker_remote_eval (worker, NULL, thrower->source);
      g_autoptr (GError) error = NULL;
      const char *message;

      if (!contract_throws (future, thrower->type))
        contract_note ("while %s", thrower->source);
      malt_assert (contract_throws (future, thrower->type));
      malt_assert (fetch_error (future, &error));
      message = malt_error_get_exception_message (error);
      if (strstr (message, thrower->message_part) == NULL)
        contract_note ("%s: \"%s\"", thrower->source, message);
      malt_assert (strstr (message, thrower->message_part) != NULL);
      malt_assert (contract_works (worker));
    }
}

static void
b06_text_that_does_not_parse_is_an_exception (void)
{
  static const char *const sources[] = { "1 +", "(1, 2", "]", "x = = 2", "end" };
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, sources[i]);

      malt_assert (contract_fails (future, MALT_ERROR_REMOTE_EXCEPTION));
      malt_assert (contract_works (worker));
    }
}

static void
b06_the_backtrace_names_the_code_and_not_the_library (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  const char *backtrace;

  malt_assert (worker != NULL);
  malt_assert (
      contract_evals_to (worker,
                         "@noinline contract_deep(n) = n == 0 ? error(\"deep\") : 1 + "
                         "contract_deep(n - 1); 1",
                         "1"));
  future = malt_worker_remote_eval (worker, NULL, "contract_deep(3)");
  malt_assert (fetch_error (future, &error));
  backtrace = malt_error_get_backtrace (error);
  malt_assert (strstr (backtrace, "contract_deep") != NULL);
  malt_assert (strstr (backtrace, "top-level scope") != NULL);
  malt_assert (strstr (backtrace, "Malt") == NULL);
}

static void
b06_an_exception_that_cannot_be_shown_is_still_one (void)
{
  static const char source[] =
      "struct ContractMute <: Exception end\n"
      "Base.showerror(io::IO, ::ContractMute) = error(\"cannot be shown\")\n"
      "throw(ContractMute())";
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, source);
  malt_assert (contract_throws (future, "ContractMute"));
  malt_assert (contract_works (worker));
}

/* An exception of include, with a cause: its place in the file comes behind the
 * backtrace, then the cause. */
static void
b06_the_text_is_what_julia_prints_with_the_causes (void)
{
  static const char source[] = "try\n  Dict()[:port]\ncatch\n  include_string(Main, "
                               "\"error(:outer)\", \"outer.jl\")\nend";
  static const char *const parts[] = {
    "LoadError: outer\nStacktrace:", "\nin expression starting at outer.jl:1\n",
    "caused by", "KeyError: key :port not found\nStacktrace:"
  };
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  const char *rest;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, source);
  malt_assert (fetch_error (future, &error));
  text = malt_error_dup_exception_text (error);
  rest = text;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      rest = rest != NULL ? strstr (rest, parts[i]) : NULL;
      malt_assert (rest != NULL);
    }
  malt_assert (text != NULL && g_str_has_prefix (text, parts[0]));
  malt_assert (
      g_str_has_prefix (malt_error_get_exception_message (error), "LoadError: outer"));
}

static void
b06_a_message_of_three_megabytes_comes_whole (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval (worker, NULL, "error(\"m\"^3_000_000)");
  malt_assert (fetch_error (future, &error));
  malt_assert (strlen (malt_error_get_exception_message (error)) == 3000000);
  malt_assert (error != NULL && strlen (error->message) < 10000);
  malt_assert (contract_works (worker));
}

const ContractTest contract_b06[] = {
  CONTRACT_TEST (b06_an_exception_has_all_its_fields),
  CONTRACT_TEST (b06_every_fetch_gives_the_same_fields),
  CONTRACT_TEST (b06_an_exception_nobody_waits_for_hurts_nobody),
  CONTRACT_TEST (b06_a_hundred_exceptions_leave_the_worker_usable),
  CONTRACT_JULIA_TEST (b06_exceptions_of_julia_keep_type_and_message),
  CONTRACT_JULIA_TEST (b06_text_that_does_not_parse_is_an_exception),
  CONTRACT_JULIA_TEST (b06_the_backtrace_names_the_code_and_not_the_library),
  CONTRACT_JULIA_TEST (b06_an_exception_that_cannot_be_shown_is_still_one),
  CONTRACT_JULIA_TEST (b06_a_message_of_three_megabytes_comes_whole),
  CONTRACT_JULIA_TEST (b06_the_text_is_what_julia_prints_with_the_causes),
  CONTRACT_END,
};
