/* SPDX-License-Identifier: MIT */
/* What another process has in its memory. Where that is, its process environment block says. */
#include "windows-test.h"

#include <string.h>
#include <tlhelp32.h>
#include <winternl.h>

/* Offsets that the headers keep to themselves, on 64 bits. */
enum
{
  PEB_PARAMETERS = 0x20,
  PARAMETERS_COMMAND_LINE = 0x70,
  PARAMETERS_ENVIRONMENT = 0x80
};

typedef NTSTATUS (NTAPI *QueryInformation) (HANDLE, PROCESSINFOCLASS, PVOID, ULONG,
                                            PULONG);

static gboolean
read_memory (HANDLE process, guintptr address, gpointer data, gsize n_bytes)
{
  SIZE_T n_read = 0;

  return ReadProcessMemory (process, (gconstpointer) address, data, n_bytes, &n_read) &&
         n_read == n_bytes;
}

/* 0: not to be had. */
static guintptr
find_parameters (HANDLE process)
{
  gpointer function = (gpointer) (guintptr) GetProcAddress (
      GetModuleHandleW (L"ntdll.dll"), "NtQueryInformationProcess");
  QueryInformation query;
  PROCESS_BASIC_INFORMATION basic;
  guintptr parameters = 0;

  memcpy (&query, &function, sizeof query);
  if (query (process, ProcessBasicInformation, &basic, sizeof basic, NULL) < 0 ||
      !read_memory (process, (guintptr) basic.PebBaseAddress + PEB_PARAMETERS,
                    &parameters, sizeof parameters))
    return 0;
  return parameters;
}

static HANDLE
open_for_reading (gint64 pid)
{
  return OpenProcess (PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, (DWORD) pid);
}

static GBytes *
read_bytes (HANDLE process, guintptr address, gsize n_bytes)
{
  g_autofree guint8 *bytes = g_malloc (n_bytes + 1);

  if (!read_memory (process, address, bytes, n_bytes))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), n_bytes);
}

GBytes *
windows_look_dup_command_line (gint64 pid)
{
  HANDLE process = open_for_reading (pid);
  guintptr parameters = process != NULL ? find_parameters (process) : 0;
  UNICODE_STRING text;
  GBytes *bytes = NULL;

  if (parameters != 0 &&
      read_memory (process, parameters + PARAMETERS_COMMAND_LINE, &text, sizeof text))
    bytes = read_bytes (process, (guintptr) text.Buffer, text.Length);
  malt_handle_clear (&process);
  return bytes;
}

/* With all that lies in memory behind them. */
GBytes *
windows_look_dup_environment (gint64 pid)
{
  HANDLE process = open_for_reading (pid);
  guintptr parameters = process != NULL ? find_parameters (process) : 0;
  MEMORY_BASIC_INFORMATION region;
  guintptr address = 0;
  GBytes *bytes = NULL;

  if (parameters != 0 &&
      read_memory (process, parameters + PARAMETERS_ENVIRONMENT, &address,
                   sizeof address) &&
      VirtualQueryEx (process, (gconstpointer) address, &region, sizeof region) != 0)
    bytes = read_bytes (process, address,
                        (guintptr) region.BaseAddress + region.RegionSize - address);
  malt_handle_clear (&process);
  return bytes;
}

gboolean
windows_look_contains (GBytes *memory, gconstpointer bytes, gsize n_bytes)
{
  gsize n = g_bytes_get_size (memory);
  const guint8 *at = g_bytes_get_data (memory, NULL);

  for (gsize i = 0; i + n_bytes <= n; i++)
    if (memcmp (at + i, bytes, n_bytes) == 0)
      return TRUE;
  return FALSE;
}

gboolean
windows_look_contains_text (GBytes *memory, const char *text)
{
  g_autofree wchar_t *wide = malt_handle_dup_wide (text);

  return windows_look_contains (memory, wide, wcslen (wide) * sizeof *wide);
}

gint64
windows_look_get_parent (gint64 pid)
{
  HANDLE snapshot = CreateToolhelp32Snapshot (TH32CS_SNAPPROCESS, 0);
  PROCESSENTRY32W entry = { .dwSize = sizeof entry };
  gint64 parent = 0;

  if (Process32FirstW (snapshot, &entry))
    do
      if (entry.th32ProcessID == (DWORD) pid)
        parent = entry.th32ParentProcessID;
    while (parent == 0 && Process32NextW (snapshot, &entry));
  CloseHandle (snapshot);
  return parent;
}
