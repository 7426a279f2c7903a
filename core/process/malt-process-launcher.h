/* SPDX-License-Identifier: MIT */
/*
 * Launches and watches one child process. This header is the same everywhere; each platform has one file that implements it.
 *
 * A MaltProcessLauncher says what to run; malt_process_launcher_spawn() makes a MaltChild of it. A child is watched through a descriptor that
 * becomes readable when the child has ended (malt_child_watch_new()). It is a zombie from then until malt_child_reap(), so its number, and that of
 * its process group, cannot be given to another process before: who wants to signal what is left of the group does it between the two.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the child's standard input is. */
typedef enum
{
  MALT_CHILD_STDIN_NULL, /* empty */
  MALT_CHILD_STDIN_INHERIT, /* the host's */
  MALT_CHILD_STDIN_BYTES, /* stdin_bytes, then the end */
} MaltChildStdin;

typedef struct
{
  const char *const
      *argv; /* argv[0] is the path of the program: it is not searched for */
  const char *const *envp; /* the whole environment */
  const char *cwd; /* (nullable): the host's where NULL */
  int inherited_fd; /* becomes descriptor 3 of the child; -1: none. The caller keeps its own */
  MaltChildStdin stdin_source;
  GBytes *stdin_bytes; /* (nullable): at most PIPE_BUF bytes */
  gboolean is_group_leader; /* in a process group of its own? */
} MaltProcessLauncher;

/* Whom a signal goes to. */
typedef enum
{
  MALT_CHILD_TARGET_PROCESS,
  MALT_CHILD_TARGET_GROUP, /* the child's own process group, and the child if that does not reach it; the child alone where it has none */
} MaltChildTarget;

typedef struct _MaltChild MaltChild;

MaltChild *malt_process_launcher_spawn (const MaltProcessLauncher *launcher,
                                        GError **error);

MaltChild *malt_child_ref (MaltChild *child);
void malt_child_unref (MaltChild *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltChild, malt_child_unref)

gint64 malt_child_get_pid (MaltChild *child);

/* The host's ends of the child's standard output and error: non-blocking, owned by the child. */
int malt_child_get_stdout_fd (MaltChild *child);
int malt_child_get_stderr_fd (MaltChild *child);
void malt_child_close_output (MaltChild *child);

/* A source that is dispatched, with a GSourceFunc, once the child has ended. */
GSource *malt_child_watch_new (MaltChild *child);

/* Collects the exit of a child that has ended. FALSE: it has not. Only the first TRUE collects; the status is kept. */
gboolean malt_child_reap (MaltChild *child);

/* What waitpid() gave; -1 before malt_child_reap(), or if somebody else in this process collected it. */
int malt_child_get_wait_status (MaltChild *child);

/* FALSE: the child has been collected, nothing was sent. Never reaches a process that got the same number later. */
gboolean malt_child_signal (MaltChild *child, int signum, MaltChildTarget target);

/* How often the system has killed for want of memory where children of this process live; compared before and after. 0: not known. */
guint64 malt_child_count_memory_kills (void);

G_END_DECLS
