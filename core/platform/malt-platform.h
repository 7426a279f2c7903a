/* SPDX-License-Identifier: MIT */
/* What depends on the platform and is a constant. Outside of this folder nothing asks for the platform by itself. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#ifdef G_OS_WIN32
#define MALT_PLATFORM_PICK(on_unix, on_windows) on_windows
#else
#define MALT_PLATFORM_PICK(on_unix, on_windows) on_unix
#endif

/* The platforms between which something differs that is no constant; other Unixes count as Linux. */
typedef enum
{
  MALT_PLATFORM_LINUX,
  MALT_PLATFORM_MACOS,
  MALT_PLATFORM_WINDOWS,
  MALT_N_PLATFORMS,
} MaltPlatform;

/* The one that this library was built for. */
MaltPlatform malt_platform_get (void);

/* The end of the name of a program's file. */
#define MALT_PLATFORM_PROGRAM_SUFFIX MALT_PLATFORM_PICK ("", ".exe")

/* The variables of this process that are text, as g_get_environ() has them. (transfer full) */
char **malt_platform_dup_environment (void);

G_END_DECLS
