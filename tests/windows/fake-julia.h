/* SPDX-License-Identifier: MIT */
/* A program that stands for Julia where there is none: it speaks the protocol, and does what a script tells it. */
#pragma once

#include "process/malt-handle-windows.h"
#include "wire/malt-frame.h"
#include "wire/malt-wire-reader.h"
#include "wire/malt-wire-writer.h"

G_BEGIN_DECLS

#define FAKE_SECRET_BYTES 32

typedef struct
{
  SOCKET socket;
  guint8 secrets[2 * FAKE_SECRET_BYTES]; /* its own, then the host's */
  int argc;
  char **argv; /* (unowned) */
  HANDLE interrupted; /* (owned): set by an event of the console */
  gint console_event; /* atomic: the last one, plus 1 */
  gboolean sends_output; /* through the connection: it is a worker of Distributed */
  guint32 waiting_id; /* of the call that waits to be interrupted; 0: none */
  GHashTable *workers; /* (owned) (nullable): of the bridge: number -> MaltChild */
} FakeJulia;

/* Frames */

void fake_julia_send (FakeJulia *julia, MaltWireWriter *writer, MaltFrameKind kind,
                      guint32 id);
/* (transfer full) */
void fake_julia_answer (FakeJulia *julia, guint32 id, MaltValue *value);
void fake_julia_throw (FakeJulia *julia, guint32 id, const char *type,
                       const char *message);
void fake_julia_print (FakeJulia *julia, MaltStream stream, guint32 id, const char *text,
                       gsize n_bytes);

/* fake-script.c: one line of script, as the source of an evaluation. */
void fake_script_run (FakeJulia *julia, guint32 id, const char *line);

/* fake-bridge.c: the functions of bridge.jl. FALSE: that is none of them. */
gboolean fake_bridge_call (FakeJulia *julia, guint32 id, const char *function,
                           MaltValue *arguments);

G_END_DECLS
