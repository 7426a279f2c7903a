/* SPDX-License-Identifier: MIT */
/* Checks a config against the options of the backend that was chosen.
 *
 * A common value must be a common option of the chosen backend, because otherwise it
 * would silently have no effect; the error names the group where it can stand. Values
 * from the environment are the exception: the environment is the same for every
 * program of the user, so what the backend does not have is passed over. Values for
 * one backend are checked whenever that backend is known, chosen or not, so that a
 * mistake does not wait for the day on which it is. */
#include "base/malt-error-private.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-config-private.h"
#include "selection/malt-option.h"

#include <string.h>

#define MAX_VALUE_CHARS 80

static void
set_unknown_option (const MaltConfigEntry *entry, MaltBackend *backend, GError **error)
{
  const MaltBackendTraits *traits = malt_backend_get_traits (backend);
  g_autofree char *name = malt_text_to_line (entry->key, MAX_VALUE_CHARS);
  g_autofree char *known = malt_option_dup_names (traits->options, FALSE);

  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s' (%s): not an option of backend '%s'; known: %s", name,
               entry->origin_text, traits->name, *known != '\0' ? known : "none");
}

/* What a key file's entry says of its origin names the group. */
static gboolean
check_value (const MaltConfigEntry *entry, const MaltOption *option, const char *backend,
             GError **error)
{
  const char *group = entry->origin == MALT_ORIGIN_PROGRAM ? backend : NULL;

  return malt_option_check (option, entry->value, group, entry->origin_text, error);
}

static gboolean
check_common (const MaltConfigEntry *entry, MaltBackend *chosen, GError **error)
{
  const MaltBackendTraits *traits = malt_backend_get_traits (chosen);
  const MaltOption *option = malt_option_find (traits->options, entry->key);
  g_autofree char *groups = NULL;

  if (strcmp (entry->key, "backend") == 0)
    return TRUE;
  if (option != NULL && option->is_common)
    return check_value (entry, option, traits->name, error);
  if (entry->origin == MALT_ORIGIN_ENVIRONMENT)
    return TRUE;
  groups = malt_backend_dup_groups_of_option (entry->key);
  if (groups == NULL)
    {
      set_unknown_option (entry, chosen, error);
      return FALSE;
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s' (%s): not a common option of backend '%s'; move it to %s",
               entry->key, entry->origin_text, traits->name, groups);
  return FALSE;
}

static gboolean
check_for_backend (const MaltConfigEntry *entry, GError **error)
{
  g_autoptr (MaltBackend) backend = malt_backend_lookup (entry->backend, NULL);
  const MaltOption *option;

  if (backend == NULL)
    return TRUE;
  option = malt_option_find (malt_backend_get_traits (backend)->options, entry->key);
  if (option != NULL)
    return check_value (entry, option, entry->backend, error);
  set_unknown_option (entry, backend, error);
  return FALSE;
}

gboolean
malt_config_check (MaltConfig *config, MaltBackend *chosen, GError **error)
{
  for (gsize i = 0; i < malt_config_get_n_entries (config); i++)
    {
      const MaltConfigEntry *entry = malt_config_get_entry (config, i);

      if (entry->backend == NULL ? !check_common (entry, chosen, error)
                                 : !check_for_backend (entry, error))
        return FALSE;
    }
  return TRUE;
}
