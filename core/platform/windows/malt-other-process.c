/* SPDX-License-Identifier: MIT */
/*
 * Other processes on Windows: by a handle, which keeps the number from being given to another.
 *
 * From now on the process is in a job of ours as well, and so is what it starts: SIGKILL
 * takes that along, as it takes a process group elsewhere. A process that may not be put
 * into a job is ended alone. Unless it was killed, what it leaves behind is let go in the
 * end.
 */
#include "platform/malt-other-process.h"

#include "base/malt-signals.h"
#include "platform/windows/malt-process-launcher-windows.h"

struct _MaltOtherProcess
{
  HANDLE handle; /* (owned) */
  HANDLE job; /* (owned) (nullable) */
};

/* (nullable) */
static HANDLE
open_job (HANDLE process)
{
  HANDLE job = CreateJobObjectW (NULL, NULL);

  if (job != MALT_NO_HANDLE && !AssignProcessToJobObject (job, process))
    malt_handle_clear (&job);
  return job;
}

MaltOtherProcess *
malt_other_process_new (gint64 pid)
{
  HANDLE handle = OpenProcess (SYNCHRONIZE | PROCESS_TERMINATE | PROCESS_SET_QUOTA, FALSE,
                               (DWORD) pid);
  MaltOtherProcess *process;

  if (handle == NULL)
    return NULL;
  process = g_new0 (MaltOtherProcess, 1);
  process->handle = handle;
  process->job = open_job (handle);
  return process;
}

void
malt_other_process_free (MaltOtherProcess *process)
{
  malt_handle_clear (&process->job);
  malt_handle_clear (&process->handle);
  g_free (process);
}

/* Interrupts can be sent to own children only. */
gboolean
malt_other_process_signal (MaltOtherProcess *process, int signum)
{
  UINT code = malt_child_exit_code_of_signal (signum);

  if (signum == SIGKILL && process->job != MALT_NO_HANDLE &&
      TerminateJobObject (process->job, code))
    return TRUE;
  return (signum == SIGKILL || signum == SIGTERM) &&
         TerminateProcess (process->handle, code);
}

gboolean
malt_other_process_ask_judge (G_GNUC_UNUSED MaltOtherProcess *process,
                              G_GNUC_UNUSED MaltJudge *judge, G_GNUC_UNUSED guint64 call)
{
  return FALSE;
}

GSource *
malt_other_process_watch_new (MaltOtherProcess *process)
{
  GSource *source = malt_handle_source_new (process->handle, "malt other process");

  g_source_set_priority (source, G_PRIORITY_HIGH);
  return source;
}
