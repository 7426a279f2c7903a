/* SPDX-License-Identifier: MIT */
/* The registry: which backends there are.
 *
 * Backends are classes derived from MaltWorker. They register at the GIO extension
 * point `malt-worker`, built-in ones when the registry is first used, others when
 * their module is loaded. What registers is checked, so that the rest of core can rely
 * on every required slot. Registered backends stay for the life of the process, as
 * GIO's extensions do. */
#include "malt-backend-private.h"
#include "malt-builtin-backends.h"
#include "malt-error-private.h"
#include "malt-option.h"

#include <string.h>

static GMutex registry_lock; /* guards registered_backends */
static GPtrArray *registered_backends; /* (owned): of MaltBackend */

/* Checks */

typedef struct
{
  const char *name;
  gsize offset;
} RequiredField;

static const RequiredField required_fields[] = {
  { "name", G_STRUCT_OFFSET (MaltWorkerClass, name) },
  { "description", G_STRUCT_OFFSET (MaltWorkerClass, description) },
  { "options", G_STRUCT_OFFSET (MaltWorkerClass, options) },
  { "remote_call", G_STRUCT_OFFSET (MaltWorkerClass, remote_call) },
  { "remote_do", G_STRUCT_OFFSET (MaltWorkerClass, remote_do) },
  { "interrupt_async", G_STRUCT_OFFSET (MaltWorkerClass, interrupt_async) },
  { "interrupt_finish", G_STRUCT_OFFSET (MaltWorkerClass, interrupt_finish) },
  { "is_running", G_STRUCT_OFFSET (MaltWorkerClass, is_running) },
  { "stop_async", G_STRUCT_OFFSET (MaltWorkerClass, stop_async) },
  { "stop_finish", G_STRUCT_OFFSET (MaltWorkerClass, stop_finish) },
  { "kill", G_STRUCT_OFFSET (MaltWorkerClass, kill) },
};

/* Slots that come together: all or none, and the capability with them. */
static gboolean
check_channel_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->channel_open != NULL && klass->channel_credit != NULL &&
                     klass->channel_put != NULL && klass->channel_close != NULL &&
                     klass->channel_state != NULL && klass->channel_forget != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_CHANNELS))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims channels and leaves a channel slot empty",
               klass->name);
  return FALSE;
}

static gboolean
check_host_function_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->export_function != NULL && klass->unexport_function != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_HOST_FUNCTIONS))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims host functions and leaves a slot for them empty",
               klass->name);
  return FALSE;
}

/* is_julia_thread may be that of an inner worker. */
static gboolean
check_native_slots (const MaltWorkerClass *klass, GError **error)
{
  gboolean has_all = klass->native_new != NULL && klass->run_in_julia != NULL &&
                     klass->export_direct != NULL;

  if (has_all || !(klass->capabilities & MALT_CAPABILITY_NATIVE))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "backend '%s' claims native calls and leaves a slot for them empty",
               klass->name);
  return FALSE;
}

static gboolean
check_options (const MaltWorkerClass *klass, GError **error)
{
  for (const MaltOption *option = klass->options; option->name != NULL; option++)
    {
      if (option->type == MALT_OPTION_ENUM && option->choices == NULL)
        {
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "backend '%s': option '%s' has no choices", klass->name,
                       option->name);
          return FALSE;
        }
      if (option->default_value != NULL &&
          !malt_option_check (option, option->default_value, klass->name, error))
        {
          g_clear_error (error);
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "backend '%s': option '%s' does not accept its own default '%s'",
                       klass->name, option->name, option->default_value);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
check_class (GType type, const MaltWorkerClass *klass, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (required_fields); i++)
    {
      if (G_STRUCT_MEMBER (gpointer, klass, required_fields[i].offset) == NULL)
        {
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "type '%s' is no backend: its class leaves '%s' empty",
                       g_type_name (type), required_fields[i].name);
          return FALSE;
        }
    }
  return check_channel_slots (klass, error) && check_host_function_slots (klass, error) &&
         check_native_slots (klass, error) && check_options (klass, error);
}

static gboolean
check_type (GType type, GError **error)
{
  if (g_type_is_a (type, MALT_TYPE_WORKER) && !G_TYPE_IS_ABSTRACT (type) &&
      g_type_is_a (type, G_TYPE_INITABLE) && g_type_is_a (type, G_TYPE_ASYNC_INITABLE))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "type '%s' is no backend: expected a concrete subclass of MaltWorker that "
               "implements GInitable and GAsyncInitable",
               type != 0 ? g_type_name (type) : "");
  return FALSE;
}

/* Registration */

static MaltBackend *
find_locked (const char *name)
{
  for (guint i = 0; i < registered_backends->len; i++)
    {
      MaltBackend *backend = g_ptr_array_index (registered_backends, i);

      if (strcmp (malt_backend_get_name (backend), name) == 0)
        return backend;
    }
  return NULL;
}

static gboolean
add_backend (MaltBackend *backend, GError **error)
{
  const char *name = malt_backend_get_name (backend);
  MaltBackend *known;

  g_mutex_lock (&registry_lock);
  known = find_locked (name);
  if (known == NULL)
    g_ptr_array_add (registered_backends, malt_backend_ref (backend));
  g_mutex_unlock (&registry_lock);

  if (known == NULL)
    {
      g_io_extension_point_implement (MALT_WORKER_EXTENSION_POINT,
                                      malt_backend_get_worker_type (backend), name,
                                      malt_backend_get_auto_priority (backend));
      return TRUE;
    }
  if (malt_backend_get_worker_type (known) == malt_backend_get_worker_type (backend))
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "a backend named '%s' is registered already", name);
  return FALSE;
}

static gboolean
register_type (GType type, GError **error)
{
  g_autoptr (MaltBackend) backend = NULL;

  if (!check_type (type, error))
    return FALSE;
  backend = malt_backend_new (type);
  if (!check_class (type, malt_backend_get_class (backend), error))
    return FALSE;
  return add_backend (backend, error);
}

static void
ensure_registry (void)
{
  static gsize is_ready = 0;

  if (!g_once_init_enter (&is_ready))
    return;
  g_io_extension_point_set_required_type (
      g_io_extension_point_register (MALT_WORKER_EXTENSION_POINT), MALT_TYPE_WORKER);
  registered_backends =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_backend_unref);
  for (const MaltBackendTypeFunc *get_type = malt_builtin_backends; *get_type != NULL;
       get_type++)
    {
      g_autoptr (GError) error = NULL;

      if (!register_type ((*get_type) (), &error))
        g_critical ("%s", error->message);
    }
  g_once_init_leave (&is_ready, 1);
}

/**
 * malt_backend_register:
 * @worker_type: a concrete subclass of #MaltWorker that implements #GInitable and
 *   #GAsyncInitable
 * @error: return location for an error
 *
 * Makes a backend known, at the GIO extension point `malt-worker`, under the name that its
 * class has. It stays for the life of the process. Registering a type again does nothing.
 *
 * Errors: %MALT_ERROR_INVALID_ARGUMENT: the class lacks something that it must provide, or
 * another backend has that name.
 *
 * Returns: %TRUE, or %FALSE with an error
 */
gboolean
malt_backend_register (GType worker_type, GError **error)
{
  ensure_registry ();
  return register_type (worker_type, error);
}

/* Queries */

static gint
compare_backends (gconstpointer a, gconstpointer b, gpointer platform)
{
  MaltBackend *first = *(MaltBackend *const *) a;
  MaltBackend *second = *(MaltBackend *const *) b;
  int first_priority = malt_worker_class_get_auto_priority (
      malt_backend_get_class (first), *(MaltPlatform *) platform);
  int second_priority = malt_worker_class_get_auto_priority (
      malt_backend_get_class (second), *(MaltPlatform *) platform);

  if (first_priority != second_priority)
    return first_priority > second_priority ? -1 : 1;
  return strcmp (malt_backend_get_name (first), malt_backend_get_name (second));
}

static GPtrArray *
list_for_platform (MaltPlatform platform)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_backend_unref);

  ensure_registry ();
  g_mutex_lock (&registry_lock);
  for (guint i = 0; i < registered_backends->len; i++)
    g_ptr_array_add (list, malt_backend_ref (g_ptr_array_index (registered_backends, i)));
  g_mutex_unlock (&registry_lock);
  g_ptr_array_sort_with_data (list, compare_backends, &platform);
  return list;
}

GPtrArray *
malt_backend_list_auto (MaltPlatform platform)
{
  GPtrArray *list = list_for_platform (platform);

  while (list->len > 0 &&
         malt_worker_class_get_auto_priority (
             malt_backend_get_class (list->pdata[list->len - 1]), platform) <= 0)
    g_ptr_array_remove_index (list, list->len - 1);
  return list;
}

/**
 * malt_backend_list:
 *
 * Lists the backends that are known, whether or not they can work here: first those that
 * `auto` tries, in its order.
 *
 * Returns: (transfer container) (element-type MaltBackend): the backends
 */
GPtrArray *
malt_backend_list (void)
{
  return list_for_platform (malt_platform_get ());
}

static void
set_unknown_backend (const char *name, GError **error)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *line = malt_text_to_line (name, 80);
  g_autofree char *known = NULL;
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < backends->len; i++)
    g_strv_builder_add (builder, malt_backend_get_name (g_ptr_array_index (backends, i)));
  names = g_strv_builder_end (builder);
  known = malt_text_list ((const char *const *) names);
  g_set_error (error, MALT_ERROR, MALT_ERROR_UNKNOWN_BACKEND,
               "no backend is named '%s'; known: %s", line,
               *known != '\0' ? known : "none");
}

/**
 * malt_backend_lookup:
 * @name: name of a backend
 * @error: return location for an error
 *
 * Finds a backend by its name, whether or not it can work here.
 *
 * Errors: %MALT_ERROR_UNKNOWN_BACKEND, which lists the names that are known.
 *
 * Returns: (transfer full): the backend, or %NULL with an error
 */
MaltBackend *
malt_backend_lookup (const char *name, GError **error)
{
  MaltBackend *backend;

  g_return_val_if_fail (name != NULL, NULL);
  ensure_registry ();
  g_mutex_lock (&registry_lock);
  backend = find_locked (name);
  if (backend != NULL)
    malt_backend_ref (backend);
  g_mutex_unlock (&registry_lock);
  if (backend == NULL)
    set_unknown_backend (name, error);
  return backend;
}
