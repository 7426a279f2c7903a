/* SPDX-License-Identifier: MIT */
/* Interrupts of busy workers of malt-process, which the judge decides. */
#include "process-test.h"

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "judge", process_judge_tests);
}
