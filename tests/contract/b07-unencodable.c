/* SPDX-License-Identifier: MIT */
/* B7: a value that cannot be encoded is an error of that call alone; the next call works. */
#include "malt-contract.h"

/* More levels than the wire carries, and fewer than a constructor refuses. */
#define TOO_DEEP 140

static void
b07_a_result_without_an_encoding_fails_its_call_alone (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltFuture) neighbour = NULL;
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  neighbour = contract_start_int (worker, CONTRACT_SLEEP_MS, 50);
  future = contract_start (worker, CONTRACT_UNENCODABLE);
  malt_assert (contract_fails (future, MALT_ERROR_ENCODE));
  malt_assert (contract_works (worker));
  malt_assert (contract_gives_int (neighbour, 50));
}

static void
b07_a_result_that_is_discarded_need_not_be_encoded (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_UNENCODABLE);
  malt_assert (malt_worker_remote_call_wait (worker, call, NULL, &error));
  malt_assert (malt_worker_remote_do (worker, call, &error));
  malt_assert (contract_works (worker));
}

static MaltValue *
nest (guint n_levels)
{
  MaltValue *value = malt_value_new_int64 (1);

  for (guint i = 0; i < n_levels; i++)
    {
      g_autoptr (MaltValue) inner = value;

      value = malt_value_new_tuple (&inner, 1);
    }
  return value;
}

static void
b07_an_argument_without_an_encoding_fails_its_call_alone (void)
{
  MaltWorker *worker = contract_shared ();
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_ECHO);
  malt_call_take_argument (call, nest (TOO_DEEP));
  future = malt_worker_remote_call (worker, call);
  malt_assert (contract_fails (future, MALT_ERROR_ENCODE));
  malt_assert (!malt_worker_remote_do (worker, call, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_ENCODE);
  malt_assert (contract_works (worker));
}

static void
b07_a_request_the_worker_cannot_read_fails_alone (void)
{
  MaltWorker *worker = contract_shared ();
  const char *const names[] = { "x" };
  g_autoptr (MaltValue) one = malt_value_new_int64 (1);
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (worker != NULL);
  call = contract_call (CONTRACT_ECHO);
  malt_call_take_argument (call,
                           malt_value_new_struct ("ContractNoSuchType", names, &one, 1));
  future = malt_worker_remote_call (worker, call);
  malt_assert (contract_fails (future, MALT_ERROR_DECODE));
  malt_assert (contract_works (worker));
}

static const char *const values_of_all_kinds[] = {
  "stdout",
  "sin",
  "x -> x",
  "Base",
  "Int",
  "Vector{<:Real}",
  "Union{Int, String}",
  "current_task()",
  "Ref(1)",
  "Channel(1)",
  "r\"a+\"",
  "v\"1.2.3\"",
  "big(2)^100",
  "big(1.5)",
  "ReentrantLock()",
  "let a = Any[]; push!(a, a); a end",
  "let d = Dict(); d[1] = d; d end",
  "let t = (1,); for i in 1:300 t = (t,) end; t end",
  "Ptr{Cvoid}(0)",
  "(i for i in 1:3)",
  "ErrorException(\"e\")",
  "quote x + 1 end",
  "view([1 2; 3 4], :, 1)",
  "[1 2; 3 4]'",
  "BitArray([true, false])",
  "IdDict(1 => 2)",
  "Base.ImmutableDict(1 => 2)",
  "Set([1, 2])",
  "eachline(IOBuffer(\"a\"))",
  "zeros(0, 3)",
  "fill(1)",
  "Vector{String}(undef, 2)",
  "reinterpret(Char, 0xff000000)",
  "\"\\xff\"",
  "Symbol(\"a b\")",
  "C_NULL",
  "@__FILE__",
  "methods(sin)",
  "LinRange(0, 1, 3)",
  "1:0",
  "Val(3)",
  "Some(nothing)",
  "CartesianIndex(1, 2)",
  "pairs((a = 1,))",
  "skipmissing([1, missing])",
  "reinterpret(UInt8, [1])",
  "Base.OneTo(3)",
  "WeakRef(1)",
  "Base.Iterators",
};

static void
b07_no_type_of_julia_is_an_error (void)
{
  MaltWorker *worker = contract_shared ();

  malt_assert (worker != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (values_of_all_kinds); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) value = malt_worker_remote_eval_fetch (
          worker, NULL, values_of_all_kinds[i], NULL, &error);

      if (value == NULL)
        contract_note ("%s: %s", values_of_all_kinds[i], error->message);
      malt_assert (value != NULL);
    }
  malt_assert (contract_works (worker));
}

const ContractTest contract_b07[] = {
  CONTRACT_TEST (b07_a_result_without_an_encoding_fails_its_call_alone),
  CONTRACT_TEST (b07_a_result_that_is_discarded_need_not_be_encoded),
  CONTRACT_JULIA_TEST (b07_an_argument_without_an_encoding_fails_its_call_alone),
  CONTRACT_JULIA_TEST (b07_a_request_the_worker_cannot_read_fails_alone),
  CONTRACT_JULIA_TEST (b07_no_type_of_julia_is_an_error),
  CONTRACT_END,
};
