/* SPDX-License-Identifier: MIT */
/* Scalars and text as C types. */
#include "value/malt-value-private.h"

#include <malt/malt-error.h>
#include <math.h>
#include <string.h>

/**
 * malt_value_get_kind:
 * @value: a value
 *
 * What @value is.
 *
 * Returns: the kind
 */
MaltValueKind
malt_value_get_kind (MaltValue *value)
{
  g_return_val_if_fail (value != NULL, MALT_VALUE_NOTHING);
  return value->kind;
}

/**
 * malt_value_kind_to_string:
 * @kind: a kind
 *
 * The name of a kind, for messages: `Int64`, `Tuple`, `handle`.
 *
 * Returns: (transfer none): the name
 */
const char *
malt_value_kind_to_string (MaltValueKind kind)
{
  static const char *const names[] = {
    [MALT_VALUE_NOTHING] = "nothing", [MALT_VALUE_MISSING] = "missing",
    [MALT_VALUE_UNDEF] = "#undef",    [MALT_VALUE_BOOL] = "Bool",
    [MALT_VALUE_INT8] = "Int8",       [MALT_VALUE_UINT8] = "UInt8",
    [MALT_VALUE_INT16] = "Int16",     [MALT_VALUE_UINT16] = "UInt16",
    [MALT_VALUE_INT32] = "Int32",     [MALT_VALUE_UINT32] = "UInt32",
    [MALT_VALUE_INT64] = "Int64",     [MALT_VALUE_UINT64] = "UInt64",
    [MALT_VALUE_INT128] = "Int128",   [MALT_VALUE_UINT128] = "UInt128",
    [MALT_VALUE_FLOAT16] = "Float16", [MALT_VALUE_FLOAT32] = "Float32",
    [MALT_VALUE_FLOAT64] = "Float64", [MALT_VALUE_CHAR] = "Char",
    [MALT_VALUE_STRING] = "String",   [MALT_VALUE_SYMBOL] = "Symbol",
    [MALT_VALUE_TUPLE] = "Tuple",     [MALT_VALUE_NAMED_TUPLE] = "NamedTuple",
    [MALT_VALUE_PAIR] = "Pair",       [MALT_VALUE_ARRAY] = "Array",
    [MALT_VALUE_DICT] = "Dict",       [MALT_VALUE_SET] = "Set",
    [MALT_VALUE_COMPLEX] = "Complex", [MALT_VALUE_RATIONAL] = "Rational",
    [MALT_VALUE_RANGE] = "range",     [MALT_VALUE_EXPR] = "Expr",
    [MALT_VALUE_STRUCT] = "struct",   [MALT_VALUE_HANDLE] = "handle",
  };

  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (names), NULL);
  return names[kind];
}

/**
 * malt_value_is_integer:
 * @value: a value
 *
 * Tells whether @value is an integer of any size, or a Bool, which in Julia is an integer
 * too.
 *
 * Returns: true if it is
 */
gboolean
malt_value_is_integer (MaltValue *value)
{
  g_return_val_if_fail (value != NULL, FALSE);
  return malt_value_kind_is_integer (value->kind);
}

/**
 * malt_value_is_real:
 * @value: a value
 *
 * Tells whether malt_value_get_double() has an answer: for integers, Bool, floats, and
 * Rational of integers.
 *
 * Returns: true if it has
 */
gboolean
malt_value_is_real (MaltValue *value)
{
  MaltGroup *group = (MaltGroup *) value;

  g_return_val_if_fail (value != NULL, FALSE);
  if (value->kind == MALT_VALUE_RATIONAL)
    return malt_value_kind_is_integer (group->refs[0]->kind) &&
           malt_value_kind_is_integer (group->refs[1]->kind);
  return malt_value_kind_is_integer (value->kind) ||
         malt_value_kind_is_float (value->kind);
}

static gboolean
fail_kind (MaltValue *value, const char *wanted, GError **error)
{
  g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE,
               "expected %s, got a value of type %.200s", wanted,
               malt_value_get_type_name (value));
  return FALSE;
}

static gboolean
fail_range (MaltValue *value, const char *wanted, GError **error)
{
  g_autofree char *text = malt_value_to_string (value);

  g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE, "expected %s, got %.100s", wanted,
               text);
  return FALSE;
}

static gboolean
wide_int_to_int64 (MaltWideInt wide, gint64 *out_value)
{
  if (wide.magnitude > (MaltUInt128) G_MAXINT64 + (wide.is_negative ? 1 : 0))
    return FALSE;
  *out_value =
      (gint64) (wide.is_negative ? -(guint64) wide.magnitude : (guint64) wide.magnitude);
  return TRUE;
}

static gboolean
wide_int_to_uint64 (MaltWideInt wide, guint64 *out_value)
{
  if (wide.is_negative || wide.magnitude > G_MAXUINT64)
    return FALSE;
  *out_value = (guint64) wide.magnitude;
  return TRUE;
}

static gdouble
wide_int_to_double (MaltWideInt wide)
{
  gdouble size = (gdouble) wide.magnitude;

  return wide.is_negative ? -size : size;
}

static gdouble
real_to_double (MaltValue *value)
{
  MaltGroup *group = (MaltGroup *) value;

  if (malt_value_kind_is_float (value->kind))
    return malt_value_get_float (value);
  if (value->kind == MALT_VALUE_RATIONAL)
    return wide_int_to_double (malt_value_get_wide_int (group->refs[0])) /
           wide_int_to_double (malt_value_get_wide_int (group->refs[1]));
  return wide_int_to_double (malt_value_get_wide_int (value));
}

/**
 * malt_value_get_bool:
 * @value: a Bool
 *
 * A Bool as a C truth value.
 *
 * Returns: true or false
 */
gboolean
malt_value_get_bool (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_BOOL, FALSE);
  return ((MaltScalar *) value)->low != 0;
}

/**
 * malt_value_get_int64:
 * @value: an integer of any kind that fits, or a Bool
 *
 * An integer as a C integer. Where it may be something else use malt_value_as_int64().
 *
 * Returns: the number
 */
gint64
malt_value_get_int64 (MaltValue *value)
{
  gint64 number = 0;
  gboolean fits;

  g_return_val_if_fail (value != NULL && malt_value_kind_is_integer (value->kind), 0);
  fits = wide_int_to_int64 (malt_value_get_wide_int (value), &number);
  g_return_val_if_fail (fits, 0);
  return number;
}

/**
 * malt_value_get_uint64:
 * @value: an integer of any kind that fits, or a Bool
 *
 * An integer as an unsigned C integer. Where it may be something else use
 * malt_value_as_uint64().
 *
 * Returns: the number
 */
guint64
malt_value_get_uint64 (MaltValue *value)
{
  guint64 number = 0;
  gboolean fits;

  g_return_val_if_fail (value != NULL && malt_value_kind_is_integer (value->kind), 0);
  fits = wide_int_to_uint64 (malt_value_get_wide_int (value), &number);
  g_return_val_if_fail (fits, 0);
  return number;
}

/**
 * malt_value_get_double:
 * @value: a real number: integer, Bool, float or Rational
 *
 * A number as a C double; rounded where it does not fit exactly.
 *
 * Returns: the number
 */
gdouble
malt_value_get_double (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && malt_value_is_real (value), (gdouble) NAN);
  return real_to_double (value);
}

/**
 * malt_value_get_int128:
 * @value: an integer of any kind, or a Bool
 * @out_high: (out) (optional): return location for the high half, which has the sign (of
 *   a UInt128: its bits)
 * @out_low: (out) (optional): return location for the low half
 *
 * The two halves of an integer: it is `high * 2^64 + low`.
 */
void
malt_value_get_int128 (MaltValue *value, gint64 *out_high, guint64 *out_low)
{
  MaltWideInt wide;
  MaltUInt128 bits;

  g_return_if_fail (value != NULL && malt_value_kind_is_integer (value->kind));
  wide = malt_value_get_wide_int (value);
  bits = wide.is_negative ? -wide.magnitude : wide.magnitude;
  if (out_high != NULL)
    *out_high = (gint64) (bits >> 64);
  if (out_low != NULL)
    *out_low = (guint64) bits;
}

/**
 * malt_value_get_char:
 * @value: a Char
 *
 * The code point of a Char.
 *
 * Returns: the code point, or 0xfffd if the Char is not valid Unicode; see
 *   malt_value_get_char_bits()
 */
gunichar
malt_value_get_char (MaltValue *value)
{
  gunichar c;

  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_CHAR, 0);
  return malt_char_bits_to_unichar ((guint32) ((MaltScalar *) value)->low, &c) ? c
                                                                               : 0xfffd;
}

/**
 * malt_value_get_char_bits:
 * @value: a Char
 *
 * A Char as Julia holds it: up to four bytes of UTF-8, the first in the highest position.
 *
 * Returns: the bits
 */
guint32
malt_value_get_char_bits (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_CHAR, 0);
  return (guint32) ((MaltScalar *) value)->low;
}

/**
 * malt_value_get_string: (skip)
 * @value: a String or a Symbol
 * @out_n_bytes: (out) (optional): return location for the number of bytes
 *
 * The text. A NUL follows it; but Julia's strings may hold NULs and bytes that are not
 * UTF-8 themselves.
 *
 * Returns: (transfer none): the text, which lives as long as @value
 */
const char *
malt_value_get_string (MaltValue *value, gsize *out_n_bytes)
{
  g_return_val_if_fail (value != NULL && malt_value_kind_is_text (value->kind), NULL);
  if (out_n_bytes != NULL)
    *out_n_bytes = ((MaltText *) value)->n_bytes;
  return ((MaltText *) value)->text;
}

/**
 * malt_value_dup_string: (rename-to malt_value_get_string)
 * @value: a String or a Symbol
 *
 * The text as valid UTF-8: bytes that are not are replaced by U+FFFD, and so are NULs.
 * The bytes themselves are to be had from malt_value_get_string() and
 * malt_value_dup_bytes().
 *
 * Returns: (transfer full): the text
 */
char *
malt_value_dup_string (MaltValue *value)
{
  MaltText *text = (MaltText *) value;

  g_return_val_if_fail (value != NULL && malt_value_kind_is_text (value->kind), NULL);
  return g_utf8_make_valid (text->text, (gssize) text->n_bytes);
}

/**
 * malt_value_as_bool:
 * @value: a value
 * @out_value: (out): return location for the truth value
 * @error: return location for an error
 *
 * A Bool as a C truth value, if it is one.
 *
 * Errors: %MALT_ERROR_VALUE if @value is no Bool.
 *
 * Returns: (skip): true if @out_value was set
 */
gboolean
malt_value_as_bool (MaltValue *value, gboolean *out_value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (out_value != NULL, FALSE);
  if (value->kind != MALT_VALUE_BOOL)
    return fail_kind (value, "a Bool", error);
  *out_value = malt_value_get_bool (value);
  return TRUE;
}

/**
 * malt_value_as_int64:
 * @value: a value
 * @out_value: (out): return location for the number
 * @error: return location for an error
 *
 * An integer of any kind as a C integer, if it is one and fits.
 *
 * Errors: %MALT_ERROR_VALUE if @value is no integer or does not fit.
 *
 * Returns: (skip): true if @out_value was set
 */
gboolean
malt_value_as_int64 (MaltValue *value, gint64 *out_value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (out_value != NULL, FALSE);
  if (!malt_value_kind_is_integer (value->kind))
    return fail_kind (value, "an integer", error);
  if (!wide_int_to_int64 (malt_value_get_wide_int (value), out_value))
    return fail_range (value, "an integer that fits into Int64", error);
  return TRUE;
}

/**
 * malt_value_as_uint64:
 * @value: a value
 * @out_value: (out): return location for the number
 * @error: return location for an error
 *
 * An integer of any kind as an unsigned C integer, if it is one and fits.
 *
 * Errors: %MALT_ERROR_VALUE if @value is no integer or does not fit.
 *
 * Returns: (skip): true if @out_value was set
 */
gboolean
malt_value_as_uint64 (MaltValue *value, guint64 *out_value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (out_value != NULL, FALSE);
  if (!malt_value_kind_is_integer (value->kind))
    return fail_kind (value, "an integer", error);
  if (!wide_int_to_uint64 (malt_value_get_wide_int (value), out_value))
    return fail_range (value, "an integer that fits into UInt64", error);
  return TRUE;
}

/**
 * malt_value_as_double:
 * @value: a value
 * @out_value: (out): return location for the number
 * @error: return location for an error
 *
 * A real number (integer, Bool, float or Rational) as a C double, if it is one; rounded
 * where it does not fit exactly.
 *
 * Errors: %MALT_ERROR_VALUE if @value is no real number.
 *
 * Returns: (skip): true if @out_value was set
 */
gboolean
malt_value_as_double (MaltValue *value, gdouble *out_value, GError **error)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (out_value != NULL, FALSE);
  if (!malt_value_is_real (value))
    return fail_kind (value, "a real number", error);
  *out_value = real_to_double (value);
  return TRUE;
}

/**
 * malt_value_as_string:
 * @value: a value
 * @error: return location for an error
 *
 * The text of a String or Symbol, if it is one, and is what C and its bindings take for
 * text: UTF-8 without NUL.
 *
 * Errors: %MALT_ERROR_VALUE if @value is neither, or holds a NUL or bytes that are not
 * UTF-8.
 *
 * Returns: (transfer none): the text, which lives as long as @value
 */
const char *
malt_value_as_string (MaltValue *value, GError **error)
{
  MaltText *text = (MaltText *) value;

  g_return_val_if_fail (value != NULL, NULL);
  if (!malt_value_kind_is_text (value->kind))
    {
      fail_kind (value, "a String or Symbol", error);
      return NULL;
    }
  /* A given length makes the check refuse NUL too. */
  if (!g_utf8_validate (text->text, (gssize) text->n_bytes, NULL))
    {
      fail_range (value, "UTF-8 without NUL", error);
      return NULL;
    }
  return text->text;
}
