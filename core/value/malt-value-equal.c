/* SPDX-License-Identifier: MIT */
/* Equality of values, as Julia's isequal() has it, and the hash that goes with it. */
#include "value/malt-float.h"
#include "value/malt-value-private.h"

#include <math.h>
#include <string.h>

/* From this size on entries of dictionaries and sets are found through a table. */
#define MIN_TABLE_ENTRIES 8

/* A float that is an integer of up to 128 bits; -0.0 is none, because isequal(-0.0, 0)
 * is false. */
static gboolean
float_to_wide_int (gdouble number, MaltWideInt *out_wide)
{
  gdouble size = fabs (number);

  if (!(size < ldexp (1.0, 128)) || size != trunc (size) ||
      (number == 0 && malt_has_minus (number)))
    return FALSE;
  out_wide->is_negative = number < 0;
  out_wide->magnitude = (MaltUInt128) size;
  return TRUE;
}

static gboolean
number_to_wide_int (MaltValue *value, MaltWideInt *out_wide)
{
  if (malt_value_kind_is_float (value->kind))
    return float_to_wide_int (malt_value_get_float (value), out_wide);
  *out_wide = malt_value_get_wide_int (value);
  return TRUE;
}

static gboolean
kind_is_number (MaltValueKind kind)
{
  return malt_value_kind_is_integer (kind) || malt_value_kind_is_float (kind);
}

static gboolean
floats_equal (gdouble a, gdouble b)
{
  if (malt_is_nan (a) || malt_is_nan (b))
    return malt_is_nan (a) && malt_is_nan (b);
  return a == b && !malt_has_minus (a) == !malt_has_minus (b);
}

static gboolean
numbers_equal (MaltValue *a, MaltValue *b)
{
  MaltWideInt wide_a, wide_b;

  if (malt_value_kind_is_float (a->kind) && malt_value_kind_is_float (b->kind))
    return floats_equal (malt_value_get_float (a), malt_value_get_float (b));
  return number_to_wide_int (a, &wide_a) && number_to_wide_int (b, &wide_b) &&
         wide_a.is_negative == wide_b.is_negative && wide_a.magnitude == wide_b.magnitude;
}

static gboolean
texts_equal (const MaltText *a, const MaltText *b)
{
  return a->n_bytes == b->n_bytes && memcmp (a->text, b->text, a->n_bytes) == 0;
}

static gboolean
all_equal (MaltValue *const *a, MaltValue *const *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!malt_value_equal (a[i], b[i]))
      return FALSE;
  return TRUE;
}

static gboolean
names_equal (const MaltDescriptor *a, const MaltDescriptor *b)
{
  if (a == b)
    return TRUE;
  if (a->n_fields != b->n_fields)
    return FALSE;
  for (guint32 i = 0; i < a->n_fields; i++)
    if (a->names[i].n_bytes != b->names[i].n_bytes ||
        memcmp (a->names[i].text, b->names[i].text, a->names[i].n_bytes) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
structs_equal (MaltGroup *a, MaltGroup *b)
{
  const MaltText *bits_a = malt_group_get_bits (a);
  const MaltText *bits_b = malt_group_get_bits (b);

  if (a->n_values != b->n_values || (bits_a == NULL) != (bits_b == NULL) ||
      strcmp (malt_value_get_type_name (&a->base), malt_value_get_type_name (&b->base)) !=
          0)
    return FALSE;
  if (bits_a != NULL)
    return texts_equal (bits_a, bits_b);
  return names_equal (a->descriptor, b->descriptor) &&
         all_equal (a->refs, b->refs, a->n_values);
}

/* The value of an entry is the next reference. */
static MaltValue **
find_entry (GHashTable *table, MaltGroup *group, gsize step, MaltValue *key)
{
  if (table != NULL)
    return g_hash_table_lookup (table, key);
  for (gsize i = 0; i < group->n_values; i += step)
    if (malt_value_equal (group->refs[i], key))
      return &group->refs[i];
  return NULL;
}

static guint
hash_value (gconstpointer value)
{
  return malt_value_hash ((MaltValue *) value);
}

static gboolean
values_equal (gconstpointer a, gconstpointer b)
{
  return malt_value_equal ((MaltValue *) a, (MaltValue *) b);
}

/* Dictionaries (step 2: keys and values alternate) and sets (step 1), in any order. */
static gboolean
collections_equal (MaltGroup *a, MaltGroup *b, gsize step)
{
  g_autoptr (GHashTable) table = NULL;

  if (a->n_values != b->n_values)
    return FALSE;
  if (a->n_values / step >= MIN_TABLE_ENTRIES)
    {
      table = g_hash_table_new (hash_value, values_equal);
      for (gsize i = 0; i < b->n_values; i += step)
        g_hash_table_insert (table, b->refs[i], &b->refs[i]);
    }
  for (gsize i = 0; i < a->n_values; i += step)
    {
      MaltValue **entry = find_entry (table, b, step, a->refs[i]);

      if (entry == NULL || (step == 2 && !malt_value_equal (a->refs[i + 1], entry[1])))
        return FALSE;
    }
  return TRUE;
}

static gboolean
ranges_equal (MaltGroup *a, MaltGroup *b)
{
  gsize length = malt_value_get_range_length (&a->base);

  if (length != malt_value_get_range_length (&b->base))
    return FALSE;
  if (length == 0)
    return TRUE;
  if (!malt_value_equal (a->refs[0], b->refs[0]) ||
      !malt_value_equal (a->refs[2], b->refs[2]))
    return FALSE;
  return length == 1 || malt_value_equal (a->refs[1], b->refs[1]);
}

static gboolean
children_equal (MaltValue *a, MaltValue *b)
{
  gsize n = malt_value_get_n_children (a);

  if (n != malt_value_get_n_children (b))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (MaltValue) child_a = malt_value_dup_child (a, i);
      g_autoptr (MaltValue) child_b = malt_value_dup_child (b, i);

      if (child_a == NULL || child_b == NULL || !malt_value_equal (child_a, child_b))
        return FALSE;
    }
  return TRUE;
}

static gboolean
arrays_equal (MaltArray *a, MaltArray *b)
{
  if (a->n_dims != b->n_dims ||
      memcmp (a->dims, b->dims, a->n_dims * sizeof (gsize)) != 0)
    return FALSE;
  if (a->element != NULL && a->element == b->element &&
      !malt_value_kind_is_float (a->element->kind))
    return memcmp (a->data, b->data, a->n_bytes) == 0;
  return children_equal (&a->base, &b->base);
}

static gboolean
is_vector (MaltValue *value)
{
  return value->kind == MALT_VALUE_ARRAY && ((MaltArray *) value)->n_dims == 1;
}

static gboolean
kinds_equal (MaltValue *a, MaltValue *b)
{
  MaltGroup *group_a = (MaltGroup *) a;
  MaltGroup *group_b = (MaltGroup *) b;

  switch ((MaltValueKind) a->kind)
    {
    case MALT_VALUE_NOTHING:
    case MALT_VALUE_MISSING:
    case MALT_VALUE_UNDEF:
      return TRUE;
    case MALT_VALUE_CHAR:
      return ((MaltScalar *) a)->low == ((MaltScalar *) b)->low;
    case MALT_VALUE_STRING:
    case MALT_VALUE_SYMBOL:
      return texts_equal ((MaltText *) a, (MaltText *) b);
    case MALT_VALUE_ARRAY:
      return arrays_equal ((MaltArray *) a, (MaltArray *) b);
    case MALT_VALUE_DICT:
      return collections_equal (group_a, group_b, 2);
    case MALT_VALUE_SET:
      return collections_equal (group_a, group_b, 1);
    case MALT_VALUE_RANGE:
      return ranges_equal (group_a, group_b);
    case MALT_VALUE_STRUCT:
      return structs_equal (group_a, group_b);
    case MALT_VALUE_HANDLE:
      return malt_value_get_handle_id (a) == malt_value_get_handle_id (b) &&
             malt_value_get_handle_home (a) == malt_value_get_handle_home (b);
    case MALT_VALUE_NAMED_TUPLE:
      return names_equal (group_a->descriptor, group_b->descriptor) &&
             all_equal (group_a->refs, group_b->refs, group_a->n_values);
    default:
      return group_a->n_values == group_b->n_values &&
             all_equal (group_a->refs, group_b->refs, group_a->n_values);
    }
}

/**
 * malt_value_equal:
 * @a: a value
 * @b: another one
 *
 * Compares as Julia's `isequal` does: NaN equals NaN, -0.0 differs from 0.0, integers and
 * floats of all kinds are compared by what they are worth, a range equals the Vector of
 * its elements, and the order of dictionaries and sets does not matter. Complex and
 * Rational equal their own kind only. Structs are equal if their type names and fields
 * are, handles if they are the same handle of the same worker.
 *
 * Returns: true if they are equal
 */
gboolean
malt_value_equal (MaltValue *a, MaltValue *b)
{
  g_return_val_if_fail (a != NULL, FALSE);
  g_return_val_if_fail (b != NULL, FALSE);
  if (a == b)
    return TRUE;
  if (kind_is_number (a->kind) && kind_is_number (b->kind))
    return numbers_equal (a, b);
  if (a->kind == b->kind)
    return kinds_equal (a, b);
  if ((a->kind == MALT_VALUE_RANGE && is_vector (b)) ||
      (b->kind == MALT_VALUE_RANGE && is_vector (a)))
    return children_equal (a, b);
  return FALSE;
}

/* Hash */

static guint
hash_bytes (gconstpointer data, gsize n_bytes)
{
  const guint8 *bytes = data;
  guint hash = 2166136261u;

  for (gsize i = 0; i < n_bytes; i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static guint
hash_number (MaltValue *value)
{
  MaltWideInt wide;
  gdouble number;

  if (number_to_wide_int (value, &wide))
    return hash_bytes (&wide.magnitude, sizeof wide.magnitude) +
           (wide.is_negative ? 1 : 0);
  number = malt_value_get_float (value);
  if (malt_is_nan (number))
    return 1;
  return hash_bytes (&number, sizeof number);
}

static guint
hash_refs (MaltGroup *group, guint hash)
{
  for (gsize i = 0; i < group->n_values; i++)
    hash = hash * 31 + malt_value_hash (group->refs[i]);
  return hash;
}

static guint
hash_collection (MaltGroup *group, gsize step)
{
  guint hash = (guint) group->n_values;

  /* A sum, because the order does not matter. */
  for (gsize i = 0; i < group->n_values; i += step)
    hash += malt_value_hash (group->refs[i]);
  return hash;
}

static guint
hash_first_element (MaltValue *value, gsize n)
{
  g_autoptr (MaltValue) first = NULL;

  if (n == 0)
    return 0;
  if (value->kind == MALT_VALUE_RANGE)
    return (guint) n * 31 + malt_value_hash (((MaltGroup *) value)->refs[0]);
  first = malt_value_dup_child (value, 0);
  return (guint) n * 31 + malt_value_hash (first);
}

/* Of arrays and ranges the length and the first element go in: an array may equal a
 * range. */
guint
malt_value_hash (MaltValue *value)
{
  const MaltText *bits;

  if (kind_is_number (value->kind))
    return hash_number (value);
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_CHAR:
      return (guint) ((MaltScalar *) value)->low;
    case MALT_VALUE_STRING:
    case MALT_VALUE_SYMBOL:
      return hash_bytes (((MaltText *) value)->text, ((MaltText *) value)->n_bytes);
    case MALT_VALUE_ARRAY:
    case MALT_VALUE_RANGE:
      return hash_first_element (value, malt_value_get_n_children (value));
    case MALT_VALUE_DICT:
      return hash_collection ((MaltGroup *) value, 2);
    case MALT_VALUE_SET:
      return hash_collection ((MaltGroup *) value, 1);
    case MALT_VALUE_HANDLE:
      return (guint) malt_value_get_handle_id (value);
    case MALT_VALUE_STRUCT:
      bits = malt_group_get_bits ((MaltGroup *) value);
      if (bits != NULL)
        return hash_bytes (bits->text, bits->n_bytes);
      return hash_refs ((MaltGroup *) value, value->kind);
    default:
      if (malt_value_kind_is_group (value->kind))
        return hash_refs ((MaltGroup *) value, value->kind);
      return value->kind;
    }
}
