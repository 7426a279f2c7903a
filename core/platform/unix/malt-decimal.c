/* SPDX-License-Identifier: MIT */
/* Decimal numbers on Unix, whose C libraries round correctly. */
#include "platform/malt-decimal.h"

double
malt_decimal_parse (const char *digits, int exponent)
{
  char text[48];

  g_snprintf (text, sizeof text, "%se%d", digits, exponent);
  return g_ascii_strtod (text, NULL);
}
