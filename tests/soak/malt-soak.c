/* SPDX-License-Identifier: MIT */
/* malt-soak: all that a host does with workers, at random, for as long as one likes.
 * tests/README.md says how to run it.
 *
 * The exit status is 0 if there was no fault, 1 if there was one, 2 if the arguments
 * are wrong. */
#include "soak.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static SoakOptions options = {
  .n_seconds = 60, .n_threads = 6, .patience_s = 60, .seed = 1
};
static MaltCapabilities capabilities; /* of workers, once one has been launched */

const SoakOptions *
soak_get_options (void)
{
  return &options;
}

gboolean
soak_can (MaltCapabilities capability)
{
  return (capabilities & capability) == capability;
}

/* What the library and GLib complain of is a fault, wherever it comes up. */
static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
        G_GNUC_UNUSED gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) != 0)
    {
      g_autofree char *text = g_log_writer_format_fields (level, fields, n_fields, FALSE);

      soak_fault (SOAK_CRITICAL, "%s", text);
    }
  return G_LOG_WRITER_HANDLED;
}

static void
start_loops (void)
{
  for (int i = 0; i < options.n_loops; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGKILL);
          for (volatile guint64 n = 0;; n++)
            continue;
        }
      soak_remains_exclude (pid);
    }
}

/* One worker comes and goes, so that what the library and a runtime in this process make once is
 * there: a runtime does so when it first starts a process, too, and opens /dev/urandom for
 * its first random number. */
static gboolean
warm_up (GError **error)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (MaltValue) value = NULL;

  malt_config_set_backend (config, options.backend);
  worker = malt_worker_launch (config, NULL, error);
  if (worker == NULL)
    return FALSE;
  capabilities = malt_worker_get_capabilities (worker);
  value = malt_worker_remote_eval_fetch (
      worker, NULL,
      soak_can (MALT_CAPABILITY_ISOLATED) ? "1 + 1" : "rand(); run(`true`); 2", NULL,
      error);
  return value != NULL && malt_worker_stop (worker, NULL, error);
}

static gboolean
soak (GError **error)
{
  gint64 first_ms = (gint64) options.n_seconds * 100;
  SoakRemains remains;
  gboolean is_ok;

  if (!soak_workers_prepare (error) || !warm_up (error))
    return FALSE;
  soak_watch_start ();
  soak_remains_take_first ();
  if (!soak_memory_begin (error))
    return FALSE;
  soak_threads_run (first_ms, first_ms);
  soak_remains_take_tenth ();
  soak_breaks_begin ();
  soak_threads_run (9 * first_ms, (gint64) SOAK_STRETCH * 10 * first_ms);
  soak_workers_end ();
  soak_memory_end ();
  soak_break_host ();
  soak_remains_look (&remains);
  is_ok = soak_report (&remains);
  soak_remains_clear ();
  return is_ok;
}

/* Arguments */

static gboolean
check_names (GError **error)
{
  char **lists[] = { options.only, options.without };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (char **name = lists[i]; name && *name; name++)
      if (!soak_operation_exists (*name))
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "no operation is called '%s'", *name);
          return FALSE;
        }
  if (options.fault == NULL || soak_break_exists (options.fault))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "no fault to plant is called '%s'", options.fault);
  return FALSE;
}

static gboolean
check_numbers (GError **error)
{
  if (options.n_seconds > 0 && options.n_loops >= 0 && options.n_threads > 0 &&
      options.patience_s > 0)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "seconds, threads and patience are greater than 0");
  return FALSE;
}

static gboolean
parse (int argc, char **argv, GError **error)
{
  g_autofree char *only = NULL;
  g_autofree char *without = NULL;
  const GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &options.seed, "Which operations (1)", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &options.n_seconds, "How long (60)", "S" },
    { "backend", 0, 0, G_OPTION_ARG_STRING, &options.backend,
      "Which backend (malt-process)", "NAME" },
    { "load", 0, 0, G_OPTION_ARG_INT, &options.n_loops, "Busy loops beside it (0)", "N" },
    { "only", 0, 0, G_OPTION_ARG_STRING, &only, "Run these operations alone",
      "NAME,..." },
    { "without", 0, 0, G_OPTION_ARG_STRING, &without, "Do not run these operations",
      "NAME,..." },
    { "break", 0, 0, G_OPTION_ARG_STRING, &options.fault,
      "Plant a fault: twice, lost, value, descriptor, child, hang", "NAME" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options.n_threads, "How many threads (6)",
      "N" },
    { "patience", 0, 0, G_OPTION_ARG_INT, &options.patience_s,
      "When an answer counts as lost (60)", "S" },
    { "trace", 0, 0, G_OPTION_ARG_NONE, &options.is_traced,
      "Tell each operation as it begins", NULL },
    { "short-of-memory", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE,
      &options.is_short_of_memory, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   "expected no argument, got '%s'", argv[1]);
      return FALSE;
    }
  if (options.backend == NULL)
    options.backend = g_strdup ("malt-process");
  options.only = only ? g_strsplit (only, ",", -1) : NULL;
  options.without = without ? g_strsplit (without, ",", -1) : NULL;
  return check_names (error) && check_numbers (error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltBackend) backend = NULL;
  gboolean is_ok = FALSE;

  if (parse (argc, argv, &error))
    backend = malt_backend_lookup (options.backend, &error);
  if (backend == NULL)
    {
      fprintf (stderr, "malt-soak: %s\n", error->message);
      return 2;
    }
  if (options.is_short_of_memory)
    return soak_memory_serve (NULL) ? EXIT_SUCCESS : EXIT_FAILURE;
  if (!soak_streams_open () || !soak_remains_prepare ())
    return EXIT_FAILURE;
  g_log_set_writer_func (on_log, NULL, NULL);
  start_loops ();
  is_ok = soak (&error);
  if (error != NULL)
    soak_note ("%s", error->message);
  return is_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
