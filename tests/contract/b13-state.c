/* SPDX-License-Identifier: MIT */
/* B13: state persists between calls; imports, macros and type definitions work; caches
 * never change a result. */
#include "malt-contract.h"

/* Steps of a session, one call each, and what each gives. NULL: whatever. */
typedef struct
{
  const char *source;
  const char *expected;
} Step;

static gboolean
plays (const Step *steps)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  if (worker == NULL)
    return FALSE;
  for (const Step *step = steps; step->source != NULL; step++)
    {
      g_autoptr (GError) error = NULL;

      if (step->expected == NULL &&
          !malt_worker_remote_eval_wait (worker, NULL, step->source, NULL, &error))
        {
          contract_note ("%s: %s", step->source, error->message);
          return FALSE;
        }
      if (step->expected != NULL &&
          !contract_evals_to (worker, step->source, step->expected))
        return FALSE;
    }
  return TRUE;
}

static void
b13_globals_persist (void)
{
  static const Step steps[] = {
    { "x = 1", "1" },
    { "x + 1", "2" },
    { "x = \"now text\"", "\"now text\"" },
    { "x", "\"now text\"" },
    { "const c = 3; c", "3" },
    { "c + 1", "4" },
    { "a, b = 1, 2; b", "2" },
    { "a", "1" },
    { "let y = 5; global z = y; end; z", "5" },
    { "@isdefined y", "false" },
    { "begin; p = 1; q = p + 1; end", "2" },
    { "x = [1, 2]; push!(x, 3); length(x)", "3" },
    { "x[end]", "3" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_functions_may_be_defined_and_used_at_once (void)
{
  static const Step steps[] = {
    { "f(x) = x + 1; f(1)", "2" },
    { "f(2)", "3" },
    { "begin; g() = 10; g(); end", "10" },
    { "function h(x; k = 2)\n  x * k\nend", NULL },
    { "h(3)", "6" },
    { "h(3, k = 5)", "15" },
    { "f(x::String) = \"text\"; (f(1), f(\"a\"))", "(2, \"text\")" },
    { "eval(:(made() = 7)); Base.invokelatest(made)", "7" },
    { "made()", "7" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_redefined_functions_are_used_everywhere (void)
{
  static const Step steps[] = {
    { "f() = 1; g() = f() + 10; g()", "11" },
    { "g()", "11" },
    { "f() = 2", NULL },
    { "g()", "12" },
    { "f() = 3; g()", "13" },
    { "g()", "13" },
    { "map(_ -> f(), 1:2)", "[3, 3]" },
    { "f() = 4; 1", "1" },
    { "map(_ -> f(), 1:2)", "[4, 4]" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_macros_work_and_may_be_redefined (void)
{
  static const Step steps[] = {
    { "macro m(x); :($(esc(x)) + 1); end", NULL },
    { "@m 1", "2" },
    { "@m 1", "2" },
    { "macro m(x); :($(esc(x)) + 100); end", NULL },
    { "@m 1", "101" },
    { "n = 0; macro bump(); global n += 1; end", NULL },
    { "@bump", "1" },
    { "@bump", "2" },
    { "@bump", "3" },
    { "n", "3" },
    { "macro now(); time_ns(); end; x = @now; y = @now; x < y", "true" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_types_may_be_defined_and_used_at_once (void)
{
  static const Step steps[] = {
    { "struct P; a; b; end; P(1, \"x\")", "P(1, \"x\")" },
    { "P(2, 3).b", "3" },
    { "Base.:+(p::P, q::P) = P(p.a + q.a, nothing); (P(1, 2) + P(3, 4)).a", "4" },
    { "abstract type A end; struct B <: A; end; B() isa A", "true" },
    { "mutable struct M; n::Int; end; m = M(1); m.n += 1; m.n", "2" },
    { "m.n", "2" },
    { "Base.show(io::IO, p::P) = print(io, \"<\", p.a, \">\"); repr(P(9, 1))",
      "\"<9>\"" },
    { "repr(P(9, 1))", "\"<9>\"" },
    { "@enum Fruit apple pear; Int(pear)", "1" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_imports_work (void)
{
  static const Step steps[] = {
    { "using LinearAlgebra; norm([3, 4])", "5.0" },
    { "norm([6, 8])", "10.0" },
    { "import Dates; Dates.year(Dates.Date(2026, 11, 21))", "2026" },
    { "using Dates: Month; Month(3) isa Dates.Period", "true" },
    { "module Inner; export v; v = 5; w() = v + 1; end; Inner.w()", "6" },
    { "using .Inner; v", "5" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

static void
b13_the_same_text_is_evaluated_anew_each_time (void)
{
  static const char *const sources[] = {
    "n += 1",
    "(global n += 1; n)",
    "let; global n += 1; end",
    "begin n += 1 end",
    "(() -> (global n += 1))()",
    "eval(:(n += 1))",
    "@eval n += 1",
    "n = n + 1",
  };
  MaltWorker *worker = contract_shared ();
  int n = 0;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_remote_eval_wait (worker, NULL, "n = 0", NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      for (int k = 0; k < 30; k++)
        {
          g_autofree char *expected = g_strdup_printf ("%d", ++n);

          malt_assert (contract_evals_to (worker, sources[i], expected));
        }
    }
}

static void
b13_values_of_the_same_text_are_not_shared (void)
{
  static const Step steps[] = {
    { "push!([1, 2], 3)", "[1, 2, 3]" },
    { "push!([1, 2], 3)", "[1, 2, 3]" },
    { "push!(Any[], 1)", "Any[1]" },
    { "push!(Any[], 1)", "Any[1]" },
    { "a = [1]; b = [1]; a === b", "false" },
    { "f() = [0]; push!(f(), 1); f()", "[0]" },
    { "sizehint!(Dict(), 3); length(Dict(:k => 1))", "1" },
    { "gensym() != gensym()", "true" },
    { "keep = []; push!(keep, x -> x); push!(keep, x -> x); keep[1] === keep[2]",
      "false" },
    { NULL, NULL },
  };

  malt_assert (plays (steps));
}

/* The function of a call is text too, and means what it means when the call is made. */

static gboolean
calls_to (MaltWorker *worker, const char *function, gint64 argument, gint64 expected)
{
  g_autoptr (MaltCall) call = malt_call_new (function);
  g_autoptr (MaltFuture) future = NULL;

  malt_call_take_argument (call, malt_value_new_int64 (argument));
  future = malt_worker_remote_call (worker, call);
  if (contract_gives_int (future, expected))
    return TRUE;
  contract_note ("while calling %s", function);
  return FALSE;
}

static void
b13_functions_of_calls_are_looked_up_each_time (void)
{
  static const char *const functions[] = { "contract_g",
                                           "x -> contract_g(x)",
                                           "contract_g ∘ identity",
                                           "(x,) -> contract_g(x)",
                                           "let k = 0; x -> contract_g(x) + k; end",
                                           "function (x) contract_g(x) end" };
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  for (int k = 1; k < 4; k++)
    {
      g_autofree char *definition = g_strdup_printf ("contract_g(x) = x + %d; 1", k);

      malt_assert (contract_evals_to (worker, definition, "1"));
      for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
        {
          malt_assert (calls_to (worker, functions[i], 10, 10 + k));
          malt_assert (calls_to (worker, functions[i], 20, 20 + k));
        }
    }
}

static void
b13_a_name_that_changes_its_meaning_changes_the_call (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  malt_assert (contract_evals_to (worker, "contract_which = x -> x + 1; 1", "1"));
  malt_assert (calls_to (worker, "contract_which", 1, 2));
  malt_assert (contract_evals_to (worker, "contract_which = x -> x + 50; 1", "1"));
  malt_assert (calls_to (worker, "contract_which", 1, 51));
  malt_assert (calls_to (worker, "x -> contract_which(x)", 1, 51));
  malt_assert (contract_evals_to (worker, "contract_which = x -> x + 60; 1", "1"));
  malt_assert (calls_to (worker, "x -> contract_which(x)", 1, 61));
}

static void
b13_code_runs_in_the_module_that_is_named (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) inside = NULL;
  g_autoptr (MaltFuture) missing = NULL;

  malt_assert (worker != NULL);
  if (!contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return;
  malt_assert (
      contract_evals_to (worker, "module ContractRoom; secret = 8; end; 1", "1"));
  inside = malt_worker_remote_eval (worker, "ContractRoom", "secret += 1");
  malt_assert (contract_gives_int (inside, 9));
  malt_assert (contract_evals_to (worker, "ContractRoom.secret", "9"));
  malt_assert (contract_evals_to (worker, "@isdefined(secret)", "false"));
  missing = malt_worker_remote_eval (worker, "ContractNoSuchRoom", "1");
  malt_assert (contract_fails (missing, MALT_ERROR_REMOTE_EXCEPTION));
}

static void
b13_code_may_be_given_as_a_value (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltValue) plus = malt_value_new_symbol ("+");
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  MaltValue *const arguments[] = { plus, one, one };
  g_autoptr (MaltValue) code = malt_value_new_expr ("call", arguments, 3);
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  future = malt_worker_remote_eval_value (worker, NULL, code);
  malt_assert (contract_gives_int (future, 2));
}

const ContractTest contract_b13[] = {
  CONTRACT_JULIA_TEST (b13_globals_persist),
  CONTRACT_JULIA_TEST (b13_functions_may_be_defined_and_used_at_once),
  CONTRACT_JULIA_TEST (b13_redefined_functions_are_used_everywhere),
  CONTRACT_JULIA_TEST (b13_macros_work_and_may_be_redefined),
  CONTRACT_JULIA_TEST (b13_types_may_be_defined_and_used_at_once),
  CONTRACT_JULIA_TEST (b13_imports_work),
  CONTRACT_JULIA_TEST (b13_the_same_text_is_evaluated_anew_each_time),
  CONTRACT_JULIA_TEST (b13_values_of_the_same_text_are_not_shared),
  CONTRACT_JULIA_TEST (b13_functions_of_calls_are_looked_up_each_time),
  CONTRACT_JULIA_TEST (b13_a_name_that_changes_its_meaning_changes_the_call),
  CONTRACT_JULIA_TEST (b13_code_runs_in_the_module_that_is_named),
  CONTRACT_JULIA_TEST (b13_code_may_be_given_as_a_value),
  CONTRACT_END,
};
