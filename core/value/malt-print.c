/* SPDX-License-Identifier: MIT */
/* Prints values as Julia's repr() does; see base/show.jl and base/arrayshow.jl there.
 *
 * Julia leaves out what the surroundings tell: `Float32[1.0, 2.0]`, not
 * `Float32[1.0f0, 2.0f0]`. What they tell is the type that the value is known to have,
 * its name as text in the canonical form; NULL where nothing is known. Where versions
 * of Julia differ the newer form is printed. */
#include "value/malt-print-private.h"

#include <string.h>

/* Integers and unsigned integers */

static void
append_decimal (GString *out, MaltWideInt wide)
{
  char digits[40];
  char *place = digits + sizeof digits;

  *--place = '\0';
  do
    {
      *--place = (char) ('0' + (int) (wide.magnitude % 10));
      wide.magnitude /= 10;
    }
  while (wide.magnitude != 0);
  if (wide.is_negative)
    g_string_append_c (out, '-');
  g_string_append (out, place);
}

static void
append_hexadecimal (GString *out, MaltValue *value)
{
  MaltUInt128 bits = malt_value_get_wide_int (value).magnitude;
  int n_digits = 2 * (int) malt_element_for_kind (value->kind)->size;

  g_string_append (out, "0x");
  for (int i = n_digits - 1; i >= 0; i--)
    g_string_append_c (out, "0123456789abcdef"[(int) (bits >> (4 * i)) & 15]);
}

static void
append_integer (GString *out, MaltValue *value, const char *known_type)
{
  if (value->kind == MALT_VALUE_BOOL)
    {
      if (malt_type_has_name (known_type, "Bool"))
        g_string_append_c (out, malt_value_get_bool (value) ? '1' : '0');
      else
        g_string_append (out, malt_value_get_bool (value) ? "true" : "false");
    }
  else if (malt_value_kind_is_signed (value->kind))
    append_decimal (out, malt_value_get_wide_int (value));
  else
    append_hexadecimal (out, value);
}

/* Tuples, pairs, dictionaries, sets */

static gboolean
is_operator_handle (MaltValue *value)
{
  const MaltText *text = value->kind == MALT_VALUE_HANDLE
                             ? (const MaltText *) ((MaltHandle *) value)->text
                             : NULL;

  return text != NULL && malt_text_is_operator (text->text, text->n_bytes);
}

static void
append_pair_part (GString *out, MaltValue *value, const char *known_type)
{
  gboolean is_wrapped = value->kind == MALT_VALUE_PAIR || is_operator_handle (value);

  if (is_wrapped)
    g_string_append_c (out, '(');
  malt_append_value (out, value, known_type);
  if (is_wrapped)
    g_string_append_c (out, ')');
}

static void
append_pair (GString *out, MaltValue *first, MaltValue *second, const char *first_type,
             const char *second_type)
{
  append_pair_part (out, first, first_type);
  g_string_append (out, " => ");
  append_pair_part (out, second, second_type);
}

static void
append_known_pair (GString *out, MaltGroup *group, const char *known_type)
{
  gboolean is_known = malt_type_has_name (known_type, "Pair");
  g_autofree char *first = is_known ? malt_type_text_dup_parameter (known_type, 0) : NULL;
  g_autofree char *second =
      is_known ? malt_type_text_dup_parameter (known_type, 1) : NULL;

  append_pair (out, group->refs[0], group->refs[1], first, second);
}

static void
append_dict (GString *out, MaltGroup *group, const char *known_type)
{
  const char *type = malt_value_get_type_name (&group->base);
  g_autofree char *key_type = malt_type_text_dup_parameter (type, 0);
  g_autofree char *value_type = malt_type_text_dup_parameter (type, 1);
  gboolean is_known = known_type != NULL && strcmp (known_type, type) == 0;
  gboolean is_implicit = group->n_values > 0 && key_type != NULL && value_type != NULL &&
                         malt_type_is_implicit (key_type) &&
                         malt_type_is_implicit (value_type);

  if (is_known || is_implicit)
    g_string_append_len (out, type, (gssize) strcspn (type, "{"));
  else
    g_string_append (out, type);
  g_string_append_c (out, '(');
  for (gsize i = 0; i < group->n_values; i += 2)
    {
      if (i > 0)
        g_string_append (out, ", ");
      append_pair (out, group->refs[i], group->refs[i + 1], key_type, value_type);
    }
  g_string_append_c (out, ')');
}

static void
append_set (GString *out, MaltGroup *group, const char *known_type)
{
  const char *type = malt_value_get_type_name (&group->base);
  g_autofree char *element_type = malt_type_text_dup_parameter (type, 0);
  gssize n_name_bytes = (gssize) strcspn (type, "{");

  if (group->n_values == 0 && !(known_type != NULL && strcmp (known_type, type) == 0))
    {
      g_string_append_printf (out, "%s()", type);
      return;
    }
  g_string_append_len (out, type, n_name_bytes);
  g_string_append_c (out, '(');
  /* A BitSet has no parameter; its elements are Int. */
  if (group->n_values > 0)
    malt_append_vector (out, &group->base, element_type != NULL ? element_type : "Int64",
                        known_type);
  g_string_append_c (out, ')');
}

static void
append_tuple (GString *out, MaltGroup *group, const char *known_type)
{
  gboolean is_known = malt_type_has_name (known_type, "Tuple");

  g_string_append_c (out, '(');
  for (gsize i = 0; i < group->n_values; i++)
    {
      g_autofree char *part =
          is_known ? malt_type_text_dup_parameter (known_type, (guint) i) : NULL;

      if (i > 0)
        g_string_append (out, ", ");
      malt_append_value (out, group->refs[i], is_known ? part : known_type);
    }
  g_string_append (out, group->n_values == 1 ? ",)" : ")");
}

static void
append_field_name (GString *out, const MaltName *name)
{
  if (malt_text_is_identifier (name->text, name->n_bytes) ||
      malt_text_is_operator (name->text, name->n_bytes))
    {
      g_string_append_len (out, name->text, (gssize) name->n_bytes);
      return;
    }
  g_string_append (out, "var");
  malt_append_quoted (out, name->text, name->n_bytes);
}

static void
append_named_tuple (GString *out, MaltGroup *group, const char *known_type)
{
  g_autofree char *types = malt_type_has_name (known_type, "NamedTuple")
                               ? malt_type_text_dup_parameter (known_type, 1)
                               : NULL;

  if (group->n_values == 0)
    {
      g_string_append (out, "NamedTuple()");
      return;
    }
  g_string_append_c (out, '(');
  for (gsize i = 0; i < group->n_values; i++)
    {
      g_autofree char *part =
          types != NULL ? malt_type_text_dup_parameter (types, (guint) i) : NULL;

      if (i > 0)
        g_string_append (out, ", ");
      append_field_name (out, &group->descriptor->names[i]);
      g_string_append (out, " = ");
      malt_append_value (out, group->refs[i], part);
    }
  g_string_append (out, group->n_values == 1 ? ",)" : ")");
}

/* Numbers of two parts, ranges */

/* Moves a sign out of the number: "1 - 2im". */
static void
append_imaginary (GString *out, MaltValue *part, const char *known_type)
{
  GString *text = g_string_new (NULL);
  MaltValue *sign =
      part->kind == MALT_VALUE_RATIONAL ? ((MaltGroup *) part)->refs[0] : part;
  gboolean is_negative;

  malt_append_value (text, part, known_type);
  is_negative =
      (malt_value_kind_is_signed (sign->kind) || malt_value_kind_is_float (sign->kind)) &&
      strchr (text->str, '-') != NULL &&
      (text->str[0] == '-' || g_str_has_prefix (text->str, "Float16(-"));
  if (is_negative)
    g_string_erase (text, strchr (text->str, '-') - text->str, 1);
  g_string_append (out, is_negative ? " - " : " + ");
  g_string_append (out, text->str);
  if (strchr (text->str, 'N') != NULL || strstr (text->str, "Inf") != NULL ||
      !(malt_value_kind_is_integer (part->kind) || malt_value_kind_is_float (part->kind)))
    g_string_append_c (out, '*');
  g_string_append (out, "im");
  g_string_free (text, TRUE);
}

static void
append_complex (GString *out, MaltGroup *group, const char *known_type)
{
  gboolean is_real_true;

  if (group->refs[0]->kind == MALT_VALUE_BOOL && group->refs[1]->kind == MALT_VALUE_BOOL)
    {
      is_real_true = malt_value_get_bool (group->refs[0]);
      if (!is_real_true && malt_value_get_bool (group->refs[1]))
        g_string_append (out, "im");
      else
        g_string_append_printf (out, "Complex(%s,%s)", is_real_true ? "true" : "false",
                                malt_value_get_bool (group->refs[1]) ? "true" : "false");
      return;
    }
  malt_append_value (out, group->refs[0], known_type);
  append_imaginary (out, group->refs[1], known_type);
}

static void
append_range (GString *out, MaltGroup *group)
{
  switch ((MaltRangeForm) group->base.form)
    {
    case MALT_RANGE_LIN:
      g_string_append_printf (out, "LinRange{%s}(",
                              malt_value_get_type_name (group->refs[0]));
      malt_append_value (out, group->refs[0], NULL);
      g_string_append (out, ", ");
      malt_append_value (out, group->refs[2], NULL);
      g_string_append_printf (out, ", %" G_GSIZE_FORMAT ")",
                              malt_value_get_range_length (&group->base));
      return;
    case MALT_RANGE_ONE_TO:
      g_string_append (out, "Base.OneTo(");
      malt_append_value (out, group->refs[2], NULL);
      g_string_append_c (out, ')');
      return;
    case MALT_RANGE_UNIT:
    case MALT_RANGE_STEP:
    default:
      malt_append_value (out, group->refs[0], NULL);
      g_string_append_c (out, ':');
      if (group->base.form == MALT_RANGE_STEP)
        {
          malt_append_value (out, group->refs[1], NULL);
          g_string_append_c (out, ':');
        }
      malt_append_value (out, group->refs[2], NULL);
      return;
    }
}

/* Structs and handles */

static gboolean
is_syntax (MaltValue *value)
{
  const char *type = malt_value_get_type_name (value);

  return strcmp (type, "QuoteNode") == 0 || strcmp (type, "LineNumberNode") == 0;
}

static void
append_struct (GString *out, MaltGroup *group)
{
  const MaltText *show = malt_group_get_show (group);
  const MaltText *bits = malt_group_get_bits (group);

  if (show != NULL && show->n_bytes > 0)
    {
      g_string_append_len (out, show->text, (gssize) show->n_bytes);
      return;
    }
  if (is_syntax (&group->base))
    {
      malt_append_expr (out, &group->base);
      return;
    }
  g_string_append_printf (out, "%s(", malt_value_get_type_name (&group->base));
  for (gsize i = 0; i < group->n_values; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      malt_append_value (out, group->refs[i], NULL);
    }
  if (bits != NULL)
    g_string_append (out, "0x");
  for (gsize i = bits != NULL ? bits->n_bytes : 0; i > 0; i--)
    g_string_append_printf (out, "%02x", (guint8) bits->text[i - 1]);
  g_string_append_c (out, ')');
}

static void
append_handle (GString *out, MaltHandle *handle)
{
  const MaltText *text = (const MaltText *) handle->text;

  if (text != NULL)
    g_string_append_len (out, text->text, (gssize) text->n_bytes);
  else
    g_string_append_printf (out, "%s(…)", malt_value_get_type_name (&handle->base));
}

static void
append_group (GString *out, MaltGroup *group, const char *known_type)
{
  switch ((MaltValueKind) group->base.kind)
    {
    case MALT_VALUE_TUPLE:
      append_tuple (out, group, known_type);
      break;
    case MALT_VALUE_NAMED_TUPLE:
      append_named_tuple (out, group, known_type);
      break;
    case MALT_VALUE_PAIR:
      append_known_pair (out, group, known_type);
      break;
    case MALT_VALUE_DICT:
      append_dict (out, group, known_type);
      break;
    case MALT_VALUE_SET:
      append_set (out, group, known_type);
      break;
    case MALT_VALUE_COMPLEX:
      append_complex (out, group, known_type);
      break;
    case MALT_VALUE_RATIONAL:
      malt_append_value (out, group->refs[0], known_type);
      g_string_append (out, "//");
      malt_append_value (out, group->refs[1], known_type);
      break;
    case MALT_VALUE_RANGE:
      append_range (out, group);
      break;
    case MALT_VALUE_EXPR:
      malt_append_expr (out, &group->base);
      break;
    default:
      append_struct (out, group);
      break;
    }
}

/* known_type: (nullable): the type that the reader can tell the value to have. */
void
malt_append_value (GString *out, MaltValue *value, const char *known_type)
{
  const MaltText *text = (const MaltText *) value;

  switch ((MaltValueKind) value->kind)
    {
    case MALT_VALUE_NOTHING:
    case MALT_VALUE_MISSING:
    case MALT_VALUE_UNDEF:
      g_string_append (out, malt_value_kind_to_string (value->kind));
      break;
    case MALT_VALUE_FLOAT16:
    case MALT_VALUE_FLOAT32:
    case MALT_VALUE_FLOAT64:
      malt_append_float (
          out, value,
          !malt_type_has_name (known_type, malt_value_kind_to_string (value->kind)));
      break;
    case MALT_VALUE_CHAR:
      malt_append_char (out, malt_value_get_char_bits (value));
      break;
    case MALT_VALUE_STRING:
      malt_append_quoted (out, text->text, text->n_bytes);
      break;
    case MALT_VALUE_SYMBOL:
      malt_append_symbol (out, text->text, text->n_bytes);
      break;
    case MALT_VALUE_ARRAY:
      malt_append_array (out, value, known_type);
      break;
    case MALT_VALUE_HANDLE:
      append_handle (out, (MaltHandle *) value);
      break;
    default:
      if (malt_value_kind_is_group (value->kind))
        append_group (out, (MaltGroup *) value, known_type);
      else
        append_integer (out, value, known_type);
      break;
    }
}

/**
 * malt_value_to_string:
 * @value: a value
 *
 * What Julia's `repr` gives for @value, in the form of newer versions: `[1 2; 3 4]`,
 * `Dict("a" => 1)`, `0x0f`, `:(x + 1)`. Nothing is left out, however long it gets. A
 * struct whose type prints itself in its own way is printed so. A handle prints as the
 * text that came with it, or as its type and an ellipsis: `Channel{Any}(…)`.
 *
 * Bytes in the text of structs and handles that are not UTF-8 are replaced by U+FFFD.
 *
 * Returns: (transfer full): the text
 */
char *
malt_value_to_string (MaltValue *value)
{
  GString *out = NULL;
  char *text;

  g_return_val_if_fail (value != NULL, NULL);
  out = g_string_new (NULL);
  malt_append_value (out, value, NULL);
  text = g_utf8_make_valid (out->str, (gssize) out->len);
  g_string_free (out, TRUE);
  return text;
}
