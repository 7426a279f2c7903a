/* SPDX-License-Identifier: MIT */
/* Texts that several files put into errors. Internal to the library. */
#pragma once

#include <malt/malt-error.h>

G_BEGIN_DECLS

/* The text as one line of at most max_chars characters, cut with an ellipsis; what is
 * not UTF-8 is replaced. (transfer full) */
char *malt_text_to_line (const char *text, gsize max_chars);

/* Of a remote exception: where message and backtrace are printed together, only so many
 * bytes of the message come before the backtrace; it brings the rest again where Julia
 * prints that. */
void malt_error_set_message_bytes_before_backtrace (GError *error, gsize n_bytes);

/* "'a', 'b'" (transfer full) */
char *malt_text_list (const char *const *names);

/* MALT_ERROR_RESOURCES if that errno says that the system is short of something; otherwise
 * @otherwise. */
MaltError malt_error_code_of_errno (int error_number, MaltError otherwise);

/* "what: why", by errno, with the code of the function before. Returns FALSE. */
gboolean malt_error_set_by_errno (GError **error, MaltError otherwise, const char *what);

/* The same termination, with the call that it ended. (transfer full) */
MaltTermination *malt_termination_copy_for_call (MaltTermination *termination,
                                                 const char *call_summary);

G_END_DECLS
