/* SPDX-License-Identifier: MIT */
/* MaltConfig: which backend, and with which options.
 *
 * A config is a list of entries (backend or none, key, value in text form, origin) and
 * nothing more: it knows no options. They are checked when a worker is launched,
 * against the table of the backend that was chosen (malt-option.c); what comes from key
 * files is checked when it is read, too (malt-key-file-check.c). Of the values for one backend
 * and key only that of the greatest origin is kept. The name of the backend is kept as the
 * common entry `backend`. A worker keeps a sealed copy; sealed configs are never changed
 * and so need no lock. */
#include "selection/malt-config-private.h"

#include <string.h>

#define BACKEND_KEY "backend"

/**
 * MaltConfig:
 *
 * Which backend, and with which options. Options that mean the same for every backend
 * are set with malt_config_set() and its companions, those of one backend with
 * malt_config_set_for(), which also wins over a common value for that backend; values for
 * backends that are not taken stay without effect. So one config can serve several
 * backends. Values are checked when a worker is launched.
 *
 * What the program sets wins over the environment, and the environment over key files.
 * docs/configuration.md describes both.
 *
 * A config is used by one thread at a time. malt_worker_launch() copies it.
 */
struct _MaltConfig
{
  GObject parent_instance;

  GPtrArray
      *entries; /* (owned): of MaltConfigEntry, in the order in which they were set */
  guint n_files; /* key files read so far */
  gboolean is_sealed;
};

G_DEFINE_FINAL_TYPE (MaltConfig, malt_config, G_TYPE_OBJECT)

static void
entry_free (gpointer data)
{
  MaltConfigEntry *entry = data;

  g_free (entry->backend);
  g_free (entry->key);
  g_free (entry->value);
  g_free (entry->origin_text);
  g_free (entry);
}

static void
malt_config_finalize (GObject *object)
{
  MaltConfig *config = MALT_CONFIG (object);

  g_ptr_array_unref (config->entries);
  G_OBJECT_CLASS (malt_config_parent_class)->finalize (object);
}

static void
malt_config_class_init (MaltConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = malt_config_finalize;
}

static void
malt_config_init (MaltConfig *config)
{
  config->entries = g_ptr_array_new_with_free_func (entry_free);
}

/* Entries */

static MaltConfigEntry *
find_entry (MaltConfig *config, const char *backend, const char *key)
{
  for (guint i = 0; i < config->entries->len; i++)
    {
      MaltConfigEntry *entry = g_ptr_array_index (config->entries, i);

      if (strcmp (entry->key, key) == 0 && g_strcmp0 (entry->backend, backend) == 0)
        return entry;
    }
  return NULL;
}

gsize
malt_config_get_n_entries (MaltConfig *config)
{
  return config->entries->len;
}

const MaltConfigEntry *
malt_config_get_entry (MaltConfig *config, gsize index)
{
  return g_ptr_array_index (config->entries, index);
}

static MaltConfigEntry *
entry_new (const char *backend, const char *key, const char *value, MaltOrigin origin,
           const char *origin_text)
{
  MaltConfigEntry *entry = g_new0 (MaltConfigEntry, 1);

  entry->backend = g_strdup (backend);
  entry->key = g_strdup (key);
  entry->value = g_strdup (value);
  entry->origin = origin;
  entry->origin_text = g_strdup (origin_text);
  return entry;
}

/* The texts may be those of the entry that is replaced. */
void
malt_config_set_from (MaltConfig *config, const char *backend, const char *key,
                      const char *value, MaltOrigin origin, const char *origin_text)
{
  MaltConfigEntry *old = find_entry (config, backend, key);

  if (old != NULL && old->origin > origin)
    return;
  if (value != NULL)
    g_ptr_array_add (config->entries,
                     entry_new (backend, key, value, origin, origin_text));
  if (old != NULL)
    g_ptr_array_remove (config->entries, old);
}

static void
set_by_program (MaltConfig *config, const char *backend, const char *key,
                const char *value)
{
  malt_config_set_from (config, backend, key, value, MALT_ORIGIN_PROGRAM,
                        "set by the program");
}

const MaltConfigEntry *
malt_config_find_for (MaltConfig *config, const char *backend, const char *key,
                      gboolean is_common)
{
  const MaltConfigEntry *own = find_entry (config, backend, key);
  const MaltConfigEntry *common = is_common ? find_entry (config, NULL, key) : NULL;

  if (own == NULL || common == NULL)
    return own != NULL ? own : common;
  return common->origin > own->origin ? common : own;
}

guint
malt_config_take_file_number (MaltConfig *config)
{
  config->n_files = MIN (config->n_files + 1, MALT_ORIGIN_PROFILE - 2);
  return config->n_files;
}

void
malt_config_seal (MaltConfig *config)
{
  config->is_sealed = TRUE;
}

gboolean
malt_config_is_sealed (MaltConfig *config)
{
  return config->is_sealed;
}

/* Construction */

/**
 * malt_config_new:
 *
 * Makes an empty config: no backend is named, no option is set, and neither the environment
 * nor key files are read.
 *
 * Returns: (transfer full): a config
 */
MaltConfig *
malt_config_new (void)
{
  return g_object_new (MALT_TYPE_CONFIG, NULL);
}

/**
 * malt_config_copy:
 * @config: a config
 *
 * Copies a config. The copy can be changed, also where the original belongs to a worker.
 *
 * Returns: (transfer full): the copy
 */
MaltConfig *
malt_config_copy (MaltConfig *config)
{
  MaltConfig *copy;

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  copy = malt_config_new ();
  copy->n_files = config->n_files;
  for (guint i = 0; i < config->entries->len; i++)
    {
      MaltConfigEntry *entry = g_ptr_array_index (config->entries, i);

      malt_config_set_from (copy, entry->backend, entry->key, entry->value, entry->origin,
                            entry->origin_text);
    }
  return copy;
}

/* Setting */

/**
 * malt_config_set_backend:
 * @config: a config
 * @name: (nullable): name of a backend; %NULL or "auto": the best one that isolates workers
 *   and can work here
 *
 * Names the backend. A backend that is named is taken or the launch fails: another one is
 * never taken instead.
 */
void
malt_config_set_backend (MaltConfig *config, const char *name)
{
  malt_config_set (config, BACKEND_KEY, name);
}

/**
 * malt_config_get_backend:
 * @config: a config
 *
 * Gives the name of the backend.
 *
 * Returns: (nullable): the name, which may be "auto"; %NULL: none was named
 */
const char *
malt_config_get_backend (MaltConfig *config)
{
  return malt_config_get (config, BACKEND_KEY);
}

/**
 * malt_config_set:
 * @config: a config, not that of a worker
 * @key: name of an option that backends have in common
 * @value: (nullable): its value in text form; %NULL: back to the default
 *
 * Sets an option for whichever backend is taken. If it is not one that this backend has in
 * common with others, the launch fails.
 */
void
malt_config_set (MaltConfig *config, const char *key, const char *value)
{
  g_return_if_fail (MALT_IS_CONFIG (config));
  g_return_if_fail (!config->is_sealed);
  g_return_if_fail (key != NULL && *key != '\0');
  set_by_program (config, NULL, key, value);
}

/**
 * malt_config_set_int:
 * @config: a config, not that of a worker
 * @key: name of an option that backends have in common
 * @value: its value
 *
 * Sets an option that is a whole number; see malt_config_set().
 */
void
malt_config_set_int (MaltConfig *config, const char *key, gint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  malt_config_set (config, key, text);
}

/**
 * malt_config_set_strings:
 * @config: a config, not that of a worker
 * @key: name of an option that backends have in common
 * @values: (array zero-terminated=1) (nullable): its value; %NULL: back to the default
 *
 * Sets an option that is a list of texts; see malt_config_set().
 */
void
malt_config_set_strings (MaltConfig *config, const char *key, const char *const *values)
{
  g_autofree char *text = values != NULL ? malt_strings_join (values) : NULL;

  malt_config_set (config, key, text);
}

/**
 * malt_config_set_for:
 * @config: a config, not that of a worker
 * @backend: name of a backend, which need not be known here
 * @key: name of an option that it has
 * @value: (nullable): its value in text form (lists: each text ended by `;`); %NULL: back to
 *   the common value or the default
 *
 * Sets an option for one backend only. It wins over a common value.
 */
void
malt_config_set_for (MaltConfig *config, const char *backend, const char *key,
                     const char *value)
{
  g_return_if_fail (MALT_IS_CONFIG (config));
  g_return_if_fail (!config->is_sealed);
  g_return_if_fail (backend != NULL && *backend != '\0');
  g_return_if_fail (key != NULL && *key != '\0');
  set_by_program (config, backend, key, value);
}

/**
 * malt_config_unset:
 * @config: a config, not that of a worker
 * @key: name of an option
 *
 * Drops the value that an option has for every backend, wherever it came from. Values for
 * single backends stay.
 */
void
malt_config_unset (MaltConfig *config, const char *key)
{
  malt_config_set (config, key, NULL);
}

/* Getting */

/**
 * malt_config_get:
 * @config: a config
 * @key: name of an option
 *
 * Gives the value that was set for every backend.
 *
 * Returns: (nullable): the value in text form, valid until it is changed; %NULL: not set
 */
const char *
malt_config_get (MaltConfig *config, const char *key)
{
  const MaltConfigEntry *entry;

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  entry = find_entry (config, NULL, key);
  return entry != NULL ? entry->value : NULL;
}

/**
 * malt_config_get_for:
 * @config: a config
 * @backend: name of a backend
 * @key: name of an option
 *
 * Gives the value that a backend would see: the one that was set for it, or the common
 * one, if that comes from something that wins, such as the program over a key file.
 *
 * Returns: (nullable): the value in text form, valid until it is changed; %NULL: not set
 */
const char *
malt_config_get_for (MaltConfig *config, const char *backend, const char *key)
{
  const MaltConfigEntry *entry;

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (key != NULL, NULL);
  entry = malt_config_find_for (config, backend, key, TRUE);
  return entry != NULL ? entry->value : NULL;
}

/**
 * malt_config_get_origin:
 * @config: a config
 * @key: name of an option
 *
 * Says where the value that is common to all backends comes from: "set by the program",
 * "environment MALT_BACKEND", "default", or the key file, the line and the group, as
 * "/etc/xdg/malt/malt.conf:3 [malt]".
 *
 * Returns: the origin
 */
const char *
malt_config_get_origin (MaltConfig *config, const char *key)
{
  const MaltConfigEntry *entry;

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  entry = find_entry (config, NULL, key);
  return entry != NULL ? entry->origin_text : "default";
}

/**
 * malt_config_get_origin_for:
 * @config: a config
 * @backend: name of a backend
 * @key: name of an option
 *
 * Says where the value comes from that malt_config_get_for() gives; see
 * malt_config_get_origin().
 *
 * Returns: the origin
 */
const char *
malt_config_get_origin_for (MaltConfig *config, const char *backend, const char *key)
{
  const MaltConfigEntry *entry;

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  g_return_val_if_fail (backend != NULL, NULL);
  g_return_val_if_fail (key != NULL, NULL);
  entry = malt_config_find_for (config, backend, key, TRUE);
  return entry != NULL ? entry->origin_text : "default";
}

/**
 * malt_config_dup_keys:
 * @config: a config
 *
 * Lists the options that have a value common to all backends, in the order in which they
 * were set.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names
 */
char **
malt_config_dup_keys (MaltConfig *config)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();

  g_return_val_if_fail (MALT_IS_CONFIG (config), NULL);
  for (guint i = 0; i < config->entries->len; i++)
    {
      MaltConfigEntry *entry = g_ptr_array_index (config->entries, i);

      if (entry->backend == NULL)
        g_strv_builder_add (keys, entry->key);
    }
  return g_strv_builder_end (keys);
}

/* Lists in text form */

char *
malt_strings_join (const char *const *texts)
{
  GString *joined = g_string_new (NULL);

  for (gsize i = 0; texts[i] != NULL; i++)
    {
      for (const char *p = texts[i]; *p != '\0'; p++)
        {
          if (*p == ';' || *p == '\\')
            g_string_append_c (joined, '\\');
          g_string_append_c (joined, *p);
        }
      g_string_append_c (joined, ';');
    }
  return g_string_free (joined, FALSE);
}

char **
malt_strings_split (const char *text)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  g_autoptr (GString) current = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    {
      if (*p == ';')
        {
          g_strv_builder_add (texts, current->str);
          g_string_truncate (current, 0);
          continue;
        }
      if (*p == '\\' && (p[1] == ';' || p[1] == '\\'))
        p++;
      g_string_append_c (current, *p);
    }
  if (current->len > 0)
    g_strv_builder_add (texts, current->str);
  return g_strv_builder_end (texts);
}
