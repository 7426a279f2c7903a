/* SPDX-License-Identifier: MIT */
/* A worker class whose evaluator is the test itself: it reads and writes the frames of
 * the runtime's end by hand. */
#pragma once

#include "process-test.h"

#include "link/malt-link.h"
#include "wire/malt-wire-writer.h"

G_BEGIN_DECLS

typedef struct
{
  MaltWorker *worker; /* (owned) */
  MaltLink *link; /* (owned) */
  struct _LinkPeerOwner *owner; /* (owned): what the link has told */
  int fd; /* (owned): the runtime's end; -1: frames go through memory */
  GThread *busy; /* (owned) (nullable) */
  gint is_busy; /* atomic: until then the thread runs */
  gint64 busy_thread; /* its number */
  GMutex lock; /* guards the number, until it is there */
  GCond is_there;
} LinkPeer;

/* A running worker, and the other end of its connection; HELLO has been exchanged. */
LinkPeer *link_peer_new (void);
/* The same, with an option: `output` and `output-prefix`, which are read by MaltOutput
 * only, or `signal`: what the link is told when it wants one to be sent: `sent`,
 * `on-its-way` or `impossible`; `none`: it cannot ask. Or `way`: `memory` is that of a
 * runtime in this process. */
LinkPeer *link_peer_new_with (const char *option, const char *value);
/* The same; nobody has said HELLO, and that of the host has not been read. */
LinkPeer *link_peer_new_silent (const char *option, const char *value);
/* The same as the first, with a Julia of this version. */
LinkPeer *link_peer_new_julia (const char *version);
void link_peer_free (LinkPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LinkPeer, link_peer_free)

/* A thread that hogs its processor stands for that of Julia, until the end; where the
 * system says how long a thread has run. */
void link_peer_hog (LinkPeer *peer);

/* The next frame from the host; FALSE if none comes within the time. */
gboolean link_peer_read (LinkPeer *peer, guint timeout_ms, MaltFrameHeader *out_header,
                         GBytes **out_body);
/* Reads one, and says whether it is of that kind; out_id may be NULL. */
gboolean link_peer_expect (LinkPeer *peer, MaltFrameKind kind, guint32 *out_id);
/* The same with its body, which is NULL if there was none; another kind is a failure. */
GBytes *link_peer_expect_body (LinkPeer *peer, MaltFrameKind kind,
                               MaltFrameHeader *out_header);
gboolean link_peer_is_silent (LinkPeer *peer, guint for_ms);

/* In memory: one whole frame. */
void link_peer_write_raw (LinkPeer *peer, gconstpointer bytes, gsize n_bytes);
void link_peer_write (LinkPeer *peer, MaltWireWriter *writer, MaltFrameKind kind,
                      guint8 flags, guint32 id);
void link_peer_write_value (LinkPeer *peer, MaltValue *value, MaltFrameKind kind,
                            guint32 id);
void link_peer_write_hello (LinkPeer *peer);
/* A frame without a body, about no call. */
void link_peer_write_empty (LinkPeer *peer, MaltFrameKind kind);
void link_peer_answer_int (LinkPeer *peer, guint32 id, gint64 value);
void link_peer_answer_exception (LinkPeer *peer, guint32 id, const char *type);
void link_peer_acknowledge (LinkPeer *peer, guint32 id, guint8 ack);

/* Why the link ended: NULL while it has not; "" for the end of the stream. */
char *link_peer_dup_end (LinkPeer *peer);
gboolean link_peer_has_end (gpointer peer);
guint link_peer_count_signals (LinkPeer *peer);
/* What the runtime said instead of introducing itself; NULL: nothing. */
char *link_peer_dup_refusal (LinkPeer *peer);
/* In memory: arrays that were lent to the host and have not been given back, of all
 * links. A writer with lends set lends them. */
guint link_peer_count_borrowed (void);
/* What went to the owner's output. */
char *link_peer_dup_output (LinkPeer *peer);

G_END_DECLS
