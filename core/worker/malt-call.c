/* SPDX-License-Identifier: MIT */
/* MaltCall: what to run on a worker, and what to send back. */
#include "worker/malt-call-private.h"

#include "base/malt-memory.h"

#include <malt/malt-error.h>
#include <string.h>

#define DEFAULT_DISPLAY_ROWS 24
#define DEFAULT_DISPLAY_COLUMNS 80

/**
 * MaltCall:
 *
 * What to run on a worker, and what to send back. It is built up by one thread; from its
 * first use on it can be used again, also on other workers and from other threads, but no
 * longer changed.
 */

G_DEFINE_BOXED_TYPE (MaltCall, malt_call, malt_call_ref, malt_call_unref)

#define CAN_CHANGE(call) ((call) != NULL && !g_atomic_int_get (&(call)->is_sealed))

static void
argument_clear (gpointer data)
{
  MaltCallArgument *argument = data;

  g_free (argument->name);
  malt_value_unref (argument->value);
}

static MaltCall *
call_new (MaltCallKind kind, const char *module, const char *text, MaltValue *subject)
{
  MaltCall *call = g_new0 (MaltCall, 1);

  g_atomic_ref_count_init (&call->ref_count);
  call->kind = kind;
  call->module = g_strdup (module);
  call->text = malt_memory_dup_text (text, NULL);
  if (text != NULL && call->text == NULL)
    {
      call->is_short = TRUE;
      call->text = g_strdup ("");
    }
  call->subject = subject != NULL ? malt_value_ref (subject) : NULL;
  call->n_rows = DEFAULT_DISPLAY_ROWS;
  call->n_columns = DEFAULT_DISPLAY_COLUMNS;
  call->timeout_ms = -1;
  return call;
}

/**
 * malt_call_new:
 * @function: Julia source of something callable: a name such as "sum" or "Base.Math.sin", or
 *   any expression, such as "x -> x + 1"
 *
 * Makes a call of a function. Names are looked up when the call runs, in the module of
 * malt_call_set_module().
 *
 * Returns: (transfer full): a call without arguments
 */
MaltCall *
malt_call_new (const char *function)
{
  g_return_val_if_fail (function != NULL, NULL);
  return call_new (MALT_CALL_FUNCTION, NULL, function, NULL);
}

/**
 * malt_call_new_for_handle:
 * @function: a handle to something callable
 *
 * Makes a call of a function that a worker gave out as a handle. It can be run on that
 * worker only.
 *
 * Returns: (transfer full): a call without arguments
 */
MaltCall *
malt_call_new_for_handle (MaltValue *function)
{
  g_return_val_if_fail (function != NULL, NULL);
  g_return_val_if_fail (malt_value_get_kind (function) == MALT_VALUE_HANDLE, NULL);
  return call_new (MALT_CALL_FUNCTION, NULL, NULL, function);
}

/**
 * malt_call_new_eval:
 * @module: (nullable): the module to evaluate in, a dotted path from the module that the
 *   worker was given, which is mostly Main, or from Main if it begins so; %NULL: the
 *   worker's module
 * @source: Julia source; several expressions are evaluated in order, the last gives the value
 *
 * Makes a call that evaluates source text at top level: it may import, define macros and
 * types, and set globals.
 *
 * Returns: (transfer full): a call
 */
MaltCall *
malt_call_new_eval (const char *module, const char *source)
{
  g_return_val_if_fail (source != NULL, NULL);
  return call_new (MALT_CALL_EVAL, module, source, NULL);
}

/**
 * malt_call_new_eval_value:
 * @module: (nullable): the module to evaluate in, as in malt_call_new_eval()
 * @code: the code, normally an Expr or a Symbol; other values evaluate to themselves
 *
 * Makes a call that evaluates code which was built as a value.
 *
 * Returns: (transfer full): a call
 */
MaltCall *
malt_call_new_eval_value (const char *module, MaltValue *code)
{
  g_return_val_if_fail (code != NULL, NULL);
  return call_new (MALT_CALL_EVAL_VALUE, module, NULL, code);
}

/**
 * malt_call_new_program:
 * @file_name: (type filename): the file, relative to the worker's directory; `-`: the worker's
 *   standard input
 * @arguments: (nullable) (array zero-terminated=1) (element-type filename): its arguments
 *
 * Makes a call that runs a file as `julia FILE ARGUMENTS` does. A worker of `malt-process`
 * runs it on Julia's root task, and prints its exceptions and ends as Julia does: with the
 * program, its hooks of `atexit`, and their status. So the answer is
 * %MALT_ERROR_WORKER_TERMINATED, and the termination says how the program ended. An interrupt
 * of the busy program does what Ctrl-C does to `julia FILE`: it ends the worker. Other calls
 * are answered while the program waits. A worker that is another's process, as of
 * `distributed`, does the same in a task; one inside the host answers with `nothing` or with
 * the exception, and does not end.
 *
 * Returns: (transfer full): a call
 */
MaltCall *
malt_call_new_program (const char *file_name, const char *const *arguments)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  g_autoptr (MaltValue) value = NULL;
  MaltCall *call;

  g_return_val_if_fail (file_name != NULL, NULL);
  for (; arguments != NULL && *arguments != NULL; arguments++)
    g_string_append_len (joined, *arguments, (gssize) strlen (*arguments) + 1);
  value = malt_value_new_string_len (joined->str, joined->len);
  call = call_new (MALT_CALL_PROGRAM, NULL, NULL, value);
  call->file_name = g_strdup (file_name);
  call->result_mode = MALT_RESULT_DISCARD;
  return call;
}

/**
 * malt_call_ref:
 * @call: a call
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the same call
 */
MaltCall *
malt_call_ref (MaltCall *call)
{
  g_return_val_if_fail (call != NULL, NULL);
  g_atomic_ref_count_inc (&call->ref_count);
  return call;
}

/**
 * malt_call_unref:
 * @call: (transfer full): a call
 *
 * Drops a reference.
 */
void
malt_call_unref (MaltCall *call)
{
  g_return_if_fail (call != NULL);
  if (!g_atomic_ref_count_dec (&call->ref_count))
    return;
  g_free (call->text);
  g_clear_pointer (&call->subject, malt_value_unref);
  g_free (call->module);
  g_free (call->file_name);
  g_clear_pointer (&call->arguments, g_array_unref);
  g_clear_pointer (&call->keywords, g_array_unref);
  g_free (call);
}

void
malt_call_seal (MaltCall *call)
{
  /* A plain load first: a call that is used again and again should not bounce between
   * caches. */
  if (!g_atomic_int_get (&call->is_sealed))
    g_atomic_int_set (&call->is_sealed, TRUE);
}

gboolean
malt_call_check (MaltCall *call, GError **error)
{
  if (call->is_short)
    g_set_error_literal (error, MALT_ERROR, MALT_ERROR_RESOURCES,
                         "there was no memory for the source of the call");
  return !call->is_short;
}

MaltCall *
malt_call_dup_discarding (MaltCall *call)
{
  MaltCall *copy;

  malt_call_seal (call);
  if (call->result_mode == MALT_RESULT_DISCARD)
    return malt_call_ref (call);
  copy = call_new (call->kind, call->module, call->text, call->subject);
  copy->file_name = g_strdup (call->file_name);
  copy->arguments = call->arguments != NULL ? g_array_ref (call->arguments) : NULL;
  copy->keywords = call->keywords != NULL ? g_array_ref (call->keywords) : NULL;
  copy->timeout_ms = call->timeout_ms;
  copy->is_short |= call->is_short;
  copy->result_mode = MALT_RESULT_DISCARD;
  malt_call_seal (copy);
  return copy;
}

/* Building */

static void
append_argument (GArray **array, const char *name, MaltValue *value)
{
  MaltCallArgument argument = { .name = g_strdup (name), .value = value };

  if (*array == NULL)
    {
      *array = g_array_new (FALSE, FALSE, sizeof (MaltCallArgument));
      g_array_set_clear_func (*array, argument_clear);
    }
  g_array_append_val (*array, argument);
}

/**
 * malt_call_add_argument:
 * @call: a call of a function
 * @value: the argument
 *
 * Appends a positional argument.
 *
 * Returns: (transfer none): the same call, so that additions can be chained
 */
MaltCall *
malt_call_add_argument (MaltCall *call, MaltValue *value)
{
  g_return_val_if_fail (value != NULL, call);
  return malt_call_take_argument (call, malt_value_ref (value));
}

/**
 * malt_call_take_argument:
 * @call: a call of a function
 * @value: (transfer full): the argument
 *
 * Appends a positional argument and takes over the caller's reference to it.
 *
 * Returns: (transfer none): the same call, so that additions can be chained
 */
MaltCall *
malt_call_take_argument (MaltCall *call, MaltValue *value)
{
  g_return_val_if_fail (CAN_CHANGE (call), call);
  g_return_val_if_fail (call->kind == MALT_CALL_FUNCTION, call);
  g_return_val_if_fail (value != NULL, call);
  append_argument (&call->arguments, NULL, value);
  return call;
}

/**
 * malt_call_add_keyword:
 * @call: a call of a function
 * @name: name of the keyword
 * @value: its value
 *
 * Appends a keyword argument.
 *
 * Returns: (transfer none): the same call, so that additions can be chained
 */
MaltCall *
malt_call_add_keyword (MaltCall *call, const char *name, MaltValue *value)
{
  g_return_val_if_fail (CAN_CHANGE (call), call);
  g_return_val_if_fail (call->kind == MALT_CALL_FUNCTION, call);
  g_return_val_if_fail (name != NULL && *name != '\0', call);
  g_return_val_if_fail (value != NULL, call);
  append_argument (&call->keywords, name, malt_value_ref (value));
  return call;
}

/**
 * malt_call_set_module:
 * @call: a call
 * @module: (nullable): the module, as in malt_call_new_eval()
 *
 * Sets the module in which names are looked up and code is evaluated.
 */
void
malt_call_set_module (MaltCall *call, const char *module)
{
  g_return_if_fail (CAN_CHANGE (call));
  g_free (call->module);
  call->module = g_strdup (module);
}

/**
 * malt_call_set_result_mode:
 * @call: a call
 * @mode: the form of the answer; the default is %MALT_RESULT_VALUE
 *
 * Sets in which form the result comes back.
 */
void
malt_call_set_result_mode (MaltCall *call, MaltResultMode mode)
{
  g_return_if_fail (CAN_CHANGE (call));
  call->result_mode = mode;
}

/**
 * malt_call_set_display_size:
 * @call: a call
 * @n_rows: lines of the display that the text is meant for; the default is 24
 * @n_columns: its columns; the default is 80
 *
 * Sets how much %MALT_RESULT_DISPLAY shows of large values.
 */
void
malt_call_set_display_size (MaltCall *call, guint n_rows, guint n_columns)
{
  g_return_if_fail (CAN_CHANGE (call));
  g_return_if_fail (n_rows > 0 && n_columns > 0);
  call->n_rows = n_rows;
  call->n_columns = n_columns;
}

/**
 * malt_call_set_display_color:
 * @call: a call
 * @is_color: whether the text may contain terminal colours; the default is %FALSE
 *
 * Sets whether %MALT_RESULT_DISPLAY uses colours.
 */
void
malt_call_set_display_color (MaltCall *call, gboolean is_color)
{
  g_return_if_fail (CAN_CHANGE (call));
  call->is_color = is_color;
}

/**
 * malt_call_set_file_name:
 * @call: a call that evaluates
 * @file_name: (nullable): the name; %NULL: Julia's default for evaluated text
 *
 * Sets the file whose text it is: stack traces show that name, `@__FILE__` gives it, and
 * `include` looks beside it. Text that does not parse is a `LoadError` with its line.
 */
void
malt_call_set_file_name (MaltCall *call, const char *file_name)
{
  g_return_if_fail (CAN_CHANGE (call));
  g_free (call->file_name);
  call->file_name = g_strdup (file_name);
}

/**
 * malt_call_set_timeout_ms:
 * @call: a call
 * @timeout_ms: milliseconds from the moment the call is sent; -1, the default: no deadline
 *
 * Sets the deadline of the answer. When it passes the future fails with
 * %MALT_ERROR_TIMED_OUT; the worker goes on running the call, and malt_future_interrupt()
 * can end it.
 */
void
malt_call_set_timeout_ms (MaltCall *call, gint64 timeout_ms)
{
  g_return_if_fail (CAN_CHANGE (call));
  g_return_if_fail (timeout_ms >= -1);
  call->timeout_ms = timeout_ms;
}
