/* SPDX-License-Identifier: MIT */
/* What the host does, or lacks, while its workers are busy. */
#include "soak.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The end of a child that was forked. FALSE: it did not end as it should. */
static gboolean
await_child (pid_t pid)
{
  int status = 0;
  pid_t seen;

  do
    seen = waitpid (pid, &status, 0);
  while (seen < 0 && errno == EINTR);
  return seen == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

/* The child ends at once; the parent's workers go on. */
static void
run_fork (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  SoakFlight *flight;
  pid_t pid;

  if (worker == NULL)
    return;
  flight = soak_fly_function (thread, worker, id, "soak_sleep", 5);
  pid = fork ();
  if (pid == 0)
    _exit (0);
  if (pid < 0)
    soak_note ("fork: %s", g_strerror (errno));
  else if (!await_child (pid))
    soak_fault (SOAK_WRONG, "a child that was forked did not end as it should");
  soak_land_int (flight, SOAK_MAY_ONLY_ANSWER, id);
}

const SoakOperation soak_host[] = {
  { "fork", 1, MALT_CAPABILITY_NONE, run_fork },
  SOAK_OPERATIONS_END,
};
