/* SPDX-License-Identifier: MIT */
/* MaltCall: what to run on a worker, and what to send back. Documentation stands beside
 * the code. */
#pragma once

#if !defined(MALT_INSIDE) && !defined(MALT_COMPILATION)
#error "Only <malt/malt.h> can be included directly."
#endif

#include <malt/malt-types.h>
#include <malt/malt-value.h>

G_BEGIN_DECLS

/**
 * MaltCallKind:
 * @MALT_CALL_FUNCTION: call a function with arguments
 * @MALT_CALL_EVAL: evaluate source text at top level
 * @MALT_CALL_EVAL_VALUE: evaluate code given as a value, normally an Expr
 * @MALT_CALL_PROGRAM: run a file as the program of the worker, which ends with it
 *
 * What a call does.
 */
typedef enum
{
  MALT_CALL_FUNCTION,
  MALT_CALL_EVAL,
  MALT_CALL_EVAL_VALUE,
  MALT_CALL_PROGRAM,
} MaltCallKind;

/**
 * MaltResultMode:
 * @MALT_RESULT_VALUE: the value
 * @MALT_RESULT_DISCARD: the value is discarded on the worker; the answer is `nothing`
 * @MALT_RESULT_DISPLAY: the text that Julia's REPL would show for the value, as a String;
 *   `nothing` where it shows nothing (the value is `nothing`, or the source ends with a
 *   semicolon)
 * @MALT_RESULT_HANDLE: the value stays on the worker and the answer is a handle to it
 *
 * In which form the result of a call comes back.
 */
typedef enum
{
  MALT_RESULT_VALUE,
  MALT_RESULT_DISCARD,
  MALT_RESULT_DISPLAY,
  MALT_RESULT_HANDLE,
} MaltResultMode;

#define MALT_TYPE_CALL (malt_call_get_type ())

MALT_EXPORT
GType malt_call_get_type (void) G_GNUC_CONST;

MALT_EXPORT
MaltCall *malt_call_new (const char *function);
MALT_EXPORT
MaltCall *malt_call_new_for_handle (MaltValue *function);
MALT_EXPORT
MaltCall *malt_call_new_eval (const char *module, const char *source);
MALT_EXPORT
MaltCall *malt_call_new_eval_value (const char *module, MaltValue *code);
MALT_EXPORT
MaltCall *malt_call_new_program (const char *file_name, const char *const *arguments);
MALT_EXPORT
MaltCall *malt_call_ref (MaltCall *call);
MALT_EXPORT
void malt_call_unref (MaltCall *call);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltCall, malt_call_unref)

MALT_EXPORT
MaltCall *malt_call_add_argument (MaltCall *call, MaltValue *value);
MALT_EXPORT
MaltCall *malt_call_take_argument (MaltCall *call, MaltValue *value);
MALT_EXPORT
MaltCall *malt_call_add_keyword (MaltCall *call, const char *name, MaltValue *value);
MALT_EXPORT
void malt_call_set_module (MaltCall *call, const char *module);
MALT_EXPORT
void malt_call_set_result_mode (MaltCall *call, MaltResultMode mode);
MALT_EXPORT
void malt_call_set_display_size (MaltCall *call, guint n_rows, guint n_columns);
MALT_EXPORT
void malt_call_set_display_color (MaltCall *call, gboolean is_color);
MALT_EXPORT
void malt_call_set_file_name (MaltCall *call, const char *file_name);
MALT_EXPORT
void malt_call_set_timeout_ms (MaltCall *call, gint64 timeout_ms);

MALT_EXPORT
MaltCallKind malt_call_get_kind (MaltCall *call);
MALT_EXPORT
const char *malt_call_get_function (MaltCall *call);
MALT_EXPORT
MaltValue *malt_call_get_function_handle (MaltCall *call);
MALT_EXPORT
const char *malt_call_get_source (MaltCall *call);
MALT_EXPORT
MaltValue *malt_call_get_code (MaltCall *call);
MALT_EXPORT
const char *malt_call_get_module (MaltCall *call);
MALT_EXPORT
gsize malt_call_get_n_arguments (MaltCall *call);
MALT_EXPORT
MaltValue *malt_call_get_argument (MaltCall *call, gsize index);
MALT_EXPORT
gsize malt_call_get_n_keywords (MaltCall *call);
MALT_EXPORT
const char *malt_call_get_keyword_name (MaltCall *call, gsize index);
MALT_EXPORT
MaltValue *malt_call_get_keyword_value (MaltCall *call, gsize index);
MALT_EXPORT
MaltResultMode malt_call_get_result_mode (MaltCall *call);
MALT_EXPORT
void malt_call_get_display_size (MaltCall *call, guint *out_n_rows, guint *out_n_columns);
MALT_EXPORT
gboolean malt_call_get_display_color (MaltCall *call);
MALT_EXPORT
const char *malt_call_get_file_name (MaltCall *call);
MALT_EXPORT
gint64 malt_call_get_timeout_ms (MaltCall *call);
MALT_EXPORT
char *malt_call_to_string (MaltCall *call);

G_END_DECLS
