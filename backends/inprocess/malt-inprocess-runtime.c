/* SPDX-License-Identifier: MIT */
/*
 * The one Julia of this process.
 *
 * The Julia thread belongs to Julia's scheduler. What other threads want of it they put
 * into a queue and wake it through the handle of an AsyncCondition (uv_async_send(),
 * which is safe in any thread); the reader, a task of Julia's, takes it from there
 * (julia/embed.jl, then julia/memory.jl). Julia calls the functions of the table
 * `functions`, whose address is written into the boot text.
 *
 * Waking. A wake-up costs more than a small call. So the reader looks for work for
 * SPIN_US before it waits (on_poll()), and a host thread that waits for an answer spins
 * as long (malt_inprocess_runtime_spin()). Both give up spinning after MAX_SPIN_MISSES
 * failures and try again now and then: where both ends share a processor a spin only
 * keeps the other from running. is_asleep says whether the reader must be woken; it
 * becomes TRUE under the lock, only while the queue is empty. The condition of Julia's
 * keeps a wake-up that comes before the wait.
 *
 * Arrays that Julia lent are given back through the queue from wherever their last GBytes went.
 *
 * The Julia thread never waits for another thread while it holds a lock of this file, and
 * calls links without it.
 */
#include "malt-inprocess-runtime.h"

#include "ffi/malt-host-threads.h"
#include "link/malt-julia-source.h"
#include "malt-inprocess-exit.h"
#include "malt-inprocess-force.h"
#include "malt-inprocess-start.h"
#include "platform/malt-platform.h"

#include <malt/malt-error-construction.h>
#include <malt/malt-host-call.h>

enum
{
  SPIN_US = 40,
  MAX_SPIN_MISSES = 3,
  SPIN_RETRY = 64,
};

/* As julia/memory.jl knows them. */
typedef enum
{
  OP_FRAME = 1,
  OP_TAKE_BACK = 2,
  OP_FORGET = 3,
  OP_RUN = 4,
} OpKind;

typedef struct
{
  OpKind kind;
  guint64 host;
  guint64 number; /* of a loan; address of a function */
  guint64 data;
  guint32 interrupted_id; /* of a frame that is an INTERRUPT */
  MaltWireFrame *frame; /* (owned) (nullable) */
} Op;

/* A bounded spin that is given up where it does not pay. One thread at a time, or
 * harmlessly several. */
typedef struct
{
  gint n_misses; /* atomic */
} Spin;

typedef struct
{
  GMutex lock; /* guards what has no other remark */
  guintptr thread; /* number of the Julia thread; constant once is_running */
  gint is_running; /* atomic: on_ready() was called */

  GQueue queue; /* of Op (owned) */
  gint n_queued; /* atomic: its length */
  gboolean is_asleep;
  gboolean has_polled; /* the runtime is there: pop does not put to sleep any more */
  gpointer wake_handle; /* constant once is_running */
  int (*wake) (gpointer handle);
  GHashTable *hosts; /* (owned): number -> MaltLink (owned) */
  guint64 last_host;

  /* Of the Julia thread. */
  Op *current; /* (owned) (nullable): what pop gave last */
  gint64 spin_until_us; /* 0: not spinning */
  Spin reader_spin;
  Spin caller_spin; /* of host threads */
} Runtime;

static Runtime runtime; /* all zero is the initial state */

/* Spins */

static gboolean
spin_is_worth (Spin *spin)
{
  gint n_misses = g_atomic_int_get (&spin->n_misses);

  if (n_misses < MAX_SPIN_MISSES)
    return TRUE;
  return g_atomic_int_add (&spin->n_misses, 1) % SPIN_RETRY == 0;
}

static void
spin_has_hit (Spin *spin)
{
  if (g_atomic_int_get (&spin->n_misses) != 0)
    g_atomic_int_set (&spin->n_misses, 0);
}

static void
spin_has_missed (Spin *spin)
{
  if (g_atomic_int_get (&spin->n_misses) < MAX_SPIN_MISSES)
    g_atomic_int_inc (&spin->n_misses);
}

static inline void
relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

/* One of the two is NULL. */
static void
spin (MaltFuture *future, const gint *is_done)
{
  gint64 until_us;

  if (!spin_is_worth (&runtime.caller_spin))
    return;
  until_us = g_get_monotonic_time () + SPIN_US;
  do
    {
      for (int i = 0; i < 16; i++)
        relax ();
      if (future != NULL ? malt_future_is_done (future) : g_atomic_int_get (is_done))
        {
          spin_has_hit (&runtime.caller_spin);
          return;
        }
    }
  while (g_get_monotonic_time () < until_us);
  spin_has_missed (&runtime.caller_spin);
}

void
malt_inprocess_runtime_spin (MaltFuture *future)
{
  spin (future, NULL);
}

void
malt_inprocess_runtime_spin_for (const gint *is_done)
{
  spin (NULL, is_done);
}

/* The queue */

static void
op_free (Op *op)
{
  g_clear_pointer (&op->frame, malt_wire_frame_free);
  g_free (op);
}

/* Takes the op; but one for a host that was removed, or in a forked process: then FALSE. */
static gboolean
push (Op *op)
{
  gboolean was_asleep;
  gboolean is_taken;

  if (malt_platform_is_forked (NULL))
    return FALSE;
  g_mutex_lock (&runtime.lock);
  is_taken = op->kind != OP_FRAME || g_hash_table_contains (runtime.hosts, &op->host);
  was_asleep = is_taken && runtime.is_asleep;
  if (is_taken)
    {
      g_queue_push_tail (&runtime.queue, op);
      g_atomic_int_inc (&runtime.n_queued);
      runtime.is_asleep = FALSE;
    }
  g_mutex_unlock (&runtime.lock);
  if (was_asleep)
    runtime.wake (runtime.wake_handle);
  return is_taken;
}

gboolean
malt_inprocess_runtime_send (guint64 host, MaltWireFrame *frame)
{
  Op *op = g_new0 (Op, 1);
  MaltFrameHeader header;

  op->kind = OP_FRAME;
  op->host = host;
  op->frame = frame;
  if (malt_frame_header_parse (g_bytes_get_data (frame->segments[0], NULL), G_MAXUINT64,
                               &header, NULL) &&
      header.kind == MALT_FRAME_INTERRUPT)
    op->interrupted_id = header.id;
  if (push (op))
    return TRUE;
  g_free (op);
  return FALSE;
}

gboolean
malt_inprocess_runtime_withdraw_interrupt (guint64 host, guint32 call_id)
{
  Op *found = NULL;

  g_mutex_lock (&runtime.lock);
  for (GList *l = runtime.queue.head; l != NULL && found == NULL; l = l->next)
    {
      Op *op = l->data;

      if (op->host == host && op->interrupted_id == call_id)
        found = op;
    }
  if (found != NULL)
    {
      g_queue_remove (&runtime.queue, found);
      g_atomic_int_add (&runtime.n_queued, -1);
    }
  g_mutex_unlock (&runtime.lock);
  if (found == NULL)
    return FALSE;
  op_free (found);
  return TRUE;
}

typedef struct
{
  MaltJuliaThreadFunc func;
  gpointer data;
} Run;

/* In the Julia thread. */
static void
on_run (gpointer data)
{
  g_autofree Run *run = data;

  run->func (run->data);
}

void
malt_inprocess_runtime_run (MaltJuliaThreadFunc func, gpointer data)
{
  Op *op = g_new0 (Op, 1);
  Run *run = g_new (Run, 1);

  run->func = func;
  run->data = data;
  op->kind = OP_RUN;
  op->number = (guintptr) on_run;
  op->data = (guintptr) run;
  push (op);
}

gboolean
malt_inprocess_runtime_is_current_thread (void)
{
  return g_atomic_int_get (&runtime.is_running) &&
         malt_platform_get_thread_number () == runtime.thread;
}

/* Hosts */

guint64
malt_inprocess_runtime_add_host (MaltLink *link)
{
  guint64 *key = g_new (guint64, 1);
  guint64 host;

  g_mutex_lock (&runtime.lock);
  if (runtime.hosts == NULL)
    runtime.hosts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                           (GDestroyNotify) malt_link_unref);
  host = *key = ++runtime.last_host;
  g_hash_table_insert (runtime.hosts, key, malt_link_ref (link));
  g_mutex_unlock (&runtime.lock);
  return host;
}

void
malt_inprocess_runtime_remove_host (guint64 host)
{
  MaltLink *link;
  Op *op = g_new0 (Op, 1);

  g_mutex_lock (&runtime.lock);
  link = g_hash_table_lookup (runtime.hosts, &host);
  if (link != NULL)
    malt_link_ref (link);
  g_hash_table_remove (runtime.hosts, &host);
  g_mutex_unlock (&runtime.lock);
  g_clear_pointer (&link, malt_link_unref);
  op->kind = OP_FORGET;
  op->host = host;
  push (op);
}

static MaltLink *
dup_link (guint64 host)
{
  MaltLink *link;

  g_mutex_lock (&runtime.lock);
  link = g_hash_table_lookup (runtime.hosts, &host);
  if (link != NULL)
    malt_link_ref (link);
  g_mutex_unlock (&runtime.lock);
  return link;
}

/* Loans */

static void
give_back (gpointer loan)
{
  Op *op = g_new0 (Op, 1);

  op->kind = OP_TAKE_BACK;
  op->number = *(guint64 *) loan;
  g_free (loan);
  push (op);
}

GBytes *
malt_inprocess_runtime_borrow (gconstpointer data, gsize n_bytes, guint64 loan)
{
  guint64 *number = g_new (guint64, 1);

  *number = loan;
  return g_bytes_new_with_free_func (data, n_bytes, give_back, number);
}

typedef struct
{
  MaltHostWork base; /* first */
  GDestroyNotify destroy;
  gpointer data;
} Drop;

static void
run_drop (MaltHostWork *work)
{
  g_autofree Drop *drop = (Drop *) work;

  drop->destroy (drop->data);
}

/* Lets something go in another thread: what the last reference calls is the user's, and
 * has no place in the Julia thread, where it might be in the middle of a garbage
 * collection, and could not wait for the worker. */
static void
drop_elsewhere (GDestroyNotify destroy, gpointer data)
{
  Drop *drop = g_new0 (Drop, 1);

  drop->base.run = run_drop;
  drop->destroy = destroy;
  drop->data = data;
  malt_host_threads_push (&drop->base);
}

/* What Julia calls, in the Julia thread (on_hold and on_drop: in any thread of Julia's). */

static void
wake_for_exit (void)
{
  runtime.wake (runtime.wake_handle);
}

static void
on_ready (gpointer wake_handle, gpointer wake)
{
  g_mutex_lock (&runtime.lock);
  runtime.wake_handle = wake_handle;
  *(gpointer *) &runtime.wake = wake;
  runtime.thread = malt_platform_get_thread_number ();
  malt_inprocess_exit_watch (wake_for_exit);
  g_atomic_int_set (&runtime.is_running, TRUE);
  g_mutex_unlock (&runtime.lock);
  malt_inprocess_start_is_ready ();
}

/* slot: kind, host, then what julia/memory.jl says of the kind. What was given before is over. */
static int
on_pop (guint64 *slot)
{
  Op *op;

  if (malt_inprocess_exit_is_near ())
    malt_inprocess_exit_rest ();
  if (runtime.current != NULL && runtime.current->frame != NULL &&
      runtime.current->frame->loans != NULL)
    drop_elsewhere ((GDestroyNotify) op_free, g_steal_pointer (&runtime.current));
  g_clear_pointer (&runtime.current, op_free);
  g_mutex_lock (&runtime.lock);
  op = g_queue_pop_head (&runtime.queue);
  runtime.is_asleep = op == NULL && !runtime.has_polled;
  if (op != NULL)
    g_atomic_int_add (&runtime.n_queued, -1);
  g_mutex_unlock (&runtime.lock);
  if (op == NULL)
    return FALSE;
  runtime.current = op;
  slot[0] = op->kind;
  slot[1] = op->host;
  slot[2] = op->frame != NULL ? (guintptr) g_bytes_get_data (op->frame->segments[0], NULL)
                              : op->number;
  slot[3] = op->data;
  return TRUE;
}

/* 1: something is in the queue. -1: the reader may wait; it will be woken. 0: look again. */
static int
on_poll (void)
{
  gboolean is_empty;

  if (malt_inprocess_exit_is_near ())
    malt_inprocess_exit_rest ();
  if (g_atomic_int_get (&runtime.n_queued) > 0)
    {
      if (runtime.spin_until_us > 0)
        spin_has_hit (&runtime.reader_spin);
      runtime.spin_until_us = 0;
      return 1;
    }
  if (runtime.spin_until_us == 0)
    runtime.spin_until_us =
        spin_is_worth (&runtime.reader_spin) ? g_get_monotonic_time () + SPIN_US : 1;
  for (int i = 0; i < 16 && runtime.spin_until_us > 1; i++)
    relax ();
  if (g_get_monotonic_time () < runtime.spin_until_us)
    return 0;
  if (runtime.spin_until_us > 1)
    spin_has_missed (&runtime.reader_spin);
  runtime.spin_until_us = 0;
  g_mutex_lock (&runtime.lock);
  runtime.has_polled = TRUE;
  is_empty = g_queue_is_empty (&runtime.queue);
  runtime.is_asleep = is_empty;
  g_mutex_unlock (&runtime.lock);
  return is_empty ? -1 : 1;
}

static void
on_send (guint64 host, const guint8 *bytes)
{
  MaltLink *link = dup_link (host);

  if (link == NULL)
    return;
  malt_link_receive_frame (link, bytes);
  malt_link_unref (link);
}

/* What objects of Julia's hold of the host's memory: object => GBytes. */
static GMutex held_lock;
static GHashTable *held; /* (owned) (nullable): guarded by held_lock */

static void
on_hold (gpointer object, GBytes *owner)
{
  g_mutex_lock (&held_lock);
  if (held == NULL)
    held = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (held, object, g_bytes_ref (owner));
  g_mutex_unlock (&held_lock);
}

/* The finalizer of such an object. */
static void
on_drop (gpointer object)
{
  GBytes *owner = NULL;

  g_mutex_lock (&held_lock);
  g_hash_table_steal_extended (held, object, NULL, (gpointer *) &owner);
  g_mutex_unlock (&held_lock);
  if (owner != NULL)
    drop_elsewhere ((GDestroyNotify) g_bytes_unref, owner);
}

/* The message of an error that a host function has set; Julia copies it and frees the error. */
static const char *
on_get_message (const GError *error)
{
  return error->message;
}

static char *
make_text (const char *text, gsize n_bytes)
{
  return g_utf8_make_valid (text, (gssize) n_bytes);
}

/* An exception has ended a call of a native function. */
static void
on_throw (MaltNativeCell *cell, const char *type, gsize n_type_bytes, const char *message,
          gsize n_message_bytes, const char *backtrace, gsize n_backtrace_bytes)
{
  g_autofree char *type_text = make_text (type, n_type_bytes);
  g_autofree char *message_text = make_text (message, n_message_bytes);
  g_autofree char *backtrace_text = make_text (backtrace, n_backtrace_bytes);

  malt_native_throw (cell, malt_error_new_remote_exception (type_text, message_text,
                                                            backtrace_text,
                                                            "inprocess worker"));
}

/* The order is known to julia/embed.jl and julia/memory.jl. */
typedef void (*AnyFunction) (void);
static const AnyFunction functions[] = {
  (AnyFunction) on_ready,
  (AnyFunction) on_pop,
  (AnyFunction) on_poll,
  (AnyFunction) on_send,
  (AnyFunction) on_hold,
  (AnyFunction) on_drop,
  (AnyFunction) on_throw,
  (AnyFunction) on_get_message,
  (AnyFunction) g_error_free,
  (AnyFunction) g_free,
  (AnyFunction) malt_inprocess_force_load,
};

/* The text that Julia begins with */

char *
malt_inprocess_runtime_dup_boot (gboolean has_stdin)
{
  static const char *const transport[] = { "inprocess/memory.jl", "julia/hostio.jl",
                                           "inprocess/output.jl", "inprocess/native.jl",
                                           "inprocess/force.jl",  NULL };
  static const char *const boot_transport[] = { "julia/boot.jl", "inprocess/embed.jl",
                                                NULL };
  g_autoptr (GBytes) source = malt_julia_dup_runtime (transport);
  gsize n_bytes;
  const char *text = g_bytes_get_data (source, &n_bytes);
  g_autofree char *constants = NULL;

  /* Copied by the boot, which runs later than this function. */
  text = g_strndup (text, n_bytes);
  constants = g_strdup_printf (
      "const HOST = UInt(%" G_GUINTPTR_FORMAT "); const ENTRY = UInt(%" G_GUINTPTR_FORMAT
      "); const SOURCE = UInt(%" G_GUINTPTR_FORMAT
      "); const SOURCE_BYTES = %" G_GSIZE_FORMAT "; const STACK = %" G_GSIZE_FORMAT
      "; const HAS_STDIN = %s\n",
      (guintptr) functions, malt_inprocess_force_get_entry (), (guintptr) text, n_bytes,
      malt_platform_get_stack_bytes (), has_stdin ? "true" : "false");
  return malt_julia_dup_boot (constants, boot_transport);
}
