/* SPDX-License-Identifier: MIT */
/*
 * Two dates: when SIGTERM is due and when SIGKILL is. Whoever wants the end of a process
 * brings them forward, so that ends that are asked for at the same time join. One source
 * sleeps until the next of them. The dates alone say what is due: the source may wake up
 * for nothing.
 */
#include "process/malt-reaper.h"

#include "platform/malt-io-thread.h"

#include "base/malt-signals.h"

/* The date of what is not going to happen. */
#define NEVER G_MAXINT64

/* A hundred years: what longer timeouts are cut to, so that dates do not overflow. */
#define MAX_TIMEOUT_MS (G_GINT64_CONSTANT (100) * 365 * 24 * 3600 * 1000)

struct _MaltReaper
{
  gpointer owner; /* (unowned): keeps this */
  GBoxedCopyFunc ref;
  GBoxedFreeFunc unref;
  MaltReaperFunc func;

  GMutex lock; /* guards the rest */
  gint64 term_due_us;
  gint64 kill_due_us;
  gboolean has_sent;
  gboolean is_stopped;
  GSource *source; /* (owned) (nullable) */
};

MaltReaper *
malt_reaper_new (gpointer owner, GBoxedCopyFunc ref, GBoxedFreeFunc unref,
                 MaltReaperFunc func)
{
  MaltReaper *reaper = g_new0 (MaltReaper, 1);

  g_mutex_init (&reaper->lock);
  reaper->owner = owner;
  reaper->ref = ref;
  reaper->unref = unref;
  reaper->func = func;
  reaper->term_due_us = NEVER;
  reaper->kill_due_us = NEVER;
  return reaper;
}

/* Its source is gone: it held a reference to the owner. */
void
malt_reaper_free (MaltReaper *reaper)
{
  g_mutex_clear (&reaper->lock);
  g_free (reaper);
}

/* The dates. With lock held. */

static void
schedule (MaltReaper *reaper)
{
  gint64 due_us = MIN (reaper->term_due_us, reaper->kill_due_us);

  if (reaper->source != NULL && due_us != NEVER)
    g_source_set_ready_time (reaper->source, due_us);
}

static void
bring_forward (gint64 *date_us, gint64 timeout_ms)
{
  *date_us = MIN (*date_us, g_get_monotonic_time () + timeout_ms * 1000);
}

/* What is due now, if anything: 0: nothing. */
static int
take_due (MaltReaper *reaper)
{
  gint64 now_us = g_get_monotonic_time ();
  int signum = 0;

  if (reaper->kill_due_us <= now_us)
    {
      reaper->kill_due_us = NEVER;
      signum = SIGKILL;
    }
  else if (reaper->term_due_us <= now_us)
    signum = SIGTERM;
  if (signum != 0)
    {
      reaper->term_due_us = NEVER;
      reaper->has_sent = TRUE;
    }
  return signum;
}

/* Without lock */

void
malt_reaper_end_within (MaltReaper *reaper, gint64 exit_timeout_ms,
                        gint64 term_timeout_ms)
{
  exit_timeout_ms = MIN (exit_timeout_ms, MAX_TIMEOUT_MS);
  term_timeout_ms = MIN (term_timeout_ms, MAX_TIMEOUT_MS);
  g_mutex_lock (&reaper->lock);
  if (!reaper->has_sent)
    bring_forward (&reaper->term_due_us, exit_timeout_ms);
  bring_forward (&reaper->kill_due_us, exit_timeout_ms + term_timeout_ms);
  schedule (reaper);
  g_mutex_unlock (&reaper->lock);
}

void
malt_reaper_kill_within (MaltReaper *reaper, gint64 timeout_ms)
{
  g_mutex_lock (&reaper->lock);
  bring_forward (&reaper->kill_due_us, MIN (timeout_ms, MAX_TIMEOUT_MS));
  schedule (reaper);
  g_mutex_unlock (&reaper->lock);
}

static gboolean
on_ready (gpointer data)
{
  MaltReaper *reaper = data;
  int signum;

  g_mutex_lock (&reaper->lock);
  signum = take_due (reaper);
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

/* The last thing that the source does with the reaper, which may go with its owner. */
static void
drop_owner (gpointer data)
{
  MaltReaper *reaper = data;
  reaper->unref (reaper->owner);
}

void
malt_reaper_start (MaltReaper *reaper)
{
  g_mutex_lock (&reaper->lock);
  if (!reaper->is_stopped && reaper->source == NULL)
    {
      reaper->ref (reaper->owner);
      reaper->source = g_source_new (&source_funcs, sizeof (GSource));
      g_source_set_static_name (reaper->source, "malt: reaper");
      malt_io_thread_attach (reaper->source, on_ready, reaper, drop_owner);
      schedule (reaper);
    }
  g_mutex_unlock (&reaper->lock);
}

void
malt_reaper_stop (MaltReaper *reaper)
{
  GSource *source;

  g_mutex_lock (&reaper->lock);
  reaper->is_stopped = TRUE;
  source = g_steal_pointer (&reaper->source);
  g_mutex_unlock (&reaper->lock);
  malt_io_thread_detach (source);
}
