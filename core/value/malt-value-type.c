/* SPDX-License-Identifier: MIT */
/* The names of types, in the form that Julia 1.6 and later print: `Dict{String,
 * Int64}`, `Vector{Float64}`. Julia 1.5 sends `Dict{String,Int64}` and
 * `Array{Float64,1}`; hosts see one form only. */
#include "value/malt-value-private.h"

#include <string.h>

/* Hostile types may nest so that their names have no end. */
#define MAX_NAME_BYTES 65536u
#define MAX_NESTING 100

/* Behind one character, one quoted text, or one pair of parentheses with what is in
 * it. */
static const char *
skip_unit (const char *text)
{
  int n_open = 0;

  do
    {
      char quote = *text;

      if (quote == '"' || quote == '\'')
        {
          for (text++; *text != '\0' && *text != quote; text++)
            if (*text == '\\' && text[1] != '\0')
              text++;
          if (*text == '\0')
            return text;
        }
      else if (*text == '(')
        n_open++;
      else if (*text == ')')
        n_open--;
      text++;
    }
  while (n_open > 0 && *text != '\0');
  return text;
}

/* Where the name begins that the text ends with. */
static gsize
find_name (const GString *text, gsize start)
{
  gsize pos = text->len;

  while (pos > start &&
         (g_ascii_isalnum (text->str[pos - 1]) || (text->str[pos - 1] & 0x80) ||
          strchr ("_.!", text->str[pos - 1]) != NULL))
    pos--;
  return pos;
}

static void
replace (GString *out, gsize start, gsize n_bytes, const char *text)
{
  g_string_erase (out, (gssize) start, (gssize) n_bytes);
  g_string_insert (out, (gssize) start, text);
}

/* `Array{T, 1}` becomes `Vector{T}`; the comma is at last_separator. */
static void
use_alias (GString *out, gsize name_start, gsize brace, gsize last_separator)
{
  static const struct
  {
    const char *name;
    const char *dims;
    const char *alias;
  } arrays[] = {
    { "Array", ", 1}", "Vector" },
    { "Array", ", 2}", "Matrix" },
    { "AbstractArray", ", 1}", "AbstractVector" },
    { "AbstractArray", ", 2}", "AbstractMatrix" },
  };
  static const char *const complexes[][2] = {
    { "Complex{Float16}", "ComplexF16" },
    { "Complex{Float32}", "ComplexF32" },
    { "Complex{Float64}", "ComplexF64" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (complexes); i++)
    if (strcmp (out->str + name_start, complexes[i][0]) == 0)
      {
        replace (out, name_start, out->len - name_start, complexes[i][1]);
        return;
      }
  for (gsize i = 0; last_separator != 0 && i < G_N_ELEMENTS (arrays); i++)
    if (strlen (arrays[i].name) == brace - name_start &&
        memcmp (out->str + name_start, arrays[i].name, brace - name_start) == 0 &&
        strcmp (out->str + last_separator, arrays[i].dims) == 0)
      {
        g_string_truncate (out, last_separator);
        g_string_append_c (out, '}');
        replace (out, name_start, brace - name_start, arrays[i].alias);
        return;
      }
}

/* From an opening brace to behind the closing one; the name before it is already
 * there. */
static const char *
append_parameters (GString *out, const char *text, gsize item_start, guint depth)
{
  gsize name_start = find_name (out, item_start);
  gsize brace = out->len;
  gsize start = out->len + 1;
  gsize last_separator = 0;

  g_string_append_c (out, *text++);
  while (*text != '\0' && *text != '}')
    {
      const char *end;

      if (*text == ',')
        {
          last_separator = out->len;
          g_string_append (out, ", ");
          for (text++; *text == ' '; text++)
            ;
          start = out->len;
          continue;
        }
      if (*text == '{' && depth < MAX_NESTING)
        {
          text = append_parameters (out, text, start, depth + 1);
          continue;
        }
      end = skip_unit (text);
      g_string_append_len (out, text, end - text);
      text = end;
    }
  if (*text == '}')
    {
      g_string_append_c (out, *text++);
      use_alias (out, name_start, brace, last_separator);
    }
  return text;
}

char *
malt_type_text_canonical (const char *text)
{
  GString *out = g_string_new (NULL);

  while (*text != '\0')
    {
      const char *end;

      if (*text == '{')
        {
          text = append_parameters (out, text, 0, 0);
          continue;
        }
      end = skip_unit (text);
      g_string_append_len (out, text, end - text);
      text = end;
    }
  return g_string_free (out, FALSE);
}

/* Behind the parameter that text is at the start of. */
static const char *
skip_parameter (const char *text)
{
  int n_open = 0;

  while (*text != '\0' && (n_open > 0 || (*text != ',' && *text != '}')))
    {
      if (*text == '{')
        n_open++;
      else if (*text == '}')
        n_open--;
      text = skip_unit (text);
    }
  return text;
}

char *
malt_type_text_dup_parameter (const char *text, guint index)
{
  while (*text != '\0' && *text != '{')
    text = skip_unit (text);
  if (*text == '\0' || text[1] == '}')
    return NULL;
  for (text++; index > 0; index--)
    {
      text = skip_parameter (text);
      if (*text != ',')
        return NULL;
      text++;
      while (*text == ' ')
        text++;
    }
  return g_strndup (text, (gsize) (skip_parameter (text) - text));
}

/* Names of values and of elements */

static gboolean
is_too_long (GString *out)
{
  return out->len > MAX_NAME_BYTES;
}

static void
append_field_names (GString *out, const MaltDescriptor *descriptor)
{
  g_string_append_c (out, '(');
  for (guint32 i = 0; i < descriptor->n_fields; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      malt_append_symbol (out, descriptor->names[i].text, descriptor->names[i].n_bytes);
    }
  g_string_append (out, descriptor->n_fields == 1 ? ",)" : ")");
}

static void
append_canonical (GString *out, const char *type)
{
  g_autofree char *text = malt_type_text_canonical (type);

  g_string_append (out, text);
}

static void append_element_type (GString *out, const MaltElement *element);

static void
append_slot_types (GString *out, const MaltDescriptor *descriptor)
{
  g_string_append (out, "Tuple{");
  for (guint32 i = 0; i < descriptor->n_fields && !is_too_long (out); i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_element_type (out, descriptor->slots[i].element);
    }
  g_string_append_c (out, '}');
}

static void
append_element_type (GString *out, const MaltElement *element)
{
  gsize start = out->len;

  if (is_too_long (out))
    g_string_append (out, "…");
  else if (element->part != NULL)
    {
      g_string_append_printf (out, "%s{", malt_value_kind_to_string (element->kind));
      append_element_type (out, element->part);
      g_string_append_c (out, '}');
      use_alias (out, start, start, 0);
    }
  else if (element->kind == MALT_VALUE_STRUCT)
    append_canonical (out, element->descriptor->type.text);
  else if (element->kind == MALT_VALUE_NAMED_TUPLE)
    {
      g_string_append (out, "NamedTuple{");
      append_field_names (out, element->descriptor);
      g_string_append (out, ", ");
      append_slot_types (out, element->descriptor);
      g_string_append_c (out, '}');
    }
  else if (element->kind == MALT_VALUE_TUPLE)
    append_slot_types (out, element->descriptor);
  else
    g_string_append (out, malt_value_kind_to_string (element->kind));
}

char *
malt_element_dup_type_name (MaltElement *element)
{
  GString *out = g_string_new (NULL);

  append_element_type (out, element);
  return g_string_free (out, FALSE);
}

static void append_type (GString *out, MaltValue *value);

static void
append_types (GString *out, const char *name, const MaltGroup *group)
{
  g_string_append_printf (out, "%s{", name);
  for (gsize i = 0; i < group->n_values && !is_too_long (out); i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_type (out, group->refs[i]);
    }
  g_string_append_c (out, '}');
}

static void
append_array_type (GString *out, MaltValue *value)
{
  const MaltArray *array = (const MaltArray *) value;
  const char *element = malt_value_get_element_type_name (value);

  if (array->n_dims == 1)
    g_string_append_printf (out, "Vector{%s}", element);
  else if (array->n_dims == 2)
    g_string_append_printf (out, "Matrix{%s}", element);
  else
    g_string_append_printf (out, "Array{%s, %" G_GSIZE_FORMAT "}", element,
                            array->n_dims);
}

static const char *
simple_type_name (MaltValueKind kind)
{
  switch (kind)
    {
    case MALT_VALUE_NOTHING:
      return "Nothing";
    case MALT_VALUE_MISSING:
      return "Missing";
    case MALT_VALUE_UNDEF:
    case MALT_VALUE_EXPR:
      return malt_value_kind_to_string (kind);
    default:
      return malt_value_kind_is_scalar (kind) || malt_value_kind_is_text (kind)
                 ? malt_value_kind_to_string (kind)
                 : NULL;
    }
}

static void
append_type (GString *out, MaltValue *value)
{
  const MaltGroup *group = (const MaltGroup *) value;
  gsize start = out->len;

  if (is_too_long (out))
    {
      g_string_append (out, "…");
      return;
    }
  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_TUPLE:
      append_types (out, "Tuple", group);
      break;
    case MALT_VALUE_PAIR:
      append_types (out, "Pair", group);
      break;
    case MALT_VALUE_NAMED_TUPLE:
      g_string_append (out, "NamedTuple{");
      append_field_names (out, group->descriptor);
      g_string_append (out, ", ");
      append_types (out, "Tuple", group);
      g_string_append_c (out, '}');
      break;
    case MALT_VALUE_COMPLEX:
    case MALT_VALUE_RATIONAL:
      g_string_append_printf (out, "%s{", malt_value_kind_to_string (value->kind));
      append_type (out, group->refs[0]);
      g_string_append_c (out, '}');
      use_alias (out, start, start, 0);
      break;
    case MALT_VALUE_ARRAY:
      append_array_type (out, value);
      break;
    case MALT_VALUE_HANDLE:
      append_canonical (out, ((MaltHandle *) value)->type->type.text);
      break;
    case MALT_VALUE_DICT:
    case MALT_VALUE_SET:
    case MALT_VALUE_RANGE:
    case MALT_VALUE_STRUCT:
      append_canonical (out, group->descriptor->type.text);
      break;
    default:
      g_string_append (out, simple_type_name (value->kind));
      break;
    }
}

char *
malt_value_dup_type_name (MaltValue *value)
{
  GString *out = g_string_new (NULL);

  append_type (out, value);
  return g_string_free (out, FALSE);
}

/* Stores a name that was made on demand, unless another thread has been quicker. */
static const char *
publish (char **place, char *name)
{
  if (!g_atomic_pointer_compare_and_exchange (place, NULL, name))
    g_free (name);
  return g_atomic_pointer_get (place);
}

static char **
get_type_name_place (MaltValue *value)
{
  if (value->kind == MALT_VALUE_ARRAY)
    return &((MaltArray *) value)->type_name;
  if (value->kind == MALT_VALUE_HANDLE)
    return &((MaltHandle *) value)->type_name;
  return &((MaltGroup *) value)->type_name;
}

/**
 * malt_value_get_type_name:
 * @value: a value
 *
 * The name of the Julia type of @value, in the form that Julia 1.6 and later print:
 * `Int64`, `Vector{Float64}`, `Dict{String, Int64}`, `Main.P`'s `P`. The same for all
 * versions of Julia. Names of more than 64 KiB are cut.
 *
 * Returns: (transfer none): the name, which lives as long as @value
 */
const char *
malt_value_get_type_name (MaltValue *value)
{
  const char *name;
  char **place;

  g_return_val_if_fail (value != NULL, NULL);
  name = simple_type_name (value->kind);
  if (name != NULL)
    return name;
  place = get_type_name_place (value);
  name = g_atomic_pointer_get (place);
  return name != NULL ? name : publish (place, malt_value_dup_type_name (value));
}

/**
 * malt_value_get_element_type_name:
 * @value: an array
 *
 * The name of the element type, in the form of malt_value_get_type_name(): `Any`,
 * `Int64`, `ComplexF64`.
 *
 * Returns: (transfer none): the name, which lives as long as @value
 */
const char *
malt_value_get_element_type_name (MaltValue *value)
{
  MaltArray *array = (MaltArray *) value;
  const char *name;

  g_return_val_if_fail (value != NULL && value->kind == MALT_VALUE_ARRAY, NULL);
  name = g_atomic_pointer_get (&array->element_type_name);
  if (name != NULL)
    return name;
  return publish (&array->element_type_name,
                  array->element != NULL
                      ? malt_element_dup_type_name (array->element)
                      : malt_type_text_canonical (array->element_type->type.text));
}
