/* SPDX-License-Identifier: MIT */
/* What the tests of the distributed backend share, besides what those of worker processes do. */
#include "distributed-test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The program. The keeper is launched by a test, and ended by one, so that their failures count. */

static MaltWorker **keeper;
static const char *const *keeper_options;

static void
a_worker_is_launched (void)
{
  *keeper = process_test_launch_with (keeper_options);
  if (*keeper == NULL)
    exit (EXIT_FAILURE); /* without it there is nothing to test */
  CHECK (process_test_eval_int (*keeper, "1 + 1") == 2);
}

static void
nothing_is_left_when_all_workers_have_ended (void)
{
  g_autoptr (MaltWorker) worker = g_steal_pointer (keeper);
  DistributedProcesses processes;

  CHECK (worker != NULL);
  processes = distributed_test_get_processes (worker);
  CHECK (malt_worker_stop (worker, NULL, NULL));
  CHECK (distributed_test_are_gone (processes));
}

static void
append_test (GArray *tests, const char *name, void (*run) (void))
{
  ProcessTest test = { name, run };

  g_array_append_val (tests, test);
}

/* Tests that are chosen by their names need the keeper, too. */
static char **
dup_arguments (int argc, char **argv, const char *first, const char *last)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (int i = 0; i < argc; i++)
    g_strv_builder_add (builder, argv[i]);
  if (argc > 1)
    g_strv_builder_add_many (builder, first, last, NULL);
  return g_strv_builder_end (builder);
}

int
distributed_test_main (int argc, char **argv, const char *suite, const ProcessTest *tests,
                       const char *const *options, MaltWorker **out_keeper)
{
  static const char *const first = "a_worker_is_launched";
  static const char *const no_options = NULL;
  static const char *const last = "nothing_is_left_when_all_workers_have_ended";
  g_autoptr (GArray) all = g_array_new (TRUE, TRUE, sizeof (ProcessTest));
  g_auto (GStrv) arguments = dup_arguments (argc, argv, first, last);

  keeper = out_keeper;
  keeper_options = options != NULL ? options : (const char *const *) &no_options;
  append_test (all, first, a_worker_is_launched);
  for (; tests->name != NULL; tests++)
    append_test (all, tests->name, tests->run);
  append_test (all, last, nothing_is_left_when_all_workers_have_ended);
  return process_test_main_with_julia ((int) g_strv_length (arguments), arguments, suite,
                                       (const ProcessTest *) (gpointer) all->data);
}

/* Processes */

DistributedProcesses
distributed_test_get_processes (MaltWorker *worker)
{
  return (DistributedProcesses){ malt_distributed_worker_get_bridge_pid (worker),
                                 malt_worker_get_pid (worker) };
}

/* A worker whose object was dropped while nothing can reach its code is killed half a
 * minute later. */
static gboolean
is_gone_soon (const char *what, gint64 pid)
{
  if (process_test_wait (process_test_is_gone, &pid, 3 * PROCESS_TEST_PATIENCE_MS))
    return TRUE;
  g_printerr ("\n%s %" G_GINT64_FORMAT " is left\n", what, pid);
  return FALSE;
}

gboolean
distributed_test_are_gone (DistributedProcesses processes)
{
  return is_gone_soon ("worker", processes.worker) &&
         is_gone_soon ("bridge", processes.bridge);
}

/* Errors */

GError *
distributed_test_fail_with (const char *const *options)
{
  g_autoptr (MaltConfig) config = process_test_config_with (options);
  GError *error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  return error;
}

gboolean
distributed_test_check_error (const GError *error, MaltError code,
                              const char *const *parts)
{
  gboolean is_right = g_error_matches (error, MALT_ERROR, (int) code);

  for (; is_right && *parts != NULL; parts++)
    is_right = strstr (error->message, *parts) != NULL;
  if (!is_right)
    g_printerr ("\nexpected error %d with '%s', got %d: %s\n", (int) code,
                *parts != NULL ? *parts : "", error != NULL ? error->code : -1,
                error != NULL ? error->message : "no error");
  return is_right;
}

GError *
distributed_test_fetch_end (MaltFuture *future)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *text = NULL;

  if (!malt_future_wait (future, PROCESS_TEST_PATIENCE_MS, NULL, NULL))
    return NULL;
  value = malt_future_fetch (future, NULL, &error);
  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    return g_steal_pointer (&error);
  text = value != NULL ? malt_value_to_string (value) : g_strdup (error->message);
  g_printerr ("\nexpected the end of the worker, got: %s\n", text);
  return NULL;
}

gboolean
distributed_test_has_words (MaltTermination *termination, const char *words)
{
  const char *text = malt_termination_get_stderr (termination);

  if (text != NULL && strstr (text, words) != NULL)
    return TRUE;
  g_printerr ("\nexpected '%s', got: %s\n", words, text != NULL ? text : "none");
  return FALSE;
}

gint64
distributed_test_read_pid (const ProcessTestScript *script)
{
  g_autofree char *path = g_build_filename (script->directory, "pid", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || strchr (text, '\n') == NULL)
    return 0;
  return g_ascii_strtoll (text, NULL, 10);
}

void
distributed_test_remove_pid (const ProcessTestScript *script)
{
  g_autofree char *path = g_build_filename (script->directory, "pid", NULL);

  unlink (path);
}

gboolean
distributed_test_has_pid (gpointer script)
{
  return distributed_test_read_pid (script) > 0;
}

gpointer
distributed_test_cancel_when_it_runs (gpointer canceller)
{
  DistributedTestCanceller *self = canceller;

  process_test_wait (distributed_test_has_pid, self->script, PROCESS_TEST_PATIENCE_MS);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}
