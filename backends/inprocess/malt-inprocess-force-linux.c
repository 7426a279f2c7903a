/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of code that hogs the Julia thread, by the judge (core/julia/judge), which
 * Julia loads here as a worker process does. Every way to do it can end the program, so
 * this is done only for workers with interrupt-busy = force.
 *
 * What is different in the host's own process is SIGINT, by which Julia is asked to throw
 * at a safepoint: it goes to the thread in which Julia waits for signals, and to no
 * other. Julia looks whether its own handler is in place, so a handler of ours stands in
 * for the host's for as long as an interrupt is under way: in Julia's thread it calls
 * Julia's handler, elsewhere the host's.
 */
#include "malt-inprocess-force.h"

#include "link/malt-julia-source.h"
#include "platform/malt-judge-page.h"
#include "platform/unix/malt-entry.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LISTENER_LOOKS 50 /* of a millisecond each */

static struct
{
  pid_t thread; /* of Julia */
  pid_t listener; /* 0: not found */
  struct sigaction julia_action; /* of SIGINT */
  GHashTable *threads_before; /* (owned) (nullable): during the initialisation */

  GMutex
      lock; /* guards the rest, but for the handler, which reads the action while is_routing */
  MaltJudge *judge; /* (owned) (nullable): made once, lives as long as Julia */
  GArray *wanting; /* (owned) (nullable): of guint: workers with an interrupt under way */
  gboolean is_routing;
  struct sigaction host_action; /* while is_routing */
} force;

gboolean
malt_inprocess_force_is_supported (void)
{
  return force.listener != 0;
}

gint64
malt_inprocess_force_get_thread (void)
{
  return force.thread;
}

MaltJudge *
malt_inprocess_force_get_judge (void)
{
  MaltJudge *judge;

  g_mutex_lock (&force.lock);
  if (force.judge == NULL)
    {
      g_autoptr (GBytes) library = malt_julia_dup_source ("julia/judge.so");

      force.judge = malt_judge_new (library, NULL);
    }
  judge = force.judge;
  g_mutex_unlock (&force.lock);
  return judge;
}

/* The thread in which Julia waits for signals */

static GHashTable *
list_threads (void)
{
  GHashTable *threads = g_hash_table_new (NULL, NULL);
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_hash_table_add (threads, GINT_TO_POINTER (atoi (name)));
  if (dir != NULL)
    g_dir_close (dir);
  return threads;
}

static gboolean
waits_for_signals (pid_t thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/syscall", (int) thread);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && g_ascii_isdigit (text[0]) &&
         atoi (text) == SYS_rt_sigtimedwait;
}

static pid_t
find_listener (void)
{
  g_autoptr (GHashTable) threads = list_threads ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, threads);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (force.threads_before, key) &&
        waits_for_signals (GPOINTER_TO_INT (key)))
      return GPOINTER_TO_INT (key);
  return 0;
}

void
malt_inprocess_force_before_init (void)
{
  force.threads_before = list_threads ();
}

void
malt_inprocess_force_after_init (void)
{
  force.thread = (pid_t) syscall (SYS_gettid);
  sigaction (SIGINT, NULL, &force.julia_action);
  for (int i = 0; i < LISTENER_LOOKS && force.listener == 0; i++)
    {
      force.listener = find_listener ();
      if (force.listener == 0)
        g_usleep (1000);
    }
  g_clear_pointer (&force.threads_before, g_hash_table_unref);
}

/* SIGINT */

static void
call_action (const struct sigaction *action, int signum, siginfo_t *info, void *context)
{
  if (action->sa_flags & SA_SIGINFO)
    action->sa_sigaction (signum, info, context);
  else if (action->sa_handler == SIG_DFL)
    {
      /* What would have happened without us. */
      signal (signum, SIG_DFL);
      raise (signum);
    }
  else if (action->sa_handler != SIG_IGN)
    action->sa_handler (signum);
}

static void
on_interrupt (int signum, siginfo_t *info, void *context)
{
  int saved_errno = errno;
  gboolean is_julia = syscall (SYS_gettid) == force.listener;

  call_action (is_julia ? &force.julia_action : &force.host_action, signum, info,
               context);
  errno = saved_errno;
}

static void
route_interrupts (void)
{
  struct sigaction action = { .sa_sigaction = on_interrupt,
                              .sa_flags = SA_SIGINFO | SA_RESTART };

  if (force.is_routing)
    return;
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, NULL, &force.host_action);
  sigaction (SIGINT, &action, NULL);
  force.is_routing = TRUE;
}

static void
add_wanting (guint host)
{
  if (force.wanting == NULL)
    force.wanting = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < force.wanting->len; i++)
    if (g_array_index (force.wanting, guint, i) == host)
      return;
  g_array_append_val (force.wanting, host);
}

static void
remove_wanting (guint host)
{
  for (guint i = 0; force.wanting != NULL && i < force.wanting->len; i++)
    if (g_array_index (force.wanting, guint, i) == host)
      g_array_remove_index_fast (force.wanting, i--);
}

/* In the Julia thread. */
gpointer
malt_inprocess_force_load (void)
{
  MaltJudge *judge = malt_inprocess_force_get_judge ();
  gpointer page;
  sigset_t set;

  if (judge == NULL)
    return NULL;
  page = malt_judge_lend (judge, force.listener);
  if (!malt_judge_is_ready (judge) &&
      (dlopen (malt_judge_get_path (judge), RTLD_NOW | RTLD_LOCAL) == NULL ||
       !malt_judge_is_ready (judge)))
    return NULL;
  sigemptyset (&set);
  sigaddset (&set, SIGRTMIN + MALT_JUDGE_SIGNAL_OFFSET);
  pthread_sigmask (SIG_UNBLOCK, &set, NULL);
  return page;
}

guintptr
malt_inprocess_force_get_entry (void)
{
  return (guintptr) malt_entry;
}

gboolean
malt_inprocess_force_ask (guint host, MaltJudge *judge, guint64 call)
{
  const MaltJudgeTarget target = { getpid (), force.thread, -1 };
  gboolean is_asked;

  g_mutex_lock (&force.lock);
  add_wanting (host);
  route_interrupts ();
  malt_judge_set_open (judge, TRUE);
  is_asked = malt_judge_ask (judge, &target, call);
  g_mutex_unlock (&force.lock);
  return is_asked;
}

void
malt_inprocess_force_end (guint host)
{
  g_mutex_lock (&force.lock);
  remove_wanting (host);
  /* What is on its way would be the host's end; it stays routed until the next time then. */
  if (force.is_routing && force.wanting->len == 0 &&
      malt_judge_set_open (force.judge, FALSE))
    {
      sigaction (SIGINT, &force.host_action, NULL);
      force.is_routing = FALSE;
    }
  g_mutex_unlock (&force.lock);
}
