/* SPDX-License-Identifier: MIT */
/* What the files of core/link share. */
#pragma once

#include "link/malt-link.h"
#include "platform/malt-socket-poller.h"
#include "wire/malt-frame.h"
#include "wire/malt-wire-writer.h"
#include "worker/malt-worker-private.h"

G_BEGIN_DECLS

/* Ids of calls that core does not know, because nobody waits for them, have this bit;
 * core's have not. */
#define MALT_LINK_SILENT_ID_BIT (1u << 31)

#define MALT_LINK_BUFFER_BYTES ((gsize) 64 * 1024)

/* What the link knows of a request that is to be answered. */
typedef enum
{
  MALT_LINK_CALL_KNOWN = 1 << 0,
  MALT_LINK_CALL_IS_CODE =
      1
      << 1, /* runs evaluated code: it counts as outstanding, and is held back during a signal */
  MALT_LINK_CALL_SILENT = 1 << 2, /* nobody waits for it */
  MALT_LINK_CALL_HELD = 1 << 3, /* not sent yet */
} MaltLinkCallFlags;

/* A frame on its way out. */
typedef struct
{
  MaltWireFrame *frame; /* (owned) */
  guint32 id; /* of the call, where it is held; 0: not a call */
} MaltLinkOutgoing;

/* Receiving: what has come and not been understood yet. */
typedef struct
{
  guint8 *buffer; /* (owned): MALT_LINK_BUFFER_BYTES */
  gsize start;
  gsize end;
  MaltFrameHeader header; /* of the large frame that is coming in */
  GBytes *body; /* (owned) (nullable): its body */
  guint8 *body_data; /* (unowned): the memory of body */
  gsize n_body_bytes; /* of the body that have come */
  guint64 n_skipped_bytes; /* still to come of a body for which there was no memory */
  gboolean is_low_water_raised;
} MaltLinkReceiver;

typedef struct _MaltLinkInterrupt MaltLinkInterrupt;

struct _MaltLink
{
  gatomicrefcount ref_count;
  guint64 max_frame_bytes;
  guint distance_ms; /* of the runtime */
  MaltWeakWorker *worker; /* (owned) */
  MaltHandleHome *home; /* (owned) */
  const MaltLinkFuncs *funcs; /* (unowned) */
  MaltSocketPoller *poller; /* (owned) (nullable): NULL if frames go through memory */
  GSource *source; /* (owned) (nullable): of the I/O thread; guarded by lock */

  /* The right to read. Never waited for but by drain and close; taken before lock. It
   * guards the next block. */
  GMutex reader;
  MaltLinkReceiver receiver;
  gboolean has_hello;
  gboolean is_read_closed;
  guint n_spin_misses; /* spins in a row that no answer ended; see the essay */

  /* Atomic. */
  gint
      is_reader_wanted; /* drain or close wait for reader: whoever has it should let go */
  gint is_receiving; /* bytes may have come that have not been dealt with */
  gint last_receive_ms; /* of the monotonic clock, wrapped */
  gint is_loading; /* the last frame was LOADING */
  gint is_burst_deadly; /* this Julia does not survive several SIGINTs */
  gint n_driven;

  /* Guards everything below, and writing to fd. Held while system calls that do not block
   * are made, never while core or foreign code is called. Left by malt_link_unlock()
   * only. */
  GMutex lock;
  gpointer
      owner; /* (owned) (nullable): NULL once closed. Also read, not changed, by who has reader */
  GDestroyNotify unref_owner;
  /* (owned): -1 before it is attached and after it is closed; changed with reader and
   * lock held */
  int fd;
  gboolean is_closed;
  gboolean is_driven; /* a blocking caller reads */
  GQueue outgoing; /* of MaltLinkOutgoing (owned): the first may have been sent in part */
  gsize n_sent; /* of the first */
  /* of MaltLinkOutgoing (owned): what waits for the end of an escalation: calls, and what
   * may not overtake them */
  GQueue held;
  guint32 signal_id; /* of the call for which a signal is on its way; 0: none is */
  gboolean needs_fence;
  GQueue finished; /* of MaltLinkOutgoing (owned): sent or dropped, not freed yet */
  gint64 thread; /* in which Julia runs, on this machine; 0: not known */
  int run_time_fd; /* of that thread; -1: not open */
  MaltJudge *judge; /* (unowned) (nullable) */
  guint host; /* the name of this host for the judge */
  GHashTable *calls; /* id -> MaltLinkCallFlags */
  guint n_outstanding;
  guint32 last_silent_id;
  GQueue interrupts; /* of MaltLinkInterrupt (owned) */
  GQueue acks; /* ids whose INTERRUPT has not been acknowledged, in order */
  guint n_signals;
  guint n_interrupt_frames;
  guint n_fences;
};

/* The answer to a HOST_CALL, a MaltHostReply; without lock: malt-link-request.c. */
void malt_link_send_host_result (guint32 id, MaltValue *value, const GError *error,
                                 gpointer data);

/* Sending: malt-link-send.c. All with lock held. */

/* Leaves the lock, and then frees what is finished: with the last reference to a user's
 * memory goes code of the user. */
void malt_link_unlock (MaltLink *link);

void malt_link_send (MaltLink *link, MaltWireFrame *frame);
void malt_link_send_empty (MaltLink *link, MaltFrameKind kind, guint32 id);
/* What takes back something that a call may be about: it keeps its place behind calls
 * that are held. */
void malt_link_send_behind_calls (MaltLink *link, MaltWireFrame *frame);
/* The call will be sent, once it has been encoded: interrupts of it wait for that. */
void malt_link_announce_call (MaltLink *link, guint32 id);
void malt_link_send_call (MaltLink *link, MaltWireFrame *frame, guint32 id,
                          MaltLinkCallFlags flags);
void malt_link_release_held (MaltLink *link);
void malt_link_flush (MaltLink *link);
void malt_link_drop_outgoing (MaltLink *link);
void malt_link_update_interest (MaltLink *link);

/* Receiving: malt-link-receive.c. All with reader held. */

typedef enum
{
  MALT_LINK_RECEIVED_NOTHING, /* nothing is there at the moment */
  MALT_LINK_RECEIVED_SOME,
  MALT_LINK_RECEIVED_END, /* nothing will come any more */
} MaltLinkReceived;

MaltLinkReceived malt_link_receive (MaltLink *link);
void malt_link_receiver_clear (MaltLinkReceiver *receiver);

/* What frames mean: malt-link-dispatch.c. With reader held. */

gboolean malt_link_dispatch (MaltLink *link, const MaltFrameHeader *header, GBytes *body,
                             GError **error);
/* One for whose body there was no memory. */
gboolean malt_link_dispatch_short (MaltLink *link, const MaltFrameHeader *header,
                                   GError **error);

/* Interrupts: malt-link-interrupt.c */

/* With lock held, when a call was sent that had been announced or held. */
void malt_link_interrupts_call_sent (MaltLink *link, guint32 id);
/* Without lock. */
void malt_link_interrupts_call_dropped (MaltLink *link, guint32 id);
void malt_link_interrupts_call_answered (MaltLink *link, guint32 id,
                                         gboolean was_interrupted);
gboolean malt_link_interrupts_acknowledged (MaltLink *link, guint32 id, guint8 ack,
                                            GError **error);
void malt_link_interrupts_close (MaltLink *link);
/* With lock held: are calls held back? */
gboolean malt_link_is_escalating (MaltLink *link);

/* Does this version of Julia end where it is sent several SIGINTs? */
gboolean malt_link_is_burst_deadly (const char *julia_version);

G_END_DECLS
