/* SPDX-License-Identifier: MIT */
/* What the tests of worker processes share: those of malt-process, and those of backends
 * whose workers are processes, too. */
#pragma once

#include "process-test-host.h"

#include <CUnit/CUnit.h>
#include <malt/malt.h>

G_BEGIN_DECLS

/* The backend whose workers these are. */
#ifndef PROCESS_TEST_BACKEND
#define PROCESS_TEST_BACKEND "malt-process"
#endif

/* Asserts, and leaves the test if that fails. */
#define CHECK(condition)                                                                \
  do                                                                                    \
    {                                                                                   \
      gboolean is_true_ = (condition) ? TRUE : FALSE;                                   \
      CU_assertImplementation (is_true_, __LINE__, #condition, __FILE__, "", CU_FALSE); \
      if (!is_true_)                                                                    \
        return;                                                                         \
    }                                                                                   \
  while (0)

/* The same, and shows an error that should not be there. */
#define CHECK_NO_ERROR(error)                                               \
  do                                                                        \
    {                                                                       \
      if ((error) != NULL)                                                  \
        g_printerr ("\n%s:%d: %s\n", __FILE__, __LINE__, (error)->message); \
      CHECK ((error) == NULL);                                              \
    }                                                                       \
  while (0)

typedef struct
{
  const char *name;
  void (*run) (void);
} ProcessTest;
#define PROCESS_TEST(function) \
  {                            \
#function, function        \
  }

/* Runs the tests, or those whose names the arguments are; returns the exit status. */
int process_test_main (int argc, char **argv, const char *suite,
                       const ProcessTest *tests);

/* The same for tests that need a julia: status 77, or 1 if MALT_TEST_REQUIRE_JULIA is 1,
 * where there is none. */
int process_test_main_with_julia (int argc, char **argv, const char *suite,
                                  const ProcessTest *tests);

/* How long an event that must come may take: longer than any machine needs. */
#define PROCESS_TEST_PATIENCE_MS 30000

/* Waits for a condition that another thread or process brings about. The deadline is
 * generous; it only bounds a failure. */
typedef gboolean (*ProcessTestCondition) (gpointer data);
gboolean process_test_wait (ProcessTestCondition condition, gpointer data,
                            guint deadline_ms);

/* A ProcessTestCondition: @pid points to a gint64. */
gboolean process_test_is_gone (gpointer pid);

/* A script in the place of julia, in a directory of its own. */
typedef struct
{
  char *directory; /* (owned) */
  char *path; /* (owned) */
} ProcessTestScript;

ProcessTestScript process_test_script_new (const char *text);
void process_test_script_clear (ProcessTestScript *script);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcessTestScript, process_test_script_clear)

/* A worker with options KEY=VALUE, ended by NULL; NULL, and why on stderr, if it cannot
 * be launched. Its output is discarded unless an option says otherwise. */
#define process_test_launch(...) \
  process_test_launch_with ((const char *const[]){ __VA_ARGS__, NULL })
#define process_test_config(...) \
  process_test_config_with ((const char *const[]){ __VA_ARGS__, NULL })
MaltWorker *process_test_launch_with (const char *const *options);
MaltConfig *process_test_config_with (const char *const *options);

/* Evaluates; NULL, and the message on stderr, if it fails. */
char *process_test_eval (MaltWorker *worker, const char *source);
gint64 process_test_eval_int (MaltWorker *worker, const char *source);

/* A call that has begun to run: another call waits for it to say so by `begun()`, and is
 * answered before it goes on. */
MaltFuture *process_test_start_running (MaltWorker *worker, const char *source);

/* Loops say that they have begun when what is in them has been compiled: Julia may
 * swallow what a signal throws into its compiler. */
#define PROCESS_TEST_ALLOCATE \
  "let n = 0; while true; global X = [rand(10)]; (n += 1) == 10 && begun(); end; end"
#define PROCESS_TEST_SPIN "let n = 0; while true; (n += 1) == 10 && begun(); end; end"

/* process-interrupt.c, process-judge.c */
extern const ProcessTest process_interrupt_tests[];
extern const ProcessTest process_judge_tests[];

/* process-shortage.c: the program, which runs itself. */
int process_shortage_main (int argc, char **argv);

/* Did it end by an InterruptException? */
gboolean process_test_was_interrupted (MaltFuture *future);

G_END_DECLS
