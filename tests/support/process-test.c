/* SPDX-License-Identifier: MIT */
/* What the tests of worker processes share. */
#include "process-test.h"

#include <CUnit/Basic.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  SKIPPED = 77,
  STEP_US = 500
};

static gboolean
is_selected (int argc, char **argv, const char *name)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return TRUE;
  return argc < 2;
}

int
process_test_main (int argc, char **argv, const char *suite_name,
                   const ProcessTest *tests)
{
  CU_pSuite suite;
  guint n_failures;

  if (CU_initialize_registry () != CUE_SUCCESS)
    return EXIT_FAILURE;
  suite = CU_add_suite (suite_name, NULL, NULL);
  for (const ProcessTest *test = tests; test->name != NULL; test++)
    if (is_selected (argc, argv, test->name))
      CU_add_test (suite, test->name, test->run);
  CU_basic_set_mode (CU_BRM_VERBOSE);
  CU_basic_run_tests ();
  n_failures = CU_get_number_of_failures ();
  CU_cleanup_registry ();
  return n_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
process_test_main_with_julia (int argc, char **argv, const char *suite,
                              const ProcessTest *tests)
{
  const char *is_opaque = g_getenv ("MALT_TEST_OPAQUE");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltBackend) backend = NULL;

  if (g_strcmp0 (is_opaque, "1") == 0)
    process_test_become_opaque ();
  config = malt_config_new_default (&error);
  backend = malt_backend_lookup (PROCESS_TEST_BACKEND, &error);
  if (backend != NULL && malt_backend_probe (backend, config, &error))
    return process_test_main (argc, argv, suite, tests);
  g_printerr ("%s: %s\n", suite, error->message);
  return g_strcmp0 (g_getenv ("MALT_TEST_REQUIRE_JULIA"), "1") == 0 ? EXIT_FAILURE
                                                                    : SKIPPED;
}

gboolean
process_test_wait (ProcessTestCondition condition, gpointer data, guint deadline_ms)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) deadline_ms * 1000;

  while (!condition (data))
    {
      if (g_get_monotonic_time () > deadline_us)
        return FALSE;
      g_usleep (STEP_US);
    }
  return TRUE;
}

gboolean
process_test_is_gone (gpointer pid)
{
  return !process_test_is_alive (*(gint64 *) pid);
}

ProcessTestScript
process_test_script_new (const char *text)
{
  ProcessTestScript script;
  g_autofree char *content = g_strdup_printf ("#!/bin/sh\n%s\n", text);

  script.directory = g_dir_make_tmp ("malt-test-XXXXXX", NULL);
  script.path = g_build_filename (script.directory, "julia", NULL);
  g_file_set_contents_full (script.path, content, -1, G_FILE_SET_CONTENTS_NONE, 0755,
                            NULL);
  return script;
}

void
process_test_script_clear (ProcessTestScript *script)
{
  g_unlink (script->path);
  g_rmdir (script->directory);
  g_free (script->path);
  g_free (script->directory);
}

/* Workers */

static void
set_option (MaltConfig *config, const char *option)
{
  g_auto (GStrv) parts = g_strsplit (option, "=", 2);
  malt_config_set_for (config, PROCESS_TEST_BACKEND, parts[0], parts[1]);
}

static MaltConfig *
config_new (void)
{
  MaltConfig *config = malt_config_new_default (NULL);

  malt_config_set_backend (config, PROCESS_TEST_BACKEND);
  malt_config_set_for (config, PROCESS_TEST_BACKEND, "output", "discard");
  return config;
}

MaltConfig *
process_test_config_with (const char *const *options)
{
  MaltConfig *config = config_new ();

  for (; *options != NULL; options++)
    set_option (config, *options);
  return config;
}

MaltWorker *
process_test_launch_with (const char *const *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = process_test_config_with (options);
  MaltWorker *worker = malt_worker_launch (config, NULL, &error);

  if (worker == NULL)
    g_printerr ("\nlaunch: %s\n", error->message);
  return worker;
}

char *
process_test_eval (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, source, NULL, &error);

  if (value == NULL)
    g_printerr ("\n%s: %s\n", source, error->message);
  return value != NULL ? malt_value_to_string (value) : NULL;
}

gint64
process_test_eval_int (MaltWorker *worker, const char *source)
{
  g_autofree char *text = process_test_eval (worker, source);
  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : G_MININT64;
}

MaltFuture *
process_test_start_running (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltFuture) listener = NULL;
  MaltFuture *future;

  g_free (process_test_eval (worker, "STARTED = Condition(); begun() = (notify(STARTED); "
                                     "yield()); nothing"));
  listener = malt_worker_remote_eval (worker, NULL, "wait(STARTED); 1");
  future = malt_worker_remote_eval (worker, NULL, source);
  if (!malt_future_wait (listener, PROCESS_TEST_PATIENCE_MS, NULL, NULL))
    g_printerr ("\n%s: has not begun\n", source);
  return future;
}

gboolean
process_test_was_interrupted (MaltFuture *future)
{
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltValue) value = malt_future_fetch (future, NULL, &error);

  return g_error_matches (error, MALT_ERROR, MALT_ERROR_REMOTE_EXCEPTION) &&
         g_strcmp0 (malt_error_get_exception_type (error), "InterruptException") == 0;
}
