/* SPDX-License-Identifier: MIT */
/* Handles of Windows: waiting for them in a main context, and what went wrong with them. */
#include "platform/windows/malt-handle.h"

#include <malt/malt-error.h>
#include <string.h>

void
malt_handle_clear (HANDLE *handle)
{
  if (*handle != MALT_NO_HANDLE && *handle != INVALID_HANDLE_VALUE)
    CloseHandle (*handle);
  *handle = MALT_NO_HANDLE;
}

typedef struct
{
  GSource source;
  GPollFD poll;
} HandleSource;

static gboolean
check (GSource *source)
{
  return (((HandleSource *) source)->poll.revents & G_IO_IN) != 0;
}

static gboolean
dispatch (G_GNUC_UNUSED GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback != NULL ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs source_funcs = { .check = check, .dispatch = dispatch };

GSource *
malt_handle_source_new (HANDLE handle, const char *static_name)
{
  GSource *source = g_source_new (&source_funcs, sizeof (HandleSource));
  HandleSource *handle_source = (HandleSource *) source;

  handle_source->poll.fd = (gintptr) handle;
  handle_source->poll.events = G_IO_IN;
  g_source_set_static_name (source, static_name);
  g_source_add_poll (source, &handle_source->poll);
  return source;
}

/* The texts are sentences, and some leave room for a name that the caller has named already. */
char *
malt_handle_dup_reason (DWORD code)
{
  g_autofree char *text = g_win32_error_message ((int) code);
  GString *reason = g_string_new (text);

  g_string_replace (reason, "%1", "it", 0);
  while (reason->len > 0 && strchr (". \r\n", reason->str[reason->len - 1]) != NULL)
    g_string_truncate (reason, reason->len - 1);
  if (reason->len == 0)
    g_string_printf (reason, "error %lu", code);
  return g_string_free (reason, FALSE);
}

static gboolean
is_shortage (DWORD code)
{
  switch (code)
    {
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
    case WSAEMFILE:
    case WSAENOBUFS:
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
malt_handle_set_error (GError **error, const char *what, DWORD code)
{
  g_autofree char *reason = malt_handle_dup_reason (code);

  g_set_error (error, MALT_ERROR,
               is_shortage (code) ? MALT_ERROR_RESOURCES : MALT_ERROR_LAUNCH_FAILED,
               "%s: %s", what, reason);
  return FALSE;
}

wchar_t *
malt_handle_dup_wide (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  return (wchar_t *) g_utf8_to_utf16 (valid, -1, NULL, NULL, NULL);
}

wchar_t *
malt_handle_dup_full_path (const char *path)
{
  g_autofree wchar_t *wide_path = malt_handle_dup_wide (path);
  DWORD n = GetFullPathNameW (wide_path, 0, NULL, NULL);
  g_autofree wchar_t *full_path = g_new0 (wchar_t, n + 1);

  if (n > 0 && GetFullPathNameW (wide_path, n + 1, full_path, NULL) > 0)
    return g_steal_pointer (&full_path);
  return g_steal_pointer (&wide_path);
}
