/* SPDX-License-Identifier: MIT */
/* What the contract suite asks the system for, on Unix. */
#include "contract-host.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_KEPT_DESCRIPTORS 12 /* wake-ups of threads */

#define FORK_LIFE_S 20 /* of one that hangs */

/* Fields of the status of a process, from its state on. */
enum
{
  STATUS_STATE = 0,
  STATUS_PARENT = 1,
  STATUS_START = 19
};

/* NULL if there is no such process. */
static char *
dup_status_field (const char *pid, guint index)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid);
  g_autofree char *stat = NULL;
  g_auto (GStrv) fields = NULL;
  const char *name_end;

  if (!g_file_get_contents (path, &stat, NULL, NULL))
    return NULL;
  name_end = strrchr (stat, ')');
  if (name_end == NULL)
    return NULL;
  fields = g_strsplit (name_end + 2, " ", -1);
  return g_strdup (index < g_strv_length (fields) ? fields[index] : NULL);
}

/* The time of its start. */
char *
contract_host_dup_process (gint64 pid)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, pid);

  return dup_status_field (text, STATUS_START);
}

/* A zombie counts as gone: whose child it is is not our affair. */
gboolean
contract_is_process_gone (gint64 pid)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, pid);
  g_autofree char *state = dup_status_field (text, STATUS_STATE);

  return state == NULL || *state == 'Z' || *state == 'X';
}

int
contract_host_get_death_signal (const char **out_name)
{
  *out_name = "SIGKILL";
  return SIGKILL;
}

gint64
contract_host_get_pid (void)
{
  return getpid ();
}

static guint
count_entries (const char *path, const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n_entries = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n_entries += g_str_has_prefix (name, prefix) ? 1 : 0;
  return n_entries;
}

guint
contract_host_count_children (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;
  guint n_children = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *parent =
          g_ascii_isdigit (*name) ? dup_status_field (name, STATUS_PARENT) : NULL;

      n_children += parent != NULL && g_ascii_strtoll (parent, NULL, 10) == getpid ();
    }
  return n_children;
}

guint
contract_host_count_descriptors (void)
{
  return count_entries ("/proc/self/fd", "");
}

guint
contract_host_get_n_kept_descriptors (void)
{
  return N_KEPT_DESCRIPTORS;
}

/* Threads of this process that run, but for this one. */
static guint
count_running_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;
  guint n_running = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *state = dup_status_field (name, STATUS_STATE);

      n_running += atoi (name) != (int) syscall (SYS_gettid) && state != NULL &&
                   (*state == 'R' || *state == 'D');
    }
  return n_running;
}

int
contract_host_run_forked (ContractForkKind kind, int (*func) (gpointer data),
                          gpointer data)
{
  int status;
  pid_t pid;

  fflush (NULL);
  while (kind != CONTRACT_FORK_AT_ONCE && count_running_threads () > 0)
    g_usleep (1000);
  pid = kind == CONTRACT_RAW_FORK ? (pid_t) syscall (SYS_clone, SIGCHLD, 0, 0, 0, 0)
                                  : fork ();
  if (pid == 0)
    {
      alarm (FORK_LIFE_S);
      exit (func (data));
    }
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    continue;
  return WIFEXITED (status) ? WEXITSTATUS (status) : CONTRACT_HOST_HAS_CRASHED;
}

guint
contract_host_count_shared_memory (void)
{
  g_autofree char *prefix = g_strdup_printf ("malt-%d", (int) getpid ());

  return count_entries ("/dev/shm", prefix);
}

/* The descriptor of the process, plus one. */
gpointer
contract_host_watch (gint64 pid)
{
  int fd = (int) syscall (SYS_pidfd_open, (pid_t) pid, 0);

  return GINT_TO_POINTER (fd + 1);
}

void
contract_host_await (gpointer watch, int deadline_ms)
{
  struct pollfd poll_fd = { .fd = GPOINTER_TO_INT (watch) - 1, .events = POLLIN };

  while (poll (&poll_fd, 1, deadline_ms) < 0 && errno == EINTR)
    continue;
  close (poll_fd.fd);
}

char *
contract_host_dup_program (void)
{
  return g_file_read_link ("/proc/self/exe", NULL);
}

void
contract_host_kill (GSubprocess *process)
{
  g_subprocess_send_signal (process, SIGKILL);
}

void
contract_host_set_temporary_folder (const char *folder)
{
  g_setenv ("TMPDIR", folder, TRUE);
}

void
contract_host_set_alarm (guint seconds)
{
  alarm (seconds);
}
