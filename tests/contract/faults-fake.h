/* SPDX-License-Identifier: MIT */
/* Tests that only the fake backends can be put to. */
#pragma once

#include "malt-contract.h"

extern const ContractTest faults_fake[];
