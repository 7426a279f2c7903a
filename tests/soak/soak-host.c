/* SPDX-License-Identifier: MIT */
/* What the host does, or is short of, while its workers are busy. */
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  MAX_DESCRIPTORS = 1024,
  MAX_LEFT = 8, /* of them, in a shortage */
  N_ITEMS = 5
};

/* Forks */

/* How the child ended, NULL: as it should. */
static char *
await_child (pid_t pid)
{
  int status = 0;
  pid_t seen;

  do
    seen = waitpid (pid, &status, 0);
  while (seen < 0 && errno == EINTR);
  if (seen == pid && WIFSIGNALED (status))
    return g_strdup_printf ("died of signal %d", WTERMSIG (status));
  if (seen != pid || WEXITSTATUS (status) != 0)
    return g_strdup_printf ("ended with status %d",
                            seen == pid ? WEXITSTATUS (status) : -1);
  return NULL;
}

/* The child ends at once. */
static void
end_child (G_GNUC_UNUSED MaltWorker *worker, G_GNUC_UNUSED MaltFuture *future)
{
  _exit (EXIT_SUCCESS);
}

/* In the child the library does nothing. */
static void
use_in_child (MaltWorker *worker, MaltFuture *future)
{
  g_autoptr (GError) error = NULL;
  MaltValue *value;

  alarm ((guint) soak_get_options ()->patience_s);
  value = malt_worker_remote_eval_fetch (worker, NULL, "1", NULL, &error);
  if (value != NULL || !g_error_matches (error, MALT_ERROR, MALT_ERROR_FORKED) ||
      malt_worker_is_running (worker))
    _exit (2);
  g_clear_error (&error);
  value = malt_future_fetch (future, NULL, &error);
  _exit (value != NULL || !g_error_matches (error, MALT_ERROR, MALT_ERROR_FORKED) ? 3
                                                                                  : 0);
}

static __thread guint n_references; /* to the worker, as this thread is about to fork */

/* The child lets go of all that it has got, and runs what is to be run at an exit. */
static void
drop_in_child (MaltWorker *worker, MaltFuture *future)
{
  alarm ((guint) soak_get_options ()->patience_s);
  g_object_unref (future);
  for (; n_references > 0; n_references--)
    g_object_unref (worker);
  exit (EXIT_SUCCESS);
}

static void
fork_beside (SoakThread *thread, void (*run) (MaltWorker *worker, MaltFuture *future))
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autofree char *fault = NULL;
  SoakFlight *flight;
  pid_t pid;

  if (worker == NULL)
    return;
  flight = soak_fly_function (thread, worker, id, "soak_sleep", 5);
  n_references = G_OBJECT (worker->worker)->ref_count;
  pid = fork ();
  if (pid == 0)
    run (worker->worker, flight->future);
  if (pid < 0)
    soak_note ("fork: %s", g_strerror (errno));
  else if ((fault = await_child (pid)) != NULL)
    soak_fault (SOAK_WRONG, "%s: the child %s", thread->operation->name, fault);
  soak_land_int (flight, SOAK_MAY_ONLY_ANSWER, id);
}

/* The parent's workers go on. */
static void
run_fork (SoakThread *thread)
{
  fork_beside (thread, soak_chance (thread, 60) ? use_in_child : end_child);
}

static void
run_fork_drop (SoakThread *thread)
{
  fork_beside (thread, drop_in_child);
}

/* Descriptors. While one thread has taken them away, the others go on: only launches may fail,
 * and say why. */

static GMutex shortage_lock; /* held while there is a shortage */
static gint n_shortages; /* (atomic): begun so far */

guint
soak_shortages_count (void)
{
  return (guint) g_atomic_int_get (&n_shortages);
}

gboolean
soak_shortage_explains (const GError *error, guint n_before)
{
  gboolean is_over = g_mutex_trylock (&shortage_lock);

  if (is_over)
    g_mutex_unlock (&shortage_lock);
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES) &&
         (!is_over || soak_shortages_count () != n_before);
}

void
soak_shortage_await (void)
{
  g_mutex_lock (&shortage_lock);
  g_mutex_unlock (&shortage_lock);
}

/* From now on @n_left descriptors can be made. */
static guint
take_descriptors (int *held, guint n_left)
{
  guint n_held = 0;

  while (n_held < MAX_DESCRIPTORS &&
         (held[n_held] = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    n_held++;
  for (; n_left > 0 && n_held > 0; n_left--)
    close (held[--n_held]);
  return n_held;
}

static void
take_in_shortage (SoakThread *thread, SoakWorker *worker, MaltChannel *channel)
{
  for (int i = 1; i <= N_ITEMS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MaltValue) item = malt_channel_take (
          channel, soak_patience (thread, soak_get_options ()->patience_s), &error);

      if (item != NULL && malt_value_get_int64 (item) == i)
        continue;
      if (item != NULL || !g_atomic_int_get (&worker->is_doomed))
        soak_fault (SOAK_WRONG, "item %d of a channel without descriptors: %s", i,
                    error ? error->message : "another one");
      return;
    }
}

/* It may do with what is left, or says what it lacks. */
static void
launch_in_shortage (SoakThread *thread)
{
  g_autoptr (MaltConfig) config = soak_config_new (thread);
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  if (worker != NULL)
    malt_worker_stop_full (worker, 0, 0, NULL, NULL, NULL);
  else if (!g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES))
    soak_fault (SOAK_WRONG, "a launch without descriptors: %s", error->message);
}

static void
interrupt_in_shortage (SoakThread *thread, SoakWorker *worker)
{
  gint64 id = soak_next_id (thread);
  SoakFlight *flight = soak_fly_function (thread, worker, id, "soak_sleep", 2000);
  MaltInterruptResult result;

  if (soak_interrupt (flight, "descriptors", &result))
    soak_land_int (flight, SOAK_MAY_BE_INTERRUPTED, id);
}

/* What is done with a worker that runs needs none. */
static void
run_descriptors (SoakThread *thread)
{
  g_autoptr (SoakWorker) worker = soak_worker_share (thread);
  gint64 id = soak_next_id (thread);
  g_autoptr (MaltChannel) channel = NULL;
  const struct rlimit limit = { MAX_DESCRIPTORS, MAX_DESCRIPTORS };
  int held[MAX_DESCRIPTORS];
  guint n_held;

  if (worker == NULL)
    return;
  channel = malt_worker_channel (
      worker->worker, NULL, "Channel{Int}(c -> for i in 1:5; put!(c, i); end)",
      soak_patience (thread, soak_get_options ()->patience_s), NULL);
  g_mutex_lock (&shortage_lock);
  g_atomic_int_inc (&n_shortages);
  setrlimit (RLIMIT_NOFILE, &limit);
  n_held = take_descriptors (held, (guint) soak_random (thread, 0, MAX_LEFT + 1));
  soak_land_int (soak_fly_function (thread, worker, id, "soak_once", 0),
                 SOAK_MAY_ONLY_ANSWER, 3 * id + 1);
  launch_in_shortage (thread);
  interrupt_in_shortage (thread, worker);
  if (channel != NULL)
    take_in_shortage (thread, worker, channel);
  while (n_held > 0)
    close (held[--n_held]);
  g_mutex_unlock (&shortage_lock);
}

const SoakOperation soak_host[] = {
  { "fork", 1, MALT_CAPABILITY_NONE, run_fork },
  { "fork-drop", 1, MALT_CAPABILITY_NONE, run_fork_drop },
  { "descriptors", 1, MALT_CAPABILITY_ISOLATED, run_descriptors },
  SOAK_OPERATIONS_END,
};
