/* SPDX-License-Identifier: MIT */
/* The table of the backends that are part of the library; ends with NULL. */
#pragma once

#include <malt/malt-backend-module.h>

extern const MaltBackendTypeFunc malt_builtin_backends[];
