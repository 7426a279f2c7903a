/* SPDX-License-Identifier: MIT */
/* How arguments and variables are handed to a process on Windows. */
#pragma once

#include "platform/windows/malt-handle.h"

G_BEGIN_DECLS

/* The arguments as one line, from which a C program gets the same arguments. (transfer full) */
char *malt_command_line_join (const char *const *argv);

/* The variables as CreateProcessW() takes them, in the order in which it wants them.
 * (transfer full) */
wchar_t *malt_environment_block (const char *const *envp);

G_END_DECLS
