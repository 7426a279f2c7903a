/* SPDX-License-Identifier: MIT */
/* A host of workers of malt-process that is short of something. */
#include "process-test.h"

int
main (int argc, char **argv)
{
  return process_shortage_main (argc, argv);
}
