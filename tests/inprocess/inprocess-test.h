/* SPDX-License-Identifier: MIT */
/* What the tests of the in-process backend share: workers, and hosts that are processes
 * of their own. */
#pragma once

#include "malt-test.h"

#include <sys/wait.h>

G_BEGIN_DECLS

/*
 * Julia is initialised once in a process and never again, and some code ends the process
 * that runs it. So a test program is a host with one Julia for most of its tests, and
 * what needs a host of its own is a role: the same program, started again by the test.
 */

/* How long an event that must come may take. */
#define INPROCESS_DEADLINE_MS 30000

typedef struct
{
  const char *name;
  int (*play) (void); /* returns the exit status of the host */
} InProcessRole;

/* Plays the role that the arguments name, or runs the tests, or those whose names the
 * arguments are. @roles: (nullable), ended by { NULL, NULL }, as the tests are. Status
 * 77, or 1 if MALT_TEST_REQUIRE_JULIA is 1, where there is no julia. */
int inprocess_test_main (int argc, char **argv, const char *suite,
                         const CU_TestInfo *tests, const InProcessRole *roles);

/* Hosts */

/* What became of a host. */
typedef struct
{
  gboolean is_ended; /* by itself, within the deadline */
  int wait_status;
  gint64 ended_us; /* g_get_monotonic_time() */
  char *output; /* (owned) */
  char *errors; /* (owned) */
} InProcessHost;

/* Runs this program in a role. @environment: NAME=VALUE to set and NAME to unset, ended
 * by NULL; at least that is given. */
#define inprocess_test_host(role, ...) \
  inprocess_test_run_host (role, (const char *const[]){ __VA_ARGS__, NULL })
InProcessHost *inprocess_test_run_host (const char *role, const char *const *environment);
void inprocess_host_free (InProcessHost *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (InProcessHost, inprocess_host_free)

/* These say what they saw if it is not what they want. */
gboolean inprocess_host_exited (const InProcessHost *host, int status);
gboolean inprocess_host_was_ended_by (const InProcessHost *host, int signum);

/* Workers */

/* A worker with options KEY=VALUE, ended by NULL; NULL, and why on stderr, if it cannot
 * be launched. */
#define inprocess_test_launch(...) \
  inprocess_test_launch_with ((const char *const[]){ __VA_ARGS__, NULL }, NULL)
MaltWorker *inprocess_test_launch_with (const char *const *options, GError **error);
MaltConfig *inprocess_test_config_with (const char *const *options);

/* Evaluates; NULL, G_MININT64 or FALSE, and the message on stderr, if it fails. */
char *inprocess_test_eval (MaltWorker *worker, const char *source);
gint64 inprocess_test_eval_int (MaltWorker *worker, const char *source);
gboolean inprocess_test_is (MaltWorker *worker, const char *source, const char *expected);
MaltValue *inprocess_test_eval_value (MaltWorker *worker, const char *source);

/* Evaluates code that may hog Julia, and returns when Julia has begun with it. */
MaltFuture *inprocess_test_begin (MaltWorker *worker, const char *source);

/* Time */

typedef gboolean (*InProcessCondition) (gpointer data);

/* Runs the default main context until the condition holds. */
gboolean inprocess_test_until (InProcessCondition condition, gpointer data,
                               gint64 timeout_ms);

static inline gint64
inprocess_test_now_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

G_END_DECLS
