/* SPDX-License-Identifier: MIT */
/* When all workers are gone, nothing of them is left: no process, no descriptor, no file.
 * Runs last. */
#include "malt-contract.h"

/* Descriptors of a runtime that lives in this process. */
#define N_RUNTIME_DESCRIPTORS 24

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n_entries = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n_entries++;
  return n_entries;
}

/* Neither a child, nor the process of a worker that is somebody else's child. */
static gboolean
has_no_process (G_GNUC_UNUSED gpointer data)
{
  return contract_host_count_children () == 0 && contract_count_processes () == 0;
}

static gboolean
has_no_more_descriptors (gpointer data)
{
  return contract_host_count_descriptors () <= *(guint *) data;
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
  n_descriptors = contract_host_count_descriptors ();
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
  guint n_kept =
      contract_get_n_descriptors_at_start () + contract_host_get_n_kept_descriptors ();

  if (contract_has_runtime_here ())
    n_kept += N_RUNTIME_DESCRIPTORS;

  malt_assert (contract_until (has_no_more_descriptors, &n_kept, CONTRACT_DEADLINE_MS));
}

static void
remains_no_temporary_file (void)
{
  malt_assert (count_entries (g_getenv ("TMPDIR")) == 0);
}

static void
remains_no_shared_memory (void)
{
  malt_assert (contract_host_count_shared_memory () == 0);
}

const ContractTest contract_remains[] = {
  CONTRACT_TEST (remains_no_descriptor_of_a_worker_that_was_stopped),
  CONTRACT_TEST (remains_no_process),
  CONTRACT_TEST (remains_no_descriptor),
  CONTRACT_TEST (remains_no_temporary_file),
  CONTRACT_TEST (remains_no_shared_memory),
  CONTRACT_END,
};
