/* SPDX-License-Identifier: MIT */
/* Interrupts of workers of malt-process. */
#include "process-test.h"

int
main (int argc, char **argv)
{
  return process_test_main_with_julia (argc, argv, "interrupts", process_interrupt_tests);
}
