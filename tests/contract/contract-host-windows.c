/* SPDX-License-Identifier: MIT */
/* What the contract suite asks the system for, on Windows. */
#include "contract-host.h"

#include <windows.h>

#include <tlhelp32.h>

/* Threads, events and sockets of the threads that stay. */
#define N_KEPT_DESCRIPTORS 64

#define EXIT_ALARM 142 /* as if by SIGALRM */

/* The time of its start, such that later ones compare as greater. */
char *
contract_host_dup_process (gint64 pid)
{
  HANDLE process = OpenProcess (PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD) pid);
  FILETIME start;
  FILETIME other[3];
  gboolean is_known;

  if (process == NULL)
    return NULL;
  is_known = GetProcessTimes (process, &start, &other[0], &other[1], &other[2]);
  CloseHandle (process);
  return is_known
             ? g_strdup_printf ("%08lx%08lx", start.dwHighDateTime, start.dwLowDateTime)
             : NULL;
}

gboolean
contract_is_process_gone (gint64 pid)
{
  HANDLE process = OpenProcess (SYNCHRONIZE, FALSE, (DWORD) pid);
  gboolean is_gone;

  if (process == NULL)
    return TRUE;
  is_gone = WaitForSingleObject (process, 0) == WAIT_OBJECT_0;
  CloseHandle (process);
  return is_gone;
}

int
contract_host_get_death_signal (const char **out_name)
{
  *out_name = "SIGSEGV";
  return SIGSEGV;
}

gint64
contract_host_get_pid (void)
{
  return GetCurrentProcessId ();
}

/* The program of the console belongs to whoever has made the console, which may be us;
 * and the process that was the parent of another one may have had our number before. */
static gboolean
is_child (const PROCESSENTRY32W *entry)
{
  g_autofree char *own_start = contract_host_dup_process (GetCurrentProcessId ());
  g_autofree char *start = contract_host_dup_process (entry->th32ProcessID);

  return entry->th32ParentProcessID == GetCurrentProcessId () &&
         _wcsicmp (entry->szExeFile, L"conhost.exe") != 0 &&
         g_strcmp0 (start, own_start) >= 0 &&
         !contract_is_process_gone (entry->th32ProcessID);
}

guint
contract_host_count_children (void)
{
  HANDLE snapshot = CreateToolhelp32Snapshot (TH32CS_SNAPPROCESS, 0);
  PROCESSENTRY32W entry = { .dwSize = sizeof entry };
  guint n_children = 0;

  if (Process32FirstW (snapshot, &entry))
    do
      n_children += is_child (&entry) ? 1 : 0;
    while (Process32NextW (snapshot, &entry));
  CloseHandle (snapshot);
  return n_children;
}

guint
contract_host_count_descriptors (void)
{
  DWORD n_handles = 0;

  GetProcessHandleCount (GetCurrentProcess (), &n_handles);
  return n_handles;
}

guint
contract_host_get_n_kept_descriptors (void)
{
  return N_KEPT_DESCRIPTORS;
}

/* It has no folder there. */
guint
contract_host_count_shared_memory (void)
{
  return 0;
}

gpointer
contract_host_watch (gint64 pid)
{
  return OpenProcess (SYNCHRONIZE, FALSE, (DWORD) pid);
}

void
contract_host_await (gpointer watch, int deadline_ms)
{
  WaitForSingleObject (watch, (DWORD) deadline_ms);
  CloseHandle (watch);
}

char *
contract_host_dup_program (void)
{
  wchar_t path[MAX_PATH];

  GetModuleFileNameW (NULL, path, MAX_PATH);
  return g_utf16_to_utf8 ((const gunichar2 *) path, -1, NULL, NULL, NULL);
}

void
contract_host_kill (GSubprocess *process)
{
  g_subprocess_force_exit (process);
}

void
contract_host_set_temporary_folder (const char *folder)
{
  g_setenv ("TMP", folder, TRUE);
  g_setenv ("TEMP", folder, TRUE);
  g_setenv ("TMPDIR", folder, TRUE);
}

static VOID CALLBACK
on_alarm (G_GNUC_UNUSED PVOID data, G_GNUC_UNUSED BOOLEAN is_timer)
{
  TerminateProcess (GetCurrentProcess (), EXIT_ALARM);
}

void
contract_host_set_alarm (guint seconds)
{
  static HANDLE timer;

  if (timer != NULL)
    DeleteTimerQueueTimer (NULL, timer, INVALID_HANDLE_VALUE);
  timer = NULL;
  if (seconds > 0)
    CreateTimerQueueTimer (&timer, NULL, on_alarm, NULL, seconds * 1000, 0,
                           WT_EXECUTEONLYONCE);
}

int
contract_host_run_forked (G_GNUC_UNUSED ContractForkKind kind,
                          G_GNUC_UNUSED int (*func) (gpointer data),
                          G_GNUC_UNUSED gpointer data)
{
  return CONTRACT_HOST_NO_FORKS;
}
