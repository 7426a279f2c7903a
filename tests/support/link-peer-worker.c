/* SPDX-License-Identifier: MIT */
/* A worker class whose evaluator is the test itself: what its link is told and asked, and
 * its slots. */
#include "link-peer-worker.h"

#include "platform/malt-io-thread.h"

#include "link-peer-socket.h"

#include <string.h>

static void link_worker_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (LinkWorker, link_worker, MALT_TYPE_LINK_WORKER,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                      link_worker_initable_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

void
link_peer_owner_unref (gpointer data)
{
  LinkPeerOwner *owner = data;
  if (!g_atomic_ref_count_dec (&owner->ref_count))
    return;
  g_free (owner->end);
  g_free (owner->refusal);
  g_queue_clear_full (&owner->frames, (GDestroyNotify) malt_wire_frame_free);
  g_cond_clear (&owner->has_frames);
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
  LinkPeerOwner *owner = data;
  g_mutex_lock (&owner->lock);
  g_string_append_len (owner->output, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
  g_mutex_unlock (&owner->lock);
}

static void
on_ended (gpointer data, const GError *error)
{
  LinkPeerOwner *owner = data;
  g_mutex_lock (&owner->lock);
  owner->end = g_strdup (error != NULL ? error->message : "");
  g_mutex_unlock (&owner->lock);
}

static MaltLinkSignal
on_signal (gpointer data)
{
  LinkPeerOwner *owner = data;
  MaltLinkSignal signal;

  g_mutex_lock (&owner->lock);
  owner->n_signals++;
  signal = owner->signal;
  g_mutex_unlock (&owner->lock);
  return signal;
}

/* What a runtime in this process is handed and asked. */

static gboolean
on_send_frame (gpointer data, MaltWireFrame *frame)
{
  LinkPeerOwner *owner = data;

  malt_wire_frame_join (frame, NULL);
  g_mutex_lock (&owner->lock);
  g_queue_push_tail (&owner->frames, frame);
  g_cond_signal (&owner->has_frames);
  g_mutex_unlock (&owner->lock);
  return TRUE;
}

gboolean
link_peer_read_header (MaltWireFrame *frame, MaltFrameHeader *out_header)
{
  return malt_frame_header_parse (g_bytes_get_data (frame->segments[0], NULL),
                                  G_MAXUINT64, out_header, NULL);
}

static gboolean
on_withdraw_interrupt (gpointer data, guint32 call_id)
{
  LinkPeerOwner *owner = data;
  MaltWireFrame *found = NULL;

  g_mutex_lock (&owner->lock);
  for (GList *l = owner->frames.head; l != NULL && found == NULL; l = l->next)
    {
      MaltFrameHeader header;

      if (link_peer_read_header (l->data, &header) &&
          header.kind == MALT_FRAME_INTERRUPT && header.id == call_id)
        found = l->data;
    }
  g_queue_remove (&owner->frames, found);
  g_mutex_unlock (&owner->lock);
  if (found == NULL)
    return FALSE;
  malt_wire_frame_free (found);
  return TRUE;
}

static void
on_refused (gpointer data, const char *message)
{
  LinkPeerOwner *owner = data;

  g_mutex_lock (&owner->lock);
  g_free (owner->refusal);
  owner->refusal = g_strdup (message);
  g_mutex_unlock (&owner->lock);
}

gint link_peer_n_borrowed; /* atomic */

static void
give_back (gpointer owner)
{
  g_atomic_int_add (&link_peer_n_borrowed, -1);
  g_bytes_unref (owner);
}

/* The peer lends what a GBytes holds, whose address is the number of the loan. */
static GBytes *
borrow (gconstpointer data, gsize n_bytes, guint64 loan)
{
  g_atomic_int_inc (&link_peer_n_borrowed);
  return g_bytes_new_with_free_func (data, n_bytes, give_back,
                                     g_bytes_ref (GSIZE_TO_POINTER (loan)));
}

#define LINK_FUNCS                                                           \
  .hello = on_hello, .before_answer = on_before_answer, .output = on_output, \
  .ended = on_ended

static const MaltLinkFuncs funcs = { LINK_FUNCS };
static const MaltLinkFuncs memory_funcs = { LINK_FUNCS, .send_frame = on_send_frame,
                                            .borrow = borrow,
                                            .withdraw_interrupt = on_withdraw_interrupt,
                                            .refused = on_refused };
static const MaltLinkFuncs signalling_funcs = { LINK_FUNCS,
                                                .send_interrupt_signal = on_signal };

/* In the order of MaltLinkSignal; then the one without the function. */
static const char *const signal_choices[] = { "sent", "on-its-way", "impossible", "none",
                                              NULL };

static const MaltLinkFuncs *
choose_funcs (MaltWorker *worker)
{
  if (strcmp (malt_worker_get_option (worker, "way"), "memory") == 0)
    return &memory_funcs;
  return strcmp (malt_worker_get_option (worker, "signal"), "none") == 0
             ? &funcs
             : &signalling_funcs;
}

static LinkPeerOwner *
owner_new (const char *signal)
{
  LinkPeerOwner *owner = g_new0 (LinkPeerOwner, 1);

  g_atomic_ref_count_init (&owner->ref_count);
  g_mutex_init (&owner->lock);
  g_cond_init (&owner->has_frames);
  g_queue_init (&owner->frames);
  owner->output = g_string_new (NULL);
  while (strcmp (signal_choices[owner->signal], signal) != 0)
    owner->signal++;
  return owner;
}

static gboolean
connect_peer (LinkWorker *self, GError **error)
{
  int fds[2];

  if (!link_peer_socket_pair (fds))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                           "no pair of sockets");
      return FALSE;
    }
  self->peer_fd = fds[1];
  return malt_link_attach (self->link, fds[0], error);
}

static gboolean
link_worker_init_worker (GInitable *initable, G_GNUC_UNUSED GCancellable *cancellable,
                         GError **error)
{
  LinkWorker *self = LINK_WORKER (initable);
  MaltWorker *worker = MALT_WORKER (self);
  const MaltLinkFuncs *link_funcs = choose_funcs (worker);

  self->owner = owner_new (malt_worker_get_option (worker, "signal"));
  g_atomic_ref_count_inc (&self->owner->ref_count);
  self->link = malt_link_new (worker, link_funcs, self->owner, link_peer_owner_unref,
                              G_GUINT64_CONSTANT (64) << 20, error);
  if (self->link == NULL)
    return FALSE;
  malt_link_start (self->link, NULL, NULL);
  self->is_running = TRUE;
  return link_funcs == &memory_funcs || connect_peer (self, error);
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
  g_clear_pointer (&LINK_WORKER (object)->owner, link_peer_owner_unref);
  G_OBJECT_CLASS (link_worker_parent_class)->finalize (object);
}

static MaltLink *
link_worker_get_link (MaltWorker *worker)
{
  return LINK_WORKER (worker)->link;
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

static const char *const way_choices[] = { "stream", "memory", NULL };

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
  { .name = "way",
    .type = MALT_OPTION_ENUM,
    .default_value = "stream",
    .choices = way_choices,
    .summary = "how frames travel" },
  { .name = NULL },
};

static void
link_worker_class_init (LinkWorkerClass *klass)
{
  MaltWorkerClass *worker_class = MALT_WORKER_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = link_worker_dispose;
  G_OBJECT_CLASS (klass)->finalize = link_worker_finalize;
  MALT_LINK_WORKER_CLASS (klass)->get_link = link_worker_get_link;
  worker_class->name = "link-test";
  worker_class->description = "a link whose other end is a test";
  worker_class->options = options;
  worker_class->capabilities = MALT_CAPABILITY_CAN_INTERRUPT_WAITING |
                               MALT_CAPABILITY_CAN_KILL | MALT_CAPABILITY_CHANNELS |
                               MALT_CAPABILITY_HANDLES | MALT_CAPABILITY_HOST_FUNCTIONS;
  worker_class->is_running = link_worker_is_running;
  worker_class->stop_async = link_worker_stop_async;
  worker_class->stop_finish = link_worker_stop_finish;
  worker_class->kill = link_worker_kill;
  worker_class->drive = link_worker_drive;
}
