/* SPDX-License-Identifier: MIT */
/* B12: output of evaluated code never blocks it, whether or not anybody reads it. */
#include "malt-contract.h"

static gboolean
writes_freely (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);

  return contract_gives_int (future, 12);
}

static void
check_unread (const char *output)
{
  g_autoptr (MaltWorker) worker = NULL;

  if (contract_lends_output ())
    return;
  worker = contract_launch_with_output (output);
  malt_assert (worker != NULL);
  malt_assert (writes_freely (worker, "print(\"x\"^10_000_000); 12"));
  malt_assert (writes_freely (worker, "print(stderr, \"y\"^10_000_000); 12"));
  malt_assert (writes_freely (
      worker, "for i in 1:20000; println(i); println(stderr, i); end; 12"));
  malt_assert (writes_freely (worker, "write(stdout, rand(UInt8, 10_000_000)); 12"));
  malt_assert (contract_works (worker));
}

static void
b12_ten_megabytes_that_nobody_reads_do_not_block (void)
{
  check_unread ("signal");
}

static void
b12_ten_megabytes_that_are_discarded_do_not_block (void)
{
  check_unread ("discard");
}

static void
b12_output_of_a_program_that_code_starts_does_not_block (void)
{
  g_autoptr (MaltWorker) worker = contract_launch_with_output ("signal");

  malt_assert (worker != NULL);
  malt_assert (writes_freely (
      worker, "run(contract_program(\"write(stdout, zeros(UInt8, 5_000_000))\")); 12"));
  malt_assert (contract_works (worker));
}

static void
b12_a_short_text_that_nobody_reads_does_not_block (void)
{
  g_autoptr (MaltWorker) worker = contract_launch_with_output ("signal");

  malt_assert (worker != NULL);
  for (int i = 0; i < 2000; i++)
    {
      g_autoptr (MaltCall) call =
          contract_call_text (CONTRACT_PRINT, "nobody reads this\n");

      malt_assert (malt_worker_remote_do (worker, call, NULL));
    }
  malt_assert (contract_works (worker));
}

const ContractTest contract_b12[] = {
  CONTRACT_TEST (b12_a_short_text_that_nobody_reads_does_not_block),
  CONTRACT_JULIA_TEST (b12_ten_megabytes_that_nobody_reads_do_not_block),
  CONTRACT_JULIA_TEST (b12_ten_megabytes_that_are_discarded_do_not_block),
  CONTRACT_JULIA_TEST (b12_output_of_a_program_that_code_starts_does_not_block),
  CONTRACT_END,
};
