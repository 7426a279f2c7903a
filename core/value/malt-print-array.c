/* SPDX-License-Identifier: MIT */
/* Prints arrays, and decides where their element types need not be said:
 * base/arrayshow.jl in Julia. */
#include "value/malt-print-private.h"

#include <string.h>

gboolean
malt_type_has_name (const char *type, const char *name)
{
  gsize n = strlen (name);

  return type != NULL && strncmp (type, name, n) == 0 &&
         (type[n] == '{' || type[n] == '\0');
}

static gboolean
type_is_array (const char *type)
{
  return malt_type_has_name (type, "Vector") || malt_type_has_name (type, "Matrix") ||
         malt_type_has_name (type, "Array");
}

/* Types that Julia can tell from how their instances are written. */
gboolean
malt_type_is_implicit (const char *type)
{
  static const char *const names[] = { "Float64", "Int64",   "Char",    "String",
                                       "Symbol",  "Nothing", "Missing", "Tuple{}" };
  gboolean is_dict = malt_type_has_name (type, "Dict");
  gboolean is_tuple =
      malt_type_has_name (type, "Tuple") || malt_type_has_name (type, "Pair");
  g_autofree char *first = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (type, names[i]) == 0)
      return TRUE;
  if (!is_dict && !is_tuple && !type_is_array (type))
    return FALSE;
  first = malt_type_text_dup_parameter (type, 0);
  if (first == NULL || !malt_type_is_implicit (first))
    return FALSE;
  if (is_dict)
    {
      g_autofree char *second = malt_type_text_dup_parameter (type, 1);

      return second != NULL && malt_type_is_implicit (second);
    }
  for (guint i = 1; is_tuple; i++)
    {
      g_autofree char *next = malt_type_text_dup_parameter (type, i);

      if (next == NULL)
        break;
      if (!malt_type_is_implicit (next))
        return FALSE;
    }
  return TRUE;
}

/* Writes the element type in front of an array unless the surroundings or the elements
 * tell it. Returns what is known of the elements. */
static const char *
append_element_prefix (GString *out, const char *element_type, gsize n_elements,
                       const char *known_type)
{
  g_autofree char *known_element = NULL;

  if (type_is_array (known_type) || malt_type_has_name (known_type, "Set"))
    known_element = malt_type_text_dup_parameter (known_type, 0);
  if (g_strcmp0 (known_element, element_type) == 0)
    return element_type;
  if (n_elements > 0 && malt_type_is_implicit (element_type))
    return known_type;
  g_string_append (out, element_type);
  return element_type;
}

/* Arrays */

static void
append_element (GString *out, MaltValue *array, gsize index, const char *known_type)
{
  g_autoptr (MaltValue) element = malt_value_dup_child (array, index);

  malt_append_value (out, element, known_type);
}

void
malt_append_vector (GString *out, MaltValue *value, const char *element_type,
                    const char *known_type)
{
  gsize n = malt_value_get_n_children (value);
  const char *known = append_element_prefix (out, element_type, n, known_type);

  g_string_append_c (out, '[');
  for (gsize i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_element (out, value, i, known);
    }
  g_string_append_c (out, ']');
}

static void
append_slice (GString *out, MaltArray *array, gsize start, const char *known_type)
{
  gsize n_rows = array->dims[0];
  gsize n_columns = array->dims[1];

  for (gsize row = 0; row < n_rows; row++)
    {
      if (row > 0)
        g_string_append (out, "; ");
      for (gsize column = 0; column < n_columns; column++)
        {
          if (column > 0)
            g_string_append_c (out, ' ');
          append_element (out, &array->base, start + column * n_rows + row, known_type);
        }
    }
}

static void
append_semicolons (GString *out, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_c (out, ';');
}

/* The number of the dimension that the slice after this one begins anew, counted from
 * 1. */
static gsize
changed_dimension (const MaltArray *array, gsize next_slice)
{
  gsize dimension = 2;

  while (dimension < array->n_dims - 1 && next_slice % array->dims[dimension] == 0)
    next_slice /= array->dims[dimension++];
  return dimension + 1;
}

/* `[1 3; 2 4;;; 5 7; 6 8]`; closing semicolons where they are needed to say how many
 * dimensions there are. */
static void
append_matrices (GString *out, MaltArray *array, const char *known_type)
{
  gsize n_in_slice = array->dims[0] * array->dims[1];
  gsize n_slices = array->n_values / n_in_slice;
  gboolean has_last_dimension = array->n_dims == 2 && array->dims[1] > 1;

  g_string_append_c (out, '[');
  for (gsize slice = 0; slice < n_slices; slice++)
    {
      if (slice > 0)
        {
          gsize dimension = changed_dimension (array, slice);

          append_semicolons (out, dimension);
          g_string_append_c (out, ' ');
          if (dimension == array->n_dims)
            has_last_dimension = TRUE;
        }
      append_slice (out, array, slice * n_in_slice, known_type);
    }
  if (!has_last_dimension)
    append_semicolons (out, array->n_dims);
  g_string_append_c (out, ']');
}

void
malt_append_array (GString *out, MaltValue *value, const char *known_type)
{
  MaltArray *array = (MaltArray *) value;
  const char *element_type = malt_value_get_element_type_name (value);

  if (array->n_dims == 1)
    malt_append_vector (out, value, element_type, known_type);
  else if (array->n_dims == 0)
    {
      g_string_append (out, "fill(");
      append_element (out, value, 0, NULL);
      g_string_append_c (out, ')');
    }
  else if (array->n_values == 0)
    {
      g_string_append_printf (out, "%s(undef", malt_value_get_type_name (value));
      for (gsize i = 0; i < array->n_dims; i++)
        g_string_append_printf (out, ", %" G_GSIZE_FORMAT, array->dims[i]);
      g_string_append_c (out, ')');
    }
  else
    append_matrices (
        out, array,
        append_element_prefix (out, element_type, array->n_values, known_type));
}
