/* SPDX-License-Identifier: MIT */
/* Scalars and text: numbers, Bool, Char, String, Symbol, and the three values without
 * content. */
#include "base/malt-memory.h"
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <malt/malt-error.h>
#include <math.h>
#include <string.h>

#define STATIC_VALUE(KIND, bits)               \
  {                                            \
    .base = { .ref_count = 1,                  \
              .kind = (KIND),                  \
              .flags = MALT_VALUE_FLAG_STATIC, \
              .depth = 1 },                    \
    .low = (bits)                              \
  }

static MaltScalar nothing_value = STATIC_VALUE (MALT_VALUE_NOTHING, 0);
static MaltScalar missing_value = STATIC_VALUE (MALT_VALUE_MISSING, 0);
static MaltScalar undef_value = STATIC_VALUE (MALT_VALUE_UNDEF, 0);
static MaltScalar short_value = STATIC_VALUE (MALT_VALUE_UNDEF, 1);
static MaltScalar false_value = STATIC_VALUE (MALT_VALUE_BOOL, 0);
static MaltScalar true_value = STATIC_VALUE (MALT_VALUE_BOOL, 1);

static guint64
extend_bits (MaltValueKind kind, guint64 low)
{
  switch (kind)
    {
    case MALT_VALUE_INT8:
      return (guint64) (gint64) (gint8) low;
    case MALT_VALUE_INT16:
      return (guint64) (gint64) (gint16) low;
    case MALT_VALUE_INT32:
      return (guint64) (gint64) (gint32) low;
    case MALT_VALUE_UINT8:
      return (guint8) low;
    case MALT_VALUE_UINT16:
    case MALT_VALUE_FLOAT16:
      return (guint16) low;
    case MALT_VALUE_UINT32:
    case MALT_VALUE_FLOAT32:
    case MALT_VALUE_CHAR:
      return (guint32) low;
    default:
      return low;
    }
}

static void
init_value (MaltValue *value, MaltValueKind kind)
{
  value->ref_count = 1;
  value->kind = (guint8) kind;
  value->flags = 0;
  value->depth = 1;
  value->form = 0;
}

/* Bits above those of the kind are ignored. */
MaltValue *
malt_value_new_scalar (MaltValueKind kind, guint64 low, guint64 high)
{
  MaltScalar *scalar;

  if (kind == MALT_VALUE_BOOL)
    return low != 0 ? &true_value.base : &false_value.base;
  if (kind == MALT_VALUE_INT128 || kind == MALT_VALUE_UINT128)
    {
      MaltWideScalar *wide = g_new (MaltWideScalar, 1);

      wide->high = high;
      scalar = &wide->narrow;
    }
  else
    scalar = g_new (MaltScalar, 1);
  init_value (&scalar->base, kind);
  scalar->low = extend_bits (kind, low);
  return &scalar->base;
}

MaltText *
malt_value_new_text (MaltValueKind kind, const void *text, gsize n_bytes)
{
  MaltText *value = malt_memory_new (sizeof (MaltText) + n_bytes + 1, NULL);

  if (value == NULL)
    return NULL;
  init_value (&value->base, kind);
  value->n_bytes = n_bytes;
  if (n_bytes > 0)
    memcpy (value->text, text, n_bytes);
  value->text[n_bytes] = '\0';
  return value;
}

static MaltValue *
new_text_or_short (MaltValueKind kind, const void *text, gsize n_bytes)
{
  MaltText *value = malt_value_new_text (kind, text, n_bytes);

  return value != NULL ? &value->base : malt_value_new_short ();
}

MaltValue *
malt_value_new_short (void)
{
  return &short_value.base;
}

gboolean
malt_value_is_short (const MaltValue *value)
{
  return value == &short_value.base;
}

void
malt_value_set_short_error (GError **error)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_RESOURCES,
                       "there was no memory for a value");
}

/**
 * malt_value_new_nothing:
 *
 * Makes `nothing`.
 *
 * Returns: (transfer full): the value
 */
MaltValue *
malt_value_new_nothing (void)
{
  return &nothing_value.base;
}

/**
 * malt_value_new_missing:
 *
 * Makes `missing`.
 *
 * Returns: (transfer full): the value
 */
MaltValue *
malt_value_new_missing (void)
{
  return &missing_value.base;
}

/**
 * malt_value_new_undef:
 *
 * Makes the mark of an unset element or field. It is accepted by
 * malt_value_new_value_array() and malt_value_new_struct() only, and cannot be sent by
 * itself.
 *
 * Returns: (transfer full): the value
 */
MaltValue *
malt_value_new_undef (void)
{
  return &undef_value.base;
}

/**
 * malt_value_new_bool:
 * @value: true or false
 *
 * Makes a Bool.
 *
 * Returns: (transfer full): the value
 */
MaltValue *
malt_value_new_bool (gboolean value)
{
  return value ? &true_value.base : &false_value.base;
}

/**
 * malt_value_new_int8:
 * @value: the number
 *
 * Makes an Int8.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_int8 (gint8 value)
{
  return malt_value_new_scalar (MALT_VALUE_INT8, (guint64) value, 0);
}

/**
 * malt_value_new_uint8:
 * @value: the number
 *
 * Makes a UInt8.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_uint8 (guint8 value)
{
  return malt_value_new_scalar (MALT_VALUE_UINT8, value, 0);
}

/**
 * malt_value_new_int16:
 * @value: the number
 *
 * Makes an Int16.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_int16 (gint16 value)
{
  return malt_value_new_scalar (MALT_VALUE_INT16, (guint64) value, 0);
}

/**
 * malt_value_new_uint16:
 * @value: the number
 *
 * Makes a UInt16.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_uint16 (guint16 value)
{
  return malt_value_new_scalar (MALT_VALUE_UINT16, value, 0);
}

/**
 * malt_value_new_int32:
 * @value: the number
 *
 * Makes an Int32.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_int32 (gint32 value)
{
  return malt_value_new_scalar (MALT_VALUE_INT32, (guint64) value, 0);
}

/**
 * malt_value_new_uint32:
 * @value: the number
 *
 * Makes a UInt32.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_uint32 (guint32 value)
{
  return malt_value_new_scalar (MALT_VALUE_UINT32, value, 0);
}

/**
 * malt_value_new_int64:
 * @value: the number
 *
 * Makes an Int64, the type of Julia's integer literals.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_int64 (gint64 value)
{
  return malt_value_new_scalar (MALT_VALUE_INT64, (guint64) value, 0);
}

/**
 * malt_value_new_uint64:
 * @value: the number
 *
 * Makes a UInt64.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_uint64 (guint64 value)
{
  return malt_value_new_scalar (MALT_VALUE_UINT64, value, 0);
}

/**
 * malt_value_new_int128:
 * @high: the high half, with the sign
 * @low: the low half
 *
 * Makes an Int128: `high * 2^64 + low`.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_int128 (gint64 high, guint64 low)
{
  return malt_value_new_scalar (MALT_VALUE_INT128, low, (guint64) high);
}

/**
 * malt_value_new_uint128:
 * @high: the high half
 * @low: the low half
 *
 * Makes a UInt128: `high * 2^64 + low`.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_uint128 (guint64 high, guint64 low)
{
  return malt_value_new_scalar (MALT_VALUE_UINT128, low, high);
}

/**
 * malt_value_new_float16:
 * @value: the number; rounded to the nearest Float16, ties to even
 *
 * Makes a Float16.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_float16 (gfloat value)
{
  return malt_value_new_scalar (MALT_VALUE_FLOAT16, malt_float16_from_double (value), 0);
}

/**
 * malt_value_new_float32:
 * @value: the number
 *
 * Makes a Float32.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_float32 (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return malt_value_new_scalar (MALT_VALUE_FLOAT32, bits, 0);
}

/**
 * malt_value_new_double:
 * @value: the number
 *
 * Makes a Float64.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_double (gdouble value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return malt_value_new_scalar (MALT_VALUE_FLOAT64, bits, 0);
}

/**
 * malt_value_new_char:
 * @value: a code point, at most 0x10ffff
 *
 * Makes a Char.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_char (gunichar value)
{
  g_return_val_if_fail (value <= 0x10ffff, NULL);
  return malt_value_new_scalar (MALT_VALUE_CHAR, malt_char_bits_from_unichar (value), 0);
}

/**
 * malt_value_new_char_bits:
 * @bits: what Julia's `reinterpret(UInt32, c)` gives: up to four bytes of UTF-8, the
 *   first in the highest position
 *
 * Makes a Char, which may be one that is not valid Unicode.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_char_bits (guint32 bits)
{
  return malt_value_new_scalar (MALT_VALUE_CHAR, bits, 0);
}

/**
 * malt_value_new_string:
 * @value: the text, UTF-8; it is copied
 *
 * Makes a String.
 *
 * Returns: (transfer full): a new value; of kind %MALT_VALUE_UNDEF, which cannot be sent,
 *   if there is no memory for it
 */
MaltValue *
malt_value_new_string (const char *value)
{
  g_return_val_if_fail (value != NULL, NULL);
  return new_text_or_short (MALT_VALUE_STRING, value, strlen (value));
}

/**
 * malt_value_new_string_len:
 * @value: (array length=n_bytes) (element-type guint8): any bytes, which may hold NUL;
 *   they are copied
 * @n_bytes: how many
 *
 * Makes a String of any bytes, as Julia's may be.
 *
 * Returns: (transfer full): a new value; of kind %MALT_VALUE_UNDEF, which cannot be sent,
 *   if there is no memory for it
 */
MaltValue *
malt_value_new_string_len (const char *value, gsize n_bytes)
{
  g_return_val_if_fail (value != NULL || n_bytes == 0, NULL);
  return new_text_or_short (MALT_VALUE_STRING, value, n_bytes);
}

/**
 * malt_value_new_symbol:
 * @name: the name
 *
 * Makes a Symbol.
 *
 * Returns: (transfer full): a new value; of kind %MALT_VALUE_UNDEF, which cannot be sent,
 *   if there is no memory for it
 */
MaltValue *
malt_value_new_symbol (const char *name)
{
  g_return_val_if_fail (name != NULL, NULL);
  return new_text_or_short (MALT_VALUE_SYMBOL, name, strlen (name));
}

/* Kinds of numbers */

gboolean
malt_value_kind_is_integer (MaltValueKind kind)
{
  return kind >= MALT_VALUE_BOOL && kind <= MALT_VALUE_UINT128;
}

gboolean
malt_value_kind_is_signed (MaltValueKind kind)
{
  return kind == MALT_VALUE_INT8 || kind == MALT_VALUE_INT16 ||
         kind == MALT_VALUE_INT32 || kind == MALT_VALUE_INT64 ||
         kind == MALT_VALUE_INT128;
}

gboolean
malt_value_kind_is_float (MaltValueKind kind)
{
  return kind >= MALT_VALUE_FLOAT16 && kind <= MALT_VALUE_FLOAT64;
}

MaltWideInt
malt_value_get_wide_int (MaltValue *value)
{
  MaltScalar *scalar = (MaltScalar *) value;
  MaltWideInt wide = { FALSE, scalar->low };

  if (value->kind == MALT_VALUE_INT128 || value->kind == MALT_VALUE_UINT128)
    wide.magnitude |= (MaltUInt128) ((MaltWideScalar *) value)->high << 64;
  else if (malt_value_kind_is_signed (value->kind) && (gint64) scalar->low < 0)
    wide.magnitude |= (MaltUInt128) G_MAXUINT64 << 64;
  if (malt_value_kind_is_signed (value->kind) && (MaltInt128) wide.magnitude < 0)
    {
      wide.is_negative = TRUE;
      wide.magnitude = -wide.magnitude;
    }
  return wide;
}

gdouble
malt_float16_to_double (guint16 bits)
{
  int exponent = (bits >> 10) & 0x1f;
  int fraction = bits & 0x3ff;
  gdouble size;

  if (exponent == 0x1f)
    size = fraction == 0 ? (gdouble) INFINITY : (gdouble) NAN;
  else if (exponent == 0)
    size = ldexp (fraction, -24);
  else
    size = ldexp (fraction + 0x400, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

guint16
malt_float16_from_double (gdouble value)
{
  guint16 sign = malt_has_minus (value) ? 0x8000 : 0;
  gdouble size = fabs (value);
  int exponent;
  gdouble fraction;

  if (malt_is_nan (value))
    return (guint16) (sign | 0x7e00);
  if (size >= 65520.0) /* half-way between the largest number and what would follow it */
    return (guint16) (sign | 0x7c00);
  if (size < 0x1p-14)
    return (guint16) (sign | (guint16) nearbyint (ldexp (size, 24)));
  frexp (size, &exponent);
  /* A fraction that rounds up to the next power of two carries into the exponent,
   * which is what is wanted. */
  fraction = nearbyint (ldexp (size, 11 - exponent)) - 0x400;
  return (guint16) (sign | (guint16) (((exponent + 14) << 10) + (int) fraction));
}

/* A float of any size. */
gdouble
malt_value_get_float (MaltValue *value)
{
  guint64 low = ((MaltScalar *) value)->low;
  guint32 bits = (guint32) low;
  gfloat single;
  gdouble wide;

  switch (value->kind)
    {
    case MALT_VALUE_FLOAT16:
      return malt_float16_to_double ((guint16) low);
    case MALT_VALUE_FLOAT32:
      memcpy (&single, &bits, sizeof single);
      return (gdouble) single;
    default:
      memcpy (&wide, &low, sizeof wide);
      return wide;
    }
}

/* Char */

guint32
malt_char_bits_from_unichar (gunichar c)
{
  if (c < 0x80)
    return c << 24;
  if (c < 0x800)
    return (0xc080u << 16) | (c & 0x3f) << 16 | (c >> 6) << 24;
  if (c < 0x10000)
    return 0xe0808000u | (c & 0x3f) << 8 | (c >> 6 & 0x3f) << 16 | (c >> 12) << 24;
  return 0xf0808080u | (c & 0x3f) | (c >> 6 & 0x3f) << 8 | (c >> 12 & 0x3f) << 16 |
         (c >> 18) << 24;
}

static gboolean
char_bits_are_malformed (guint32 bits)
{
  guint leading_ones = bits == G_MAXUINT32 ? 32 : (guint) __builtin_clz (~bits);
  guint tail = bits == 0 ? 32 : ((guint) __builtin_ctz (bits) & 56);

  if (leading_ones == 1 || 8 * leading_ones + tail > 32)
    return TRUE;
  return tail < 32 && ((bits & 0x00c0c0c0u) ^ 0x00808080u) >> tail != 0;
}

static gboolean
char_bits_are_overlong (guint32 bits)
{
  return bits >> 24 == 0xc0 || bits >> 24 == 0xc1 || bits >> 21 == 0x0704 ||
         bits >> 20 == 0x0f08;
}

gboolean
malt_char_bits_to_unichar (guint32 bits, gunichar *out_c)
{
  if (bits < 0x80000000u)
    {
      *out_c = bits >> 24;
      return (bits & 0xffffff) == 0;
    }
  if (char_bits_are_malformed (bits) || char_bits_are_overlong (bits))
    return FALSE;
  if (bits < 0xe0000000u)
    *out_c = (bits >> 24 & 0x1f) << 6 | (bits >> 16 & 0x3f);
  else if (bits < 0xf0000000u)
    *out_c = (bits >> 24 & 0x0f) << 12 | (bits >> 16 & 0x3f) << 6 | (bits >> 8 & 0x3f);
  else
    *out_c = (bits >> 24 & 0x07) << 18 | (bits >> 16 & 0x3f) << 12 |
             (bits >> 8 & 0x3f) << 6 | (bits & 0x3f);
  return TRUE;
}

guint32
malt_char_bits_next (const char *text, gsize n_bytes, gsize *pos)
{
  const guint8 *bytes = (const guint8 *) text + *pos;
  gsize n_left = n_bytes - *pos;
  guint8 first = bytes[0];
  guint32 bits = (guint32) first << 24;
  gsize n_wanted = 1;
  gsize n_taken = 1;

  if (first >= 0xf0 && first <= 0xf7)
    n_wanted = 4;
  else if (first >= 0xe0 && first <= 0xef)
    n_wanted = 3;
  else if (first >= 0xc0 && first <= 0xdf)
    n_wanted = 2;
  while (n_taken < n_wanted && n_taken < n_left && (bytes[n_taken] & 0xc0) == 0x80)
    {
      bits |= (guint32) bytes[n_taken] << (24 - 8 * n_taken);
      n_taken++;
    }
  *pos += n_taken;
  return bits;
}
