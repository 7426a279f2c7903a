/* SPDX-License-Identifier: MIT */
/* What is there of the host and its workers, from /proc: processes, descriptors, threads,
 * files, memory.
 *
 * A process belongs to this run if it is a child of this one, if its environment has
 * the run's mark, which workers and what they start inherit, or if it is a worker's. */
#include "soak.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "MALT_SOAK_RUN"

enum
{
  LOOK_US = 50000,
  IDLE_THREADS_S =
      20 /* until threads end that wait for another call of a host function */
};

/* Fields of the status of a process, from its state on. */
enum
{
  STATUS_STATE = 0,
  STATUS_PARENT = 1,
  STATUS_START = 19
};

typedef struct
{
  gint64 pid;
  char *start; /* (owned): tells it from a later one of that number */
} Process;

static GMutex lock; /* guards workers */
static GArray *workers; /* (owned): of Process */
static GArray *excluded; /* (owned): of gint64 */
static char *mark; /* (owned) */
static char *folder; /* (owned): where temporary files are put */
static SoakRemains first;
static GHashTable *first_descriptors; /* (owned): their numbers, as in /proc */

/* malloc_trim() gives back what is free at the end of the main arena, and not of others,
 * where that may be several MiB. With one arena, what is still there is what somebody
 * uses. */
static void
have_one_arena (void)
{
  mallopt (M_ARENA_MAX, 1);
}

gboolean
soak_remains_prepare (void)
{
  have_one_arena ();
  folder = g_dir_make_tmp ("malt-soak-XXXXXX", NULL);
  if (folder == NULL)
    return FALSE;
  mark = g_strdup_printf (MARK "=%s", folder);
  g_setenv ("TMPDIR", folder, TRUE);
  g_setenv (MARK, folder, TRUE);
  workers = g_array_new (FALSE, FALSE, sizeof (Process));
  excluded = g_array_new (FALSE, FALSE, sizeof (gint64));
  return TRUE;
}

/* Processes */

/* NULL: there is no such process, or it is a zombie of somebody else. */
static char *
dup_status_field (gint64 pid, guint index)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
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

void
soak_remains_note (gint64 pid)
{
  Process process = { .pid = pid };

  if (pid <= 0 || pid == getpid ())
    return;
  process.start = dup_status_field (pid, STATUS_START);
  g_mutex_lock (&lock);
  if (process.start != NULL)
    g_array_append_val (workers, process);
  g_mutex_unlock (&lock);
}

void
soak_remains_exclude (gint64 pid)
{
  g_array_append_val (excluded, pid);
}

static gboolean
is_excluded (gint64 pid)
{
  for (guint i = 0; i < excluded->len; i++)
    if (g_array_index (excluded, gint64, i) == pid)
      return TRUE;
  return pid == getpid ();
}

static gboolean
is_worker (gint64 pid)
{
  g_autofree char *start = dup_status_field (pid, STATUS_START);
  gboolean is_found = FALSE;

  g_mutex_lock (&lock);
  for (guint i = 0; i < workers->len && !is_found; i++)
    {
      const Process *process = &g_array_index (workers, Process, i);

      is_found = process->pid == pid && g_strcmp0 (process->start, start) == 0;
    }
  g_mutex_unlock (&lock);
  return is_found;
}

static gboolean
is_marked (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/environ", pid);
  g_autofree char *text = NULL;
  gsize n_bytes = 0;

  return g_file_get_contents (path, &text, &n_bytes, NULL) &&
         memmem (text, n_bytes, mark, strlen (mark)) != NULL;
}

static gboolean
is_of_this_run (gint64 pid)
{
  g_autofree char *parent = NULL;
  g_autofree char *state = NULL;

  if (is_excluded (pid))
    return FALSE;
  parent = dup_status_field (pid, STATUS_PARENT);
  if (parent == NULL)
    return FALSE;
  if (g_ascii_strtoll (parent, NULL, 10) == getpid ())
    return TRUE;
  state = dup_status_field (pid, STATUS_STATE);
  return state != NULL && *state != 'Z' && (is_worker (pid) || is_marked (pid));
}

/* (transfer full): of gint64 */
static GArray *
list_processes (void)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      gint64 pid = g_ascii_isdigit (*name) ? g_ascii_strtoll (name, NULL, 10) : 0;

      if (pid > 0 && is_of_this_run (pid))
        g_array_append_val (pids, pid);
    }
  return pids;
}

static guint
count_processes (void)
{
  g_autoptr (GArray) pids = list_processes ();

  return pids->len;
}

static void
describe_processes (void)
{
  g_autoptr (GArray) pids = list_processes ();

  for (guint i = 0; i < pids->len; i++)
    {
      gint64 pid = g_array_index (pids, gint64, i);
      g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/cmdline", pid);
      g_autofree char *command = NULL;

      g_file_get_contents (path, &command, NULL, NULL);
      soak_note ("left: process %" G_GINT64_FORMAT " %s", pid, command ? command : "");
    }
}

/* The others */

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n_entries = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n_entries++;
  return n_entries;
}

static guint
count_files (void)
{
  g_autoptr (GDir) shared = g_dir_open ("/dev/shm", 0, NULL);
  guint n_files = count_entries (folder);
  const char *name;

  while (shared != NULL && (name = g_dir_read_name (shared)) != NULL)
    n_files += g_str_has_prefix (name, "malt") ? 1 : 0;
  return n_files;
}

/* Memory that is in no file, without what the allocator keeps for later. */
static gint64
get_memory_kib (void)
{
  g_autofree char *status = NULL;
  const char *line;

  malloc_trim (0);
  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  line = strstr (status, "RssAnon:");
  return line ? g_ascii_strtoll (line + strlen ("RssAnon:"), NULL, 10) : 0;
}

static void
take_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  g_clear_pointer (&first_descriptors, g_hash_table_unref);
  first_descriptors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_hash_table_add (first_descriptors, g_strdup (name));
  first.n_descriptors = g_hash_table_size (first_descriptors);
}

/* What those are that were not there first. */
static void
describe_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (!g_hash_table_contains (first_descriptors, name))
        soak_note ("there: descriptor %s %s", name, target ? target : "");
    }
}

/* Looks */

static void
look (SoakRemains *out_remains)
{
  out_remains->n_processes = count_processes ();
  out_remains->n_descriptors = count_entries ("/proc/self/fd");
  out_remains->n_threads = count_entries ("/proc/self/task");
  out_remains->n_files = count_files ();
  out_remains->memory_kib = get_memory_kib ();
}

void
soak_remains_take_first (void)
{
  gint64 end_us =
      g_get_monotonic_time () + (gint64) soak_get_options ()->patience_s * G_USEC_PER_SEC;

  while (count_processes () > 0 && g_get_monotonic_time () < end_us)
    g_usleep (LOOK_US);
  look (&first);
  take_descriptors ();
}

/* What Julia code no longer refers to, in a runtime that is in this process, is let
 * go. */
static void
collect (void)
{
  g_autoptr (MaltConfig) config = malt_config_new ();
  g_autoptr (MaltWorker) worker = NULL;

  if (soak_can (MALT_CAPABILITY_ISOLATED))
    return;
  malt_config_set_backend (config, soak_get_options ()->backend);
  worker = malt_worker_launch (config, NULL, NULL);
  if (worker == NULL)
    return;
  malt_worker_remote_eval_wait (worker, NULL, "GC.gc(); sleep(0.2); GC.gc()", NULL, NULL);
  malt_worker_stop (worker, NULL, NULL);
}

void
soak_remains_take_tenth (void)
{
  collect ();
  first.memory_kib = get_memory_kib ();
  /* A runtime in this process opens some when it first compiles, or loads, this or that. */
  if (!soak_can (MALT_CAPABILITY_ISOLATED))
    take_descriptors ();
}

static guint
get_excess (guint n, guint n_first)
{
  return n > n_first ? n - n_first : 0;
}

void
soak_remains_look (SoakRemains *out_remains)
{
  gint64 patience_us = (gint64) soak_get_options ()->patience_s * G_USEC_PER_SEC;
  gint64 idle_us = (gint64) IDLE_THREADS_S * G_USEC_PER_SEC;
  gint64 end_us = g_get_monotonic_time () + MAX (patience_us, idle_us);
  gboolean is_over;

  collect ();
  do
    {
      look (out_remains);
      out_remains->n_descriptors =
          get_excess (out_remains->n_descriptors, first.n_descriptors);
      out_remains->n_threads = get_excess (out_remains->n_threads, first.n_threads);
      out_remains->memory_kib -= first.memory_kib;
      is_over = (out_remains->n_processes | out_remains->n_descriptors |
                 out_remains->n_threads | out_remains->n_files) == 0 ||
                g_get_monotonic_time () > end_us;
      if (!is_over)
        g_usleep (LOOK_US);
    }
  while (!is_over);
  describe_processes ();
  if (out_remains->n_descriptors > 0)
    describe_descriptors ();
}

void
soak_remains_clear (void)
{
  g_autoptr (GArray) pids = list_processes ();

  for (guint i = 0; i < pids->len; i++)
    kill ((pid_t) g_array_index (pids, gint64, i), SIGKILL);
  for (guint i = 0; i < excluded->len; i++)
    kill ((pid_t) g_array_index (excluded, gint64, i), SIGKILL);
  g_rmdir (folder);
}
