/* SPDX-License-Identifier: MIT */
/* A call in words, for messages. */
#include "base/malt-error-private.h"

#include <malt/malt-call.h>

#define MAX_SUMMARY_CHARS 80
#define MAX_ARGUMENT_CHARS 20
#define MAX_SUMMARY_ARGUMENTS 4

/* Small values as they are, others by their type: nothing that takes long. */
static void
append_value (GString *text, MaltValue *value)
{
  MaltValueKind kind = malt_value_get_kind (value);
  g_autofree char *full = NULL;
  g_autofree char *line = NULL;
  gsize n_bytes = 0;

  if (kind == MALT_VALUE_STRING)
    malt_value_get_string (value, &n_bytes);
  if (kind <= MALT_VALUE_SYMBOL && n_bytes <= MAX_ARGUMENT_CHARS)
    {
      full = malt_value_to_string (value);
      line = malt_text_to_line (full, MAX_ARGUMENT_CHARS + 2);
      g_string_append (text, line);
    }
  else
    g_string_append_printf (text, "::%s", malt_value_get_type_name (value));
}

static void
append_arguments (GString *text, MaltCall *call)
{
  gsize n_arguments = malt_call_get_n_arguments (call);

  for (gsize i = 0; i < n_arguments; i++)
    {
      if (i > 0)
        g_string_append (text, ", ");
      if (i == MAX_SUMMARY_ARGUMENTS)
        {
          g_string_append (text, "…");
          return;
        }
      append_value (text, malt_call_get_argument (call, i));
    }
}

static void
append_keywords (GString *text, MaltCall *call)
{
  gsize n_keywords = malt_call_get_n_keywords (call);

  for (gsize i = 0; i < n_keywords; i++)
    {
      g_string_append (text, i == 0 ? "; " : ", ");
      if (i == MAX_SUMMARY_ARGUMENTS)
        {
          g_string_append (text, "…");
          return;
        }
      g_string_append_printf (text, "%s = ", malt_call_get_keyword_name (call, i));
      append_value (text, malt_call_get_keyword_value (call, i));
    }
}

/**
 * malt_call_to_string:
 * @call: a call
 *
 * Describes the call on one line, for messages: large arguments by their type, long source
 * by its beginning.
 *
 * Returns: (transfer full): the text
 */
char *
malt_call_to_string (MaltCall *call)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_return_val_if_fail (call != NULL, NULL);
  switch (malt_call_get_kind (call))
    {
    case MALT_CALL_EVAL:
      return malt_text_to_line (malt_call_get_source (call), MAX_SUMMARY_CHARS);
    case MALT_CALL_EVAL_VALUE:
      append_value (text, malt_call_get_code (call));
      break;
    case MALT_CALL_PROGRAM:
      return malt_text_to_line (malt_call_get_file_name (call), MAX_SUMMARY_CHARS);
    case MALT_CALL_FUNCTION:
      if (malt_call_get_function (call) != NULL)
        g_string_append (text, malt_call_get_function (call));
      else
        append_value (text, malt_call_get_function_handle (call));
      g_string_append_c (text, '(');
      append_arguments (text, call);
      append_keywords (text, call);
      g_string_append_c (text, ')');
      break;
    default:
      break;
    }
  return malt_text_to_line (text->str, MAX_SUMMARY_CHARS);
}
