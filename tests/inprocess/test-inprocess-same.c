/* SPDX-License-Identifier: MIT */
/*
 * The same code gives the same answers, the same output and the same errors as in a worker process, byte for byte, and in a module of
 * its own as in Main.
 *
 * Each of the expressions in expressions.jl is evaluated as `malt eval` does it. All that a host can see of it becomes one text, and
 * the texts are compared as they are: nothing is normalised.
 */
#include "inprocess-test.h"

#include <string.h>

#define EXPRESSIONS MALT_TEST_SOURCE_DIR "/inprocess/expressions.jl"
#define LEAST_EXPRESSIONS 60
#define MAIN_ONLY "main: "

typedef struct
{
  char *name; /* (owned) */
  char *source; /* (owned) */
  gboolean is_of_main; /* it shows the module in which it runs */
} Expression;

static GPtrArray *expressions; /* of Expression (owned) */

static void
expression_free (gpointer data)
{
  Expression *expression = data;

  g_free (expression->name);
  g_free (expression->source);
  g_free (expression);
}

/* From "name\nsource\n". */
static Expression *
expression_new (const char *block)
{
  Expression *expression = g_new0 (Expression, 1);
  const char *end = strchrnul (block, '\n');

  expression->is_of_main = g_str_has_prefix (block, MAIN_ONLY);
  expression->name = g_strndup (block, (gsize) (end - block));
  expression->source = g_strchomp (g_strdup (*end != '\0' ? end + 1 : end));
  return expression;
}

static GPtrArray *
read_expressions (void)
{
  GPtrArray *read = g_ptr_array_new_with_free_func (expression_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) blocks = NULL;

  if (!g_file_get_contents (EXPRESSIONS, &text, NULL, NULL))
    return read;
  blocks = g_strsplit (text, "\n### ", -1);
  for (guint i = 1; i < g_strv_length (blocks); i++)
    g_ptr_array_add (read, expression_new (blocks[i]));
  return read;
}

/* What a host sees */

typedef struct
{
  GString *streams[2]; /* (owned) */
  GAsyncResult *result; /* (owned) (nullable) */
} Seen;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream,
           G_GNUC_UNUSED guint call_id, GBytes *bytes, gpointer user_data)
{
  Seen *seen = user_data;

  g_string_append_len (seen->streams[stream - 1], g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
}

static void
on_answer (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Seen *) user_data)->result = g_object_ref (result);
}

static void
add_part (GString *text, const char *title, const char *part)
{
  if (part != NULL)
    g_string_append_printf (text, "[%s]\n%s\n", title, part);
}

static char *
describe (const Seen *seen, MaltValue *value, const GError *error)
{
  GString *text = g_string_new (NULL);
  g_autofree char *shown = NULL;
  g_autofree char *code = NULL;

  add_part (text, "standard output", seen->streams[0]->str);
  add_part (text, "standard error", seen->streams[1]->str);
  if (value != NULL)
    {
      shown = malt_value_get_kind (value) == MALT_VALUE_STRING
                  ? malt_value_dup_string (value)
                  : malt_value_to_string (value);
      add_part (text, malt_value_get_type_name (value), shown);
      return g_string_free (text, FALSE);
    }
  code = g_strdup_printf ("%d", error->code);
  add_part (text, "error", code);
  add_part (text, "exception", malt_error_get_exception_type (error));
  add_part (text, "message", malt_error_get_exception_message (error));
  add_part (text, "backtrace", malt_error_get_backtrace (error));
  return g_string_free (text, FALSE);
}

static char *
evaluate (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, source);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  Seen seen = { { g_string_new (NULL), g_string_new (NULL) }, NULL };
  gulong handler = g_signal_connect (worker, "output", G_CALLBACK (on_output), &seen);
  char *text;

  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  malt_call_set_display_size (call, 24, 80);
  future = malt_worker_remote_call (worker, call);
  malt_future_fetch_async (future, NULL, on_answer, &seen);
  while (seen.result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = malt_future_fetch_finish (future, seen.result, &error);
  g_signal_handler_disconnect (worker, handler);
  text = describe (&seen, value, error);
  g_object_unref (seen.result);
  g_string_free (seen.streams[0], TRUE);
  g_string_free (seen.streams[1], TRUE);
  return text;
}

/* All of them, in one worker. NULL: it could not be launched. */
static GPtrArray *
evaluate_all (const char *backend, const char *module)
{
  g_autoptr (MaltConfig) config = malt_config_new_default (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  GPtrArray *texts;

  malt_config_set_backend (config, backend);
  malt_config_set_for (config, backend, "output", "signal");
  if (module != NULL)
    malt_config_set_for (config, backend, "module", module);
  worker = malt_worker_launch (config, NULL, &error);
  if (worker == NULL)
    {
      g_printerr ("\n      no worker: %s\n", error->message);
      return NULL;
    }
  texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < expressions->len; i++)
    {
      const Expression *expression = expressions->pdata[i];

      g_ptr_array_add (texts, evaluate (worker, expression->source));
    }
  malt_worker_stop (worker, NULL, NULL);
  return texts;
}

/* Comparisons */

static GPtrArray *of_main; /* (owned) (nullable): in-process, in Main */

static GPtrArray *
get_texts_of_main (void)
{
  if (of_main == NULL)
    of_main = evaluate_all ("inprocess", NULL);
  return of_main;
}

static void
compare (const Expression *expression, const char *seen, const char *expected)
{
  if (strcmp (seen, expected) == 0)
    malt_test_record (__FILE__, __LINE__, expression->name, NULL);
  else
    MALT_TEST_FAIL ("%s\n--- expected\n%.4000s\n--- seen\n%.4000s\n---", expression->name,
                    expected, seen);
}

static void
there_are_expressions_to_compare (void)
{
  malt_assert (expressions->len >= LEAST_EXPRESSIONS);
}

static void
code_gives_the_same_as_in_a_worker_process (void)
{
  GPtrArray *seen = get_texts_of_main ();
  g_autoptr (GPtrArray) expected = evaluate_all ("malt-process", NULL);

  malt_assert (seen != NULL && expected != NULL);
  for (guint i = 0; i < expressions->len; i++)
    compare (expressions->pdata[i], seen->pdata[i], expected->pdata[i]);
}

static void
code_gives_the_same_in_a_module_of_its_own_as_in_main (void)
{
  GPtrArray *expected = get_texts_of_main ();
  g_autoptr (GPtrArray) seen = evaluate_all ("inprocess", "new");

  malt_assert (seen != NULL && expected != NULL);
  for (guint i = 0; i < expressions->len; i++)
    if (!((Expression *) expressions->pdata[i])->is_of_main)
      compare (expressions->pdata[i], seen->pdata[i], expected->pdata[i]);
}

static const CU_TestInfo tests[] = {
  MALT_TEST (there_are_expressions_to_compare),
  MALT_TEST (code_gives_the_same_as_in_a_worker_process),
  MALT_TEST (code_gives_the_same_in_a_module_of_its_own_as_in_main),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  int status;

  expressions = read_expressions ();
  status = inprocess_test_main (argc, argv, "same as in a process", tests, NULL);
  g_ptr_array_unref (expressions);
  g_clear_pointer (&of_main, g_ptr_array_unref);
  return status;
}
