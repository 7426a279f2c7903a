/* SPDX-License-Identifier: MIT */
/* Values as arguments of C functions, and results as values.
 *
 * Nothing is rounded, cut or guessed: a number goes into a C type that holds exactly it, or
 * not at all. Integers of all kinds may go into all integer types and, where exact, into
 * floats; Bool is no integer here, and a float goes into floats only. */
#include "base/malt-error-private.h"
#include "ffi/malt-signature.h"
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

#define MAX_SHOWN_CHARS 60

static gboolean
fail_value (MaltCType type, MaltValue *value, const char *but, GError **error)
{
  g_autofree char *expected = malt_c_type_to_string (type);
  g_autofree char *text = malt_value_to_string (value);
  g_autofree char *line = malt_text_to_line (text, MAX_SHOWN_CHARS);
  g_autofree char *got_type =
      malt_text_to_line (malt_value_get_type_name (value), MAX_SHOWN_CHARS);

  g_set_error (error, MALT_ERROR, MALT_ERROR_VALUE, "expected %s%s, got the %s %s",
               expected, but, got_type, line);
  return FALSE;
}

typedef struct
{
  gint64 minimum;
  guint64 maximum;
} IntegerRange;

/* FALSE: the kind is not one of integers. */
static gboolean
get_range (MaltValueKind kind, IntegerRange *out_range)
{
  static const IntegerRange ranges[] = {
    [MALT_VALUE_INT8] = { G_MININT8, G_MAXINT8 },
    [MALT_VALUE_UINT8] = { 0, G_MAXUINT8 },
    [MALT_VALUE_INT16] = { G_MININT16, G_MAXINT16 },
    [MALT_VALUE_UINT16] = { 0, G_MAXUINT16 },
    [MALT_VALUE_INT32] = { G_MININT32, G_MAXINT32 },
    [MALT_VALUE_UINT32] = { 0, G_MAXUINT32 },
    [MALT_VALUE_INT64] = { G_MININT64, G_MAXINT64 },
    [MALT_VALUE_UINT64] = { 0, G_MAXUINT64 },
  };

  if (kind < MALT_VALUE_INT8 || kind > MALT_VALUE_UINT64)
    return FALSE;
  *out_range = ranges[kind];
  return TRUE;
}

static gboolean
fail_range (MaltCType type, MaltValue *value, const IntegerRange *range, GError **error)
{
  g_autofree char *but =
      g_strdup_printf (", from %" G_GINT64_FORMAT " to %" G_GUINT64_FORMAT,
                       range->minimum, range->maximum);

  return fail_value (type, value, but, error);
}

/* The slots of integers share their first bytes. */
static void
store_integer (MaltCSlot *slot, MaltValueKind kind, guint64 bits)
{
  if (kind == MALT_VALUE_INT8 || kind == MALT_VALUE_UINT8)
    slot->u8 = (guint8) bits;
  else if (kind == MALT_VALUE_INT16 || kind == MALT_VALUE_UINT16)
    slot->u16 = (guint16) bits;
  else if (kind == MALT_VALUE_INT32 || kind == MALT_VALUE_UINT32)
    slot->u32 = (guint32) bits;
  else
    slot->u64 = bits;
}

static gboolean
is_integer (MaltValue *value)
{
  return malt_value_is_integer (value) && malt_value_get_kind (value) != MALT_VALUE_BOOL;
}

static gboolean
set_integer (MaltCSlot *slot, MaltCType type, const IntegerRange *range, MaltValue *value,
             GError **error)
{
  gint64 number;
  guint64 magnitude;

  if (!is_integer (value))
    return fail_value (type, value, "", error);
  if (malt_value_as_int64 (value, &number, NULL) &&
      (number < 0 ? number >= range->minimum : (guint64) number <= range->maximum))
    store_integer (slot, type.kind, (guint64) number);
  else if (malt_value_as_uint64 (value, &magnitude, NULL) && magnitude <= range->maximum)
    store_integer (slot, type.kind, magnitude);
  else
    return fail_range (type, value, range, error);
  return TRUE;
}

/* To a double; the same number, or FALSE. */
static gboolean
get_exact_double (MaltValue *value, gdouble *out_number)
{
  gdouble size;

  if (!malt_value_as_double (value, out_number, NULL))
    return FALSE;
  if (!is_integer (value))
    return TRUE;
  size = fabs (*out_number);
  return size < 0x1p128 &&
         (MaltUInt128) size == malt_value_get_wide_int (value).magnitude;
}

static gboolean
set_float (MaltCSlot *slot, MaltCType type, MaltValue *value, GError **error)
{
  gdouble number;

  if (!is_integer (value) && !malt_value_kind_is_float (malt_value_get_kind (value)))
    return fail_value (type, value, "", error);
  if (!get_exact_double (value, &number))
    return fail_value (type, value, ", which does not hold it exactly", error);
  if (type.kind == MALT_VALUE_FLOAT64)
    {
      slot->f64 = number;
      return TRUE;
    }
  /* A finite number beyond the range of a float has no defined conversion. */
  if (malt_is_finite (number) && fabs (number) > G_MAXFLOAT)
    return fail_value (type, value, ", which does not hold it exactly", error);
  slot->f32 = (gfloat) number;
  if (!malt_is_nan (number) && (gdouble) slot->f32 != number)
    return fail_value (type, value, ", which does not hold it exactly", error);
  return TRUE;
}

static gboolean
set_scalar (MaltCSlot *slot, MaltCType type, MaltValue *value, GError **error)
{
  IntegerRange range;

  if (get_range (type.kind, &range))
    return set_integer (slot, type, &range, value, error);
  if (type.kind != MALT_VALUE_BOOL)
    return set_float (slot, type, value, error);
  if (malt_value_get_kind (value) != MALT_VALUE_BOOL)
    return fail_value (type, value, "", error);
  slot->boolean = malt_value_get_bool (value);
  return TRUE;
}

static gboolean
set_string (MaltCSlot *slot, MaltCType type, MaltValue *value, GError **error)
{
  const char *text;

  if (malt_value_get_kind (value) != MALT_VALUE_STRING)
    return fail_value (type, value, "", error);
  text = malt_value_as_string (value, NULL);
  if (text == NULL)
    return fail_value (type, value, " of UTF-8 without NUL", error);
  slot->pointer = (gpointer) text;
  return TRUE;
}

static gboolean
set_pointer (MaltCSlot *slot, MaltCType type, MaltValue *value, GError **error)
{
  g_autofree char *but = NULL;

  if (malt_value_is_bits_array (value) &&
      malt_value_get_element_kind (value) == type.kind)
    {
      slot->pointer = (gpointer) malt_value_get_array_data (value, NULL);
      return TRUE;
    }
  but = g_strdup_printf (", an array of %s", malt_value_kind_to_string (type.kind));
  return fail_value (type, value, but, error);
}

gboolean
malt_c_slot_set_argument (MaltCSlot *slot, MaltCType type, MaltValue *value,
                          GError **error)
{
  switch (type.form)
    {
    case MALT_C_SCALAR:
      return set_scalar (slot, type, value, error);
    case MALT_C_STRING:
      return set_string (slot, type, value, error);
    case MALT_C_POINTER:
      return set_pointer (slot, type, value, error);
    case MALT_C_VALUE:
      slot->pointer = value;
      return TRUE;
    case MALT_C_VOID:
    default:
      g_return_val_if_reached (FALSE);
    }
}

static MaltValue *
value_new_of_scalar (const MaltCSlot *slot, MaltValueKind kind)
{
  switch (kind)
    {
    case MALT_VALUE_BOOL:
      return malt_value_new_bool ((gboolean) slot->widened != 0);
    case MALT_VALUE_INT8:
      return malt_value_new_int8 ((gint8) slot->widened);
    case MALT_VALUE_UINT8:
      return malt_value_new_uint8 ((guint8) slot->widened);
    case MALT_VALUE_INT16:
      return malt_value_new_int16 ((gint16) slot->widened);
    case MALT_VALUE_UINT16:
      return malt_value_new_uint16 ((guint16) slot->widened);
    case MALT_VALUE_INT32:
      return malt_value_new_int32 ((gint32) slot->widened);
    case MALT_VALUE_UINT32:
      return malt_value_new_uint32 ((guint32) slot->widened);
    case MALT_VALUE_INT64:
      return malt_value_new_int64 (slot->i64);
    case MALT_VALUE_UINT64:
      return malt_value_new_uint64 (slot->u64);
    case MALT_VALUE_FLOAT32:
      return malt_value_new_float32 (slot->f32);
    case MALT_VALUE_FLOAT64:
      return malt_value_new_double (slot->f64);
    default:
      g_return_val_if_reached (malt_value_new_nothing ());
    }
}

MaltValue *
malt_c_slot_take_result (MaltCSlot *slot, MaltCType type)
{
  MaltValue *value = NULL;

  if (type.form == MALT_C_SCALAR)
    return value_new_of_scalar (slot, type.kind);
  if (type.form == MALT_C_VALUE)
    value = slot->pointer;
  else if (type.form == MALT_C_STRING && slot->pointer != NULL)
    value = malt_value_new_string (slot->pointer);
  if (type.form == MALT_C_STRING)
    g_free (slot->pointer);
  return value != NULL ? value : malt_value_new_nothing ();
}

void
malt_c_slot_clear_result (MaltCSlot *slot, MaltCType type)
{
  if (type.form == MALT_C_STRING)
    g_free (slot->pointer);
  else if (type.form == MALT_C_VALUE && slot->pointer != NULL)
    malt_value_unref (slot->pointer);
}
