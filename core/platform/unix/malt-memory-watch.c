/* SPDX-License-Identifier: MIT */
/* Whether a worker was killed for want of memory, by the counts of Linux's cgroups.
 *
 * A group's count stands in memory.events (v2) or memory.oom_control (v1); where there is
 * neither, that of the whole system does. It says how many were killed, not who. So a
 * look judges all workers of the group that have died by SIGKILL since the last one,
 * also those whose end has not been told yet: either the count rose by as many, or it is
 * not known of any of them.
 *
 * The group is read while the process runs, because v1 says "/" of one that is ending.
 * A worker that is moved is followed with its next call. */
#include "platform/malt-memory-watch.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define FOLLOW_INTERVAL_US (G_USEC_PER_SEC / 10)
#define SYSTEM_COUNT "/proc/vmstat"

typedef enum
{
  JUDGEMENT_OPEN,
  JUDGEMENT_MEMORY,
  JUDGEMENT_OTHER,
} Judgement;

struct _MaltMemoryWatch
{
  pid_t pid;
  char *count_path; /* (owned): the file with its group's count; names the group */
  guint64 n_kills; /* at the last look at the group */
  gint64 followed_us;
  Judgement judgement;
};

static GMutex lock; /* guards all watches */
static GSList *watches; /* (owned): of MaltMemoryWatch (unowned) */

/* The number behind "oom_kill " in a file of lines "name number". */
static gboolean
read_kills (const char *path, guint64 *out_n_kills)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  line = g_str_has_prefix (text, "oom_kill ") ? text : strstr (text, "\noom_kill ");
  if (line == NULL)
    return FALSE;
  *out_n_kills = g_ascii_strtoull (strchr (line, ' ') + 1, NULL, 10);
  return TRUE;
}

/* @line: number, controllers and path, with colons between them. (nullable) */
static char *
dup_count_path_of_line (const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, ":", 3);
  g_auto (GStrv) controllers = NULL;

  if (g_strv_length (parts) != 3)
    return NULL;
  if (strcmp (parts[0], "0") == 0)
    return g_build_filename ("/sys/fs/cgroup", parts[2], "memory.events", NULL);
  controllers = g_strsplit (parts[1], ",", -1);
  if (!g_strv_contains ((const char *const *) controllers, "memory"))
    return NULL;
  return g_build_filename ("/sys/fs/cgroup/memory", parts[2], "memory.oom_control", NULL);
}

/* (transfer full) */
static char *
dup_count_path (pid_t pid)
{
  g_autofree char *file = g_strdup_printf ("/proc/%d/cgroup", (int) pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint64 n_kills;

  if (!g_file_get_contents (file, &text, NULL, NULL))
    return g_strdup (SYSTEM_COUNT);
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *path = dup_count_path_of_line (lines[i]);

      if (path != NULL && read_kills (path, &n_kills))
        return g_steal_pointer (&path);
    }
  return g_strdup (SYSTEM_COUNT);
}

/* Of a child that has not been collected; who launched others collects them, too. */
static gboolean
has_been_killed (pid_t pid)
{
  siginfo_t info = { 0 };

  return waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGKILL;
}

/* @dead (nullable): known to have been killed. */
static void
look_locked (const char *path, MaltMemoryWatch *dead)
{
  g_autoptr (GSList) killed = NULL;
  guint64 n_kills = 0;
  gboolean is_read;

  for (GSList *l = watches; l != NULL; l = l->next)
    {
      MaltMemoryWatch *watch = l->data;

      if (watch->judgement == JUDGEMENT_OPEN && strcmp (watch->count_path, path) == 0 &&
          (watch == dead || has_been_killed (watch->pid)))
        killed = g_slist_prepend (killed, watch);
    }
  is_read = read_kills (path, &n_kills);
  for (GSList *l = killed; l != NULL; l = l->next)
    {
      MaltMemoryWatch *watch = l->data;
      gboolean is_memory = is_read && n_kills >= watch->n_kills + g_slist_length (killed);

      watch->judgement = is_memory ? JUDGEMENT_MEMORY : JUDGEMENT_OTHER;
    }
  for (GSList *l = watches; l != NULL; l = l->next)
    if (is_read && strcmp (((MaltMemoryWatch *) l->data)->count_path, path) == 0)
      ((MaltMemoryWatch *) l->data)->n_kills = n_kills;
}

/* Takes over the path. */
static void
enter_locked (MaltMemoryWatch *watch, char *path)
{
  look_locked (path, NULL);
  g_free (watch->count_path);
  watch->count_path = path;
  if (!read_kills (path, &watch->n_kills))
    watch->n_kills = G_MAXUINT32;
}

MaltMemoryWatch *
malt_memory_watch_new (gint64 pid)
{
  MaltMemoryWatch *watch = g_new0 (MaltMemoryWatch, 1);

  watch->pid = (pid_t) pid;
  g_mutex_lock (&lock);
  enter_locked (watch, dup_count_path (watch->pid));
  watches = g_slist_prepend (watches, watch);
  g_mutex_unlock (&lock);
  return watch;
}

void
malt_memory_watch_free (MaltMemoryWatch *watch)
{
  g_mutex_lock (&lock);
  watches = g_slist_remove (watches, watch);
  g_mutex_unlock (&lock);
  g_free (watch->count_path);
  g_free (watch);
}

/* To the root group, or to none that counts, goes who is ending. */
void
malt_memory_watch_follow (MaltMemoryWatch *watch)
{
  gint64 now_us = g_get_monotonic_time ();
  g_autofree char *path = NULL;

  g_mutex_lock (&lock);
  if (now_us - watch->followed_us >= FOLLOW_INTERVAL_US)
    {
      watch->followed_us = now_us;
      path = dup_count_path (watch->pid);
    }
  if (path != NULL && strcmp (path, watch->count_path) != 0 &&
      strcmp (path, SYSTEM_COUNT) != 0 &&
      strcmp (path, "/sys/fs/cgroup/memory/memory.oom_control") != 0)
    enter_locked (watch, g_steal_pointer (&path));
  g_mutex_unlock (&lock);
}

void
malt_memory_watch_dismiss (MaltMemoryWatch *watch)
{
  g_mutex_lock (&lock);
  if (watch->judgement == JUDGEMENT_OPEN)
    watch->judgement = JUDGEMENT_OTHER;
  g_mutex_unlock (&lock);
}

gboolean
malt_memory_watch_judge (MaltMemoryWatch *watch)
{
  gboolean is_memory;

  g_mutex_lock (&lock);
  if (watch->judgement == JUDGEMENT_OPEN)
    look_locked (watch->count_path, watch);
  is_memory = watch->judgement == JUDGEMENT_MEMORY;
  g_mutex_unlock (&lock);
  return is_memory;
}
