/* SPDX-License-Identifier: MIT */
/*
 * MaltLink: one connection to a Julia-side runtime. Internal to the library; the essay
 * stands in malt-link.c.
 *
 * The functions that a slot of MaltWorkerClass is made of bear its name and can be called
 * from any thread. After the end of the connection they do nothing: core has failed, or
 * will fail, what they were called for.
 */
#pragma once

#include "platform/malt-judge.h"
#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"
#include <malt/malt-worker-class.h>

G_BEGIN_DECLS

typedef struct _MaltLink MaltLink;

/* What became of a signal that an owner was to send. */
typedef enum
{
  MALT_LINK_SIGNAL_SENT, /* it is pending in the worker */
  MALT_LINK_SIGNAL_ON_ITS_WAY, /* malt_link_signal_sent() will be called */
  MALT_LINK_SIGNAL_IMPOSSIBLE, /* nothing was done; this worker cannot be signalled */
} MaltLinkSignal;

/*
 * What the owner of a connection is told and asked. The thread that reads calls them,
 * without a lock that a function of the link needs other than malt_link_drain() and
 * malt_link_close(): those must not be called inside.
 */
typedef struct
{
  /* The runtime has introduced itself. */
  void (*hello) (gpointer owner, guint32 pid, const char *julia_version);

  /* An answer has come: hand on everything evaluated code has written until now. */
  void (*before_answer) (gpointer owner);

  /* Output that came through the connection, and reports of exceptions that nobody waits for. */
  void (*output) (gpointer owner, MaltStream stream, guint32 call_id, GBytes *bytes);

  /* Nothing more will come: the stream has ended (error is NULL) or cannot be used any
   * longer. Called once. */
  void (*ended) (gpointer owner, const GError *error);

  /* May be NULL: this worker is never signalled. Sends one SIGINT; called in the I/O
   * thread, under the lock of the link: must not call the link, nor wait. */
  MaltLinkSignal (*send_interrupt_signal) (gpointer owner);

  /* May be NULL where malt_link_set_thread() names no judge. malt_judge_ask(), for the
   * process that the owner knows; called like the one above. */
  gboolean (*ask_judge) (gpointer owner, MaltJudge *judge, guint64 call);

  /* May be NULL. Nothing is interrupted any more; called under the lock, in any thread. */
  void (*interrupts_over) (gpointer owner);

  /* The following three are for a runtime that lives in this process; NULL where frames
   * go through a stream. Called under the lock of the link: must not call the link. */

  /* Hands a frame over, in order, and takes it; FALSE: nobody is there to take it. Its
   * arrays are lent, not copied. */
  gboolean (*send_frame) (gpointer owner, MaltWireFrame *frame);

  /* Memory that the runtime has lent; without the lock. */
  MaltWireBorrowFunc borrow;

  /* Takes the INTERRUPT of a call back, if the runtime has not seen it yet. */
  gboolean (*withdraw_interrupt) (gpointer owner, guint32 call_id);

  /* May be NULL. The runtime cannot serve this host, and says why instead of introducing itself. */
  void (*refused) (gpointer owner, const char *message);
} MaltLinkFuncs;

/* The result of an interrupt; called once, from any thread, perhaps inside
 * malt_link_interrupt(). */
typedef void (*MaltLinkInterruptDone) (MaltInterruptResult result, gpointer user_data);

/* Figures for tests. */
typedef struct
{
  guint n_signals;
  guint n_interrupt_frames;
  guint n_fences;
  guint n_driven; /* answers that a blocking caller read itself */
  guint n_outstanding;
  guint n_held;
  gboolean is_receiving; /* bytes of a frame have come that is not whole yet */
} MaltLinkCounters;

/* The link keeps a reference to the owner until malt_link_close(), and none to the worker. */
MaltLink *malt_link_new (MaltWorker *worker, const MaltLinkFuncs *funcs, gpointer owner,
                         GDestroyNotify unref_owner, guint64 max_frame_bytes,
                         GError **error);
MaltLink *malt_link_ref (MaltLink *link);
void malt_link_unref (MaltLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltLink, malt_link_unref)

/* Queues HELLO with its settings (lines name=value; NULL: none) and, if there is one, the
 * text of the runtime; before or after the connection is there. */
void malt_link_start (MaltLink *link, const char *settings, GBytes *runtime_source);

/* How long messages to the runtime and back may take, as a rule, on a way that is longer
 * than one within a machine: interrupts have more patience. Before malt_link_start(). */
void malt_link_set_distance (MaltLink *link, guint distance_ms);

/* In which thread of this machine Julia runs, which says whether a runtime that does not
 * read has had the time to; and the judge in it (unowned) (nullable), which must live
 * until malt_link_close(). @host: the number of this host among those that share the
 * runtime, 0 where there is one. */
void malt_link_set_thread (MaltLink *link, gint64 thread, MaltJudge *judge, guint host);

/* A frame from a runtime of this process, header included, which stays the caller's. From
 * one thread at a time. */
void malt_link_receive_frame (MaltLink *link, const guint8 *bytes);

/* Takes over a connected stream socket. */
gboolean malt_link_attach (MaltLink *link, int fd, GError **error);

/* Reads what is left when the runtime is known to have ended; waits a few milliseconds
 * for the end of the stream. I/O thread only. */
void malt_link_drain (MaltLink *link);

/* The end: closes the descriptor, answers interrupts, lets the owner go. Can be called twice. */
void malt_link_close (MaltLink *link);

/* A signal that was on its way has arrived, or could not be sent. Any thread; must follow
 * within a bounded time, since calls wait for it. Nothing happens after the end. */
void malt_link_signal_sent (MaltLink *link, gboolean is_sent);

/* The only call that is outstanding, or 0: whose output is being read. */
guint32 malt_link_get_sole_call (MaltLink *link);

void malt_link_get_counters (MaltLink *link, MaltLinkCounters *out_counters);

/* Slots */

void malt_link_remote_call (MaltLink *link, MaltWorker *worker, MaltFuture *future);
gboolean malt_link_remote_do (MaltLink *link, MaltCall *call, GError **error);
void malt_link_interrupt (MaltLink *link, guint32 call_id, MaltInterruptFlags flags,
                          MaltLinkInterruptDone done, gpointer user_data);
gboolean malt_link_drive (MaltLink *link, MaltFuture *future, gint64 deadline_us,
                          GCancellable *cancellable);
void malt_link_channel_open (MaltLink *link, guint32 channel_id, const char *module,
                             const char *source, guint n_credit, guint32 call_id);
void malt_link_channel_credit (MaltLink *link, guint32 channel_id, guint n_credit);
gboolean malt_link_channel_put (MaltLink *link, guint32 channel_id, MaltValue *value,
                                guint32 call_id, GError **error);
void malt_link_channel_close (MaltLink *link, guint32 channel_id, guint32 call_id);
void malt_link_channel_state (MaltLink *link, guint32 channel_id, guint32 call_id);
void malt_link_channel_forget (MaltLink *link, guint32 channel_id);
void malt_link_release_handles (MaltLink *link, const guint64 *ids, gsize n_ids);
void malt_link_export (MaltLink *link, const char *name, guint32 call_id);
void malt_link_export_direct (MaltLink *link, const char *name,
                              const MaltDirectFunction *function, guint32 call_id);
void malt_link_unexport (MaltLink *link, const char *name);
void malt_link_native (MaltLink *link, MaltNativeCell *cell, const char *source,
                       const char *signature, guint32 call_id);
void malt_link_shutdown (MaltLink *link);

G_END_DECLS
