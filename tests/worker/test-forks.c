/* SPDX-License-Identifier: MIT */
/* A process that was forked while somebody held the worker's lock: there is nobody who
 * could let it go. */
#include "malt-test.h"
#include "platform/malt-platform.h"
#include "stub-worker.h"
#include "worker/malt-channel-private.h"
#include "worker/malt-worker-state.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_LIFE_S 20 /* of one that waits for a lock */
#define N_FORKS 300

static gint is_over; /* (atomic) */

typedef gboolean (*Attempt) (MaltWorker *worker, GError **error);

static gboolean
fetch (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, STUB_AT_ONCE, NULL, error);

  return value != NULL;
}

static gboolean
send_without_answer (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltCall) call = malt_call_new (STUB_AT_ONCE);

  return malt_worker_remote_do (worker, call, error);
}

static gboolean
get_future (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, STUB_AT_ONCE);

  return malt_future_wait (future, -1, NULL, error);
}

static gboolean
interrupt (MaltWorker *worker, GError **error)
{
  return malt_worker_interrupt (worker, NULL, MALT_INTERRUPT_DEFAULT, NULL, error) ==
         MALT_INTERRUPT_DELIVERED;
}

static gboolean
stop (MaltWorker *worker, GError **error)
{
  return malt_worker_stop (worker, NULL, error);
}

static gboolean
kill_it (MaltWorker *worker, GError **error)
{
  return malt_worker_kill (worker, SIGKILL, error);
}

static gboolean
open_channel (MaltWorker *worker, GError **error)
{
  return malt_worker_channel (worker, NULL, "1", NULL, error) != NULL;
}

static gboolean
ask (MaltWorker *worker, GError **error)
{
  g_autoptr (MaltTermination) termination = malt_worker_dup_termination (worker);

  if (termination != NULL || malt_worker_is_running (worker))
    return TRUE;
  return !malt_platform_is_forked (error);
}

static gboolean
drop (MaltWorker *worker, GError **error)
{
  g_object_unref (worker);
  return !malt_platform_is_forked (error);
}

static const struct
{
  const char *name;
  Attempt run;
} attempts[] = {
  { "fetch", fetch },
  { "remote_do", send_without_answer },
  { "future", get_future },
  { "interrupt", interrupt },
  { "stop", stop },
  { "kill", kill_it },
  { "channel", open_channel },
  { "queries", ask },
  { "drop", drop },
};

/* In the child. The number of the first attempt that did not fail as it should, from 1 on. */
static int
try_all (MaltWorker *worker)
{
  for (guint i = 0; i < G_N_ELEMENTS (attempts); i++)
    {
      g_autoptr (GError) error = NULL;

      if (attempts[i].run (worker, &error) ||
          !g_error_matches (error, MALT_ERROR, MALT_ERROR_FORKED))
        return (int) i + 1;
    }
  return 0;
}

static void
check_forked (gboolean is_raw)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  GMutex *lock = &malt_worker_get_private (worker)->lock;
  StubRecord before = stub_record;
  int status = -1;
  pid_t pid;

  g_mutex_lock (lock);
  pid = is_raw ? (pid_t) syscall (SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork ();
  if (pid == 0)
    {
      alarm (CHILD_LIFE_S);
      status = try_all (worker);
      /* No slot was called, not even by the end of the object. */
      _exit (status != 0 ? status : memcmp (&before, &stub_record, sizeof before) != 0);
    }
  g_mutex_unlock (lock);
  malt_assert_int (waitpid (pid, &status, 0), pid);
  malt_assert (WIFEXITED (status));
  malt_assert_int (WEXITSTATUS (status), 0);
  malt_assert (malt_worker_is_running (worker));
  stub_worker_end (worker, SIGKILL);
}

static void
everything_fails_in_a_fork_although_a_lock_is_held (void)
{
  check_forked (FALSE);
}

static void
everything_fails_in_a_process_that_was_cloned (void)
{
  check_forked (TRUE);
}

/* Each frame that comes has a thread look for its worker. */
static gpointer
look_for_it (gpointer data)
{
  MaltWeakWorker *weak = malt_worker_get_weak (data);

  while (!g_atomic_int_get (&is_over))
    {
      g_autoptr (MaltWorker) worker = malt_weak_worker_dup (weak);
    }
  return NULL;
}

/* Each call of a host makes and drops a future, and may do so with objects of its own. */
static gpointer
make_and_drop (G_GNUC_UNUSED gpointer data)
{
  while (!g_atomic_int_get (&is_over))
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    }
  return NULL;
}

/* GObject has locks for all weak references, and for all objects that end. */
static void
a_fork_lets_go_of_its_objects (void)
{
  g_autoptr (MaltWorker) worker = stub_worker_launch ();
  g_autoptr (MaltChannel) channel = malt_channel_new (worker);
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (worker, NULL, STUB_AT_ONCE);
  GObject *dropped[] = { G_OBJECT (future), G_OBJECT (channel), G_OBJECT (worker) };
  guint n_references[G_N_ELEMENTS (dropped)];
  GThread *threads[] = { g_thread_new ("looks", look_for_it, worker),
                         g_thread_new ("makes", make_and_drop, NULL) };
  int n_stuck = 0;

  for (guint i = 0; i < G_N_ELEMENTS (dropped); i++)
    n_references[i] = dropped[i]->ref_count;
  for (guint i = 0; i < N_FORKS && n_stuck == 0; i++)
    {
      int status = -1;
      pid_t pid = fork ();

      if (pid == 0)
        {
          alarm (CHILD_LIFE_S);
          for (guint k = 0; k < G_N_ELEMENTS (dropped); k++)
            for (guint n = n_references[k]; n > 0; n--)
              g_object_unref (dropped[k]);
          _exit (0);
        }
      malt_assert_int (waitpid (pid, &status, 0), pid);
      n_stuck += status != 0;
    }
  malt_assert_int (n_stuck, 0);
  g_atomic_int_set (&is_over, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  stub_worker_end (worker, SIGKILL);
}

int
main (void)
{
  CU_TestInfo tests[] = {
    MALT_TEST (everything_fails_in_a_fork_although_a_lock_is_held),
    MALT_TEST (everything_fails_in_a_process_that_was_cloned),
    MALT_TEST (a_fork_lets_go_of_its_objects),
    CU_TEST_INFO_NULL,
  };

  CU_SuiteInfo suites[] = { { "forks", NULL, NULL, NULL, NULL, tests },
                            CU_SUITE_INFO_NULL };

  return malt_test_run (suites);
}
