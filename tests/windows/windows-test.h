/* SPDX-License-Identifier: MIT */
/* What the tests for Windows share. */
#pragma once

#include "malt-test.h"
#include "process/malt-process-launcher-windows.h"
#include "process/malt-process-launcher.h"

G_BEGIN_DECLS

/* How long an event that must come may take: longer than any machine needs. */
#define WINDOWS_TEST_PATIENCE_MS 60000

/* The program that stands for julia. (transfer full) */
char *windows_test_dup_fake (void);

/* A config whose workers are made of it. @backend: (nullable): auto. */
MaltConfig *windows_test_config_new (const char *backend);

/* NULL: it has failed, and a failure has been recorded. */
MaltWorker *windows_test_launch (MaltConfig *config);

/* What a line of script gives. */
char *windows_test_dup_text (MaltWorker *worker, const char *line, GError **error);
gint64 windows_test_get_int (MaltWorker *worker, const char *line, GError **error);

/* The end of a worker, for which it waits. (transfer full) (nullable) */
MaltTermination *windows_test_await_end (MaltWorker *worker);

/* Handle of a process that runs; and does it end in time? Closes the handle. */
HANDLE windows_test_open_process (gint64 pid);
gboolean windows_test_ends (HANDLE process);

/* A folder for a test, with a name that is not ASCII. (transfer full) */
char *windows_test_make_folder (void);
void windows_test_remove_folder (const char *folder);

/* A console of our own, which children share, where the test was started without one. */
void windows_test_need_console (void);

G_END_DECLS
