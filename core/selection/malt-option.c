/* SPDX-License-Identifier: MIT */
/* Options of backends: their text forms, and the value of each in a config. */
#include "selection/malt-option.h"
#include "base/malt-error-private.h"
#include "selection/malt-config-private.h"

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
malt_option_check (const MaltOption *option, const char *value, const char *group,
                   const char *origin, GError **error)
{
  g_autofree char *place =
      group != NULL ? g_strdup_printf (" in [%s]", group) : g_strdup ("");
  g_autofree char *expectation = NULL;
  g_autofree char *line = NULL;

  if (malt_option_accepts (option, value))
    return TRUE;
  expectation = malt_option_dup_expectation (option);
  line = malt_text_to_line (value, MAX_VALUE_CHARS);
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
               "option '%s'%s (%s): expected %s, got '%s'", option->name, place, origin,
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
