/* SPDX-License-Identifier: MIT */
/* The threads that run host functions. Internal to the library. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first member of what is to be done; either function frees it, once. */
typedef struct _MaltHostWork MaltHostWork;
struct _MaltHostWork
{
  void (*run) (MaltHostWork *work); /* in a thread of its own; may block */
  void (*refuse) (MaltHostWork *work); /* (nullable): in the I/O thread: no thread */
};

/* Takes the work over, and returns at once. Any thread. */
void malt_host_threads_push (MaltHostWork *work);

G_END_DECLS
