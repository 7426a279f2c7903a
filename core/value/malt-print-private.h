/* SPDX-License-Identifier: MIT */
/* What the parts of the printer share: malt-print.c and malt-print-*.c. */
#pragma once

#include "value/malt-value-private.h"

#include <string.h>

G_BEGIN_DECLS

/* Whether a canonical type is that name with or without parameters; a type of NULL has
 * no name. */
gboolean malt_type_has_name (const char *type, const char *name);
/* Whether Julia can tell the type from how its instances are written. */
gboolean malt_type_is_implicit (const char *type);
void malt_append_array (GString *out, MaltValue *value, const char *known_type);
/* The children of any value, as a Vector with this element type. */
void malt_append_vector (GString *out, MaltValue *value, const char *element_type,
                         const char *known_type);

/* Expressions */

static inline gboolean
malt_text_is_among (const char *text, const char *const *texts, gsize n_texts)
{
  for (gsize i = 0; i < n_texts; i++)
    if (strcmp (texts[i], text) == 0)
      return TRUE;
  return FALSE;
}

#define MALT_TEXT_IS_AMONG(text, ...)                             \
  malt_text_is_among (text, (const char *const[]){ __VA_ARGS__ }, \
                      G_N_ELEMENTS (((const char *const[]){ __VA_ARGS__ })))

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
/* In parentheses unless the surroundings bind less. */
void malt_append_infix (GString *out, MaltValue *const *items, gsize n_items,
                        const char *separator, int indent, int own_precedence,
                        int precedence);
/* Arguments of a call, among which `kw` is written as `=` and `=` cannot stand by
 * itself. */
void malt_append_arguments (GString *out, MaltValue *const *items, gsize n_items,
                            int indent);
void malt_append_unknown_form (GString *out, MaltValue *value, const MaltExprView *expr);
/* FALSE if the head is none of a call. */
gboolean malt_append_call_form (GString *out, const MaltExprView *expr, int indent,
                                int precedence);
gboolean malt_append_dot_form (GString *out, const MaltExprView *expr, int indent);
/* The value of a QuoteNode or of a `quote` with one part, or NULL. */
MaltValue *malt_expr_get_quoted (MaltValue *value);
gboolean malt_expr_name_is_operator (const char *text);
gboolean malt_expr_name_is_unary_operator (const char *text);
/* 0 for NULL and for what is no operator. */
int malt_expr_name_precedence (const char *text);
void malt_append_identifier (GString *out, const char *name, gsize n_bytes);
/* A keyword, statements one to a line, `end`. */
void malt_append_statements (GString *out, const char *keyword, const MaltExprView *expr,
                             int indent);
/* FALSE if the head is none that begins a block or a declaration. */
gboolean malt_append_block_form (GString *out, const MaltExprView *expr, int indent);

G_END_DECLS
