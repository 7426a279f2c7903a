/* SPDX-License-Identifier: MIT */
/* The stops of a worker that are under way: whoever asks joins them, and all return when
 * it has ended. A part of its owner's struct. Any thread may call any of these; a lock of
 * the owner may be held, but where tasks return. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  GMutex lock; /* guards the rest */
  gboolean is_wanted;
  gboolean is_ended;
  GSList *tasks; /* of GTask (owned) */
} MaltStops;

void malt_stops_init (MaltStops *stops);
void malt_stops_clear (MaltStops *stops);

/* @task (nullable) (transfer full) returns TRUE after the end: now, if that has been.
 * TRUE: nobody has asked before. */
gboolean malt_stops_join (MaltStops *stops, GTask *task);

/* Whether anybody has asked. */
gboolean malt_stops_are_wanted (MaltStops *stops);

/* It has ended, and the worker object knows: all tasks return. */
void malt_stops_end (MaltStops *stops);

G_END_DECLS
