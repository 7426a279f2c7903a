/* SPDX-License-Identifier: MIT */
/* Interrupts of busy workers of Distributed on this machine, which the judge decides. */
#include "distributed-test.h"

static MaltWorker *keeper;

int
main (int argc, char **argv)
{
  return distributed_test_main (argc, argv, "judge", process_judge_tests, NULL, &keeper);
}
