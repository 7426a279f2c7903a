/* SPDX-License-Identifier: MIT */
/* What the tests for Windows share. */
#include "windows-test.h"

#include <glib/gstdio.h>
#include <string.h>

enum
{
  STEP_US = 1000
};

static const char *chosen; /* (unowned): the name of a backend */

const char *
windows_test_get_backend (void)
{
  return chosen;
}

void
windows_test_choose_backend (const char *name)
{
  chosen = name;
  malt_child_interrupt_event = CTRL_C_EVENT;
}

gboolean
windows_test_is_direct (void)
{
  return strcmp (chosen, "malt-process") == 0;
}

int
windows_test_main (int argc, char **argv, const char *title, CU_TestInfo *tests)
{
  CU_SuiteInfo suites[] = {
    { .pName = title, .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  if (argc < 2)
    return 2;
  windows_test_choose_backend (argv[1]);
  return malt_test_run (suites);
}

char *
windows_test_dup_fake (void)
{
  return g_canonicalize_filename (MALT_TEST_BUILD_DIR "/tests/fake/julia.exe", NULL);
}

MaltConfig *
windows_test_config_new (const char *backend)
{
  MaltConfig *config = malt_config_new ();
  g_autofree char *fake = windows_test_dup_fake ();

  if (backend != NULL)
    malt_config_set_backend (config, backend);
  malt_config_set (config, "julia", fake);
  malt_config_set (config, "output", "signal");
  return config;
}

MaltWorker *
windows_test_launch (MaltConfig *config)
{
  g_autoptr (GError) error = NULL;
  MaltWorker *worker = malt_worker_launch (config, NULL, &error);

  if (worker == NULL)
    MALT_TEST_FAIL ("no worker: %s", error->message);
  return worker;
}

MaltWorker *
windows_test_launch_one (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (chosen);

  return windows_test_launch (config);
}

char *
windows_test_dup_text (MaltWorker *worker, const char *line, GError **error)
{
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, line, NULL, error);

  return value != NULL && malt_value_get_kind (value) == MALT_VALUE_STRING
             ? malt_value_dup_string (value)
             : NULL;
}

gint64
windows_test_get_int (MaltWorker *worker, const char *line, GError **error)
{
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, line, NULL, error);
  gint64 number = -1;

  if (value != NULL)
    malt_value_as_int64 (value, &number, NULL);
  return number;
}

static gboolean
on_late (gpointer is_late)
{
  *(gboolean *) is_late = TRUE;
  return G_SOURCE_REMOVE;
}

static void
on_exited (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltTermination *termination,
           G_GNUC_UNUSED gpointer user_data)
{
}

gboolean
windows_test_until (WindowsTestCondition is_true, gpointer data)
{
  gboolean is_late = FALSE;
  GSource *timer = g_timeout_source_new (WINDOWS_TEST_PATIENCE_MS);

  g_source_set_callback (timer, on_late, &is_late, NULL);
  g_source_attach (timer, g_main_context_get_thread_default ());
  while (!is_true (data) && !is_late)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_source_destroy (timer);
  g_source_unref (timer);
  return !is_late;
}

static gboolean
has_ended (gpointer worker)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (worker);

  return termination != NULL;
}

MaltTermination *
windows_test_await_end (MaltWorker *worker)
{
  /* Somebody must listen for the end to be told at all: by a signal in this thread's main
   * context. */
  gulong handler = g_signal_connect (worker, "exited", G_CALLBACK (on_exited), NULL);

  windows_test_until (has_ended, worker);
  g_signal_handler_disconnect (worker, handler);
  return malt_worker_dup_termination (worker);
}

HANDLE
windows_test_open_process (gint64 pid)
{
  return OpenProcess (SYNCHRONIZE, FALSE, (DWORD) pid);
}

gboolean
windows_test_ends (HANDLE process)
{
  gboolean has_ended =
      WaitForSingleObject (process, WINDOWS_TEST_PATIENCE_MS) == WAIT_OBJECT_0;

  CloseHandle (process);
  return has_ended;
}

char *
windows_test_make_folder (void)
{
  return g_dir_make_tmp ("malt-\xc3\xbc\xe2\x82\xac-XXXXXX", NULL);
}

/* With all that is in it. FALSE: something is still there. */
static gboolean
try_to_remove (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        try_to_remove (path);
      else
        g_remove (path);
    }
  g_clear_pointer (&dir, g_dir_close);
  return g_rmdir (folder) == 0;
}

/* The file of a program that has just ended is in use for a while, and nothing says for
 * how long. */
void
windows_test_remove_folder (const char *folder)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) WINDOWS_TEST_PATIENCE_MS * 1000;

  while (!try_to_remove (folder))
    {
      if (g_get_monotonic_time () > deadline_us)
        {
          MALT_TEST_FAIL ("%s cannot be removed", folder);
          return;
        }
      g_usleep (STEP_US);
    }
}

char *
windows_test_copy_fake (const char *folder)
{
  g_autofree char *fake = windows_test_dup_fake ();
  g_autofree char *copy = g_build_filename (folder, "j\xc3\xbclia.exe", NULL);
  g_autoptr (GFile) from = g_file_new_for_path (fake);
  g_autoptr (GFile) to = g_file_new_for_path (copy);

  return g_file_copy (from, to, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL)
             ? g_steal_pointer (&copy)
             : NULL;
}

void
windows_test_need_console (void)
{
  DWORD pid;

  if (GetConsoleProcessList (&pid, 1) > 0)
    return;
  FreeConsole ();
  AllocConsole ();
}
