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

gboolean
malt_library_is_whole (G_GNUC_UNUSED const char *bytes, G_GNUC_UNUSED gsize n_bytes)
{
  return TRUE;
}

/* Libraries that are loaded lie in bin there, what belongs to them in lib. */
char *
malt_library_dup_folder (void)
{
  static const char inside[] = "an address in this library";
  HMODULE library = NULL;
  g_autofree char *prefix = NULL;

  if (!GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           (LPCWSTR) (gconstpointer) inside, &library))
    return NULL;
  prefix = g_win32_get_package_installation_directory_of_module (library);
  return prefix != NULL ? g_build_filename (prefix, "lib", NULL) : NULL;
}
