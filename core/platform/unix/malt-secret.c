/* SPDX-License-Identifier: MIT */
/* Secrets on Unix. */
#include "platform/malt-secret.h"

#include <errno.h>
#include <malt/malt-error.h>
#include <string.h>
#include <sys/random.h>

gboolean
malt_secret_fill (guint8 *bytes, gsize n_bytes, GError **error)
{
  if (getrandom (bytes, n_bytes, 0) == (ssize_t) n_bytes)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "no random bytes: %s",
               g_strerror (errno));
  return FALSE;
}

void
malt_secret_erase (guint8 *bytes, gsize n_bytes)
{
  explicit_bzero (bytes, n_bytes);
}
