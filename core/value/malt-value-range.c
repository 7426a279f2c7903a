/* SPDX-License-Identifier: MIT */
/* Ranges: how long they are and what their elements are.
 *
 * Ranges of floats are those of Julia's twiceprecision.jl: where first and step are
 * fractions with a small denominator, elements are computed with these, so that
 * 0.1:0.1:0.9 has 0.3 and not 0.30000000000000004. */
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* A fraction; a denominator of zero means that there is none. */
typedef struct
{
  gint64 num;
  gint64 den;
} Fraction;

/* Largest number up to which all integers are floats of this kind, and of the kind
 * below it. */
static gdouble
max_integer (MaltValueKind kind)
{
  return kind == MALT_VALUE_FLOAT64   ? 0x1p53
         : kind == MALT_VALUE_FLOAT32 ? 0x1p24
                                      : 0x1p11;
}

static gdouble
max_narrow_integer (MaltValueKind kind)
{
  return kind == MALT_VALUE_FLOAT64 ? 0x1p24 : 0x1p11;
}

static gdouble
round_to_kind (gdouble number, MaltValueKind kind)
{
  if (kind == MALT_VALUE_FLOAT16)
    return malt_float16_to_double (malt_float16_from_double (number));
  return kind == MALT_VALUE_FLOAT32 ? (gdouble) (gfloat) number : number;
}

static MaltValue *
new_float (MaltValueKind kind, gdouble number)
{
  switch (kind)
    {
    case MALT_VALUE_FLOAT16:
      return malt_value_new_scalar (kind, malt_float16_from_double (number), 0);
    case MALT_VALUE_FLOAT32:
      return malt_value_new_float32 ((gfloat) number);
    default:
      return malt_value_new_double (number);
    }
}

/* A continued fraction, as rat() in twiceprecision.jl. */
static Fraction
find_fraction (gdouble number, MaltValueKind kind)
{
  gdouble limit = max_narrow_integer (kind);
  gdouble rest = number;
  gint64 a = 1, b = 0, c = 0, d = 1;

  while (fabs (rest) <= limit)
    {
      gint64 whole = (gint64) rest;
      gint64 next_a = whole * a + c;
      gint64 next_b = whole * b + d;

      rest -= (gdouble) whole;
      c = a;
      a = next_a;
      d = b;
      b = next_b;
      if (MAX (ABS (a), ABS (b)) > (gint64) limit)
        return (Fraction){ c, d };
      if (round_to_kind ((gdouble) a / (gdouble) b, kind) == number)
        break;
      rest = 1 / rest;
    }
  return (Fraction){ a, b };
}

static gboolean
is_exact_fraction (Fraction fraction, gdouble number, MaltValueKind kind)
{
  return fraction.den != 0 &&
         round_to_kind ((gdouble) fraction.num / (gdouble) fraction.den, kind) == number;
}

/* First and step with one denominator, where there is one. */
static gboolean
find_fractions (gdouble first, gdouble step, MaltValueKind kind, gint64 *out_first,
                gint64 *out_step, gint64 *out_den)
{
  Fraction step_fraction = find_fraction (step, kind);
  Fraction first_fraction = find_fraction (first, kind);
  gint64 a = first_fraction.den;
  gint64 b = step_fraction.den;
  gint64 den;

  if (!is_exact_fraction (step_fraction, step, kind) ||
      !is_exact_fraction (first_fraction, first, kind))
    return FALSE;
  while (b != 0)
    {
      gint64 rest = a % b;

      a = b;
      b = rest;
    }
  if (__builtin_mul_overflow (first_fraction.den / a, step_fraction.den, &den))
    return FALSE;
  den = ABS (den);
  if (fabs (first * (gdouble) den) > max_integer (kind) ||
      fabs (step * (gdouble) den) > max_integer (kind))
    return FALSE;
  *out_first = llrint (first * (gdouble) den);
  *out_step = llrint (step * (gdouble) den);
  *out_den = den;
  return TRUE;
}

static gdouble
float_element (gdouble first, gdouble step, MaltValueKind kind, gsize index)
{
  gint64 first_num, step_num, den, num;

  if (find_fractions (first, step, kind, &first_num, &step_num, &den) &&
      !__builtin_mul_overflow (step_num, index, &num) &&
      !__builtin_add_overflow (num, first_num, &num))
    return (gdouble) num / (gdouble) den;
  return (gdouble) ((long double) first + (long double) index * (long double) step);
}

static MaltValue *
dup_float_element (const MaltGroup *range, gsize index)
{
  MaltValueKind kind = range->refs[0]->kind;
  gdouble first = malt_value_get_float (range->refs[0]);
  gdouble last;
  gsize n = malt_value_get_range_length ((MaltValue *) range);

  if (index == 0)
    return malt_value_ref (range->refs[0]);
  if (index == n - 1)
    return malt_value_ref (range->refs[2]);
  if (range->base.form == MALT_RANGE_LIN)
    {
      gdouble t = (gdouble) index / (gdouble) (n - 1);

      last = malt_value_get_float (range->refs[2]);
      return new_float (kind, (1 - t) * first + t * last);
    }
  return new_float (
      kind, float_element (first, malt_value_get_float (range->refs[1]), kind, index));
}

/* The bits of an integer, of two's complement and 128 wide. */
static MaltUInt128
integer_bits (MaltValue *value)
{
  MaltWideInt wide = malt_value_get_wide_int (value);

  return wide.is_negative ? -wide.magnitude : wide.magnitude;
}

static MaltValue *
dup_char_element (const MaltGroup *range, MaltUInt128 step, gsize index)
{
  gunichar first;
  MaltUInt128 c;

  if (!malt_char_bits_to_unichar ((guint32) ((MaltScalar *) range->refs[0])->low, &first))
    return NULL;
  c = (MaltUInt128) first + step * index;
  return c <= 0x10ffff ? malt_value_new_char ((gunichar) c) : NULL;
}

/* NULL if the type of the range is one that only Julia can compute with. */
MaltValue *
malt_range_dup_element (MaltValue *range, gsize index)
{
  const MaltGroup *group = (const MaltGroup *) range;
  MaltValueKind kind = group->refs[0]->kind;
  MaltUInt128 step, bits;

  if (malt_value_kind_is_float (kind) && group->refs[1]->kind == kind &&
      group->refs[2]->kind == kind)
    return dup_float_element (group, index);
  if (range->form == MALT_RANGE_LIN)
    return NULL;
  if (range->form == MALT_RANGE_STEP &&
      !malt_value_kind_is_integer (group->refs[1]->kind))
    return NULL;
  step = range->form == MALT_RANGE_STEP ? integer_bits (group->refs[1]) : 1;
  if (kind == MALT_VALUE_CHAR)
    return dup_char_element (group, step, index);
  if (!malt_value_kind_is_integer (kind))
    return NULL;
  bits = integer_bits (group->refs[0]) + step * index;
  return malt_value_new_scalar (kind, (guint64) bits, (guint64) (bits >> 64));
}

/* Constructor */

static MaltValue *
new_range (MaltRangeForm form, const char *type, MaltValue *first, MaltValue *step,
           MaltValue *last, gsize length)
{
  g_autoptr (MaltDescriptor) descriptor = malt_descriptor_new_type (type);
  MaltGroup *group = malt_group_new (MALT_VALUE_RANGE, descriptor, 0, 4);

  group->base.form = (guint8) form;
  group->refs[0] = malt_value_ref (first);
  group->refs[1] = malt_value_ref (step);
  group->refs[2] = malt_value_ref (last);
  group->refs[3] = malt_value_new_int64 ((gint64) length);
  malt_group_finish (group);
  return &group->base;
}

/* Steps from first to last, rounded down, for integers whose difference fits; FALSE if
 * the range is empty. */
static gboolean
count_steps (MaltUInt128 first, MaltUInt128 step, MaltUInt128 last, gboolean is_signed,
             gboolean step_is_negative, MaltUInt128 *out_n)
{
  gboolean is_ascending =
      is_signed ? (MaltInt128) first <= (MaltInt128) last : first <= last;
  gboolean is_descending = first == last || !is_ascending;

  if (step_is_negative ? !is_descending : !is_ascending)
    return FALSE;
  *out_n = step_is_negative ? (first - last) / -step : (last - first) / step;
  return TRUE;
}

static MaltValue *
new_integer_range (MaltValue *first, MaltValue *step, MaltValue *last, gboolean is_signed,
                   MaltUInt128 first_bits, MaltUInt128 last_bits)
{
  const char *name = malt_value_kind_to_string (first->kind);
  MaltUInt128 step_bits = step != NULL ? integer_bits (step) : 1;
  MaltUInt128 n_steps = 0;
  gboolean is_empty = !count_steps (first_bits, step_bits, last_bits, is_signed,
                                    (MaltInt128) step_bits < 0, &n_steps);
  MaltUInt128 end = is_empty ? first_bits - step_bits : first_bits + step_bits * n_steps;
  g_autoptr (MaltValue) true_last = NULL;
  g_autoptr (MaltValue) one = malt_value_new_scalar (first->kind, 1, 0);
  g_autofree char *type = NULL;

  g_return_val_if_fail (n_steps < G_MAXINT64, NULL);
  if (first->kind == MALT_VALUE_CHAR)
    true_last =
        end <= 0x10ffff ? malt_value_new_char ((gunichar) end) : malt_value_ref (last);
  else
    true_last = malt_value_new_scalar (first->kind, (guint64) end, (guint64) (end >> 64));
  if (step == NULL)
    type = g_strdup_printf ("UnitRange{%s}", name);
  else
    type = g_strdup_printf ("StepRange{%s, %s}", name,
                            malt_value_kind_to_string (step->kind));
  return new_range (step == NULL ? MALT_RANGE_UNIT : MALT_RANGE_STEP, type, first,
                    step != NULL ? step : one, true_last,
                    is_empty ? 0 : (gsize) n_steps + 1);
}

/* How many elements, from the quotient; less one if rounding made it overshoot. */
static gsize
count_floats (gdouble first, gdouble step, gdouble last, MaltValueKind kind)
{
  gdouble quotient = (last - first) / step;
  gdouble n_steps = nearbyint (quotient);
  gdouble end;

  if (!(quotient >= 0) || n_steps >= 0x1p62)
    return 0;
  end = round_to_kind (float_element (first, step, kind, (gsize) n_steps), kind);
  if ((first < last && last < end) || (first > last && last > end))
    n_steps -= 1;
  return (gsize) n_steps + 1;
}

static MaltValue *
new_float_range (MaltValue *first, MaltValue *step, MaltValue *last)
{
  MaltValueKind kind = first->kind;
  const char *name = malt_value_kind_to_string (kind);
  g_autoptr (MaltValue) one = new_float (kind, 1);
  g_autoptr (MaltValue) end = NULL;
  MaltValue *used_step = step != NULL ? step : one;
  gdouble first_number = malt_value_get_float (first);
  gdouble step_number = malt_value_get_float (used_step);
  g_autofree char *type = NULL;
  gsize length;

  g_return_val_if_fail (malt_is_finite (first_number) && malt_is_finite (step_number),
                        NULL);
  g_return_val_if_fail (malt_is_finite (malt_value_get_float (last)), NULL);
  g_return_val_if_fail (step_number != 0, NULL);
  length = count_floats (first_number, step_number, malt_value_get_float (last), kind);
  if (length == 0)
    end = new_float (kind, first_number - step_number);
  else
    end = new_float (kind, float_element (first_number, step_number, kind, length - 1));
  if (kind == MALT_VALUE_FLOAT64)
    type = g_strdup ("StepRangeLen{Float64, Base.TwicePrecision{Float64}, "
                     "Base.TwicePrecision{Float64}, Int64}");
  else
    type = g_strdup_printf ("StepRangeLen{%s, Float64, Float64, Int64}", name);
  return new_range (MALT_RANGE_STEP, type, first, used_step, end, length);
}

/**
 * malt_value_new_range:
 * @first: the first element: an integer, a finite float or a valid Char
 * @step: (nullable): the step, not zero: of the kind of @first, or an integer for Char;
 *   %NULL means `first:last`
 * @last: where to end, of the kind of @first
 *
 * Makes the range `first:step:last`. As in Julia it ends before @last where the steps do
 * not meet it, and is empty where they lead away from it. It has less than 2^63 elements.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_range (MaltValue *first, MaltValue *step, MaltValue *last)
{
  g_return_val_if_fail (first != NULL && last != NULL && first->kind == last->kind, NULL);
  if (malt_value_kind_is_float (first->kind))
    {
      g_return_val_if_fail (step == NULL || step->kind == first->kind, NULL);
      return new_float_range (first, step, last);
    }
  if (step != NULL)
    g_return_val_if_fail (
        malt_value_kind_is_integer (step->kind) && integer_bits (step) != 0, NULL);
  if (first->kind == MALT_VALUE_CHAR)
    {
      gunichar from, to;
      gboolean are_valid =
          malt_char_bits_to_unichar (malt_value_get_char_bits (first), &from) &&
          malt_char_bits_to_unichar (malt_value_get_char_bits (last), &to);
      g_autoptr (MaltValue) one = malt_value_new_int64 (1);

      g_return_val_if_fail (are_valid, NULL);
      return new_integer_range (first, step != NULL ? step : one, last, TRUE, from, to);
    }
  g_return_val_if_fail (
      malt_value_kind_is_integer (first->kind) && first->kind != MALT_VALUE_BOOL, NULL);
  g_return_val_if_fail (step == NULL || step->kind == first->kind, NULL);
  return new_integer_range (first, step, last, malt_value_kind_is_signed (first->kind),
                            integer_bits (first), integer_bits (last));
}

/**
 * malt_value_get_range_form:
 * @value: a range
 *
 * Which of Julia's range types it is.
 *
 * Returns: the form
 */
MaltRangeForm
malt_value_get_range_form (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_RANGE,
                        MALT_RANGE_UNIT);
  return value->form;
}

/**
 * malt_value_get_range_length:
 * @value: a range
 *
 * The number of elements.
 *
 * Returns: the number
 */
gsize
malt_value_get_range_length (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_RANGE, 0);
  return (gsize) ((MaltScalar *) ((MaltGroup *) value)->refs[3])->low;
}
