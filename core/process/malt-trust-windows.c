/* SPDX-License-Identifier: MIT */
/*
 * Trust on Windows.
 *
 * A file is opened, which follows links of all kinds, and its own final path is asked for; then it and each directory of that path are looked at:
 * who owns it, and whom its access list lets change it. Only this user, the administrators and the system itself may own or change what is
 * trusted. Directories on the way may let others make new files: nobody can replace there what is somebody else's.
 *
 * There are no programs that run with more rights than their user has by who owns their file, so the environment is always the user's own.
 */
#include "process/malt-trust-private.h"

#include "process/malt-handle-windows.h"

#include <aclapi.h>
#include <malt/malt.h>
#include <sddl.h>
#include <string.h>

/* What nobody else may do. */
#define CHANGES_ENTRY (WRITE_DAC | WRITE_OWNER | DELETE)
#define CHANGES_FILE (CHANGES_ENTRY | FILE_WRITE_DATA | FILE_APPEND_DATA)
#define CHANGES_WAY (CHANGES_ENTRY | FILE_DELETE_CHILD)
#define CHANGES_DIRECTORY (CHANGES_WAY | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY)

/* The administrators, the system, and the service that installs Windows. */
static const char *const trusted_sids[] = {
  "S-1-5-32-544",
  "S-1-5-18",
  "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
};

gboolean
malt_trust_environment (void)
{
  return TRUE;
}

/* Errors */

static gboolean
refuse_by_code (const char *path, const char *what, DWORD code, GError **error)
{
  g_autofree char *reason = g_win32_error_message ((int) code);

  return malt_trust_refuse (path, error, "cannot be %s: %s", what, reason);
}

/* Who */

static gboolean
is_own_sid (PSID sid)
{
  union
  {
    TOKEN_USER user;
    guint8 bytes[sizeof (TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } own;
  HANDLE token = MALT_NO_HANDLE;
  DWORD n_bytes;
  gboolean is_own = FALSE;

  if (OpenProcessToken (GetCurrentProcess (), TOKEN_QUERY, &token) &&
      GetTokenInformation (token, TokenUser, &own, sizeof own, &n_bytes))
    is_own = EqualSid (sid, own.user.User.Sid);
  malt_handle_clear (&token);
  return is_own;
}

static gboolean
is_trusted_sid (PSID sid)
{
  for (gsize i = 0; i < G_N_ELEMENTS (trusted_sids); i++)
    {
      PSID trusted = NULL;
      gboolean is_equal =
          ConvertStringSidToSidA (trusted_sids[i], &trusted) && EqualSid (sid, trusted);

      if (trusted != NULL)
        LocalFree (trusted);
      if (is_equal)
        return TRUE;
    }
  return is_own_sid (sid);
}

static char *
dup_sid (PSID sid)
{
  char *text = NULL;
  char *copy;

  if (!ConvertSidToStringSidA (sid, &text))
    return g_strdup ("somebody unknown");
  copy = g_strdup (text);
  LocalFree (text);
  return copy;
}

/* What one file or directory is like */

/* NULL: this entry lets nobody else make such changes. */
static PSID
find_stranger (PACL list, DWORD index, DWORD changes)
{
  GENERIC_MAPPING mapping = { FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                              FILE_ALL_ACCESS };
  ACCESS_ALLOWED_ACE *entry = NULL;
  DWORD mask;
  PSID sid;

  if (!GetAce (list, index, (void **) &entry) ||
      entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE ||
      (entry->Header.AceFlags & INHERIT_ONLY_ACE))
    return NULL;
  mask = entry->Mask;
  MapGenericMask (&mask, &mapping);
  sid = (PSID) &entry->SidStart;
  return (mask & changes) != 0 && !is_trusted_sid (sid) ? sid : NULL;
}

static gboolean
check_list (const char *path, PACL list, DWORD changes, GError **error)
{
  if (list == NULL)
    return malt_trust_refuse (path, error,
                              "can be changed by everybody, expected a list of who may");
  for (DWORD i = 0; i < list->AceCount; i++)
    {
      PSID stranger = find_stranger (list, i, changes);

      if (stranger != NULL)
        {
          g_autofree char *name = dup_sid (stranger);

          return malt_trust_refuse (
              path, error, "can be changed by %s, expected by nobody else", name);
        }
    }
  return TRUE;
}

static gboolean
check_owner (const char *path, PSID owner, GError **error)
{
  g_autofree char *name = NULL;

  if (owner != NULL && is_trusted_sid (owner))
    return TRUE;
  name = owner != NULL ? dup_sid (owner) : g_strdup ("nobody");
  return malt_trust_refuse (
      path, error, "belongs to %s, expected this user or the administrators", name);
}

static gboolean
check_entry (const char *path, DWORD changes, GError **error)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  PSECURITY_DESCRIPTOR descriptor = NULL;
  PSID owner = NULL;
  PACL list = NULL;
  gboolean is_good;
  DWORD code = GetNamedSecurityInfoW (
      wide_path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
      &owner, NULL, &list, NULL, &descriptor);

  if (code != ERROR_SUCCESS)
    return refuse_by_code (path, "looked at", code, error);
  is_good = check_owner (path, owner, error) && check_list (path, list, changes, error);
  LocalFree (descriptor);
  return is_good;
}

/* Each directory that the path leads through. */
static gboolean
check_way (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (strcmp (directory, path) == 0)
    return TRUE;
  return check_way (directory, error) && check_entry (directory, CHANGES_WAY, error);
}

/* Opening */

/* Where the file is that was opened, without links. */
static char *
dup_final_path (HANDLE handle)
{
  wchar_t wide[32768];
  DWORD n = GetFinalPathNameByHandleW (handle, wide, G_N_ELEMENTS (wide),
                                       FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
  g_autofree char *path = NULL;

  if (n == 0 || n >= G_N_ELEMENTS (wide))
    return NULL;
  path = g_utf16_to_utf8 ((const gunichar2 *) wide, (glong) n, NULL, NULL, NULL);
  if (path == NULL)
    return NULL;
  if (g_str_has_prefix (path, "\\\\?\\UNC\\"))
    return g_strconcat ("\\\\", path + strlen ("\\\\?\\UNC\\"), NULL);
  return g_strdup (g_str_has_prefix (path, "\\\\?\\") ? path + strlen ("\\\\?\\") : path);
}

static gboolean
check_kind (HANDLE handle, const char *path, gboolean wants_directory, GError **error)
{
  BY_HANDLE_FILE_INFORMATION file;
  gboolean is_directory;

  if (GetFileType (handle) != FILE_TYPE_DISK ||
      !GetFileInformationByHandle (handle, &file))
    return malt_trust_refuse (path, error, "is not a regular file");
  is_directory = (file.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  if (is_directory != wants_directory)
    return malt_trust_refuse (
        path, error, wants_directory ? "is not a directory" : "is not a regular file");
  return TRUE;
}

/* MALT_NO_HANDLE: it cannot be trusted. As long as the handle is open nobody can rename or delete what was opened. */
static HANDLE
open_trusted (const char *path, gboolean wants_directory, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (absolute);
  g_autofree char *final_path = NULL;
  HANDLE handle = CreateFileW (
      wide_path, wants_directory ? FILE_LIST_DIRECTORY : GENERIC_READ,
      FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
      wants_directory ? FILE_FLAG_BACKUP_SEMANTICS : FILE_ATTRIBUTE_NORMAL, NULL);

  if (handle == INVALID_HANDLE_VALUE)
    {
      refuse_by_code (absolute, "opened", GetLastError (), error);
      return MALT_NO_HANDLE;
    }
  final_path = dup_final_path (handle);
  if (final_path == NULL)
    malt_trust_refuse (absolute, error, "has no path of its own");
  else if (check_kind (handle, final_path, wants_directory, error) &&
           check_way (final_path, error) &&
           check_entry (final_path, wants_directory ? CHANGES_DIRECTORY : CHANGES_FILE,
                        error))
    return handle;
  CloseHandle (handle);
  return MALT_NO_HANDLE;
}

static gboolean
check (const char *path, gboolean wants_directory, GError **error)
{
  HANDLE handle = open_trusted (path, wants_directory, error);

  if (handle == MALT_NO_HANDLE)
    return FALSE;
  CloseHandle (handle);
  return TRUE;
}

gboolean
malt_trust_check_file (const char *path, GError **error)
{
  return check (path, FALSE, error);
}

gboolean
malt_trust_check_directory (const char *path, GError **error)
{
  return check (path, TRUE, error);
}

gboolean
malt_trust_is_own_file (const char *path)
{
  return check_entry (path, CHANGES_FILE, NULL);
}

/* Reading */

static gboolean
read_all (HANDLE handle, const char *path, gsize max_bytes, GByteArray *contents,
          GError **error)
{
  guint8 chunk[16384];
  DWORD n;

  for (;;)
    {
      if (!ReadFile (handle, chunk, sizeof chunk, &n, NULL))
        return refuse_by_code (path, "read", GetLastError (), error);
      if (n == 0)
        return TRUE;
      if (contents->len + (gsize) n > max_bytes)
        return malt_trust_refuse (
            path, error, "is too large, expected at most %" G_GSIZE_FORMAT " bytes",
            max_bytes);
      g_byte_array_append (contents, chunk, n);
    }
}

gboolean
malt_trust_read_file (const char *path, gsize max_bytes, char **out_contents,
                      gsize *out_length, GError **error)
{
  g_autoptr (GByteArray) contents = g_byte_array_new ();
  HANDLE handle = open_trusted (path, FALSE, error);
  const guint8 end = 0;
  gboolean is_read;

  if (handle == MALT_NO_HANDLE)
    return FALSE;
  is_read = read_all (handle, path, max_bytes, contents, error);
  CloseHandle (handle);
  if (!is_read)
    return FALSE;
  *out_length = contents->len;
  g_byte_array_append (contents, &end, 1);
  *out_contents = (char *) g_byte_array_free (g_steal_pointer (&contents), FALSE);
  return TRUE;
}
