/* SPDX-License-Identifier: MIT */
/* What a floating-point number is. The macros of <math.h> do the same, but not everywhere
 * without warnings. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

static inline gboolean
malt_is_nan (double number)
{
  return __builtin_isnan (number);
}

static inline gboolean
malt_is_finite (double number)
{
  return __builtin_isfinite (number);
}

/* Also of zeros and NaNs. */
static inline gboolean
malt_has_minus (double number)
{
  return __builtin_signbit (number) != 0;
}

G_END_DECLS
