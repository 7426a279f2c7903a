/* SPDX-License-Identifier: MIT */
/* Values: their lifetime, and the kinds that are made of other values.
 * malt-value-private.h shows the layout. */
#include "base/malt-memory.h"
#include "value/malt-value-private.h"

#include <string.h>

/**
 * MaltValue:
 *
 * A Julia value on the host's side.
 *
 * Values are immutable and reference counted, and any thread may use any of them. What a
 * value is, malt_value_get_kind() says: numbers, text, containers, arrays and expressions
 * have arrived in full; a struct is an instance of an immutable Julia type, of which the
 * name and the fields have arrived; a handle stands for an object that stayed on the
 * worker, and keeps it alive there.
 *
 * Containers count from 0, as C does, and not from 1, as Julia does. Arrays are
 * column-major: the first dimension varies fastest.
 *
 * Constructors accept up to 250 levels of nesting; a message carries up to 128.
 */
G_DEFINE_BOXED_TYPE (MaltValue, malt_value, malt_value_ref, malt_value_unref)

/**
 * malt_value_ref:
 * @value: a value
 *
 * Takes one more reference.
 *
 * Returns: (transfer full): @value
 */
MaltValue *
malt_value_ref (MaltValue *value)
{
  g_return_val_if_fail (value != NULL, NULL);
  if (!(value->flags & MALT_VALUE_FLAG_STATIC))
    g_atomic_int_inc (&value->ref_count);
  return value;
}

static void
free_group (MaltGroup *group)
{
  for (gsize i = 0; i < group->n_refs; i++)
    if (group->refs[i] != NULL)
      malt_value_unref (group->refs[i]);
  g_clear_pointer (&group->descriptor, malt_descriptor_unref);
  g_free (group->type_name);
}

static void
free_array (MaltArray *array)
{
  if (array->values != NULL)
    for (gsize i = 0; i < array->n_values; i++)
      if (array->values[i] != NULL)
        malt_value_unref (array->values[i]);
  g_free (array->values);
  g_clear_pointer (&array->element, malt_element_unref);
  g_clear_pointer (&array->element_type, malt_descriptor_unref);
  g_clear_pointer (&array->bytes, g_bytes_unref);
  g_free (array->type_name);
  g_free (array->element_type_name);
}

static void
free_handle (MaltHandle *handle)
{
  if (handle->home != NULL)
    {
      malt_handle_home_release (handle->home, handle->id);
      malt_handle_home_unref (handle->home);
    }
  malt_descriptor_unref (handle->type);
  g_clear_pointer (&handle->text, malt_value_unref);
  g_free (handle->type_name);
}

/**
 * malt_value_unref:
 * @value: (transfer full): a value
 *
 * Gives one reference back. With the last one of a handle the object on the worker is
 * released, some time later; this function does not wait for it.
 */
void
malt_value_unref (MaltValue *value)
{
  g_return_if_fail (value != NULL);
  if (value->flags & MALT_VALUE_FLAG_STATIC ||
      !g_atomic_int_dec_and_test (&value->ref_count))
    return;
  if (malt_value_kind_is_group (value->kind))
    free_group ((MaltGroup *) value);
  else if (value->kind == MALT_VALUE_ARRAY)
    free_array ((MaltArray *) value);
  else if (value->kind == MALT_VALUE_HANDLE)
    free_handle ((MaltHandle *) value);
  g_free (value);
}

/* Groups, for the codec and the constructors below */

MaltGroup *
malt_group_new (MaltValueKind kind, MaltDescriptor *descriptor, MaltValueFlags flags,
                gsize n_values)
{
  gsize n_refs = n_values + (flags & MALT_VALUE_FLAG_OWN_SHOW ? 1 : 0) +
                 (flags & MALT_VALUE_FLAG_PRIMITIVE ? 1 : 0);
  gsize size = sizeof (MaltGroup) + n_refs * sizeof (MaltValue *);
  MaltGroup *group = malt_memory_new (size, NULL);

  if (group == NULL)
    return NULL;
  memset (group, 0, size);
  group->base.ref_count = 1;
  group->base.kind = (guint8) kind;
  group->base.flags = (guint8) flags;
  group->base.depth = 1;
  group->descriptor = descriptor != NULL ? malt_descriptor_ref (descriptor) : NULL;
  group->n_values = n_values;
  group->n_refs = n_refs;
  return group;
}

void
malt_group_finish (MaltGroup *group)
{
  guint8 depth = 0;

  for (gsize i = 0; i < group->n_values; i++)
    depth = MAX (depth, group->refs[i]->depth);
  group->base.depth = (guint8) (depth + 1);
}

static gboolean
value_may_be_part (MaltValue *value)
{
  return value != NULL &&
         (value->kind != MALT_VALUE_UNDEF || malt_value_is_short (value)) &&
         value->depth < MALT_VALUE_MAX_DEPTH;
}

static gboolean
values_may_be_parts (MaltValue *const *values, gsize n_values)
{
  if (values == NULL && n_values > 0)
    return FALSE;
  for (gsize i = 0; i < n_values; i++)
    if (!value_may_be_part (values[i]))
      return FALSE;
  return TRUE;
}

static MaltValue *
new_group (MaltValueKind kind, MaltDescriptor *descriptor, MaltValue *const *values,
           gsize n_values)
{
  MaltGroup *group = malt_group_new (kind, descriptor, 0, n_values);

  if (group == NULL)
    return malt_value_new_short ();
  for (gsize i = 0; i < n_values; i++)
    group->refs[i] = malt_value_ref (values[i]);
  malt_group_finish (group);
  return &group->base;
}

/**
 * malt_value_new_tuple:
 * @values: (array length=n_values) (nullable): the elements; may be %NULL if there are
 *   none
 * @n_values: number of elements
 *
 * Makes a Tuple.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_tuple (MaltValue *const *values, gsize n_values)
{
  g_return_val_if_fail (values_may_be_parts (values, n_values), NULL);
  return new_group (MALT_VALUE_TUPLE, NULL, values, n_values);
}

static gboolean
names_are_distinct (const char *const *names, gsize n_names)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (gsize i = 0; i < n_names; i++)
    if (names[i] == NULL || !g_hash_table_add (seen, (gpointer) names[i]))
      return FALSE;
  return TRUE;
}

static MaltDescriptor *
new_named_descriptor (MaltDescriptorKind kind, const char *type, const char *const *names,
                      gsize n_names)
{
  MaltDescriptor *descriptor = malt_descriptor_new (kind, MALT_DESCRIPTOR_PLAIN, type,
                                                    strlen (type), (guint32) n_names);

  for (guint32 i = 0; i < n_names; i++)
    malt_descriptor_set_name (descriptor, i, names[i], strlen (names[i]));
  return descriptor;
}

/**
 * malt_value_new_named_tuple:
 * @names: (array length=n_values) (nullable): the names, all different; may be %NULL if
 *   there are none
 * @values: (array length=n_values) (nullable): the elements; may be %NULL if there are
 *   none
 * @n_values: number of elements
 *
 * Makes a NamedTuple.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_named_tuple (const char *const *names, MaltValue *const *values,
                            gsize n_values)
{
  g_autoptr (MaltDescriptor) descriptor = NULL;

  g_return_val_if_fail (values_may_be_parts (values, n_values), NULL);
  g_return_val_if_fail (n_values <= G_MAXUINT32, NULL);
  g_return_val_if_fail (n_values == 0 || names != NULL, NULL);
  g_return_val_if_fail (names_are_distinct (names, n_values), NULL);
  descriptor = new_named_descriptor (MALT_DESCRIPTOR_NAMED_TUPLE, "", names, n_values);
  return new_group (MALT_VALUE_NAMED_TUPLE, descriptor, values, n_values);
}

/**
 * malt_value_new_pair:
 * @first: what stands before the arrow
 * @second: what stands behind it
 *
 * Makes a Pair, `first => second`.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_pair (MaltValue *first, MaltValue *second)
{
  MaltValue *const values[] = { first, second };

  g_return_val_if_fail (values_may_be_parts (values, 2), NULL);
  return new_group (MALT_VALUE_PAIR, NULL, values, 2);
}

/**
 * malt_value_new_dict:
 * @type_name: (nullable): the type of the dictionary, as Julia source; %NULL means
 *   `Dict{Any, Any}`
 * @keys: (array length=n_entries) (nullable): the keys; may be %NULL if there are none
 * @values: (array length=n_entries) (nullable): the values, in the order of the keys; may
 *   be %NULL if there are none
 * @n_entries: number of entries
 *
 * Makes a dictionary. Of keys that are equal the worker keeps the last.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_dict (const char *type_name, MaltValue *const *keys,
                     MaltValue *const *values, gsize n_entries)
{
  g_autoptr (MaltDescriptor) descriptor = NULL;
  MaltGroup *group;

  g_return_val_if_fail (values_may_be_parts (keys, n_entries), NULL);
  g_return_val_if_fail (values_may_be_parts (values, n_entries), NULL);
  descriptor =
      malt_descriptor_new_type (type_name != NULL ? type_name : "Dict{Any, Any}");
  group = malt_group_new (MALT_VALUE_DICT, descriptor, 0, 2 * n_entries);
  if (group == NULL)
    return malt_value_new_short ();
  for (gsize i = 0; i < n_entries; i++)
    {
      group->refs[2 * i] = malt_value_ref (keys[i]);
      group->refs[2 * i + 1] = malt_value_ref (values[i]);
    }
  malt_group_finish (group);
  return &group->base;
}

/**
 * malt_value_new_set:
 * @type_name: (nullable): the type of the set, as Julia source; %NULL means `Set{Any}`
 * @values: (array length=n_values) (nullable): the elements; may be %NULL if there are
 *   none
 * @n_values: number of elements
 *
 * Makes a Set. Of elements that are equal the worker keeps one.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_set (const char *type_name, MaltValue *const *values, gsize n_values)
{
  g_autoptr (MaltDescriptor) descriptor = NULL;

  g_return_val_if_fail (values_may_be_parts (values, n_values), NULL);
  descriptor = malt_descriptor_new_type (type_name != NULL ? type_name : "Set{Any}");
  return new_group (MALT_VALUE_SET, descriptor, values, n_values);
}

/**
 * malt_value_new_complex:
 * @real: the real part: a number that is not complex
 * @imaginary: the imaginary part: a number of the same kind
 *
 * Makes a Complex.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_complex (MaltValue *real, MaltValue *imaginary)
{
  MaltValue *const values[] = { real, imaginary };

  g_return_val_if_fail (real != NULL && malt_value_is_real (real), NULL);
  g_return_val_if_fail (imaginary != NULL && imaginary->kind == real->kind, NULL);
  return new_group (MALT_VALUE_COMPLEX, NULL, values, 2);
}

static MaltUInt128
greatest_common_divisor (MaltUInt128 a, MaltUInt128 b)
{
  while (b != 0)
    {
      MaltUInt128 rest = a % b;

      a = b;
      b = rest;
    }
  return a;
}

static MaltValue *
new_integer (MaltValueKind kind, gboolean is_negative, MaltUInt128 magnitude)
{
  MaltUInt128 bits = is_negative ? -magnitude : magnitude;

  return malt_value_new_scalar (kind, (guint64) bits, (guint64) (bits >> 64));
}

/**
 * malt_value_new_rational:
 * @numerator: the numerator, an integer
 * @denominator: the denominator, an integer of the same kind; not 0 if the numerator is
 *   0, and not the least number of its kind
 *
 * Makes a Rational in lowest terms with a denominator that is not negative, as Julia's
 * `//` does.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_rational (MaltValue *numerator, MaltValue *denominator)
{
  g_autoptr (MaltValue) reduced_numerator = NULL;
  g_autoptr (MaltValue) reduced_denominator = NULL;
  MaltWideInt n, d;
  MaltUInt128 divisor;

  g_return_val_if_fail (numerator != NULL && malt_value_is_integer (numerator), NULL);
  g_return_val_if_fail (denominator != NULL && denominator->kind == numerator->kind,
                        NULL);
  n = malt_value_get_wide_int (numerator);
  d = malt_value_get_wide_int (denominator);
  divisor = greatest_common_divisor (n.magnitude, d.magnitude);
  g_return_val_if_fail (divisor != 0, NULL);
  n.magnitude /= divisor;
  d.magnitude /= divisor;
  if (d.is_negative)
    n.is_negative = n.magnitude != 0 && !n.is_negative;
  reduced_numerator = new_integer (numerator->kind, n.is_negative, n.magnitude);
  reduced_denominator = new_integer (numerator->kind, FALSE, d.magnitude);
  /* -typemin does not fit: what was meant to be positive came out negative. */
  g_return_val_if_fail (!malt_value_get_wide_int (reduced_denominator).is_negative, NULL);
  g_return_val_if_fail (
      malt_value_get_wide_int (reduced_numerator).is_negative == n.is_negative, NULL);
  return new_group (MALT_VALUE_RATIONAL, NULL,
                    (MaltValue *const[]){ reduced_numerator, reduced_denominator }, 2);
}

/**
 * malt_value_new_expr:
 * @head: the head, for example `call`
 * @args: (array length=n_args) (nullable): the arguments; may be %NULL if there are none
 * @n_args: number of arguments
 *
 * Makes an Expr, a piece of Julia's syntax tree. Names in it are symbols: `:(f(x))` has
 * the head `call` and as arguments the symbols `f` and `x`.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_expr (const char *head, MaltValue *const *args, gsize n_args)
{
  MaltGroup *group;

  g_return_val_if_fail (head != NULL, NULL);
  g_return_val_if_fail (values_may_be_parts (args, n_args), NULL);
  group = malt_group_new (MALT_VALUE_EXPR, NULL, 0, n_args + 1);
  if (group == NULL)
    return malt_value_new_short ();
  group->refs[0] = malt_value_new_symbol (head);
  for (gsize i = 0; i < n_args; i++)
    group->refs[i + 1] = malt_value_ref (args[i]);
  malt_group_finish (group);
  return &group->base;
}

static gboolean
values_may_be_fields (MaltValue *const *values, gsize n_values)
{
  if (values == NULL && n_values > 0)
    return FALSE;
  for (gsize i = 0; i < n_values; i++)
    if (values[i] == NULL || values[i]->depth >= MALT_VALUE_MAX_DEPTH)
      return FALSE;
  return TRUE;
}

/**
 * malt_value_new_struct:
 * @type_name: the type, as Julia source; the worker looks it up in Main
 * @names: (array length=n_fields) (nullable): the names of the fields, all different; may
 *   be %NULL if there are none
 * @values: (array length=n_fields) (nullable): the fields; may be %NULL if there are none
 * @n_fields: number of fields
 *
 * Makes an instance of a Julia type. The worker makes it with exactly these fields,
 * without running a constructor of the type, and converts them to the field types where
 * needed.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_struct (const char *type_name, const char *const *names,
                       MaltValue *const *values, gsize n_fields)
{
  g_autoptr (MaltDescriptor) descriptor = NULL;

  g_return_val_if_fail (type_name != NULL, NULL);
  g_return_val_if_fail (values_may_be_fields (values, n_fields), NULL);
  g_return_val_if_fail (n_fields <= G_MAXUINT32, NULL);
  g_return_val_if_fail (n_fields == 0 || names != NULL, NULL);
  g_return_val_if_fail (names_are_distinct (names, n_fields), NULL);
  descriptor = new_named_descriptor (MALT_DESCRIPTOR_STRUCT, type_name, names, n_fields);
  return new_group (MALT_VALUE_STRUCT, descriptor, values, n_fields);
}

/* Handles */

MaltValue *
malt_value_new_handle (guint64 id, MaltHandleHome *home, MaltDescriptor *type,
                       MaltHandleFlags flags, const char *text, gsize n_text_bytes)
{
  MaltHandle *handle = g_new0 (MaltHandle, 1);

  handle->base.ref_count = 1;
  handle->base.kind = MALT_VALUE_HANDLE;
  handle->base.depth = 1;
  handle->id = id;
  handle->handle_flags = flags;
  handle->home = home != NULL ? malt_handle_home_ref (home) : NULL;
  handle->type = malt_descriptor_ref (type);
  if (n_text_bytes > 0)
    handle->text =
        (MaltValue *) malt_value_new_text (MALT_VALUE_STRING, text, n_text_bytes);
  return &handle->base;
}

MaltHandleHome *
malt_value_get_handle_home (MaltValue *value)
{
  return ((MaltHandle *) value)->home;
}

/**
 * malt_value_get_handle_id:
 * @value: a handle
 *
 * The number under which the worker keeps the object. It says nothing on another worker.
 *
 * Returns: the number
 */
guint64
malt_value_get_handle_id (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_HANDLE, 0);
  return ((MaltHandle *) value)->id;
}

/**
 * malt_value_get_handle_flags:
 * @value: a handle
 *
 * What is known of the object.
 *
 * Returns: the flags
 */
MaltHandleFlags
malt_value_get_handle_flags (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_HANDLE,
                        MALT_HANDLE_PLAIN);
  return ((MaltHandle *) value)->handle_flags;
}
