/* SPDX-License-Identifier: MIT */
/* Prints expressions as Julia's show_unquoted() does: names, operators, calls and
 * lists. What has blocks is in malt-print-block.c. A form that neither knows is
 * printed as `$(Expr(:head, args...))`, as Julia does with forms that it does not
 * know; these here are fewer, the result is code for the same expression all the same. */
#include "value/malt-print-private.h"

#include <string.h>

#define PRECEDENCE_POWER 15
#define PRECEDENCE_COMPARISON 7
#define PRECEDENCE_DECLARATION 16

gboolean
malt_expr_view (MaltValue *value, MaltExprView *out_view)
{
  MaltGroup *group = (MaltGroup *) value;

  if (value->kind != MALT_VALUE_EXPR)
    return FALSE;
  out_view->head = malt_value_get_head (value);
  out_view->args = group->refs + 1;
  out_view->n_args = group->n_values - 1;
  return TRUE;
}

gboolean
malt_expr_view_as (MaltValue *value, const char *head, MaltExprView *out_view)
{
  return malt_expr_is (value, head) && malt_expr_view (value, out_view);
}

gboolean
malt_expr_is (MaltValue *value, const char *head)
{
  return value->kind == MALT_VALUE_EXPR &&
         strcmp (malt_value_get_head (value), head) == 0;
}

const char *
malt_expr_symbol (MaltValue *value)
{
  return value->kind == MALT_VALUE_SYMBOL ? ((MaltText *) value)->text : NULL;
}

gboolean
malt_expr_name_is_operator (const char *text)
{
  return text != NULL && malt_text_is_operator (text, strlen (text));
}

int
malt_expr_name_precedence (const char *text)
{
  return text != NULL ? malt_operator_precedence (text, strlen (text)) : 0;
}

gboolean
malt_expr_name_is_unary_operator (const char *text)
{
  return text != NULL &&
         MALT_TEXT_IS_AMONG (text, "+", "-", "!", "¬", "~", "<:", ">:", "√", "∛", "∜");
}

/* The value of a QuoteNode or of a `quote` with one part, or NULL. */
MaltValue *
malt_expr_get_quoted (MaltValue *value)
{
  MaltExprView expr;

  if (value->kind == MALT_VALUE_STRUCT &&
      strcmp (malt_value_get_type_name (value), "QuoteNode") == 0 &&
      ((MaltGroup *) value)->n_values == 1)
    return ((MaltGroup *) value)->refs[0];
  if (malt_expr_view (value, &expr) && MALT_TEXT_IS_AMONG (expr.head, "quote", "inert") &&
      expr.n_args == 1)
    return expr.args[0];
  return NULL;
}

void
malt_append_identifier (GString *out, const char *name, gsize n_bytes)
{
  if (malt_text_is_identifier (name, n_bytes) ||
      (malt_text_is_operator (name, n_bytes) && strcmp (name, "'") != 0))
    {
      g_string_append_len (out, name, (gssize) n_bytes);
      return;
    }
  g_string_append (out, "var");
  malt_append_quoted (out, name, n_bytes);
}

static void
append_macro_name (GString *out, MaltValue *value)
{
  const char *name = malt_expr_symbol (value);

  if (name == NULL || name[0] != '@')
    {
      malt_append_code (out, value, 0, 0);
      return;
    }
  g_string_append_c (out, '@');
  malt_append_identifier (out, name + 1, strlen (name + 1));
}

/* Lists */

/* An operator as an operand, and a negative number or a sign before a power, need
 * parentheses. */
static gboolean
operand_is_wrapped (MaltValue *item, gboolean is_first, int precedence,
                    gboolean wraps_operators)
{
  MaltExprView expr;

  if (malt_expr_get_quoted (item) != NULL)
    return FALSE;
  if (wraps_operators && malt_expr_name_is_operator (malt_expr_symbol (item)))
    return TRUE;
  if (!is_first || precedence < PRECEDENCE_POWER)
    return FALSE;
  if (malt_expr_view (item, &expr))
    return strcmp (expr.head, "call") == 0 && expr.n_args > 0 &&
           malt_expr_name_is_unary_operator (malt_expr_symbol (expr.args[0]));
  return malt_value_is_real (item) && malt_value_get_double (item) < 0;
}

static void
append_operands (GString *out, MaltValue *const *items, gsize n_items,
                 const char *separator, int indent, int precedence,
                 gboolean wraps_operators)
{
  for (gsize i = 0; i < n_items; i++)
    {
      gboolean is_wrapped =
          operand_is_wrapped (items[i], i == 0, precedence, wraps_operators);

      if (i > 0)
        g_string_append (out, separator);
      if (is_wrapped)
        g_string_append_c (out, '(');
      malt_append_code (out, items[i], indent + MALT_EXPR_INDENT,
                        is_wrapped ? 0 : precedence);
      if (is_wrapped)
        g_string_append_c (out, ')');
    }
}

void
malt_append_code_list (GString *out, MaltValue *const *items, gsize n_items,
                       const char *separator, int indent, int precedence)
{
  append_operands (out, items, n_items, separator, indent, precedence, FALSE);
}

void
malt_append_unknown_form (GString *out, MaltValue *value, const MaltExprView *expr)
{
  g_string_append (out, "$(Expr(");
  malt_append_value (out, ((MaltGroup *) value)->refs[0], NULL);
  for (gsize i = 0; i < expr->n_args; i++)
    {
      g_string_append (out, ", ");
      malt_append_value (out, expr->args[i], NULL);
    }
  g_string_append (out, "))");
}

/* Arguments of a call, among which `kw` is written as `=` and `=` cannot stand by
 * itself. */
void
malt_append_arguments (GString *out, MaltValue *const *items, gsize n_items, int indent)
{
  for (gsize i = 0; i < n_items; i++)
    {
      MaltExprView expr;

      if (i > 0)
        g_string_append (out, ", ");
      if (malt_expr_view (items[i], &expr) && strcmp (expr.head, "kw") == 0 &&
          expr.n_args == 2)
        append_operands (out, expr.args, 2, " = ", indent, 1, TRUE);
      else if (malt_expr_view_as (items[i], "=", &expr) && expr.n_args == 2)
        malt_append_unknown_form (out, items[i], &expr);
      else
        malt_append_code (out, items[i], indent + MALT_EXPR_INDENT, 0);
    }
}

static void
append_tuple (GString *out, const MaltExprView *expr, int indent)
{
  MaltExprView parameters;

  g_string_append_c (out, '(');
  if (expr->n_args > 0 && malt_expr_view_as (expr->args[0], "parameters", &parameters))
    {
      malt_append_code_list (out, expr->args + 1, expr->n_args - 1, ", ", indent, 0);
      if (expr->n_args == 2)
        g_string_append_c (out, ',');
      g_string_append (out, parameters.n_args > 0 ? "; " : ";");
      malt_append_arguments (out, parameters.args, parameters.n_args, indent);
    }
  else
    {
      malt_append_code_list (out, expr->args, expr->n_args, ", ", indent, 0);
      if (expr->n_args == 1)
        g_string_append_c (out, ',');
    }
  g_string_append_c (out, ')');
}

typedef struct
{
  const char *head;
  const char *open;
  const char *separator;
  const char *close;
  gboolean is_typed; /* the first argument is the type and stands before the list */
} ListForm;

static const ListForm list_forms[] = {
  { "vect", "[", ", ", "]", FALSE },      { "vcat", "[", "; ", "]", FALSE },
  { "hcat", "[", " ", "]", FALSE },       { "row", "", " ", "", FALSE },
  { "braces", "{", ", ", "}", FALSE },    { "bracescat", "{", "; ", "}", FALSE },
  { "typed_vcat", "[", "; ", "]", TRUE }, { "typed_hcat", "[", " ", "]", TRUE },
};

static gboolean
append_list_form (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  for (gsize i = 0; i < G_N_ELEMENTS (list_forms); i++)
    {
      const ListForm *form = &list_forms[i];
      gsize n_before = form->is_typed ? 1 : 0;

      if (strcmp (form->head, expr->head) != 0 || expr->n_args < n_before)
        continue;
      if (form->is_typed)
        malt_append_code (out, expr->args[0], indent, precedence);
      g_string_append (out, form->open);
      malt_append_code_list (out, expr->args + n_before, expr->n_args - n_before,
                             form->separator, indent, 0);
      if (expr->n_args - n_before == 1 && g_str_has_suffix (form->head, "vcat"))
        g_string_append_c (out, ';');
      g_string_append (out, form->close);
      return TRUE;
    }
  return FALSE;
}

/* Operators */

void
malt_append_infix (GString *out, MaltValue *const *items, gsize n_items,
                   const char *separator, int indent, int own_precedence, int precedence)
{
  gboolean is_wrapped = own_precedence <= precedence;

  if (is_wrapped)
    g_string_append_c (out, '(');
  append_operands (out, items, n_items, separator, indent, own_precedence, TRUE);
  if (is_wrapped)
    g_string_append_c (out, ')');
}

/* Heads that are operators themselves: assignments, `&&`, `::`, `->`. */
static gboolean
append_infix_head (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  gsize n = strlen (expr->head);
  gboolean is_narrow = MALT_TEXT_IS_AMONG (expr->head, ":", "->", "::");
  gboolean is_wide =
      MALT_TEXT_IS_AMONG (expr->head, "&&", "||", "<:", ">:") ||
      (n > 0 && expr->head[n - 1] == '=' && malt_expr_name_precedence (expr->head) == 1);
  g_autofree char *separator = NULL;

  if (expr->n_args != 2 || (!is_narrow && !is_wide))
    return FALSE;
  separator = g_strdup_printf (is_wide ? " %s " : "%s", expr->head);
  malt_append_infix (out, expr->args, 2, separator, indent,
                     malt_expr_name_precedence (expr->head), precedence);
  return TRUE;
}

static gboolean
append_comparison (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  gboolean is_wrapped = PRECEDENCE_COMPARISON <= precedence;

  if (strcmp (expr->head, "comparison") != 0 || expr->n_args < 3 || expr->n_args % 2 == 0)
    return FALSE;
  if (is_wrapped)
    g_string_append_c (out, '(');
  malt_append_code_list (out, expr->args, expr->n_args, " ", indent,
                         PRECEDENCE_COMPARISON);
  if (is_wrapped)
    g_string_append_c (out, ')');
  return TRUE;
}

/* Comprehensions, strings, macros and the rest */

static void
append_generator (GString *out, const MaltExprView *expr, int indent)
{
  malt_append_code (out, expr->args[0], indent, 0);
  g_string_append (out, " for ");
  malt_append_code_list (out, expr->args + 1, expr->n_args - 1, ", ", indent, 0);
}

static gboolean
append_comprehension (GString *out, const MaltExprView *expr, int indent)
{
  gsize n_before = strcmp (expr->head, "typed_comprehension") == 0 ? 1 : 0;
  MaltExprView generator;

  if (strcmp (expr->head, "filter") == 0 && expr->n_args == 2)
    {
      malt_append_code (out, expr->args[1], indent, 0);
      g_string_append (out, " if ");
      malt_append_code (out, expr->args[0], indent, 0);
      return TRUE;
    }
  if (strcmp (expr->head, "generator") == 0 && expr->n_args >= 2)
    {
      g_string_append_c (out, '(');
      append_generator (out, expr, indent);
      g_string_append_c (out, ')');
      return TRUE;
    }
  if (!MALT_TEXT_IS_AMONG (expr->head, "comprehension", "typed_comprehension") ||
      expr->n_args != n_before + 1 ||
      !malt_expr_view_as (expr->args[n_before], "generator", &generator) ||
      generator.n_args < 2)
    return FALSE;
  if (n_before > 0)
    malt_append_code (out, expr->args[0], indent, 0);
  g_string_append_c (out, '[');
  append_generator (out, &generator, indent);
  g_string_append_c (out, ']');
  return TRUE;
}

static gboolean
append_string (GString *out, const MaltExprView *expr)
{
  if (strcmp (expr->head, "string") != 0)
    return FALSE;
  g_string_append_c (out, '"');
  for (gsize i = 0; i < expr->n_args; i++)
    {
      MaltText *text = (MaltText *) expr->args[i];
      gsize start = out->len;

      if (text->base.kind == MALT_VALUE_STRING)
        {
          malt_append_quoted (out, text->text, text->n_bytes);
          g_string_truncate (out, out->len - 1);
          g_string_erase (out, (gssize) start, 1);
          continue;
        }
      g_string_append (out, "$(");
      malt_append_code (out, expr->args[i], 0, 0);
      g_string_append_c (out, ')');
    }
  g_string_append_c (out, '"');
  return TRUE;
}

static gboolean
append_macro_call (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  gboolean is_call = precedence >= 0;

  if (strcmp (expr->head, "macrocall") != 0 || expr->n_args < 2)
    return FALSE;
  if (expr->args[1]->kind == MALT_VALUE_STRUCT)
    {
      malt_append_code (out, expr->args[1], indent, 0);
      g_string_append_c (out, ' ');
    }
  append_macro_name (out, expr->args[0]);
  if (is_call || expr->n_args > 2)
    g_string_append_c (out, is_call ? '(' : ' ');
  malt_append_code_list (out, expr->args + 2, expr->n_args - 2, is_call ? ", " : " ",
                         indent, 0);
  if (is_call)
    g_string_append_c (out, ')');
  return TRUE;
}

static gboolean
append_where (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  gboolean is_wrapped = precedence >= 1;

  if (strcmp (expr->head, "where") != 0 || expr->n_args < 2)
    return FALSE;
  if (is_wrapped)
    g_string_append_c (out, '(');
  malt_append_code (out, expr->args[0], indent, PRECEDENCE_DECLARATION);
  g_string_append (out, expr->n_args == 2 ? " where " : " where {");
  malt_append_code_list (out, expr->args + 1, expr->n_args - 1, ", ", indent,
                         expr->n_args == 2 ? 1 : 0);
  if (expr->n_args > 2)
    g_string_append_c (out, '}');
  if (is_wrapped)
    g_string_append_c (out, ')');
  return TRUE;
}

/* One operand with something before or behind it. */
static gboolean
append_decorated (GString *out, const MaltExprView *expr, int indent)
{
  gboolean is_name;

  if (expr->n_args != 1)
    return FALSE;
  if (strcmp (expr->head, "...") == 0)
    {
      malt_append_code (out, expr->args[0], indent, 0);
      g_string_append (out, "...");
      return TRUE;
    }
  if (MALT_TEXT_IS_AMONG (expr->head, "::", "<:", ">:"))
    {
      g_string_append (out, expr->head);
      malt_append_code (out, expr->args[0], indent, 0);
      return TRUE;
    }
  if (strcmp (expr->head, "'") == 0)
    {
      is_name = malt_expr_symbol (expr->args[0]) != NULL;
      g_string_append (out, is_name ? "" : "(");
      malt_append_code (out, expr->args[0], indent, 0);
      g_string_append (out, is_name ? "'" : ")'");
      return TRUE;
    }
  if (strcmp (expr->head, "quote") == 0 && malt_expr_symbol (expr->args[0]) != NULL)
    {
      malt_append_value (out, expr->args[0], NULL);
      return TRUE;
    }
  return FALSE;
}

static gboolean
append_known (GString *out, const MaltExprView *expr, int indent, int precedence)
{
  if (strcmp (expr->head, "tuple") == 0)
    {
      append_tuple (out, expr, indent);
      return TRUE;
    }
  return malt_append_dot_form (out, expr, indent) ||
         append_infix_head (out, expr, indent, precedence) ||
         append_list_form (out, expr, indent, precedence) ||
         malt_append_call_form (out, expr, indent, precedence) ||
         append_comprehension (out, expr, indent) ||
         append_comparison (out, expr, indent, precedence) ||
         append_macro_call (out, expr, indent, precedence) || append_string (out, expr) ||
         append_where (out, expr, indent, precedence) ||
         append_decorated (out, expr, indent) ||
         malt_append_block_form (out, expr, indent);
}

/* Values that are syntax without being an Expr. */

static void
append_line_number (GString *out, MaltValue *value)
{
  g_autoptr (MaltValue) line = malt_value_dup_field (value, "line");
  g_autoptr (MaltValue) file = malt_value_dup_field (value, "file");

  g_string_append (out, "#= ");
  if (file != NULL && malt_value_kind_is_text (file->kind))
    g_string_append_printf (out, "%s:", ((MaltText *) file)->text);
  else
    g_string_append (out, "line ");
  if (line != NULL)
    malt_append_value (out, line, NULL);
  g_string_append (out, " =#");
}

/* Its fields are a module, which is a handle, and a name. */
static gboolean
append_global_ref (GString *out, MaltValue *value)
{
  g_autoptr (MaltValue) module = malt_value_dup_field (value, "mod");
  g_autoptr (MaltValue) name = malt_value_dup_field (value, "name");

  if (module == NULL || name == NULL || malt_expr_symbol (name) == NULL)
    return FALSE;
  malt_append_value (out, module, NULL);
  g_string_append_c (out, '.');
  if (malt_expr_name_is_operator (malt_expr_symbol (name)))
    malt_append_value (out, name, NULL);
  else
    malt_append_code (out, name, 0, 0);
  return TRUE;
}

static void
append_syntax_struct (GString *out, MaltValue *value)
{
  MaltValue *quoted = malt_expr_get_quoted (value);

  if (quoted != NULL && malt_expr_symbol (quoted) != NULL)
    malt_append_value (out, quoted, NULL);
  else if (quoted != NULL)
    {
      g_string_append (out, "$(QuoteNode(");
      malt_append_value (out, quoted, NULL);
      g_string_append (out, "))");
    }
  else if (strcmp (malt_value_get_type_name (value), "LineNumberNode") == 0)
    append_line_number (out, value);
  else if (strcmp (malt_value_get_type_name (value), "GlobalRef") != 0 ||
           !append_global_ref (out, value))
    malt_append_value (out, value, NULL);
}

void
malt_append_code (GString *out, MaltValue *value, int indent, int precedence)
{
  MaltText *text = (MaltText *) value;
  MaltExprView expr;

  if (value->kind == MALT_VALUE_SYMBOL)
    malt_append_identifier (out, text->text, text->n_bytes);
  else if (value->kind == MALT_VALUE_STRUCT)
    append_syntax_struct (out, value);
  else if (!malt_expr_view (value, &expr))
    malt_append_value (out, value, NULL);
  else if (!append_known (out, &expr, indent, precedence))
    malt_append_unknown_form (out, value, &expr);
}

/* The quoted form: `:(x + 1)`, or `quote ... end` for a block. */
void
malt_append_expr (GString *out, MaltValue *expr)
{
  MaltExprView view;

  if (malt_expr_view_as (expr, "block", &view))
    {
      malt_append_statements (out, "quote", &view, 0);
      return;
    }
  g_string_append (out, ":(");
  malt_append_code (out, expr, 2, MALT_EXPR_STATEMENT);
  g_string_append_c (out, ')');
}
