/* SPDX-License-Identifier: MIT */
/* Where a test program's key files are: directories of its own in place of the user's and
 * the system's. */
#pragma once

#include "malt-test.h"

#include <glib/gstdio.h>

/* user/malt/malt.conf, first/malt/malt.conf, second/malt/malt.conf below one directory;
 * and own.conf. */
typedef struct
{
  char *top; /* (owned) */
} KeyFileFolder;

extern KeyFileFolder key_files;

/* First of all: GLib asks for the directories once. */
gboolean key_files_prepare (void);
void key_files_remove (void);

/* The path of "user", "first", "second", or "own". */
char *key_files_path (const char *which);
void key_files_write (const char *which, const char *text);

/* Removes all files and variables of a test. */
void key_files_clear (void);

/* The same with slashes between the parts of paths. (transfer full) */
char *key_files_dup_slashes (const char *text);

/* What the files say. A failure is recorded if they are refused. @profile: (nullable) */
MaltConfig *key_files_make_config (const char *profile);
gboolean key_files_are_accepted (void);
/* Records a failure unless they are refused, with a message that has both texts; in it,
 * paths have slashes. */
void key_files_check_refused (const char *profile, const char *first, const char *second);
