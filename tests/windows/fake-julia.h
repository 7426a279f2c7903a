/* SPDX-License-Identifier: MIT */
/* A program that stands for Julia where there is none: it speaks the protocol, and does
 * what a script tells it. */
#pragma once

#include "platform/windows/malt-handle.h"
#include "wire/malt-frame.h"
#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"
#include <malt/malt-types.h>

G_BEGIN_DECLS

#define FAKE_SECRET_BYTES 32

enum
{
  FAKE_EXIT_STRANGER = 1, /* the host did not prove itself */
  FAKE_EXIT_USAGE = 2
};

typedef struct
{
  SOCKET socket;
  guint8 secrets[2 * FAKE_SECRET_BYTES]; /* its own, then the host's */
  char **argv; /* (unowned) */
  HANDLE interrupted; /* (owned): set by an event of the console */
  gint console_event; /* atomic: the last one, plus 1 */
  gboolean sends_output; /* through the connection: it is a worker of Distributed */
  GMutex send_lock; /* held while a frame is sent */
  guint32 waiting_id; /* of the call that waits to be interrupted; 0: none */
  const char *second_connection; /* (nullable): what became of it */
  char *at_shutdown; /* (owned) (nullable): the line of script that SHUTDOWN runs */
} FakeJulia;

/* fake-julia.c: bytes and frames. Frames may be sent in any thread. */

/* The end of the stream ends the program at once. */
void fake_julia_send_bytes (FakeJulia *julia, gconstpointer data, gsize n_bytes);
void fake_julia_receive_bytes (FakeJulia *julia, gpointer data, gsize n_bytes);

void fake_julia_send (FakeJulia *julia, MaltWireWriter *writer, MaltFrameKind kind,
                      guint32 id);
/* (transfer full) */
void fake_julia_answer (FakeJulia *julia, guint32 id, MaltValue *value);
void fake_julia_throw (FakeJulia *julia, guint32 id, const char *type,
                       const char *message);

/* As evaluated code does. */
void fake_julia_print (FakeJulia *julia, MaltStream stream, guint32 id, const char *text,
                       gsize n_bytes);
/* Past the runtime, as C code does. */
void fake_julia_print_raw (MaltStream stream, gconstpointer bytes, gsize n_bytes);

GBytes *fake_julia_bytes_of_hex (const char *hex);

/* fake-start.c: connects back, and says HELLO; or does what the variable FAKE_START says
 * instead. */
void fake_start (FakeJulia *julia, u_short port);

/* fake-script.c: one line of script, as the source of an evaluation. */
void fake_script_run (FakeJulia *julia, guint32 id, const char *line);

/* A line is a word and what it is about. Tables of words end with a NULL. */
typedef struct
{
  const char *word;
  void (*run) (FakeJulia *julia, guint32 id, const char *rest);
} FakeCommand;

extern const FakeCommand fake_looking_commands[]; /* fake-looking.c */
extern const FakeCommand fake_ending_commands[]; /* fake-ending.c */
extern const FakeCommand fake_calling_commands[]; /* fake-calling.c */

/* Words, of which the last is the rest of the line. (transfer full) */
char **fake_script_split (const char *rest, int n_words);

/* fake-channel.c, fake-calling.c: frames about channels, and about host functions. FALSE:
 * it is none of them. */
gboolean fake_channel_handle (FakeJulia *julia, const MaltFrameHeader *header,
                              GBytes *body);
gboolean fake_calling_handle (FakeJulia *julia, const MaltFrameHeader *header,
                              GBytes *body);

/* fake-bridge.c: the functions of bridge.jl. FALSE: that is none of them. */
gboolean fake_bridge_call (FakeJulia *julia, guint32 id, const char *function,
                           MaltValue *arguments);

/* fake-bridged.c: a process that the bridge has started. */
typedef struct _FakeBridged FakeBridged;

/* Answers the call when it is connected with the host, or has ended before. */
FakeBridged *fake_bridged_new (FakeJulia *julia, guint32 id, gint64 number,
                               const char *const *argv, const char *const *envp,
                               const char *cwd, GBytes *input);
/* Answers the call with how it ended, as Julia says it: (exit code, number of a signal,
 * what it printed last); -1: not known, since it was ended here. Not before the host has
 * got all that was printed. */
void fake_bridged_bury (FakeBridged *bridged, guint32 id, double patience_s);
/* Answers the call when one of them has printed something. */
void fake_bridged_await_output (FakeJulia *julia, guint32 id);

G_END_DECLS
