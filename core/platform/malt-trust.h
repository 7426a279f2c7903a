/* SPDX-License-Identifier: MIT */
/* What may be believed: the environment, and files and directories that other users could
 * have written. Internal to the library.
 *
 * A file is trusted if nobody but root and the effective user can change what is found
 * under its name: it, each directory on the way, and each symbolic link on the way belong
 * to one of the two, and group and others cannot write them. A directory on the way that
 * is root's and sticky, as /tmp, may be writable: nobody can replace there what belongs
 * to somebody else. So what has been checked stays what it is, and can be opened by its
 * name afterwards. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* FALSE in a program that runs with more rights than its user has (AT_SECURE): it must
 * not do what the user's environment or files say. */
gboolean malt_trust_environment (void);

/* A regular file that is named. All these fail with MALT_ERROR_CONFIG, which names the
 * path, what is wrong with it and what was expected. */
gboolean malt_trust_check_file (const char *path, GError **error);

/* A directory whose files are taken whatever their names: must not be writable by others,
 * sticky or not. */
gboolean malt_trust_check_directory (const char *path, GError **error);

/* Is it a regular file, no link, that belongs to the effective user and that nobody else
 * can write? The way to it is not looked at. */
gboolean malt_trust_is_own_file (const char *path);

/* Checks a file and reads it. What was opened is what was checked. @out_contents:
 * (transfer full), with a NUL byte behind it. */
gboolean malt_trust_read_file (const char *path, gsize max_bytes, char **out_contents,
                               gsize *out_length, GError **error);

G_END_DECLS
