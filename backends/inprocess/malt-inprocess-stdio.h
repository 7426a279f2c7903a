/* SPDX-License-Identifier: MIT */
/* The program's standard streams, while Julia is initialised. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MALT_INPROCESS_N_STREAMS 3

typedef struct
{
  /* (owned): the program's own descriptor, or -1 where it is in its place */
  int kept[MALT_INPROCESS_N_STREAMS];
  int descriptor_flags[MALT_INPROCESS_N_STREAMS];
  int status_flags[MALT_INPROCESS_N_STREAMS]; /* -1: the stream is closed */
} MaltInProcessStdio;

void malt_inprocess_stdio_before_init (MaltInProcessStdio *stdio);
void malt_inprocess_stdio_after_init (MaltInProcessStdio *stdio);

G_END_DECLS
