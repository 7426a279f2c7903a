/* SPDX-License-Identifier: MIT */
/* What the files of this folder for Windows share. */
#pragma once

#include <gio/gio.h>
#include <winsock2.h>

G_BEGIN_DECLS

/* A handle that was never there or is closed. */
#define MALT_NO_HANDLE NULL

/* Closes it, if it is there. */
void malt_handle_clear (HANDLE *handle);

/* A source that is dispatched, with a GSourceFunc, while the handle is signalled. It must
 * not outlive the handle. */
GSource *malt_handle_source_new (HANDLE handle, const char *static_name);

/* What the system says of a code of GetLastError(), as the end of a message. (transfer full) */
char *malt_handle_dup_reason (DWORD code);

/* "what: why", by the code of GetLastError(). Returns FALSE. */
gboolean malt_handle_set_error (GError **error, const char *what, DWORD code);

/* (transfer full): UTF-16 */
wchar_t *malt_handle_dup_wide (const char *text);

/* A path as the system takes it apart: with a drive and backslashes, without dots.
 * (transfer full): UTF-16 */
wchar_t *malt_handle_dup_full_path (const char *path);

G_END_DECLS
