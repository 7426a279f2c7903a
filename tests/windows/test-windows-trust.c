/* SPDX-License-Identifier: MIT */
/* Which files are believed on Windows. */
#include "windows-test.h"

#include "platform/malt-trust.h"
#include "platform/windows/malt-trust-windows.h"

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
key_file_that_everybody_may_write_is_refused (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (MaltConfig) config = NULL;
  g_autoptr (MaltConfig) refused = NULL;
  g_autoptr (GError) error = NULL;

  place_init (&place);
  malt_assert (
      g_file_set_contents (place.file, "[malt]\nbackend = malt-process\n", -1, NULL));
  g_setenv ("MALT_CONFIG", place.file, TRUE);
  config = malt_config_new_default (&error);
  malt_assert_no_error (error);
  malt_assert_string (malt_config_get_backend (config), "malt-process");
  malt_assert (set_list (place.file, "D:P(A;;FA;;;WD)"));
  refused = malt_config_new_default (&error);
  g_setenv ("MALT_CONFIG", "", TRUE);
  malt_assert (refused == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
  malt_assert (strstr (error->message, place.file) != NULL);
  malt_assert (strstr (error->message, "can be changed by S-1-1-0") != NULL);
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

/* One entry of an access list, made by hand: the text of a list cannot say all of them. */
static gboolean
add_entry (PACL list, BYTE type, BYTE flags, const char *sid_text, DWORD object_flags)
{
  guint8 bytes[256] = { 0 };
  ACE_HEADER *header = (ACE_HEADER *) bytes;
  ACCESS_ALLOWED_OBJECT_ACE *of_object = (ACCESS_ALLOWED_OBJECT_ACE *) bytes;
  gsize n_before = G_STRUCT_OFFSET (ACCESS_ALLOWED_ACE, SidStart);
  PSID sid = NULL;
  gboolean is_added;

  if (!ConvertStringSidToSidA (sid_text, &sid))
    return FALSE;
  ((ACCESS_ALLOWED_ACE *) bytes)->Mask = FILE_WRITE_DATA;
  if (type == ACCESS_ALLOWED_OBJECT_ACE_TYPE ||
      type == ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE)
    {
      of_object->Flags = object_flags;
      n_before = G_STRUCT_OFFSET (ACCESS_ALLOWED_OBJECT_ACE, ObjectType) +
                 (object_flags != 0 ? sizeof (GUID) : 0);
    }
  memcpy (bytes + n_before, sid, GetLengthSid (sid));
  header->AceType = type;
  header->AceFlags = flags;
  header->AceSize = (WORD) (n_before + GetLengthSid (sid));
  is_added = AddAce (list, ACL_REVISION_DS, MAXDWORD, bytes, header->AceSize) != 0;
  LocalFree (sid);
  return is_added;
}

/* Every kind of entry that lets somebody do something counts, and no other. */
static void
entries_of_all_kinds_are_understood (void)
{
  static const char everybody[] = "S-1-1-0";
  const struct
  {
    BYTE type;
    BYTE flags;
    const char *sid;
    DWORD object_flags;
    const char *stranger; /* (nullable) */
  } cases[] = {
    { ACCESS_ALLOWED_ACE_TYPE, 0, everybody, 0, everybody },
    { ACCESS_ALLOWED_ACE_TYPE, INHERITED_ACE, everybody, 0, everybody },
    { ACCESS_ALLOWED_ACE_TYPE, INHERIT_ONLY_ACE, everybody, 0, NULL },
    { ACCESS_ALLOWED_ACE_TYPE, 0, "S-1-5-18", 0, NULL },
    { ACCESS_ALLOWED_ACE_TYPE, 0, "S-1-5-32-544", 0, NULL },
    { ACCESS_ALLOWED_ACE_TYPE, 0, "S-1-3-4", 0, NULL },
    { ACCESS_ALLOWED_CALLBACK_ACE_TYPE, 0, everybody, 0, everybody },
    { ACCESS_ALLOWED_OBJECT_ACE_TYPE, 0, everybody, 0, everybody },
    { ACCESS_ALLOWED_OBJECT_ACE_TYPE, 0, everybody, ACE_OBJECT_TYPE_PRESENT, everybody },
    { ACCESS_ALLOWED_OBJECT_ACE_TYPE, 0, "S-1-5-18", ACE_INHERITED_OBJECT_TYPE_PRESENT,
      NULL },
    { ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE, 0, everybody, 0, everybody },
    { ACCESS_DENIED_ACE_TYPE, 0, everybody, 0, NULL },
    { SYSTEM_AUDIT_ACE_TYPE, 0, everybody, 0, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      union
      {
        ACL list;
        guint8 bytes[512];
      } room;
      g_autofree char *stranger = NULL;

      malt_assert (InitializeAcl (&room.list, sizeof room, ACL_REVISION_DS));
      malt_assert (add_entry (&room.list, ACCESS_ALLOWED_ACE_TYPE, 0, "S-1-5-18", 0));
      malt_assert (add_entry (&room.list, cases[i].type, cases[i].flags, cases[i].sid,
                              cases[i].object_flags));
      stranger = malt_trust_dup_stranger (&room.list, FILE_WRITE_DATA | WRITE_DAC);
      malt_assert_string (stranger, cases[i].stranger);
      g_clear_pointer (&stranger, g_free);
      stranger = malt_trust_dup_stranger (&room.list, WRITE_DAC);
      malt_assert (stranger == NULL);
    }
}

static void
folder_is_no_own_file (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place);
  malt_assert (malt_trust_is_own_file (place.file));
  malt_assert (!malt_trust_is_own_file (place.folder));
}

/* However the path is written. */
static void
path_may_be_written_in_all_ways (void)
{
  g_auto (Place) place = { 0 };
  g_autofree char *extended = NULL;
  g_autofree char *slashed = NULL;
  g_autofree char *roundabout = NULL;
  g_autofree char *upper = NULL;
  g_autoptr (GError) error = NULL;

  place_init (&place);
  extended = g_strconcat ("\\\\?\\", place.file, NULL);
  slashed = g_strdelimit (g_strdup (place.file), "\\", '/');
  roundabout = g_strconcat (place.folder, "\\.\\x\\..\\f\xc3\xbc.conf", NULL);
  upper = g_utf8_strup (place.file, -1);
  for (gsize i = 0; i < 4; i++)
    {
      const char *const paths[] = { extended, slashed, roundabout, upper };

      malt_trust_check_file (paths[i], &error);
      malt_assert_no_error (error);
    }
}

static CU_TestInfo tests[] = {
  MALT_TEST (own_file_is_believed_and_read),
  MALT_TEST (file_that_everybody_may_write_is_refused),
  MALT_TEST (file_in_a_folder_of_everybody_is_refused),
  MALT_TEST (key_file_that_everybody_may_write_is_refused),
  MALT_TEST (what_is_no_file_is_refused),
  MALT_TEST (file_that_is_too_large_is_refused),
  MALT_TEST (entries_of_all_kinds_are_understood),
  MALT_TEST (folder_is_no_own_file),
  MALT_TEST (path_may_be_written_in_all_ways),
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
