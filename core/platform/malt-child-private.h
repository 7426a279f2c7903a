/* SPDX-License-Identifier: MIT */
/* What a child process is on every platform: the first member of its struct, with which
 * malt-process-launcher.c of each system goes on. */
#pragma once

#include "platform/malt-process-launcher.h"

G_BEGIN_DECLS

typedef struct
{
  gatomicrefcount ref_count;
  MaltPipe *output
      [2]; /* (owned) (nullable): stdout and stderr; closed by the thread that reads them */
} MaltChildBase;

G_END_DECLS
