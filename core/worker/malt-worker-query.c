/* SPDX-License-Identifier: MIT */
/* What a worker is: its backend, abilities, options, process and end; and what it owes. */
#include "platform/malt-platform.h"
#include "selection/malt-config-private.h"
#include "selection/malt-option.h"
#include "worker/malt-worker-state.h"

gboolean
malt_weak_worker_is_waited_for (MaltWeakWorker *weak, GError **error)
{
  g_autoptr (MaltWorker) worker = malt_weak_worker_dup (weak);
  MaltJuliaThreadCheck check =
      worker != NULL ? malt_worker_get_julia_thread_check (worker) : NULL;

  if (check == NULL || !check ())
    return FALSE;
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_FAILED,
                       "the thread of Julia would wait for itself");
  return TRUE;
}

/**
 * malt_worker_is_running:
 * @worker: a worker
 *
 * Says whether the evaluator is alive. Never blocks.
 *
 * Returns: %TRUE from the launch until it has ended
 */
gboolean
malt_worker_is_running (MaltWorker *worker)
{
  MaltWorkerState state;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  state = malt_worker_get_state (worker);
  if (state != MALT_WORKER_RUNNING && state != MALT_WORKER_STOPPING)
    return FALSE;
  return MALT_WORKER_GET_CLASS (worker)->is_running (worker);
}

/**
 * malt_worker_get_backend_name:
 * @worker: a worker
 *
 * Gives the name of the worker's backend, such as "malt-process". For people to read:
 * programs should go by malt_worker_get_capabilities().
 *
 * Returns: the name
 */
const char *
malt_worker_get_backend_name (MaltWorker *worker)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  return MALT_WORKER_GET_CLASS (worker)->name;
}

/**
 * malt_worker_get_capabilities:
 * @worker: a worker
 *
 * Says what this worker can do. What it cannot fails with %MALT_ERROR_NOT_SUPPORTED.
 *
 * Returns: the capabilities
 */
MaltCapabilities
malt_worker_get_capabilities (MaltWorker *worker)
{
  MaltWorkerPrivate *priv;

  g_return_val_if_fail (MALT_IS_WORKER (worker), MALT_CAPABILITY_NONE);
  priv = malt_worker_get_private (worker);
  return (MaltCapabilities) g_atomic_int_get (&priv->capabilities);
}

/**
 * malt_worker_set_capabilities:
 * @worker: a worker
 * @capabilities: what it can do
 *
 * Says that this worker can do less than others of its backend. For backends, during the
 * launch.
 */
void
malt_worker_set_capabilities (MaltWorker *worker, MaltCapabilities capabilities)
{
  MaltWorkerPrivate *priv;

  g_return_if_fail (MALT_IS_WORKER (worker));
  priv = malt_worker_get_private (worker);
  capabilities &= MALT_WORKER_GET_CLASS (worker)->capabilities;
  g_atomic_int_set (&priv->capabilities, (gint) capabilities);
}

/**
 * malt_worker_dup_summary:
 * @worker: a worker
 *
 * Describes the worker for messages, such as "malt-process worker 1234".
 *
 * Returns: (transfer full): one line of text
 */
char *
malt_worker_dup_summary (MaltWorker *worker)
{
  MaltWorkerClass *klass;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  klass = MALT_WORKER_GET_CLASS (worker);
  if (klass->dup_summary != NULL && !malt_platform_is_forked (NULL))
    return klass->dup_summary (worker);
  return g_strdup_printf ("%s worker", klass->name);
}

/**
 * malt_worker_get_pid:
 * @worker: a worker
 *
 * Gives the process that evaluates. It may be another machine's, see
 * %MALT_CAPABILITY_REMOTE.
 *
 * Returns: its process id; 0: not known
 */
gint64
malt_worker_get_pid (MaltWorker *worker)
{
  MaltWorkerClass *klass;

  g_return_val_if_fail (MALT_IS_WORKER (worker), 0);
  klass = MALT_WORKER_GET_CLASS (worker);
  if (klass->get_pid == NULL || malt_platform_is_forked (NULL))
    return 0;
  return klass->get_pid (worker);
}

/**
 * malt_worker_dup_julia_version:
 * @worker: a worker
 *
 * Says which Julia evaluates.
 *
 * Returns: (transfer full) (nullable): the version, such as "1.10.4"; %NULL: not known
 */
char *
malt_worker_dup_julia_version (MaltWorker *worker)
{
  MaltWorkerClass *klass;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  klass = MALT_WORKER_GET_CLASS (worker);
  if (klass->dup_julia_version == NULL || malt_platform_is_forked (NULL))
    return NULL;
  return klass->dup_julia_version (worker);
}

/**
 * malt_worker_get_config: (get-property config)
 * @worker: a worker
 *
 * Gives the config that the worker was launched with: a copy, which cannot be changed.
 *
 * Returns: (transfer none): the config
 */
MaltConfig *
malt_worker_get_config (MaltWorker *worker)
{
  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  return malt_worker_get_private (worker)->config;
}

/**
 * malt_worker_dup_termination:
 * @worker: a worker
 *
 * Says why the worker ended.
 *
 * Returns: (transfer full) (nullable): the reason; %NULL: it has not ended
 */
MaltTermination *
malt_worker_dup_termination (MaltWorker *worker)
{
  MaltTermination *termination = NULL;
  MaltWorkerPrivate *priv;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  if (malt_platform_is_forked (NULL))
    return NULL;
  priv = malt_worker_get_private (worker);
  g_mutex_lock (&priv->lock);
  if (priv->termination != NULL)
    termination = malt_termination_ref (priv->termination);
  g_mutex_unlock (&priv->lock);
  return termination;
}

/**
 * malt_is_forked:
 *
 * Says whether this process was forked from one that uses workers. Then nothing may be touched
 * that the two share, and everything fails with %MALT_ERROR_FORKED. For backends. Takes no
 * lock and makes no system call.
 *
 * Returns: %TRUE in such a process
 */
gboolean
malt_is_forked (void)
{
  return malt_platform_is_forked (NULL);
}

/* Calls */

/**
 * malt_worker_get_n_pending:
 * @worker: a worker
 *
 * Counts the calls that the worker has not answered, with those that were given up, without
 * requests of the library's own. For backends.
 *
 * Returns: their number
 */
guint
malt_worker_get_n_pending (MaltWorker *worker)
{
  MaltWorkerPrivate *priv;
  guint n_calls;

  g_return_val_if_fail (MALT_IS_WORKER (worker), 0);
  if (malt_worker_is_wrapped (worker))
    {
      g_autoptr (MaltWorker) front = malt_worker_dup_front (worker);

      return front != NULL ? malt_worker_get_n_pending (front) : 0;
    }
  priv = malt_worker_get_private (worker);
  g_mutex_lock (&priv->lock);
  n_calls = priv->n_calls;
  g_mutex_unlock (&priv->lock);
  return n_calls;
}

/**
 * malt_worker_is_pending:
 * @worker: a worker
 * @call_id: number of a call or request
 *
 * Says whether the worker still owes an answer, wanted or not. For backends.
 *
 * Returns: %TRUE if it does
 */
gboolean
malt_worker_is_pending (MaltWorker *worker, guint32 call_id)
{
  MaltWorkerPrivate *priv;
  gboolean is_pending;

  g_return_val_if_fail (MALT_IS_WORKER (worker), FALSE);
  if (malt_worker_is_wrapped (worker))
    {
      g_autoptr (MaltWorker) front = malt_worker_dup_front (worker);

      return front != NULL && malt_worker_is_pending (front, call_id);
    }
  priv = malt_worker_get_private (worker);
  g_mutex_lock (&priv->lock);
  is_pending = g_hash_table_contains (priv->outstanding, GUINT_TO_POINTER (call_id));
  g_mutex_unlock (&priv->lock);
  return is_pending;
}

/* Options */

/**
 * malt_worker_get_option:
 * @worker: a worker
 * @name: an option of its backend
 *
 * Gives the value of an option: the one set for this backend, else the common one, else the
 * default. For backends.
 *
 * Returns: (nullable): the value in text form, which is one that the option accepts; %NULL:
 *   not set, and without a default
 */
const char *
malt_worker_get_option (MaltWorker *worker, const char *name)
{
  const MaltOption *option;
  MaltWorkerClass *klass;

  g_return_val_if_fail (MALT_IS_WORKER (worker), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  klass = MALT_WORKER_GET_CLASS (worker);
  option = malt_option_find (klass->options, name);
  g_return_val_if_fail (option != NULL, NULL);
  return malt_option_get_value (option, klass->name,
                                malt_worker_get_private (worker)->config);
}

/**
 * malt_worker_get_option_int:
 * @worker: a worker
 * @name: an option of its backend, of the type %MALT_OPTION_INT
 *
 * Gives the value of an option that is a whole number. For backends.
 *
 * Returns: the value; 0 if it is not set and has no default
 */
gint64
malt_worker_get_option_int (MaltWorker *worker, const char *name)
{
  const char *value = malt_worker_get_option (worker, name);

  return value != NULL ? malt_option_parse_int (value) : 0;
}

/**
 * malt_worker_get_option_bool:
 * @worker: a worker
 * @name: an option of its backend, of the type %MALT_OPTION_BOOL
 *
 * Gives the value of an option that is true or false. For backends.
 *
 * Returns: the value; %FALSE if it is not set and has no default
 */
gboolean
malt_worker_get_option_bool (MaltWorker *worker, const char *name)
{
  const char *value = malt_worker_get_option (worker, name);

  return value != NULL && malt_option_parse_bool (value);
}

/**
 * malt_worker_dup_option_strings:
 * @worker: a worker
 * @name: an option of its backend, of the type %MALT_OPTION_STRINGS
 *
 * Gives the value of an option that is a list of texts. For backends.
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): the texts; %NULL: not set,
 *   and without a default
 */
char **
malt_worker_dup_option_strings (MaltWorker *worker, const char *name)
{
  const char *value = malt_worker_get_option (worker, name);

  return value != NULL ? malt_strings_split (value) : NULL;
}
