/* SPDX-License-Identifier: MIT */
/* The host's own standard output and error, written to without ever waiting for whoever
 * reads them. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

/* From any thread. What cannot be written at once is written later, in order, by the I/O thread. */
void malt_console_write (MaltStream stream, const char *text, gsize n_bytes);

G_END_DECLS
