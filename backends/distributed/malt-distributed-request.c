/* SPDX-License-Identifier: MIT */
/* From the options of a worker to calls of the functions of bridge.jl. */
#include "malt-distributed-request.h"

#include "link/malt-julia-source.h"
#include "platform/malt-platform.h"
#include "process/malt-julia-command.h"
#include "process/malt-julia-program.h"
#include "process/malt-output.h"

#include <malt/malt-worker-class.h>

/* A Dict{String,Any} in the making. */
typedef struct
{
  GPtrArray *keys; /* (owned): of MaltValue */
  GPtrArray *values; /* (owned): of MaltValue */
} Dict;

static void
dict_take (Dict *dict, const char *key, MaltValue *value)
{
  g_ptr_array_add (dict->keys, malt_value_new_string (key));
  g_ptr_array_add (dict->values, value);
}

static void
dict_add_strings (Dict *dict, const char *key, const char *const *strings)
{
  g_autoptr (GPtrArray) items =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);

  for (; strings != NULL && *strings != NULL; strings++)
    g_ptr_array_add (items, malt_value_new_string (*strings));
  dict_take (dict, key,
             malt_value_new_tuple ((MaltValue *const *) items->pdata, items->len));
}

static void
dict_add_option (Dict *dict, MaltWorker *worker, const char *name)
{
  const char *value = malt_worker_get_option (worker, name);

  if (value != NULL && *value != '\0')
    dict_take (dict, name, malt_value_new_string (value));
}

static MaltValue *
dict_end (Dict *dict)
{
  MaltValue *value =
      malt_value_new_dict ("Dict{String, Any}", (MaltValue *const *) dict->keys->pdata,
                           (MaltValue *const *) dict->values->pdata, dict->keys->len);

  g_ptr_array_unref (dict->keys);
  g_ptr_array_unref (dict->values);
  return value;
}

static gboolean
is_set (MaltWorker *worker, const char *name)
{
  const char *value = malt_worker_get_option (worker, name);

  return value != NULL && *value != '\0';
}

gboolean
malt_distributed_is_local (MaltWorker *worker)
{
  return !is_set (worker, "machine") && !is_set (worker, "manager");
}

const char *
malt_distributed_get_lent_streams (MaltWorker *worker)
{
  static const char *const streams[] = { "", "0", "12", "012" };

  return streams[(malt_julia_inherits (worker, "stdin") ? 1 : 0) +
                 (malt_julia_inherits (worker, "output") ? 2 : 0)];
}

/* Options that mean nothing without another, or against another. */
static gboolean
check_options (MaltWorker *worker, GError **error)
{
  static const char *const of_machine[] = { "sshflags", "tunnel" };
  static const char *const of_host[] = { "stdin", "descriptors", "output" };

  if (is_set (worker, "machine") && is_set (worker, "manager"))
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_CONFIG,
                           "options 'machine' and 'manager' exclude each other");
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (of_machine); i++)
    {
      const char *value = malt_worker_get_option (worker, of_machine[i]);

      if (value == NULL || *value == '\0' || g_str_equal (value, "false") ||
          is_set (worker, "machine"))
        continue;
      g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                   "option '%s' needs option 'machine'", of_machine[i]);
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (of_host); i++)
    if (malt_julia_inherits (worker, of_host[i]) &&
        (MALT_PLATFORM_PICK (FALSE, TRUE) || !malt_distributed_is_local (worker)))
      {
        g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                     "option '%s' in [distributed]: 'inherit' is for workers on this "
                     "machine, and not on Windows",
                     of_host[i]);
        return FALSE;
      }
  return malt_output_prepare (worker, error);
}

static void
add_flags (Dict *dict, MaltWorker *worker, const char *const *environment)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) flags = NULL;

  malt_julia_add_flags (builder, worker, environment);
  flags = g_strv_builder_end (builder);
  dict_add_strings (dict, "exeflags", (const char *const *) flags);
}

/* Where a worker runs here: as what is launched by malt-process. */
static gboolean
add_local (Dict *dict, MaltWorker *worker, GError **error)
{
  g_autofree char *julia = malt_julia_get_program (
      malt_worker_get_option (worker, "julia"), malt_worker_get_option (worker, "cwd"),
      malt_worker_get_option_int (worker, "start-timeout-ms"), NULL, error);
  g_auto (GStrv) environment = NULL;
  g_autofree char *cwd = NULL;

  if (julia == NULL)
    return FALSE;
  environment = malt_julia_dup_environment (worker, julia, error);
  if (environment == NULL)
    return FALSE;
  dict_add_strings (dict, "environment", (const char *const *) environment);
  add_flags (dict, worker, (const char *const *) environment);
  if (!is_set (worker, "exename"))
    dict_take (dict, "exename", malt_value_new_string (julia));
  if (!is_set (worker, "dir"))
    {
      cwd = is_set (worker, "cwd") ? g_strdup (malt_worker_get_option (worker, "cwd"))
                                   : malt_platform_dup_directory (error);
      if (cwd == NULL)
        {
          g_prefix_error (error, "option 'cwd' is not set, and ");
          return FALSE;
        }
      dict_take (dict, "dir", malt_value_new_string (cwd));
    }
  return TRUE;
}

/* The shell script is what launches the worker on another machine and watches over it
 * there, or what only does the latter. */
static void
add_remote (Dict *dict, MaltWorker *worker)
{
  g_auto (GStrv) env = malt_worker_dup_option_strings (worker, "env");
  g_auto (GStrv) sshflags = malt_worker_dup_option_strings (worker, "sshflags");
  g_autoptr (GBytes) script = malt_julia_dup_source (
      is_set (worker, "machine") ? "distributed/machine.sh" : "distributed/watch.sh");
  g_autofree char *text =
      g_strndup (g_bytes_get_data (script, NULL), g_bytes_get_size (script));

  add_flags (dict, worker, NULL);
  dict_add_option (dict, worker, "machine");
  dict_add_option (dict, worker, "manager");
  dict_add_strings (dict, "env", (const char *const *) env);
  dict_add_strings (dict, "sshflags", (const char *const *) sshflags);
  dict_take (dict, "tunnel",
             malt_value_new_bool (malt_worker_get_option_bool (worker, "tunnel")));
  dict_take (dict, "script", malt_value_new_string (text));
}

static char *
dup_hex (GBytes *bytes)
{
  gsize n_bytes;
  const guint8 *data = g_bytes_get_data (bytes, &n_bytes);
  GString *hex = g_string_sized_new (2 * n_bytes);

  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (hex, "%02x", data[i]);
  return g_string_free (hex, FALSE);
}

static void
add_common (Dict *dict, MaltWorker *worker, guint port, GBytes *secrets,
            const char *judge)
{
  static const char *const direct[] = { "julia/boot.jl",         "julia/hostio.jl",
                                        "distributed/outbox.jl", "julia/judge.jl",
                                        "distributed/direct.jl", NULL };
  static const char *const chunked[] = { "julia/boot.jl", "julia/hostio.jl",
                                         "distributed/outbox.jl", "distributed/chunks.jl",
                                         NULL };
  g_autofree char *hex = dup_hex (secrets);
  g_autofree char *constants = g_strdup_printf (
      "const KEEP = %s\nconst DISCARDS = %s\nconst JUDGE_PATH = \"%s\"\nconst STACK = "
      "%" G_GSIZE_FORMAT "\nconst LENDS_ROOT = false\nconst OWNS_PROCESS = true\n",
      malt_julia_keeps_compile_mode (worker) ? "true" : "false",
      g_strcmp0 (malt_worker_get_option (worker, "output"), "discard") == 0 ? "true"
                                                                            : "false",
      judge, malt_distributed_is_local (worker) ? malt_platform_get_stack_bytes () : 0);
  g_autofree char *boot = malt_julia_dup_boot (
      constants, malt_distributed_is_local (worker) ? direct : chunked);

  dict_add_option (dict, worker, "exename");
  dict_add_option (dict, worker, "dir");
  dict_take (
      dict, "enable-threaded-blas",
      malt_value_new_bool (malt_worker_get_option_bool (worker, "enable-threaded-blas")));
  dict_take (dict, "port", malt_value_new_int64 (port));
  dict_take (dict, "secrets", malt_value_new_string (hex));
  dict_take (dict, "boot", malt_value_new_string (boot));
}

/* Where the worker's output goes: pipes of the host, streams that the bridge has from the
 * host, or nowhere by a way of its own. */
static void
add_streams (Dict *dict, MaltWorker *worker, const MaltDistributedPipes *pipes)
{
  g_auto (GStrv) paths = g_new0 (char *, 3);

  for (int i = 0; i < 2; i++)
    if (pipes->pipes[i] != NULL)
      paths[i] = malt_pipe_dup_name (pipes->pipes[i]);
  dict_add_strings (dict, "pipes", (const char *const *) paths);
  dict_take (dict, "lent",
             malt_value_new_string (malt_distributed_get_lent_streams (worker)));
}

static MaltCall *
call_new (const char *function, gint64 number)
{
  MaltCall *call = malt_call_new (function);

  malt_call_take_argument (call, malt_value_new_int64 (number));
  return call;
}

MaltCall *
malt_distributed_call_new_add (gint64 number, MaltWorker *worker, guint port,
                               GBytes *secrets, const char *judge,
                               const MaltDistributedPipes *pipes, GError **error)
{
  Dict dict = {
    .keys = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref),
    .values = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref),
  };
  g_autoptr (MaltValue) options = NULL;
  gboolean is_well = check_options (worker, error);

  if (is_well)
    {
      add_common (&dict, worker, port, secrets, judge);
      add_streams (&dict, worker, pipes);
    }
  if (is_well && malt_distributed_is_local (worker))
    is_well = add_local (&dict, worker, error);
  else if (is_well)
    add_remote (&dict, worker);
  options = dict_end (&dict);
  if (!is_well)
    return NULL;
  return malt_call_take_argument (call_new ("Distributed.MaltBridge.add", number),
                                  g_steal_pointer (&options));
}

MaltCall *
malt_distributed_call_new_signal (gint64 number, int signum)
{
  return malt_call_take_argument (call_new ("Distributed.MaltBridge.send_signal", number),
                                  malt_value_new_int64 (signum));
}

MaltCall *
malt_distributed_call_new_printed (void)
{
  return malt_call_new ("Distributed.MaltBridge.next_printed");
}

MaltCall *
malt_distributed_call_new_bury (gint64 number, double patience_s)
{
  return malt_call_take_argument (call_new ("Distributed.MaltBridge.bury", number),
                                  malt_value_new_double (patience_s));
}
