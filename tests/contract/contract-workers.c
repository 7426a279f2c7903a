/* SPDX-License-Identifier: MIT */
/* Workers and calls for contract tests. */
#include "malt-contract.h"

#include <stdio.h>
#include <string.h>

static MaltWorker *shared; /* (owned) (nullable): used in the thread of the tests only */
static MaltWorker *kept; /* (owned) (nullable): the same */

/* A process by its number and the time of its start, since numbers come again. */
typedef struct
{
  gint64 pid;
  char *start; /* (owned) (nullable) */
} Process;

static GMutex launched_lock; /* guards launched */
static GArray *launched; /* (owned) (nullable): of Process, those of all workers so far */
static gint has_runtime_here; /* (atomic) */

/* Processes */

/* Takes note of the process of a worker, if it has one of its own on this machine. */
static void
note_process (MaltWorker *worker)
{
  Process process = { .pid = malt_worker_get_pid (worker) };

  if (process.pid <= 0 || process.pid == contract_host_get_pid () ||
      contract_can (worker, MALT_CAPABILITY_REMOTE))
    return;
  process.start = contract_host_dup_process (process.pid);
  g_mutex_lock (&launched_lock);
  if (launched == NULL)
    launched = g_array_new (FALSE, FALSE, sizeof (Process));
  g_array_append_val (launched, process);
  g_mutex_unlock (&launched_lock);
}

/* Of all the workers that were launched here, how many have a process that is still there? */
guint
contract_count_processes (void)
{
  guint n_processes = 0;

  g_mutex_lock (&launched_lock);
  for (guint i = 0; launched != NULL && i < launched->len; i++)
    {
      const Process *process = &g_array_index (launched, Process, i);
      g_autofree char *start = contract_host_dup_process (process->pid);

      n_processes += start != NULL && g_strcmp0 (start, process->start) == 0 &&
                     !contract_is_process_gone (process->pid);
    }
  g_mutex_unlock (&launched_lock);
  return n_processes;
}

/* Workers */

MaltConfig *
contract_config_new (void)
{
  const ContractSubject *subject = contract_get_subject ();
  MaltConfig *config = malt_config_new_default (NULL);

  if (config == NULL)
    config = malt_config_new ();
  malt_config_set_backend (config, subject->backend);
  for (const char *const *option = subject->options; option && *option; option++)
    {
      g_auto (GStrv) parts = g_strsplit (*option, "=", 2);

      malt_config_set_for (config, subject->backend, parts[0], parts[1]);
    }
  return config;
}

/* NULL, with a note, if the worker cannot be launched or set up. */
MaltWorker *
contract_launch_config (MaltConfig *config)
{
  const char *setup = contract_get_dialect ()->setup;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  if (worker != NULL)
    note_process (worker);
  if (worker != NULL && !contract_can (worker, MALT_CAPABILITY_ISOLATED))
    g_atomic_int_set (&has_runtime_here, TRUE);
  if (worker != NULL && setup != NULL)
    malt_worker_remote_eval_wait (worker, NULL, setup, NULL, &error);
  if (error == NULL)
    return g_steal_pointer (&worker);
  contract_note ("no worker: %s", error->message);
  return NULL;
}

MaltWorker *
contract_launch (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();

  return contract_launch_config (config);
}

MaltWorker *
contract_launch_with (const char *key, const char *value)
{
  g_autoptr (MaltConfig) config = contract_config_new ();

  malt_config_set_for (config, contract_get_subject ()->backend, key, value);
  return contract_launch_config (config);
}

/* Was the suite told to give workers the host's own output, which waives B12 and B16? */
gboolean
contract_lends_output (void)
{
  g_autoptr (MaltConfig) config = contract_config_new ();

  return g_strcmp0 (
             malt_config_get_for (config, contract_get_subject ()->backend, "output"),
             "inherit") == 0;
}

/* A worker whose output goes where @output says, if its backend can hand it to the host
 * at all, and unless it has the host's. */
MaltWorker *
contract_launch_with_output (const char *output)
{
  g_autoptr (MaltBackend) backend =
      malt_backend_lookup (contract_get_subject ()->backend, NULL);

  if (backend != NULL && !contract_lends_output () &&
      (malt_backend_get_capabilities (backend) & MALT_CAPABILITY_OUTPUT) != 0)
    return contract_launch_with ("output", output);
  return contract_launch ();
}

/* A worker that lives as long as tests leave it usable (borrowed). */
MaltWorker *
contract_shared (void)
{
  if (shared != NULL && !malt_worker_is_running (shared))
    contract_drop_shared ();
  if (shared == NULL)
    shared = contract_launch ();
  return shared;
}

void
contract_drop_shared (void)
{
  g_autoptr (MaltWorker) worker = g_steal_pointer (&shared);

  if (worker != NULL)
    malt_worker_stop_full (worker, 0, 0, NULL, NULL, NULL);
}

/* A worker that nobody uses: what workers of its backend share stays as long as it does. */
gboolean
contract_keep_one (void)
{
  kept = contract_launch ();
  return kept != NULL;
}

void
contract_drop_all (void)
{
  g_autoptr (MaltWorker) worker = g_steal_pointer (&kept);

  contract_drop_shared ();
  if (worker != NULL)
    malt_worker_stop_full (worker, 0, 0, NULL, NULL, NULL);
}

gboolean
contract_can (MaltWorker *worker, MaltCapabilities capability)
{
  return (malt_worker_get_capabilities (worker) & capability) != 0;
}

/* Ends the worker as hard as it can be ended. */
void
contract_end_abruptly (MaltWorker *worker)
{
  if (contract_can (worker, MALT_CAPABILITY_CAN_KILL))
    malt_worker_kill (worker, SIGKILL, NULL);
  else
    malt_worker_stop_async (worker, 0, 0, NULL, NULL, NULL);
}

/* Has a worker been launched that shares a runtime with others, in this process? */
gboolean
contract_has_runtime_here (void)
{
  return g_atomic_int_get (&has_runtime_here);
}

/* Calls */

MaltCall *
contract_call (ContractWord word)
{
  return malt_call_new (contract_get_dialect ()->words[word]);
}

MaltCall *
contract_call_int (ContractWord word, gint64 argument)
{
  MaltCall *call = contract_call (word);

  malt_call_take_argument (call, malt_value_new_int64 (argument));
  return call;
}

MaltCall *
contract_call_text (ContractWord word, const char *argument)
{
  MaltCall *call = contract_call (word);

  malt_call_take_argument (call, malt_value_new_string (argument));
  return call;
}

MaltFuture *
contract_start (MaltWorker *worker, ContractWord word)
{
  g_autoptr (MaltCall) call = contract_call (word);

  return malt_worker_remote_call (worker, call);
}

MaltFuture *
contract_start_int (MaltWorker *worker, ContractWord word, gint64 argument)
{
  g_autoptr (MaltCall) call = contract_call_int (word, argument);

  return malt_worker_remote_call (worker, call);
}

MaltFuture *
contract_start_text (MaltWorker *worker, ContractWord word, const char *argument)
{
  g_autoptr (MaltCall) call = contract_call_text (word, argument);

  return malt_worker_remote_call (worker, call);
}

/* Expectations */

gboolean
contract_is_done_soon (MaltFuture *future)
{
  malt_future_wait (future, CONTRACT_DEADLINE_MS, NULL, NULL);
  if (!malt_future_is_done (future))
    contract_note ("a future is still pending after %d ms", CONTRACT_DEADLINE_MS);
  return malt_future_is_done (future);
}

gboolean
contract_gives_int (MaltFuture *future, gint64 expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *text = NULL;
  gint64 seen = 0;

  if (!contract_is_done_soon (future))
    return FALSE;
  value = malt_future_fetch (future, NULL, &error);
  if (value != NULL && malt_value_as_int64 (value, &seen, NULL) && seen == expected)
    return TRUE;
  text = value ? malt_value_to_string (value) : g_strdup (error->message);
  contract_note ("%" G_GINT64_FORMAT " expected; seen: %s", expected, text);
  return FALSE;
}

gboolean
contract_fails (MaltFuture *future, MaltError code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *text = NULL;

  if (!contract_is_done_soon (future))
    return FALSE;
  value = malt_future_fetch (future, NULL, &error);
  if (g_error_matches (error, MALT_ERROR, (int) code))
    return TRUE;
  text = value ? malt_value_to_string (value)
               : g_strdup_printf ("error %d: %s", error->code, error->message);
  contract_note ("error code %d expected; seen: %s", (int) code, text);
  return FALSE;
}

gboolean
contract_throws (MaltFuture *future, const char *exception_type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  const char *seen;

  if (!contract_fails (future, MALT_ERROR_REMOTE_EXCEPTION))
    return FALSE;
  value = malt_future_fetch (future, NULL, &error);
  seen = malt_error_get_exception_type (error);
  if (value == NULL && g_strcmp0 (seen, exception_type) == 0)
    return TRUE;
  contract_note ("exception of type %s expected; seen: %s", exception_type, seen);
  return FALSE;
}

/* The worker answers as if nothing had been. */
gboolean
contract_works (MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = contract_start_int (worker, CONTRACT_ECHO, 4242);

  return contract_gives_int (future, 4242);
}

/* The value of @source, printed, is @expected. */
gboolean
contract_evals_to (MaltWorker *worker, const char *source, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, source);
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *seen = NULL;

  if (!contract_is_done_soon (future))
    return FALSE;
  value = malt_future_fetch (future, NULL, &error);
  seen = value ? malt_value_to_string (value) : g_strdup (error->message);
  if (value != NULL && g_strcmp0 (seen, expected) == 0)
    return TRUE;
  contract_note ("%s: %s expected; seen: %s", source, expected, seen);
  return FALSE;
}

/* The marks that "record" left, oldest first, as an array of gint64. */
gboolean
contract_dup_record (MaltWorker *worker, GArray **out_record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltCall) call = contract_call (CONTRACT_RECORDED);
  g_autoptr (MaltValue) value =
      malt_worker_remote_call_fetch (worker, call, NULL, &error);
  gsize n_bytes = 0;
  gconstpointer marks;

  if (value == NULL)
    {
      contract_note ("no record: %s", error->message);
      return FALSE;
    }
  marks = malt_value_get_array_data (value, &n_bytes);
  *out_record = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (n_bytes > 0)
    g_array_append_vals (*out_record, marks, (guint) (n_bytes / sizeof (gint64)));
  return TRUE;
}
