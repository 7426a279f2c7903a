/* SPDX-License-Identifier: MIT */
/* Which platform this is. */
#include "process/malt-platform.h"

#include "malt-backend-private.h"

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
