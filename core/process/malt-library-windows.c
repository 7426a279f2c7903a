/* SPDX-License-Identifier: MIT */
/* Shared libraries on Windows. */
#include "process/malt-library.h"

#include "process/malt-handle-windows.h"

gpointer
malt_library_open (const char *path, char **out_reason)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  /* What the library needs is looked for beside it, not beside the program; never in the current directory. */
  HMODULE library = LoadLibraryExW (
      wide_path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);

  if (library == NULL)
    {
      g_autofree char *reason = g_win32_error_message ((int) GetLastError ());

      *out_reason = g_strdup_printf ("%s: %s", path, reason);
    }
  return library;
}

gpointer
malt_library_find (gpointer library, const char *name)
{
  return (gpointer) (guintptr) GetProcAddress (library, name);
}
