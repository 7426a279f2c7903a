/* SPDX-License-Identifier: MIT */
/* The threads that run host functions.
 *
 * A call that waits takes a thread that is free, or a new one while there are fewer than
 * N_THREADS. Beyond that calls wait in a queue. A bound alone would be a deadlock, since a
 * function may wait for another one, through the worker and to any depth, or by means of
 * the host's own. So while calls wait and none of them has been taken for STALL_MS, one
 * thread more is made, up to MAX_THREADS. Where no thread can be made the oldest call
 * that has waited as long is refused; what cannot be refused waits on.
 *
 * Threads end when they have been idle for IDLE_MS. A source of the I/O thread watches the
 * queue while something is in it. Work is run and refused without the lock.
 *
 * GThreadPool is not used: it starts a helper by g_thread_new(), which aborts the host
 * when threads are short. */
#include "ffi/malt-host-threads.h"

#include "platform/malt-io-thread.h"

enum
{
  N_THREADS = 64,
  MAX_THREADS = 1024,
  STALL_MS = 50,
  IDLE_MS = 15000
};

static struct
{
  GMutex lock; /* guards the rest */
  GCond has_work;
  GQueue queue; /* of MaltHostWork (owned) */
  guint n_threads;
  guint n_idle; /* of them: waiting for has_work */
  guint n_taken; /* work that threads have taken, ever; wraps around */
  guint n_taken_seen; /* when the watch looked last */
  gboolean is_watched;
} pool;

/* With lock held. NULL: nothing came for IDLE_MS. */
static MaltHostWork *
wait_for_work (void)
{
  gint64 deadline = g_get_monotonic_time () + IDLE_MS * G_TIME_SPAN_MILLISECOND;
  gboolean is_early = TRUE;

  pool.n_idle++;
  while (pool.queue.length == 0 && is_early)
    is_early = g_cond_wait_until (&pool.has_work, &pool.lock, deadline);
  pool.n_idle--;
  return g_queue_pop_head (&pool.queue);
}

static gpointer
run_thread (G_GNUC_UNUSED gpointer data)
{
  MaltHostWork *work;

  g_mutex_lock (&pool.lock);
  while ((work = wait_for_work ()) != NULL)
    {
      pool.n_taken++;
      g_mutex_unlock (&pool.lock);
      work->run (work);
      g_mutex_lock (&pool.lock);
    }
  pool.n_threads--;
  g_mutex_unlock (&pool.lock);
  return NULL;
}

/* With lock held. */
static gboolean
add_thread_locked (void)
{
  GThread *thread = NULL;

  if (pool.n_threads < MAX_THREADS)
    thread = g_thread_try_new ("malt-host", run_thread, NULL, NULL);
  if (thread == NULL)
    return FALSE;
  pool.n_threads++;
  g_thread_unref (thread);
  return TRUE;
}

/* With lock held. (transfer full) (nullable) */
static MaltHostWork *
pop_refusable_locked (void)
{
  for (GList *link = pool.queue.head; link != NULL; link = link->next)
    {
      MaltHostWork *work = link->data;

      if (work->refuse == NULL)
        continue;
      g_queue_delete_link (&pool.queue, link);
      return work;
    }
  return NULL;
}

static gboolean
on_watch (G_GNUC_UNUSED gpointer data)
{
  MaltHostWork *refused = NULL;
  gboolean is_stalled;
  gboolean is_watched;

  g_mutex_lock (&pool.lock);
  is_stalled = pool.queue.length > 0 && pool.n_taken == pool.n_taken_seen;
  if (is_stalled && !add_thread_locked ())
    refused = pop_refusable_locked ();
  pool.n_taken_seen = pool.n_taken;
  is_watched = pool.is_watched = pool.queue.length > 0;
  g_mutex_unlock (&pool.lock);
  if (refused != NULL)
    refused->refuse (refused);
  return is_watched ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
malt_host_threads_push (MaltHostWork *work)
{
  gboolean begins_watch = FALSE;

  g_mutex_lock (&pool.lock);
  g_queue_push_tail (&pool.queue, work);
  if (pool.queue.length <= pool.n_idle)
    g_cond_signal (&pool.has_work);
  else if (pool.n_threads >= N_THREADS || !add_thread_locked ())
    begins_watch = !pool.is_watched;
  if (begins_watch)
    {
      pool.is_watched = TRUE;
      pool.n_taken_seen = pool.n_taken;
    }
  g_mutex_unlock (&pool.lock);
  if (begins_watch)
    g_source_unref (
        malt_io_thread_attach (g_timeout_source_new (STALL_MS), on_watch, NULL, NULL));
}
