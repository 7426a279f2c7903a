/* SPDX-License-Identifier: MIT */
/* Which platform this is, and what it gives its programs. */
#include "platform/malt-platform.h"

#ifdef G_OS_WIN32
#include "platform/windows/malt-handle.h"
#endif

MaltPlatform
malt_platform_get (void)
{
#if defined(G_OS_WIN32)
  return MALT_PLATFORM_WINDOWS;
#elif defined(__APPLE__)
  return MALT_PLATFORM_MACOS;
#else
  return MALT_PLATFORM_LINUX;
#endif
}

#ifdef G_OS_WIN32
/* GLib's own list ends at the first that is no text. */
char **
malt_platform_dup_environment (void)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new ();
  wchar_t *block = GetEnvironmentStringsW ();

  for (const wchar_t *at = block; at != NULL && *at != 0; at += wcslen (at) + 1)
    {
      char *pair = g_utf16_to_utf8 ((const gunichar2 *) at, -1, NULL, NULL, NULL);

      if (pair != NULL)
        g_ptr_array_add (pairs, pair);
    }
  if (block != NULL)
    FreeEnvironmentStringsW (block);
  g_ptr_array_add (pairs, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&pairs), FALSE);
}
#else
char **
malt_platform_dup_environment (void)
{
  return g_get_environ ();
}
#endif
