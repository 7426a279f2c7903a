/* SPDX-License-Identifier: MIT */
/*
 * The judge, without a Julia: this program stands for one in a process of its own. It has
 * the functions that the judge asks for, and code in memory without a file, as Julia's
 * compiler makes it. What the judge throws ends the process with a status that the test
 * knows.
 */
#include "link/malt-julia-source.h"
#include "malt-test.h"
#include "platform/malt-judge-page.h"
#include "platform/malt-judge.h"

#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define IN_USER_CODE ((guint64) MALT_JUDGE_IN_USER_CODE << 32)
#define AFTER_USER_CODE ((guint64) MALT_JUDGE_AFTER_USER_CODE << 32)

enum
{
  CALL = 7,
  OTHER_CALL = 8,
  TAKE_STATUS = 100,
  STATUS_THROWN = 42,
  PATIENCE_MS = 3000, /* for what must not happen: ten times what it takes if it does */
  MAX_LIFE_S = 30, /* of a process that a failed assertion has left behind */
};

/* In the place of libjulia */

__attribute__ ((visibility ("default"))) void *jl_interrupt_exception = "interrupt";
__attribute__ ((visibility ("default"))) volatile guint32 jl_signal_pending;
__attribute__ ((visibility ("default"))) void *jl_get_current_task (void);
__attribute__ ((visibility ("default"))) void *jl_get_ptls_states (void);
__attribute__ ((visibility ("default"))) void jl_sigatomic_begin (void);
__attribute__ ((visibility ("default"))) void jl_sigatomic_end (void);
__attribute__ ((visibility ("default"))) void jl_throw (void *exception);

static struct
{
  char before[6000];
  int n_deferrals;
  char behind[60000];
} state;
static char task;

void *
jl_get_current_task (void)
{
  return &task;
}

void *
jl_get_ptls_states (void)
{
  return &state;
}

void
jl_sigatomic_begin (void)
{
  state.n_deferrals++;
}

void
jl_sigatomic_end (void)
{
  state.n_deferrals--;
}

void
jl_throw (void *exception)
{
  _exit (exception == jl_interrupt_exception ? STATUS_THROWN : 1);
}

/* What the process does */

typedef struct
{
  gboolean is_masked;
  gboolean is_other_task;
  gboolean is_own_code; /* with a file behind it */
  gboolean is_written_by_others; /* as the compiled regular expressions of PCRE */
  gboolean is_over; /* the call's user code has ended */
  gboolean is_beside_another; /* which has begun, and waits */
  gboolean
      takes; /* the runtime takes the request, and ends with TAKE_STATUS and what it is told */
  gboolean has_listener; /* SIGINT stays pending, and nothing can be forced */
} Play;

static void
spin_in_own_code (void)
{
  for (volatile int i = 0;; i++)
    ;
}

static void
spin_in_compiled_code (const Play *scene)
{
#ifdef __x86_64__
  static const guint8 code[] = { 0xeb, 0xfe };
#else
  static const guint32 code[] = { 0x14000000 };
#endif
  gpointer memory =
      mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void (*spin) (void);

  memcpy (memory, code, sizeof code);
  mprotect (memory, 4096,
            PROT_READ | PROT_EXEC | (scene->is_written_by_others ? PROT_WRITE : 0));
  __builtin___clear_cache (memory, (char *) memory + sizeof code);
  *(gpointer *) &spin = memory;
  spin ();
}

static volatile sig_atomic_t is_passed;

static void
pass (G_GNUC_UNUSED int signal_number)
{
  is_passed = 1;
}

/* Asks the handler whether a signal counts. */
static gpointer
listen_for_signals (G_GNUC_UNUSED gpointer data)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGINT);
  while (sigwaitinfo (&set, NULL) == SIGINT)
    {
      is_passed = 0;
      pthread_sigmask (SIG_UNBLOCK, &set, NULL);
      raise (SIGINT);
      pthread_sigmask (SIG_BLOCK, &set, NULL);
      if (is_passed)
        jl_signal_pending = 1;
    }
  return NULL;
}

/* As Julia's own thread. */
static void
begin_to_listen (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGINT);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  signal (SIGINT, pass);
  g_thread_unref (g_thread_new ("listener", listen_for_signals, NULL));
}

static int
take (MaltJudgePage *page)
{
  int (*function) (guint64) = (int (*) (guint64)) (guintptr) page->take;

  return function (CALL);
}

static void
play (const char *path, const Play *scene)
{
  if (scene->has_listener)
    begin_to_listen ();
  gpointer library = dlopen (path, RTLD_NOW);
  MaltJudgePage *page = library != NULL ? dlsym (library, "malt_judge") : NULL;

  if (page == NULL || page->magic != MALT_JUDGE_MAGIC || !page->can_force)
    _exit (1);
  page->can_force = !scene->has_listener;
  page->calls[1].call = CALL;
  page->calls[1].task = (guint64) (guintptr) &task + (scene->is_other_task ? 64 : 0);
  if (scene->is_beside_another)
    {
      page->calls[2].call = OTHER_CALL | IN_USER_CODE;
      page->calls[2].task = (guint64) (guintptr) &task + 64;
    }
  page->calls[1].call |= scene->is_over ? AFTER_USER_CODE : IN_USER_CODE;
  state.n_deferrals = scene->is_masked ? 1 : 0;
  if (scene->takes)
    _exit (TAKE_STATUS + take (page));
  if (scene->is_own_code)
    spin_in_own_code ();
  spin_in_compiled_code (scene);
}

/* A process of that kind, which is in its scene. */
static pid_t
begin (MaltJudge *judge, const Play *scene)
{
  pid_t pid = fork ();

  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      alarm (MAX_LIFE_S);
      play (malt_judge_get_path (judge), scene);
      _exit (1);
    }
  while (malt_judge_look (judge, CALL, 0) == MALT_JUDGE_CALL_UNKNOWN &&
         waitpid (pid, NULL, WNOHANG) == 0)
    g_usleep (1000);
  return pid;
}

/* How the process ended within that time: an exit status, or -1, and then it is killed. */
static int
wait_for_status (pid_t pid, guint patience_ms)
{
  int status = 0;

  for (guint i = 0; i < patience_ms; i++)
    {
      if (waitpid (pid, &status, WNOHANG) == pid)
        return WIFEXITED (status) ? WEXITSTATUS (status) : -2;
      g_usleep (1000);
    }
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
  return -1;
}

static MaltJudge *
make_judge (void)
{
  g_autoptr (GBytes) library = malt_julia_dup_source ("julia/judge.so");

  return malt_judge_new (library, NULL);
}

static gboolean
ask_for (MaltJudge *judge, pid_t pid, guint64 call)
{
  const MaltJudgeTarget target = { pid, pid, -1 };

  return malt_judge_ask (judge, &target, call);
}

static gboolean
ask (MaltJudge *judge, pid_t pid)
{
  return ask_for (judge, pid, CALL);
}

static int
run_scene (const Play *scene)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  pid_t pid = begin (judge, scene);

  if (!ask (judge, pid))
    return -3;
  return wait_for_status (pid, PATIENCE_MS);
}

static void
code_that_was_compiled_at_run_time_is_hit (void)
{
  const Play alone = { 0 };
  const Play beside_another = { .is_beside_another = TRUE };

  malt_assert_int (run_scene (&alone), STATUS_THROWN);
  malt_assert_int (run_scene (&beside_another), STATUS_THROWN);
}

/* It would be read only when the running one has ended. */
static void
a_call_that_waits_does_not_keep_the_running_one_from_being_hit (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play beside_another = { .is_beside_another = TRUE };
  pid_t pid = begin (judge, &beside_another);

  malt_assert (ask_for (judge, pid, OTHER_CALL));
  malt_assert_int (waitpid (pid, NULL, WNOHANG), 0);
  g_usleep (G_USEC_PER_SEC / 10);
  malt_assert (ask (judge, pid));
  malt_assert_int (wait_for_status (pid, PATIENCE_MS), STATUS_THROWN);
}

static void
nothing_else_is_hit (void)
{
  const Play masked = { .is_masked = TRUE };
  const Play other_task = { .is_other_task = TRUE, .is_beside_another = TRUE };
  const Play own_code = { .is_own_code = TRUE };
  const Play written = { .is_written_by_others = TRUE };
  const Play over = { .is_over = TRUE };

  malt_assert_int (run_scene (&masked), -1);
  malt_assert_int (run_scene (&other_task), -1);
  malt_assert_int (run_scene (&own_code), -1);
  malt_assert_int (run_scene (&written), -1);
  malt_assert_int (run_scene (&over), -1);
}

static void
the_page_says_what_a_call_is_at (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play over = { .is_over = TRUE };
  pid_t pid;
  int fd;

  malt_assert (judge != NULL);
  malt_assert (!malt_judge_is_ready (judge));
  malt_assert (!ask (judge, getpid ()));
  pid = begin (judge, &over);
  malt_assert (malt_judge_is_ready (judge));
  malt_assert_int (malt_judge_look (judge, CALL, 0), MALT_JUDGE_CALL_OVER);
  malt_assert_int (malt_judge_look (judge, OTHER_CALL, 0), MALT_JUDGE_CALL_UNKNOWN);
  fd = malt_judge_open_run_time (pid);
  for (guint i = 0; i < PATIENCE_MS && malt_judge_get_run_time (fd) < 0; i++)
    g_usleep (1000);
  malt_assert (malt_judge_get_run_time (fd) > 0);
  malt_judge_close_run_time (fd);
  malt_assert_int (wait_for_status (pid, 0), -1);
}

/* Who is first says what becomes of it. */
static void
a_request_is_taken_or_withdrawn (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play reader = { .takes = TRUE };

  malt_assert_int (wait_for_status (begin (judge, &reader), PATIENCE_MS),
                   TAKE_STATUS - 1);
  malt_judge_request (judge, CALL);
  malt_assert_int (wait_for_status (begin (judge, &reader), PATIENCE_MS),
                   TAKE_STATUS + 1);
  malt_assert (!malt_judge_withdraw (judge, CALL));
  malt_assert_int (wait_for_status (begin (judge, &reader), PATIENCE_MS),
                   TAKE_STATUS - 1);
  malt_judge_request (judge, CALL);
  malt_assert (malt_judge_withdraw (judge, CALL));
  malt_assert_int (wait_for_status (begin (judge, &reader), PATIENCE_MS), TAKE_STATUS);
}

/* Their places are the same: the one that lost it is not known. */
static void
a_request_in_the_place_of_another_is_not_known (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play reader = { .takes = TRUE };

  malt_judge_request (judge, CALL);
  malt_judge_request (judge, CALL + MALT_JUDGE_N_CALLS);
  malt_assert (malt_judge_withdraw (judge, CALL));
  malt_assert_int (wait_for_status (begin (judge, &reader), PATIENCE_MS),
                   TAKE_STATUS - 1);
}

static void
what_was_withdrawn_does_not_hit_until_it_is_wanted_again (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play alone = { 0 };
  pid_t pid = begin (judge, &alone);

  malt_judge_request (judge, CALL);
  malt_judge_withdraw (judge, CALL);
  malt_assert (ask (judge, pid));
  g_usleep (G_USEC_PER_SEC);
  malt_assert_int (waitpid (pid, NULL, WNOHANG), 0);
  malt_judge_request (judge, CALL);
  malt_assert (ask (judge, pid));
  malt_assert_int (wait_for_status (pid, PATIENCE_MS), STATUS_THROWN);
}

/* Julia has not come to a safepoint when it is given up. */
static void
what_is_pending_is_taken_back (void)
{
  g_autoptr (MaltJudge) judge = make_judge ();
  const Play scene = { .has_listener = TRUE };
  pid_t pid = begin (judge, &scene);

  malt_judge_request (judge, CALL);
  malt_assert (ask (judge, pid));
  for (guint i = 0; i < PATIENCE_MS && !malt_judge_is_raising (judge); i++)
    g_usleep (1000);
  malt_assert (malt_judge_is_raising (judge));
  malt_judge_withdraw (judge, CALL);
  for (guint i = 0; i < PATIENCE_MS && malt_judge_is_raising (judge); i++)
    g_usleep (1000);
  malt_assert (!malt_judge_is_raising (judge));
  malt_assert_int (wait_for_status (pid, 0), -1);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (code_that_was_compiled_at_run_time_is_hit),
    MALT_TEST (a_call_that_waits_does_not_keep_the_running_one_from_being_hit),
    MALT_TEST (nothing_else_is_hit),
    MALT_TEST (the_page_says_what_a_call_is_at),
    MALT_TEST (a_request_is_taken_or_withdrawn),
    MALT_TEST (a_request_in_the_place_of_another_is_not_known),
    MALT_TEST (what_was_withdrawn_does_not_hit_until_it_is_wanted_again),
    MALT_TEST (what_is_pending_is_taken_back),
    CU_TEST_INFO_NULL,
  };
  CU_SuiteInfo suites[] = { { "judge", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
