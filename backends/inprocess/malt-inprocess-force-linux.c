/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of code that hogs the Julia thread. Every way to do it can end the program; so this is done only for workers with
 * interrupt-busy = force, in stages, the less dangerous first (measured on Julia 1.5, 1.10 and 1.12: no death in some 3500 interrupts, which is rare
 * and not safe).
 *
 * Stage one, the first try: a SIGINT for the thread in which Julia waits for signals. Julia throws at the next safepoint of whatever runs, so it
 * is sent only while the call that is meant is the only code of users that has begun. One, never several: from version 1.10 on a burst ends
 * Julia. Julia looks whether its own handler is in place, so a handler of ours stands in for the host's for as long as an
 * interrupt is under way: in Julia's thread it calls Julia's handler, elsewhere the host's.
 *
 * Stage two, from the second try on: real-time signals for the Julia thread itself, one after the other by a thread that exists for this only, since
 * most may find the code where nothing may be thrown. Their handler throws if the interrupted instruction is one that Julia has
 * compiled at run time (an executable mapping without a file) and the running task is that of the call: never inside of libjulia, of
 * the system image or of C code, whose state an exception would leave in pieces. So loops that live there are not ended.
 *
 * The table of mappings is written while no signal is under way: `sent` and `seen` count them. A task's address is target only while its
 * call is in user code, which the Julia thread says (enter, leave).
 */
#include "malt-inprocess-force.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_MAPPINGS 4096
#define KICK_SIGNAL (SIGRTMIN + 5)
#define LISTENER_LOOKS 50 /* of a millisecond each */
#define MAX_KICKS 3000
#define KICK_INTERVAL_US 700
#define KICKS_PER_READING 64
#define THROW_PATIENCE_US \
  400000 /* for an exception to end the call, with its `finally` blocks */

typedef struct
{
  guintptr start;
  guintptr end;
} Mapping;

typedef struct
{
  guint64 host;
  guint32 call_id;
  guintptr task;
} UserCall;

static struct
{
  pthread_t thread;
  pid_t listener; /* 0: not found */
  struct sigaction julia_action; /* of SIGINT */
  guintptr (*get_task) (void);
  void (*throw_interrupt) (void);
  const gint64 *n_users;

  GMutex lock; /* guards the three, and what says so */
  GArray *calls; /* (owned) (nullable): of UserCall */
  GHashTable *threads_before; /* (owned) (nullable): during the initialisation */

  gboolean is_kicking; /* guarded by lock: the thread is there */
  guint n_sent; /* guarded by lock */

  /* Guarded by lock, but for the handler, which reads the action while is_routing. */
  GArray
      *wanting; /* (owned) (nullable): of guint64: workers with an interrupt under way */
  gboolean is_routing;
  struct sigaction host_action; /* while is_routing */

  /* Read by the handler of the Julia thread. */
  Mapping mappings[MAX_MAPPINGS];
  guint n_mappings;
  guintptr target; /* (atomic): address of a task; 0: nobody */
  guint n_seen; /* (atomic) */
  guint n_thrown; /* (atomic) */
  gint is_wanted; /* (atomic): until the end of the interrupt */
} force;

gboolean
malt_inprocess_force_is_supported (void)
{
  return force.listener != 0;
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
  force.thread = pthread_self ();
  sigaction (SIGINT, NULL, &force.julia_action);
  for (int i = 0; i < LISTENER_LOOKS && force.listener == 0; i++)
    {
      force.listener = find_listener ();
      if (force.listener == 0)
        g_usleep (1000);
    }
  g_clear_pointer (&force.threads_before, g_hash_table_unref);
}

/* Stage one */

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
add_wanting (guint64 host)
{
  if (force.wanting == NULL)
    force.wanting = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint i = 0; i < force.wanting->len; i++)
    if (g_array_index (force.wanting, guint64, i) == host)
      return;
  g_array_append_val (force.wanting, host);
}

static void
remove_wanting (guint64 host)
{
  for (guint i = 0; force.wanting != NULL && i < force.wanting->len; i++)
    if (g_array_index (force.wanting, guint64, i) == host)
      g_array_remove_index_fast (force.wanting, i--);
}

void
malt_inprocess_force_end (guint64 host)
{
  g_mutex_lock (&force.lock);
  remove_wanting (host);
  if (force.wanting == NULL || force.wanting->len == 0)
    {
      if (force.is_routing)
        sigaction (SIGINT, &force.host_action, NULL);
      force.is_routing = FALSE;
      g_atomic_int_set (&force.is_wanted, FALSE);
      __atomic_store_n (&force.target, 0, __ATOMIC_SEQ_CST);
    }
  g_mutex_unlock (&force.lock);
}

/* Stage two */

static guintptr
get_instruction (const ucontext_t *context)
{
#ifdef __x86_64__
  return (guintptr) context->uc_mcontext.gregs[REG_RIP];
#else
  return (guintptr) context->uc_mcontext.pc;
#endif
}

/* In the Julia thread, anywhere: nothing but comparisons until the throw is known to be right. */
static void
on_kick (G_GNUC_UNUSED int signum, G_GNUC_UNUSED siginfo_t *info, void *context)
{
  guintptr instruction = get_instruction (context);
  guintptr target = __atomic_load_n (&force.target, __ATOMIC_SEQ_CST);
  gboolean is_compiled_code = FALSE;

  for (guint i = 0; i < force.n_mappings && !is_compiled_code; i++)
    is_compiled_code =
        instruction >= force.mappings[i].start && instruction < force.mappings[i].end;
  __atomic_add_fetch (&force.n_seen, 1, __ATOMIC_SEQ_CST);
  if (!is_compiled_code || target == 0 || force.get_task () != target)
    return;
  __atomic_store_n (&force.target, 0, __ATOMIC_SEQ_CST);
  __atomic_add_fetch (&force.n_thrown, 1, __ATOMIC_SEQ_CST);
  force.throw_interrupt ();
}

/* Executable memory without a file behind it, or with one that was deleted: where Julia puts what it compiles. */
static void
read_mappings (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  force.n_mappings = 0;
  if (!g_file_get_contents ("/proc/self/maps", &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL && force.n_mappings < MAX_MAPPINGS; line++)
    {
      unsigned long start;
      unsigned long end;
      char access[8];
      char path[16] = "";

      if (sscanf (*line, "%lx-%lx %7s %*s %*s %*s %15s", &start, &end, access, path) <
              3 ||
          access[2] != 'x' || (path[0] != '\0' && strstr (*line, "(deleted)") == NULL))
        continue;
      force.mappings[force.n_mappings].start = start;
      force.mappings[force.n_mappings].end = end;
      force.n_mappings++;
    }
}

void
malt_inprocess_force_set_up (gpointer get_task, gpointer throw_interrupt,
                             const gint64 *n_users)
{
  struct sigaction action = { .sa_sigaction = on_kick,
                              .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART };
  sigset_t set;

  *(gpointer *) &force.get_task = get_task;
  *(gpointer *) &force.throw_interrupt = throw_interrupt;
  force.n_users = n_users;
  sigemptyset (&action.sa_mask);
  sigaction (KICK_SIGNAL, &action, NULL);
  sigemptyset (&set);
  sigaddset (&set, KICK_SIGNAL);
  pthread_sigmask (SIG_UNBLOCK, &set, NULL);
}

/* Which task runs which call */

void
malt_inprocess_force_enter (guint64 host, guint32 call_id, guintptr task)
{
  UserCall call = { host, call_id, task };

  g_mutex_lock (&force.lock);
  if (force.calls == NULL)
    force.calls = g_array_new (FALSE, FALSE, sizeof (UserCall));
  g_array_append_val (force.calls, call);
  g_mutex_unlock (&force.lock);
}

void
malt_inprocess_force_leave (guint64 host, guint32 call_id)
{
  g_mutex_lock (&force.lock);
  for (guint i = 0; force.calls != NULL && i < force.calls->len; i++)
    {
      UserCall *call = &g_array_index (force.calls, UserCall, i);

      if (call->host != host || call->call_id != call_id)
        continue;
      if (__atomic_load_n (&force.target, __ATOMIC_SEQ_CST) == call->task)
        __atomic_store_n (&force.target, 0, __ATOMIC_SEQ_CST);
      g_array_remove_index_fast (force.calls, i);
      break;
    }
  g_mutex_unlock (&force.lock);
}

/* With lock held. 0: the call is not in user code. */
static guintptr
find_task (guint64 host, guint32 call_id)
{
  for (guint i = 0; force.calls != NULL && i < force.calls->len; i++)
    {
      UserCall *call = &g_array_index (force.calls, UserCall, i);

      if (call->host == host && call->call_id == call_id)
        return call->task;
    }
  return 0;
}

/* FALSE: the call is not in user code any more. */
static gboolean
kick (const UserCall *call, guint n_kicks)
{
  guintptr task;

  g_mutex_lock (&force.lock);
  task = find_task (call->host, call->call_id);
  if (task != 0 && __atomic_load_n (&force.n_seen, __ATOMIC_SEQ_CST) == force.n_sent)
    {
      if (n_kicks % KICKS_PER_READING == 0)
        read_mappings ();
      __atomic_store_n (&force.target, task, __ATOMIC_SEQ_CST);
      force.n_sent++;
      pthread_kill (force.thread, KICK_SIGNAL);
    }
  g_mutex_unlock (&force.lock);
  return task != 0;
}

static gpointer
run_kicks (gpointer data)
{
  g_autofree UserCall *call = data;
  guint n_thrown = __atomic_load_n (&force.n_thrown, __ATOMIC_SEQ_CST);

  for (guint i = 0; i < MAX_KICKS && g_atomic_int_get (&force.is_wanted); i++)
    {
      guint n_now;

      if (!kick (call, i))
        break;
      /* At changing intervals: the code may be in step with us. */
      g_usleep (KICK_INTERVAL_US + (i * 37) % 400);
      n_now = __atomic_load_n (&force.n_thrown, __ATOMIC_SEQ_CST);
      if (n_now != n_thrown)
        g_usleep (THROW_PATIENCE_US);
      n_thrown = n_now;
    }
  g_mutex_lock (&force.lock);
  __atomic_store_n (&force.target, 0, __ATOMIC_SEQ_CST);
  force.is_kicking = FALSE;
  g_mutex_unlock (&force.lock);
  return NULL;
}

/* With lock held. */
static void
start_kicks (guint64 host, guint32 call_id)
{
  UserCall *call;
  GThread *thread;

  if (force.is_kicking)
    return;
  call = g_new0 (UserCall, 1);
  call->host = host;
  call->call_id = call_id;
  thread = g_thread_try_new ("malt-kicks", run_kicks, call, NULL);
  force.is_kicking = thread != NULL;
  if (thread != NULL)
    g_thread_unref (thread);
  else
    g_free (call);
}

gboolean
malt_inprocess_force_try (guint64 host, guint32 call_id, guint n)
{
  guintptr task;
  gboolean is_sent = FALSE;

  if (force.get_task == NULL)
    return FALSE;
  g_mutex_lock (&force.lock);
  add_wanting (host);
  g_atomic_int_set (&force.is_wanted, TRUE);
  task = find_task (host, call_id);
  if (task != 0 && n == 1 && *(volatile const gint64 *) force.n_users == 1)
    {
      route_interrupts ();
      is_sent = syscall (SYS_tgkill, getpid (), force.listener, SIGINT) == 0;
    }
  else if (task != 0 && n > 1)
    start_kicks (host, call_id);
  g_mutex_unlock (&force.lock);
  return is_sent;
}
