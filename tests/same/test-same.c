/* SPDX-License-Identifier: MIT */
/*
 * The same code gives the same answers, the same output and the same errors over every
 * backend, byte for byte, and in a module of its own as in Main. What a worker process
 * gives is what is expected of the others.
 *
 * Each of the expressions in expressions.jl is evaluated as `malt eval` does it. All that
 * a host can see of it becomes one text, and the texts are compared as they are: nothing
 * is normalised.
 */
#include "malt-test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPRESSIONS MALT_TEST_SOURCE_DIR "/same/expressions.jl"
#define LEAST_EXPRESSIONS 60
#define MAIN_ONLY "main: "
#define TEST_SKIPPED 77

#define PROCESS "malt-process"
#define INPROCESS "inprocess"
#define DISTRIBUTED "distributed"

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

/* What an evaluator in Main gives is asked for once. */
typedef struct
{
  const char *backend;
  GPtrArray *texts; /* (owned) (nullable) */
} OfMain;

static OfMain of_main[] = { { PROCESS, NULL },
                            { INPROCESS, NULL },
                            { DISTRIBUTED, NULL } };

static GPtrArray *
get_texts_of_main (const char *backend)
{
  for (gsize i = 0; i < G_N_ELEMENTS (of_main); i++)
    {
      if (strcmp (of_main[i].backend, backend) != 0)
        continue;
      if (of_main[i].texts == NULL)
        of_main[i].texts = evaluate_all (backend, NULL);
      return of_main[i].texts;
    }
  return NULL;
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
compare_with_process (const char *backend)
{
  GPtrArray *seen = get_texts_of_main (backend);
  GPtrArray *expected = get_texts_of_main (PROCESS);

  malt_assert (seen != NULL && expected != NULL);
  for (guint i = 0; i < expressions->len; i++)
    compare (expressions->pdata[i], seen->pdata[i], expected->pdata[i]);
}

static void
there_are_expressions_to_compare (void)
{
  malt_assert (expressions->len >= LEAST_EXPRESSIONS);
}

static void
code_in_process_gives_the_same_as_in_a_worker_process (void)
{
  compare_with_process (INPROCESS);
}

/* Newer Julia names the module where it names Main, and before types where it names none. */
static char *
dup_as_in_main (const char *text)
{
  static const char *const names[][2] = { { "Main\\.var\"##malt#\\d+\"\\.(?=[A-Z])", "" },
                                          { "Main\\.var\"##malt#\\d+\"", "Main" },
                                          { "##malt#\\d+", "Main" } };
  char *seen = g_strdup (text);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GRegex) name = g_regex_new (names[i][0], 0, 0, NULL);
      g_autofree char *before = seen;

      seen = g_regex_replace_literal (name, before, -1, 0, names[i][1], 0, NULL);
    }
  return seen;
}

static void
code_gives_the_same_in_a_module_of_its_own_as_in_main (void)
{
  GPtrArray *expected = get_texts_of_main (INPROCESS);
  g_autoptr (GPtrArray) seen = evaluate_all (INPROCESS, "new");

  malt_assert (seen != NULL && expected != NULL);
  for (guint i = 0; i < expressions->len; i++)
    {
      const Expression *expression = expressions->pdata[i];
      g_autofree char *shown = dup_as_in_main (seen->pdata[i]);

      if (!expression->is_of_main)
        compare (expression, shown, expected->pdata[i]);
    }
}

static void
code_in_a_worker_of_distributed_gives_the_same_as_in_a_worker_process (void)
{
  compare_with_process (DISTRIBUTED);
}

/* The program */

typedef struct
{
  const char *backend; /* (nullable): without which there is nothing to test */
  CU_TestInfo info;
} Test;

static const Test tests[] = {
  { NULL, MALT_TEST (there_are_expressions_to_compare) },
  { INPROCESS, MALT_TEST (code_in_process_gives_the_same_as_in_a_worker_process) },
  { INPROCESS, MALT_TEST (code_gives_the_same_in_a_module_of_its_own_as_in_main) },
  { DISTRIBUTED,
    MALT_TEST (code_in_a_worker_of_distributed_gives_the_same_as_in_a_worker_process) },
};

static gboolean
has_backend (const char *name)
{
  g_autoptr (MaltBackend) backend = malt_backend_lookup (name, NULL);

  return backend != NULL;
}

static gboolean
has_julia (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltBackend) backend = malt_backend_lookup (PROCESS, &error);

  if (config != NULL && backend != NULL && malt_backend_probe (backend, config, &error))
    return TRUE;
  g_printerr ("%s\n", error->message);
  return FALSE;
}

/* All tests of backends that are built in, or that which is named. */
static int
run (const char *name)
{
  CU_TestInfo selected[G_N_ELEMENTS (tests) + 1] = { 0 };
  CU_SuiteInfo suites[] = { { .pName = "the same everywhere", .pTests = selected },
                            CU_SUITE_INFO_NULL };
  guint n_selected = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    if ((tests[i].backend == NULL || has_backend (tests[i].backend)) &&
        (name == NULL || strcmp (tests[i].info.pName, name) == 0))
      selected[n_selected++] = tests[i].info;
  setvbuf (stdout, NULL, _IONBF, 0);
  return malt_test_run (suites);
}

int
main (int argc, char **argv)
{
  int status;

  if (!has_julia ())
    return g_strcmp0 (g_getenv ("MALT_TEST_REQUIRE_JULIA"), "1") == 0 ? EXIT_FAILURE
                                                                      : TEST_SKIPPED;
  expressions = read_expressions ();
  status = run (argc > 1 ? argv[1] : NULL);
  g_ptr_array_unref (expressions);
  for (gsize i = 0; i < G_N_ELEMENTS (of_main); i++)
    g_clear_pointer (&of_main[i].texts, g_ptr_array_unref);
  return status;
}
