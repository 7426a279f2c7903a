/* SPDX-License-Identifier: MIT */
/* Julia beside GLib in one process: main loops, timers, child processes and threads of
 * the host go on as if it were not there. */
#include "inprocess-test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SPIN "t = time(); while time() - t < 2; end; 7"

/* Of the hundreds that there may be: a loaded machine leaves out most, a loop that stands
 * still all but one. */
#define LEAST_TICKS 5

static MaltWorker *
get_worker (void)
{
  static MaltWorker *worker;

  if (worker == NULL)
    worker = inprocess_test_launch ("output=discard", NULL);
  return worker;
}

/* Main loops */

static gboolean
count (gpointer counter)
{
  ++*(guint *) counter;
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  GMainContext *context; /* (unowned) (nullable): where the callback must come */
  GThread *thread;
  gboolean is_inside; /* the starting call has not returned yet */
  gboolean was_right;
  GAsyncResult *result; /* (owned) (nullable) */
} Await;

static void
on_ready (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  Await *await = user_data;

  await->was_right = !await->is_inside && g_thread_self () == await->thread &&
                     g_main_context_is_owner (await->context);
  await->result = g_object_ref (result);
}

static void
timers_keep_ticking_while_julia_spins (void)
{
  Await await = { .context = g_main_context_default (), .thread = g_thread_self () };
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  gint64 start_ms;
  guint n_ticks = 0;
  guint timer;

  malt_assert (get_worker () != NULL);
  timer = g_timeout_add (10, count, &n_ticks);
  start_ms = inprocess_test_now_ms ();
  await.is_inside = TRUE;
  malt_worker_remote_eval_async (get_worker (), NULL, SPIN, NULL, on_ready, &await);
  await.is_inside = FALSE;
  while (await.result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  value = malt_worker_remote_eval_finish (get_worker (), await.result, &error);
  g_object_unref (await.result);
  malt_assert_no_error (error);
  malt_assert_int (malt_value_get_int64 (value), 7);
  malt_assert (await.was_right);
  malt_assert (inprocess_test_now_ms () - start_ms >= 1900);
  malt_assert (n_ticks >= LEAST_TICKS);
}

static gpointer
call_in_own_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Await await = { .context = context, .thread = g_thread_self () };
  g_autoptr (MaltValue) value = NULL;
  gboolean is_right;

  g_main_context_push_thread_default (context);
  malt_worker_remote_eval_async (data, NULL, "sleep(0.05); 21", NULL, on_ready, &await);
  while (await.result == NULL)
    g_main_context_iteration (context, TRUE);
  value = malt_worker_remote_eval_finish (data, await.result, NULL);
  is_right = await.was_right && value != NULL && malt_value_get_int64 (value) == 21;
  g_object_unref (await.result);
  g_main_context_pop_thread_default (context);
  return GINT_TO_POINTER (is_right);
}

static void
callbacks_arrive_in_the_context_of_the_thread_that_called (void)
{
  GThread *threads[6];

  malt_assert (get_worker () != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_in_own_context, get_worker ());
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    malt_assert (GPOINTER_TO_INT (g_thread_join (threads[i])));
}

static void
launch_does_not_hold_up_the_main_loop (void)
{
  Await await = { .context = g_main_context_default (), .thread = g_thread_self () };
  g_autoptr (MaltConfig) config =
      inprocess_test_config_with ((const char *const[]){ "module=new", NULL });
  g_autoptr (MaltWorker) worker = NULL;

  await.is_inside = TRUE;
  malt_worker_launch_async (config, NULL, on_ready, &await);
  await.is_inside = FALSE;
  while (await.result == NULL)
    g_main_context_iteration (NULL, TRUE);
  worker = malt_worker_launch_finish (await.result, NULL);
  g_object_unref (await.result);
  malt_assert (worker != NULL && await.was_right);
}

/* Timers of Julia and of the host */

static void
tasks_and_timers_of_julia_run_while_the_host_waits (void)
{
  g_autoptr (MaltFuture) future = NULL;
  guint n_ticks = 0;
  guint timer;

  malt_assert (get_worker () != NULL);
  malt_assert_int (
      inprocess_test_eval_int (
          get_worker (),
          "ticks = 0; clock = Timer(_ -> (global ticks += 1), 0; interval = 0.01); 0"),
      0);
  timer = g_timeout_add (10, count, &n_ticks);
  future = malt_worker_remote_eval (get_worker (), NULL, "sleep(1)");
  malt_assert (malt_future_wait (future, INPROCESS_DEADLINE_MS, NULL, NULL));
  malt_assert (inprocess_test_eval_int (get_worker (), "close(clock); ticks") >=
               LEAST_TICKS);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_source_remove (timer);
  malt_assert (n_ticks >= 1);
}

/* Child processes */

static gboolean
run_child_of_host (const char *text)
{
  g_autoptr (GSubprocess) process =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, "echo", text, NULL);
  g_autofree char *output = NULL;

  return process != NULL &&
         g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, NULL) &&
         g_subprocess_get_successful (process) && strcmp (g_strchomp (output), text) == 0;
}

static gboolean
run_child_by_spawn (int status)
{
  g_autofree char *command = g_strdup_printf ("exit %d", status);
  const char *arguments[] = { "sh", "-c", command, NULL };
  int wait_status = -1;

  return g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                       NULL, NULL, &wait_status, NULL) &&
         WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == status;
}

static void
children_of_the_host_and_of_julia_alternate (void)
{
  malt_assert (get_worker () != NULL);
  for (int i = 0; i < 20; i++)
    {
      g_autofree char *text = g_strdup_printf ("%d", i);
      g_autofree char *source =
          g_strdup_printf ("parse(Int, read(`echo %d`, String))", i);
      g_autofree char *failing =
          g_strdup_printf ("run(ignorestatus(`sh -c \"exit %d\"`)).exitcode", i);

      malt_assert (run_child_of_host (text));
      malt_assert_int (inprocess_test_eval_int (get_worker (), source), i);
      malt_assert (run_child_by_spawn (i));
      malt_assert_int (inprocess_test_eval_int (get_worker (), failing), i);
    }
}

typedef struct
{
  int n_ended;
  int n_right;
} Children;

static void
on_child_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Children *children = user_data;

  children->n_right +=
      g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, NULL);
  children->n_ended++;
}

static void
on_watched (G_GNUC_UNUSED GPid pid, gint wait_status, gpointer user_data)
{
  Children *children = user_data;

  children->n_right += WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == 5;
  children->n_ended++;
}

#define N_CHILDREN 8

static void
children_of_both_end_at_once (void)
{
  Children children = { 0 };
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  const char *arguments[] = { "sh", "-c", "sleep 0.2; exit 5", NULL };

  malt_assert (get_worker () != NULL);
  future = malt_worker_remote_eval (get_worker (), NULL,
                                    "n = Ref(0); @sync for i in 1:8; @async "
                                    "(success(`sleep 0.2`); n[] += 1); end; n[]");
  for (int i = 0; i < N_CHILDREN; i++)
    {
      g_autoptr (GSubprocess) process =
          g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, NULL, "sleep", "0.2", NULL);
      GPid pid;

      malt_assert (process != NULL);
      g_subprocess_wait_check_async (process, NULL, on_child_ended, &children);
      malt_assert (g_spawn_async (NULL, (char **) arguments, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                  NULL, &pid, NULL));
      g_child_watch_add (pid, on_watched, &children);
    }
  while (children.n_ended < 2 * N_CHILDREN)
    g_main_context_iteration (NULL, TRUE);
  malt_assert_int (children.n_right, 2 * N_CHILDREN);
  value = malt_future_fetch (future, NULL, NULL);
  malt_assert (value != NULL);
  malt_assert_int (malt_value_get_int64 (value), 8);
}

static void
children_of_the_host_begin_with_no_signal_blocked (void)
{
  const char *arguments[] = { "sh", "-c", "grep SigBlk /proc/self/status", NULL };
  g_autofree char *output = NULL;

  malt_assert (get_worker () != NULL);
  malt_assert (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL,
                             NULL, &output, NULL, NULL, NULL));
  malt_assert_string (g_strchomp (output), "SigBlk:\t0000000000000000");
}

/* Standard streams */

#define N_LINES 20000

static gboolean
are_blocking (void)
{
  for (int i = 0; i < 3; i++)
    if ((fcntl (i, F_GETFL) & O_NONBLOCK) != 0)
      return FALSE;
  return TRUE;
}

/* Standard input is a pipe with words in it; the others are pipes that the test reads. */
static int
be_host_with_pipes (void)
{
  g_autoptr (MaltWorker) worker = NULL;
  char words[6] = "";
  int ends[2];

  if (pipe (ends) != 0 || write (ends[1], "words", 5) != 5 ||
      dup2 (ends[0], STDIN_FILENO) != STDIN_FILENO)
    return 1;
  worker = inprocess_test_launch (NULL);
  if (worker == NULL ||
      !inprocess_test_is (worker, "(read(stdin, String), eof(stdin))", "(\"\", true)"))
    return 2;
  if (!are_blocking ())
    return 3;
  for (int i = 0; i < N_LINES; i++)
    g_print ("from the host\n");
  if (inprocess_test_eval_int (
          worker, "for i in 1:20000; println(\"from Julia\"); end; flush(stdout); 7") !=
      7)
    return 4;
  if (!are_blocking () || read (STDIN_FILENO, words, 5) != 5)
    return 5;
  return strcmp (words, "words") == 0 ? 0 : 6;
}

static void
standard_streams_of_the_host_are_its_own (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("pipes", NULL);

  malt_assert (inprocess_host_exited (host, 0));
  malt_assert_int (strlen (host->output),
                   N_LINES * (strlen ("from the host\n") + strlen ("from Julia\n")));
}

/* What Julia makes would have their numbers. */
static int
be_host_without_streams (void)
{
  g_autoptr (MaltWorker) worker = NULL;

  for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
    close (i);
  worker = inprocess_test_launch (NULL);
  if (worker == NULL ||
      inprocess_test_eval_int (worker,
                               "println(1); println(stderr, 2); flush(stdout); 7") != 7)
    return 1;
  return inprocess_test_is (worker, "(eof(stdin), readlink(\"/proc/self/fd/2\"))",
                            "(true, \"/dev/null\")")
             ? 0
             : 2;
}

static void
host_without_standard_streams_may_have_julia (void)
{
  g_autoptr (InProcessHost) host = inprocess_test_host ("closed", NULL);

  malt_assert (inprocess_host_exited (host, 0));
}

/* Locale and floating point: what a library that is loaded late could change for all */

static void
numbers_of_the_host_are_what_they_were (void)
{
  volatile double third = 1.0;
  volatile double smallest = 4.9406564584124654e-324;

  malt_assert (get_worker () != NULL);
  third /= 3;
  malt_assert (third == 0x1.5555555555555p-2);
  malt_assert (smallest > 0);
  malt_assert (g_strtod ("1.5", NULL) == 1.5);
}

static const InProcessRole roles[] = {
  { "pipes", be_host_with_pipes },
  { "closed", be_host_without_streams },
  { NULL, NULL },
};

static const CU_TestInfo tests[] = {
  MALT_TEST (timers_keep_ticking_while_julia_spins),
  MALT_TEST (callbacks_arrive_in_the_context_of_the_thread_that_called),
  MALT_TEST (launch_does_not_hold_up_the_main_loop),
  MALT_TEST (tasks_and_timers_of_julia_run_while_the_host_waits),
  MALT_TEST (children_of_the_host_and_of_julia_alternate),
  MALT_TEST (children_of_both_end_at_once),
  MALT_TEST (children_of_the_host_begin_with_no_signal_blocked),
  MALT_TEST (standard_streams_of_the_host_are_its_own),
  MALT_TEST (host_without_standard_streams_may_have_julia),
  MALT_TEST (numbers_of_the_host_are_what_they_were),
  CU_TEST_INFO_NULL,
};

int
main (int argc, char **argv)
{
  return inprocess_test_main (argc, argv, "in-process beside GLib", tests, roles);
}
