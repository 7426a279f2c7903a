/* SPDX-License-Identifier: MIT */
/* What is done with each hostile body, by the fuzzer and by the test. */
#pragma once

#include <glib.h>

/* Reads a body that is to hold one value; if it does, prints, compares and writes the
 * value. Aborts if something that was read cannot be written, or is written in two
 * ways. Returns whether it was a value. */
gboolean malt_fuzz_body (const guint8 *data, gsize n_bytes);
