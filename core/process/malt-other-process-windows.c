/* SPDX-License-Identifier: MIT */
/* Other processes on Windows: by a handle, which keeps the number from being given to another. */
#include "process/malt-other-process.h"

#include "process/malt-process-launcher-windows.h"
#include "process/malt-signals.h"

struct _MaltOtherProcess
{
  HANDLE handle; /* (owned) */
};

MaltOtherProcess *
malt_other_process_new (gint64 pid)
{
  HANDLE handle = OpenProcess (SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD) pid);
  MaltOtherProcess *process;

  if (handle == NULL)
    return NULL;
  process = g_new0 (MaltOtherProcess, 1);
  process->handle = handle;
  return process;
}

void
malt_other_process_free (MaltOtherProcess *process)
{
  malt_handle_clear (&process->handle);
  g_free (process);
}

/* What it has started is in the job of whoever has launched it. Interrupts can be sent to own children only. */
gboolean
malt_other_process_signal (MaltOtherProcess *process, int signum)
{
  return (signum == SIGKILL || signum == SIGTERM) &&
         TerminateProcess (process->handle, malt_child_exit_code_of_signal (signum));
}

GSource *
malt_other_process_watch_new (MaltOtherProcess *process)
{
  GSource *source = malt_handle_source_new (process->handle, "malt other process");

  g_source_set_priority (source, G_PRIORITY_HIGH);
  return source;
}
