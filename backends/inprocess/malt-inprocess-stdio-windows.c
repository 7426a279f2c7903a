/* SPDX-License-Identifier: MIT */
/* On Windows Julia does nothing to the program's standard streams that others could see. */
#include "malt-inprocess-stdio.h"

void
malt_inprocess_stdio_before_init (MaltInProcessStdio *stdio)
{
  for (int i = 0; i < MALT_INPROCESS_N_STREAMS; i++)
    stdio->kept[i] = -1;
}

void
malt_inprocess_stdio_after_init (G_GNUC_UNUSED MaltInProcessStdio *stdio)
{
}
