/* SPDX-License-Identifier: MIT */
/* What is in a call. */
#include "worker/malt-call-private.h"

/**
 * malt_call_get_kind:
 * @call: a call
 *
 * Says what the call does.
 *
 * Returns: the kind
 */
MaltCallKind
malt_call_get_kind (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, MALT_CALL_FUNCTION);
  return call->kind;
}

/**
 * malt_call_get_function:
 * @call: a call
 *
 * Gives the source of the function.
 *
 * Returns: (nullable): the text of malt_call_new(); %NULL for other calls
 */
const char *
malt_call_get_function (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->kind == MALT_CALL_FUNCTION ? call->text : NULL;
}

/**
 * malt_call_get_function_handle:
 * @call: a call
 *
 * Gives the handle of the function.
 *
 * Returns: (transfer none) (nullable): the handle of malt_call_new_for_handle(); %NULL for
 *   other calls
 */
MaltValue *
malt_call_get_function_handle (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->kind == MALT_CALL_FUNCTION ? call->subject : NULL;
}

/**
 * malt_call_get_source:
 * @call: a call
 *
 * Gives the source text to evaluate.
 *
 * Returns: (nullable): the text of malt_call_new_eval(); %NULL for other calls
 */
const char *
malt_call_get_source (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->kind == MALT_CALL_EVAL ? call->text : NULL;
}

/**
 * malt_call_get_code:
 * @call: a call
 *
 * Gives the code to evaluate.
 *
 * Returns: (transfer none) (nullable): the value of malt_call_new_eval_value(), or a String
 *   with the arguments of malt_call_new_program(), each ended by a NUL byte; %NULL for other
 *   calls
 */
MaltValue *
malt_call_get_code (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->kind == MALT_CALL_EVAL_VALUE || call->kind == MALT_CALL_PROGRAM
             ? call->subject
             : NULL;
}

/**
 * malt_call_get_module:
 * @call: a call
 *
 * Gives the module in which names are looked up and code is evaluated.
 *
 * Returns: (nullable): a dotted path, as in malt_call_new_eval(); %NULL: the worker's module
 */
const char *
malt_call_get_module (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->module;
}

/**
 * malt_call_get_n_arguments:
 * @call: a call
 *
 * Counts the positional arguments.
 *
 * Returns: their number
 */
gsize
malt_call_get_n_arguments (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, 0);
  return call->arguments != NULL ? call->arguments->len : 0;
}

/**
 * malt_call_get_argument:
 * @call: a call
 * @index: number of the argument, from 0
 *
 * Gives a positional argument.
 *
 * Returns: (transfer none): its value
 */
MaltValue *
malt_call_get_argument (MaltCall *call, gsize index)
{
  g_return_val_if_fail (index < malt_call_get_n_arguments (call), NULL);
  return g_array_index (call->arguments, MaltCallArgument, index).value;
}

/**
 * malt_call_get_n_keywords:
 * @call: a call
 *
 * Counts the keyword arguments.
 *
 * Returns: their number
 */
gsize
malt_call_get_n_keywords (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, 0);
  return call->keywords != NULL ? call->keywords->len : 0;
}

/**
 * malt_call_get_keyword_name:
 * @call: a call
 * @index: number of the keyword argument, from 0
 *
 * Gives the name of a keyword argument.
 *
 * Returns: its name
 */
const char *
malt_call_get_keyword_name (MaltCall *call, gsize index)
{
  g_return_val_if_fail (index < malt_call_get_n_keywords (call), NULL);
  return g_array_index (call->keywords, MaltCallArgument, index).name;
}

/**
 * malt_call_get_keyword_value:
 * @call: a call
 * @index: number of the keyword argument, from 0
 *
 * Gives the value of a keyword argument.
 *
 * Returns: (transfer none): its value
 */
MaltValue *
malt_call_get_keyword_value (MaltCall *call, gsize index)
{
  g_return_val_if_fail (index < malt_call_get_n_keywords (call), NULL);
  return g_array_index (call->keywords, MaltCallArgument, index).value;
}

/**
 * malt_call_get_result_mode:
 * @call: a call
 *
 * Says in which form the result comes back.
 *
 * Returns: the mode
 */
MaltResultMode
malt_call_get_result_mode (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, MALT_RESULT_VALUE);
  return call->result_mode;
}

/**
 * malt_call_get_display_size:
 * @call: a call
 * @out_n_rows: (out) (optional): lines
 * @out_n_columns: (out) (optional): columns
 *
 * Gives the size of the display that %MALT_RESULT_DISPLAY is meant for.
 */
void
malt_call_get_display_size (MaltCall *call, guint *out_n_rows, guint *out_n_columns)
{
  g_return_if_fail (call != NULL);
  if (out_n_rows != NULL)
    *out_n_rows = call->n_rows;
  if (out_n_columns != NULL)
    *out_n_columns = call->n_columns;
}

/**
 * malt_call_get_display_color:
 * @call: a call
 *
 * Says whether %MALT_RESULT_DISPLAY uses colours.
 *
 * Returns: %TRUE if it may
 */
gboolean
malt_call_get_display_color (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, FALSE);
  return call->is_color;
}

/**
 * malt_call_get_file_name:
 * @call: a call
 *
 * Gives the file name that stack traces show.
 *
 * Returns: (nullable): the name; %NULL: the default
 */
const char *
malt_call_get_file_name (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  return call->file_name;
}

/**
 * malt_call_get_timeout_ms:
 * @call: a call
 *
 * Gives the deadline of the answer.
 *
 * Returns: milliseconds from the moment the call is sent; -1: no deadline
 */
gint64
malt_call_get_timeout_ms (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, -1);
  return call->timeout_ms;
}
