/* SPDX-License-Identifier: MIT */
/*
 * One session of fuzz-sequence: a host that uses a worker in every way, and a worker
 * that is played here, from HELLO on.
 *
 * One thread chooses what both do next, by a generator that begins with the number of
 * the session; so a number tells what is tried. In half of the sessions that thread
 * waits after each step until the library has dealt with it; in the others threads of
 * the host block meanwhile, so that what meets what depends on the machine.
 *
 * In a calm session the worker keeps to docs/protocol.md, and what comes of each call is
 * checked. In the others frames are changed, repeated, held back and cut off, and what is
 * checked is that everything ends.
 */
#pragma once

#include "link-peer.h"

G_BEGIN_DECLS

/* A call that the worker has been sent and has not answered. */
typedef struct
{
  guint32 id;
  MaltFrameKind kind;
  guint8 mode;
  gint64 number; /* the one it is about; -1: none */
  gboolean is_seven; /* it exports the function of that name */
} SequenceCall;

/* A channel, as the worker knows it. */
typedef struct
{
  guint32 id;
  guint n_credit;
  gint64 n_sent;
} SequenceSource;

/* What the host has asked for. */
typedef struct
{
  MaltFuture *future; /* (owned) */
  gint64 number; /* the answer that it must get from a calm worker; -1: any */
  gboolean may_fail; /* it was given up, or has a deadline, or was interrupted */
} SequenceAsk;

/* A channel, as the host knows it. */
typedef struct
{
  MaltChannel *channel; /* (owned) */
  gint64 n_taken;
} SequenceSink;

typedef struct _Sequence
{
  guint64 number;
  GRand *random; /* (owned) */
  GPtrArray *bodies; /* (unowned): vectors without handles */
  gboolean is_memory;
  gboolean is_calm;
  gboolean is_stepped;
  char *finding; /* (owned) (nullable): the first thing that went wrong */

  /* The worker */
  LinkPeer *peer; /* (owned) */
  gboolean is_silent; /* it has closed its end, or nobody listens any more */
  GByteArray *incoming; /* what has come, and is no whole frame yet */
  GArray *calls; /* of SequenceCall */
  GArray *interrupts; /* of guint32: not acknowledged, in order */
  GArray *sources; /* of SequenceSource */
  GHashTable *answered; /* numbers of calls that were answered in the way asked for */
  GHashTable *hit; /* ids of calls that the worker says it has interrupted */
  gboolean has_seven;
  GHashTable *host_calls; /* id -> what its result must be; -1: anything */
  guint32 last_host_call;
  guint64 last_handle;
  GHashTable *handles; /* id -> how often the host has it */
  GPtrArray *past; /* of GBytes: frames that were sent, to be repeated */
  GPtrArray *kept; /* of GBytes: frames that will be sent later */

  /* The host */
  gint64 last_number;
  GPtrArray *asks; /* of SequenceAsk */
  GPtrArray *sinks; /* of SequenceSink */
  GPtrArray *values; /* of MaltValue: handles */
  GPtrArray *threads; /* of GThread */
  GCancellable *cancellable;
  guint n_callbacks; /* that are still to come */
} Sequence;

/* fuzz-sequence.c */

void sequence_find (Sequence *sequence, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Prints a frame, if that was asked for. */
void sequence_trace (Sequence *sequence, const char *way, const MaltFrameHeader *header);
/* From 0 to n - 1. */
guint sequence_pick (Sequence *sequence, guint n);
/* When what has begun now must be over, on any machine. */
gint64 sequence_deadline (void);
/* Waits until the thread for input and output has dealt with all that is there. */
void sequence_settle (void);
/* Runs callbacks that have come. */
void sequence_iterate (void);

/* sequence-host.c */

void sequence_host_step (Sequence *sequence);
/* Looks at calls that are done. */
void sequence_host_check (Sequence *sequence);
/* After the worker's end: all that was asked for has an end. */
void sequence_host_end (Sequence *sequence);

/* sequence-worker.c */

/* Reads what the host has sent. */
void sequence_worker_read (Sequence *sequence);
void sequence_worker_step (Sequence *sequence);
/* Reads, and answers all that is open. TRUE: the host owes results of host calls. */
gboolean sequence_worker_serve (Sequence *sequence);

/* sequence-wrong.c: how frames travel, and what is wrong with them. */

/* Takes what the writer holds. A sensible one is sent as it is. */
void sequence_send (Sequence *sequence, MaltWireWriter *writer, MaltFrameKind kind,
                    guint8 flags, guint32 id);
void sequence_introduce (Sequence *sequence);
void sequence_send_kept (Sequence *sequence);
/* Something that no worker says. */
void sequence_send_nonsense (Sequence *sequence);
void sequence_hang_up (Sequence *sequence);

/* sequence-breaks.c: faults that are planted into the library. FALSE: there is no such fault. */
gboolean sequence_break (const char *name);

G_END_DECLS
