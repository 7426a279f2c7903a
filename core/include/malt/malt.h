/* SPDX-License-Identifier: MIT */
/* The header for programs that evaluate Julia. Authors of backends include
 * malt/malt-abstract-worker.h as well. */
#pragma once

#define MALT_INSIDE

#include <malt/malt-backend.h>
#include <malt/malt-call.h>
#include <malt/malt-channel.h>
#include <malt/malt-config.h>
#include <malt/malt-enum-types.h>
#include <malt/malt-error.h>
#include <malt/malt-export.h>
#include <malt/malt-future.h>
#include <malt/malt-native.h>
#include <malt/malt-types.h>
#include <malt/malt-value.h>
#include <malt/malt-version.h>
#include <malt/malt-worker.h>

#undef MALT_INSIDE
