/* SPDX-License-Identifier: MIT */
/* A worker class whose evaluator is the test itself. */
#include "link-peer.h"

#include "platform/malt-io-thread.h"
#include "wire/malt-wire-writer.h"

#include "link-peer-socket.h"
#include "platform/malt-socket.h"

#include <malt/malt-abstract-worker.h>
#include <string.h>

#define LINK_TYPE_WORKER (link_worker_get_type ())
G_DECLARE_FINAL_TYPE (LinkWorker, link_worker, LINK, WORKER, MaltWorker)

/* What the link tells its owner; outlives the worker. */
typedef struct
{
  gatomicrefcount ref_count;
  GMutex lock; /* guards the rest */
  char *end; /* (owned) (nullable) */
  GString *output;
  MaltLinkSignal signal; /* what becomes of signals */
  guint n_signals;
} Owner;

struct _LinkWorker
{
  MaltWorker parent_instance;
  MaltLink *link; /* (owned) */
  Owner *owner; /* (owned) */
  int peer_fd; /* the runtime's end; the peer takes it over */
  gboolean is_running;
};

static void link_worker_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LinkWorker, link_worker, MALT_TYPE_WORKER,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                      link_worker_initable_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

static void
owner_unref (gpointer data)
{
  Owner *owner = data;
  if (!g_atomic_ref_count_dec (&owner->ref_count))
    return;
  g_free (owner->end);
  g_string_free (owner->output, TRUE);
  g_mutex_clear (&owner->lock);
  g_free (owner);
}

static void
on_hello (G_GNUC_UNUSED gpointer owner, G_GNUC_UNUSED guint32 pid,
          G_GNUC_UNUSED const char *version)
{
}

static void
on_before_answer (G_GNUC_UNUSED gpointer owner)
{
}

static void
on_output (gpointer data, G_GNUC_UNUSED MaltStream stream, G_GNUC_UNUSED guint32 call_id,
           GBytes *bytes)
{
  Owner *owner = data;
  g_mutex_lock (&owner->lock);
  g_string_append_len (owner->output, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
  g_mutex_unlock (&owner->lock);
}

static void
on_ended (gpointer data, const GError *error)
{
  Owner *owner = data;
  g_mutex_lock (&owner->lock);
  owner->end = g_strdup (error != NULL ? error->message : "");
  g_mutex_unlock (&owner->lock);
}

static MaltLinkSignal
on_signal (gpointer data, G_GNUC_UNUSED guint32 call_id, G_GNUC_UNUSED guint n_signal)
{
  Owner *owner = data;
  MaltLinkSignal signal;

  g_mutex_lock (&owner->lock);
  owner->n_signals++;
  signal = owner->signal;
  g_mutex_unlock (&owner->lock);
  return signal;
}

#define LINK_FUNCS                                                           \
  .hello = on_hello, .before_answer = on_before_answer, .output = on_output, \
  .ended = on_ended

static const MaltLinkFuncs funcs = { LINK_FUNCS };
static const MaltLinkFuncs signalling_funcs = { LINK_FUNCS,
                                                .send_interrupt_signal = on_signal };

/* In the order of MaltLinkSignal; then the one without the function. */
static const char *const signal_choices[] = { "sent", "on-its-way", "impossible", "none",
                                              NULL };

static gboolean
link_worker_init_worker (GInitable *initable, G_GNUC_UNUSED GCancellable *cancellable,
                         GError **error)
{
  LinkWorker *self = LINK_WORKER (initable);
  const char *signal = malt_worker_get_option (MALT_WORKER (self), "signal");
  int fds[2];

  self->owner = g_new0 (Owner, 1);
  g_atomic_ref_count_init (&self->owner->ref_count);
  g_mutex_init (&self->owner->lock);
  self->owner->output = g_string_new (NULL);
  while (strcmp (signal_choices[self->owner->signal], signal) != 0)
    self->owner->signal++;
  g_atomic_ref_count_inc (&self->owner->ref_count);
  self->link = malt_link_new (
      MALT_WORKER (self), strcmp (signal, "none") == 0 ? &funcs : &signalling_funcs,
      self->owner, owner_unref, G_GUINT64_CONSTANT (64) << 20, error);
  if (self->link == NULL)
    return FALSE;
  if (!link_peer_socket_pair (fds))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                           "no pair of sockets");
      return FALSE;
    }
  malt_link_start (self->link, NULL, NULL);
  self->peer_fd = fds[1];
  self->is_running = TRUE;
  return malt_link_attach (self->link, fds[0], error);
}

static void
link_worker_initable_init (GInitableIface *iface)
{
  iface->init = link_worker_init_worker;
}

static gboolean
close_link (gpointer link)
{
  malt_link_close (link);
  return G_SOURCE_REMOVE;
}

/* The last reference may go in the thread that reads, which must not close. */
static void
link_worker_dispose (GObject *object)
{
  LinkWorker *self = LINK_WORKER (object);
  g_autoptr (GSource) source = NULL;

  if (self->link != NULL)
    {
      source = g_idle_source_new ();
      g_source_set_callback (source, close_link, malt_link_ref (self->link),
                             (GDestroyNotify) malt_link_unref);
      g_source_attach (source, malt_io_thread_get_context ());
    }
  G_OBJECT_CLASS (link_worker_parent_class)->dispose (object);
}

static void
link_worker_finalize (GObject *object)
{
  g_clear_pointer (&LINK_WORKER (object)->link, malt_link_unref);
  g_clear_pointer (&LINK_WORKER (object)->owner, owner_unref);
  G_OBJECT_CLASS (link_worker_parent_class)->finalize (object);
}

static void
link_worker_remote_call (MaltWorker *worker, MaltFuture *future)
{
  malt_link_remote_call (LINK_WORKER (worker)->link, worker, future);
}

static gboolean
link_worker_remote_do (MaltWorker *worker, MaltCall *call, GError **error)
{
  return malt_link_remote_do (LINK_WORKER (worker)->link, call, error);
}

static void
on_interrupted (MaltInterruptResult result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_task_return_int (task, result);
}

static void
link_worker_interrupt_async (MaltWorker *worker, MaltFuture *future,
                             MaltInterruptFlags flags, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  malt_link_interrupt (LINK_WORKER (worker)->link, malt_future_get_id (future), flags,
                       on_interrupted,
                       g_task_new (worker, cancellable, callback, user_data));
}

static MaltInterruptResult
link_worker_interrupt_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                              GError **error)
{
  return (MaltInterruptResult) g_task_propagate_int (G_TASK (result), error);
}

static gboolean
link_worker_is_running (MaltWorker *worker)
{
  return LINK_WORKER (worker)->is_running;
}

static void
end (MaltWorker *worker)
{
  g_autoptr (MaltTermination) termination =
      malt_termination_new (MALT_TERMINATION_STOPPED, 0, NULL, NULL);
  LINK_WORKER (worker)->is_running = FALSE;
  malt_worker_exited (worker, termination);
}

static void
link_worker_stop_async (MaltWorker *worker, G_GNUC_UNUSED gint64 exit_timeout_ms,
                        G_GNUC_UNUSED gint64 term_timeout_ms, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (worker, cancellable, callback, user_data);
  end (worker);
  g_task_return_boolean (task, TRUE);
}

static gboolean
link_worker_stop_finish (G_GNUC_UNUSED MaltWorker *worker, GAsyncResult *result,
                         GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
link_worker_kill (MaltWorker *worker, G_GNUC_UNUSED int signum,
                  G_GNUC_UNUSED GError **error)
{
  end (worker);
  return TRUE;
}

static gboolean
link_worker_drive (MaltWorker *worker, MaltFuture *future, gint64 deadline_us,
                   GCancellable *cancellable)
{
  return malt_link_drive (LINK_WORKER (worker)->link, future, deadline_us, cancellable);
}

static void
link_worker_init (LinkWorker *self)
{
  self->peer_fd = -1;
}

static const char *const output_choices[] = { "forward", "signal", "discard", NULL };

static const MaltOption options[] = {
  { .name = "output",
    .type = MALT_OPTION_ENUM,
    .default_value = "forward",
    .choices = output_choices,
    .summary = "output" },
  { .name = "output-prefix",
    .type = MALT_OPTION_STRING,
    .default_value = "[PID] ",
    .summary = "what forwarded lines begin with" },
  { .name = "signal",
    .type = MALT_OPTION_ENUM,
    .default_value = "sent",
    .choices = signal_choices,
    .summary = "what becomes of a signal" },
  { .name = NULL },
};

static void
link_worker_class_init (LinkWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = link_worker_dispose;
  G_OBJECT_CLASS (klass)->finalize = link_worker_finalize;
  worker_class->name = "link-test";
  worker_class->description = "a link whose other end is a test";
  worker_class->options = options;
  worker_class->capabilities =
      MALT_CAPABILITY_CAN_INTERRUPT_WAITING | MALT_CAPABILITY_CAN_KILL;
  worker_class->remote_call = link_worker_remote_call;
  worker_class->remote_do = link_worker_remote_do;
  worker_class->interrupt_async = link_worker_interrupt_async;
  worker_class->interrupt_finish = link_worker_interrupt_finish;
  worker_class->is_running = link_worker_is_running;
  worker_class->stop_async = link_worker_stop_async;
  worker_class->stop_finish = link_worker_stop_finish;
  worker_class->kill = link_worker_kill;
  worker_class->drive = link_worker_drive;
}

/* The peer */

static void
write_flagged (LinkPeer *peer, MaltWireWriter *writer, MaltFrameKind kind, guint32 id,
               guint8 flags)
{
  g_autoptr (MaltWireFrame) frame = malt_wire_writer_finish (writer, kind, flags, id);

  for (gsize i = 0; i < frame->n_segments; i++)
    link_peer_write_raw (peer, g_bytes_get_data (frame->segments[i], NULL),
                         g_bytes_get_size (frame->segments[i]));
}

static void
write_frame (LinkPeer *peer, MaltWireWriter *writer, MaltFrameKind kind, guint32 id)
{
  write_flagged (peer, writer, kind, id, 0);
}

static void
write_hello (LinkPeer *peer)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MAJOR);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_u32 (&writer, 1);
  malt_wire_writer_put_text (&writer, "1.0", -1);
  write_frame (peer, &writer, MALT_FRAME_RUNTIME_HELLO, 0);
}

LinkPeer *
link_peer_new (void)
{
  return link_peer_new_with ("signal", "sent");
}

LinkPeer *
link_peer_new_with (const char *option, const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = malt_config_new ();
  LinkPeer *peer = g_new0 (LinkPeer, 1);
  LinkWorker *worker;

  malt_backend_register (LINK_TYPE_WORKER, &error);
  malt_config_set_backend (config, "link-test");
  malt_config_set_for (config, "link-test", option, value);
  peer->worker = malt_worker_launch (config, NULL, &error);
  if (peer->worker == NULL)
    g_error ("%s", error->message);
  worker = LINK_WORKER (peer->worker);
  peer->link = malt_link_ref (worker->link);
  peer->fd = worker->peer_fd;
  write_hello (peer);
  if (!link_peer_expect (peer, MALT_FRAME_HELLO, NULL))
    g_error ("no HELLO");
  return peer;
}

void
link_peer_free (LinkPeer *peer)
{
  if (peer->fd >= 0)
    malt_socket_close (peer->fd);
  g_clear_object (&peer->worker);
  malt_link_unref (peer->link);
  g_free (peer);
}

static gboolean
read_bytes (LinkPeer *peer, guint timeout_ms, guint8 *bytes, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      gssize n;
      if (!link_peer_socket_wait (peer->fd, timeout_ms))
        return FALSE;
      n = link_peer_socket_read (peer->fd, bytes, n_bytes);
      if (n <= 0)
        return FALSE;
      bytes += n;
      n_bytes -= (gsize) n;
    }
  return TRUE;
}

gboolean
link_peer_read (LinkPeer *peer, guint timeout_ms, MaltFrameHeader *out_header,
                GBytes **out_body)
{
  guint8 header[MALT_FRAME_HEADER_BYTES];
  g_autofree guint8 *body = NULL;

  if (!read_bytes (peer, timeout_ms, header, sizeof header) ||
      !malt_frame_header_parse (header, 1 << 30, out_header, NULL))
    return FALSE;
  body = g_malloc (out_header->n_body_bytes + 1);
  if (!read_bytes (peer, timeout_ms, body, out_header->n_body_bytes))
    return FALSE;
  *out_body = g_bytes_new_take (g_steal_pointer (&body), out_header->n_body_bytes);
  return TRUE;
}

gboolean
link_peer_expect (LinkPeer *peer, MaltFrameKind kind, guint32 *out_id)
{
  g_autoptr (GBytes) body = NULL;
  MaltFrameHeader header;

  if (!link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body))
    return FALSE;
  if (out_id != NULL)
    *out_id = header.id;
  return header.kind == kind;
}

gboolean
link_peer_is_silent (LinkPeer *peer, guint for_ms)
{
  return !link_peer_socket_wait (peer->fd, for_ms);
}

void
link_peer_write_raw (LinkPeer *peer, gconstpointer bytes, gsize n_bytes)
{
  const guint8 *next = bytes;

  while (n_bytes > 0)
    {
      gssize n = link_peer_socket_write (peer->fd, next, n_bytes);
      if (n <= 0)
        return;
      next += n;
      n_bytes -= (gsize) n;
    }
}

void
link_peer_write_empty (LinkPeer *peer, MaltFrameKind kind)
{
  const MaltFrameHeader header = { .kind = kind };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  malt_frame_header_write (&header, bytes);
  link_peer_write_raw (peer, bytes, sizeof bytes);
}

void
link_peer_answer_int (LinkPeer *peer, guint32 id, gint64 value)
{
  g_auto (MaltWireWriter) writer;
  g_autoptr (MaltValue) number = malt_value_new_int64 (value);

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_value (&writer, number, NULL);
  write_frame (peer, &writer, MALT_FRAME_OK, id);
}

void
link_peer_answer_exception (LinkPeer *peer, guint32 id, const char *type)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, MALT_FRAME_ERROR_REMOTE_EXCEPTION);
  malt_wire_writer_put_string_value (&writer, type);
  malt_wire_writer_put_string_value (&writer, "message");
  malt_wire_writer_put_string_value (&writer, "Stacktrace:");
  malt_wire_writer_put_u32 (&writer, (guint32) strlen ("message"));
  write_flagged (peer, &writer, MALT_FRAME_ERROR, id,
                 strcmp (type, "InterruptException") == 0 ? MALT_FRAME_WAS_INTERRUPTED
                                                          : 0);
}

void
link_peer_acknowledge (LinkPeer *peer, guint32 id, guint8 ack)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, ack);
  write_frame (peer, &writer, MALT_FRAME_ACK, id);
}

char *
link_peer_dup_end (LinkPeer *peer)
{
  Owner *owner = LINK_WORKER (peer->worker)->owner;
  char *end_text;

  g_mutex_lock (&owner->lock);
  end_text = g_strdup (owner->end);
  g_mutex_unlock (&owner->lock);
  return end_text;
}

guint
link_peer_count_signals (LinkPeer *peer)
{
  Owner *owner = LINK_WORKER (peer->worker)->owner;
  guint n;

  g_mutex_lock (&owner->lock);
  n = owner->n_signals;
  g_mutex_unlock (&owner->lock);
  return n;
}

char *
link_peer_dup_output (LinkPeer *peer)
{
  Owner *owner = LINK_WORKER (peer->worker)->owner;
  char *text;

  g_mutex_lock (&owner->lock);
  text = g_strdup (owner->output->str);
  g_mutex_unlock (&owner->lock);
  return text;
}
