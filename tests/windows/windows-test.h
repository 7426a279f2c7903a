/* SPDX-License-Identifier: MIT */
/* What the tests for Windows share. */
#pragma once

#include "malt-test.h"
#include "platform/malt-process-launcher.h"
#include "platform/windows/malt-process-launcher-windows.h"

G_BEGIN_DECLS

/* How long an event that must come may take: longer than any machine needs. */
#define WINDOWS_TEST_PATIENCE_MS 60000

/* Programs whose first argument names a backend: runs the tests over it. */
int windows_test_main (int argc, char **argv, const char *title, CU_TestInfo *tests);
const char *windows_test_get_backend (void);
void windows_test_choose_backend (const char *name);
/* Is the worker a child of this process? */
gboolean windows_test_is_direct (void);

/* The program that stands for julia. (transfer full) */
char *windows_test_dup_fake (void);

/* A config whose workers are made of it. @backend: (nullable): auto. */
MaltConfig *windows_test_config_new (const char *backend);

/* NULL: it has failed, and a failure has been recorded. */
MaltWorker *windows_test_launch (MaltConfig *config);
/* Of the backend that the tests are run over. */
MaltWorker *windows_test_launch_one (void);

/* What a line of script gives. */
char *windows_test_dup_text (MaltWorker *worker, const char *line, GError **error);
gint64 windows_test_get_int (MaltWorker *worker, const char *line, GError **error);

/* The end of a worker, for which it waits. (transfer full) (nullable) */
MaltTermination *windows_test_await_end (MaltWorker *worker);

/* Runs this thread's main context until it says so. FALSE: it did not in time. */
typedef gboolean (*WindowsTestCondition) (gpointer data);
gboolean windows_test_until (WindowsTestCondition is_true, gpointer data);

/* Handle of a process that runs; and does it end in time? Closes the handle. */
HANDLE windows_test_open_process (gint64 pid);
gboolean windows_test_ends (HANDLE process);

/* A folder for a test, with a name that is not ASCII. (transfer full) */
char *windows_test_make_folder (void);
void windows_test_remove_folder (const char *folder);
/* A copy of the fake there, under such a name, too. (transfer full) (nullable) */
char *windows_test_copy_fake (const char *folder);

/* A console of our own, which children share, where the test was started without one. */
void windows_test_need_console (void);

/* windows-look.c: what another process has in its memory: all of its command line, all of
 * its variables. (transfer full) (nullable) */
GBytes *windows_look_dup_command_line (gint64 pid);
GBytes *windows_look_dup_environment (gint64 pid);
/* Are these bytes in there? */
gboolean windows_look_contains (GBytes *memory, gconstpointer bytes, gsize n_bytes);
/* The same for a text, as Windows writes texts. */
gboolean windows_look_contains_text (GBytes *memory, const char *text);
/* 0: not known. */
gint64 windows_look_get_parent (gint64 pid);

G_END_DECLS
