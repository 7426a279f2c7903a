/* SPDX-License-Identifier: MIT */
/* Backends in modules.
 *
 * A module is a shared object with the suffix of such, in a directory of the search path:
 * those of MALT_BACKEND_PATH, unless the environment is not to be believed, then
 * `libmalt-0/backends` beside the library itself, wherever that was moved to. Within a
 * directory the names decide the order; a name that was found before hides later ones, as with
 * PATH.
 *
 * Loading a module runs code of it, so all that can be seen from outside is looked at before:
 * that nobody else could have written it (malt-trust.h: what was checked stays what it is,
 * so it can be opened by its name), that the file contains the entry symbol at all, so
 * that no other library that lies there is ever run, and that it is whole, since the loader
 * of the system dies of files that were cut off. Then the loader resolves every symbol
 * or refuses; then the entry, which is constant data, says for which interface it was
 * built. Only after that a function of the module is called.
 *
 * Types of GObject cannot be taken back, so no module is ever unloaded. */
#include "selection/malt-module.h"

#include "base/malt-error-private.h"
#include "platform/malt-library.h"
#include "platform/malt-trust.h"
#include "selection/malt-worker-layer.h"

#include <gmodule.h>
#include <string.h>

#define ENTRY_SYMBOL "malt_backend_module"
#define PATH_VARIABLE "MALT_BACKEND_PATH"
#define INSTALLED_FOLDER MALT_FOLDER, "backends"
#define SUFFIX "." G_MODULE_SUFFIX
#define MAX_NAME_CHARS 64
#define MAX_MESSAGE_CHARS 400

/* Where modules are */

/* NULL: not known from where the loader took the library. */
static char *
dup_installed_directory (void)
{
  g_autofree char *folder = malt_library_dup_folder ();

  return folder != NULL ? g_build_filename (folder, INSTALLED_FOLDER, NULL) : NULL;
}

/* (transfer full): may hold relative and empty ones, which do not count */
static char **
dup_directories (void)
{
  const char *variable = malt_trust_environment () ? g_getenv (PATH_VARIABLE) : NULL;
  g_autofree char *installed = dup_installed_directory ();
  g_autofree char *path =
      g_strjoin (G_SEARCHPATH_SEPARATOR_S, variable != NULL ? variable : "",
                 installed != NULL ? installed : "", NULL);

  return g_strsplit (path, G_SEARCHPATH_SEPARATOR_S, -1);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names of the modules in a directory, sorted. NULL: there is no such directory. */
static GPtrArray *
list_modules (const char *directory)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  GPtrArray *names;
  const char *name;

  if (dir == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, SUFFIX) && *name != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_dir_close (dir);
  g_ptr_array_sort (names, compare_names);
  return names;
}

char *
malt_module_dup_name (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);

  if (g_str_has_suffix (base, SUFFIX))
    base[strlen (base) - strlen (SUFFIX)] = '\0';
  return malt_text_to_line (base, MAX_NAME_CHARS);
}

/* What can be seen without loading */

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE, message);
  return FALSE;
}

static gboolean
contains (const char *bytes, gsize n_bytes, const char *text, gsize n_text_bytes)
{
  const char *end = bytes + n_bytes;
  const char *at = bytes;

  while ((at = memchr (at, *text, (gsize) (end - at))) != NULL)
    {
      if ((gsize) (end - at) >= n_text_bytes && memcmp (at, text, n_text_bytes) == 0)
        return TRUE;
      at++;
    }
  return FALSE;
}

static gboolean
check_contents (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  const char *bytes;
  gsize n_bytes;

  if (file == NULL)
    return refuse (error, "the file cannot be read");
  bytes = g_mapped_file_get_contents (file);
  n_bytes = g_mapped_file_get_length (file);
  if (n_bytes == 0 || !contains (bytes, n_bytes, ENTRY_SYMBOL, sizeof ENTRY_SYMBOL))
    return refuse (error, "expected a shared object with the symbol '" ENTRY_SYMBOL
                          "', got something else");
  if (!malt_library_is_whole (bytes, n_bytes))
    return refuse (error, "expected a shared object, got a file that is none or was cut "
                          "off");
  return TRUE;
}

/* Loading */

static gboolean
check_entry (const MaltBackendModule *entry, GError **error)
{
  if (entry->magic != MALT_BACKEND_MODULE_MAGIC)
    return refuse (error, "expected '" ENTRY_SYMBOL
                          "' to be made by MALT_DEFINE_BACKEND_MODULE, got something "
                          "else");
  if (entry->abi != MALT_BACKEND_ABI)
    {
      g_set_error (
          error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
          "it was built for version %u of the interface of backends, expected %u",
          entry->abi, MALT_BACKEND_ABI);
      return FALSE;
    }
  if (entry->n_worker_bytes != malt_worker_layer.n_worker_bytes ||
      entry->n_class_bytes != malt_worker_layer.n_class_bytes)
    return refuse (error, "it was built with other headers of libmalt: the sizes of the "
                          "structures differ");
  if (entry->types == NULL || entry->types[0] == NULL)
    return refuse (error, "it contains no backend");
  return TRUE;
}

static const MaltBackendModule *
load (const char *path, GError **error)
{
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  gpointer entry = NULL;

  if (module == NULL)
    {
      g_autofree char *message = malt_text_to_line (g_module_error (), MAX_MESSAGE_CHARS);

      refuse (error, message);
      return NULL;
    }
  g_module_make_resident (module);
  if (!g_module_symbol (module, ENTRY_SYMBOL, &entry) || entry == NULL)
    {
      refuse (error, "it does not export the symbol '" ENTRY_SYMBOL "'");
      return NULL;
    }
  return check_entry (entry, error) ? entry : NULL;
}

static void
open_module (const char *directory, const char *name, MaltModuleFunc func)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;
  const MaltBackendModule *entry = NULL;

  if (malt_trust_check_directory (directory, &error) &&
      malt_trust_check_file (path, &error) && check_contents (path, &error))
    entry = load (path, &error);
  func (path, entry != NULL ? entry->types : NULL, error);
}

void
malt_modules_open (MaltModuleFunc func)
{
  g_auto (GStrv) directories = dup_directories ();
  g_autoptr (GHashTable) known =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (char **directory = directories; *directory != NULL; directory++)
    {
      g_autoptr (GPtrArray) names = NULL;

      if (!g_path_is_absolute (*directory))
        continue;
      names = list_modules (*directory);
      for (guint i = 0; names != NULL && i < names->len; i++)
        if (g_hash_table_add (known, g_strdup (names->pdata[i])))
          open_module (*directory, names->pdata[i], func);
    }
}
