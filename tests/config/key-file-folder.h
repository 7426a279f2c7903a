/* SPDX-License-Identifier: MIT */
/* Where a test program's key files are: directories of its own in place of the user's and the system's. */
#pragma once

#include "malt-test.h"

#include <glib/gstdio.h>

/* user/malt/malt.conf, first/malt/malt.conf, second/malt/malt.conf below one directory; and own.conf. */
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
