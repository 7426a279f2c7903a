/* SPDX-License-Identifier: MIT */
/* The death of a host on Windows ends its workers and what they have started, in whatever
 * way it dies; of the backend that the argument names. This program is the host as well:
 * its second argument says how it dies. */
#include "windows-test.h"

#include <stdlib.h>
#include <string.h>

enum
{
  N_PROCESSES = 3
};

static int
let_die (const char *how, MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = NULL;

  if (strcmp (how, "busy") == 0)
    future = malt_worker_remote_eval (worker, NULL, "deaf");
  else if (strcmp (how, "crashes") == 0)
    RaiseException ((DWORD) STATUS_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL);
  else if (strcmp (how, "aborts") == 0)
    abort ();
  else if (strcmp (how, "returns") == 0)
    return 0;
  Sleep (INFINITE);
  return 0;
}

static LONG WINAPI
on_crash (G_GNUC_UNUSED EXCEPTION_POINTERS *exception)
{
  return EXCEPTION_EXECUTE_HANDLER;
}

/* Says which processes there are: worker, what that has started, and what has started it.
 * Dies when it has been answered. */
static int
be_host (const char *how)
{
  MaltWorker *worker = windows_test_launch_one ();
  gint64 pid;

  SetErrorMode (SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  SetUnhandledExceptionFilter (on_crash);
  if (worker == NULL)
    return 1;
  pid = malt_worker_get_pid (worker);
  printf ("%d %d %d\n", (int) pid,
          (int) windows_test_get_int (worker, "grandchild", NULL),
          (int) windows_look_get_parent (pid));
  fflush (stdout);
  getchar ();
  return let_die (how, worker);
}

/* The test */

typedef struct
{
  HANDLE process; /* (owned) */
  HANDLE output; /* (owned): what it says */
  HANDLE input; /* (owned): how it is answered */
} Host;

static void
host_clear (Host *host)
{
  malt_handle_clear (&host->output);
  malt_handle_clear (&host->input);
  if (host->process != NULL)
    TerminateProcess (host->process, 1);
  malt_handle_clear (&host->process);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Host, host_clear)

/* Not by the library: its jobs would end what is to end by itself. */
static gboolean
host_start (Host *host, const char *how)
{
  SECURITY_ATTRIBUTES inheritable = { sizeof inheritable, NULL, TRUE };
  STARTUPINFOW startup = { .cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES };
  PROCESS_INFORMATION process = { 0 };
  wchar_t program[MAX_PATH];
  g_autofree char *text =
      g_strdup_printf ("host %s %s", windows_test_get_backend (), how);
  g_autofree wchar_t *line = malt_handle_dup_wide (text);

  GetModuleFileNameW (NULL, program, MAX_PATH);
  if (!CreatePipe (&host->output, &startup.hStdOutput, &inheritable, 0) ||
      !CreatePipe (&startup.hStdInput, &host->input, &inheritable, 0))
    return FALSE;
  SetHandleInformation (host->output, HANDLE_FLAG_INHERIT, 0);
  SetHandleInformation (host->input, HANDLE_FLAG_INHERIT, 0);
  startup.hStdError = GetStdHandle (STD_ERROR_HANDLE);
  CreateProcessW (program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process);
  CloseHandle (startup.hStdOutput);
  CloseHandle (startup.hStdInput);
  malt_handle_clear (&process.hThread);
  host->process = process.hProcess;
  return host->process != NULL;
}

static gboolean
read_line (HANDLE pipe, char *line, DWORD n_bytes)
{
  DWORD n_read;

  for (DWORD n = 0; n + 1 < n_bytes; n += n_read)
    {
      if (!ReadFile (pipe, line + n, 1, &n_read, NULL) || n_read == 0)
        return FALSE;
      line[n + 1] = '\0';
      if (line[n] == '\n')
        return TRUE;
    }
  return FALSE;
}

static void
check_death (const char *how)
{
  g_auto (Host) host = { NULL, NULL, NULL };
  HANDLE processes[N_PROCESSES];
  char line[64] = "";
  int pids[N_PROCESSES] = { 0, 0, 0 };
  DWORD n_written;

  malt_assert (host_start (&host, how));
  malt_assert (read_line (host.output, line, sizeof line));
  malt_assert_int (sscanf (line, "%d %d %d", &pids[0], &pids[1], &pids[2]), N_PROCESSES);
  for (int i = 0; i < N_PROCESSES; i++)
    {
      processes[i] = windows_test_open_process (pids[i]);
      malt_assert (processes[i] != NULL);
      malt_assert_int (WaitForSingleObject (processes[i], 0), WAIT_TIMEOUT);
    }
  /* The worker is a child of its host, or of the bridge, which is. */
  malt_assert (windows_test_is_direct () ==
               ((DWORD) pids[2] == GetProcessId (host.process)));
  malt_assert (WriteFile (host.input, "\n", 1, &n_written, NULL));
  if (strcmp (how, "killed") == 0 || strcmp (how, "busy") == 0)
    TerminateProcess (host.process, 1);
  malt_assert_int (WaitForSingleObject (host.process, WINDOWS_TEST_PATIENCE_MS),
                   WAIT_OBJECT_0);
  for (int i = 0; i < N_PROCESSES; i++)
    malt_assert (windows_test_ends (processes[i]));
}

static void
host_that_is_killed_takes_all_along (void)
{
  check_death ("killed");
}

static void
host_that_is_killed_takes_busy_workers_along (void)
{
  check_death ("busy");
}

static void
host_that_crashes_takes_all_along (void)
{
  check_death ("crashes");
  check_death ("aborts");
}

/* Without having stopped its workers. */
static void
host_that_returns_takes_all_along (void)
{
  check_death ("returns");
}

static CU_TestInfo tests[] = {
  MALT_TEST (host_that_is_killed_takes_all_along),
  MALT_TEST (host_that_is_killed_takes_busy_workers_along),
  MALT_TEST (host_that_crashes_takes_all_along),
  MALT_TEST (host_that_returns_takes_all_along),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  if (argc > 2)
    {
      windows_test_choose_backend (argv[1]);
      return be_host (argv[2]);
    }
  return windows_test_main (argc, argv, "deaths of hosts on Windows", tests);
}
