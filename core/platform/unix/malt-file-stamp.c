/* SPDX-License-Identifier: MIT */
/* Files on Unix: size, time and inode. */
#include "platform/malt-file-stamp.h"

#include <glib/gstdio.h>

char *
malt_file_stamp (const char *path)
{
  GStatBuf status;

  if (g_stat (path, &status) != 0)
    return NULL;
  return g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT,
                          (gint64) status.st_size, (gint64) status.st_mtim.tv_sec,
                          (gint64) status.st_mtim.tv_nsec, (gint64) status.st_ino);
}
