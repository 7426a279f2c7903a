/* SPDX-License-Identifier: MIT */
/* When all workers are gone, nothing of them is left: no process, no descriptor, no file. Runs last. */
#include "malt-contract.h"

#include <string.h>
#include <unistd.h>

/* Descriptors that the library and GLib open once and keep: wake-ups of their threads; and those of a runtime that lives in this process. */
#define N_KEPT_DESCRIPTORS 12
#define N_RUNTIME_DESCRIPTORS 24

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

static guint
count_descriptors (void)
{
  return count_entries ("/proc/self/fd", "");
}

static gboolean
is_own_child (const char *pid_text)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid_text);
  g_autofree char *stat = NULL;
  const char *state;

  if (!g_ascii_isdigit (*pid_text) || !g_file_get_contents (path, &stat, NULL, NULL))
    return FALSE;
  state = strrchr (stat, ')');
  return state != NULL && strlen (state) > 4 &&
         g_ascii_strtoll (state + 4, NULL, 10) == getpid ();
}

static guint
count_children (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;
  guint n_children = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    n_children += is_own_child (name) ? 1 : 0;
  return n_children;
}

/* Neither a child, nor the process of a worker that is somebody else's child. */
static gboolean
has_no_process (G_GNUC_UNUSED gpointer data)
{
  return count_children () == 0 && contract_count_processes () == 0;
}

static gboolean
has_no_more_descriptors (gpointer data)
{
  return count_descriptors () <= *(guint *) data;
}

static gboolean
launch_and_stop (void)
{
  g_autoptr (MaltWorker) worker = contract_launch ();

  return worker != NULL && contract_works (worker) &&
         malt_worker_stop (worker, NULL, NULL);
}

static void
remains_no_descriptor_of_a_worker_that_was_stopped (void)
{
  guint n_descriptors;

  contract_drop_all ();
  malt_assert (contract_until (has_no_process, NULL, CONTRACT_DEADLINE_MS));
  malt_assert (launch_and_stop ());
  malt_assert (contract_until (has_no_process, NULL, CONTRACT_DEADLINE_MS));
  n_descriptors = count_descriptors ();
  for (int i = 0; i < 3; i++)
    malt_assert (launch_and_stop ());
  malt_assert (
      contract_until (has_no_more_descriptors, &n_descriptors, CONTRACT_DEADLINE_MS));
}

static void
remains_no_process (void)
{
  contract_drop_all ();
  malt_assert (contract_until (has_no_process, NULL, CONTRACT_DEADLINE_MS));
}

static void
remains_no_descriptor (void)
{
  guint n_kept = contract_get_n_descriptors_at_start () + N_KEPT_DESCRIPTORS;

  if (contract_has_runtime_here ())
    n_kept += N_RUNTIME_DESCRIPTORS;

  malt_assert (contract_until (has_no_more_descriptors, &n_kept, CONTRACT_DEADLINE_MS));
}

static void
remains_no_temporary_file (void)
{
  malt_assert (count_entries (g_getenv ("TMPDIR"), "") == 0);
}

static void
remains_no_shared_memory (void)
{
  g_autofree char *prefix = g_strdup_printf ("malt-%d", (int) getpid ());

  malt_assert (count_entries ("/dev/shm", prefix) == 0);
}

const ContractTest contract_remains[] = {
  CONTRACT_TEST (remains_no_descriptor_of_a_worker_that_was_stopped),
  CONTRACT_TEST (remains_no_process),
  CONTRACT_TEST (remains_no_descriptor),
  CONTRACT_TEST (remains_no_temporary_file),
  CONTRACT_TEST (remains_no_shared_memory),
  CONTRACT_END,
};
