/* SPDX-License-Identifier: MIT */
/* Numbers that are read from decimal digits, rounded correctly everywhere. One file per platform. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The Float64 that is nearest to DIGITS times ten to the @exponent; of two that are, the even one. @digits: 1 to 17. */
double malt_decimal_parse (const char *digits, int exponent);

G_END_DECLS
