/* SPDX-License-Identifier: MIT */
/*
 * Trust on Windows.
 *
 * A file is opened, which follows links of all kinds, and its own final path is asked
 * for; then it, each directory of that path, and each directory and link of the path that
 * was given are looked at: who owns it, and whom its access list lets change it. Only
 * this user, the administrators and the system itself may own or change what is trusted.
 * Directories on the way may let others make new files: nobody can replace there what is
 * somebody else's. All these paths are in the form that begins with \\?\, in which every
 * name is what it is, however long the path.
 *
 * There are no programs that run with more rights than their user has by who owns their
 * file, so the environment is always the user's own.
 */
#include "platform/windows/malt-trust-windows.h"

#include "platform/malt-trust-private.h"

#include <aclapi.h>
#include <gio/gio.h>
#include <sddl.h>
#include <string.h>

/* What nobody else may do. */
#define CHANGES_ENTRY (WRITE_DAC | WRITE_OWNER | DELETE)
#define CHANGES_CONTENTS \
  (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA)
#define CHANGES_FILE (CHANGES_ENTRY | CHANGES_CONTENTS)
#define CHANGES_WAY (CHANGES_ENTRY | FILE_DELETE_CHILD)
#define CHANGES_DIRECTORY (CHANGES_WAY | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY)

#define PREFIX "\\\\?\\"
#define NETWORK_PREFIX PREFIX "UNC\\"

/* The administrators, the system, the service that installs Windows, and the owner,
 * whoever that is. */
static const char *const trusted_sids[] = {
  "S-1-5-32-544",
  "S-1-5-18",
  "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
  "S-1-3-4",
};

gboolean
malt_trust_environment (void)
{
  return TRUE;
}

/* Errors */

/* As people write it. (transfer full) */
static char *
dup_shown (const char *path)
{
  if (g_str_has_prefix (path, NETWORK_PREFIX))
    return g_strconcat ("\\\\", path + strlen (NETWORK_PREFIX), NULL);
  return g_strdup (g_str_has_prefix (path, PREFIX) ? path + strlen (PREFIX) : path);
}

static gboolean
refuse (const char *path, GError **error, const char *what, const char *how)
{
  g_autofree char *shown = dup_shown (path);

  return malt_trust_refuse (shown, error, "%s%s", what, how);
}

static gboolean
refuse_by_code (const char *path, const char *what, DWORD code, GError **error)
{
  g_autofree char *reason = malt_handle_dup_reason (code);
  g_autofree char *how = g_strdup_printf ("%s: %s", what, reason);

  return refuse (path, error, "cannot be ", how);
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

  if (sid == NULL || !ConvertSidToStringSidA (sid, &text))
    return g_strdup ("somebody unknown");
  copy = g_strdup (text);
  LocalFree (text);
  return copy;
}

/* What one file or directory is like */

/* Whom an entry of an access list is about, if it allows something. FALSE: it allows
 * nothing. @out_sid is NULL where the kind of the entry is not known. */
static gboolean
get_allowed (const ACE_HEADER *entry, PSID *out_sid)
{
  const ACCESS_ALLOWED_OBJECT_ACE *of_object = (const ACCESS_ALLOWED_OBJECT_ACE *) entry;
  const guint8 *at;

  *out_sid = NULL;
  switch (entry->AceType)
    {
    case ACCESS_ALLOWED_ACE_TYPE:
    /* On a condition, which may be met. */
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE:
      *out_sid = (PSID) & ((const ACCESS_ALLOWED_ACE *) entry)->SidStart;
      return TRUE;
    case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
      at = (const guint8 *) &of_object->ObjectType;
      at += of_object->Flags & ACE_OBJECT_TYPE_PRESENT ? sizeof (GUID) : 0;
      at += of_object->Flags & ACE_INHERITED_OBJECT_TYPE_PRESENT ? sizeof (GUID) : 0;
      *out_sid = (PSID) at;
      return TRUE;
    case ACCESS_ALLOWED_COMPOUND_ACE_TYPE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* Denials are passed over: where one would help, there is something to be refused. */
char *
malt_trust_dup_stranger (PACL list, DWORD changes)
{
  GENERIC_MAPPING mapping = { FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                              FILE_ALL_ACCESS };

  if (list == NULL)
    return g_strdup ("everybody");
  for (DWORD i = 0; i < list->AceCount; i++)
    {
      ACCESS_ALLOWED_ACE *entry = NULL;
      PSID sid;
      DWORD mask;

      if (!GetAce (list, i, (void **) &entry))
        return dup_sid (NULL);
      mask = entry->Mask;
      MapGenericMask (&mask, &mapping);
      if ((entry->Header.AceFlags & INHERIT_ONLY_ACE) || (mask & changes) == 0 ||
          !get_allowed (&entry->Header, &sid))
        continue;
      if (sid == NULL || !is_trusted_sid (sid))
        return dup_sid (sid);
    }
  return NULL;
}

static gboolean
check_list (const char *path, PACL list, DWORD changes, GError **error)
{
  g_autofree char *stranger = malt_trust_dup_stranger (list, changes);
  g_autofree char *how = NULL;

  if (stranger == NULL)
    return TRUE;
  how = g_strdup_printf ("%s, expected by nobody else", stranger);
  return refuse (path, error, "can be changed by ", how);
}

static gboolean
check_owner (const char *path, PSID owner, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *how = NULL;

  if (owner != NULL && is_trusted_sid (owner))
    return TRUE;
  name = dup_sid (owner);
  how = g_strdup_printf ("%s, expected this user or the administrators", name);
  return refuse (path, error, "belongs to ", how);
}

/* A link is changed by who makes it lead elsewhere. */
static gboolean
check_handle (HANDLE handle, const char *path, DWORD changes, GError **error)
{
  BY_HANDLE_FILE_INFORMATION file;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  PSID owner = NULL;
  PACL list = NULL;
  gboolean is_good;
  DWORD code;

  if (!GetFileInformationByHandle (handle, &file))
    return refuse_by_code (path, "looked at", GetLastError (), error);
  if (file.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
    changes |= CHANGES_CONTENTS;
  code = GetSecurityInfo (handle, SE_FILE_OBJECT,
                          OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                          NULL, &list, NULL, &descriptor);
  if (code != ERROR_SUCCESS)
    return refuse_by_code (path, "looked at", code, error);
  is_good = check_owner (path, owner, error) && check_list (path, list, changes, error);
  LocalFree (descriptor);
  return is_good;
}

/* What has this name itself: a link is not followed. */
static gboolean
check_entry (const char *path, DWORD changes, GError **error)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  HANDLE handle = CreateFileW (
      wide_path, READ_CONTROL | FILE_READ_ATTRIBUTES,
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  gboolean is_good;

  if (handle == INVALID_HANDLE_VALUE)
    return refuse_by_code (path, "looked at", GetLastError (), error);
  is_good = check_handle (handle, path, changes, error);
  CloseHandle (handle);
  return is_good;
}

/* How much of a path is the root of a drive, or of what another machine shares. 0: it has none. */
static gsize
get_root_length (const char *path)
{
  gboolean is_network = g_str_has_prefix (path, NETWORK_PREFIX);
  const char *at = path + strlen (is_network ? NETWORK_PREFIX : PREFIX);
  const char *end = strchr (at, '\\');

  if (is_network && end != NULL)
    end = strchr (end + 1, '\\');
  return end != NULL ? (gsize) (end - path) + 1 : 0;
}

/* Each directory and link that the path leads through. */
static gboolean
check_way (const char *path, GError **error)
{
  gsize n = get_root_length (path);

  if (n == 0)
    return refuse (path, error, "has no path of its own", "");
  for (;;)
    {
      g_autofree char *place = g_strndup (path, n);
      const char *end;

      if (!check_entry (place, CHANGES_WAY, error))
        return FALSE;
      /* Behind a root stands its separator, behind other directories the next. */
      end = strchr (path + n + (path[n - 1] != '\\'), '\\');
      if (end == NULL)
        return TRUE;
      n = (gsize) (end - path);
    }
}

/* Opening */

/* With the prefix. (transfer full) (nullable) */
static char *
dup_given_path (const char *path)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_full_path (path);
  g_autofree char *full_path =
      g_utf16_to_utf8 ((const gunichar2 *) wide_path, -1, NULL, NULL, NULL);

  if (full_path == NULL || g_str_has_prefix (full_path, PREFIX))
    return g_steal_pointer (&full_path);
  if (g_str_has_prefix (full_path, "\\\\"))
    return g_strconcat (NETWORK_PREFIX, full_path + 2, NULL);
  return g_strconcat (PREFIX, full_path, NULL);
}

/* Where the file is that was opened, without links, with the prefix. */
static char *
dup_final_path (HANDLE handle)
{
  wchar_t wide[32768];
  DWORD n = GetFinalPathNameByHandleW (handle, wide, G_N_ELEMENTS (wide),
                                       FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);

  if (n == 0 || n >= G_N_ELEMENTS (wide))
    return NULL;
  return g_utf16_to_utf8 ((const gunichar2 *) wide, (glong) n, NULL, NULL, NULL);
}

static gboolean
check_kind (HANDLE handle, const char *path, gboolean wants_directory, GError **error)
{
  BY_HANDLE_FILE_INFORMATION file;
  gboolean is_directory;

  if (GetFileType (handle) != FILE_TYPE_DISK ||
      !GetFileInformationByHandle (handle, &file))
    return refuse (path, error, "is not a regular file", "");
  is_directory = (file.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  if (is_directory == wants_directory)
    return TRUE;
  return refuse (path, error,
                 wants_directory ? "is not a directory" : "is not a regular file", "");
}

static gboolean
check_opened (HANDLE handle, const char *path, gboolean wants_directory, GError **error)
{
  DWORD changes = wants_directory ? CHANGES_DIRECTORY : CHANGES_FILE;
  g_autofree char *final_path = dup_final_path (handle);

  if (!check_kind (handle, path, wants_directory, error))
    return FALSE;
  if (final_path == NULL)
    return refuse (path, error, "has no path of its own", "");
  return check_way (final_path, error) &&
         check_handle (handle, final_path, changes, error) &&
         (g_str_equal (path, final_path) ||
          (check_way (path, error) && check_entry (path, changes, error)));
}

/* MALT_NO_HANDLE: it cannot be trusted. As long as the handle is open nobody can rename
 * or delete what was opened. */
static HANDLE
open_trusted (const char *path, gboolean wants_directory, GError **error)
{
  g_autofree char *given_path = dup_given_path (path);
  g_autofree wchar_t *wide_path =
      malt_handle_dup_wide (given_path != NULL ? given_path : "");
  HANDLE handle = CreateFileW (
      wide_path, wants_directory ? FILE_LIST_DIRECTORY | READ_CONTROL : GENERIC_READ,
      FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
      wants_directory ? FILE_FLAG_BACKUP_SEMANTICS : FILE_ATTRIBUTE_NORMAL, NULL);

  if (handle == INVALID_HANDLE_VALUE)
    {
      refuse_by_code (path, "opened", GetLastError (), error);
      return MALT_NO_HANDLE;
    }
  if (check_opened (handle, given_path, wants_directory, error))
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
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  DWORD attributes = GetFileAttributesW (wide_path);

  return attributes != INVALID_FILE_ATTRIBUTES &&
         !(attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT |
                         FILE_ATTRIBUTE_DEVICE)) &&
         check_entry (path, CHANGES_FILE, NULL);
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
