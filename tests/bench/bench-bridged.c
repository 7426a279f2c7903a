/* SPDX-License-Identifier: MIT */
/* A worker of the distributed backend, and the bridge that it stands behind. */
#include "bench.h"

enum
{
  END_STEP_US = 20000,
  END_STEPS = 500,
};

/* Something that changes nothing, but makes a bridge of its own necessary. */
#define OWN_BRIDGE "nothing"

static MaltConfig *
config_new (const char *julia)
{
  MaltConfig *config = malt_config_new ();

  malt_config_set_backend (config, BENCH_BRIDGED_BACKEND);
  malt_config_set (config, "julia", julia);
  return config;
}

/* The bridge has launched it. */
static gint64
get_bridge_pid (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltValue) value = malt_worker_remote_eval_fetch (
      worker, NULL, "Int64(ccall(:getppid, Cint, ()))", NULL, error);
  gint64 pid = -1;

  return value && malt_value_as_int64 (value, &pid, error) ? pid : -1;
}

BenchBridged *
bench_bridged_start (const char *julia, GError **error)
{
  g_autoptr (BenchBridged) bridged = g_new0 (BenchBridged, 1);

  bridged->config = config_new (julia);
  bridged->worker = bench_worker_start (bridged->config, error);
  if (!bridged->worker)
    return NULL;
  bridged->bridge_pid = get_bridge_pid (bridged->worker, error);
  return bridged->bridge_pid > 0 ? g_steal_pointer (&bridged) : NULL;
}

void
bench_bridged_stop (BenchBridged *bridged)
{
  g_clear_pointer (&bridged->worker, bench_worker_stop);
  g_clear_object (&bridged->config);
  g_free (bridged);
}

void
bench_bridged_pin (BenchBridged *bridged, int processor)
{
  bench_pin (bridged->bridge_pid, processor);
  bench_pin (malt_worker_get_pid (bridged->worker), processor);
}

/* Whatever is measured next shall have the processor for itself. */
static gboolean
wait_for_end (gint64 pid, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT, pid);

  for (guint i = 0; i < END_STEPS; i++)
    {
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        return TRUE;
      g_usleep (END_STEP_US);
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                       "the bridge outlives its last worker");
  return FALSE;
}

double
bench_bridged_launch_first (const char *julia, GError **error)
{
  g_autoptr (MaltConfig) config = config_new (julia);
  g_autoptr (MaltWorker) worker = NULL;
  double elapsed;
  gint64 pid;

  malt_config_set_for (config, BENCH_BRIDGED_BACKEND, "manager-setup", OWN_BRIDGE);
  elapsed = bench_worker_launch_kept (config, &worker, error);
  if (elapsed < 0)
    return -1;
  pid = get_bridge_pid (worker, error);
  malt_worker_stop (worker, NULL, NULL);
  return pid > 0 && wait_for_end (pid, error) ? elapsed : -1;
}

double
bench_bridged_launch_next (BenchBridged *bridged, GError **error)
{
  return bench_worker_launch (bridged->config, error);
}
