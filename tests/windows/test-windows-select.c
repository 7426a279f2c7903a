/* SPDX-License-Identifier: MIT */
/* Which backend is taken on Windows, and what keeps one from being taken. */
#include "windows-test.h"

#include <glib/gstdio.h>
#include <string.h>

static void
auto_takes_distributed (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (NULL);
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), "distributed");
  malt_assert_int (windows_test_get_int (worker, "int 1", &error), 1);
  malt_assert_no_error (error);
}

static void
key_file_selects_malt_process (void)
{
  g_autofree char *folder = windows_test_make_folder ();
  g_autofree char *path = g_build_filename (folder, "malt.conf", NULL);
  g_autofree char *fake = windows_test_dup_fake ();
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_assert (g_file_set_contents (path, "[malt]\nbackend = malt-process\n", -1, NULL));
  g_setenv ("MALT_CONFIG", path, TRUE);
  g_setenv ("MALT_JULIA", fake, TRUE);
  config = malt_config_new_default (&error);
  malt_assert_no_error (error);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), "malt-process");
  malt_assert_int (windows_test_get_int (worker, "int 2", &error), 2);
  g_unsetenv ("MALT_JULIA");
  g_setenv ("MALT_CONFIG", "", TRUE);
  windows_test_remove_folder (folder);
}

static void
environment_selects_malt_process (void)
{
  g_autofree char *fake = windows_test_dup_fake ();
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltWorker) worker = NULL;

  g_setenv ("MALT_BACKEND", "malt-process", TRUE);
  g_setenv ("MALT_JULIA", fake, TRUE);
  config = malt_config_new_default (NULL);
  g_unsetenv ("MALT_BACKEND");
  g_unsetenv ("MALT_JULIA");
  malt_assert (config != NULL);
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), "malt-process");
}

/* Nothing is taken in the place of what was named. */
static void
backend_that_is_named_is_taken_or_nothing (void)
{
  const char *const names[] = { "distributed", "malt-process" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (MaltConfig) config = windows_test_config_new (names[i]);
      g_autofree char *fake = windows_test_dup_fake ();
      g_autoptr (MaltWorker) worker = NULL;
      g_autoptr (GError) error = NULL;

      malt_config_set (config, "julia", fake);
      malt_config_set_for (config, names[i], "julia", "C:\\nowhere\\julia.exe");
      worker = malt_worker_launch (config, NULL, &error);
      malt_assert (worker == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
    }
}

/* auto goes on to the next one where the first cannot work. */
static void
auto_takes_malt_process_where_distributed_cannot_work (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new (NULL);
  g_autoptr (MaltWorker) worker = NULL;

  malt_config_set_for (config, "distributed", "julia", "C:\\nowhere\\julia.exe");
  worker = windows_test_launch (config);
  malt_assert (worker != NULL);
  malt_assert_string (malt_worker_get_backend_name (worker), "malt-process");
}

static void
files_are_looked_for_where_windows_keeps_them (void)
{
  malt_assert_string (g_get_user_config_dir (), g_getenv ("LOCALAPPDATA"));
  malt_assert_string (g_get_system_config_dirs ()[0], g_getenv ("ProgramData"));
}

/* Julia is looked for in PATH, with the end of its name, but never in the current directory. */
static void
julia_is_found_in_path_only (void)
{
  g_autofree char *fake = windows_test_dup_fake ();
  g_autofree char *folder = g_path_get_dirname (fake);
  g_autofree char *before = g_strdup (g_getenv ("PATH"));
  g_autofree char *path = g_strconcat (folder, ";", before, NULL);
  g_autofree char *relative = g_strconcat (".;;", before, NULL);
  g_autofree char *here = g_get_current_dir ();
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltBackend) backend = malt_backend_lookup ("malt-process", NULL);
  g_autoptr (GError) error = NULL;

  malt_assert (backend != NULL);
  g_setenv ("PATH", path, TRUE);
  malt_assert (malt_backend_probe (backend, config, &error));
  malt_config_set (config, "julia", "julia");
  malt_assert (malt_backend_probe (backend, config, &error));
  malt_config_unset (config, "julia");
  g_setenv ("PATH", relative, TRUE);
  malt_assert (g_chdir (folder) == 0);
  malt_assert (!malt_backend_probe (backend, config, &error));
  malt_assert (g_chdir (here) == 0);
  g_setenv ("PATH", before, TRUE);
}

/* As far as libjulia can be gone after without one: where it is asked for, and that what
 * is there must be loadable. */
static void
inprocess_says_why_it_cannot_work (void)
{
  g_autoptr (MaltConfig) config = windows_test_config_new ("inprocess");
  g_autoptr (MaltWorker) worker = NULL;
  g_autoptr (GError) error = NULL;

  malt_config_unset (config, "output");
  worker = malt_worker_launch (config, NULL, &error);
  malt_assert (worker == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE);
  malt_assert (strstr (error->message, "julia") != NULL);
}

static CU_TestInfo tests[] = {
  MALT_TEST (auto_takes_distributed),
  MALT_TEST (key_file_selects_malt_process),
  MALT_TEST (environment_selects_malt_process),
  MALT_TEST (backend_that_is_named_is_taken_or_nothing),
  MALT_TEST (auto_takes_malt_process_where_distributed_cannot_work),
  MALT_TEST (files_are_looked_for_where_windows_keeps_them),
  MALT_TEST (julia_is_found_in_path_only),
  MALT_TEST (inprocess_says_why_it_cannot_work),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "selection on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
