/* SPDX-License-Identifier: MIT */
/*
 * One connection to a Julia-side runtime.
 *
 * A link knows bytes, frames and calls; it does not know what runs at the other end, how
 * it was started, or how it ends: that is its owner's (MaltLinkFuncs). It gives answers
 * to core directly, by the number of the call.
 *
 * States. Made: frames queue up. Attached: fd is a connected socket. Introduced:
 * has_hello. Read-closed: nothing will come any more (is_read_closed); the owner has been
 * told and ends the worker. Closed: fd is gone, every function does nothing (is_closed).
 *
 * Who reads. Exactly one thread at a time has the mutex `reader`: the I/O thread while it
 * serves the source, or a blocking caller in malt_link_drive(). They only try the mutex.
 * While a caller has it, the poller's source is deaf to incoming bytes, so the I/O thread
 * sleeps on, and a round trip costs no switch of threads in the host. The caller spins
 * for at most SPIN_US, because a wake-up of an idle processor costs more than a short
 * answer; then it sleeps in poll(). Spinning pays only while the worker has a processor
 * of its own: where both share one, or others want it, the spin would only keep the
 * worker waiting. So after MAX_SPIN_MISSES spins without an answer the caller sleeps at
 * once, and tries again every SPIN_RETRY answers. It never yields the processor, which on
 * a busy machine may mean to lose it for milliseconds. When it leaves, the source listens
 * again, and finds what the caller may have left in the socket. What is half received
 * stays in the receiver for whoever reads next.
 *
 * Memory. A runtime that lives in this process has no stream: funcs->send_frame takes
 * frames, malt_link_receive_frame() brings them, in the runtime's thread, with `reader`
 * held. There is no poller, no source, and nothing to drive.
 *
 * Who writes. Any thread, under `lock` (malt-link-send.c).
 *
 * Order of locks: reader, then lock. Core is called with reader held and lock free; slots
 * take lock only, and try reader.
 *
 * Ends. Only the owner closes. Drain and close want the mutex `reader` for sure: they
 * raise is_reader_wanted and wake the driver, which leaves.
 */
#include "link/malt-link-private.h"

#include "base/malt-memory.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "platform/malt-socket.h"

enum
{
  SPIN_US = 50,
  MAX_SPIN_MISSES = 3,
  SPIN_RETRY = 64,
  MAX_RECEIVES =
      64, /* in one dispatch of the source, for the sake of other connections */
  /* For the end of the stream of a process that has ended. Where the system hands on what
   * was sent in its own time, that may come later than the end of the process. */
  DRAIN_PATIENCE_MS = MALT_PLATFORM_PICK (5, 100)
};

MaltLink *
malt_link_new (MaltWorker *worker, const MaltLinkFuncs *funcs, gpointer owner,
               GDestroyNotify unref_owner, guint64 max_frame_bytes, GError **error)
{
  MaltSocketPoller *poller = NULL;
  MaltLink *link;

  if (funcs->send_frame == NULL && (poller = malt_socket_poller_new (error)) == NULL)
    return NULL;
  link = g_new0 (MaltLink, 1);
  g_atomic_ref_count_init (&link->ref_count);
  g_mutex_init (&link->reader);
  g_mutex_init (&link->lock);
  link->max_frame_bytes = max_frame_bytes;
  link->worker = malt_weak_worker_ref (malt_worker_get_weak (worker));
  link->home = malt_handle_home_ref (malt_worker_get_handle_home (worker));
  link->funcs = funcs;
  link->owner = owner;
  link->unref_owner = unref_owner;
  link->poller = poller;
  link->fd = -1;
  link->run_time_fd = -1;
  link->calls = g_hash_table_new (NULL, NULL);
  g_queue_init (&link->outgoing);
  g_queue_init (&link->held);
  g_queue_init (&link->finished);
  g_queue_init (&link->interrupts);
  g_queue_init (&link->acks);
  malt_link_update_interest (link);
  return link;
}

/* The file is opened while there are descriptors; malt_link_busy_consider() tries again. */
static void
set_thread (MaltLink *link, gint64 thread)
{
  malt_judge_close_run_time (link->run_time_fd);
  link->thread = thread;
  link->run_time_fd = thread != 0 ? malt_judge_open_run_time (thread) : -1;
}

MaltLink *
malt_link_ref (MaltLink *link)
{
  g_atomic_ref_count_inc (&link->ref_count);
  return link;
}

void
malt_link_unref (MaltLink *link)
{
  if (!g_atomic_ref_count_dec (&link->ref_count))
    return;
  malt_link_close (link);
  malt_weak_worker_unref (link->worker);
  malt_handle_home_unref (link->home);
  g_clear_pointer (&link->poller, malt_socket_poller_free);
  set_thread (link, 0);
  g_hash_table_unref (link->calls);
  g_mutex_clear (&link->lock);
  g_mutex_clear (&link->reader);
  g_free (link);
}

/* The I/O thread */

static gboolean
on_socket_ready (gpointer data)
{
  MaltLink *link = data;
  MaltSocketPoll ready = malt_socket_poller_get_ready (link->poller);

  if (ready & MALT_SOCKET_POLL_WRITE)
    {
      g_mutex_lock (&link->lock);
      malt_link_flush (link);
      malt_link_unlock (link);
    }
  if ((ready & MALT_SOCKET_POLL_READ) && g_mutex_trylock (&link->reader))
    {
      for (guint i = 0; i < MAX_RECEIVES; i++)
        if (malt_link_receive (link) != MALT_LINK_RECEIVED_SOME)
          break;
      g_mutex_unlock (&link->reader);
    }
  return G_SOURCE_CONTINUE;
}

static void
attach_source (MaltLink *link)
{
  link->source = malt_socket_poller_source_new (link->poller);
  g_source_set_callback (link->source, on_socket_ready, malt_link_ref (link),
                         (GDestroyNotify) malt_link_unref);
  g_source_attach (link->source, malt_io_thread_get_context ());
}

/* Waits for the right to read, which a driver gives up when asked. */
static void
acquire_reader (MaltLink *link)
{
  g_atomic_int_inc (&link->is_reader_wanted);
  if (link->poller != NULL)
    malt_socket_poller_wake (link->poller);
  g_mutex_lock (&link->reader);
  g_atomic_int_add (&link->is_reader_wanted, -1);
}

void
malt_link_set_distance (MaltLink *link, guint distance_ms)
{
  link->distance_ms = distance_ms;
}

gboolean
malt_link_attach (MaltLink *link, int fd, GError **error)
{
  gboolean is_attached;

  if (!malt_socket_set_nonblocking (fd, error))
    {
      malt_socket_close (fd);
      return FALSE;
    }
  acquire_reader (link);
  g_mutex_lock (&link->lock);
  is_attached = !link->is_closed && malt_socket_poller_set_fd (link->poller, fd, error);
  if (is_attached)
    {
      link->fd = fd;
      attach_source (link);
      malt_link_flush (link);
    }
  else
    {
      malt_socket_close (fd);
      if (link->is_closed)
        g_set_error (error, MALT_ERROR, MALT_ERROR_FAILED, "the connection is closed");
    }
  g_mutex_unlock (&link->reader);
  malt_link_unlock (link);
  return is_attached;
}

void
malt_link_drain (MaltLink *link)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) DRAIN_PATIENCE_MS * 1000;
  MaltLinkReceived received;

  acquire_reader (link);
  while ((received = malt_link_receive (link)) != MALT_LINK_RECEIVED_END)
    {
      if (received == MALT_LINK_RECEIVED_SOME)
        continue;
      if (g_get_monotonic_time () >= deadline_us)
        break;
      malt_socket_poller_wait (link->poller, deadline_us);
    }
  g_mutex_unlock (&link->reader);
}

void
malt_link_close (MaltLink *link)
{
  gpointer owner;
  GSource *source;

  acquire_reader (link);
  g_mutex_lock (&link->lock);
  link->is_closed = TRUE;
  link->judge = NULL;
  malt_link_drop_outgoing (link);
  g_hash_table_remove_all (link->calls);
  link->n_outstanding = 0;
  if (link->poller != NULL)
    malt_socket_poller_set_fd (link->poller, -1, NULL);
  if (link->fd >= 0)
    malt_socket_close (link->fd);
  link->fd = -1;
  set_thread (link, 0);
  source = g_steal_pointer (&link->source);
  owner = g_steal_pointer (&link->owner);
  malt_link_receiver_clear (&link->receiver);
  g_mutex_unlock (&link->reader);
  malt_link_unlock (link);

  malt_link_interrupts_close (link);
  if (owner != NULL && link->unref_owner != NULL)
    link->unref_owner (owner);
  if (source != NULL)
    {
      g_source_destroy (source);
      g_source_unref (source);
    }
}

void
malt_link_set_thread (MaltLink *link, gint64 thread, MaltJudge *judge, guint host)
{
  g_mutex_lock (&link->lock);
  set_thread (link, thread);
  link->judge = judge;
  link->host = host;
  malt_link_unlock (link);
}

/* Memory */

void
malt_link_receive_frame (MaltLink *link, const guint8 *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;
  gboolean is_right;

  g_mutex_lock (&link->reader);
  if (link->owner != NULL && !link->is_read_closed)
    {
      is_right = malt_frame_header_parse (bytes, G_MAXUINT64, &header, &error);
      if (is_right)
        {
          body = malt_memory_new_bytes (bytes + MALT_FRAME_HEADER_BYTES,
                                        header.n_body_bytes, NULL);
          is_right = body != NULL ? malt_link_dispatch (link, &header, body, &error)
                                  : malt_link_dispatch_short (link, &header, &error);
        }
      link->is_read_closed = !is_right;
      if (!is_right)
        link->funcs->ended (link->owner, error);
    }
  g_mutex_unlock (&link->reader);
}

/* The blocking reader */

static void
wake_driver (gpointer poller)
{
  malt_socket_poller_wake (poller);
}

/* By a handler: a descriptor of the cancellable may not be had, and GLib aborts then. */
static void
on_drive_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer poller)
{
  malt_socket_poller_wake (poller);
}

static gboolean
is_drive_over (MaltLink *link, MaltFuture *future, gint64 deadline_us,
               GCancellable *cancellable)
{
  return malt_future_is_done (future) || g_atomic_int_get (&link->is_reader_wanted) > 0 ||
         g_cancellable_is_cancelled (cancellable) ||
         (deadline_us >= 0 && g_get_monotonic_time () >= deadline_us);
}

static void
sleep_until_event (MaltLink *link, MaltFuture *future, gint64 deadline_us,
                   GCancellable *cancellable)
{
  if (!malt_future_set_waker (future, wake_driver, link->poller))
    return;
  /* Who wants to read has raised the flag before waking: look again before sleeping. */
  if (!is_drive_over (link, future, deadline_us, cancellable))
    malt_socket_poller_wait (link->poller, deadline_us);
  malt_future_set_waker (future, NULL, NULL);
}

static void
set_driven (MaltLink *link, gboolean is_driven)
{
  g_mutex_lock (&link->lock);
  link->is_driven = is_driven;
  malt_link_update_interest (link);
  malt_link_unlock (link);
}

/* With reader held. How long the spin of this answer may last. */
static gint64
get_spin_us (MaltLink *link)
{
  if (link->n_spin_misses < MAX_SPIN_MISSES)
    return SPIN_US;
  link->n_spin_misses++;
  return link->n_spin_misses % SPIN_RETRY == 0 ? SPIN_US : 0;
}

/* With reader held. */
static void
drive (MaltLink *link, MaltFuture *future, gint64 deadline_us, GCancellable *cancellable)
{
  gint64 spin_us = get_spin_us (link);
  gint64 spin_end_us = g_get_monotonic_time () + spin_us;
  gboolean has_slept = FALSE;

  while (!is_drive_over (link, future, deadline_us, cancellable))
    {
      MaltLinkReceived received = malt_link_receive (link);
      if (received == MALT_LINK_RECEIVED_END)
        return;
      if (received == MALT_LINK_RECEIVED_SOME)
        {
          if (spin_us > 0 && !has_slept)
            link->n_spin_misses = 0;
          continue;
        }
      if (g_get_monotonic_time () < spin_end_us)
        continue;
      if (spin_us > 0 && !has_slept && link->n_spin_misses < MAX_SPIN_MISSES)
        link->n_spin_misses++;
      has_slept = TRUE;
      sleep_until_event (link, future, deadline_us, cancellable);
    }
}

gboolean
malt_link_drive (MaltLink *link, MaltFuture *future, gint64 deadline_us,
                 GCancellable *cancellable)
{
  gulong handler = 0;
  gboolean is_done;

  if (g_atomic_int_get (&link->is_reader_wanted) > 0 || !g_mutex_trylock (&link->reader))
    return FALSE;
  if (link->fd < 0 || link->is_read_closed)
    {
      g_mutex_unlock (&link->reader);
      return FALSE;
    }
  set_driven (link, TRUE);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_drive_cancelled),
                                     link->poller, NULL);
  drive (link, future, deadline_us, cancellable);
  g_cancellable_disconnect (cancellable, handler);
  is_done = malt_future_is_done (future);
  if (is_done)
    g_atomic_int_inc (&link->n_driven);
  set_driven (link, FALSE);
  g_mutex_unlock (&link->reader);
  return is_done || g_cancellable_is_cancelled (cancellable) ||
         (deadline_us >= 0 && g_get_monotonic_time () >= deadline_us);
}

/* Figures */

guint32
malt_link_get_sole_call (MaltLink *link)
{
  guint32 sole = 0;
  GHashTableIter iter;
  gpointer key;
  gpointer flags;

  g_mutex_lock (&link->lock);
  g_hash_table_iter_init (&iter, link->calls);
  while (link->n_outstanding == 1 && g_hash_table_iter_next (&iter, &key, &flags))
    {
      guint bits = GPOINTER_TO_UINT (flags);
      if ((bits & MALT_LINK_CALL_IS_CODE) && !(bits & MALT_LINK_CALL_HELD))
        sole = bits & MALT_LINK_CALL_SILENT ? 0 : GPOINTER_TO_UINT (key);
    }
  malt_link_unlock (link);
  return sole;
}

void
malt_link_get_counters (MaltLink *link, MaltLinkCounters *out_counters)
{
  g_mutex_lock (&link->lock);
  out_counters->n_signals = link->n_signals;
  out_counters->n_interrupt_frames = link->n_interrupt_frames;
  out_counters->n_fences = link->n_fences;
  out_counters->n_outstanding = link->n_outstanding;
  out_counters->n_held = link->held.length;
  malt_link_unlock (link);
  out_counters->n_driven = (guint) g_atomic_int_get (&link->n_driven);
  out_counters->is_receiving = g_atomic_int_get (&link->is_receiving);
}
