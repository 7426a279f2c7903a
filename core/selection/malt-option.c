/* SPDX-License-Identifier: MIT */
/* Options of backends: reading their text forms and checking configs against them.
 *
 * A common value must be a common option of the chosen backend, because otherwise it
 * would silently have no effect; the error names the group where it can stand. Values
 * from the environment are the exception: the environment is the same for every
 * program of the user, so what the backend does not have is passed over. Values for
 * one backend are checked whenever that backend is known, chosen or not, so that a
 * mistake does not wait for the day on which it is. */
#include "selection/malt-option.h"
#include "base/malt-error-private.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-config-private.h"

#include <malt/malt-backend.h>
#include <string.h>

#define MAX_VALUE_CHARS 80

const MaltOption *
malt_option_find (const MaltOption *table, const char *name)
{
  for (const MaltOption *option = table; option->name != NULL; option++)
    if (strcmp (option->name, name) == 0)
      return option;
  return NULL;
}

/* Text forms */

static gboolean
has_range (const MaltOption *option)
{
  return option->minimum != 0 || option->maximum != 0;
}

static gboolean
is_accepted_int (const MaltOption *option, const char *value)
{
  gint64 minimum = has_range (option) ? option->minimum : G_MININT64;
  gint64 maximum = has_range (option) ? option->maximum : G_MAXINT64;

  return g_ascii_string_to_signed (value, 10, minimum, maximum, NULL, NULL);
}

gboolean
malt_option_accepts (const MaltOption *option, const char *value)
{
  switch (option->type)
    {
    case MALT_OPTION_INT:
      return is_accepted_int (option, value);
    case MALT_OPTION_BOOL:
      return strcmp (value, "true") == 0 || strcmp (value, "false") == 0;
    case MALT_OPTION_ENUM:
      return g_strv_contains (option->choices, value);
    case MALT_OPTION_STRING:
    case MALT_OPTION_STRINGS:
    default:
      return TRUE;
    }
}

char *
malt_option_dup_expectation (const MaltOption *option)
{
  g_autofree char *choices = NULL;

  switch (option->type)
    {
    case MALT_OPTION_INT:
      if (!has_range (option))
        return g_strdup ("a whole number");
      return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT
                              " to %" G_GINT64_FORMAT,
                              option->minimum, option->maximum);
    case MALT_OPTION_BOOL:
      return g_strdup ("'true' or 'false'");
    case MALT_OPTION_ENUM:
      choices = malt_text_list (option->choices);
      return g_strdup_printf ("one of %s", choices);
    case MALT_OPTION_STRING:
    case MALT_OPTION_STRINGS:
    default:
      return g_strdup ("text");
    }
}

gboolean
malt_option_check (const MaltOption *option, const char *value, const char *origin,
                   GError **error)
{
  g_autofree char *expectation = NULL;
  g_autofree char *line = NULL;

  if (malt_option_accepts (option, value))
    return TRUE;
  expectation = malt_option_dup_expectation (option);
  line = malt_text_to_line (value, MAX_VALUE_CHARS);
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s' (%s): expected %s, got '%s'", option->name, origin,
               expectation, line);
  return FALSE;
}

const char *
malt_option_get_value (const MaltOption *option, const char *backend, MaltConfig *config)
{
  const MaltConfigEntry *entry =
      malt_config_find_for (config, backend, option->name, option->is_common);

  return entry != NULL ? entry->value : option->default_value;
}

gint64
malt_option_parse_int (const char *value)
{
  return g_ascii_strtoll (value, NULL, 10);
}

gboolean
malt_option_parse_bool (const char *value)
{
  return strcmp (value, "true") == 0;
}

/* Configs */

char *
malt_option_dup_names (const MaltOption *table, gboolean is_common_only)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  for (const MaltOption *option = table; option->name != NULL; option++)
    if (option->is_common || !is_common_only)
      g_strv_builder_add (builder, option->name);
  names = g_strv_builder_end (builder);
  return malt_text_list ((const char *const *) names);
}

static void
set_unknown_option (const MaltConfigEntry *entry, MaltBackend *backend,
                    gboolean is_common_only, GError **error)
{
  const MaltWorkerClass *klass = malt_backend_get_class (backend);
  g_autofree char *name = malt_text_to_line (entry->key, MAX_VALUE_CHARS);
  g_autofree char *known = malt_option_dup_names (klass->options, is_common_only);

  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s' (%s): not an option of backend '%s'; known: %s", name,
               entry->origin_text, klass->name, *known != '\0' ? known : "none");
}

char *
malt_option_dup_groups (const char *key)
{
  g_autoptr (GPtrArray) backends = malt_backend_list ();
  g_autoptr (GString) groups = g_string_new (NULL);

  for (guint i = 0; i < backends->len; i++)
    {
      const MaltWorkerClass *klass =
          malt_backend_get_class (g_ptr_array_index (backends, i));

      if (malt_option_find (klass->options, key) != NULL)
        g_string_append_printf (groups, "%s[%s]", groups->len > 0 ? " or " : "",
                                klass->name);
    }
  return groups->len > 0 ? g_strdup (groups->str) : NULL;
}

static gboolean
check_common (const MaltConfigEntry *entry, MaltBackend *chosen, GError **error)
{
  const MaltWorkerClass *klass = malt_backend_get_class (chosen);
  const MaltOption *option = malt_option_find (klass->options, entry->key);
  g_autofree char *groups = NULL;

  if (strcmp (entry->key, "backend") == 0)
    return TRUE;
  if (option != NULL && option->is_common)
    return malt_option_check (option, entry->value, entry->origin_text, error);
  if (entry->origin == MALT_ORIGIN_ENVIRONMENT)
    return TRUE;
  groups = malt_option_dup_groups (entry->key);
  if (groups == NULL)
    {
      set_unknown_option (entry, chosen, FALSE, error);
      return FALSE;
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s' (%s): not a common option of backend '%s'; move it to %s",
               entry->key, entry->origin_text, klass->name, groups);
  return FALSE;
}

static gboolean
check_for_backend (const MaltConfigEntry *entry, GError **error)
{
  g_autoptr (MaltBackend) backend = malt_backend_lookup (entry->backend, NULL);
  const MaltOption *option;

  if (backend == NULL)
    return TRUE;
  option = malt_option_find (malt_backend_get_class (backend)->options, entry->key);
  if (option != NULL)
    return malt_option_check (option, entry->value, entry->origin_text, error);
  set_unknown_option (entry, backend, FALSE, error);
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
