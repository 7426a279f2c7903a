/* SPDX-License-Identifier: MIT */
/* Which files are believed on Windows. */
#include "windows-test.h"

#include "process/malt-trust.h"

#include <aclapi.h>
#include <glib/gstdio.h>
#include <sddl.h>
#include <string.h>

typedef struct
{
  char *folder; /* (owned) */
  char *file; /* (owned) */
} Place;

/* Lets everybody do with it what the text in the language of access lists says. */
static gboolean
set_list (const char *path, const char *list)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  g_autofree wchar_t *wide_list = malt_handle_dup_wide (list);
  PSECURITY_DESCRIPTOR descriptor = NULL;
  gboolean is_set;

  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW (wide_list, SDDL_REVISION_1,
                                                             &descriptor, NULL))
    return FALSE;
  is_set = SetFileSecurityW (
      wide_path, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
      descriptor);
  LocalFree (descriptor);
  return is_set;
}

static void
place_init (Place *place)
{
  place->folder = windows_test_make_folder ();
  place->file = g_build_filename (place->folder, "f\xc3\xbc.conf", NULL);
  g_file_set_contents (place->file, "text\n", -1, NULL);
}

static void
place_clear (Place *place)
{
  set_list (place->file, "D:P(A;;FA;;;WD)");
  windows_test_remove_folder (place->folder);
  g_free (place->folder);
  g_free (place->file);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static void
own_file_is_believed_and_read (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_bytes = 0;

  place_init (&place);
  malt_trust_check_file (place.file, &error);
  malt_assert_no_error (error);
  malt_assert (malt_trust_is_own_file (place.file));
  malt_assert (malt_trust_check_directory (place.folder, &error));
  malt_assert (malt_trust_read_file (place.file, 5, &contents, &n_bytes, &error));
  malt_assert_string (contents, "text\n");
  malt_assert_int (n_bytes, 5);
}

static void
file_that_everybody_may_write_is_refused (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_bytes = 0;

  place_init (&place);
  malt_assert (set_list (place.file, "D:P(A;;FA;;;WD)"));
  malt_assert (!malt_trust_check_file (place.file, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (strstr (error->message, "can be changed by S-1-1-0") != NULL);
  g_clear_error (&error);
  malt_assert (!malt_trust_read_file (place.file, 5, &contents, &n_bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (!malt_trust_is_own_file (place.file));
}

static void
file_in_a_folder_of_everybody_is_refused (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;

  place_init (&place);
  malt_assert (set_list (place.folder, "D:P(A;;FA;;;WD)"));
  malt_assert (!malt_trust_check_file (place.file, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  g_clear_error (&error);
  malt_assert (!malt_trust_check_directory (place.folder, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
}

static void
what_is_no_file_is_refused (void)
{
  const char *const paths[] = { "C:\\nowhere\\malt.conf", "C:\\windows", "NUL" };
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      malt_assert (!malt_trust_check_file (paths[i], &error));
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
      g_clear_error (&error);
    }
  place_init (&place);
  malt_assert (!malt_trust_check_directory (place.file, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
}

static void
file_that_is_too_large_is_refused (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_bytes = 0;

  place_init (&place);
  malt_assert (!malt_trust_read_file (place.file, 4, &contents, &n_bytes, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (strstr (error->message, "too large") != NULL);
}

static CU_TestInfo tests[] = {
  MALT_TEST (own_file_is_believed_and_read),
  MALT_TEST (file_that_everybody_may_write_is_refused),
  MALT_TEST (file_in_a_folder_of_everybody_is_refused),
  MALT_TEST (what_is_no_file_is_refused),
  MALT_TEST (file_that_is_too_large_is_refused),
  CU_TEST_INFO_NULL,
};

int
main (void)
{
  CU_SuiteInfo suites[] = {
    { .pName = "trust on Windows", .pTests = tests },
    CU_SUITE_INFO_NULL,
  };

  return malt_test_run (suites);
}
