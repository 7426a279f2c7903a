/* SPDX-License-Identifier: MIT */
/* What the two halves of the printer of expressions share. */
#pragma once

#include "malt-value-private.h"

G_BEGIN_DECLS

/* Spaces by which a block is indented. */
#define MALT_EXPR_INDENT 4

/* The precedence of a statement: what stands alone needs no parentheses. */
#define MALT_EXPR_STATEMENT (-1)

/* An Expr, taken apart. */
typedef struct
{
  const char *head;
  MaltValue *const *args;
  gsize n_args;
} MaltExprView;

gboolean malt_expr_view (MaltValue *value, MaltExprView *out_view);
gboolean malt_expr_view_as (MaltValue *value, const char *head, MaltExprView *out_view);
gboolean malt_expr_is (MaltValue *value, const char *head);
/* The text of a Symbol, or NULL. */
const char *malt_expr_symbol (MaltValue *value);

/* As Julia's show_unquoted(): code, not a value. */
void malt_append_code (GString *out, MaltValue *value, int indent, int precedence);
void malt_append_code_list (GString *out, MaltValue *const *items, gsize n_items,
                            const char *separator, int indent, int precedence);
void malt_append_identifier (GString *out, const char *name, gsize n_bytes);
/* A keyword, statements one to a line, `end`. */
void malt_append_statements (GString *out, const char *keyword, const MaltExprView *expr,
                             int indent);
/* FALSE if the head is none that begins a block or a declaration. */
gboolean malt_append_block_form (GString *out, const MaltExprView *expr, int indent);

G_END_DECLS
