/* SPDX-License-Identifier: MIT */
/* Key files: from a path to the values of a config. */
#include "selection/malt-key-file.h"

#include "platform/malt-trust.h"
#include "selection/malt-config-private.h"

#include <malt/malt-backend.h>
#include <string.h>

MaltKeyFile *
malt_key_file_parse (const char *path, const char *text, gsize n_bytes, GError **error)
{
  g_autoptr (MaltKeyFile) file = malt_key_file_scan (path, text, n_bytes, error);

  if (file == NULL || !malt_key_file_check (file, error))
    return NULL;
  return g_steal_pointer (&file);
}

MaltKeyFile *
malt_key_file_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize n_bytes = 0;

  if (!malt_trust_read_file (path, MALT_KEY_FILE_MAX_BYTES, &text, &n_bytes, error))
    {
      g_prefix_error (error, "key file not read: ");
      return NULL;
    }
  return malt_key_file_parse (path, text, n_bytes, error);
}

/* Use */

gboolean
malt_key_file_has_profile (const MaltKeyFile *file, const char *profile)
{
  for (guint i = 0; i < file->groups->len; i++)
    {
      const MaltKeyFileGroup *group = g_ptr_array_index (file->groups, i);

      if (group->profile != NULL && strcmp (group->profile, profile) == 0)
        return TRUE;
    }
  return FALSE;
}

GPtrArray *
malt_key_file_list_profiles (const MaltKeyFile *file)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < file->groups->len; i++)
    {
      const MaltKeyFileGroup *group = g_ptr_array_index (file->groups, i);

      if (group->profile != NULL &&
          !g_ptr_array_find_with_equal_func (names, group->profile, g_str_equal, NULL))
        g_ptr_array_add (names, group->profile);
    }
  return names;
}

static void
apply_group (const MaltKeyFile *file, const MaltKeyFileGroup *group, guint origin,
             MaltConfig *config)
{
  const char *backend =
      group->backend != NULL ? malt_backend_get_name (group->backend) : NULL;

  for (guint i = 0; i < group->entries->len; i++)
    {
      const MaltKeyFileEntry *entry = g_ptr_array_index (group->entries, i);
      g_autofree char *text =
          g_strdup_printf ("%s:%u [%s]", file->path, entry->line, group->name);

      malt_config_set_from (config, backend, entry->key, entry->value, origin, text);
    }
}

void
malt_key_file_apply (const MaltKeyFile *file, const char *profile, MaltConfig *config)
{
  guint number = malt_config_take_file_number (config);

  for (guint i = 0; i < file->groups->len; i++)
    {
      const MaltKeyFileGroup *group = g_ptr_array_index (file->groups, i);

      if (group->profile == NULL)
        apply_group (file, group, MALT_ORIGIN_KEY_FILE + number, config);
      else if (g_strcmp0 (group->profile, profile) == 0)
        apply_group (file, group, MALT_ORIGIN_PROFILE + number, config);
    }
}
