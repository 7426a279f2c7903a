/* SPDX-License-Identifier: MIT */
/* Arrays: of bits, which are a stretch of memory as Julia holds it, and of values. */
#include "base/malt-memory.h"
#include "value/malt-value-private.h"

#include <malt/malt-error.h>
#include <stdint.h>
#include <string.h>

gboolean
malt_dims_product (const gsize *dims, gsize n_dims, gsize element_size, gsize *out_n,
                   gsize *out_n_bytes)
{
  gsize n = 1;
  gsize n_bytes;

  /* A dimension of zero makes the others harmless, however large they are. */
  for (gsize i = 0; i < n_dims; i++)
    if (dims[i] == 0)
      n = 0;
  for (gsize i = 0; i < n_dims; i++)
    if (dims[i] > G_MAXINT64 || __builtin_mul_overflow (n, dims[i], &n))
      return FALSE;
  if (__builtin_mul_overflow (n, element_size, &n_bytes))
    return FALSE;
  *out_n = n;
  *out_n_bytes = n_bytes;
  return TRUE;
}

static MaltArray *
new_array (const gsize *dims, gsize n_dims)
{
  MaltArray *array = g_malloc0 (sizeof (MaltArray) + n_dims * sizeof (gsize));

  array->base.ref_count = 1;
  array->base.kind = MALT_VALUE_ARRAY;
  array->base.depth = 1;
  array->n_dims = n_dims;
  for (gsize i = 0; i < n_dims; i++)
    array->dims[i] = dims[i];
  return array;
}

/* FALSE: there is no memory for it. */
static gboolean
copy_to_aligned_memory (MaltArray *array)
{
  /* What the allocator gives is aligned for every element. */
  guint8 *copy = malt_memory_new (MAX (array->n_bytes, 1), NULL);

  if (copy == NULL)
    return FALSE;
  if (array->n_bytes > 0)
    memcpy (copy, array->data, array->n_bytes);
  g_bytes_unref (array->bytes);
  array->bytes = g_bytes_new_take (copy, array->n_bytes);
  array->data = copy;
  return TRUE;
}

/* The caller has checked that dimensions, element and number of bytes fit together. */
MaltArray *
malt_array_new_of_bits (MaltElement *element, const gsize *dims, gsize n_dims,
                        GBytes *bytes, gsize offset, gsize n_bytes)
{
  MaltArray *array = new_array (dims, n_dims);

  array->element = malt_element_ref (element);
  array->bytes = g_bytes_ref (bytes);
  array->data = g_bytes_get_data (bytes, NULL);
  array->data = array->data != NULL ? array->data + offset : (const guint8 *) "";
  array->n_bytes = n_bytes;
  array->n_values = n_bytes / element->size;
  if (n_bytes > 0 && (uintptr_t) array->data % element->alignment != 0 &&
      !copy_to_aligned_memory (array))
    {
      malt_value_unref (&array->base);
      return NULL;
    }
  return array;
}

MaltArray *
malt_array_new_of_values (MaltDescriptor *element_type, const gsize *dims, gsize n_dims,
                          gsize n_values)
{
  MaltValue **values = malt_memory_new (MAX (n_values, 1) * sizeof *values, NULL);
  MaltArray *array;

  if (values == NULL)
    return NULL;
  memset (values, 0, n_values * sizeof *values);
  array = new_array (dims, n_dims);
  array->element_type = malt_descriptor_ref (element_type);
  array->values = values;
  array->n_values = n_values;
  return array;
}

void
malt_array_finish (MaltArray *array)
{
  guint8 depth = 0;

  for (gsize i = 0; i < array->n_values; i++)
    depth = MAX (depth, array->values[i]->depth);
  array->base.depth = (guint8) (depth + 1);
}

/* Constructors */

static gboolean
bools_are_valid (const guint8 *data, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    if (data[i] > 1)
      return FALSE;
  return TRUE;
}

static gboolean
shape_is_valid (const gsize *dims, gsize n_dims, gsize element_size, gsize n_bytes,
                GError **error)
{
  gsize n_values, n_wanted;

  if (n_dims > MALT_ARRAY_MAX_DIMS)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "an array of %" G_GSIZE_FORMAT " dimensions, more than %d", n_dims,
                   MALT_ARRAY_MAX_DIMS);
      return FALSE;
    }
  if (!malt_dims_product (dims, n_dims, element_size, &n_values, &n_wanted))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                           "the dimensions of the array do not fit into memory");
      return FALSE;
    }
  if (n_wanted != n_bytes)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "the dimensions of the array want %" G_GSIZE_FORMAT
                   " bytes, but %" G_GSIZE_FORMAT " were given",
                   n_wanted, n_bytes);
      return FALSE;
    }
  return TRUE;
}

static MaltValue *
new_bits_array (MaltElement *element, const gsize *dims, gsize n_dims, GBytes *bytes,
                GError **error)
{
  gsize n_bytes;
  const guint8 *data = g_bytes_get_data (bytes, &n_bytes);
  MaltArray *array;

  if (!shape_is_valid (dims, n_dims, element->size, n_bytes, error))
    return NULL;
  if (element->kind == MALT_VALUE_BOOL && !bools_are_valid (data, n_bytes))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                           "a Bool in the array is neither 0 nor 1");
      return NULL;
    }
  array = malt_array_new_of_bits (element, dims, n_dims, bytes, 0, n_bytes);
  if (array != NULL)
    return &array->base;
  malt_value_set_short_error (error);
  return NULL;
}

/**
 * malt_value_new_array:
 * @element: what the elements are: Bool (one byte each, 0 or 1), an integer, a float, or
 *   Char (its bits, see malt_value_get_char_bits())
 * @dims: (array length=n_dims): the size of each dimension, the fastest first
 * @n_dims: number of dimensions, at most 32; 1 for a Vector
 * @data: (array length=n_bytes) (element-type guint8) (nullable): the elements,
 *   column-major, as C holds them; they are copied
 * @n_bytes: their size, which is the product of the dimensions times the size of an
 *   element
 *
 * Makes an array of numbers. To pass numbers on without a copy use
 * malt_value_new_array_from_bytes().
 *
 * Returns: (transfer full): a new value; of kind %MALT_VALUE_UNDEF, which cannot be sent,
 *   if there is no memory for it
 */
MaltValue *
malt_value_new_array (MaltValueKind element, const gsize *dims, gsize n_dims,
                      gconstpointer data, gsize n_bytes)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  MaltValue *value;

  g_return_val_if_fail (malt_value_kind_is_scalar (element), NULL);
  g_return_val_if_fail (dims != NULL || n_dims == 0, NULL);
  g_return_val_if_fail (data != NULL || n_bytes == 0, NULL);
  bytes = malt_memory_new_bytes (data, n_bytes, NULL);
  if (bytes == NULL)
    return malt_value_new_short ();
  value = new_bits_array (malt_element_for_kind (element), dims, n_dims, bytes, &error);
  if (value == NULL)
    g_critical ("%s: %s", G_STRFUNC, error->message);
  return value;
}

/**
 * malt_value_new_array_from_bytes:
 * @element: what the elements are, see malt_value_new_array()
 * @dims: (array length=n_dims): the size of each dimension, the fastest first
 * @n_dims: number of dimensions, at most 32; 1 for a Vector
 * @bytes: the elements, column-major, as C holds them
 * @error: return location for an error
 *
 * Makes an array of numbers that refers to @bytes; they are copied only if they are not
 * aligned for the element. A request keeps them until it has been sent, so they may be let
 * go in any thread: a free function of theirs may use the worker but must not block.
 *
 * Errors: %MALT_ERROR_INVALID_ARGUMENT if the size of @bytes is not the product of the
 * dimensions and the element's size, if there are too many dimensions, or if a Bool is
 * neither 0 nor 1.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_array_from_bytes (MaltValueKind element, const gsize *dims, gsize n_dims,
                                 GBytes *bytes, GError **error)
{
  g_return_val_if_fail (dims != NULL || n_dims == 0, NULL);
  g_return_val_if_fail (bytes != NULL, NULL);
  if (!malt_value_kind_is_scalar (element))
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "elements of an array of bytes cannot be %s",
                   malt_value_kind_to_string (element));
      return NULL;
    }
  return new_bits_array (malt_element_for_kind (element), dims, n_dims, bytes, error);
}

/**
 * malt_value_new_complex_array_from_bytes:
 * @part: what the parts of an element are: an integer or a float
 * @dims: (array length=n_dims): the size of each dimension, the fastest first
 * @n_dims: number of dimensions, at most 32; 1 for a Vector
 * @bytes: the elements, column-major: real and imaginary part alternate
 * @error: return location for an error
 *
 * Makes an array of complex numbers that refers to @bytes; they are copied only if they
 * are not aligned.
 *
 * Errors: %MALT_ERROR_INVALID_ARGUMENT as for malt_value_new_array_from_bytes().
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_complex_array_from_bytes (MaltValueKind part, const gsize *dims,
                                         gsize n_dims, GBytes *bytes, GError **error)
{
  g_autoptr (MaltElement) element = NULL;

  g_return_val_if_fail (dims != NULL || n_dims == 0, NULL);
  g_return_val_if_fail (bytes != NULL, NULL);
  if (!malt_value_kind_is_scalar (part) || part == MALT_VALUE_CHAR ||
      part == MALT_VALUE_BOOL)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                   "parts of complex numbers in an array of bytes cannot be %s",
                   malt_value_kind_to_string (part));
      return NULL;
    }
  element = malt_element_new_of_parts (MALT_VALUE_COMPLEX, malt_element_for_kind (part));
  return new_bits_array (element, dims, n_dims, bytes, error);
}

static gboolean
values_may_be_elements (MaltValue *const *values, gsize n_values)
{
  if (values == NULL && n_values > 0)
    return FALSE;
  for (gsize i = 0; i < n_values; i++)
    if (values[i] == NULL || values[i]->depth >= MALT_VALUE_MAX_DEPTH)
      return FALSE;
  return TRUE;
}

/**
 * malt_value_new_value_array:
 * @element_type: (nullable): the element type, as Julia source; %NULL means `Any`
 * @dims: (array length=n_dims): the size of each dimension, the fastest first
 * @n_dims: number of dimensions, at most 32; 1 for a Vector
 * @values: (array length=n_values) (nullable): the elements, column-major; may be %NULL
 *   if there are none
 * @n_values: number of elements, which is the product of the dimensions
 *
 * Makes an array of any values: strings, for example, or a mixture.
 *
 * Returns: (transfer full): a new value
 */
MaltValue *
malt_value_new_value_array (const char *element_type, const gsize *dims, gsize n_dims,
                            MaltValue *const *values, gsize n_values)
{
  g_autoptr (MaltDescriptor) descriptor = NULL;
  g_autoptr (GError) error = NULL;
  MaltArray *array;

  g_return_val_if_fail (dims != NULL || n_dims == 0, NULL);
  g_return_val_if_fail (values_may_be_elements (values, n_values), NULL);
  if (!shape_is_valid (dims, n_dims, 1, n_values, &error))
    {
      g_critical ("%s: %s", G_STRFUNC, error->message);
      return NULL;
    }
  descriptor = malt_descriptor_new_type (element_type != NULL ? element_type : "Any");
  array = malt_array_new_of_values (descriptor, dims, n_dims, n_values);
  if (array == NULL)
    return malt_value_new_short ();
  for (gsize i = 0; i < n_values; i++)
    array->values[i] = malt_value_ref (values[i]);
  malt_array_finish (array);
  return &array->base;
}

/* Accessors */

static gboolean
value_is_array (MaltValue *value)
{
  return value != NULL && value->kind == MALT_VALUE_ARRAY;
}

/**
 * malt_value_get_n_dims:
 * @value: an array
 *
 * The number of dimensions; 0 for an array of one element that Julia calls
 * zero-dimensional.
 *
 * Returns: the number
 */
gsize
malt_value_get_n_dims (MaltValue *value)
{
  g_return_val_if_fail (value_is_array (value), 0);
  return ((MaltArray *) value)->n_dims;
}

/**
 * malt_value_get_dims:
 * @value: an array
 * @out_n_dims: (out) (optional): return location for the number of dimensions
 *
 * The size of each dimension, the fastest first: rows, then columns.
 *
 * Returns: (transfer none) (array length=out_n_dims): the sizes
 */
const gsize *
malt_value_get_dims (MaltValue *value, gsize *out_n_dims)
{
  g_return_val_if_fail (value_is_array (value), NULL);
  if (out_n_dims != NULL)
    *out_n_dims = ((MaltArray *) value)->n_dims;
  return ((MaltArray *) value)->dims;
}

/**
 * malt_value_is_bits_array:
 * @value: a value
 *
 * Tells whether @value is an array whose elements lie in one stretch of memory, which
 * malt_value_get_array_data() gives.
 *
 * Returns: true if it is
 */
gboolean
malt_value_is_bits_array (MaltValue *value)
{
  g_return_val_if_fail (value != NULL, FALSE);
  return value->kind == MALT_VALUE_ARRAY && ((MaltArray *) value)->element != NULL;
}

/**
 * malt_value_get_element_kind:
 * @value: an array of bits
 *
 * What each element is: a scalar, or %MALT_VALUE_COMPLEX, %MALT_VALUE_RATIONAL,
 * %MALT_VALUE_TUPLE, %MALT_VALUE_NAMED_TUPLE or %MALT_VALUE_STRUCT, of which
 * malt_value_get_element_type_name() says more.
 *
 * Returns: the kind
 */
MaltValueKind
malt_value_get_element_kind (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && malt_value_is_bits_array (value),
                        MALT_VALUE_NOTHING);
  return ((MaltArray *) value)->element->kind;
}

/**
 * malt_value_get_element_size:
 * @value: an array of bits
 *
 * The size of one element, padding included.
 *
 * Returns: bytes
 */
gsize
malt_value_get_element_size (MaltValue *value)
{
  g_return_val_if_fail (value != NULL && malt_value_is_bits_array (value), 0);
  return ((MaltArray *) value)->element->size;
}

/**
 * malt_value_get_array_data: (skip)
 * @value: an array of bits
 * @out_n_bytes: (out) (optional): return location for the size
 *
 * The elements, column-major, aligned for their type. They may be used as long as @value
 * is.
 *
 * Returns: (transfer none): the elements; not %NULL, also where there are none
 */
gconstpointer
malt_value_get_array_data (MaltValue *value, gsize *out_n_bytes)
{
  g_return_val_if_fail (value != NULL && malt_value_is_bits_array (value), NULL);
  if (out_n_bytes != NULL)
    *out_n_bytes = ((MaltArray *) value)->n_bytes;
  return ((MaltArray *) value)->data;
}

static GBytes *
new_bytes_of_text (MaltValue *owner, const MaltText *text)
{
  return g_bytes_new_with_free_func (text->text, text->n_bytes,
                                     (GDestroyNotify) malt_value_unref,
                                     malt_value_ref (owner));
}

/**
 * malt_value_dup_bytes:
 * @value: an array of bits, a String, a Symbol, or a struct of a primitive type
 *
 * The bytes that @value is made of, without a copy. They may be used also when @value is
 * gone.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
malt_value_dup_bytes (MaltValue *value)
{
  MaltArray *array = (MaltArray *) value;
  MaltText *bits;

  g_return_val_if_fail (value != NULL, NULL);
  if (malt_value_kind_is_text (value->kind))
    return new_bytes_of_text (value, (MaltText *) value);
  if (value->kind == MALT_VALUE_STRUCT)
    {
      bits = malt_group_get_bits ((MaltGroup *) value);
      g_return_val_if_fail (bits != NULL, NULL);
      return new_bytes_of_text (value, bits);
    }
  g_return_val_if_fail (malt_value_is_bits_array (value), NULL);
  if (array->n_bytes == 0)
    return g_bytes_new (NULL, 0);
  return g_bytes_new_from_bytes (
      array->bytes,
      (gsize) (array->data - (const guint8 *) g_bytes_get_data (array->bytes, NULL)),
      array->n_bytes);
}
