/* SPDX-License-Identifier: MIT */
/* MaltBackend: a kind of worker, described; and the choice among them. */
#include "platform/malt-platform.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-config-private.h"
#include "selection/malt-option.h"

#include <malt/malt-backend.h>
#include <malt/malt-error.h>
#include <string.h>

/**
 * MaltBackend:
 *
 * A kind of worker: its name, what its workers can do, and whether it can work here.
 * Immutable.
 */
struct _MaltBackend
{
  gatomicrefcount ref_count;
  GType worker_type; /* 0: it is unusable */
  MaltBackendTraits traits;
  char *file_name; /* (owned) (nullable): the name in the traits of an unusable one */
  char *module; /* (owned) (nullable): path */
  GError *refusal; /* (owned) (nullable): why it is unusable */
};

G_DEFINE_BOXED_TYPE (MaltBackend, malt_backend, malt_backend_ref, malt_backend_unref)

MaltBackend *
malt_backend_new (GType worker_type, const MaltBackendTraits *traits, const char *module)
{
  MaltBackend *backend = g_new0 (MaltBackend, 1);

  g_atomic_ref_count_init (&backend->ref_count);
  backend->worker_type = worker_type;
  backend->traits = *traits;
  backend->module = g_strdup (module);
  return backend;
}

MaltBackend *
malt_backend_new_unusable (const char *name, const char *module, const GError *reason)
{
  static const MaltOption no_options[] = { { .name = NULL } };
  MaltBackend *backend = g_new0 (MaltBackend, 1);

  g_atomic_ref_count_init (&backend->ref_count);
  backend->file_name = g_strdup (name);
  backend->traits.name = backend->file_name;
  backend->traits.description = "a module that could not be loaded";
  backend->traits.options = no_options;
  backend->module = g_strdup (module);
  backend->refusal = g_error_copy (reason);
  return backend;
}

const GError *
malt_backend_get_refusal (MaltBackend *backend)
{
  return backend->refusal;
}

/**
 * malt_backend_ref:
 * @backend: a backend
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the same backend
 */
MaltBackend *
malt_backend_ref (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, NULL);
  g_atomic_ref_count_inc (&backend->ref_count);
  return backend;
}

/**
 * malt_backend_unref:
 * @backend: (transfer full): a backend
 *
 * Drops a reference.
 */
void
malt_backend_unref (MaltBackend *backend)
{
  g_return_if_fail (backend != NULL);
  if (!g_atomic_ref_count_dec (&backend->ref_count))
    return;
  g_clear_error (&backend->refusal);
  g_free (backend->file_name);
  g_free (backend->module);
  g_free (backend);
}

const MaltBackendTraits *
malt_backend_get_traits (MaltBackend *backend)
{
  return &backend->traits;
}

GType
malt_backend_get_worker_type (MaltBackend *backend)
{
  return backend->worker_type;
}

/**
 * malt_backend_get_name:
 * @backend: a backend
 *
 * Gives the name by which a config chooses the backend, such as "malt-process".
 *
 * Returns: the name
 */
const char *
malt_backend_get_name (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, NULL);
  return backend->traits.name;
}

/**
 * malt_backend_get_description:
 * @backend: a backend
 *
 * Says in a few words what the backend is.
 *
 * Returns: one line of text
 */
const char *
malt_backend_get_description (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, NULL);
  return backend->traits.description;
}

/**
 * malt_backend_get_module:
 * @backend: a backend
 *
 * Says where the backend comes from.
 *
 * Returns: (nullable): the path of its module; %NULL: the library or the program itself
 */
const char *
malt_backend_get_module (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, NULL);
  return backend->module;
}

/**
 * malt_backend_get_capabilities:
 * @backend: a backend
 *
 * Says what workers of this kind can do. A single worker may be able to do less; see
 * malt_worker_get_capabilities().
 *
 * Returns: the capabilities
 */
MaltCapabilities
malt_backend_get_capabilities (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, MALT_CAPABILITY_NONE);
  return backend->traits.capabilities;
}

int
malt_backend_get_auto_priority_on (MaltBackend *backend, MaltPlatform platform)
{
  if (!(backend->traits.capabilities & MALT_CAPABILITY_ISOLATED))
    return 0;
  return MAX (backend->traits.auto_priority[platform], 0);
}

/**
 * malt_backend_get_auto_priority:
 * @backend: a backend
 *
 * Says where the backend stands in the order in which `auto` tries backends on this
 * platform. One that does not isolate workers is never tried.
 *
 * Returns: the greatest is tried first; 0: never tried
 */
int
malt_backend_get_auto_priority (MaltBackend *backend)
{
  g_return_val_if_fail (backend != NULL, 0);
  return malt_backend_get_auto_priority_on (backend, malt_platform_get ());
}

static gboolean
probe (const MaltBackendTraits *traits, MaltConfig *config, GError **error)
{
  g_autofree char *julia = NULL;

  if (traits->probe != NULL)
    return traits->probe (config, error);
  if (traits->dup_julia == NULL)
    return TRUE;
  julia = traits->dup_julia (config, error);
  return julia != NULL;
}

/**
 * malt_backend_probe:
 * @backend: a backend
 * @config: (nullable): options that matter, such as the julia to run; %NULL: none
 * @error: return location for an error
 *
 * Asks whether the backend can work here. Reads files, perhaps, and starts no process; so a
 * launch may still fail.
 *
 * Errors: %MALT_ERROR_BACKEND_UNAVAILABLE, which says why.
 *
 * Returns: %TRUE if nothing is known to be in the way, or %FALSE with an error
 */
gboolean
malt_backend_probe (MaltBackend *backend, MaltConfig *config, GError **error)
{
  g_autoptr (MaltConfig) effective = NULL;
  g_autoptr (GError) reason = NULL;

  g_return_val_if_fail (backend != NULL, FALSE);
  g_return_val_if_fail (config == NULL || MALT_IS_CONFIG (config), FALSE);
  if (backend->refusal != NULL)
    {
      g_propagate_error (error, g_error_copy (backend->refusal));
      return FALSE;
    }
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  if (probe (&backend->traits, effective, &reason))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "backend '%s' cannot work here: %s", backend->traits.name,
               reason != NULL ? reason->message : "its probe gave no reason");
  return FALSE;
}

/**
 * malt_backend_dup_julia:
 * @backend: a backend
 * @config: (nullable): options that matter, such as the julia to run; %NULL: none
 * @error: return location for an error
 *
 * Finds the julia that workers of this kind would run. Starts no process: what is found may
 * still fail, and its version is not known.
 *
 * Errors: %MALT_ERROR_BACKEND_UNAVAILABLE: there is none; %MALT_ERROR_NOT_SUPPORTED: the
 * backend does not tell.
 *
 * Returns: (transfer full) (type filename): a path, or %NULL with an error
 */
char *
malt_backend_dup_julia (MaltBackend *backend, MaltConfig *config, GError **error)
{
  g_autoptr (MaltConfig) effective = NULL;

  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (config == NULL || MALT_IS_CONFIG (config), NULL);
  if (backend->traits.dup_julia == NULL)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED,
                   "backend '%s' does not tell which julia it runs",
                   backend->traits.name);
      return NULL;
    }
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  return backend->traits.dup_julia (effective, error);
}

/* Options */

static const MaltOption *
find_option (MaltBackend *backend, const char *name)
{
  return malt_option_find (backend->traits.options, name);
}

/**
 * malt_backend_dup_option_names:
 * @backend: a backend
 *
 * Lists the options that the backend has.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names
 */
char **
malt_backend_dup_option_names (MaltBackend *backend)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  g_return_val_if_fail (backend != NULL, NULL);
  for (const MaltOption *option = backend->traits.options; option->name != NULL; option++)
    g_strv_builder_add (names, option->name);
  return g_strv_builder_end (names);
}

/**
 * malt_backend_get_option_type:
 * @backend: a backend
 * @name: name of an option
 *
 * Says what the values of an option are.
 *
 * Returns: the type; %MALT_OPTION_STRING, if there is no such option
 */
MaltOptionType
malt_backend_get_option_type (MaltBackend *backend, const char *name)
{
  const MaltOption *option;

  g_return_val_if_fail (backend != NULL, MALT_OPTION_STRING);
  g_return_val_if_fail (name != NULL, MALT_OPTION_STRING);
  option = find_option (backend, name);
  return option != NULL ? option->type : MALT_OPTION_STRING;
}

/**
 * malt_backend_get_option_default:
 * @backend: a backend
 * @name: name of an option
 *
 * Gives the value that an option has where none is set.
 *
 * Returns: (nullable): the value in text form; %NULL: none, or no such option
 */
const char *
malt_backend_get_option_default (MaltBackend *backend, const char *name)
{
  const MaltOption *option;

  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  option = find_option (backend, name);
  return option != NULL ? option->default_value : NULL;
}

/**
 * malt_backend_get_option_summary:
 * @backend: a backend
 * @name: name of an option
 *
 * Says in a line what an option is for.
 *
 * Returns: (nullable): the line; %NULL: no such option
 */
const char *
malt_backend_get_option_summary (MaltBackend *backend, const char *name)
{
  const MaltOption *option;

  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  option = find_option (backend, name);
  return option != NULL ? option->summary : NULL;
}

/**
 * malt_backend_check_config:
 * @backend: a backend
 * @config: a config
 * @error: return location for an error
 *
 * Checks what malt_worker_launch() checks of a config when this backend is taken: whether
 * its values are ones that the options accept, and whether the backend has the options that
 * are set for all.
 *
 * Errors: %MALT_ERROR_CONFIG, which names the option, where its value comes from, and what
 * is accepted.
 *
 * Returns: %TRUE if nothing is wrong, or %FALSE with an error
 */
gboolean
malt_backend_check_config (MaltBackend *backend, MaltConfig *config, GError **error)
{
  g_return_val_if_fail (backend != NULL, FALSE);
  g_return_val_if_fail (MALT_IS_CONFIG (config), FALSE);
  return malt_config_check (config, backend, error);
}

/* The choice */

static MaltBackend *
choose_named (MaltConfig *config, const char *name, char **out_reason, GError **error)
{
  g_autoptr (MaltBackend) backend = malt_backend_lookup (name, error);

  if (backend == NULL || !malt_backend_probe (backend, config, error))
    return NULL;
  if (out_reason != NULL)
    *out_reason =
        g_strdup_printf ("'%s': %s", name, malt_config_get_origin (config, "backend"));
  return g_steal_pointer (&backend);
}

static MaltBackend *
choose_automatically (MaltConfig *config, char **out_reason, GError **error)
{
  g_autoptr (GPtrArray) backends = malt_backend_list_auto (malt_platform_get ());
  g_autoptr (GString) refusals = g_string_new (NULL);

  for (guint i = 0; i < backends->len; i++)
    {
      MaltBackend *backend = g_ptr_array_index (backends, i);
      g_autoptr (GError) refusal = NULL;

      if (malt_backend_probe (backend, config, &refusal))
        {
          if (out_reason != NULL)
            *out_reason =
                g_strdup_printf ("'%s': the first that can work here%s",
                                 malt_backend_get_name (backend), refusals->str);
          return malt_backend_ref (backend);
        }
      g_string_append_printf (refusals, "; %s", refusal->message);
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "no backend that isolates workers can work here%s",
               refusals->len > 0 ? refusals->str : ": none is known");
  return NULL;
}

/**
 * malt_backend_choose:
 * @config: (nullable): a config; %NULL: an empty one
 * @out_reason: (out) (optional) (transfer full): why this one, and why not others, on one
 *   line
 * @error: return location for an error
 *
 * Says which backend malt_worker_launch() takes for a config. One that is named is taken or
 * nothing is; without a name, or with "auto", it is the first that isolates workers and can
 * work here, in the order of malt_backend_get_auto_priority().
 *
 * Errors: %MALT_ERROR_UNKNOWN_BACKEND: nobody has the name, and which are known;
 * %MALT_ERROR_BACKEND_UNAVAILABLE: it cannot work here, and why.
 *
 * Returns: (transfer full): the backend, or %NULL with an error
 */
MaltBackend *
malt_backend_choose (MaltConfig *config, char **out_reason, GError **error)
{
  g_autoptr (MaltConfig) effective = NULL;
  const char *name;

  g_return_val_if_fail (config == NULL || MALT_IS_CONFIG (config), NULL);
  if (malt_platform_is_forked (error))
    return NULL;
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  name = malt_config_get_backend (effective);
  if (name != NULL && strcmp (name, "auto") != 0)
    return choose_named (effective, name, out_reason, error);
  return choose_automatically (effective, out_reason, error);
}
