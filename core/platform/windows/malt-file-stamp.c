/* SPDX-License-Identifier: MIT */
/* Files on Windows: size, time and number. */
#include "platform/malt-file-stamp.h"

#include "platform/windows/malt-handle.h"

char *
malt_file_stamp (const char *path)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  BY_HANDLE_FILE_INFORMATION file;
  gboolean is_known;
  HANDLE handle =
      CreateFileW (wide_path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                   NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

  if (handle == INVALID_HANDLE_VALUE)
    return NULL;
  is_known = GetFileInformationByHandle (handle, &file);
  CloseHandle (handle);
  if (!is_known)
    return NULL;
  return g_strdup_printf ("%lu:%lu %lu:%lu %lu:%lu", file.nFileSizeHigh,
                          file.nFileSizeLow, file.ftLastWriteTime.dwHighDateTime,
                          file.ftLastWriteTime.dwLowDateTime, file.nFileIndexHigh,
                          file.nFileIndexLow);
}
