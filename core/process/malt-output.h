/* SPDX-License-Identifier: MIT */
/* Output of evaluated code, where the options `output` and `output-prefix` of a worker
 * say that it goes. */
#pragma once

#include <malt/malt-types.h>

G_BEGIN_DECLS

typedef struct _MaltOutput MaltOutput;

/* Has the worker the host's own standard output and error? */
gboolean malt_output_is_hosts (MaltWorker *worker);

/* Checks what goes with that, and takes the capability away that such a worker has not. */
gboolean malt_output_prepare (MaltWorker *worker, GError **error);

/* Reads the options of the worker, to which it keeps a weak reference only. */
MaltOutput *malt_output_new (MaltWorker *worker);
void malt_output_free (MaltOutput *output);

/* The rest can be called from any thread. Nothing here waits for anybody. */

/* Before the first output: what PID stands for in the prefix. */
void malt_output_set_pid (MaltOutput *output, gint64 pid);

/* Forwards, emits or discards; @call_id 0: of no call that is known. What comes by stderr
 * is kept for the tail as well. */
void malt_output_handle (MaltOutput *output, MaltStream stream, guint32 call_id,
                         const char *text, gsize n_bytes);

/* The same with the lock held, for an owner that reads what it hands on from somewhere:
 * as long as it has the lock, nobody else can read what follows and overtake it. */
void malt_output_lock (MaltOutput *output);
void malt_output_unlock (MaltOutput *output);
void malt_output_handle_locked (MaltOutput *output, MaltStream stream, guint32 call_id,
                                const char *text, gsize n_bytes);

/* Ends the forwarded lines that are open: no more will come. */
void malt_output_end (MaltOutput *output);

/* Keeps for the tail what did not come by stderr: some workers report there on their end. */
void malt_output_add_to_tail (MaltOutput *output, const char *text, gsize n_bytes);

/* The last lines of what was kept; NULL if there are none. */
char *malt_output_dup_tail (MaltOutput *output);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltOutput, malt_output_free)

G_END_DECLS
