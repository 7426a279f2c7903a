/* SPDX-License-Identifier: MIT */
/* Launching and watching child processes, with /bin/sh as the child. */
#include "process-test.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-process-launcher.h"
#include "platform/malt-socket-poller.h"
#include "platform/malt-socket.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  N_NOTICES = 21,
  N_FORKS = 100,
  MANY_FDS = 900,
  FORK_LIFE_S = 20 /* longer than all launches of a test take */
};

static const char *program; /* this one, which also plays children and hosts */

static const char *const environment[] = { "PATH=/usr/bin:/bin", "GREETING=hello", NULL };

static MaltChild *
spawn_shell (const char *script, MaltProcessLauncher launcher, GError **error)
{
  const char *const arguments[] = { "/bin/sh", "-c", script, NULL };

  launcher.argv = arguments;
  launcher.envp = environment;
  return malt_process_launcher_spawn (&launcher, error);
}

static gboolean
has_ended (gpointer child)
{
  return malt_child_reap (child);
}

static gboolean
was_killed (MaltChild *child)
{
  int number;

  return malt_child_get_end (child, &number) == MALT_CHILD_END_SIGNALLED &&
         number == SIGKILL;
}

/* What the child writes until it ends; the status, or -1 if a signal ended it. */
static char *
run_shell (const char *script, MaltProcessLauncher launcher, int *out_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child = spawn_shell (script, launcher, &error);
  char text[4096];
  ssize_t n;

  if (child == NULL || !process_test_wait (has_ended, child, PROCESS_TEST_PATIENCE_MS))
    return NULL;
  n = malt_pipe_read (malt_child_get_stdout (child), text, sizeof text);
  if (out_status != NULL &&
      malt_child_get_end (child, out_status) != MALT_CHILD_END_EXITED)
    *out_status = -1;
  return g_strndup (text, n > 0 ? (gsize) n : 0);
}

static void
status_of_a_child_is_kept (void)
{
  int status = 0;
  g_autofree char *text = run_shell ("exit 7", (MaltProcessLauncher){ 0 }, &status);

  CHECK (text != NULL);
  CHECK (status == 7);
}

static void
program_that_is_not_there_is_an_error_with_its_name (void)
{
  const char *const arguments[] = { "/nowhere/julia", NULL };
  MaltProcessLauncher launcher = { .argv = arguments, .envp = environment };
  g_autoptr (GError) error = NULL;

  CHECK (malt_process_launcher_spawn (&launcher, &error) == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "/nowhere/julia") != NULL);
  CHECK (strstr (error->message, g_strerror (ENOENT)) != NULL);
}

static void
directory_that_is_not_there_is_an_error_with_its_name (void)
{
  MaltProcessLauncher launcher = { .cwd = "/nowhere" };
  g_autoptr (GError) error = NULL;

  CHECK (spawn_shell ("true", launcher, &error) == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  CHECK (strstr (error->message, "'/nowhere'") != NULL);
}

static void
directory_and_environment_are_those_given (void)
{
  MaltProcessLauncher launcher = { .cwd = "/usr" };
  g_autofree char *text = run_shell ("pwd; echo $GREETING $HOME.", launcher, NULL);

  CU_ASSERT_STRING_EQUAL (text, "/usr\nhello .\n");
}

static void
child_has_no_descriptor_but_those_given (void)
{
  int leaking = open ("/dev/null", O_RDONLY);
  int zero = open ("/dev/zero", O_RDONLY);
  MaltProcessLauncher launcher = { .given = { malt_child_give (zero, NULL) } };
  g_autofree char *command = g_strdup_printf (
      "readlink /proc/self/fd/%d; exec ls -v /proc/self/fd", launcher.given[0]);
  g_autofree char *with = run_shell (command, launcher, NULL);
  g_autofree char *expected =
      g_strdup_printf ("/dev/zero\n0\n1\n2\n3\n%d\n", launcher.given[0]);
  g_autofree char *without =
      run_shell ("exec ls /proc/self/fd", (MaltProcessLauncher){ 0 }, NULL);

  malt_child_close_given (launcher.given);
  close (leaking);
  close (zero);
  CHECK (with != NULL && without != NULL);
  /* 3 is the directory that ls reads. */
  CU_ASSERT_STRING_EQUAL (with, expected);
  CU_ASSERT_STRING_EQUAL (without, "0\n1\n2\n3\n");
}

/* A descriptor of /dev/zero from this number on. */
static int
open_zero (int first, int command)
{
  int zero = open ("/dev/zero", O_RDONLY | O_CLOEXEC);
  int fd = fcntl (zero, command, first);

  close (zero);
  return fd;
}

/* Those that are close-on-exec are the host's own, as after exec. */
static void
child_has_the_hosts_descriptors_if_it_is_to_have_them (void)
{
  const int fds[] = { open_zero (9, F_DUPFD), open_zero (MANY_FDS, F_DUPFD),
                      open_zero (20, F_DUPFD_CLOEXEC) };
  MaltProcessLauncher launcher = { .given = { malt_child_give (fds[0], NULL) } };
  g_autofree char *command = g_strdup_printf (
      "for fd in %d %d %d %d; do readlink /proc/self/fd/$fd || echo none; done", fds[0],
      fds[1], fds[2], launcher.given[0]);
  g_autofree char *without = run_shell (command, launcher, NULL);
  g_autofree char *with = NULL;

  launcher.has_hosts_descriptors = TRUE;
  with = run_shell (command, launcher, NULL);
  malt_child_close_given (launcher.given);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  CHECK (with != NULL && without != NULL);
  CU_ASSERT_STRING_EQUAL (with, "/dev/zero\n/dev/zero\nnone\n/dev/zero\n");
  CU_ASSERT_STRING_EQUAL (without, "none\nnone\nnone\n/dev/zero\n");
}

static void
what_is_given_has_a_number_below_the_limit_or_is_refused_with_the_reason (void)
{
  struct rlimit limit;
  g_autoptr (GError) error = NULL;
  int fds[2] = { -1, -1 };
  int refused;

  getrlimit (RLIMIT_NOFILE, &limit);
  setrlimit (RLIMIT_NOFILE, &(const struct rlimit){ 40, limit.rlim_max });
  fds[0] = malt_child_give (STDERR_FILENO, NULL);
  fds[1] = malt_child_give_text ("text", NULL);
  setrlimit (RLIMIT_NOFILE, &(const struct rlimit){ 3, limit.rlim_max });
  refused = malt_child_give (STDERR_FILENO, &error);
  setrlimit (RLIMIT_NOFILE, &limit);
  for (int i = 0; i < 2; i++)
    {
      CU_ASSERT (fds[i] >= 20 && fds[i] < 40);
      close (fds[i]);
    }
  CU_ASSERT_EQUAL (refused, -1);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES));
  CHECK (strstr (error->message, g_strerror (EMFILE)) != NULL);
}

static void
standard_input_is_what_was_asked_for (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("token", 5);
  MaltProcessLauncher with = { .stdin_source = MALT_CHILD_STDIN_BYTES,
                               .stdin_bytes = bytes };
  MaltProcessLauncher without = { 0 };
  g_autofree char *token = run_shell ("cat; echo .", with, NULL);
  g_autofree char *nothing = run_shell ("cat; echo .", without, NULL);

  CU_ASSERT_STRING_EQUAL (token, "token.\n");
  CU_ASSERT_STRING_EQUAL (nothing, ".\n");
}

/* What is blocked and ignored in a child of a host that blocks and ignores signals. */
static char *
dup_signals_of (gboolean is_group_leader)
{
  sigset_t blocked;
  sigset_t saved;
  char *text;

  sigemptyset (&blocked);
  sigaddset (&blocked, SIGTERM);
  sigaddset (&blocked, SIGUSR1);
  pthread_sigmask (SIG_BLOCK, &blocked, &saved);
  signal (SIGINT, SIG_IGN);
  signal (SIGPIPE, SIG_IGN);
  text = run_shell ("exec grep -E 'Sig(Blk|Ign)' /proc/self/status",
                    (MaltProcessLauncher){ .is_group_leader = is_group_leader }, NULL);
  signal (SIGINT, SIG_DFL);
  signal (SIGPIPE, SIG_DFL);
  pthread_sigmask (SIG_SETMASK, &saved, NULL);
  return text;
}

static void
signals_of_a_group_leader_are_as_in_a_fresh_process (void)
{
  g_autofree char *text = dup_signals_of (TRUE);

  CU_ASSERT_STRING_EQUAL (text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* SIGINT 2, SIGUSR1 10, SIGPIPE 13, SIGTERM 15 */
static void
signals_of_a_child_in_the_hosts_group_are_the_hosts (void)
{
  g_autofree char *text = dup_signals_of (FALSE);

  CU_ASSERT_STRING_EQUAL (text, "SigBlk:\t0000000000004200\nSigIgn:\t0000000000001002\n");
}

typedef struct
{
  gint64 pid;
} Pid;

static gboolean
is_gone (gpointer data)
{
  return !process_test_is_alive (((Pid *) data)->pid);
}

static gboolean
can_read_pid (gpointer data)
{
  char text[32] = "";
  gssize n = malt_pipe_read (malt_child_get_stdout (data), text, sizeof text - 1);
  return n > 0;
}

static void
signal_to_the_group_reaches_grandchildren (void)
{
  MaltProcessLauncher launcher = { .is_group_leader = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child =
      spawn_shell ("sleep 100 & echo $! > /dev/stderr; echo .; wait", launcher, &error);
  char text[32] = "";
  Pid grandchild;

  CHECK_NO_ERROR (error);
  CHECK (process_test_wait (can_read_pid, child, PROCESS_TEST_PATIENCE_MS));
  CHECK (malt_pipe_read (malt_child_get_stderr (child), text, sizeof text - 1) > 0);
  grandchild.pid = g_ascii_strtoll (text, NULL, 10);
  CHECK (process_test_is_alive (grandchild.pid));
  CHECK (getpgid ((pid_t) grandchild.pid) == malt_child_get_pid (child));
  CHECK (malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP));
  CHECK (process_test_wait (has_ended, child, PROCESS_TEST_PATIENCE_MS));
  CHECK (process_test_wait (is_gone, &grandchild, PROCESS_TEST_PATIENCE_MS));
  CHECK (was_killed (child));
  CHECK (!malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP));
}

/* Goes into the group of a child of its own; what is left of its old group lives on. All
 * end with this process. */
static int
be_child_that_leaves_its_group (void)
{
  char byte;
  int fds[2];
  pid_t pids[2];

  if (pipe (fds) < 0)
    return 1;
  for (int i = 0; i < 2; i++)
    {
      pids[i] = fork ();
      if (pids[i] == 0)
        {
          close (fds[1]);
          if (i == 0)
            setpgid (0, 0);
          _exit (read (fds[0], &byte, 1) < 0);
        }
      if (i == 0)
        setpgid (pids[i], pids[i]);
    }
  if (setpgid (0, pids[0]) < 0)
    return 1;
  g_print (".\n");
  pause ();
  return 1;
}

static void
child_that_leaves_its_group_can_be_killed (void)
{
  const char *const arguments[] = { program, "--child-that-leaves-its-group", NULL };
  MaltProcessLauncher launcher = { .argv = arguments,
                                   .envp = environment,
                                   .is_group_leader = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltChild) child = malt_process_launcher_spawn (&launcher, &error);

  CHECK_NO_ERROR (error);
  CHECK (process_test_wait (can_read_pid, child, PROCESS_TEST_PATIENCE_MS));
  CHECK (getpgid ((pid_t) malt_child_get_pid (child)) != malt_child_get_pid (child));
  CHECK (malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_GROUP));
  CHECK (process_test_wait (has_ended, child, PROCESS_TEST_PATIENCE_MS));
  CHECK (was_killed (child));
}

static gpointer
spawn_and_leave (G_GNUC_UNUSED gpointer data)
{
  return spawn_shell ("sleep 0.3; exit 5", (MaltProcessLauncher){ 0 }, NULL);
}

static void
child_outlives_the_thread_that_launched_it (void)
{
  g_autoptr (MaltChild) child =
      g_thread_join (g_thread_new ("short", spawn_and_leave, NULL));
  int status;

  CHECK (child != NULL);
  CHECK (process_test_wait (has_ended, child, PROCESS_TEST_PATIENCE_MS));
  CHECK (malt_child_get_end (child, &status) == MALT_CHILD_END_EXITED && status == 5);
}

/* A host of its own: launches a child, says its number, and is killed. */
static int
be_host_that_dies (void)
{
  MaltProcessLauncher launcher = { .is_group_leader = TRUE };
  MaltChild *child = spawn_shell ("while :; do :; done", launcher, NULL);

  g_print ("%" G_GINT64_FORMAT "\n", malt_child_get_pid (child));
  kill (getpid (), SIGKILL);
  return 1;
}

static void
child_dies_with_its_host (void)
{
  const char *arguments[] = { program, "--host-that-dies", NULL };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  Pid child;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                       &text, NULL, NULL, &error));
  child.pid = g_ascii_strtoll (text, NULL, 10);
  CHECK (child.pid > 0);
  CHECK (process_test_wait (is_gone, &child, PROCESS_TEST_PATIENCE_MS));
}

/* A host in which the first descriptors are free; its status says whether it learnt why
 * the launch failed. */
static int
be_host_without_descriptors (void)
{
  const char *const arguments[] = { "/nowhere/julia", NULL };
  MaltProcessLauncher launcher = { .argv = arguments, .envp = environment };
  g_autoptr (GError) error = NULL;

  for (int fd = 0; fd < 10; fd++)
    close (fd);
  return malt_process_launcher_spawn (&launcher, &error) != NULL ||
         !g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED);
}

static void
failure_is_reported_where_the_first_descriptors_are_free (void)
{
  const char *arguments[] = { program, "--host-without-descriptors", NULL };
  g_autoptr (GError) error = NULL;
  int status;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                       NULL, &status, &error));
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

/* One of each kind of descriptor that the library makes, none of which is closed. FALSE:
 * one could not be made. */
static gboolean
make_descriptors (void)
{
  MaltSocketPoller *poller = malt_socket_poller_new (NULL);
  gintptr writer;
  guint port;
  int fds[2];

  malt_io_thread_get_context ();
  return poller != NULL && malt_pipe_new (&writer, NULL) != NULL &&
         malt_socket_open_tcp_pair (fds, NULL) &&
         malt_socket_open_local_pair (fds, NULL) &&
         malt_socket_listen (1, &port, NULL) >= 0 &&
         spawn_shell ("sleep 100", (MaltProcessLauncher){ 0 }, NULL) != NULL;
}

/* A host without standard streams; its status says whether they are still free, and
 * whether a child has an empty input all the same. */
static int
be_host_without_streams (void)
{
  MaltProcessLauncher launcher = { .stdin_source = MALT_CHILD_STDIN_INHERIT };
  g_autofree char *input = NULL;

  for (int fd = 0; fd < 3; fd++)
    close (fd);
  if (!make_descriptors ())
    return 1;
  for (int fd = 0; fd < 3; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      return 10 + fd;
  input = run_shell ("readlink /proc/$$/fd/0 || echo closed", launcher, NULL);
  return g_strcmp0 (input, "closed\n") == 0 ? 0 : 2;
}

static void
host_without_streams_keeps_their_numbers_free (void)
{
  const char *arguments[] = { program, "--host-without-streams", NULL };
  g_autoptr (GError) error = NULL;
  int status;

  CHECK (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                       NULL, &status, &error));
  CHECK (WIFEXITED (status));
  CU_ASSERT_EQUAL (WEXITSTATUS (status), 0);
}

typedef struct
{
  pid_t pids[N_FORKS];
  gint is_over; /* atomic */
} Forks;

/* Processes that keep whatever the host has open when they are made. */
static gpointer
fork_often (gpointer data)
{
  Forks *forks = data;

  for (guint i = 0; i < N_FORKS; i++)
    {
      forks->pids[i] = fork ();
      if (forks->pids[i] == 0)
        {
          alarm (FORK_LIFE_S);
          for (;;)
            pause ();
        }
    }
  g_atomic_int_set (&forks->is_over, TRUE);
  return NULL;
}

/* Ends them; how many had ended before. */
static guint
end_forks (Forks *forks)
{
  guint n_ended = 0;

  for (guint i = 0; i < N_FORKS; i++)
    {
      if (forks->pids[i] < 0 || waitpid (forks->pids[i], NULL, WNOHANG) != 0)
        {
          n_ended++;
          continue;
        }
      kill (forks->pids[i], SIGKILL);
      waitpid (forks->pids[i], NULL, 0);
    }
  return n_ended;
}

static void
launch_waits_for_no_process_that_the_host_forks (void)
{
  Forks forks = { .is_over = FALSE };
  GThread *thread = g_thread_new ("forks", fork_often, &forks);
  guint n_launched = 0;
  guint n_failed = 0;

  while (!g_atomic_int_get (&forks.is_over))
    {
      g_autoptr (MaltChild) child =
          spawn_shell ("exit 0", (MaltProcessLauncher){ 0 }, NULL);
      n_launched++;
      n_failed += child == NULL;
    }
  g_thread_join (thread);
  CU_ASSERT_EQUAL (end_forks (&forks), 0);
  CU_ASSERT_EQUAL (n_failed, 0);
  CHECK (n_launched > 0);
}

typedef struct
{
  gint is_dispatched; /* atomic */
  gint64 when_us;
} Watch;

static gboolean
on_ended (gpointer data)
{
  Watch *watch = data;
  watch->when_us = g_get_monotonic_time ();
  g_atomic_int_set (&watch->is_dispatched, TRUE);
  return G_SOURCE_REMOVE;
}

static gboolean
is_dispatched (gpointer data)
{
  return g_atomic_int_get (&((Watch *) data)->is_dispatched);
}

/* What the system needs to end a process and to wake up a thread for it, loaded as it may be. */
static gpointer
wait_for_end (gpointer data)
{
  gint64 *ended_us = data;
  siginfo_t info;

  waitid (P_PID, (id_t) *ended_us, &info, WEXITED | WNOWAIT);
  *ended_us = g_get_monotonic_time ();
  return NULL;
}

/* Microseconds after that; -1: there was no child, or its end was not noticed at all. */
static gint64
measure_notice (void)
{
  g_autoptr (MaltChild) child =
      spawn_shell ("sleep 100", (MaltProcessLauncher){ 0 }, NULL);
  g_autoptr (GSource) source = NULL;
  Watch watch = { 0, 0 };
  gboolean is_noticed;
  gint64 ended_us;
  GThread *thread;

  if (child == NULL)
    return -1;
  source = malt_child_watch_new (child);
  g_source_set_callback (source, on_ended, &watch, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  ended_us = malt_child_get_pid (child);
  thread = g_thread_new ("waiter", wait_for_end, &ended_us);
  malt_child_signal (child, SIGKILL, MALT_CHILD_TARGET_PROCESS);
  is_noticed = process_test_wait (is_dispatched, &watch, PROCESS_TEST_PATIENCE_MS);
  g_thread_join (thread);
  return is_noticed && malt_child_reap (child) ? MAX (watch.when_us - ended_us, 0) : -1;
}

static int
compare_times (const void *a, const void *b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
end_of_a_child_is_noticed_at_once (void)
{
  gint64 times_us[N_NOTICES];

  for (guint i = 0; i < N_NOTICES; i++)
    {
      times_us[i] = measure_notice ();
      CHECK (times_us[i] >= 0);
    }
  qsort (times_us, N_NOTICES, sizeof (gint64), compare_times);
  CHECK (times_us[N_NOTICES / 2] < 10000);
}

static void
launches_leave_no_descriptors (void)
{
  guint n_before;

  for (int i = 0; i < 20; i++)
    {
      g_autofree char *text = run_shell ("true", (MaltProcessLauncher){ 0 }, NULL);
      CHECK (text != NULL);
      if (i == 0)
        n_before = process_test_count_descriptors ();
    }
  CHECK (process_test_count_descriptors () == n_before);
}

static const ProcessTest tests[] = {
  { "status_of_a_child_is_kept", status_of_a_child_is_kept },
  { "program_that_is_not_there_is_an_error_with_its_name",
    program_that_is_not_there_is_an_error_with_its_name },
  { "directory_that_is_not_there_is_an_error_with_its_name",
    directory_that_is_not_there_is_an_error_with_its_name },
  { "directory_and_environment_are_those_given",
    directory_and_environment_are_those_given },
  { "child_has_no_descriptor_but_those_given", child_has_no_descriptor_but_those_given },
  { "child_has_the_hosts_descriptors_if_it_is_to_have_them",
    child_has_the_hosts_descriptors_if_it_is_to_have_them },
  { "what_is_given_has_a_number_below_the_limit_or_is_refused_with_the_reason",
    what_is_given_has_a_number_below_the_limit_or_is_refused_with_the_reason },
  { "standard_input_is_what_was_asked_for", standard_input_is_what_was_asked_for },
  { "signals_of_a_group_leader_are_as_in_a_fresh_process",
    signals_of_a_group_leader_are_as_in_a_fresh_process },
  { "signals_of_a_child_in_the_hosts_group_are_the_hosts",
    signals_of_a_child_in_the_hosts_group_are_the_hosts },
  { "signal_to_the_group_reaches_grandchildren",
    signal_to_the_group_reaches_grandchildren },
  { "child_that_leaves_its_group_can_be_killed",
    child_that_leaves_its_group_can_be_killed },
  { "child_outlives_the_thread_that_launched_it",
    child_outlives_the_thread_that_launched_it },
  { "child_dies_with_its_host", child_dies_with_its_host },
  { "failure_is_reported_where_the_first_descriptors_are_free",
    failure_is_reported_where_the_first_descriptors_are_free },
  { "host_without_streams_keeps_their_numbers_free",
    host_without_streams_keeps_their_numbers_free },
  { "launch_waits_for_no_process_that_the_host_forks",
    launch_waits_for_no_process_that_the_host_forks },
  { "end_of_a_child_is_noticed_at_once", end_of_a_child_is_noticed_at_once },
  { "launches_leave_no_descriptors", launches_leave_no_descriptors },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  program = argv[0];
  if (argc > 1 && strcmp (argv[1], "--host-that-dies") == 0)
    return be_host_that_dies ();
  if (argc > 1 && strcmp (argv[1], "--host-without-descriptors") == 0)
    return be_host_without_descriptors ();
  if (argc > 1 && strcmp (argv[1], "--host-without-streams") == 0)
    _exit (be_host_without_streams ()); /* with all that it has made */
  if (argc > 1 && strcmp (argv[1], "--child-that-leaves-its-group") == 0)
    return be_child_that_leaves_its_group ();
  return process_test_main (argc, argv, "process launcher", tests);
}
