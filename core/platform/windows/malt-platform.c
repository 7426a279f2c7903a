/* SPDX-License-Identifier: MIT */
/*
 * Decimal numbers on Windows. Its C library, and the compiler's, are sometimes off by one in the last place. So what they say is compared with the
 * decimal number exactly: it must lie between the points that are halfway to its neighbours.
 */
#include "platform/malt-decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum
{
  N_WORDS = 96, /* of 32 bits: more than any number of ours has */
  MANTISSA_BITS = 53,
  LEAST_EXPONENT = -1074
};

typedef struct
{
  guint32 words[N_WORDS]; /* the least first */
} Big;

static Big
big_new (guint64 number)
{
  Big big = { { (guint32) number, (guint32) (number >> 32) } };

  return big;
}

static void
big_multiply (Big *big, guint32 factor)
{
  guint64 carry = 0;

  for (int i = 0; i < N_WORDS; i++)
    {
      carry += (guint64) big->words[i] * factor;
      big->words[i] = (guint32) carry;
      carry >>= 32;
    }
}

static void
big_shift (Big *big, int n_bits)
{
  int n_words = n_bits / 32;

  memmove (big->words + n_words, big->words,
           (gsize) (N_WORDS - n_words) * sizeof (guint32));
  memset (big->words, 0, (gsize) n_words * sizeof (guint32));
  if (n_bits % 32 != 0)
    big_multiply (big, 1u << (n_bits % 32));
}

/* The sign of digits * 10^exponent - number * 2^power. */
static int
compare (guint64 digits, int exponent, guint64 number, int power)
{
  Big decimal = big_new (digits);
  Big binary = big_new (number);

  for (int i = 0; i < ABS (exponent); i++)
    big_multiply (exponent > 0 ? &decimal : &binary, 5);
  if (exponent > power)
    big_shift (&decimal, exponent - power);
  else
    big_shift (&binary, power - exponent);
  for (int i = N_WORDS - 1; i >= 0; i--)
    if (decimal.words[i] != binary.words[i])
      return decimal.words[i] > binary.words[i] ? 1 : -1;
  return 0;
}

/* 0: it is the nearest; else in which direction that lies. */
static int
find_direction (double number, guint64 digits, int exponent)
{
  int power;
  guint64 mantissa = (guint64) ldexp (frexp (number, &power), MANTISSA_BITS);
  gboolean is_first = mantissa == G_GUINT64_CONSTANT (1) << (MANTISSA_BITS - 1);
  int above;
  int below;

  power -= MANTISSA_BITS;
  if (power < LEAST_EXPONENT)
    {
      mantissa >>= LEAST_EXPONENT - power;
      power = LEAST_EXPONENT;
      is_first = FALSE;
    }
  above = compare (digits, exponent, 2 * mantissa + 1, power - 1);
  /* Below a power of two the gap is half as wide. */
  below = is_first && power > LEAST_EXPONENT
              ? compare (digits, exponent, 4 * mantissa - 1, power - 2)
              : compare (digits, exponent, 2 * mantissa - 1, power - 1);
  if (above > 0 || (above == 0 && mantissa % 2 == 1))
    return 1;
  return below < 0 || (below == 0 && mantissa % 2 == 1) ? -1 : 0;
}

double
malt_decimal_parse (const char *digits, int exponent)
{
  guint64 whole = g_ascii_strtoull (digits, NULL, 10);
  char text[48];
  double number;
  int direction;

  g_snprintf (text, sizeof text, "%se%d", digits, exponent);
  number = strtod (text, NULL);
  while (number > 0 && number <= G_MAXDOUBLE &&
         (direction = find_direction (number, whole, exponent)) != 0)
    number = nextafter (number, direction > 0 ? G_MAXDOUBLE : 0);
  return number;
}
