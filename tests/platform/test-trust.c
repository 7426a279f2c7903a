/* SPDX-License-Identifier: MIT */
/* Which files and directories are believed. What needs a second user runs as root only;
 * elsewhere the status is 77 if nothing failed. */
#include "malt-test.h"
#include "platform/malt-trust.h"
#include "trust-user.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONTENTS "[malt]\n"

/* A directory of one test: .../top/file and .../top/below/file. */
typedef struct
{
  char *top; /* (owned) */
  char *file; /* (owned) */
  char *below; /* (owned) */
  char *deep; /* (owned) */
} Tree;

static gboolean
write_file (const char *path)
{
  return g_file_set_contents (path, CONTENTS, -1, NULL) && g_chmod (path, 0644) == 0;
}

static gboolean
tree_init (Tree *tree)
{
  g_autofree char *made = g_dir_make_tmp ("malt-trust-XXXXXX", NULL);
  g_autofree char *resolved = made != NULL ? realpath (made, NULL) : NULL;

  g_assert (resolved != NULL);
  tree->top = g_strdup (resolved);
  tree->file = g_build_filename (resolved, "file", NULL);
  tree->below = g_build_filename (resolved, "below", NULL);
  tree->deep = g_build_filename (tree->below, "file", NULL);
  return g_chmod (tree->top, 0755) == 0 && g_mkdir (tree->below, 0755) == 0 &&
         write_file (tree->file) && write_file (tree->deep);
}

static void
remove_all (const char *path)
{
  GDir *dir =
      g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);
      remove_all (entry);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

static void
tree_clear (Tree *tree)
{
  if (tree->top != NULL)
    remove_all (tree->top);
  g_free (tree->top);
  g_free (tree->file);
  g_free (tree->below);
  g_free (tree->deep);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tree, tree_clear)

static gboolean
is_trusted_file (const char *path)
{
  return malt_trust_check_file (path, NULL);
}

static gboolean
is_trusted_directory (const char *path)
{
  return malt_trust_check_directory (path, NULL);
}

/* The message of the refusal names all the texts. */
static void
check_refused_file (const char *path, const char *first, const char *second)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) read_error = NULL;
  g_autofree char *contents = NULL;
  gsize length = 0;

  malt_assert (!malt_trust_check_file (path, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  if (strstr (error->message, first) == NULL || strstr (error->message, second) == NULL)
    g_printerr ("%s\n", error->message);
  malt_assert (strstr (error->message, first) != NULL);
  malt_assert (strstr (error->message, second) != NULL);
  malt_assert (!malt_trust_read_file (path, 100, &contents, &length, &read_error));
  malt_assert_string (read_error->message, error->message);
  malt_assert (contents == NULL);
}

static void
own_file_is_trusted_and_read (void)
{
  g_auto (Tree) tree = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;
  g_autofree char *winding = NULL;
  gsize length = 0;

  malt_assert (tree_init (&tree));
  malt_assert (malt_trust_read_file (tree.deep, 100, &contents, &length, &error));
  malt_assert_no_error (error);
  malt_assert_int (length, strlen (CONTENTS));
  malt_assert_string (contents, CONTENTS);
  winding = g_strconcat (tree.below, "/.././/below/../file", NULL);
  malt_assert (is_trusted_file (winding));
  malt_assert (is_trusted_directory (tree.top));
  malt_assert (is_trusted_directory ("/"));
}

static void
relative_path_begins_in_the_current_directory (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *here = g_get_current_dir ();

  malt_assert (tree_init (&tree));
  malt_assert (g_chdir (tree.below) == 0);
  CU_ASSERT (is_trusted_file ("file"));
  CU_ASSERT (is_trusted_file ("../file"));
  CU_ASSERT (!is_trusted_file ("nosuch"));
  CU_ASSERT (is_trusted_directory ("."));
  malt_assert (g_chdir (here) == 0);
}

static void
large_file_is_refused (void)
{
  g_auto (Tree) tree = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;
  gsize length = 0;

  malt_assert (tree_init (&tree));
  malt_assert (!malt_trust_read_file (tree.file, strlen (CONTENTS) - 1, &contents,
                                      &length, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (strstr (error->message, "at most 6 bytes") != NULL);
  malt_assert (
      malt_trust_read_file (tree.file, strlen (CONTENTS), &contents, &length, NULL));
}

static void
file_that_others_may_write_is_refused (void)
{
  static const mode_t modes[] = { 0666, 0664, 0646 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_auto (Tree) tree = { 0 };
      g_autofree char *mode = g_strdup_printf ("mode %04o", modes[i]);

      malt_assert (tree_init (&tree));
      malt_assert (g_chmod (tree.deep, modes[i]) == 0);
      check_refused_file (tree.deep, mode, tree.deep);
    }
}

static void
directories_that_others_may_write_are_refused (void)
{
  static const mode_t modes[] = { 0777, 0775, 0757 };

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_auto (Tree) tree = { 0 };

      malt_assert (tree_init (&tree));
      malt_assert (g_chmod (tree.below, modes[i]) == 0);
      check_refused_file (tree.deep, "neither group nor others", tree.below);
      malt_assert (!is_trusted_directory (tree.below));
      malt_assert (g_chmod (tree.below, 0755) == 0);
      malt_assert (g_chmod (tree.top, modes[i]) == 0);
      check_refused_file (tree.deep, "neither group nor others", tree.top);
      malt_assert (!is_trusted_directory (tree.below));
    }
}

static void
what_is_no_regular_file_is_refused (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *pipe = NULL;
  g_autofree char *through_file = NULL;

  malt_assert (tree_init (&tree));
  pipe = g_build_filename (tree.top, "pipe", NULL);
  through_file = g_build_filename (tree.file, "file", NULL);
  malt_assert (mkfifo (pipe, 0600) == 0);
  check_refused_file (pipe, "not a regular file", pipe);
  check_refused_file (tree.below, "not a regular file", tree.below);
  check_refused_file ("/dev/null", "not a regular file", "/dev/null");
  check_refused_file (through_file, "not a directory", tree.file);
  malt_assert (!is_trusted_directory (tree.file));
}

static void
links_are_followed_and_checked (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *link = NULL;
  g_autofree char *chain = NULL;
  g_autofree char *loop = NULL;
  g_autofree char *dangling = NULL;

  malt_assert (tree_init (&tree));
  link = g_build_filename (tree.top, "link", NULL);
  chain = g_build_filename (tree.top, "chain", NULL);
  loop = g_build_filename (tree.top, "loop", NULL);
  dangling = g_build_filename (tree.top, "dangling", NULL);
  malt_assert (symlink ("below/../below/file", link) == 0 && symlink (link, chain) == 0);
  malt_assert (symlink ("loop", loop) == 0 && symlink ("nosuch", dangling) == 0);
  malt_assert (is_trusted_file (chain));
  check_refused_file (loop, "too many symbolic links", loop);
  check_refused_file (dangling, "nosuch", g_strerror (ENOENT));
  malt_assert (g_chmod (tree.below, 0777) == 0);
  check_refused_file (chain, "neither group nor others", tree.below);
}

static void
missing_file_is_named (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *path = NULL;

  malt_assert (tree_init (&tree));
  path = g_build_filename (tree.top, "nosuch", NULL);
  check_refused_file (path, "cannot be looked at", g_strerror (ENOENT));
}

/* With a second user */

static void
file_of_another_user_is_refused (void)
{
  g_auto (Tree) tree = { 0 };

  malt_assert (tree_init (&tree));
  malt_assert (chown (tree.deep, TRUST_OTHER_USER, 0) == 0);
  check_refused_file (tree.deep, "belongs to user 65534, expected root", tree.deep);
}

static void
directory_of_another_user_is_refused (void)
{
  g_auto (Tree) tree = { 0 };

  malt_assert (tree_init (&tree));
  malt_assert (chown (tree.below, TRUST_OTHER_USER, 0) == 0);
  check_refused_file (tree.deep, "belongs to user 65534, expected root", tree.below);
  malt_assert (!is_trusted_directory (tree.below));
  malt_assert (chown (tree.below, 0, 0) == 0);
  malt_assert (chown (tree.top, TRUST_OTHER_USER, 0) == 0);
  check_refused_file (tree.deep, "belongs to user 65534, expected root", tree.top);
  malt_assert (!is_trusted_directory (tree.below));
}

static void
link_of_another_user_is_refused (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *link = NULL;

  malt_assert (tree_init (&tree));
  link = g_build_filename (tree.top, "link", NULL);
  malt_assert (symlink (tree.deep, link) == 0);
  malt_assert (is_trusted_file (link));
  malt_assert (lchown (link, TRUST_OTHER_USER, 0) == 0);
  check_refused_file (link, "belongs to user 65534, expected root", link);
}

static void
link_to_a_file_of_another_user_is_refused (void)
{
  g_auto (Tree) tree = { 0 };
  g_autofree char *link = NULL;

  malt_assert (tree_init (&tree));
  link = g_build_filename (tree.top, "link", NULL);
  malt_assert (symlink (tree.deep, link) == 0);
  malt_assert (chown (tree.deep, TRUST_OTHER_USER, 0) == 0);
  check_refused_file (link, "belongs to user 65534, expected root", tree.deep);
}

static void
sticky_directory_protects_a_named_file_only (void)
{
  g_auto (Tree) tree = { 0 };

  malt_assert (tree_init (&tree));
  malt_assert (g_chmod (tree.below, 01777) == 0);
  malt_assert (is_trusted_file (tree.deep));
  malt_assert (!is_trusted_directory (tree.below));
  malt_assert (chown (tree.deep, TRUST_OTHER_USER, 0) == 0);
  malt_assert (!is_trusted_file (tree.deep));
  malt_assert (chown (tree.deep, 0, 0) == 0);
  malt_assert (chown (tree.below, TRUST_OTHER_USER, 0) == 0);
  malt_assert (!is_trusted_file (tree.deep));
}

static gboolean
says_who_is_expected (const char *path)
{
  g_autoptr (GError) error = NULL;

  return !malt_trust_check_file (path, &error) &&
         strstr (error->message, "belongs to user 1, expected root or user 65534") !=
             NULL;
}

static void
a_user_trusts_root_and_itself (void)
{
  g_auto (Tree) tree = { 0 };

  malt_assert (tree_init (&tree));
  malt_assert (trust_run_as (TRUST_OTHER_USER, is_trusted_file, tree.deep));
  malt_assert (trust_run_as (TRUST_OTHER_USER, is_trusted_directory, tree.below));
  malt_assert (chown (tree.deep, TRUST_OTHER_USER, 0) == 0);
  malt_assert (chown (tree.below, TRUST_OTHER_USER, 0) == 0);
  malt_assert (trust_run_as (TRUST_OTHER_USER, is_trusted_file, tree.deep));
  malt_assert (trust_run_as (TRUST_OTHER_USER, is_trusted_directory, tree.below));
  malt_assert (chown (tree.deep, 1, 0) == 0);
  malt_assert (trust_run_as (TRUST_OTHER_USER, says_who_is_expected, tree.deep));
}

static void
the_environment_of_an_ordinary_program_is_trusted (void)
{
  malt_assert (malt_trust_environment ());
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (own_file_is_trusted_and_read),
    MALT_TEST (relative_path_begins_in_the_current_directory),
    MALT_TEST (large_file_is_refused),
    MALT_TEST (file_that_others_may_write_is_refused),
    MALT_TEST (directories_that_others_may_write_are_refused),
    MALT_TEST (what_is_no_regular_file_is_refused),
    MALT_TEST (links_are_followed_and_checked),
    MALT_TEST (missing_file_is_named),
    MALT_TEST (the_environment_of_an_ordinary_program_is_trusted),
    CU_TEST_INFO_NULL,
  };
  CU_TestInfo user_tests[] = {
    MALT_TEST (file_of_another_user_is_refused),
    MALT_TEST (directory_of_another_user_is_refused),
    MALT_TEST (link_of_another_user_is_refused),
    MALT_TEST (link_to_a_file_of_another_user_is_refused),
    MALT_TEST (sticky_directory_protects_a_named_file_only),
    MALT_TEST (a_user_trusts_root_and_itself),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = {
    { "trust", NULL, NULL, NULL, NULL, tests },
    { "trust among users", NULL, NULL, NULL, NULL, user_tests },
    CU_SUITE_INFO_NULL,
  };
  int status;

  if (geteuid () == 0)
    return malt_test_run (suites);
  suites[1].pName = NULL;
  status = malt_test_run (suites);
  return status == 0 ? 77 : status;
}
