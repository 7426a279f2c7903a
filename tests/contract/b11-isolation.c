/* SPDX-License-Identifier: MIT */
/* B11: workers share nothing. Without capability ISOLATED they share one runtime, and
 * only modules tell them apart. */
#include "malt-contract.h"

/* What one worker does, and what another one sees of it. */
typedef struct
{
  const char *act;
  const char *look;
  gboolean is_shared_in_one_runtime;
} Trace;

static const Trace traces[] = {
  { "contract_private = 1", "@isdefined(contract_private)", FALSE },
  { "module ContractPrivate end; 1", "@isdefined(ContractPrivate)", FALSE },
  { "struct ContractOwn end; 1", "@isdefined(ContractOwn)", FALSE },
  { "ENV[\"CONTRACT_PRIVATE\"] = \"1\"", "haskey(ENV, \"CONTRACT_PRIVATE\")", TRUE },
  { "push!(ARGS, \"contract\"); 1", "\"contract\" in ARGS", TRUE },
  { "push!(LOAD_PATH, \"@contract\"); 1", "\"@contract\" in LOAD_PATH", TRUE },
  { "Base.iseven(::Symbol) = true; 1", "hasmethod(iseven, Tuple{Symbol})", TRUE },
};

/* Where workers share one runtime, a module of its own is what parts a worker from the others. */
static MaltWorker *
launch_apart (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  if (worker != NULL && !contract_can (worker, MALT_CAPABILITY_ISOLATED))
    return contract_launch_with ("module", "new");
  return g_steal_pointer (&worker);
}

static void
b11_what_one_worker_does_the_other_does_not_see (void)
{
  g_autoptr (MaltWorker) one = launch_apart ();
  g_autoptr (MaltWorker) other = launch_apart ();

  malt_assert (one != NULL && other != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (traces); i++)
    {
      gboolean is_shared = traces[i].is_shared_in_one_runtime &&
                           !contract_can (other, MALT_CAPABILITY_ISOLATED);

      malt_assert (contract_evals_to (other, traces[i].look, "false"));
      malt_assert (malt_worker_remote_eval_wait (one, NULL, traces[i].act, NULL, NULL));
      malt_assert (contract_evals_to (one, traces[i].look, "true"));
      malt_assert (
          contract_evals_to (other, traces[i].look, is_shared ? "true" : "false"));
    }
}

static void
b11_one_worker_outlives_the_other (void)
{
  g_autoptr (MaltWorker) one = contract_launch ();
  g_autoptr (MaltWorker) other = contract_launch ();
  g_autoptr (MaltFuture) future = NULL;

  malt_assert (one != NULL && other != NULL);
  future = contract_start_int (other, CONTRACT_SLEEP_MS, 200);
  contract_end_abruptly (one);
  malt_assert (contract_gives_int (future, 200));
  malt_assert (contract_works (other));
  malt_assert (malt_worker_is_running (other));
}

static void
b11_one_worker_runs_while_the_other_hogs_its_processor (void)
{
  g_autoptr (MaltWorker) one = contract_launch ();
  g_autoptr (MaltWorker) other = contract_launch ();
  g_autoptr (MaltFuture) spinner = NULL;

  malt_assert (one != NULL && other != NULL);
  if (!contract_can (one, MALT_CAPABILITY_ISOLATED))
    {
      spinner = contract_start_int (one, CONTRACT_SPIN_MS, 1500);
      malt_assert (contract_works (other));
      malt_assert (contract_gives_int (spinner, 1500));
      return;
    }
  spinner = contract_start_int (one, CONTRACT_SPIN_MS, 0);
  malt_assert (contract_works (other));
  malt_assert (!malt_future_is_done (spinner));
  contract_end_abruptly (one);
  malt_assert (contract_fails (spinner, MALT_ERROR_WORKER_TERMINATED));
}

static void
b11_the_project_of_the_host_is_not_the_workers (void)
{
  g_autoptr (MaltWorker) worker = NULL;

  g_setenv ("JULIA_PROJECT", "@contract-of-the-host", TRUE);
  worker = contract_launch ();
  g_unsetenv ("JULIA_PROJECT");
  malt_assert (worker != NULL);
  if (contract_can (worker, MALT_CAPABILITY_ISOLATED))
    malt_assert (contract_evals_to (worker, "haskey(ENV, \"JULIA_PROJECT\")", "false"));
  malt_assert (
      contract_evals_to (worker, "isempty(filter(!=(\"contract\"), ARGS))", "true"));
}

static void
b11_a_handle_of_one_worker_means_nothing_to_another (void)
{
  g_autoptr (MaltWorker) one = contract_launch ();
  g_autoptr (MaltWorker) other = contract_launch ();
  g_autoptr (MaltValue) handle = NULL;
  g_autoptr (MaltCall) call = NULL;
  g_autoptr (MaltValue) answer = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (one != NULL && other != NULL);
  handle = malt_worker_remote_eval_fetch (one, NULL, "Ref(1)", NULL, &error);
  malt_assert (handle != NULL);
  call = contract_call (CONTRACT_ECHO);
  malt_call_add_argument (call, handle);
  answer = malt_worker_remote_call_fetch (other, call, NULL, &error);
  malt_assert (answer == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT);
  malt_assert (contract_works (other));
}

const ContractTest contract_b11[] = {
  CONTRACT_JULIA_TEST (b11_what_one_worker_does_the_other_does_not_see),
  CONTRACT_TEST (b11_one_worker_outlives_the_other),
  CONTRACT_TEST (b11_one_worker_runs_while_the_other_hogs_its_processor),
  CONTRACT_JULIA_TEST (b11_the_project_of_the_host_is_not_the_workers),
  CONTRACT_JULIA_TEST (b11_a_handle_of_one_worker_means_nothing_to_another),
  CONTRACT_END,
};
