/* SPDX-License-Identifier: MIT */
/* The watch: whatever hangs, the program ends, and says what hung. */
#include "soak.h"

#include <stdlib.h>
#include <unistd.h>

enum
{
  LOOK_US = 100000,
  N_PATIENCES = 4, /* for one operation, which may wait several times */
  SPARE_S = 60 /* for ends, beside the patience */
};

static void
give_up (const char *what)
{
  const SoakRemains none = { 0 };

  soak_fault (SOAK_HUNG, "%s", what);
  soak_threads_describe ();
  soak_report (&none);
  soak_remains_clear ();
  _exit (EXIT_FAILURE);
}

static gpointer
watch (gpointer data)
{
  const SoakOptions *options = soak_get_options ();
  gint64 patience_us = (gint64) options->patience_s * G_USEC_PER_SEC;
  gint64 end_us =
      g_get_monotonic_time () +
      ((gint64) SOAK_STRETCH * options->n_seconds + SPARE_S) * G_USEC_PER_SEC +
      patience_us * N_PATIENCES * 2;

  for (;;)
    {
      g_usleep (LOOK_US);
      if (soak_threads_look () > N_PATIENCES * patience_us)
        give_up ("an operation does not end");
      if (g_get_monotonic_time () > end_us)
        give_up ("the program does not end");
    }
  return data;
}

void
soak_watch_start (void)
{
  g_thread_unref (g_thread_new ("soak-watch", watch, NULL));
}
