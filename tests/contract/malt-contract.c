/* SPDX-License-Identifier: MIT */
/* malt-contract: checks a backend that evaluates Julia against the contract, for people
 * who write backends. */
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
