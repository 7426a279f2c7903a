/* SPDX-License-Identifier: MIT */
/* The contract over the backend malt-process: all rules, real Julia. */
#include "malt-contract.h"

int
main (int argc, char **argv)
{
  static const ContractSubject subject = {
    .backend = "malt-process",
    .dialect = &contract_dialect_julia,
  };

  return contract_main (argc, argv, &subject);
}
