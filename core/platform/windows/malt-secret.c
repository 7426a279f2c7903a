/* SPDX-License-Identifier: MIT */
/* Secrets on Windows. */
#include "platform/malt-secret.h"

#include "platform/windows/malt-handle.h"

#include <bcrypt.h>
#include <malt/malt-error.h>

gboolean
malt_secret_fill (guint8 *bytes, gsize n_bytes, GError **error)
{
  NTSTATUS status =
      BCryptGenRandom (NULL, bytes, (ULONG) n_bytes, BCRYPT_USE_SYSTEM_PREFERRED_RNG);

  if (status >= 0)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, "no random bytes: 0x%08lx",
               (unsigned long) status);
  return FALSE;
}

void
malt_secret_erase (guint8 *bytes, gsize n_bytes)
{
  SecureZeroMemory (bytes, n_bytes);
}
