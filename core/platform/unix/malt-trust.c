/* SPDX-License-Identifier: MIT */
/*
 * Trust on Unix.
 *
 * A path is walked from the root, one name at a time, as the kernel does it, and each
 * directory, link and file is looked at before the next name is taken. When a name is
 * looked at, its directory is known to be one in which no other user can replace it; so
 * nothing that was found can be something else when it is opened.
 */
#include "base/malt-error-private.h"
#include "platform/malt-trust-private.h"
#include "platform/unix/malt-descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

enum
{
  MAX_LINKS = 40, /* as Linux has it */
  OTHERS_MAY_WRITE = S_IWGRP | S_IWOTH,
};

gboolean
malt_trust_environment (void)
{
#if defined(__linux__)
  return getauxval (AT_SECURE) == 0;
#else
  return getuid () == geteuid () && getgid () == getegid ();
#endif
}

/* Errors */

static gboolean
refuse_by_errno (const char *path, const char *what, GError **error)
{
  int error_number = errno;

  malt_trust_refuse (path, error, "cannot be %s: %s", what, g_strerror (error_number));
  if (error != NULL)
    (*error)->code = malt_error_code_of_errno (error_number, MALT_ERROR_CONFIG);
  return FALSE;
}

/* What one file, link or directory is like */

static gboolean
check_owner (const char *path, const struct stat *status, GError **error)
{
  g_autofree char *user = NULL;

  if (status->st_uid == 0 || status->st_uid == geteuid ())
    return TRUE;
  if (geteuid () != 0)
    user = g_strdup_printf (" or user %u", (unsigned) geteuid ());
  return malt_trust_refuse (path, error, "belongs to user %u, expected root%s",
                            (unsigned) status->st_uid, user != NULL ? user : "");
}

static gboolean
check_mode (const char *path, const struct stat *status, GError **error)
{
  if (!(status->st_mode & OTHERS_MAY_WRITE))
    return TRUE;
  return malt_trust_refuse (
      path, error, "has mode %04o, expected that neither group nor others may write",
      (unsigned) status->st_mode & 07777);
}

static gboolean
check_entry (const char *path, const struct stat *status, GError **error)
{
  return check_owner (path, status, error) && check_mode (path, status, error);
}

/* A directory through which the path leads. */
static gboolean
check_way (const char *path, const struct stat *status, GError **error)
{
  if (!S_ISDIR (status->st_mode))
    return malt_trust_refuse (path, error, "is not a directory");
  if (status->st_uid == 0 && (status->st_mode & S_ISVTX))
    return TRUE;
  return check_entry (path, status, error);
}

/* The walk */

typedef struct
{
  GString *place; /* (owned): where the walk is; absolute, and without links */
  char *rest; /* (owned): what is still to be walked */
  guint n_links;
} Walk;

static void
walk_clear (Walk *walk)
{
  g_string_free (walk->place, TRUE);
  g_free (walk->rest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Walk, walk_clear)

static void
walk_init (Walk *walk, const char *path)
{
  g_autofree char *here = g_path_is_absolute (path) ? NULL : g_get_current_dir ();

  walk->place = g_string_new ("/");
  walk->rest = g_strconcat (here != NULL ? here : "", "/", path, NULL);
  walk->n_links = 0;
}

/* The next name, or NULL at the end. */
static char *
walk_take_name (Walk *walk)
{
  const char *start = walk->rest + strspn (walk->rest, "/");
  gsize length = strcspn (start, "/");
  char *name;

  if (length == 0)
    return NULL;
  name = g_strndup (start, length);
  memmove (walk->rest, start + length, strlen (start + length) + 1);
  return name;
}

static void
walk_enter (Walk *walk, const char *name)
{
  if (strcmp (name, "..") == 0)
    {
      const char *slash = strrchr (walk->place->str, '/');

      g_string_truncate (walk->place, MAX ((gsize) (slash - walk->place->str), 1));
      return;
    }
  if (walk->place->len > 1)
    g_string_append_c (walk->place, '/');
  g_string_append (walk->place, name);
}

/* The place is a link: leaves it for where it leads. */
static gboolean
walk_follow (Walk *walk, const struct stat *status, GError **error)
{
  g_autofree char *target = NULL;
  char *rest;

  if (!check_owner (walk->place->str, status, error))
    return FALSE;
  if (++walk->n_links > MAX_LINKS)
    return malt_trust_refuse (walk->place->str, error,
                              "is one of too many symbolic links");
  target = g_file_read_link (walk->place->str, NULL);
  if (target == NULL)
    return malt_trust_refuse (walk->place->str, error,
                              "cannot be read as a symbolic link");
  if (g_path_is_absolute (target))
    g_string_assign (walk->place, "/");
  else
    walk_enter (walk, "..");
  rest = g_strconcat (target, "/", walk->rest, NULL);
  g_free (walk->rest);
  walk->rest = rest;
  return TRUE;
}

/* Leaves the walk at what the path names in the end, which is no link and not checked yet. */
static gboolean
walk_to_end (Walk *walk, struct stat *out_status, GError **error)
{
  if (lstat ("/", out_status) != 0)
    return refuse_by_errno ("/", "looked at", error);
  for (;;)
    {
      g_autofree char *name = walk_take_name (walk);

      if (name == NULL)
        return TRUE;
      if (!check_way (walk->place->str, out_status, error))
        return FALSE;
      if (strcmp (name, ".") == 0)
        continue;
      walk_enter (walk, name);
      if (lstat (walk->place->str, out_status) != 0)
        return refuse_by_errno (walk->place->str, "looked at", error);
      if (!S_ISLNK (out_status->st_mode))
        continue;
      if (!walk_follow (walk, out_status, error))
        return FALSE;
      if (lstat (walk->place->str, out_status) != 0)
        return refuse_by_errno (walk->place->str, "looked at", error);
    }
}

static gboolean
walk_to_file (Walk *walk, GError **error)
{
  struct stat status;

  if (!walk_to_end (walk, &status, error))
    return FALSE;
  if (!S_ISREG (status.st_mode))
    return malt_trust_refuse (walk->place->str, error, "is not a regular file");
  return check_entry (walk->place->str, &status, error);
}

gboolean
malt_trust_check_file (const char *path, GError **error)
{
  g_auto (Walk) walk = { 0 };

  walk_init (&walk, path);
  return walk_to_file (&walk, error);
}

gboolean
malt_trust_check_directory (const char *path, GError **error)
{
  g_auto (Walk) walk = { 0 };
  struct stat status;

  walk_init (&walk, path);
  if (!walk_to_end (&walk, &status, error))
    return FALSE;
  if (!S_ISDIR (status.st_mode))
    return malt_trust_refuse (walk.place->str, error, "is not a directory");
  return check_entry (walk.place->str, &status, error);
}

gboolean
malt_trust_is_own_file (const char *path)
{
  struct stat status;

  return lstat (path, &status) == 0 && S_ISREG (status.st_mode) &&
         status.st_uid == geteuid () && (status.st_mode & OTHERS_MAY_WRITE) == 0;
}

/* Reading */

static gboolean
read_all (int descriptor, const char *path, gsize max_bytes, GByteArray *contents,
          GError **error)
{
  guint8 chunk[16384];

  for (;;)
    {
      ssize_t n = read (descriptor, chunk, sizeof chunk);

      if (n == 0)
        return TRUE;
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return refuse_by_errno (path, "read", error);
      if (contents->len + (gsize) n > max_bytes)
        return malt_trust_refuse (
            path, error, "is too large, expected at most %" G_GSIZE_FORMAT " bytes",
            max_bytes);
      g_byte_array_append (contents, chunk, (guint) n);
    }
}

/* The path was walked to; what is opened is looked at once more. */
static gboolean
read_walked (const char *path, gsize max_bytes, GByteArray *contents, GError **error)
{
  int descriptor = malt_descriptor_raise (
      open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  gboolean is_read = FALSE;

  if (descriptor < 0)
    return refuse_by_errno (path, "opened", error);
  if (fstat (descriptor, &status) != 0)
    refuse_by_errno (path, "looked at", error);
  else if (!S_ISREG (status.st_mode))
    malt_trust_refuse (path, error, "is not a regular file");
  else if (check_entry (path, &status, error))
    is_read = read_all (descriptor, path, max_bytes, contents, error);
  close (descriptor);
  return is_read;
}

gboolean
malt_trust_read_file (const char *path, gsize max_bytes, char **out_contents,
                      gsize *out_length, GError **error)
{
  g_autoptr (GByteArray) contents = g_byte_array_new ();
  g_auto (Walk) walk = { 0 };
  const guint8 end = 0;

  walk_init (&walk, path);
  if (!walk_to_file (&walk, error) ||
      !read_walked (walk.place->str, max_bytes, contents, error))
    return FALSE;
  *out_length = contents->len;
  g_byte_array_append (contents, &end, 1);
  *out_contents = (char *) g_byte_array_free (g_steal_pointer (&contents), FALSE);
  return TRUE;
}
