/* SPDX-License-Identifier: MIT */
/*
 * The end of a pipe at which a process's output is read, without ever waiting. This
 * header is the same everywhere; each platform has one file that implements it.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What malt_pipe_read() returns where nothing is in the pipe. */
#define MALT_PIPE_EMPTY (-1)

typedef struct _MaltPipe MaltPipe;

/* @out_writer: (transfer full): the other end, as the system has it: what a launched
 * process gets. Errors: RESOURCES, FAILED. */
MaltPipe *malt_pipe_new (gintptr *out_writer, GError **error);
void malt_pipe_free (MaltPipe *pipe);

/* A pipe that other processes of this user can open by a name, to write to it. NULL
 * without an error: not on this system. Errors: those of malt_pipe_new(). */
MaltPipe *malt_pipe_new_named (GError **error);
char *malt_pipe_dup_name (MaltPipe *pipe);
/* Nobody can open it any more; it ends with its last writer. */
void malt_pipe_forget_name (MaltPipe *pipe);

/* What is in it now, at most @n_bytes; 0: it has ended. From one thread at a time. */
gssize malt_pipe_read (MaltPipe *pipe, gpointer data, gsize n_bytes);

/* Which of the pipes (each nullable) can be read, or have ended: @out_is_ready has an
 * element for each. FALSE: none. From one thread at a time. */
gboolean malt_pipe_look (MaltPipe *const *pipes, guint n_pipes, gboolean *out_is_ready);

/* A source that is dispatched, with a GSourceFunc, while the pipe can be read or has
 * ended. It must not outlive the pipe. */
GSource *malt_pipe_source_new (MaltPipe *pipe);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltPipe, malt_pipe_free)

G_END_DECLS
