/* SPDX-License-Identifier: MIT */
/* Prints calls: of functions, of operators, indexing, `a.b` and `f.(x)`. */
#include "value/malt-print-private.h"

/* Items with those of a leading `parameters` behind a semicolon. */
static void
append_arguments_and_parameters (GString *out, MaltValue *const *items, gsize n_items,
                                 int indent)
{
  MaltExprView parameters;

  if (n_items > 0 && malt_expr_view_as (items[0], "parameters", &parameters))
    {
      malt_append_arguments (out, items + 1, n_items - 1, indent);
      g_string_append (out, "; ");
      malt_append_arguments (out, parameters.args, parameters.n_args, indent);
      return;
    }
  malt_append_arguments (out, items, n_items, indent);
}

static gboolean
function_stands_bare (MaltValue *function, gboolean is_dotted)
{
  const char *name = malt_expr_symbol (function);

  if (name != NULL)
    return strcmp (name, ":") != 0 && !(is_dotted && malt_expr_name_is_operator (name));
  return malt_expr_is (function, ".") || malt_expr_is (function, "curly") ||
         strcmp (malt_value_get_type_name (function), "GlobalRef") == 0;
}

static void
append_call (GString *out, MaltValue *function, MaltValue *const *items, gsize n_items,
             const char *open, const char *close, int indent)
{
  gboolean is_bare = function_stands_bare (function, open[0] == '.');

  if (!is_bare)
    g_string_append_c (out, '(');
  malt_append_code (out, function, indent, 0);
  if (!is_bare)
    g_string_append_c (out, ')');
  g_string_append (out, open);
  if (open[0] == '{')
    malt_append_code_list (out, items, n_items, ", ", indent, 0);
  else
    append_arguments_and_parameters (out, items, n_items, indent);
  g_string_append (out, close);
}

/* `2x`: a number before a name, unless the name would be taken for a part of the
 * number. */
static gboolean
is_juxtaposition (const char *name, MaltValue *const *items, gsize n_items)
{
  const char *factor = n_items == 2 ? malt_expr_symbol (items[1]) : NULL;
  gboolean is_zero;

  if (strcmp (name, "*") != 0 || factor == NULL || factor[0] == '\0')
    return FALSE;
  if (items[0]->kind != MALT_VALUE_INT64 && items[0]->kind != MALT_VALUE_FLOAT64 &&
      items[0]->kind != MALT_VALUE_FLOAT32)
    return FALSE;
  is_zero = items[0]->kind == MALT_VALUE_INT64 && malt_value_get_int64 (items[0]) == 0;
  return strchr (is_zero ? "eEfbox" : "eEf", factor[0]) == NULL;
}

static void
append_unary (GString *out, const char *name, MaltValue *operand, int indent,
              int own_precedence)
{
  gboolean is_wrapped = operand->kind == MALT_VALUE_EXPR ||
                        malt_expr_name_is_operator (malt_expr_symbol (operand));

  g_string_append (out, name);
  if (is_wrapped)
    g_string_append_c (out, '(');
  malt_append_code (out, operand, indent, own_precedence);
  if (is_wrapped)
    g_string_append_c (out, ')');
}

static gboolean
any_is (MaltValue *const *items, gsize n_items, const char *head)
{
  for (gsize i = 0; i < n_items; i++)
    if (malt_expr_is (items[i], head))
      return TRUE;
  return FALSE;
}

static gboolean
append_operator_call (GString *out, const char *name, MaltValue *const *items,
                      gsize n_items, int indent, int precedence)
{
  int own_precedence = malt_expr_name_precedence (name);
  gboolean is_chain = n_items == 2 ||
                      (n_items > 2 && MALT_TEXT_IS_AMONG (name, "+", "++", "*")) ||
                      (n_items == 3 && strcmp (name, ":") == 0);
  g_autofree char *separator = NULL;

  if (is_juxtaposition (name, items, n_items))
    {
      malt_append_infix (out, items, n_items, "", indent, own_precedence, precedence);
      return TRUE;
    }
  if (malt_expr_name_is_unary_operator (name) && n_items == 1)
    {
      append_unary (out, name, items[0], indent, own_precedence);
      return TRUE;
    }
  if (own_precedence == 0)
    return FALSE;
  if (is_chain && !any_is (items, n_items, "..."))
    {
      separator = g_strdup_printf (strcmp (name, ":") == 0 ? "%s" : " %s ", name);
      malt_append_infix (out, items, n_items, separator, indent, own_precedence,
                         precedence);
      return TRUE;
    }
  if (n_items != 1)
    return FALSE;
  g_string_append_printf (out, "(%s)(", name);
  malt_append_arguments (out, items, 1, indent);
  g_string_append_c (out, ')');
  return TRUE;
}

gboolean
malt_append_call_form (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  MaltValue *const *items = expr->args + 1;
  gsize n_items = expr->n_args - 1;
  const char *name;
  gboolean has_keywords;

  if (expr->n_args == 0)
    return FALSE;
  if (strcmp (expr->head, "ref") == 0)
    append_call (out, expr->args[0], items, n_items, "[", "]", indent);
  else if (strcmp (expr->head, "curly") == 0)
    append_call (out, expr->args[0], items, n_items, "{", "}", indent);
  else if (strcmp (expr->head, "call") == 0)
    {
      name = malt_expr_symbol (expr->args[0]);
      has_keywords =
          any_is (items, n_items, "kw") || any_is (items, n_items, "parameters");
      if (name == NULL || has_keywords ||
          !append_operator_call (out, name, items, n_items, indent, precedence))
        append_call (out, expr->args[0], items, n_items, "(", ")", indent);
    }
  else
    return FALSE;
  return TRUE;
}

/* `a.b` and `f.(x)` */
gboolean
malt_append_dot_form (GString *out, const MaltExprView *expr, int indent)
{
  MaltValue *field;
  MaltExprView items;
  const char *name;
  gboolean is_bare;

  if (strcmp (expr->head, ".") != 0 || expr->n_args != 2)
    return FALSE;
  if (malt_expr_view_as (expr->args[1], "tuple", &items))
    {
      append_call (out, expr->args[0], items.args, items.n_args, ".(", ")", indent);
      return TRUE;
    }
  field = malt_expr_get_quoted (expr->args[1]);
  name = field != NULL ? malt_expr_symbol (field) : NULL;
  if (name == NULL)
    return FALSE;
  is_bare = malt_expr_is (expr->args[0], ".") ||
            malt_expr_get_quoted (expr->args[0]) != NULL ||
            (malt_expr_symbol (expr->args[0]) != NULL &&
             !malt_expr_name_is_operator (malt_expr_symbol (expr->args[0])));
  if (!is_bare)
    g_string_append_c (out, '(');
  malt_append_code (out, expr->args[0], indent, 0);
  g_string_append (out, is_bare ? "." : ").");
  if (malt_expr_name_is_operator (name))
    malt_append_symbol (out, name, strlen (name));
  else
    malt_append_identifier (out, name, strlen (name));
  return TRUE;
}
