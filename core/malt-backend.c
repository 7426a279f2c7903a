/* SPDX-License-Identifier: MIT */
/* MaltBackend: a kind of worker, described; and the choice among them. */
#include "malt-backend-private.h"
#include "malt-config-private.h"

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
  GType worker_type;
  MaltWorkerClass *klass; /* (owned) */
};

G_DEFINE_BOXED_TYPE (MaltBackend, malt_backend, malt_backend_ref, malt_backend_unref)

MaltBackend *
malt_backend_new (GType worker_type)
{
  MaltBackend *backend = g_new0 (MaltBackend, 1);

  g_atomic_ref_count_init (&backend->ref_count);
  backend->worker_type = worker_type;
  backend->klass = g_type_class_ref (worker_type);
  return backend;
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
  g_type_class_unref (backend->klass);
  g_free (backend);
}

const MaltWorkerClass *
malt_backend_get_class (MaltBackend *backend)
{
  return backend->klass;
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
  return backend->klass->name;
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
  return backend->klass->description;
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
  return backend->klass->capabilities;
}

int
malt_worker_class_get_auto_priority (const MaltWorkerClass *klass, gboolean is_windows)
{
  int priority = is_windows ? klass->auto_priority_windows : klass->auto_priority;

  return klass->capabilities & MALT_CAPABILITY_ISOLATED ? priority : 0;
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
#ifdef G_OS_WIN32
  return malt_worker_class_get_auto_priority (backend->klass, TRUE);
#else
  return malt_worker_class_get_auto_priority (backend->klass, FALSE);
#endif
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
  if (backend->klass->probe == NULL)
    return TRUE;
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  if (backend->klass->probe (effective, &reason))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "backend '%s' cannot work here: %s", backend->klass->name,
               reason != NULL ? reason->message : "its probe gave no reason");
  return FALSE;
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
        g_strdup_printf ("'%s': %s", name, malt_config_get_backend_origin (config));
  return g_steal_pointer (&backend);
}

static MaltBackend *
choose_automatically (MaltConfig *config, char **out_reason, GError **error)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();
  g_autoptr (GString) refusals = g_string_new (NULL);

  for (guint i = 0; i < backends->len; i++)
    {
      MaltBackend *backend = g_ptr_array_index (backends, i);
      g_autoptr (GError) refusal = NULL;

      if (malt_backend_get_auto_priority (backend) <= 0)
        continue;
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
  effective = config != NULL ? g_object_ref (config) : malt_config_new ();
  name = malt_config_get_backend (effective);
  if (name != NULL && strcmp (name, "auto") != 0)
    return choose_named (effective, name, out_reason, error);
  return choose_automatically (effective, out_reason, error);
}
