/* SPDX-License-Identifier: MIT */
/* What the tests for Windows share. */
#include "windows-test.h"

#include <glib/gstdio.h>

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

MaltTermination *
windows_test_await_end (MaltWorker *worker)
{
  gboolean is_late = FALSE;
  /* Somebody must listen for the end to be told at all. */
  gulong handler = g_signal_connect (worker, "exited", G_CALLBACK (on_exited), NULL);
  guint timer = g_timeout_add (WINDOWS_TEST_PATIENCE_MS, on_late, &is_late);
  MaltTermination *termination = NULL;

  /* The end is told by a signal in this thread's main context. */
  while (!is_late && (termination = malt_worker_dup_termination (worker)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  if (!is_late)
    g_source_remove (timer);
  g_signal_handler_disconnect (worker, handler);
  return termination;
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

void
windows_test_remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_remove (path);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_rmdir (folder);
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
