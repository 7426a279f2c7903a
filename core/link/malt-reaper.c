/* SPDX-License-Identifier: MIT */
/*
 * Two dates: when SIGTERM is due and when SIGKILL is. Whoever wants the end of a process brings them forward, so that ends that are asked for at
 * the same time join. One source sleeps until the next of them.
 */
#include "link/malt-reaper.h"

#include "link/malt-io-thread.h"

#include <signal.h>

/* The date of what is not going to happen. */
#define NEVER G_MAXINT64

/* A hundred years: what longer timeouts are cut to, so that dates do not overflow. */
#define MAX_TIMEOUT_MS (G_GINT64_CONSTANT (100) * 365 * 24 * 3600 * 1000)

struct _MaltReaper
{
  gpointer owner; /* (unowned) */
  MaltReaperFunc func;
  GMutex lock; /* guards the rest */
  gint64 term_due_us;
  gint64 kill_due_us;
  gboolean is_term_sent;
  GSource *source; /* (owned) (nullable) */
};

MaltReaper *
malt_reaper_new (gpointer owner, MaltReaperFunc func)
{
  MaltReaper *reaper = g_new0 (MaltReaper, 1);

  g_mutex_init (&reaper->lock);
  reaper->owner = owner;
  reaper->func = func;
  reaper->term_due_us = NEVER;
  reaper->kill_due_us = NEVER;
  return reaper;
}

void
malt_reaper_free (MaltReaper *reaper)
{
  g_mutex_clear (&reaper->lock);
  g_free (reaper);
}

/* With lock held. */
static void
schedule (MaltReaper *reaper)
{
  gint64 due_us = MIN (reaper->term_due_us, reaper->kill_due_us);

  if (reaper->source != NULL && due_us != NEVER)
    g_source_set_ready_time (reaper->source, due_us);
}

void
malt_reaper_end_within (MaltReaper *reaper, gint64 term_ms, gint64 kill_ms)
{
  gint64 now_us = g_get_monotonic_time ();

  term_ms = MIN (term_ms, MAX_TIMEOUT_MS);
  kill_ms = MIN (kill_ms, MAX_TIMEOUT_MS);
  g_mutex_lock (&reaper->lock);
  if (term_ms >= 0 && !reaper->is_term_sent)
    reaper->term_due_us = MIN (reaper->term_due_us, now_us + term_ms * 1000);
  reaper->kill_due_us = MIN (reaper->kill_due_us, now_us + kill_ms * 1000);
  schedule (reaper);
  g_mutex_unlock (&reaper->lock);
}

static gboolean
on_due (gpointer data)
{
  MaltReaper *reaper = data;
  gint64 now_us = g_get_monotonic_time ();
  int signum = 0;

  g_mutex_lock (&reaper->lock);
  if (reaper->kill_due_us <= now_us)
    {
      reaper->term_due_us = NEVER;
      reaper->kill_due_us = NEVER;
      signum = SIGKILL;
    }
  else if (reaper->term_due_us <= now_us)
    {
      reaper->term_due_us = NEVER;
      signum = SIGTERM;
    }
  reaper->is_term_sent = reaper->is_term_sent || signum != 0;
  schedule (reaper);
  g_mutex_unlock (&reaper->lock);
  if (signum != 0)
    reaper->func (reaper->owner, signum);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* The source of a reaper keeps the owner. */
typedef struct
{
  MaltReaper *reaper;
  GBoxedFreeFunc unref;
} Hold;

static gboolean
on_ready (gpointer data)
{
  return on_due (((Hold *) data)->reaper);
}

static void
hold_free (gpointer data)
{
  Hold *hold = data;

  hold->unref (hold->reaper->owner);
  g_free (hold);
}

void
malt_reaper_start (MaltReaper *reaper, GBoxedCopyFunc ref, GBoxedFreeFunc unref)
{
  Hold *hold = g_new (Hold, 1);

  hold->reaper = reaper;
  hold->unref = unref;
  ref (reaper->owner);
  g_mutex_lock (&reaper->lock);
  reaper->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (reaper->source, "malt reaper");
  g_source_set_callback (reaper->source, on_ready, hold, hold_free);
  schedule (reaper);
  g_source_attach (reaper->source, malt_io_thread_get_context ());
  g_mutex_unlock (&reaper->lock);
}

void
malt_reaper_stop (MaltReaper *reaper)
{
  GSource *source;

  g_mutex_lock (&reaper->lock);
  source = g_steal_pointer (&reaper->source);
  g_mutex_unlock (&reaper->lock);
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}
