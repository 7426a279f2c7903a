/* SPDX-License-Identifier: MIT */
/*
 * Key files: what the groups, keys and values of one mean.
 *
 * All of a file is checked when it is read, also groups of backends and profiles that are
 * not taken, so that a mistake does not wait for the day on which they are: each name and
 * value by itself, and each profile as the whole that it is together with the plain
 * groups. What only shows together with other files, the environment and the program is
 * checked at the launch (malt-option.c).
 */
#include "selection/malt-key-file.h"

#include "base/malt-error-private.h"
#include "selection/malt-backend-private.h"
#include "selection/malt-config-private.h"
#include "selection/malt-option.h"

#include <malt/malt-backend.h>
#include <string.h>

#define COMMON_GROUP "malt"
#define BACKEND_KEY "backend"
#define AUTO "auto"
#define PROFILE_WORD "profile"
#define JULIA_KEY "julia"
#define MAX_QUOTED_CHARS 60

/* What all checks of a file need. */
typedef struct
{
  MaltKeyFile *file;
  GPtrArray *backends; /* (owned): of MaltBackend */
  GKeyFile *values; /* (owned): what values mean */
} Check;

static void
check_clear (Check *check)
{
  g_ptr_array_unref (check->backends);
  g_key_file_unref (check->values);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

#define check_fail(check, line, error, ...) \
  malt_key_file_fail ((check)->file->path, line, error, __VA_ARGS__)

static const MaltOption *
get_options (Check *check, guint index)
{
  return malt_backend_get_traits (g_ptr_array_index (check->backends, index))->options;
}

/* Likeness */

/* How many letters must be added, dropped or changed to make one word of the other. */
static gsize
count_edits (const char *from, const char *to)
{
  gsize row[MAX_QUOTED_CHARS + 1];
  gsize n = strlen (to);

  for (gsize j = 0; j <= n; j++)
    row[j] = j;
  for (gsize i = 0; from[i] != '\0'; i++)
    {
      gsize diagonal = row[0];

      row[0] = i + 1;
      for (gsize j = 0; j < n; j++)
        {
          gsize changed = diagonal + (from[i] != to[j] ? 1 : 0);

          diagonal = row[j + 1];
          row[j + 1] = MIN (changed, MIN (row[j], diagonal) + 1);
        }
    }
  return row[n];
}

/* "did you mean 'threads'? ", or nothing. (transfer full) */
static char *
dup_suggestion (const char *word, GPtrArray *names)
{
  const char *nearest = NULL;
  gsize least = 3;

  if (strlen (word) > MAX_QUOTED_CHARS)
    return g_strdup ("");
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      gsize n_edits;

      if (strlen (name) > MAX_QUOTED_CHARS)
        continue;
      n_edits = count_edits (word, name);
      if (n_edits < least && n_edits < strlen (name))
        {
          nearest = name;
          least = n_edits;
        }
    }
  return nearest != NULL ? g_strdup_printf ("did you mean '%s'? ", nearest)
                         : g_strdup ("");
}

/* Groups */

/* "[malt], [profile NAME], [profile NAME BACKEND], [one], [another]" */
static char *
dup_known_groups (Check *check)
{
  GString *known = g_string_new ("[" COMMON_GROUP "], [" PROFILE_WORD
                                 " NAME], [" PROFILE_WORD " NAME BACKEND]");

  for (guint i = 0; i < check->backends->len; i++)
    g_string_append_printf (
        known, ", [%s]", malt_backend_get_name (g_ptr_array_index (check->backends, i)));
  return g_string_free (known, FALSE);
}

static MaltBackend *
find_backend (Check *check, const char *name)
{
  for (guint i = 0; i < check->backends->len; i++)
    {
      MaltBackend *backend = g_ptr_array_index (check->backends, i);

      if (strcmp (malt_backend_get_name (backend), name) == 0)
        return backend;
    }
  return NULL;
}

static GPtrArray *
list_backend_names (Check *check)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < check->backends->len; i++)
    g_ptr_array_add (
        names, (gpointer) malt_backend_get_name (g_ptr_array_index (check->backends, i)));
  return names;
}

static gboolean
is_profile_name (const char *name)
{
  if (!g_ascii_isalnum (*name) || strlen (name) > MALT_KEY_FILE_MAX_PROFILE_BYTES)
    return FALSE;
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-_.", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
fail_unknown_group (Check *check, const MaltKeyFileGroup *group, GError **error)
{
  g_autofree char *name = malt_text_to_line (group->name, MAX_QUOTED_CHARS);
  g_autofree char *known = dup_known_groups (check);
  g_autoptr (GPtrArray) names = list_backend_names (check);
  g_autofree char *suggestion = NULL;

  g_ptr_array_add (names, (gpointer) COMMON_GROUP);
  suggestion = dup_suggestion (group->name, names);
  return check_fail (check, group->line, error, "unknown group '[%s]'; %sknown: %s", name,
                     suggestion, known);
}

static gboolean
check_profile_group (Check *check, MaltKeyFileGroup *group, GError **error)
{
  g_auto (GStrv) words = g_strsplit (group->name, " ", -1);
  guint n_words = g_strv_length (words);
  g_autofree char *shown = malt_text_to_line (group->name, MAX_QUOTED_CHARS);
  MaltBackend *backend;

  if (n_words < 2 || n_words > 3 || !is_profile_name (words[1]))
    return check_fail (check, group->line, error,
                       "group '[%s]': expected [" PROFILE_WORD " NAME] or [" PROFILE_WORD
                       " NAME BACKEND], a NAME of at most %d letters, digits, '-', '_' "
                       "and '.'",
                       shown, MALT_KEY_FILE_MAX_PROFILE_BYTES);
  group->profile = g_strdup (words[1]);
  if (n_words == 2)
    return TRUE;
  backend = find_backend (check, words[2]);
  if (backend == NULL)
    return fail_unknown_group (check, group, error);
  group->backend = malt_backend_ref (backend);
  return TRUE;
}

/* Finds out what the group is for. */
static gboolean
check_group_name (Check *check, MaltKeyFileGroup *group, GError **error)
{
  MaltBackend *backend;

  if (strcmp (group->name, COMMON_GROUP) == 0)
    return TRUE;
  if (strcmp (group->name, PROFILE_WORD) == 0 ||
      g_str_has_prefix (group->name, PROFILE_WORD " "))
    return check_profile_group (check, group, error);
  backend = find_backend (check, group->name);
  if (backend == NULL)
    return fail_unknown_group (check, group, error);
  group->backend = malt_backend_ref (backend);
  return TRUE;
}

/* Keys */

/* The options that can stand in a group: those of its backend, or all common ones. */
static GPtrArray *
list_options (Check *check, const MaltKeyFileGroup *group)
{
  GPtrArray *options = g_ptr_array_new ();

  for (guint i = 0; i < check->backends->len; i++)
    {
      if (group->backend != NULL &&
          group->backend != g_ptr_array_index (check->backends, i))
        continue;
      for (const MaltOption *option = get_options (check, i); option->name != NULL;
           option++)
        if (group->backend != NULL || option->is_common)
          g_ptr_array_add (options, (gpointer) option);
    }
  return options;
}

static gboolean
has_name (GPtrArray *names, const char *name)
{
  return g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL);
}

/* The names of options, each once; they belong to the options. */
static GPtrArray *
list_names (GPtrArray *options, gboolean is_common)
{
  GPtrArray *names = g_ptr_array_new ();

  if (is_common)
    g_ptr_array_add (names, (gpointer) BACKEND_KEY);
  for (guint i = 0; i < options->len; i++)
    {
      const MaltOption *option = g_ptr_array_index (options, i);

      if (!has_name (names, option->name))
        g_ptr_array_add (names, (gpointer) option->name);
    }
  return names;
}

static gboolean
fail_unknown_key (Check *check, const MaltKeyFileGroup *group,
                  const MaltKeyFileEntry *entry, GPtrArray *options, GError **error)
{
  g_autofree char *key = malt_text_to_line (entry->key, MAX_QUOTED_CHARS);
  g_autofree char *groups =
      group->backend == NULL ? malt_backend_dup_groups_of_option (key) : NULL;
  g_autoptr (GPtrArray) names = list_names (options, group->backend == NULL);
  g_autofree char *suggestion = dup_suggestion (entry->key, names);
  g_autofree char *known = NULL;

  if (groups != NULL)
    return check_fail (check, entry->line, error,
                       "key '%s' in [%s]: not an option that backends have in common; "
                       "move it to %s",
                       key, group->name, groups);
  g_ptr_array_add (names, NULL);
  known = malt_text_list ((const char *const *) names->pdata);
  return check_fail (check, entry->line, error, "unknown key '%s' in [%s]; %sknown: %s",
                     key, group->name, suggestion, *known != '\0' ? known : "none");
}

/* Values */

/* The text form of the value, or NULL if it has a backslash that means nothing. */
static char *
dup_value (Check *check, const MaltKeyFileEntry *entry, MaltOptionType type)
{
  g_auto (GStrv) texts = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_key_file_set_value (check->values, "x", "x", entry->raw);
  if (type == MALT_OPTION_STRINGS)
    {
      texts = g_key_file_get_string_list (check->values, "x", "x", NULL, &error);
      text = texts != NULL ? malt_strings_join ((const char *const *) texts) : NULL;
    }
  else
    text = g_key_file_get_string (check->values, "x", "x", &error);
  return error == NULL ? g_steal_pointer (&text)
                       : NULL; /* both may give something with an error */
}

static gboolean
fail_value (Check *check, const MaltKeyFileGroup *group, const MaltKeyFileEntry *entry,
            const char *expectation, GError **error)
{
  g_autofree char *value = malt_text_to_line (entry->raw, MAX_QUOTED_CHARS);

  return check_fail (check, entry->line, error, "key '%s' in [%s]: expected %s, got '%s'",
                     entry->key, group->name, expectation, value);
}

static gboolean
check_backend_value (Check *check, const MaltKeyFileGroup *group, MaltKeyFileEntry *entry,
                     GError **error)
{
  g_autoptr (GPtrArray) names = list_backend_names (check);
  g_autofree char *suggestion = NULL;
  g_autofree char *known = NULL;
  g_autofree char *expectation = NULL;

  entry->value = dup_value (check, entry, MALT_OPTION_STRING);
  if (entry->value != NULL &&
      (strcmp (entry->value, AUTO) == 0 || has_name (names, entry->value)))
    return TRUE;
  suggestion = g_strchomp (dup_suggestion (entry->raw, names));
  g_ptr_array_insert (names, 0, (gpointer) AUTO);
  g_ptr_array_add (names, NULL);
  known = malt_text_list ((const char *const *) names->pdata);
  expectation = *suggestion != '\0'
                    ? g_strdup_printf ("one of %s (%s)", known, suggestion)
                    : g_strdup_printf ("one of %s", known);
  return fail_value (check, group, entry, expectation, error);
}

/* A path that begins in whatever directory the host happens to run would be a program for
 * anybody to put there. */
static gboolean
is_julia_of_the_current_directory (const MaltOption *option, const char *value)
{
  return option->is_common && strcmp (option->name, JULIA_KEY) == 0 &&
         strpbrk (value, "/" G_DIR_SEPARATOR_S) != NULL && !g_path_is_absolute (value);
}

/* The value must be one that an option of that name accepts; of a common one there may be
 * several. */
static gboolean
check_value (Check *check, const MaltKeyFileGroup *group, MaltKeyFileEntry *entry,
             GPtrArray *options, GError **error)
{
  const MaltOption *first = NULL;
  g_autofree char *expectation = NULL;

  for (guint i = 0; i < options->len; i++)
    {
      const MaltOption *option = g_ptr_array_index (options, i);

      if (strcmp (option->name, entry->key) != 0)
        continue;
      if (entry->value == NULL)
        entry->value = dup_value (check, entry, option->type);
      if (entry->value == NULL)
        return fail_value (check, group, entry,
                           option->type == MALT_OPTION_STRINGS
                               ? "\\\\, \\;, \\s, \\n, \\r or \\t for each backslash"
                               : "\\\\, \\s, \\n, \\r or \\t for each backslash",
                           error);
      if (is_julia_of_the_current_directory (option, entry->value))
        return fail_value (check, group, entry,
                           "an absolute path, or a name to look up in PATH", error);
      if (malt_option_accepts (option, entry->value))
        return TRUE;
      first = first != NULL ? first : option;
    }
  if (first == NULL)
    return fail_unknown_key (check, group, entry, options, error);
  expectation = malt_option_dup_expectation (first);
  return fail_value (check, group, entry, expectation, error);
}

/* Of a module that could not be loaded: only who names it is to know of that. */
static gboolean
is_unusable (MaltBackend *backend)
{
  return backend != NULL && malt_backend_get_refusal (backend) != NULL;
}

static gboolean
check_group (Check *check, MaltKeyFileGroup *group, GError **error)
{
  g_autoptr (GPtrArray) options = NULL;

  if (!check_group_name (check, group, error))
    return FALSE;
  if (is_unusable (group->backend))
    {
      /* Nobody knows its options, and nobody will ask for them. */
      g_ptr_array_set_size (group->entries, 0);
      return TRUE;
    }
  options = list_options (check, group);
  for (guint i = 0; i < group->entries->len; i++)
    {
      MaltKeyFileEntry *entry = g_ptr_array_index (group->entries, i);
      gboolean is_backend =
          group->backend == NULL && strcmp (entry->key, BACKEND_KEY) == 0;

      if (is_backend ? !check_backend_value (check, group, entry, error)
                     : !check_value (check, group, entry, options, error))
        return FALSE;
    }
  return TRUE;
}

/* Contradictions: common options that the backend which is named beside them does not have */

static const MaltKeyFileGroup *
find_common_group (Check *check, const char *profile)
{
  for (guint i = 0; i < check->file->groups->len; i++)
    {
      const MaltKeyFileGroup *group = g_ptr_array_index (check->file->groups, i);

      if (group->backend == NULL && g_strcmp0 (group->profile, profile) == 0)
        return group;
    }
  return NULL;
}

/* The backend that the group names, if any. */
static const MaltKeyFileEntry *
find_backend_entry (const MaltKeyFileGroup *group)
{
  for (guint i = 0; group != NULL && i < group->entries->len; i++)
    {
      const MaltKeyFileEntry *entry = g_ptr_array_index (group->entries, i);

      if (strcmp (entry->key, BACKEND_KEY) == 0)
        return entry;
    }
  return NULL;
}

static gboolean
check_suits (Check *check, const MaltKeyFileGroup *group, const MaltKeyFileEntry *entry,
             const MaltKeyFileEntry *named, GError **error)
{
  MaltBackend *backend = find_backend (check, named->value);
  const MaltOption *option =
      malt_option_find (malt_backend_get_traits (backend)->options, entry->key);
  g_autofree char *expectation = NULL;
  g_autofree char *groups = NULL;

  if (option != NULL && option->is_common)
    {
      if (malt_option_accepts (option, entry->value))
        return TRUE;
      expectation = malt_option_dup_expectation (option);
      return fail_value (check, group, entry, expectation, error);
    }
  groups = malt_backend_dup_groups_of_option (entry->key);
  return check_fail (
      check, entry->line, error,
      "key '%s' in [%s]: not a common option of backend '%s', which line %u "
      "names; move it to %s",
      entry->key, group->name, named->value, named->line, groups);
}

static gboolean
check_all_suit (Check *check, const MaltKeyFileGroup *group,
                const MaltKeyFileEntry *named, GError **error)
{
  for (guint i = 0; group != NULL && i < group->entries->len; i++)
    {
      const MaltKeyFileEntry *entry = g_ptr_array_index (group->entries, i);

      if (strcmp (entry->key, BACKEND_KEY) != 0 &&
          !check_suits (check, group, entry, named, error))
        return FALSE;
    }
  return TRUE;
}

/* The plain groups, or a profile (nullable) on top of them. */
static gboolean
check_whole (Check *check, const char *profile, GError **error)
{
  const MaltKeyFileGroup *plain = find_common_group (check, NULL);
  const MaltKeyFileGroup *own = profile ? find_common_group (check, profile) : NULL;
  const MaltKeyFileEntry *named = find_backend_entry (own);

  if (named == NULL)
    named = find_backend_entry (plain);
  if (named == NULL || strcmp (named->value, AUTO) == 0 ||
      is_unusable (find_backend (check, named->value)))
    return TRUE;
  return check_all_suit (check, plain, named, error) &&
         check_all_suit (check, own, named, error);
}

static gboolean
check_file (Check *check, GError **error)
{
  for (guint i = 0; i < check->file->groups->len; i++)
    if (!check_group (check, g_ptr_array_index (check->file->groups, i), error))
      return FALSE;
  if (!check_whole (check, NULL, error))
    return FALSE;
  for (guint i = 0; i < check->file->groups->len; i++)
    {
      const MaltKeyFileGroup *group = g_ptr_array_index (check->file->groups, i);

      if (group->profile != NULL && group->backend == NULL &&
          !check_whole (check, group->profile, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
malt_key_file_check (MaltKeyFile *file, GError **error)
{
  g_auto (Check) check = { .file = file,
                           .backends = malt_backend_list (),
                           .values = g_key_file_new () };

  return check_file (&check, error);
}
