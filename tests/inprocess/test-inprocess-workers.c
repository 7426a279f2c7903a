/* SPDX-License-Identifier: MIT */
/* Several workers in one Julia: what parts them, what they share, and their ends. */
#include "inprocess-test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

static void
workers_of_main_share_it (void)
{
  g_autoptr (MaltWorker) one = inprocess_test_launch (NULL);
  g_autoptr (MaltWorker) other = inprocess_test_launch (NULL);

  malt_assert (one != NULL && other != NULL);
  malt_assert_int (inprocess_test_eval_int (one, "shared_by_workers = 42"), 42);
  malt_assert_int (inprocess_test_eval_int (other, "shared_by_workers += 1"), 43);
  malt_assert_int (inprocess_test_eval_int (one, "shared_by_workers"), 43);
  malt_assert (inprocess_test_is (other, "@__MODULE__", "Main"));
}

static void
worker_is_put_into_a_module_by_its_name (void)
{
  g_autoptr (MaltWorker) one = inprocess_test_launch (NULL);
  g_autoptr (MaltWorker) outer = NULL;
  g_autoptr (MaltWorker) inner = NULL;

  malt_assert (one != NULL);
  malt_assert_int (inprocess_test_eval_int (
                       one, "module Outer; n = 1; module Inner; n = 2; end; end; 0"),
                   0);
  outer = inprocess_test_launch ("module=Outer", NULL);
  inner = inprocess_test_launch ("module=Outer.Inner", NULL);
  malt_assert (outer != NULL && inner != NULL);
  malt_assert_int (inprocess_test_eval_int (outer, "n"), 1);
  malt_assert_int (inprocess_test_eval_int (inner, "n"), 2);
  malt_assert_int (inprocess_test_eval_int (inner, "n = 5"), 5);
  malt_assert_int (inprocess_test_eval_int (one, "Outer.Inner.n"), 5);
  malt_assert (inprocess_test_is (one, "@isdefined(n)", "false"));
}

static void
module_of_main_may_be_named_by_its_whole_path (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch ("module=Main.Base.Meta", NULL);

  malt_assert (worker != NULL);
  malt_assert (inprocess_test_is (worker, "nameof(@__MODULE__)", ":Meta"));
}

static void
module_that_is_not_there_is_an_error_that_names_it (void)
{
  static const struct
  {
    const char *option;
    const char *named;
  } cases[] = {
    { "module=NoSuchModule", "NoSuchModule" },
    { "module=Base.NoSuchModule", "NoSuchModule" },
    { "module=Base.sin", "Base.sin" },
    { "module=", "''" },
    { "module=a b", "a b" },
    { "module=a=b", "a=b" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltWorker) worker = inprocess_test_launch_with (
          (const char *const[]){ cases[i].option, NULL }, &error);

      malt_assert (worker == NULL);
      malt_assert_error (error, MALT_ERROR, MALT_ERROR_CONFIG);
      malt_assert (strstr (error->message, "option 'module'") != NULL);
      if (strstr (error->message, cases[i].named) == NULL)
        MALT_TEST_FAIL ("'%s' is not in: %s", cases[i].named, error->message);
    }
}

static void
new_module_is_private_and_whole (void)
{
  g_autoptr (MaltWorker) one = inprocess_test_launch ("module=new", NULL);
  g_autoptr (MaltWorker) other = inprocess_test_launch ("module=new", NULL);
  g_autofree char *path = NULL;
  g_autofree char *source = NULL;
  int descriptor = g_file_open_tmp ("malt-test-XXXXXX.jl", &path, NULL);

  malt_assert (one != NULL && other != NULL && descriptor >= 0);
  g_close (descriptor, NULL);
  malt_assert (g_file_set_contents (path, "from_file = private_number + 1", -1, NULL));
  source = g_strdup_printf ("include(\"%s\")", path);
  malt_assert_int (inprocess_test_eval_int (one, "private_number = 1"), 1);
  malt_assert_int (inprocess_test_eval_int (other, "private_number = 10"), 10);
  malt_assert_int (inprocess_test_eval_int (one, "eval(:(private_number += 1))"), 2);
  malt_assert_int (inprocess_test_eval_int (one, source), 3);
  malt_assert_int (inprocess_test_eval_int (one, "from_file"), 3);
  malt_assert_int (inprocess_test_eval_int (other, "private_number"), 10);
  malt_assert (inprocess_test_is (other, "@isdefined(from_file)", "false"));
  malt_assert (inprocess_test_is (
      other, "isdefined(Main, :from_file) || isdefined(Main, :private_number)", "false"));
  malt_assert (
      inprocess_test_is (one, "f(x) = x; f(@__MODULE__) === parentmodule(f)", "true"));
  g_unlink (path);
}

static void
stopped_worker_leaves_the_others_alone (void)
{
  g_autoptr (MaltWorker) one = inprocess_test_launch (NULL);
  g_autoptr (MaltWorker) other = inprocess_test_launch (NULL);
  g_autoptr (MaltFuture) slept = NULL;
  g_autoptr (MaltFuture) stopped = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  gboolean was_running = FALSE;

  malt_assert (one != NULL && other != NULL);
  slept = malt_worker_remote_eval (other, NULL, "sleep(0.3); :awake");
  stopped = malt_worker_remote_eval (one, NULL, "sleep(600)");
  malt_assert (malt_worker_stop_full (one, 0, 0, &was_running, NULL, NULL));
  malt_assert (was_running);
  malt_assert (!malt_worker_is_running (one) && malt_worker_is_running (other));
  value = malt_future_fetch (stopped, NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  value = malt_future_fetch (slept, NULL, NULL);
  malt_assert (value != NULL);
  malt_assert_int (inprocess_test_eval_int (other, "6 * 7"), 42);
}

static void
calls_after_a_stop_fail_as_of_a_terminated_worker (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (MaltCall) call = malt_call_new_eval (NULL, "1");
  g_autoptr (MaltTermination) termination = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) second = NULL;
  gboolean was_running = TRUE;

  malt_assert (worker != NULL);
  malt_assert (malt_worker_stop (worker, NULL, NULL));
  value = malt_worker_remote_eval_fetch (worker, NULL, "1", NULL, &error);
  malt_assert (value == NULL);
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  malt_assert (!malt_worker_remote_do (worker, call, &second));
  malt_assert_error (second, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED);
  termination = malt_worker_dup_termination (worker);
  malt_assert (termination != NULL);
  malt_assert_int (malt_termination_get_reason (termination), MALT_TERMINATION_STOPPED);
  malt_assert (malt_worker_stop_full (worker, 0, 0, &was_running, NULL, NULL));
  malt_assert (!was_running);
}

static void
new_worker_can_be_made_after_all_have_ended (void)
{
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (MaltWorker) worker =
          inprocess_test_launch (i % 2 == 0 ? NULL : "module=new", NULL);

      malt_assert (worker != NULL);
      malt_assert_int (inprocess_test_eval_int (worker, "1 + 1"), 2);
      if (i % 3 == 0)
        malt_assert (malt_worker_stop (worker, NULL, NULL));
    }
}

static void
worker_cannot_be_killed (void)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  g_autoptr (GError) error = NULL;

  malt_assert (worker != NULL);
  malt_assert ((malt_worker_get_capabilities (worker) & MALT_CAPABILITY_CAN_KILL) == 0);
  malt_assert (!malt_worker_kill (worker, SIGKILL, &error));
  malt_assert_error (error, MALT_ERROR, MALT_ERROR_NOT_SUPPORTED);
  malt_assert_int (inprocess_test_eval_int (worker, "1 + 1"), 2);
}

static void
second_worker_cannot_want_another_julia (void)
{
  g_autoptr (MaltWorker) first = inprocess_test_launch (NULL);
  static const struct
  {
    const char *option;
    const char *name;
    MaltError code;
  } conflicts[] = {
    { "threads=7", "option 'threads'", MALT_ERROR_CONFIG },
    { "project=/nowhere", "option 'project'", MALT_ERROR_CONFIG },
    { "julia=/bin/true", "option 'julia'", MALT_ERROR_CONFIG },
    { "handle-signals=no", "option 'handle-signals'", MALT_ERROR_CONFIG },
    { "julia=/not/there", "/not/there", MALT_ERROR_BACKEND_UNAVAILABLE },
  };

  malt_assert (first != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (conflicts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltWorker) worker = inprocess_test_launch_with (
          (const char *const[]){ conflicts[i].option, NULL }, &error);

      malt_assert (worker == NULL);
      malt_assert_error (error, MALT_ERROR, (int) conflicts[i].code);
      malt_assert (strstr (error->message, conflicts[i].name) != NULL);
    }
  malt_assert_int (inprocess_test_eval_int (first, "1 + 1"), 2);
}

/* Hosts of their own: Julia starts with what the first worker wants. */

static int
be_host_with_threads (void)
{
  g_autoptr (MaltWorker) first = inprocess_test_launch ("threads=2", NULL);
  g_autoptr (MaltWorker) same = inprocess_test_launch ("threads=2", NULL);
  g_autoptr (MaltWorker) any = inprocess_test_launch (NULL);
  g_autoptr (MaltWorker) other = inprocess_test_launch ("threads=1", NULL);

  if (first == NULL || same == NULL || any == NULL || other != NULL)
    return 1;
  return inprocess_test_eval_int (first, "Threads.nthreads()") ==
                 MIN (2, (gint64) g_get_num_processors ())
             ? 0
             : 2;
}

static int
be_host_with_project (void)
{
  g_autofree char *folder = g_dir_make_tmp ("malt-test-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "Project.toml", NULL);
  g_autofree char *option = g_strconcat ("project=", folder, NULL);
  g_autofree char *expected = g_strdup_printf ("\"%s\"", file);
  g_autoptr (MaltWorker) worker = NULL;
  gboolean is_right;

  g_file_set_contents (file, "", 0, NULL);
  worker = inprocess_test_launch (option, NULL);
  is_right =
      worker != NULL && inprocess_test_is (worker, "Base.active_project()", expected);
  g_unlink (file);
  g_rmdir (folder);
  return is_right ? 0 : 1;
}

static int
be_host_with_bad_threads (void)
{
  static const char *const values[] = { "threads=0", "threads=many", "threads=-1",
                                        "threads=2000", "threads=" };

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltWorker) worker =
          inprocess_test_launch_with ((const char *const[]){ values[i], NULL }, &error);

      if (worker != NULL || !g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG) ||
          strstr (error->message, "option 'threads'") == NULL)
        return 1;
    }
  return inprocess_test_launch (NULL) != NULL ? 0 : 2;
}

/* The first calls of a host: the boot answers the simplest ones and hands over to the
 * runtime at any of the others. */

static const char *const beginnings[][3] = {
  { "1 + 1", "2 + 2", "3 + 3" },
  { "1 + 1", "[1, 2]", "3 + 3" },
  { "[1, 2]", "2 + 2", "3 + 3" },
  { "x = 1; 0", "Any[x]", "sin" },
  { "error(\"first\")", "2 + 2", "[3]" },
  { "1 + 1", "error(\"second\")", "3 + 3" },
  { "sleep(0.2)", "2 + 2", "error(\"third\")" },
  { "sleep(0.2); [1]", "sleep(0.1); 1", "3 + 3" },
};

static gboolean
is_answered (MaltFuture *future)
{
  return malt_future_wait (future, INPROCESS_DEADLINE_MS, NULL, NULL) ||
         malt_future_is_done (future);
}

/* One after the other, or all at once. */
static int
begin (const char *const *sources, gboolean is_at_once)
{
  g_autoptr (MaltWorker) worker = inprocess_test_launch (NULL);
  MaltFuture *futures[3];

  if (worker == NULL)
    return 1;
  for (int i = 0; i < 3; i++)
    {
      futures[i] = malt_worker_remote_eval (worker, NULL, sources[i]);
      if (!is_at_once && !is_answered (futures[i]))
        return 2;
    }
  for (int i = 0; i < 3; i++)
    if (!is_answered (futures[i]))
      return 3;
  return inprocess_test_eval_int (worker, "6 * 7") == 42 ? 0 : 4;
}

static int
be_host_that_begins (void)
{
  guint which = (guint) g_ascii_strtoull (g_getenv ("BEGINNING"), NULL, 10);

  return begin (beginnings[which / 2], which % 2 == 1);
}

/* Many launch at once, while there is no Julia yet. */

#define N_LAUNCHERS 8

static gpointer
launch_and_add (gpointer data)
{
  g_autoptr (MaltWorker) worker =
      inprocess_test_launch (GPOINTER_TO_INT (data) % 2 == 0 ? NULL : "module=new", NULL);

  return GINT_TO_POINTER (worker != NULL &&
                          inprocess_test_eval_int (worker, "20 + 22") == 42);
}

static int
be_host_that_launches_many_at_once (void)
{
  GThread *threads[N_LAUNCHERS];
  int n_right = 0;

  for (int i = 0; i < N_LAUNCHERS; i++)
    threads[i] = g_thread_new ("launcher", launch_and_add, GINT_TO_POINTER (i));
  for (int i = 0; i < N_LAUNCHERS; i++)
    n_right += GPOINTER_TO_INT (g_thread_join (threads[i]));
  return n_right == N_LAUNCHERS ? 0 : 1;
}

static void
first_worker_says_how_many_threads_julia_has (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("threads", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static void
first_worker_says_which_project_julia_has (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("project", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static void
threads_that_are_no_number_are_an_error_before_julia_starts (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("bad-threads", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static void
first_calls_are_answered_whatever_they_are (void)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS (beginnings); i++)
    {
      g_autofree char *variable = g_strdup_printf ("BEGINNING=%u", i);
      g_autoptr (InProcessHost) host = inprocess_test_host ("begin", variable, NULL);

      malt_assert (inprocess_host_exited (host, 0));
    }
}

static void
workers_may_be_launched_at_once (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("at-once", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

static const InProcessRole roles[] = {
  { "threads", be_host_with_threads },
  { "project", be_host_with_project },
  { "bad-threads", be_host_with_bad_threads },
  { "begin", be_host_that_begins },
  { "at-once", be_host_that_launches_many_at_once },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (workers_of_main_share_it),
  MALT_TEST (worker_is_put_into_a_module_by_its_name),
  MALT_TEST (module_of_main_may_be_named_by_its_whole_path),
  MALT_TEST (module_that_is_not_there_is_an_error_that_names_it),
  MALT_TEST (new_module_is_private_and_whole),
  MALT_TEST (stopped_worker_leaves_the_others_alone),
  MALT_TEST (calls_after_a_stop_fail_as_of_a_terminated_worker),
  MALT_TEST (new_worker_can_be_made_after_all_have_ended),
  MALT_TEST (worker_cannot_be_killed),
  MALT_TEST (second_worker_cannot_want_another_julia),
  MALT_TEST (first_worker_says_how_many_threads_julia_has),
  MALT_TEST (first_worker_says_which_project_julia_has),
  MALT_TEST (threads_that_are_no_number_are_an_error_before_julia_starts),
  MALT_TEST (first_calls_are_answered_whatever_they_are),
  MALT_TEST (workers_may_be_launched_at_once),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process workers", tests, roles);
}
