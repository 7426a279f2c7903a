/* SPDX-License-Identifier: MIT */
/*
 * Launches and watches one child process. This header is the same everywhere; each
 * platform has one file that implements it.
 *
 * A MaltProcessLauncher says what to run; malt_process_launcher_spawn() makes a MaltChild
 * of it. A child that has ended (malt_child_watch_new()) keeps its number, and that of
 * its process group, until malt_child_reap(): no other process can be given them before.
 * Who wants to signal what is left of the group does it between the two.
 */
#pragma once

#include "platform/malt-judge.h"
#include "platform/malt-pipe.h"

G_BEGIN_DECLS

enum
{
  MALT_CHILD_MAX_GIVEN = 3
};

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
  /* (owned): of malt_child_give(), open in the child under the same numbers; at most 0:
   * none */
  int given[MALT_CHILD_MAX_GIVEN];
  /* those beyond the standard streams that are not close-on-exec are the child's, too
   * (Unix) */
  gboolean has_hosts_descriptors;
  MaltChildStdin stdin_source;
  GBytes *stdin_bytes; /* (nullable): at most PIPE_BUF bytes */
  gboolean has_hosts_output; /* standard output and error are the host's own: no pipes */
  /* In a process group of its own, with no signal ignored or blocked? Else in the host's,
   * with what the host ignores and what the thread that launches blocks: as any program
   * that is started by exec. */
  gboolean is_group_leader;
} MaltProcessLauncher;

/* Whom a signal goes to. */
typedef enum
{
  MALT_CHILD_TARGET_PROCESS,
  /* the child's own process group, and the child if that does not reach it; the child
   * alone where it has none */
  MALT_CHILD_TARGET_GROUP,
} MaltChildTarget;

typedef struct _MaltChild MaltChild;

/* Does a child that inherits it get a standard stream of the host, 0 to 2, which others
 * may inherit from it (Unix)? */
gboolean malt_child_can_inherit (int stream);

/* What a child is given has a number that is free in the host, so that nothing the host
 * hands on is overwritten, and a high one, so that the child finds low ones free. It is
 * close-on-exec until a child has it. Where there are no such descriptors (Windows) none
 * can be made. Errors: RESOURCES, LAUNCH_FAILED. */

/* The same file as @fd; -1: error. */
int malt_child_give (int fd, GError **error);

/* A file that holds @text, to be read once; 0: none as large may be made (`ulimit -f`);
 * -1: error. */
int malt_child_give_text (const char *text, GError **error);

/* When the child is there, or will not be. */
void malt_child_close_given (const int given[MALT_CHILD_MAX_GIVEN]);

/* By which name a child opens what it was given. Not by a path of the host's: nobody but
 * root may look into a host that is not dumpable. (transfer full) */
char *malt_child_dup_given_path (int given);

MaltChild *malt_process_launcher_spawn (const MaltProcessLauncher *launcher,
                                        GError **error);

MaltChild *malt_child_ref (MaltChild *child);
void malt_child_unref (MaltChild *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaltChild, malt_child_unref)

gint64 malt_child_get_pid (MaltChild *child);

/* What the child writes; (transfer none). NULL once closed, and where the child has the host's. */
MaltPipe *malt_child_get_stdout (MaltChild *child);
MaltPipe *malt_child_get_stderr (MaltChild *child);
void malt_child_close_output (MaltChild *child);

/* A source that is dispatched, with a GSourceFunc, once the child has ended. */
GSource *malt_child_watch_new (MaltChild *child);

/* Collects the exit of a child that has ended. FALSE: it has not. Only the first TRUE
 * collects; the status is kept. */
gboolean malt_child_reap (MaltChild *child);

/* How a child ended. */
typedef enum
{
  MALT_CHILD_END_UNKNOWN, /* not collected yet, or somebody else in this process has collected it */
  MALT_CHILD_END_EXITED, /* by itself, with a status */
  MALT_CHILD_END_SIGNALLED, /* by a signal, or by what stands for one */
} MaltChildEnd;

/* @out_number: the exit status, or the number of the signal. */
MaltChildEnd malt_child_get_end (MaltChild *child, int *out_number);

/* How a process ended that is no child of this one, by the exit code (from 0 on) that
 * somebody else knows of it. @out_number: as above. */
MaltChildEnd malt_child_end_of_code (gint64 code, int *out_number);

/* FALSE: the child has been collected, or the system cannot do it; nothing was sent.
 * Never reaches a process that got the same number later. */
gboolean malt_child_signal (MaltChild *child, int signum, MaltChildTarget target);

/* May this process not signal the child, since it has become another user? SIGKILL to a
 * group may be sent all the same. */
gboolean malt_child_is_forbidden (MaltChild *child);

/* malt_judge_ask(), for a child that has not been collected. */
gboolean malt_child_ask_judge (MaltChild *child, MaltJudge *judge, guint64 call);

G_END_DECLS
