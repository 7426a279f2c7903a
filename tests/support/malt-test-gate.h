/* SPDX-License-Identifier: MIT */
/* A count that one thread waits for and others bring about. */
#pragma once

#include "platform/malt-io-thread.h"

typedef struct
{
  GMutex lock; /* guards the rest */
  GCond changed;
  guint count;
} MaltTestGate;

static inline void
malt_test_gate_add (MaltTestGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->count++;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static inline guint
malt_test_gate_get (MaltTestGate *gate)
{
  guint count;

  g_mutex_lock (&gate->lock);
  count = gate->count;
  g_mutex_unlock (&gate->lock);
  return count;
}

/* FALSE: it did not get that far in a time that only bounds a failure. */
static inline gboolean
malt_test_gate_wait (MaltTestGate *gate, guint count)
{
  gint64 deadline_us = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  gboolean is_there;

  g_mutex_lock (&gate->lock);
  while (gate->count < count)
    if (!g_cond_wait_until (&gate->changed, &gate->lock, deadline_us))
      break;
  is_there = gate->count >= count;
  g_mutex_unlock (&gate->lock);
  return is_there;
}

static inline gboolean
malt_test_on_settled (gpointer gate)
{
  malt_test_gate_add (gate);
  return G_SOURCE_REMOVE;
}

/* Returns when the I/O thread has done what is due now. */
static inline void
malt_test_settle (void)
{
  static MaltTestGate gate;
  guint count = malt_test_gate_get (&gate) + 1;

  g_source_unref (
      malt_io_thread_attach (g_idle_source_new (), malt_test_on_settled, &gate, NULL));
  malt_test_gate_wait (&gate, count);
}
