/* SPDX-License-Identifier: MIT */
/* A host that is short of descriptors or threads. Each case runs in a process of its own, which the library has not been used in before. */
#include "link-peer.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "platform/malt-process-launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  MAX_LEFT = 8,
  MAX_THREADS = 10, /* in which a first launch must succeed */
  MAX_DESCRIPTORS = 64,
  STRANGER = 54321, /* a user who runs nothing else */
  PATIENCE_S = 30
};

/* In the child: a failure is its exit status, and said on standard error. */
#define TRY(condition)                                                  \
  do                                                                    \
    {                                                                   \
      if (!(condition))                                                 \
        {                                                               \
          g_printerr ("\n%s:%d: %s\n", __FILE__, __LINE__, #condition); \
          return 1;                                                     \
        }                                                               \
    }                                                                   \
  while (0)

typedef int (*Case) (guint n);

/* 0: it went well. */
static int
run_in_child (Case run, guint n)
{
  pid_t pid = fork ();
  int status = -1;

  if (pid == 0)
    {
      alarm (PATIENCE_S);
      _exit (run (n));
    }
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (status != 0)
    g_printerr ("\nwith %u left: status 0x%x\n", n, (guint) status);
  return status;
}

/* Descriptors */

static int held[MAX_DESCRIPTORS];
static guint n_held;

static void
take_all_but (guint n_left)
{
  while ((held[n_held] = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    n_held++;
  for (; n_left > 0; n_left--)
    close (held[--n_held]);
}

static void
give_back (void)
{
  while (n_held > 0)
    close (held[--n_held]);
}

static void
limit_descriptors (void)
{
  struct rlimit limit = { MAX_DESCRIPTORS, MAX_DESCRIPTORS };

  setrlimit (RLIMIT_NOFILE, &limit);
}

static gboolean
is_short (const GError *error)
{
  return g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES);
}

static int
first_launch_is_short (guint n_left)
{
  g_autoptr (MaltConfig) config = process_test_config ("julia=/bin/false");
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later = NULL;
  g_autoptr (GError) config_error = NULL;
  g_autoptr (MaltConfig) read = NULL;

  limit_descriptors ();
  take_all_but (n_left);
  read = malt_config_new_default (&config_error);
  TRY (read != NULL || is_short (config_error));
  TRY (malt_worker_launch (config, NULL, &error) == NULL);
  TRY (is_short (error));
  give_back ();
  g_clear_object (&read);
  g_clear_error (&config_error);
  read = malt_config_new_default (&config_error);
  TRY (read != NULL);
  TRY (malt_worker_launch (config, NULL, &later) == NULL);
  TRY (g_error_matches (later, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  return 0;
}

static void
first_launch_and_config_fail_without_descriptors (void)
{
  for (guint n = 0; n <= MAX_LEFT; n++)
    CU_ASSERT_EQUAL (run_in_child (first_launch_is_short, n), 0);
}

/* Answers what it is asked, until the connection ends. */
static gpointer
serve (gpointer data)
{
  LinkPeer *peer = data;
  MaltFrameHeader header;
  GBytes *body;

  while (link_peer_read (peer, PROCESS_TEST_PATIENCE_MS, &header, &body))
    {
      g_bytes_unref (body);
      if (header.kind == MALT_FRAME_CALL)
        link_peer_answer_int (peer, header.id, 5);
      else if (header.kind == MALT_FRAME_INTERRUPT)
        {
          link_peer_acknowledge (peer, header.id, MALT_FRAME_ACK_DELIVERED);
          link_peer_answer_exception (peer, header.id, "InterruptException");
        }
    }
  return NULL;
}

static gint64
call_int (LinkPeer *peer, GCancellable *cancellable)
{
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltValue) value =
      malt_worker_remote_call_fetch (peer->worker, call, cancellable, NULL);

  return value != NULL ? malt_value_get_int64 (value) : -1;
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (50000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static int
running_worker_needs_none (guint n_left)
{
  LinkPeer *peer;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltFuture) waiting = NULL;
  GThread *thread;

  limit_descriptors ();
  peer = link_peer_new ();
  g_thread_unref (g_thread_new ("peer", serve, peer));
  TRY (call_int (peer, NULL) == 5);
  waiting = malt_worker_remote_eval (peer->worker, NULL, "sleep(100)");
  take_all_but (n_left);
  TRY (call_int (peer, cancellable) == 5);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  TRY (!malt_future_wait (waiting, -1, cancellable, &error));
  TRY (g_error_matches (error, MALT_ERROR, MALT_ERROR_CANCELLED));
  g_thread_join (thread);
  g_clear_error (&error);
  TRY (malt_future_interrupt (waiting, MALT_INTERRUPT_DEFAULT, NULL, &error) ==
       MALT_INTERRUPT_DELIVERED);
  TRY (error == NULL && malt_future_wait (waiting, -1, NULL, &error));
  TRY (call_int (peer, NULL) == 5);
  TRY (malt_worker_stop (peer->worker, NULL, &error));
  return 0;
}

static void
running_worker_needs_no_descriptor (void)
{
  for (guint n = 0; n <= MAX_LEFT; n++)
    CU_ASSERT_EQUAL (run_in_child (running_worker_needs_none, n), 0);
}

/* Threads and processes: of another user, since root has no limit. */

static gboolean
become_stranger (void)
{
  return setgid (STRANGER) == 0 && setuid (STRANGER) == 0;
}

static gboolean
limit_processes (rlim_t n)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NPROC, &limit) != 0)
    return FALSE;
  limit.rlim_cur = MIN (n, limit.rlim_max);
  return setrlimit (RLIMIT_NPROC, &limit) == 0;
}

static int
start_with_so_many (guint n_threads)
{
  g_autoptr (MaltConfig) config = process_test_config ("julia=/bin/false");
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later = NULL;

  TRY (become_stranger () && limit_processes (n_threads + 1));
  TRY (malt_worker_launch (config, NULL, &error) == NULL);
  TRY (is_short (error) || g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  if (n_threads == 0)
    TRY (is_short (error));
  TRY (limit_processes (RLIM_INFINITY));
  TRY (malt_worker_launch (config, NULL, &later) == NULL);
  TRY (g_error_matches (later, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  return 0;
}

static int
spawn_without_processes (G_GNUC_UNUSED guint n)
{
  g_autoptr (MaltConfig) config = process_test_config ("julia=/bin/false");
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later = NULL;

  TRY (become_stranger ());
  TRY (malt_worker_launch (config, NULL, &error) == NULL);
  TRY (g_error_matches (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED));
  TRY (limit_processes (0));
  TRY (malt_worker_launch (config, NULL, &later) == NULL);
  TRY (is_short (later));
  return 0;
}

static void
launches_fail_without_threads_or_processes (void)
{
  if (geteuid () != 0)
    return;
  for (guint n = 0; n <= MAX_THREADS; n++)
    CU_ASSERT_EQUAL (run_in_child (start_with_so_many, n), 0);
  CU_ASSERT_EQUAL (run_in_child (spawn_without_processes, 0), 0);
}

static const ProcessTest tests[] = {
  { "first_launch_and_config_fail_without_descriptors",
    first_launch_and_config_fail_without_descriptors },
  { "running_worker_needs_no_descriptor", running_worker_needs_no_descriptor },
  { "launches_fail_without_threads_or_processes",
    launches_fail_without_threads_or_processes },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "shortage of a host", tests);
}
