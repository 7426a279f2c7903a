/* SPDX-License-Identifier: MIT */
/* The registry: which backends there are.
 *
 * Backends are classes derived from MaltWorker. They register at the GIO extension
 * point `malt-worker`: built-in ones and then those in modules (malt-module.c) when the
 * registry is first used, those of the program when it says so. What registers is checked, so
 * that the rest of core can rely on every required slot: the slots by the layer of workers,
 * which reads the traits from the class (malt-worker-layer.h), the traits here. Registered
 * backends stay for the life of the process, as GIO's extensions do.
 *
 * A module of which a backend cannot be had leaves an unusable one in its place, named after
 * its file, which is listed with the reason, is never looked up, and whose name anybody may
 * take.
 *
 * While the registry is filled the thread that does it may come back, through code of a module:
 * it then sees what is there so far. Other threads wait. */
#include "base/malt-error-private.h"
#include "platform/malt-platform.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-module.h"
#include "selection/malt-option.h"
#include "selection/malt-worker-layer.h"

#include <malt/malt-backend.h>
#include <string.h>

#define MAX_BACKEND_NAME_CHARS 64
#define MAX_PATH_CHARS 400

static GThread *filling_thread; /* (atomic) (nullable): which fills the registry */
static GMutex registry_lock; /* guards the following two */
static GPtrArray *registered_backends; /* (owned): of MaltBackend */
static GPtrArray *unusable_backends; /* (owned): of MaltBackend */

/* Checks */

static gboolean
check_options (const MaltBackendTraits *traits, GError **error)
{
  for (const MaltOption *option = traits->options; option->name != NULL; option++)
    {
      if (option->type == MALT_OPTION_ENUM && option->choices == NULL)
        {
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "backend '%s': option '%s' has no choices", traits->name,
                       option->name);
          return FALSE;
        }
      if (option->default_value != NULL &&
          !malt_option_check (option, option->default_value, NULL, traits->name, error))
        {
          g_clear_error (error);
          g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
                       "backend '%s': option '%s' does not accept its own default '%s'",
                       traits->name, option->name, option->default_value);
          return FALSE;
        }
    }
  return TRUE;
}

/* Words that key files and configs have for something else. */
static const char *const reserved_names[] = { "auto", "malt", "profile", NULL };

/* A word in kebab case, since it is the name of groups in key files. */
static gboolean
check_name (const MaltBackendTraits *traits, GError **error)
{
  const char *name = traits->name;
  gboolean is_right =
      g_ascii_islower (name[0]) && strlen (name) <= MAX_BACKEND_NAME_CHARS;
  g_autofree char *shown = NULL;

  for (const char *p = name; *p != '\0' && is_right; p++)
    is_right = g_ascii_islower (*p) || g_ascii_isdigit (*p) ||
               (*p == '-' && g_ascii_isalnum (p[1]));
  if (is_right && !g_strv_contains (reserved_names, name))
    return TRUE;
  shown = malt_text_to_line (name, MAX_BACKEND_NAME_CHARS);
  g_set_error (error, MALT_ERROR, MALT_ERROR_INVALID_ARGUMENT,
               "expected a name of lower-case words with hyphens between them, and not "
               "'auto', 'malt' or 'profile', for a backend, got '%s'",
               shown);
  return FALSE;
}

/* Registration */

static MaltBackend *
find_locked (GPtrArray *backends, const char *name)
{
  for (guint i = 0; i < backends->len; i++)
    {
      MaltBackend *backend = g_ptr_array_index (backends, i);

      if (strcmp (malt_backend_get_name (backend), name) == 0)
        return backend;
    }
  return NULL;
}

/* What a module is called that gave no backend: after its file, in which the name that was
 * meant may follow "lib". */
static MaltBackend *
find_unusable_locked (const char *name)
{
  g_autofree char *library = g_strconcat ("lib", name, NULL);
  MaltBackend *backend = find_locked (unusable_backends, name);

  return backend != NULL ? backend : find_locked (unusable_backends, library);
}

static gboolean
add_backend (MaltBackend *backend, GError **error)
{
  const char *name = malt_backend_get_name (backend);
  MaltBackend *known;

  g_mutex_lock (&registry_lock);
  known = find_locked (registered_backends, name);
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
register_type (GType type, const char *module, GError **error)
{
  g_autoptr (MaltBackend) backend = NULL;
  MaltBackendTraits traits;

  if (!malt_worker_layer.describe (type, &traits, error) ||
      !check_name (&traits, error) || !check_options (&traits, error))
    return FALSE;
  backend = malt_backend_new (type, &traits, module);
  return add_backend (backend, error);
}

static void
add_unusable (const char *module, const GError *error)
{
  g_autofree char *name = malt_module_dup_name (module);
  g_autofree char *path = malt_text_to_line (module, MAX_PATH_CHARS);
  g_autoptr (GError) reason =
      g_error_new (MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                   "module '%s' gives no backend: %s", path, error->message);

  g_mutex_lock (&registry_lock);
  g_ptr_array_add (unusable_backends, malt_backend_new_unusable (name, module, reason));
  g_mutex_unlock (&registry_lock);
}

static void
on_module (const char *path, const MaltBackendTypeFunc *types, const GError *error)
{
  if (types == NULL)
    add_unusable (path, error);
  for (gsize i = 0; types != NULL && types[i] != NULL; i++)
    {
      g_autoptr (GError) refusal = NULL;

      if (!register_type (types[i](), path, &refusal))
        add_unusable (path, refusal);
    }
}

static void
fill_registry (void)
{
  for (const MaltBackendTypeFunc *get_type = malt_worker_layer.builtin_types;
       *get_type != NULL; get_type++)
    {
      g_autoptr (GError) error = NULL;

      if (!register_type ((*get_type) (), NULL, &error))
        g_critical ("%s", error->message);
    }
  malt_modules_open (on_module);
}

static void
ensure_registry (void)
{
  static gsize is_ready = 0;

  if (g_atomic_pointer_get (&filling_thread) == g_thread_self () ||
      !g_once_init_enter (&is_ready))
    return;
  g_io_extension_point_set_required_type (
      g_io_extension_point_register (MALT_WORKER_EXTENSION_POINT),
      malt_worker_layer.get_base_type ());
  registered_backends =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_backend_unref);
  unusable_backends =
      g_ptr_array_new_with_free_func ((GDestroyNotify) malt_backend_unref);
  g_atomic_pointer_set (&filling_thread, g_thread_self ());
  fill_registry ();
  g_atomic_pointer_set (&filling_thread, NULL);
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
  return register_type (worker_type, NULL, error);
}

/* Queries */

static gint
compare_backends (gconstpointer a, gconstpointer b, gpointer platform)
{
  MaltBackend *first = *(MaltBackend *const *) a;
  MaltBackend *second = *(MaltBackend *const *) b;
  int first_priority =
      malt_backend_get_auto_priority_on (first, *(MaltPlatform *) platform);
  int second_priority =
      malt_backend_get_auto_priority_on (second, *(MaltPlatform *) platform);

  if (first_priority != second_priority)
    return first_priority > second_priority ? -1 : 1;
  return strcmp (malt_backend_get_name (first), malt_backend_get_name (second));
}

/* Sorted as `auto` of that platform goes. (transfer full) */
static GPtrArray *
dup_sorted_locked (GPtrArray *backends, MaltPlatform platform)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_backend_unref);

  for (guint i = 0; i < backends->len; i++)
    g_ptr_array_add (copy, malt_backend_ref (g_ptr_array_index (backends, i)));
  g_ptr_array_sort_with_data (copy, compare_backends, &platform);
  return copy;
}

GPtrArray *
malt_backend_list_auto (MaltPlatform platform)
{
  GPtrArray *list;

  if (malt_platform_is_forked (NULL))
    return g_ptr_array_new ();
  ensure_registry ();
  g_mutex_lock (&registry_lock);
  list = dup_sorted_locked (registered_backends, platform);
  g_mutex_unlock (&registry_lock);
  while (list->len > 0 &&
         malt_backend_get_auto_priority_on (list->pdata[list->len - 1], platform) <= 0)
    g_ptr_array_remove_index (list, list->len - 1);
  return list;
}

/**
 * malt_backend_list:
 *
 * Lists the backends that are known, whether or not they can work here: first those that
 * `auto` tries, in its order. A module from which no backend could be had stands at the end as
 * one that is named after its file and never works; malt_backend_probe() says why.
 *
 * Returns: (transfer container) (element-type MaltBackend): the backends
 */
GPtrArray *
malt_backend_list (void)
{
  GPtrArray *list;
  GPtrArray *unusable;

  if (malt_platform_is_forked (NULL))
    return g_ptr_array_new ();
  ensure_registry ();
  g_mutex_lock (&registry_lock);
  list = dup_sorted_locked (registered_backends, malt_platform_get ());
  unusable = dup_sorted_locked (unusable_backends, malt_platform_get ());
  g_mutex_unlock (&registry_lock);
  g_ptr_array_extend_and_steal (list, unusable);
  return list;
}

static char *
list_names_locked (GPtrArray *backends)
{
  g_autoptr (GPtrArray) sorted = dup_sorted_locked (backends, malt_platform_get ());
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < sorted->len; i++)
    g_strv_builder_add (builder, malt_backend_get_name (g_ptr_array_index (sorted, i)));
  names = g_strv_builder_end (builder);
  return malt_text_list ((const char *const *) names);
}

static void
set_unknown_backend (const char *name, GError **error)
{
  g_autofree char *line = malt_text_to_line (name, 80);
  g_autofree char *known = NULL;
  g_autofree char *unusable = NULL;

  g_mutex_lock (&registry_lock);
  known = list_names_locked (registered_backends);
  unusable = list_names_locked (unusable_backends);
  g_mutex_unlock (&registry_lock);
  g_set_error (error, MALT_ERROR, MALT_ERROR_UNKNOWN_BACKEND,
               "no backend is named '%s'; known: %s%s%s", line,
               *known != '\0' ? known : "none",
               *unusable != '\0' ? "; modules that could not be loaded: " : "", unusable);
}

/**
 * malt_backend_lookup:
 * @name: name of a backend
 * @error: return location for an error
 *
 * Finds a backend by its name, whether or not it can work here.
 *
 * Errors: %MALT_ERROR_UNKNOWN_BACKEND, which lists the names that are known;
 * %MALT_ERROR_BACKEND_UNAVAILABLE: the module of that name could not be loaded, and why.
 *
 * Returns: (transfer full): the backend, or %NULL with an error
 */
MaltBackend *
malt_backend_lookup (const char *name, GError **error)
{
  MaltBackend *unusable = NULL;
  MaltBackend *backend;

  g_return_val_if_fail (name != NULL, NULL);
  if (malt_platform_is_forked (error))
    return NULL;
  ensure_registry ();
  g_mutex_lock (&registry_lock);
  backend = find_locked (registered_backends, name);
  if (backend != NULL)
    malt_backend_ref (backend);
  else
    unusable = find_unusable_locked (name);
  g_mutex_unlock (&registry_lock);

  if (unusable != NULL) /* it is never removed */
    g_propagate_error (error, g_error_copy (malt_backend_get_refusal (unusable)));
  else if (backend == NULL)
    set_unknown_backend (name, error);
  return backend;
}

char *
malt_backend_dup_groups_of_option (const char *key)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();
  g_autoptr (GString) groups = g_string_new (NULL);

  for (guint i = 0; i < backends->len; i++)
    {
      const MaltBackendTraits *traits =
          malt_backend_get_traits (g_ptr_array_index (backends, i));

      if (malt_option_find (traits->options, key) != NULL)
        g_string_append_printf (groups, "%s[%s]", groups->len > 0 ? " or " : "",
                                traits->name);
    }
  return groups->len > 0 ? g_strdup (groups->str) : NULL;
}
