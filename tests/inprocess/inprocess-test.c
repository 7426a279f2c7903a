/* SPDX-License-Identifier: MIT */
/* The program around the tests of the in-process backend, and what they share. */
#include "inprocess-test.h"

#include <stdlib.h>
#include <string.h>

#define BACKEND "inprocess"
#define ROLE_OPTION "--role"
#define TEST_SKIPPED 77
#define HOST_DEADLINE_MS 60000 /* of one that ends by itself; only bounds a failure */

/* The program */

static gboolean
is_selected (int argc, char **argv, const char *name)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], name) == 0)
      return TRUE;
  return argc < 2;
}

static int
play (const InProcessRole *roles, const char *name)
{
  for (; roles != NULL && roles->name != NULL; roles++)
    if (strcmp (roles->name, name) == 0)
      return roles->play ();
  g_printerr ("no role is called '%s'\n", name);
  return EXIT_FAILURE;
}

static gboolean
has_julia (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  g_autoptr (MaltBackend) backend = malt_backend_lookup (BACKEND, &error);

  if (config != NULL && backend != NULL && malt_backend_probe (backend, config, &error))
    return TRUE;
  g_printerr ("%s\n", error->message);
  return FALSE;
}

int
inprocess_test_main (int argc, char **argv, const char *suite, const CU_TestInfo *tests,
                     const InProcessRole *roles)
{
  g_autoptr (GArray) selected = g_array_new (TRUE, TRUE, sizeof (CU_TestInfo));
  CU_SuiteInfo suites[] = { { .pName = suite }, CU_SUITE_INFO_NULL };

  if (argc == 3 && strcmp (argv[1], ROLE_OPTION) == 0)
    return play (roles, argv[2]);
  if (!has_julia ())
    return g_strcmp0 (g_getenv ("MALT_TEST_REQUIRE_JULIA"), "1") == 0 ? EXIT_FAILURE
                                                                      : TEST_SKIPPED;
  for (; tests->pName != NULL; tests++)
    if (is_selected (argc, argv, tests->pName))
      g_array_append_val (selected, *tests);
  suites[0].pTests = (CU_TestInfo *) (gpointer) selected->data;
  setvbuf (stdout, NULL, _IONBF, 0);
  return malt_test_run (suites);
}

/* Hosts */

void
inprocess_host_free (InProcessHost *host)
{
  g_free (host->output);
  g_free (host->errors);
  g_free (host);
}

typedef struct
{
  InProcessHost *host; /* (unowned) */
  GCancellable *cancellable; /* (owned) */
  gboolean is_read;
} Reading;

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reading *reading = user_data;
  InProcessHost *host = reading->host;

  host->is_ended = g_subprocess_communicate_utf8_finish (
      G_SUBPROCESS (source), result, &host->output, &host->errors, NULL);
  host->ended_us = g_get_monotonic_time ();
  reading->is_read = TRUE;
}

static gboolean
on_deadline (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

/* Until it has ended, in a main context of its own: the tests may be about the default one. */
static void
wait_for_host (GSubprocess *process, InProcessHost *host)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GSource *timer = g_timeout_source_new (HOST_DEADLINE_MS);
  Reading reading = { .host = host, .cancellable = g_cancellable_new () };

  g_main_context_push_thread_default (context);
  g_source_set_callback (timer, on_deadline, reading.cancellable, NULL);
  g_source_attach (timer, context);
  g_subprocess_communicate_utf8_async (process, NULL, reading.cancellable, on_read,
                                       &reading);
  while (!reading.is_read)
    g_main_context_iteration (context, TRUE);
  if (!host->is_ended)
    g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
  host->wait_status = g_subprocess_get_status (process);
  g_source_destroy (timer);
  g_source_unref (timer);
  g_object_unref (reading.cancellable);
  g_main_context_pop_thread_default (context);
}

static void
change_environment (GSubprocessLauncher *launcher, const char *const *environment)
{
  for (; *environment != NULL; environment++)
    {
      g_auto (GStrv) parts = g_strsplit (*environment, "=", 2);

      if (parts[1] != NULL)
        g_subprocess_launcher_setenv (launcher, parts[0], parts[1], TRUE);
      else
        g_subprocess_launcher_unsetenv (launcher, parts[0]);
    }
}

InProcessHost *
inprocess_test_run_host (const char *role, const char *const *environment)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = NULL;
  InProcessHost *host = g_new0 (InProcessHost, 1);

  change_environment (launcher, environment);
  process =
      g_subprocess_launcher_spawn (launcher, &error, program, ROLE_OPTION, role, NULL);
  if (process != NULL)
    wait_for_host (process, host);
  else
    host->errors = g_strdup (error->message);
  return host;
}

static gboolean
note_host (const InProcessHost *host, gboolean is_right)
{
  if (!is_right)
    g_printerr ("\n      the host %s (wait status %d); it wrote:\n%s\n%s\n",
                host->is_ended ? "ended" : "did not end", host->wait_status,
                host->output != NULL ? host->output : "",
                host->errors != NULL ? host->errors : "");
  return is_right;
}

gboolean
inprocess_host_exited (const InProcessHost *host, int status)
{
  return note_host (host, host->is_ended && WIFEXITED (host->wait_status) &&
                              WEXITSTATUS (host->wait_status) == status);
}

gboolean
inprocess_host_was_ended_by (const InProcessHost *host, int signum)
{
  return note_host (host, host->is_ended && WIFSIGNALED (host->wait_status) &&
                              WTERMSIG (host->wait_status) == signum);
}

/* Workers */

MaltConfig *
inprocess_test_config_with (const char *const *options)
{
  MaltConfig *config = malt_config_new_default (NULL);

  malt_config_set_backend (config, BACKEND);
  for (; *options != NULL; options++)
    {
      g_auto (GStrv) parts = g_strsplit (*options, "=", 2);

      malt_config_set_for (config, BACKEND, parts[0], parts[1]);
    }
  return config;
}

MaltWorker *
inprocess_test_launch_with (const char *const *options, GError **error)
{
  g_autoptr (MaltConfig) config = inprocess_test_config_with (options);
  g_autoptr (GError) cause = NULL;
  MaltWorker *worker = malt_worker_launch (config, NULL, &cause);

  if (worker != NULL)
    return worker;
  if (error != NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  else
    g_printerr ("\n      no worker: %s\n", cause->message);
  return NULL;
}

MaltValue *
inprocess_test_eval_value (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  MaltValue *value = malt_worker_remote_eval_fetch (worker, NULL, source, NULL, &error);

  if (value == NULL)
    g_printerr ("\n      %s: %s\n", source, error->message);
  return value;
}

char *
inprocess_test_eval (MaltWorker *worker, const char *source)
{
  g_autoptr (MaltValue) value = inprocess_test_eval_value (worker, source);

  return value != NULL ? malt_value_to_string (value) : NULL;
}

gint64
inprocess_test_eval_int (MaltWorker *worker, const char *source)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = inprocess_test_eval_value (worker, source);
  gint64 number = G_MININT64;

  if (value != NULL && !malt_value_as_int64 (value, &number, &error))
    g_printerr ("\n      %s: %s\n", source, error->message);
  return number;
}

/* The value of @source, printed, is @expected. */
gboolean
inprocess_test_is (MaltWorker *worker, const char *source, const char *expected)
{
  g_autofree char *text = inprocess_test_eval (worker, source);

  if (g_strcmp0 (text, expected) == 0)
    return TRUE;
  g_printerr ("\n      %s: '%s' expected; seen: '%s'\n", source, expected,
              text != NULL ? text : "an error");
  return FALSE;
}

/* Time */

static gboolean
on_tick (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_CONTINUE;
}

gboolean
inprocess_test_until (InProcessCondition condition, gpointer data, gint64 timeout_ms)
{
  gint64 deadline_ms = inprocess_test_now_ms () + timeout_ms;
  guint tick = g_timeout_add (1, on_tick, NULL);
  gboolean is_true;

  while (!(is_true = condition (data)) && inprocess_test_now_ms () < deadline_ms)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (tick);
  return is_true;
}

/* Calls */

static gboolean
has_begun (gpointer flag)
{
  return g_atomic_int_get ((gint *) flag) != 0;
}

MaltFuture *
inprocess_test_begin (MaltWorker *worker, const char *source)
{
  static gint flag; /* atomic: set by Julia */
  g_autofree char *marked =
      g_strdup_printf ("unsafe_store!(Ptr{Cint}(%#" G_GSIZE_MODIFIER "x), Cint(1)); %s",
                       (gsize) &flag, source);
  MaltFuture *future;

  g_atomic_int_set (&flag, 0);
  future = malt_worker_remote_eval (worker, NULL, marked);
  if (!inprocess_test_until (has_begun, &flag, INPROCESS_DEADLINE_MS))
    g_printerr ("\n      has not begun: %s\n", source);
  return future;
}
