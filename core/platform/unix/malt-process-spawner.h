/* SPDX-License-Identifier: MIT */
/* The part of launching that runs in the one thread that forks, and in the child before
 * it becomes another program. */
#pragma once

#include "platform/malt-process-launcher.h"

#include <signal.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* What a child failed at before it became another program. */
typedef enum
{
  MALT_SPAWN_STEP_NONE,
  MALT_SPAWN_STEP_FORK,
  MALT_SPAWN_STEP_DESCRIPTORS,
  MALT_SPAWN_STEP_GROUP,
  MALT_SPAWN_STEP_CWD,
  MALT_SPAWN_STEP_EXEC,
  MALT_SPAWN_STEP_ORPHANED,
} MaltSpawnStep;

typedef struct
{
  MaltSpawnStep step;
  int error_number;
} MaltSpawnReport;

enum
{
  MALT_SPAWN_N_STREAMS = 3
};

/* Everything the child needs, made before the fork. All descriptors are close-on-exec and
 * no standard streams (malt_descriptor_raise()): no dup2() of the child overwrites one. */
typedef struct
{
  const char *const *argv;
  const char *const *envp;
  const char *cwd; /* (nullable) */
  int fds[MALT_SPAWN_N_STREAMS]; /* what becomes 0 to 2; -1: the host's */
  int given[MALT_CHILD_MAX_GIVEN]; /* what stays open; 0: none */
  gboolean has_hosts_descriptors; /* and so does what is not close-on-exec */
  gboolean is_group_leader;
  sigset_t blocked; /* of one that is no group leader */
  pid_t host_pid;
  /* The child writes here, in the memory that it borrows, why it cannot go on. */
  MaltSpawnReport report;
} MaltSpawnPlan;

/* Makes the child in the spawner thread and waits until it is another program or has
 * failed. Returns its pid, or -1 (the plan's report says why). out_pidfd is -1 where the
 * system has none. */
pid_t malt_process_spawn (MaltSpawnPlan *plan, int *out_pidfd);

G_END_DECLS
