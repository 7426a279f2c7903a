/* SPDX-License-Identifier: MIT */
/* Shared libraries on Windows. */
#include "platform/malt-library.h"

#include "platform/windows/malt-handle.h"

/* What the system itself says of these is meant for a window that shows more. */
static char *
dup_reason (const char *path, DWORD code)
{
  g_autofree char *reason = NULL;

  switch (code)
    {
    case ERROR_MOD_NOT_FOUND:
      return g_strdup_printf ("'%s', or a library that it needs, is not there", path);
    case ERROR_PROC_NOT_FOUND:
      return g_strdup_printf ("a library that '%s' needs is another one than it expects",
                              path);
    case ERROR_BAD_EXE_FORMAT:
      return g_strdup_printf (
          "'%s', or a library that it needs, is no library for %d bits", path,
          (int) (8 * sizeof (gpointer)));
    default:
      reason = malt_handle_dup_reason (code);
      return g_strdup_printf ("'%s' cannot be loaded: %s", path, reason);
    }
}

gpointer
malt_library_open (const char *path, char **out_reason)
{
  g_autofree wchar_t *full_path = malt_handle_dup_full_path (path);
  DWORD modes = 0;
  DWORD code;
  HMODULE library;

  /* Otherwise the system would say what is wrong in a window, and wait for somebody to close it. */
  SetThreadErrorMode (SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX, &modes);
  /* What the library needs is looked for beside it, not beside the program; never in the
   * current directory. */
  library = LoadLibraryExW (
      full_path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
  code = GetLastError ();
  SetThreadErrorMode (modes, NULL);
  if (library == NULL)
    *out_reason = dup_reason (path, code);
  return library;
}

gpointer
malt_library_find (gpointer library, const char *name)
{
  return (gpointer) (guintptr) GetProcAddress (library, name);
}

/* The system does not tell a program that has set nothing from one that has taken the
 * current directory out of the search. It stays out, then. */
char *
malt_library_swap_folder (const char *folder)
{
  DWORD n = GetDllDirectoryW (0, NULL);
  g_autofree wchar_t *before = g_new0 (wchar_t, n + 1);
  g_autofree wchar_t *wide_folder = malt_handle_dup_wide (folder != NULL ? folder : "");
  char *result;

  GetDllDirectoryW (n + 1, before);
  SetDllDirectoryW (wide_folder);
  result = g_utf16_to_utf8 ((const gunichar2 *) before, -1, NULL, NULL, NULL);
  return result != NULL ? result : g_strdup ("");
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
