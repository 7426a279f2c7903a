/* SPDX-License-Identifier: MIT */
/* What values are made of: elements, entries, fields and arguments. */
#include "value/malt-value-private.h"

#include <string.h>

/**
 * malt_value_get_n_children:
 * @value: a value
 *
 * The number of parts: elements of a tuple, array, set or range, entries of a dictionary,
 * arguments of an Expr, fields of a struct; 2 for a Pair, Complex and Rational; 0 for
 * everything else.
 *
 * Returns: the number
 */
gsize
malt_value_get_n_children (MaltValue *value)
{
  MaltGroup *group = (MaltGroup *) value;

  g_return_val_if_fail (value != NULL, 0);
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_ARRAY:
      return ((MaltArray *) value)->n_values;
    case MALT_VALUE_DICT:
      return group->n_values / 2;
    case MALT_VALUE_EXPR:
      return group->n_values - 1;
    case MALT_VALUE_RANGE:
      return malt_value_get_range_length (value);
    default:
      return malt_value_kind_is_group (value->kind) ? group->n_values : 0;
    }
}

/**
 * malt_value_dup_child:
 * @value: a value with parts
 * @index: which one, counted from 0; for arrays in the order of memory, the first
 *   dimension fastest
 *
 * One part: an element of a tuple, array, set or range, the value (not the key) of an
 * entry of a dictionary, an argument of an Expr, a field of a struct; of a Pair first and
 * second, of Complex real and imaginary part, of a Rational numerator and denominator.
 *
 * Elements of a range are computed as Julia does for integers, floats and Char.
 *
 * Returns: (transfer full) (nullable): the part; %NULL for an element of a range of
 *   another type, of which only "first", "step" and "last" can be had, see
 *   malt_value_dup_field()
 */
MaltValue *
malt_value_dup_child (MaltValue *value, gsize index)
{
  MaltGroup *group = (MaltGroup *) value;
  MaltArray *array = (MaltArray *) value;

  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (index < malt_value_get_n_children (value), NULL);
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_ARRAY:
      if (array->element != NULL)
        return malt_element_load (array->element,
                                  array->data + index * array->element->size);
      return malt_value_ref (array->values[index]);
    case MALT_VALUE_DICT:
      return malt_value_ref (group->refs[2 * index + 1]);
    case MALT_VALUE_EXPR:
      return malt_value_ref (group->refs[index + 1]);
    case MALT_VALUE_RANGE:
      return malt_range_dup_element (value, index);
    default:
      return malt_value_ref (group->refs[index]);
    }
}

static const MaltDescriptor *
get_named_descriptor (MaltValue *value)
{
  if (value->kind == MALT_VALUE_NAMED_TUPLE || value->kind == MALT_VALUE_STRUCT)
    return ((MaltGroup *) value)->descriptor;
  return NULL;
}

/**
 * malt_value_get_name:
 * @value: a NamedTuple or a struct
 * @index: which element or field, counted from 0
 *
 * The name of an element or field.
 *
 * Returns: (transfer none): the name, which lives as long as @value
 */
const char *
malt_value_get_name (MaltValue *value, gsize index)
{
  const MaltDescriptor *descriptor;

  g_return_val_if_fail (value != NULL, NULL);
  descriptor = get_named_descriptor (value);
  g_return_val_if_fail (descriptor != NULL, NULL);
  g_return_val_if_fail (index < descriptor->n_fields, NULL);
  return descriptor->names[index].text;
}

static gboolean
find_part_name (const char *const *names, gsize n_names, const char *name,
                gsize *out_index)
{
  for (gsize i = 0; i < n_names; i++)
    if (strcmp (names[i], name) == 0)
      {
        *out_index = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
find_field (MaltValue *value, const char *name, gsize *out_index)
{
  const MaltDescriptor *descriptor = get_named_descriptor (value);

  if (descriptor != NULL)
    {
      for (guint32 i = 0; i < descriptor->n_fields; i++)
        if (strcmp (descriptor->names[i].text, name) == 0)
          {
            *out_index = i;
            return TRUE;
          }
      return FALSE;
    }
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_COMPLEX:
      return find_part_name ((const char *const[]){ "re", "im" }, 2, name, out_index);
    case MALT_VALUE_RATIONAL:
      return find_part_name ((const char *const[]){ "num", "den" }, 2, name, out_index);
    case MALT_VALUE_PAIR:
      return find_part_name ((const char *const[]){ "first", "second" }, 2, name,
                             out_index);
    case MALT_VALUE_RANGE:
      return find_part_name ((const char *const[]){ "first", "step", "last" }, 3, name,
                             out_index);
    default:
      return FALSE;
    }
}

/**
 * malt_value_dup_field:
 * @value: a value
 * @name: the name of a part
 *
 * A part by its name: an element of a NamedTuple, a field of a struct; "re" and "im" of
 * Complex, "num" and "den" of Rational, "first" and "second" of a Pair, "first", "step"
 * and "last" of a range.
 *
 * Returns: (transfer full) (nullable): the part, or %NULL if @value has no such part
 */
MaltValue *
malt_value_dup_field (MaltValue *value, const char *name)
{
  gsize index;

  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  if (!find_field (value, name, &index))
    return NULL;
  return malt_value_ref (((MaltGroup *) value)->refs[index]);
}

/**
 * malt_value_dup_key:
 * @value: a dictionary
 * @index: which entry, counted from 0, in the order in which the worker iterated
 *
 * The key of an entry; its value has the same index in malt_value_dup_child().
 *
 * Returns: (transfer full): the key
 */
MaltValue *
malt_value_dup_key (MaltValue *value, gsize index)
{
  MaltGroup *group = (MaltGroup *) value;

  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_DICT, NULL);
  g_return_val_if_fail (index < group->n_values / 2, NULL);
  return malt_value_ref (group->refs[2 * index]);
}

/**
 * malt_value_lookup:
 * @value: a dictionary
 * @key: a key
 *
 * The value of the entry with a key that is equal to @key, as malt_value_equal() has it.
 * Takes time in proportion to the number of entries.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL if there is no such key
 */
MaltValue *
malt_value_lookup (MaltValue *value, MaltValue *key)
{
  MaltGroup *group = (MaltGroup *) value;

  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_DICT, NULL);
  g_return_val_if_fail (key != NULL, NULL);
  for (gsize i = 0; i < group->n_values; i += 2)
    if (malt_value_equal (group->refs[i], key))
      return malt_value_ref (group->refs[i + 1]);
  return NULL;
}

/**
 * malt_value_lookup_string:
 * @value: a dictionary
 * @key: a text
 *
 * The value of the entry whose key is the String or the Symbol @key. Takes time in
 * proportion to the number of entries.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL if there is no such key
 */
MaltValue *
malt_value_lookup_string (MaltValue *value, const char *key)
{
  MaltGroup *group = (MaltGroup *) value;
  gsize n_bytes;

  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_DICT, NULL);
  g_return_val_if_fail (key != NULL, NULL);
  n_bytes = strlen (key);
  for (gsize i = 0; i < group->n_values; i += 2)
    {
      MaltText *text = (MaltText *) group->refs[i];

      if (malt_value_kind_is_text (text->base.kind) && text->n_bytes == n_bytes &&
          memcmp (text->text, key, n_bytes) == 0)
        return malt_value_ref (group->refs[i + 1]);
    }
  return NULL;
}

/**
 * malt_value_get_head:
 * @value: an Expr
 *
 * The head of an Expr, for example `call`.
 *
 * Returns: (transfer none): the head, which lives as long as @value
 */
const char *
malt_value_get_head (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_EXPR, NULL);
  return ((MaltText *) ((MaltGroup *) value)->refs[0])->text;
}
