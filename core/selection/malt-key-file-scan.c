/* SPDX-License-Identifier: MIT */
/*
 * Key files, line by line: groups, keys and values, each with its line.
 *
 * GKeyFile is what values mean (malt-key-file-check.c); but it says nothing of lines,
 * joins groups of one name, and of two equal keys keeps the last. Here both are errors,
 * so the lines are taken apart by themselves.
 */
#include "selection/malt-key-file.h"

#include "base/malt-error-private.h"

#include <malt/malt-backend.h>
#include <string.h>

#define MAX_QUOTED_CHARS 60
#define MAX_PATH_CHARS 400
#define BLANKS " \t"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct
{
  MaltKeyFile *file; /* (owned) */
  GHashTable *lines; /* (owned): "group name" or "group name\nkey" to its line */
  MaltKeyFileGroup *group; /* (unowned) (nullable): the one that lines belong to */
  guint line;
} Scan;

/* Errors */

gboolean
malt_key_file_fail (const char *path, guint line, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG, "%s:%u: %s", path, line, message);
  return FALSE;
}

#define scan_fail(scan, error, ...) \
  malt_key_file_fail ((scan)->file->path, (scan)->line, error, __VA_ARGS__)

/* Parts of a file */

static void
entry_free (gpointer data)
{
  MaltKeyFileEntry *entry = data;

  g_free (entry->key);
  g_free (entry->raw);
  g_free (entry->value);
  g_free (entry);
}

static void
group_free (gpointer data)
{
  MaltKeyFileGroup *group = data;

  g_free (group->name);
  g_free (group->profile);
  g_ptr_array_unref (group->entries);
  g_clear_pointer (&group->backend, malt_backend_unref);
  g_free (group);
}

void
malt_key_file_free (MaltKeyFile *file)
{
  g_free (file->path);
  g_ptr_array_unref (file->groups);
  g_free (file);
}

static MaltKeyFile *
key_file_new (const char *path)
{
  MaltKeyFile *file = g_new0 (MaltKeyFile, 1);

  file->path = malt_text_to_line (path, MAX_PATH_CHARS);
  file->groups = g_ptr_array_new_with_free_func (group_free);
  return file;
}

static void
add_group (Scan *scan, const char *name)
{
  MaltKeyFileGroup *group = g_new0 (MaltKeyFileGroup, 1);

  group->name = g_strdup (name);
  group->line = scan->line;
  group->entries = g_ptr_array_new_with_free_func (entry_free);
  g_ptr_array_add (scan->file->groups, group);
  scan->group = group;
}

static void
add_entry (Scan *scan, const char *key, const char *raw)
{
  MaltKeyFileEntry *entry = g_new0 (MaltKeyFileEntry, 1);

  entry->key = g_strdup (key);
  entry->raw = g_strdup (raw);
  entry->line = scan->line;
  g_ptr_array_add (scan->group->entries, entry);
}

/* The line on which this stood before, or 0; remembers it. Takes the name over. */
static guint
note_line (Scan *scan, char *name)
{
  guint line = GPOINTER_TO_UINT (g_hash_table_lookup (scan->lines, name));

  if (line != 0)
    g_free (name);
  else
    g_hash_table_insert (scan->lines, name, GUINT_TO_POINTER (scan->line));
  return line;
}

/* Lines */

/* "profile  test" to "profile test". */
static char *
dup_with_single_blanks (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, BLANKS, -1);
  g_autoptr (GString) joined = g_string_new (NULL);

  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", *word);
  return g_string_free (g_steal_pointer (&joined), FALSE);
}

static gboolean
scan_group (Scan *scan, const char *line, GError **error)
{
  gsize length = strlen (line);
  g_autofree char *inside = NULL;
  g_autofree char *name = NULL;
  g_autofree char *shown = NULL;
  guint before;

  inside = g_strndup (line + 1, line[length - 1] == ']' ? length - 2 : length - 1);
  name = dup_with_single_blanks (inside);
  shown = malt_text_to_line (line, MAX_QUOTED_CHARS);
  if (length < 2 || line[length - 1] != ']' || strpbrk (name, "[]") != NULL)
    return scan_fail (scan, error, "expected a group as [NAME], got '%s'", shown);
  if (*name == '\0')
    return scan_fail (scan, error, "expected a name between [ and ]");
  before = note_line (scan, g_strdup (name));
  if (before != 0)
    return scan_fail (scan, error,
                      "group '%s' stands here again, expected once; it begins on line %u",
                      shown, before);
  if (scan->file->groups->len >= MALT_KEY_FILE_MAX_GROUPS)
    return scan_fail (scan, error, "one group more than the %d that a file can have",
                      MALT_KEY_FILE_MAX_GROUPS);
  add_group (scan, name);
  return TRUE;
}

static gboolean
scan_entry (Scan *scan, char *line, GError **error)
{
  char *equals = strchr (line, '=');
  g_autofree char *shown = malt_text_to_line (line, MAX_QUOTED_CHARS);
  guint before;

  if (equals == NULL)
    return scan_fail (
        scan, error, "expected '[group]', 'key = value' or '# comment', got '%s'", shown);
  *equals = '\0';
  g_free (shown);
  shown = malt_text_to_line (g_strchomp (line), MAX_QUOTED_CHARS);
  if (*line == '\0')
    return scan_fail (scan, error, "expected a key before '='");
  if (scan->group == NULL)
    return scan_fail (
        scan, error,
        "key '%s' stands before the first group, expected a line such as [malt] above it",
        shown);
  before = note_line (scan, g_strconcat (scan->group->name, "\n", line, NULL));
  if (before != 0)
    return scan_fail (scan, error,
                      "key '%s' stands here again, expected once in [%s]; it stands on "
                      "line %u",
                      shown, scan->group->name, before);
  add_entry (scan, line, g_strchug (equals + 1));
  return TRUE;
}

/* Neither blanks at its ends nor the end of the line are left. */
static gboolean
scan_text (Scan *scan, char *text, GError **error)
{
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t')
      return scan_fail (
          scan, error,
          "control character %d, expected text; a value can have \\n, \\r and \\t",
          (int) *p);
  if (*text == '\0' || *text == '#')
    return TRUE;
  if (*text == '[')
    return scan_group (scan, text, error);
  return scan_entry (scan, text, error);
}

static gboolean
scan_line (Scan *scan, const char *line, gsize n_bytes, GError **error)
{
  g_autofree char *text = NULL;

  if (n_bytes > 0 && line[n_bytes - 1] == '\r')
    n_bytes--;
  if (n_bytes > MALT_KEY_FILE_MAX_LINE_BYTES)
    return scan_fail (scan, error,
                      "a line of %" G_GSIZE_FORMAT " bytes, expected at most %d", n_bytes,
                      MALT_KEY_FILE_MAX_LINE_BYTES);
  if (memchr (line, '\0', n_bytes) != NULL)
    return scan_fail (scan, error, "a NUL byte, expected text");
  if (!g_utf8_validate_len (line, n_bytes, NULL))
    return scan_fail (scan, error, "bytes that are no UTF-8, expected text in UTF-8");
  while (n_bytes > 0 && strchr (BLANKS, line[n_bytes - 1]) != NULL)
    n_bytes--;
  text = g_strndup (line, n_bytes);
  return scan_text (scan, text + strspn (text, BLANKS), error);
}

static gboolean
scan_lines (Scan *scan, const char *text, gsize n_bytes, GError **error)
{
  const char *end = text + n_bytes;

  if (n_bytes >= strlen (BYTE_ORDER_MARK) &&
      memcmp (text, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0)
    text += strlen (BYTE_ORDER_MARK);
  while (text < end)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *line_end = newline != NULL ? newline : end;

      scan->line++;
      if (!scan_line (scan, text, (gsize) (line_end - text), error))
        return FALSE;
      text = newline != NULL ? newline + 1 : end;
    }
  return TRUE;
}

MaltKeyFile *
malt_key_file_scan (const char *path, const char *text, gsize n_bytes, GError **error)
{
  g_autoptr (MaltKeyFile) file = key_file_new (path);
  g_autoptr (GHashTable) lines =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Scan scan = { .file = file, .lines = lines };

  if (n_bytes > MALT_KEY_FILE_MAX_BYTES)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_CONFIG,
                   "'%s' is too large, expected at most %d bytes", file->path,
                   MALT_KEY_FILE_MAX_BYTES);
      return NULL;
    }
  return scan_lines (&scan, text, n_bytes, error) ? g_steal_pointer (&file) : NULL;
}
