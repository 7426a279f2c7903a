/* SPDX-License-Identifier: MIT */
/* How a path that is not trusted is reported, on every platform. */
#include "base/malt-error-private.h"
#include "platform/malt-trust-private.h"

#define MAX_PATH_CHARS 400 /* in messages */

gboolean
malt_trust_refuse (const char *path, GError **error, const char *format, ...)
{
  g_autofree char *line = malt_text_to_line (path, MAX_PATH_CHARS);
  g_autofree char *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG, "'%s' %s", line, reason);
  return FALSE;
}
