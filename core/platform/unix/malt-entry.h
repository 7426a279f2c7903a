/* SPDX-License-Identifier: MIT */
/* Machine code by which Julia enters evaluated code, so that backtraces end there. For
 * Linux, and the processors of the judge. */
#pragma once

extern void malt_entry (void);
