/* SPDX-License-Identifier: MIT */
/* Interrupts of workers of Distributed, which are those of any worker process. */
#include "distributed-test.h"

static MaltWorker *keeper;

int
main (int argc, char **argv)
{
  return distributed_test_main (argc, argv, "interrupts", process_interrupt_tests, NULL,
                                &keeper);
}
