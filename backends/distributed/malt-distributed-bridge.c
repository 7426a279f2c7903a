/* SPDX-License-Identifier: MIT */
/*
 * The bridge is a worker of the backend malt-process: how a Julia process is launched,
 * watched, protected and ended is not written twice. What it is asked are calls of the
 * functions of bridge.jl, through the public interface.
 *
 * Bridges stand in a table, by the options on which a bridge depends. Calls that come
 * while one is being launched wait in `waiting`. Its launch has no deadline of its own,
 * since each worker's has one: it is given up when nobody waits for it any more. A bridge
 * that cannot be launched, or has ended, stays what it is for those who hold it, but
 * leaves the table: the next worker gets a new one.
 */
#include "malt-distributed-bridge.h"

#include "malt-distributed-request.h"

#include "link/malt-julia-source.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-process-launcher.h"
#include "process/malt-output.h"

#include <malt/malt-worker-class.h>
#include <string.h>

typedef struct
{
  MaltDistributedBridge *bridge; /* (owned) */
  MaltCall *call; /* (owned) */
  MaltDistributedAnswer answer; /* (nullable) */
  gpointer user_data;
} Request;

/* A worker whose output may come from the bridge. */
typedef struct
{
  MaltDistributedPrinted printed;
  gpointer owner; /* (owned) */
  GDestroyNotify unref;
} Printer;

struct _MaltDistributedBridge
{
  gatomicrefcount ref_count;
  char *key; /* (owned) */
  MaltConfig *config; /* (owned): of the process */
  GCancellable *left; /* (owned): cancelled when its last user has left */
  char *topology; /* (owned) */
  char *setup; /* (owned): code to run first */
  const char *lent; /* (unowned): the host's streams that its workers are to have */
  gint n_users; /* guarded by bridges_lock */

  GMutex lock; /* guards the rest */
  GHashTable *printers; /* (owned): gint64 -> Printer */
  GQueue waiting; /* of Request; only the I/O thread takes out */
  MaltWorker *worker; /* (owned) (nullable): once launched */
  gboolean is_ready;
  GError *error; /* (owned) (nullable): why there is none */
};

/* What is passed on to the bridge's environment, besides what the worker's option says:
 * what ssh needs. */
#define BRIDGE_VARIABLES "SSH_AUTH_SOCK;SSH_ASKPASS;DISPLAY"

enum
{
  N_STREAMS = 3
};

/* More than three weeks: the most that the option takes. */
#define NO_TIMEOUT_MS "2147483647"

static const char *const key_options[] = { "julia",    "project",       "env-policy",
                                           "topology", "manager-setup", "descriptors" };

static GMutex bridges_lock; /* guards bridges */
static GHashTable *bridges; /* (owned) (nullable): key (unowned) -> bridge (unowned) */

static MaltDistributedBridge *
bridge_ref (MaltDistributedBridge *bridge)
{
  g_atomic_ref_count_inc (&bridge->ref_count);
  return bridge;
}

void
malt_distributed_bridge_unref (MaltDistributedBridge *bridge)
{
  if (!g_atomic_ref_count_dec (&bridge->ref_count))
    return;
  g_clear_object (&bridge->worker);
  g_clear_object (&bridge->config);
  g_clear_object (&bridge->left);
  g_clear_error (&bridge->error);
  g_hash_table_unref (bridge->printers);
  g_free (bridge->key);
  g_free (bridge->topology);
  g_free (bridge->setup);
  g_mutex_clear (&bridge->lock);
  g_free (bridge);
}

/* Calls */

static void
request_free (Request *request)
{
  malt_call_unref (request->call);
  malt_distributed_bridge_unref (request->bridge);
  g_free (request);
}

static void
request_fail (Request *request, const GError *error)
{
  if (request->answer != NULL)
    request->answer (NULL, error, request->user_data);
  request_free (request);
}

static void
leave_table (MaltDistributedBridge *bridge)
{
  g_mutex_lock (&bridges_lock);
  if (bridges != NULL && g_hash_table_lookup (bridges, bridge->key) == bridge)
    g_hash_table_remove (bridges, bridge->key);
  g_mutex_unlock (&bridges_lock);
}

/* Whoever hears of the end of a bridge finds it out of the table: the next worker gets another. */
static void
name_end (Request *request, GError **error)
{
  MaltTermination *termination = malt_error_get_termination (*error);
  g_autofree char *reason = termination != NULL ? malt_termination_to_string (termination)
                                                : g_strdup ("is not running");

  leave_table (request->bridge);
  g_clear_error (error);
  g_set_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED,
               "the bridge to Distributed %s", reason);
}

static void
on_answered (GObject *future, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value =
      malt_future_fetch_finish (MALT_FUTURE (future), result, &error);

  if (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED))
    name_end (request, &error);
  if (request->answer != NULL)
    request->answer (value, error, request->user_data);
  request_free (request);
}

/* In the I/O thread. */
static void
request_send (Request *request, MaltWorker *worker)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_call (worker, request->call);

  malt_future_fetch_async (future, NULL, on_answered, request);
}

/* In the I/O thread: sends, or fails, what has waited until now. */
static gboolean
serve_waiting (gpointer data)
{
  MaltDistributedBridge *bridge = data;

  g_mutex_lock (&bridge->lock);
  while ((bridge->is_ready || bridge->error != NULL) &&
         !g_queue_is_empty (&bridge->waiting))
    {
      Request *request = g_queue_pop_head (&bridge->waiting);

      g_mutex_unlock (&bridge->lock);
      if (bridge->is_ready)
        request_send (request, bridge->worker);
      else
        request_fail (request, bridge->error);
      g_mutex_lock (&bridge->lock);
    }
  g_mutex_unlock (&bridge->lock);
  return G_SOURCE_REMOVE;
}

static void
run_in_io_thread (MaltDistributedBridge *bridge, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, bridge_ref (bridge),
                         (GDestroyNotify) malt_distributed_bridge_unref);
  g_source_attach (source, malt_io_thread_get_context ());
}

void
malt_distributed_bridge_call (MaltDistributedBridge *bridge, MaltCall *call,
                              MaltDistributedAnswer answer, gpointer user_data)
{
  Request *request = g_new (Request, 1);

  *request = (Request){
    .bridge = bridge_ref (bridge), .call = call, .answer = answer, .user_data = user_data
  };
  g_mutex_lock (&bridge->lock);
  g_queue_push_tail (&bridge->waiting, request);
  g_mutex_unlock (&bridge->lock);
  run_in_io_thread (bridge, serve_waiting);
}

gboolean
malt_distributed_bridge_withdraw (MaltDistributedBridge *bridge, gpointer user_data)
{
  Request *found = NULL;

  g_mutex_lock (&bridge->lock);
  for (GList *node = bridge->waiting.head; node != NULL; node = node->next)
    if (((Request *) node->data)->user_data == user_data)
      {
        found = node->data;
        g_queue_delete_link (&bridge->waiting, node);
        break;
      }
  g_mutex_unlock (&bridge->lock);
  if (found != NULL)
    {
      g_autoptr (GError) error = g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                                      "the request was withdrawn");
      request_fail (found, error);
    }
  return found != NULL;
}

/* Output */

static void
printer_free (Printer *printer)
{
  printer->unref (printer->owner);
  g_free (printer);
}

void
malt_distributed_bridge_add_worker (MaltDistributedBridge *bridge, gint64 number,
                                    MaltDistributedPrinted printed, gpointer owner,
                                    GDestroyNotify unref)
{
  Printer *printer = g_new (Printer, 1);

  *printer = (Printer){ .printed = printed, .owner = owner, .unref = unref };
  g_mutex_lock (&bridge->lock);
  g_hash_table_insert (bridge->printers, g_memdup2 (&number, sizeof number), printer);
  g_mutex_unlock (&bridge->lock);
}

void
malt_distributed_bridge_remove_worker (MaltDistributedBridge *bridge, gint64 number)
{
  gpointer key = NULL;
  gpointer printer = NULL;

  g_mutex_lock (&bridge->lock);
  g_hash_table_steal_extended (bridge->printers, &number, &key, &printer);
  g_mutex_unlock (&bridge->lock);
  g_free (key);
  g_clear_pointer ((Printer **) &printer, printer_free);
}

/* In the I/O thread, the only one to remove. @piece: (number, stream, bytes). */
static void
hand_on (MaltDistributedBridge *bridge, MaltValue *piece)
{
  g_autoptr (MaltValue) number_value = malt_value_dup_child (piece, 0);
  g_autoptr (MaltValue) stream_value = malt_value_dup_child (piece, 1);
  g_autoptr (MaltValue) bytes = malt_value_dup_child (piece, 2);
  gint64 number = malt_value_get_int64 (number_value);
  gint64 stream = malt_value_get_int64 (stream_value);
  Printer *printer;
  gsize n_bytes;
  const char *text = malt_value_get_array_data (bytes, &n_bytes);

  g_mutex_lock (&bridge->lock);
  printer = g_hash_table_lookup (bridge->printers, &number);
  g_mutex_unlock (&bridge->lock);
  if (printer != NULL)
    printer->printed (printer->owner,
                      stream == 2 ? MALT_STREAM_STDERR : MALT_STREAM_STDOUT, text,
                      n_bytes);
}

static void ask_for_output (MaltDistributedBridge *bridge);

static void
on_printed (MaltValue *value, const GError *error, gpointer user_data)
{
  MaltDistributedBridge *bridge = user_data;

  if (error == NULL)
    {
      for (gsize i = 0; i < malt_value_get_n_children (value); i++)
        {
          g_autoptr (MaltValue) piece = malt_value_dup_child (value, i);

          hand_on (bridge, piece);
        }
      ask_for_output (bridge);
    }
  malt_distributed_bridge_unref (bridge);
}

static void
ask_for_output (MaltDistributedBridge *bridge)
{
  malt_distributed_bridge_call (bridge, malt_distributed_call_new_printed (), on_printed,
                                bridge_ref (bridge));
}

/* Its life */

static void
bridge_fail (MaltDistributedBridge *bridge, const GError *error)
{
  leave_table (bridge);
  g_mutex_lock (&bridge->lock);
  bridge->error = g_error_new (MALT_ERROR, error->code, "the bridge to Distributed: %s",
                               error->message);
  g_mutex_unlock (&bridge->lock);
  serve_waiting (bridge);
}

static void
on_exited (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltTermination *termination,
           gpointer user_data)
{
  leave_table (user_data);
}

static void
closure_unref (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  malt_distributed_bridge_unref (data);
}

static void
bridge_stop (MaltDistributedBridge *bridge)
{
  g_autoptr (MaltWorker) worker = NULL;

  g_mutex_lock (&bridge->lock);
  if (bridge->worker != NULL)
    worker = g_object_ref (bridge->worker);
  g_mutex_unlock (&bridge->lock);
  if (worker == NULL)
    return;
  g_signal_handlers_disconnect_by_func (worker, on_exited, bridge);
  malt_worker_stop_async (worker, 1000, 1000, NULL, NULL, NULL);
}

static void
on_begun (GObject *future, GAsyncResult *result, gpointer user_data)
{
  MaltDistributedBridge *bridge = user_data;
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (MaltValue) value =
      malt_future_fetch_finish (MALT_FUTURE (future), result, &error);

  if (error != NULL)
    bridge_fail (bridge, error);
  else
    {
      g_mutex_lock (&bridge->lock);
      bridge->is_ready = TRUE;
      g_mutex_unlock (&bridge->lock);
      ask_for_output (bridge);
      serve_waiting (bridge);
    }
  malt_distributed_bridge_unref (bridge);
}

static void
take_source_argument (MaltCall *call, GBytes *source)
{
  g_autofree char *text =
      g_strndup (g_bytes_get_data (source, NULL), g_bytes_get_size (source));

  malt_call_take_argument (call, malt_value_new_string (text));
  g_bytes_unref (source);
}

/* Makes a bridge of the process. */
static void
begin (MaltDistributedBridge *bridge)
{
  static const char *const bridge_files[] = { "distributed/bridge.jl",
                                              "distributed/passing.jl",
                                              "distributed/managers.jl", NULL };
  static const char *const direct[] = { "julia/frames.jl", "julia/stream.jl",
                                        "distributed/output.jl", NULL };
  static const char *const chunked[] = { "julia/frames.jl", "distributed/messages.jl",
                                         "distributed/output.jl", NULL };
  g_autoptr (GBytes) function = malt_julia_dup_source ("distributed/begin.jl");
  g_autofree char *text =
      g_strndup (g_bytes_get_data (function, NULL), g_bytes_get_size (function));
  g_autoptr (MaltCall) call = malt_call_new (text);
  g_autoptr (MaltFuture) future = NULL;
  char lent[N_STREAMS + 1] = "";

  for (const char *stream = bridge->lent; *stream != '\0'; stream++)
    if (malt_child_can_inherit (*stream - '0'))
      lent[strlen (lent)] = *stream;
  take_source_argument (call, malt_julia_dup_source ("distributed/relay.jl"));
  take_source_argument (call, malt_julia_dup_joined (bridge_files));
  take_source_argument (call, malt_julia_dup_runtime (direct));
  take_source_argument (call, malt_julia_dup_runtime (chunked));
  malt_call_take_argument (call, malt_value_new_string (bridge->topology));
  malt_call_take_argument (call, malt_value_new_string (bridge->setup));
  malt_call_take_argument (call, malt_value_new_string (lent));
  future = malt_worker_remote_call (bridge->worker, call);
  malt_future_fetch_async (future, NULL, on_begun, bridge_ref (bridge));
}

static void
on_launched (G_GNUC_UNUSED GObject *object, GAsyncResult *result, gpointer user_data)
{
  MaltDistributedBridge *bridge = user_data;
  g_autoptr (GError) error = NULL;
  MaltWorker *worker = malt_worker_launch_finish (result, &error);

  if (worker == NULL)
    bridge_fail (bridge, error);
  else
    {
      g_mutex_lock (&bridge->lock);
      bridge->worker = worker;
      g_mutex_unlock (&bridge->lock);
      g_signal_connect_data (worker, "exited", G_CALLBACK (on_exited),
                             bridge_ref (bridge), closure_unref, 0);
      begin (bridge);
      if (g_cancellable_is_cancelled (bridge->left))
        bridge_stop (bridge);
    }
  malt_distributed_bridge_unref (bridge);
}

/* In the I/O thread, so that callbacks come there. */
static gboolean
launch (gpointer data)
{
  MaltDistributedBridge *bridge = data;

  malt_worker_launch_async (bridge->config, bridge->left, on_launched,
                            bridge_ref (bridge));
  return G_SOURCE_REMOVE;
}

/* Which */

static char *
dup_key (MaltWorker *worker)
{
  GString *key = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (key_options); i++)
    {
      const char *value = malt_worker_get_option (worker, key_options[i]);

      g_string_append_printf (key, "%s=%s\n", key_options[i], value != NULL ? value : "");
    }
  g_string_append (key, malt_distributed_get_lent_streams (worker));
  return g_string_free (key, FALSE);
}

static MaltConfig *
config_new (MaltWorker *worker)
{
  MaltConfig *config = malt_config_new ();
  const char *policy = malt_worker_get_option (worker, "env-policy");
  g_autofree char *bridge_policy =
      g_strconcat (policy != NULL ? policy : "", ";", BRIDGE_VARIABLES, NULL);

  malt_config_set_backend (config, "malt-process");
  malt_config_set (config, "julia", malt_worker_get_option (worker, "julia"));
  malt_config_set (config, "project", malt_worker_get_option (worker, "project"));
  malt_config_set (config, "env-policy", bridge_policy);
  /* Nearly all that a bridge does it does once. */
  malt_config_set (config, "exeflags", "--compile=min");
  malt_config_set (config, "descriptors", malt_worker_get_option (worker, "descriptors"));
  malt_config_set (config, "stdin", malt_worker_get_option (worker, "stdin"));
  malt_config_set (config, "output",
                   malt_output_is_hosts (worker) ? "inherit" : "signal");
  malt_config_set (config, "start-timeout-ms", NO_TIMEOUT_MS);
  return config;
}

static MaltDistributedBridge *
bridge_new (MaltWorker *worker, char *key)
{
  MaltDistributedBridge *bridge = g_new0 (MaltDistributedBridge, 1);
  const char *setup = malt_worker_get_option (worker, "manager-setup");

  g_atomic_ref_count_init (&bridge->ref_count);
  g_mutex_init (&bridge->lock);
  g_queue_init (&bridge->waiting);
  bridge->printers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                            (GDestroyNotify) printer_free);
  bridge->key = key;
  bridge->config = config_new (worker);
  bridge->left = g_cancellable_new ();
  bridge->lent = malt_distributed_get_lent_streams (worker);
  bridge->topology = g_strdup (malt_worker_get_option (worker, "topology"));
  bridge->setup = g_strdup (setup != NULL ? setup : "");
  return bridge;
}

MaltDistributedBridge *
malt_distributed_bridge_enter (MaltWorker *worker)
{
  g_autofree char *key = dup_key (worker);
  MaltDistributedBridge *bridge;
  gboolean is_new;

  g_mutex_lock (&bridges_lock);
  if (bridges == NULL)
    bridges = g_hash_table_new (g_str_hash, g_str_equal);
  bridge = g_hash_table_lookup (bridges, key);
  is_new = bridge == NULL;
  if (is_new)
    {
      bridge = bridge_new (worker, g_steal_pointer (&key));
      g_hash_table_insert (bridges, bridge->key, bridge);
    }
  else
    bridge_ref (bridge);
  bridge->n_users++;
  g_mutex_unlock (&bridges_lock);
  if (is_new)
    run_in_io_thread (bridge, launch);
  return bridge;
}

void
malt_distributed_bridge_leave (MaltDistributedBridge *bridge)
{
  gboolean is_last;

  g_mutex_lock (&bridges_lock);
  is_last = --bridge->n_users == 0;
  if (is_last && g_hash_table_lookup (bridges, bridge->key) == bridge)
    g_hash_table_remove (bridges, bridge->key);
  g_mutex_unlock (&bridges_lock);
  if (is_last)
    {
      g_cancellable_cancel (bridge->left);
      bridge_stop (bridge);
    }
}

gint64
malt_distributed_bridge_get_pid (MaltDistributedBridge *bridge)
{
  gint64 pid = 0;

  g_mutex_lock (&bridge->lock);
  if (bridge->worker != NULL)
    pid = malt_worker_get_pid (bridge->worker);
  g_mutex_unlock (&bridge->lock);
  return pid;
}
