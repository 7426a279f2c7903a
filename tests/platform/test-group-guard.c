/* SPDX-License-Identifier: MIT */
/* What a host takes along when it dies without having stopped its children, with /bin/sh
 * as the child. */
#include "process-test.h"

#include "platform/malt-process-launcher.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum
{
  OUTLIVER_LIFE_S = 60,
  LOOK_US = 100000 /* in which a process that was killed is gone */
};

#define MAX_PIDS 8

static const char *program; /* this one, which also plays hosts */

/* Each prints the numbers of processes, then a point. */

/* Nothing in this group hears of a signal that can be ignored; one process is stopped. */
#define BUSY_GROUP                                                                  \
  "trap '' TERM INT HUP; sleep 100 & echo $!; sh -c 'kill -STOP $$; sleep 100' & "  \
  "echo $!; sh -c 'while :; do :; done' & echo $!; echo $$; echo .; while :; do :;" \
  " done"
#define LEFT_GROUP \
  "setsid sh -c 'echo $$; echo .; exec sleep 100' & while :; do sleep 1; done"
#define ENDS_BY_ITSELF "sleep 100 & echo $!; echo ."

/* A process that keeps all descriptors of the host but its output, and lives on. */
static void
fork_outliver (void)
{
  pid_t pid = fork ();

  if (pid > 0)
    {
      g_print ("outliver %d\n", (int) pid);
      return;
    }
  close (STDOUT_FILENO);
  alarm (OUTLIVER_LIFE_S);
  for (;;)
    pause ();
}

static void
hand_on (MaltChild *child)
{
  g_autoptr (GString) said = g_string_new (NULL);
  char text[256];

  while (strchr (said->str, '.') == NULL)
    {
      ssize_t n = malt_pipe_read (malt_child_get_stdout (child), text, sizeof text);

      if (n > 0)
        g_string_append_len (said, text, n);
      else
        g_usleep (1000);
    }
  g_print ("%s", said->str);
}

/* @argv: the script; whether the host collects the child, or forks, before it dies. */
static int
be_host_that_dies (char **argv)
{
  const char *const arguments[] = { "/bin/sh", "-c", argv[0], NULL };
  const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
  MaltProcessLauncher launcher = { .argv = arguments,
                                   .envp = environment,
                                   .is_group_leader = TRUE };
  MaltChild *child = malt_process_launcher_spawn (&launcher, NULL);

  if (child == NULL)
    return 1;
  hand_on (child);
  if (strcmp (argv[1], "fork") == 0)
    fork_outliver ();
  while (strcmp (argv[1], "collect") == 0 && !malt_child_reap (child))
    g_usleep (1000);
  fflush (stdout);
  kill (getpid (), SIGKILL);
  return 1;
}

/* What a host has left behind; each to be ended by end_remains(). */
typedef struct
{
  gint64 pids[MAX_PIDS];
  guint n_pids;
  gint64 outliver;
} Remains;

/* FALSE: the host did not say anything. */
static gboolean
run_host (const char *script, const char *what, Remains *out_remains)
{
  const char *arguments[] = { program, "--host-that-dies", script, what, NULL };
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  *out_remains = (Remains){ .n_pids = 0 };
  if (!g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text,
                     NULL, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "outliver "))
      out_remains->outliver = g_ascii_strtoll (lines[i] + strlen ("outliver "), NULL, 10);
    else if (g_ascii_isdigit (*lines[i]) && out_remains->n_pids < MAX_PIDS)
      out_remains->pids[out_remains->n_pids++] = g_ascii_strtoll (lines[i], NULL, 10);
  return out_remains->n_pids > 0;
}

static gboolean
are_gone (gpointer data)
{
  Remains *remains = data;

  for (guint i = 0; i < remains->n_pids; i++)
    if (!process_test_is_gone (&remains->pids[i]))
      return FALSE;
  return TRUE;
}

static void
end_remains (Remains *remains)
{
  for (guint i = 0; i < remains->n_pids; i++)
    if (!process_test_is_gone (&remains->pids[i]))
      kill ((pid_t) remains->pids[i], SIGKILL);
  if (remains->outliver > 0)
    kill ((pid_t) remains->outliver, SIGKILL);
}

static void
whole_group_dies_with_its_host (void)
{
  Remains remains;
  gboolean is_right;

  CHECK (run_host (BUSY_GROUP, "die", &remains));
  is_right = process_test_wait (are_gone, &remains, PROCESS_TEST_PATIENCE_MS);
  CU_ASSERT (remains.n_pids == 4);
  end_remains (&remains);
  CHECK (is_right);
}

static void
whole_group_dies_although_a_fork_of_the_host_lives_on (void)
{
  Remains remains;
  gboolean is_right;

  CHECK (run_host (BUSY_GROUP, "fork", &remains));
  is_right = process_test_wait (are_gone, &remains, PROCESS_TEST_PATIENCE_MS) &&
             remains.outliver > 0 && !process_test_is_gone (&remains.outliver);
  end_remains (&remains);
  CHECK (is_right);
}

static void
what_has_left_the_group_lives_on (void)
{
  Remains remains;
  gboolean is_right;

  CHECK (run_host (LEFT_GROUP, "die", &remains));
  g_usleep (LOOK_US);
  is_right = !are_gone (&remains);
  end_remains (&remains);
  CHECK (is_right);
}

static void
what_a_child_has_left_behind_lives_on (void)
{
  Remains remains;
  gboolean is_right;

  CHECK (run_host (ENDS_BY_ITSELF, "collect", &remains));
  g_usleep (LOOK_US);
  is_right = !are_gone (&remains);
  end_remains (&remains);
  CHECK (is_right);
}

static const ProcessTest tests[] = {
  { "whole_group_dies_with_its_host", whole_group_dies_with_its_host },
  { "whole_group_dies_although_a_fork_of_the_host_lives_on",
    whole_group_dies_although_a_fork_of_the_host_lives_on },
  { "what_has_left_the_group_lives_on", what_has_left_the_group_lives_on },
  { "what_a_child_has_left_behind_lives_on", what_a_child_has_left_behind_lives_on },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  program = argv[0];
  if (argc > 3 && strcmp (argv[1], "--host-that-dies") == 0)
    return be_host_that_dies (argv + 2);
  return process_test_main (argc, argv, "group guard", tests);
}
