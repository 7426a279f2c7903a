/* SPDX-License-Identifier: MIT */
/* The header for authors of backends: malt.h, and the parts that only they need. The
 * vtable and its rules are in malt-worker-class.h. */
#pragma once

#include <malt/malt.h>

#define MALT_INSIDE

#include <malt/malt-backend-module.h>
#include <malt/malt-error-construction.h>
#include <malt/malt-host-call.h>
#include <malt/malt-option-table.h>
#include <malt/malt-worker-class.h>

#undef MALT_INSIDE
