/* SPDX-License-Identifier: MIT */
/* Starting a worker: from a config to a backend to an object that runs. */
#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-config-private.h"
#include "selection/malt-option.h"
#include "worker/malt-worker-state.h"

#include <malt/malt-backend.h>

/* An object whose init has yet to run, in the state LAUNCHING. */
static MaltWorker *
make_worker (MaltConfig *config, GError **error)
{
  g_autoptr (MaltConfig) effective = NULL;
  g_autoptr (MaltBackend) backend = NULL;
  MaltWorker *worker;

  if (malt_platform_is_forked (error) || !malt_io_thread_start (error))
    return NULL;
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  backend = malt_backend_choose (effective, NULL, error);
  if (backend == NULL || !malt_config_check (effective, backend, error))
    return NULL;
  worker =
      g_object_new (malt_backend_get_worker_type (backend), "config", effective, NULL);
  malt_worker_advance (worker, MALT_WORKER_LAUNCHING);
  return worker;
}

/* Errors that come from below a backend get codes of ours. Takes over the error, which a
 * faulty backend may have left out. */
static GError *
as_launch_error (GError *error)
{
  GError *translated;

  if (error == NULL)
    return g_error_new_literal (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
                                "the backend gave no reason");
  if (error->domain == MALT_ERROR)
    return error;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    translated = g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                      "the launch was cancelled");
  else
    translated =
        g_error_new_literal (MALT_ERROR, MALT_ERROR_LAUNCH_FAILED, error->message);
  g_error_free (error);
  return translated;
}

/**
 * malt_worker_launch:
 * @config: (nullable): which backend, with which options; %NULL: an empty config. It is
 *   copied
 * @cancellable: (nullable): gives up the launch
 * @error: return location for an error
 *
 * Starts a worker and waits until it can run calls. May be called in any thread; no main
 * loop need run, and none of the caller's is run.
 *
 * Errors: %MALT_ERROR_UNKNOWN_BACKEND, %MALT_ERROR_BACKEND_UNAVAILABLE, %MALT_ERROR_CONFIG,
 * %MALT_ERROR_LAUNCH_FAILED, %MALT_ERROR_TIMED_OUT, %MALT_ERROR_CANCELLED,
 * %MALT_ERROR_RESOURCES, %MALT_ERROR_FORKED.
 *
 * Returns: (transfer full): a worker that runs, or %NULL with an error
 */
MaltWorker *
malt_worker_launch (MaltConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (MaltWorker) worker = NULL;
  GError *failure = NULL;

  g_return_val_if_fail (config == NULL || MALT_IS_CONFIG (config), NULL);
  worker = make_worker (config, error);
  if (worker == NULL)
    return NULL;
  if (!g_initable_init (G_INITABLE (worker), cancellable, &failure))
    {
      g_propagate_error (error, as_launch_error (failure));
      return NULL;
    }
  malt_worker_advance (worker, MALT_WORKER_RUNNING);
  return g_steal_pointer (&worker);
}

static void
on_initialised (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = user_data;
  MaltWorker *worker = MALT_WORKER (object);
  GError *failure = NULL;

  if (!g_async_initable_init_finish (G_ASYNC_INITABLE (object), result, &failure))
    {
      malt_waiter_return_error (waiter, as_launch_error (failure));
      return;
    }
  malt_worker_advance (worker, MALT_WORKER_RUNNING);
  malt_waiter_return_pointer (waiter, g_object_ref (worker), g_object_unref);
}

/**
 * malt_worker_launch_async:
 * @config: (nullable): which backend, with which options; %NULL: an empty config. It is
 *   copied
 * @cancellable: (nullable): gives up the launch
 * @callback: (nullable): called in the thread-default main context of the caller
 * @user_data: passed to @callback
 *
 * Does what malt_worker_launch() does without blocking.
 */
void
malt_worker_launch_async (MaltConfig *config, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (MaltWaiter) waiter = NULL;
  g_autoptr (MaltWorker) worker = NULL;
  GError *error = NULL;

  g_return_if_fail (config == NULL || MALT_IS_CONFIG (config));
  waiter =
      malt_waiter_new (NULL, cancellable, callback, user_data, malt_worker_launch_async);
  worker = make_worker (config, &error);
  if (worker == NULL)
    malt_waiter_return_error (waiter, error);
  else
    g_async_initable_init_async (G_ASYNC_INITABLE (worker), G_PRIORITY_DEFAULT,
                                 cancellable, on_initialised, g_steal_pointer (&waiter));
}

/**
 * malt_worker_launch_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends malt_worker_launch_async(). The errors are those of malt_worker_launch().
 *
 * Returns: (transfer full): a worker that runs, or %NULL with an error
 */
MaltWorker *
malt_worker_launch_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, malt_worker_launch_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
