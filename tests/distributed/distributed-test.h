/* SPDX-License-Identifier: MIT */
/* What the tests of the distributed backend share, besides what those of worker processes do. */
#pragma once

#include "process-test.h"

#include "malt-distributed-worker.h"

G_BEGIN_DECLS

/* As process_test_main_with_julia(). @out_keeper gets a worker for the time of the tests,
 * which holds its bridge, with @options (nullable); nothing may be left of either when
 * the tests are over. */
int distributed_test_main (int argc, char **argv, const char *suite,
                           const ProcessTest *tests, const char *const *options,
                           MaltWorker **out_keeper);

/* Two processes that have to be gone when a test is over. */
typedef struct
{
  gint64 bridge;
  gint64 worker;
} DistributedProcesses;

DistributedProcesses distributed_test_get_processes (MaltWorker *worker);
/* Waits for their ends; FALSE, and says which is left, if they do not come. */
gboolean distributed_test_are_gone (DistributedProcesses processes);

/* The error of a launch that has to fail. */
#define distributed_test_fail(...) \
  distributed_test_fail_with ((const char *const[]){ __VA_ARGS__, NULL })
GError *distributed_test_fail_with (const char *const *options);

/* Is the error of this kind, and does its text have all these parts, ended by NULL? Says
 * what it is, if not. */
#define distributed_test_is_error(error, code, ...) \
  distributed_test_check_error (error, code, (const char *const[]){ __VA_ARGS__, NULL })
gboolean distributed_test_check_error (const GError *error, MaltError code,
                                       const char *const *parts);

/* The call ends with the worker; the error is (transfer full), NULL if it ends otherwise. */
GError *distributed_test_fetch_end (MaltFuture *future);

/* Is "last words" among the last lines of the worker? */
gboolean distributed_test_has_words (MaltTermination *termination, const char *words);

/* What a script, or a manager, wrote into the file `pid` of the folder; 0 before it did. */
gint64 distributed_test_read_pid (const ProcessTestScript *script);
void distributed_test_remove_pid (const ProcessTestScript *script);
/* A ProcessTestCondition: @script is a ProcessTestScript. */
gboolean distributed_test_has_pid (gpointer script);

typedef struct
{
  ProcessTestScript *script; /* (unowned) */
  GCancellable *cancellable; /* (unowned) */
} DistributedTestCanceller;

/* A thread that cancels when the file is written. */
gpointer distributed_test_cancel_when_it_runs (gpointer canceller);

G_END_DECLS
