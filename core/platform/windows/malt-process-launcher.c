/* SPDX-License-Identifier: MIT */
/*
 * Launches and watches a child process on Windows.
 *
 * A child is made suspended, put into a job of its own, and only then let run: what it
 * starts is in the job, too. The job ends with its handle, and with it whatever runs in
 * it; so a host that dies in whatever way takes its workers along. Only when a child that
 * was not killed is collected, the job lets go what is left.
 *
 * There are no signals. In the place of SIGKILL the job, and in that of SIGTERM the
 * process, is terminated, with an exit code that says so. In the place of SIGINT the
 * child's process group is sent an event of its console (malt_child_interrupt_event). A
 * child of a host that has a console shares it; another one gets one without a window,
 * which the host joins for the moment of the sending.
 *
 * A child keeps its number for as long as its handle is open. It inherits its three
 * standard handles and nothing else.
 */
#include "platform/windows/malt-process-launcher-windows.h"

#include "base/malt-signals.h"
#include "platform/malt-child-private.h"
#include "platform/malt-process-launcher.h"
#include "platform/windows/malt-command-line.h"

#include <malt/malt-error.h>
#include <string.h>

#define EXIT_CODE_OF_SIGNALS 0x4d4c5400u /* "MLT" and the number */

enum
{
  N_STANDARD_HANDLES = 3,
  MAX_LINE_CHARS = 32766, /* of a command line, as the system has it */
  MAX_TRIES = 3
};

DWORD malt_child_interrupt_event = CTRL_BREAK_EVENT;

struct _MaltChild
{
  MaltChildBase base; /* first */
  DWORD pid;
  HANDLE process; /* (owned) */
  HANDLE job; /* (owned): until it is collected */
  gboolean is_group_leader;
  gboolean has_own_console;
  GMutex lock; /* guards the rest, and is held while a signal is sent */
  gboolean is_killed;
  gboolean is_reaped;
  DWORD exit_code;
};

/* What a launch needs until the child runs. */
typedef struct
{
  HANDLE standard[N_STANDARD_HANDLES]; /* (owned): the child's */
  MaltPipe *output[2]; /* (owned) (nullable): the ends of stdout and stderr that stay */
  HANDLE job; /* (owned) */
  PROCESS_INFORMATION process; /* (owned) */
} Launch;

static void
launch_clear (Launch *launch)
{
  for (int i = 0; i < N_STANDARD_HANDLES; i++)
    malt_handle_clear (&launch->standard[i]);
  for (int i = 0; i < 2; i++)
    g_clear_pointer (&launch->output[i], malt_pipe_free);
  if (launch->process.hProcess != MALT_NO_HANDLE)
    TerminateProcess (launch->process.hProcess, malt_child_exit_code_of_signal (SIGKILL));
  malt_handle_clear (&launch->process.hThread);
  malt_handle_clear (&launch->process.hProcess);
  malt_handle_clear (&launch->job);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Launch, launch_clear)

UINT
malt_child_exit_code_of_signal (int signum)
{
  return EXIT_CODE_OF_SIGNALS | (UINT) signum;
}

/* The standard handles */

static HANDLE
open_nothing (void)
{
  HANDLE handle =
      CreateFileW (L"NUL", GENERIC_READ | GENERIC_WRITE,
                   FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

  return handle != INVALID_HANDLE_VALUE ? handle : MALT_NO_HANDLE;
}

/* The host's own; a program without a console may have none. */
static HANDLE
open_inherited (DWORD which)
{
  HANDLE own = GetStdHandle (which);
  HANDLE copy = MALT_NO_HANDLE;

  if (own != MALT_NO_HANDLE && own != INVALID_HANDLE_VALUE)
    DuplicateHandle (GetCurrentProcess (), own, GetCurrentProcess (), &copy, 0, FALSE,
                     DUPLICATE_SAME_ACCESS);
  return copy != MALT_NO_HANDLE ? copy : open_nothing ();
}

static HANDLE
open_bytes (GBytes *bytes)
{
  gsize n_bytes;
  gconstpointer data = g_bytes_get_data (bytes, &n_bytes);
  HANDLE reader = MALT_NO_HANDLE;
  HANDLE writer = MALT_NO_HANDLE;
  DWORD n_written = 0;

  /* They fit into the pipe: nobody reads yet. */
  if (!CreatePipe (&reader, &writer, NULL, (DWORD) MAX (n_bytes, 4096)))
    return MALT_NO_HANDLE;
  WriteFile (writer, data, (DWORD) n_bytes, &n_written, NULL);
  CloseHandle (writer);
  if (n_written != n_bytes)
    malt_handle_clear (&reader);
  return reader;
}

static gboolean
open_standard_handles (Launch *launch, const MaltProcessLauncher *launcher,
                       GError **error)
{
  launch->standard[0] = launcher->stdin_source == MALT_CHILD_STDIN_INHERIT
                            ? open_inherited (STD_INPUT_HANDLE)
                        : launcher->stdin_source == MALT_CHILD_STDIN_BYTES
                            ? open_bytes (launcher->stdin_bytes)
                            : open_nothing ();
  if (launch->standard[0] == MALT_NO_HANDLE)
    return malt_handle_set_error (error, "cannot open the child's standard input",
                                  GetLastError ());
  for (int i = 0; i < 2; i++)
    {
      gintptr writer;

      if (launcher->has_hosts_output)
        {
          launch->standard[i + 1] =
              open_inherited (i == 0 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
          continue;
        }
      launch->output[i] = malt_pipe_new (&writer, error);
      if (launch->output[i] == NULL)
        return FALSE;
      launch->standard[i + 1] = (HANDLE) writer;
    }
  return TRUE;
}

/* The job */

static gboolean
set_kill_on_close (HANDLE job, gboolean kills)
{
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };

  limits.BasicLimitInformation.LimitFlags =
      kills ? JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE : 0;
  return SetInformationJobObject (job, JobObjectExtendedLimitInformation, &limits,
                                  sizeof limits);
}

static gboolean
open_job (Launch *launch, GError **error)
{
  launch->job = CreateJobObjectW (NULL, NULL);
  if (launch->job != MALT_NO_HANDLE && set_kill_on_close (launch->job, TRUE))
    return TRUE;
  return malt_handle_set_error (error, "cannot make a job", GetLastError ());
}

/* The process */

/* Does this process share a console with anybody, if only with itself? */
static gboolean
has_console (void)
{
  DWORD pid;

  return GetConsoleProcessList (&pid, 1) > 0;
}

/* Windows would have them run by the command interpreter, which reads arguments in its
 * own way. It takes no notice of dots and blanks at the end of a name. */
static gboolean
is_batch_file (const char *program)
{
  g_autofree char *lower = g_ascii_strdown (program, -1);

  for (gsize n = strlen (lower); n > 0 && strchr (". ", lower[n - 1]) != NULL; n--)
    lower[n - 1] = '\0';
  return g_str_has_suffix (lower, ".bat") || g_str_has_suffix (lower, ".cmd");
}

static gboolean
set_create_error (GError **error, const MaltProcessLauncher *launcher, DWORD code)
{
  g_autofree char *what =
      code == ERROR_DIRECTORY
          ? g_strdup_printf ("cannot change to the directory '%s'", launcher->cwd)
          : g_strdup_printf ("cannot run '%s'", launcher->argv[0]);

  return malt_handle_set_error (error, what, code);
}

/* What the system says of lines that are too long is about names of files. */
static gboolean
check_line (const wchar_t *line, const MaltProcessLauncher *launcher, GError **error)
{
  gsize n_chars = wcslen (line);

  if (n_chars <= MAX_LINE_CHARS)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
               "cannot run '%s': expected a command line of at most %d characters, got "
               "%" G_GSIZE_FORMAT,
               launcher->argv[0], MAX_LINE_CHARS, n_chars);
  return FALSE;
}

/* Wine (8.0) speaks of an internal error when a new process has ended before its first
 * instruction, which is rare; why it does is not known. Nothing is left of such a
 * process, so another one is made. */
static gboolean
may_try_again (int n_tried)
{
  if (GetLastError () != ERROR_INTERNAL_ERROR || n_tried >= MAX_TRIES)
    return FALSE;
  g_debug ("the new process has ended before it began; making another one");
  return TRUE;
}

/* With a list of what is inherited: exactly the standard handles. */
static gboolean
create_with_list (Launch *launch, const MaltProcessLauncher *launcher,
                  STARTUPINFOEXW *startup, DWORD flags, GError **error)
{
  g_autofree char *line = malt_command_line_join (launcher->argv);
  g_autofree wchar_t *wide_line = malt_handle_dup_wide (line);
  g_autofree wchar_t *program = malt_handle_dup_wide (launcher->argv[0]);
  g_autofree wchar_t *environment = malt_environment_block (launcher->envp);
  g_autofree wchar_t *cwd =
      launcher->cwd != NULL ? malt_handle_dup_wide (launcher->cwd) : NULL;
  gboolean is_created = FALSE;
  int n_tried = 0;

  if (!check_line (wide_line, launcher, error))
    return FALSE;
  for (int i = 0; i < N_STANDARD_HANDLES; i++)
    SetHandleInformation (launch->standard[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  if (!UpdateProcThreadAttribute (startup->lpAttributeList, 0,
                                  PROC_THREAD_ATTRIBUTE_HANDLE_LIST, launch->standard,
                                  sizeof launch->standard, NULL, NULL))
    return set_create_error (error, launcher, GetLastError ());
  do
    {
      is_created =
          CreateProcessW (program, wide_line, NULL, NULL, TRUE, flags, environment, cwd,
                          &startup->StartupInfo, &launch->process);
      n_tried++;
    }
  while (!is_created && may_try_again (n_tried));
  return is_created || set_create_error (error, launcher, GetLastError ());
}

static gboolean
create_process (Launch *launch, const MaltProcessLauncher *launcher,
                gboolean has_own_console, GError **error)
{
  STARTUPINFOEXW startup = { .StartupInfo = { .cb = sizeof startup,
                                              .dwFlags = STARTF_USESTDHANDLES } };
  DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT |
                EXTENDED_STARTUPINFO_PRESENT |
                (launcher->is_group_leader ? (DWORD) CREATE_NEW_PROCESS_GROUP : 0) |
                (has_own_console ? (DWORD) CREATE_NO_WINDOW : 0);
  g_autofree gpointer list = NULL;
  SIZE_T n_bytes = 0;
  gboolean is_created;

  startup.StartupInfo.hStdInput = launch->standard[0];
  startup.StartupInfo.hStdOutput = launch->standard[1];
  startup.StartupInfo.hStdError = launch->standard[2];
  InitializeProcThreadAttributeList (NULL, 1, 0, &n_bytes);
  list = g_malloc0 (n_bytes);
  startup.lpAttributeList = list;
  if (!InitializeProcThreadAttributeList (list, 1, 0, &n_bytes))
    return set_create_error (error, launcher, GetLastError ());
  is_created = create_with_list (launch, launcher, &startup, flags, error);
  DeleteProcThreadAttributeList (list);
  return is_created;
}

/* From here on it runs, in its job. */
static gboolean
let_run (Launch *launch, GError **error)
{
  if (AssignProcessToJobObject (launch->job, launch->process.hProcess) &&
      ResumeThread (launch->process.hThread) != (DWORD) -1)
    return TRUE;
  return malt_handle_set_error (error, "cannot put the child into a job",
                                GetLastError ());
}

static MaltChild *
child_new (Launch *launch, const MaltProcessLauncher *launcher, gboolean has_own_console)
{
  MaltChild *child = g_new0 (MaltChild, 1);

  g_atomic_ref_count_init (&child->base.ref_count);
  g_mutex_init (&child->lock);
  child->pid = launch->process.dwProcessId;
  child->process = g_steal_pointer (&launch->process.hProcess);
  child->job = g_steal_pointer (&launch->job);
  child->is_group_leader = launcher->is_group_leader;
  child->has_own_console = has_own_console;
  for (int i = 0; i < 2; i++)
    child->base.output[i] = g_steal_pointer (&launch->output[i]);
  return child;
}

gboolean
malt_child_can_inherit (G_GNUC_UNUSED int stream)
{
  return FALSE;
}

int
malt_child_give (G_GNUC_UNUSED int fd, GError **error)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                       "a child cannot be given a descriptor on this system");
  return -1;
}

int
malt_child_give_text (G_GNUC_UNUSED const char *text, GError **error)
{
  return malt_child_give (-1, error);
}

void
malt_child_close_given (G_GNUC_UNUSED const int given[MALT_CHILD_MAX_GIVEN])
{
}

char *
malt_child_dup_given_path (G_GNUC_UNUSED int given)
{
  return g_strdup ("");
}

MaltChild *
malt_process_launcher_spawn (const MaltProcessLauncher *launcher, GError **error)
{
  g_auto (Launch) launch = { 0 };
  gboolean has_own_console = !has_console ();

  if (is_batch_file (launcher->argv[0]))
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                   "cannot run '%s': expected a program, got a batch file",
                   launcher->argv[0]);
      return NULL;
    }
  if (!open_standard_handles (&launch, launcher, error) || !open_job (&launch, error) ||
      !create_process (&launch, launcher, has_own_console, error) ||
      !let_run (&launch, error))
    return NULL;
  return child_new (&launch, launcher, has_own_console);
}

void
malt_child_unref (MaltChild *child)
{
  if (!g_atomic_ref_count_dec (&child->base.ref_count))
    return;
  malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP);
  malt_child_close_output (child);
  malt_handle_clear (&child->job);
  malt_handle_clear (&child->process);
  g_mutex_clear (&child->lock);
  g_free (child);
}

gint64
malt_child_get_pid (MaltChild *child)
{
  return child->pid;
}

/* The end */

GSource *
malt_child_watch_new (MaltChild *child)
{
  GSource *source = malt_handle_source_new (child->process, "malt child watch");

  g_source_set_priority (source, G_PRIORITY_HIGH);
  return source;
}

gboolean
malt_child_reap (MaltChild *child)
{
  gboolean is_reaped;

  g_mutex_lock (&child->lock);
  if (!child->is_reaped && WaitForSingleObject (child->process, 0) == WAIT_OBJECT_0)
    {
      child->is_reaped = TRUE;
      GetExitCodeProcess (child->process, &child->exit_code);
      if (!child->is_killed)
        set_kill_on_close (child->job, FALSE);
      malt_handle_clear (&child->job);
    }
  is_reaped = child->is_reaped;
  g_mutex_unlock (&child->lock);
  return is_reaped;
}

/* The signal that an exit code stands for: ours, or that of what the system ends
 * processes for. 0: none. */
static int
signal_of_exit_code (DWORD code)
{
  if ((code & 0xffffff00u) == EXIT_CODE_OF_SIGNALS)
    return (int) (code & 0xff);
  switch (code)
    {
    case STATUS_ACCESS_VIOLATION:
    case STATUS_IN_PAGE_ERROR:
    case STATUS_STACK_OVERFLOW:
      return SIGSEGV;
    case STATUS_ILLEGAL_INSTRUCTION:
    case STATUS_PRIVILEGED_INSTRUCTION:
      return SIGILL;
    case STATUS_INTEGER_DIVIDE_BY_ZERO:
    case STATUS_FLOAT_DIVIDE_BY_ZERO:
      return SIGFPE;
    case STATUS_CONTROL_C_EXIT:
      return SIGINT;
    case STATUS_HEAP_CORRUPTION:
    case STATUS_STACK_BUFFER_OVERRUN:
      return SIGABRT;
    default:
      return 0;
    }
}

MaltChildEnd
malt_child_end_of_code (gint64 code, int *out_number)
{
  *out_number = signal_of_exit_code ((DWORD) code);
  if (*out_number != 0)
    return MALT_CHILD_END_SIGNALLED;
  *out_number = (int) (DWORD) code;
  return MALT_CHILD_END_EXITED;
}

MaltChildEnd
malt_child_get_end (MaltChild *child, int *out_number)
{
  gboolean is_reaped;
  DWORD code;

  g_mutex_lock (&child->lock);
  is_reaped = child->is_reaped;
  code = child->exit_code;
  g_mutex_unlock (&child->lock);
  *out_number = 0;
  if (!is_reaped)
    return MALT_CHILD_END_UNKNOWN;
  return malt_child_end_of_code (code, out_number);
}

/* Signals */

static GMutex console_lock; /* held while this process uses the console of a child */

/* With console_lock held, by a process without a console. It may have to say first that
 * it wants none. */
static gboolean
join_console (DWORD pid)
{
  if (AttachConsole (pid))
    return TRUE;
  if (has_console ())
    return FALSE;
  FreeConsole ();
  return AttachConsole (pid);
}

/* With console_lock held. Joining gives a process that has no standard handles those of
 * the console, which are worth nothing once it has left; their numbers may be those of
 * other things by then. */
static gboolean
interrupt_in_own_console (MaltChild *child)
{
  static const DWORD numbers[N_STANDARD_HANDLES] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
                                                     STD_ERROR_HANDLE };
  HANDLE handles[N_STANDARD_HANDLES];
  gboolean is_sent = FALSE;

  for (int i = 0; i < N_STANDARD_HANDLES; i++)
    handles[i] = GetStdHandle (numbers[i]);
  if (join_console (child->pid))
    {
      is_sent = GenerateConsoleCtrlEvent (malt_child_interrupt_event, child->pid);
      FreeConsole ();
    }
  for (int i = 0; i < N_STANDARD_HANDLES; i++)
    SetStdHandle (numbers[i], handles[i]);
  return is_sent;
}

/* Only the leader of a group can be meant. */
static gboolean
interrupt (MaltChild *child)
{
  gboolean is_sent;

  if (!child->is_group_leader)
    return FALSE;
  if (!child->has_own_console)
    return GenerateConsoleCtrlEvent (malt_child_interrupt_event, child->pid);
  g_mutex_lock (&console_lock);
  is_sent = interrupt_in_own_console (child);
  g_mutex_unlock (&console_lock);
  return is_sent;
}

/* The handle has the right to end it. */
gboolean
malt_child_is_forbidden (G_GNUC_UNUSED MaltChild *child)
{
  return FALSE;
}

gboolean
malt_child_signal (MaltChild *child, int signum, MaltChildTarget target)
{
  UINT code = malt_child_exit_code_of_signal (signum);
  gboolean is_sent = FALSE;

  g_mutex_lock (&child->lock);
  if (child->is_reaped)
    is_sent = FALSE;
  else if (signum == SIGINT)
    is_sent = interrupt (child);
  else if (signum == SIGKILL && target == MALT_CHILD_TARGET_GROUP)
    {
      child->is_killed = TRUE;
      is_sent = TerminateJobObject (child->job, code);
    }
  else if (signum == SIGKILL || signum == SIGTERM)
    is_sent = TerminateProcess (child->process, code);
  g_mutex_unlock (&child->lock);
  return is_sent;
}

gboolean
malt_child_ask_judge (G_GNUC_UNUSED MaltChild *child, G_GNUC_UNUSED MaltJudge *judge,
                      G_GNUC_UNUSED guint64 call)
{
  return FALSE;
}
