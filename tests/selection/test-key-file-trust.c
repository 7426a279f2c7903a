/* SPDX-License-Identifier: MIT */
/* Who may write key files, on Unix. What needs a second user runs as root only; elsewhere
 * the status is 77 if nothing failed. */
#include "key-file-folder.h"
#include "selection/malt-config-private.h"
#include "trust-user.h"

static void
files_that_others_may_write_are_refused (void)
{
  g_autofree char *path = NULL;
  g_autofree char *directory = NULL;

  key_files_clear ();
  key_files_write ("user", "[malt]\nthreads = 3\n");
  path = key_files_path ("user");
  directory = g_path_get_dirname (path);
  malt_assert (g_chmod (path, 0666) == 0);
  key_files_check_refused (NULL, path, "mode 0666");
  malt_assert (g_chmod (path, 0644) == 0 && g_chmod (directory, 0777) == 0);
  key_files_check_refused (NULL, directory, "mode 0777");
  malt_assert (g_chmod (directory, 0755) == 0);
}

static void
links_to_such_files_are_refused (void)
{
  g_autofree char *path = NULL;
  g_autofree char *own = NULL;

  key_files_clear ();
  key_files_write ("own", "[malt]\nthreads = 3\n");
  path = key_files_path ("user");
  own = key_files_path ("own");
  malt_assert (symlink (own, path) == 0);
  malt_assert (key_files_are_accepted ());
  malt_assert (g_chmod (own, 0622) == 0);
  key_files_check_refused (NULL, own, "mode 0622");
}

static void
files_of_another_user_are_refused (void)
{
  g_autofree char *path = NULL;
  g_autofree char *own = NULL;

  key_files_clear ();
  key_files_write ("user", "[malt]\nthreads = 3\n");
  path = key_files_path ("user");
  malt_assert (chown (path, TRUST_OTHER_USER, 0) == 0);
  key_files_check_refused (NULL, path, "belongs to user 65534");
  key_files_clear ();
  key_files_write ("own", "[malt]\nthreads = 3\n");
  own = key_files_path ("own");
  malt_assert (symlink (own, path) == 0 && lchown (path, TRUST_OTHER_USER, 0) == 0);
  key_files_check_refused (NULL, path, "belongs to user 65534");
  malt_assert (lchown (path, 0, 0) == 0 && chown (own, TRUST_OTHER_USER, 0) == 0);
  key_files_check_refused (NULL, own, "belongs to user 65534");
  g_setenv ("MALT_CONFIG", own, TRUE);
  key_files_check_refused (NULL, own, "belongs to user 65534");
}

static gboolean
has_no_values (G_GNUC_UNUSED const char *path)
{
  g_autoptr (MaltConfig) config = malt_config_new_default (NULL);

  return config != NULL && malt_config_get_n_entries (config) == 0;
}

static void
files_that_cannot_be_reached_are_not_there (void)
{
  g_autofree char *path = NULL;
  g_autofree char *directory = NULL;
  gboolean is_passed_over;

  key_files_clear ();
  key_files_write ("user", "[malt]\nthreads = 3\n");
  path = key_files_path ("user");
  directory = g_path_get_dirname (path);
  malt_assert (g_chmod (directory, 0700) == 0);
  is_passed_over = trust_run_as (TRUST_OTHER_USER, has_no_values, "");
  malt_assert (g_chmod (directory, 0755) == 0);
  malt_assert (is_passed_over);
  malt_assert (!trust_run_as (TRUST_OTHER_USER, has_no_values, ""));
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (files_that_others_may_write_are_refused),
    MALT_TEST (links_to_such_files_are_refused),
    CU_TEST_INFO_NULL,
  };
  CU_TestInfo user_tests[] = {
    MALT_TEST (files_of_another_user_are_refused),
    MALT_TEST (files_that_cannot_be_reached_are_not_there),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = {
    { "key files", NULL, NULL, NULL, NULL, tests },
    { "key files among users", NULL, NULL, NULL, NULL, user_tests },
    CU_SUITE_INFO_NULL,
  };
  gboolean is_root = geteuid () == 0;
  int status;

  if (!key_files_prepare ())
    return 1;
  if (!is_root)
    suites[1].pName = NULL;
  status = malt_test_run (suites);
  key_files_remove ();
  return status == 0 && !is_root ? 77 : status;
}
