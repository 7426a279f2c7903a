/* SPDX-License-Identifier: MIT */
/* Prints the expressions that have blocks, and declarations. */
#include "value/malt-print-private.h"

#include <string.h>

static void
append_new_line (GString *out, int indent)
{
  g_string_append_c (out, '\n');
  for (int i = 0; i < indent; i++)
    g_string_append_c (out, ' ');
}

/* The statements of a block, or the one statement that stands for it, and the line for
 * what closes it. */
static void
append_body (GString *out, MaltValue *body, int indent, int statement_indent)
{
  MaltExprView block = { .args = &body, .n_args = 1 };

  if (malt_expr_is (body, "block"))
    malt_expr_view (body, &block);
  for (gsize i = 0; i < block.n_args; i++)
    {
      append_new_line (out, statement_indent);
      malt_append_code (out, block.args[i], statement_indent, MALT_EXPR_STATEMENT);
    }
  append_new_line (out, indent);
}

/* `keyword head` and the body; head: (nullable) */
static void
append_headed (GString *out, const char *keyword, MaltValue *head, MaltValue *body,
               int indent)
{
  MaltExprView heads = { .args = &head, .n_args = head != NULL ? 1 : 0 };

  if (head != NULL && malt_expr_is (head, "block"))
    malt_expr_view (head, &heads);
  g_string_append (out, keyword);
  if (heads.n_args > 0)
    g_string_append_c (out, ' ');
  malt_append_code_list (out, heads.args, heads.n_args,
                         strcmp (keyword, "elseif") == 0 ? " " : ", ", indent, 0);
  append_body (out, body, indent, indent + MALT_EXPR_INDENT);
}

void
malt_append_statements (GString *out, const char *keyword, const MaltExprView *expr,
                        int indent)
{
  g_string_append (out, keyword);
  for (gsize i = 0; i < expr->n_args; i++)
    {
      append_new_line (out, indent + MALT_EXPR_INDENT);
      malt_append_code (out, expr->args[i], indent + MALT_EXPR_INDENT,
                        MALT_EXPR_STATEMENT);
    }
  append_new_line (out, indent);
  g_string_append (out, "end");
}

/* An operator that is defined stands in parentheses: `function (+)(a, b)`. */
static void
append_function (GString *out, const MaltExprView *expr, int indent)
{
  MaltExprView call;
  const char *name;

  if (!malt_expr_view_as (expr->args[0], "call", &call) || call.n_args == 0 ||
      (name = malt_expr_symbol (call.args[0])) == NULL ||
      malt_text_is_identifier (name, strlen (name)))
    {
      append_headed (out, expr->head, expr->args[0], expr->args[1], indent);
      return;
    }
  g_string_append_printf (out, "%s %s(", expr->head, name);
  malt_append_code_list (out, call.args + 1, call.n_args - 1, ", ", indent, 0);
  g_string_append_c (out, ')');
  append_body (out, expr->args[1], indent, indent + MALT_EXPR_INDENT);
}

static gboolean
append_if (GString *out, const MaltExprView *expr, int indent)
{
  MaltExprView next;

  append_headed (out, expr->head, expr->args[0], expr->args[1], indent);
  if (expr->n_args == 2)
    {
      g_string_append (out, "end");
      return TRUE;
    }
  if (malt_expr_view_as (expr->args[2], "elseif", &next) &&
      (next.n_args == 2 || next.n_args == 3))
    return append_if (out, &next, indent);
  append_headed (out, "else", NULL, expr->args[2], indent);
  g_string_append (out, "end");
  return TRUE;
}

static gboolean
append_try (GString *out, const MaltExprView *expr, int indent)
{
  gboolean is_named;

  if (expr->n_args < 3 || expr->n_args > 4)
    return FALSE;
  append_headed (out, "try", NULL, expr->args[0], indent);
  is_named = expr->args[1]->kind == MALT_VALUE_SYMBOL;
  if (malt_expr_is (expr->args[2], "block"))
    append_headed (out, "catch", is_named ? expr->args[1] : NULL, expr->args[2], indent);
  if (expr->n_args == 4 && malt_expr_is (expr->args[3], "block"))
    append_headed (out, "finally", NULL, expr->args[3], indent);
  g_string_append (out, "end");
  return TRUE;
}

/* `f(x) do y ... end`: the arguments are a call and a function. */
static gboolean
append_do (GString *out, const MaltExprView *expr, int indent)
{
  MaltExprView function, parameters;

  if (expr->n_args != 2 || !malt_expr_view_as (expr->args[1], "->", &function) ||
      function.n_args != 2 || !malt_expr_view_as (function.args[0], "tuple", &parameters))
    return FALSE;
  malt_append_code (out, expr->args[0], indent, MALT_EXPR_STATEMENT);
  g_string_append (out, " do ");
  malt_append_code_list (out, parameters.args, parameters.n_args, ", ", 0, 0);
  append_body (out, function.args[1], indent, indent + MALT_EXPR_INDENT);
  g_string_append (out, "end");
  return TRUE;
}

/* struct and module: a flag, a head, a body. */
static gboolean
append_flagged (GString *out, const MaltExprView *expr, int indent)
{
  gboolean is_struct = strcmp (expr->head, "struct") == 0;
  gboolean flag;
  const char *keyword;

  if (expr->n_args != 3 || expr->args[0]->kind != MALT_VALUE_BOOL)
    return FALSE;
  flag = malt_value_get_bool (expr->args[0]);
  if (is_struct)
    keyword = flag ? "mutable struct" : "struct";
  else
    keyword = flag ? "module" : "baremodule";
  g_string_append_printf (out, "%s ", keyword);
  malt_append_code (out, expr->args[1], indent, 0);
  append_body (out, expr->args[2], indent,
               is_struct ? indent + MALT_EXPR_INDENT : indent);
  g_string_append (out, "end");
  return TRUE;
}

static gboolean
append_keyword (GString *out, const MaltExprView *expr, int indent)
{
  if (strcmp (expr->head, "return") == 0 && expr->n_args == 1 &&
      expr->args[0]->kind == MALT_VALUE_NOTHING)
    {
      g_string_append (out, expr->head);
      return TRUE;
    }
  g_string_append_printf (out, "%s ", expr->head);
  malt_append_code_list (out, expr->args, expr->n_args, ", ", indent, 0);
  return TRUE;
}

static gboolean
append_type_declaration (GString *out, const MaltExprView *expr, int indent)
{
  g_string_append_printf (out, "%s type ", expr->head);
  malt_append_code_list (out, expr->args, expr->n_args, " ", indent, 0);
  g_string_append (out, " end");
  return TRUE;
}

/* A path of names, or names out of a path: `A.B`, `A: b, c`. */
static gboolean
append_import_path (GString *out, MaltValue *value)
{
  MaltExprView path;

  if (!malt_expr_view (value, &path) || path.n_args == 0)
    return FALSE;
  if (strcmp (path.head, ":") == 0)
    {
      for (gsize i = 0; i < path.n_args; i++)
        {
          if (i > 0)
            g_string_append (out, i == 1 ? ": " : ", ");
          if (!append_import_path (out, path.args[i]))
            return FALSE;
        }
      return TRUE;
    }
  if (strcmp (path.head, ".") != 0)
    return FALSE;
  for (gsize i = 0; i < path.n_args; i++)
    {
      const char *name = malt_expr_symbol (path.args[i]);

      if (name == NULL)
        return FALSE;
      if (i > 0 && strcmp (malt_expr_symbol (path.args[i - 1]), ".") != 0)
        g_string_append_c (out, '.');
      g_string_append (out, name);
    }
  return TRUE;
}

static gboolean
append_import (GString *out, const MaltExprView *expr)
{
  gsize start = out->len;

  g_string_append_printf (out, "%s ", expr->head);
  for (gsize i = 0; i < expr->n_args; i++)
    {
      if (i > 0)
        g_string_append (out, ", ");
      if (!append_import_path (out, expr->args[i]))
        {
          g_string_truncate (out, start);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
malt_append_block_form (GString *out, const MaltExprView *expr, int indent)
{
  const char *head = expr->head;
  gsize n = expr->n_args;

  if (strcmp (head, "block") == 0)
    {
      malt_append_statements (out, "begin", expr, indent);
      return TRUE;
    }
  if (strcmp (head, "function") == 0 && n == 2)
    {
      append_function (out, expr, indent);
      g_string_append (out, "end");
      return TRUE;
    }
  if (n == 2 && (strcmp (head, "for") == 0 || strcmp (head, "while") == 0 ||
                 strcmp (head, "macro") == 0 || strcmp (head, "let") == 0))
    {
      append_headed (out, head, expr->args[0], expr->args[1], indent);
      g_string_append (out, "end");
      return TRUE;
    }
  if ((strcmp (head, "if") == 0 || strcmp (head, "elseif") == 0) && (n == 2 || n == 3))
    return append_if (out, expr, indent);
  if (strcmp (head, "try") == 0)
    return append_try (out, expr, indent);
  if (strcmp (head, "do") == 0)
    return append_do (out, expr, indent);
  if (strcmp (head, "struct") == 0 || strcmp (head, "module") == 0)
    return append_flagged (out, expr, indent);
  if (strcmp (head, "import") == 0 || strcmp (head, "using") == 0)
    return append_import (out, expr);
  if ((strcmp (head, "abstract") == 0 && n == 1) ||
      (strcmp (head, "primitive") == 0 && n == 2))
    return append_type_declaration (out, expr, indent);
  if (n == 0 && (strcmp (head, "break") == 0 || strcmp (head, "continue") == 0))
    {
      g_string_append (out, head);
      return TRUE;
    }
  if ((n == 1 && (strcmp (head, "return") == 0 || strcmp (head, "const") == 0)) ||
      strcmp (head, "local") == 0 || strcmp (head, "global") == 0 ||
      strcmp (head, "export") == 0)
    return append_keyword (out, expr, indent);
  return FALSE;
}
