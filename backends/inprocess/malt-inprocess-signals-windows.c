/* SPDX-License-Identifier: MIT */
/*
 * On Windows Julia handles exceptions of its own code, and events of the console by a
 * handler that is asked before the host's and that nothing can take away again but Julia.
 * So a host that wants Ctrl-C for itself has to say handle-signals = false.
 */
#include "malt-inprocess-signals.h"

void
malt_inprocess_signals_before_load (void)
{
}

void
malt_inprocess_signals_after_load (void)
{
}

void
malt_inprocess_signals_before_init (void)
{
}

void
malt_inprocess_signals_after_init (void)
{
}
