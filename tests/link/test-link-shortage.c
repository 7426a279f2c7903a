/* SPDX-License-Identifier: MIT */
/* A host that is short of descriptors, threads or memory. What depends on a first
 * use runs in processes of its own. */
#include "link-peer.h"

#include "platform/malt-io-thread.h"
#include "platform/malt-platform.h"
#include "platform/malt-process-launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
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
limit_descriptors (guint n)
{
  struct rlimit limit = { n, MAX_DESCRIPTORS };

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

  limit_descriptors (MAX_DESCRIPTORS);
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
use_running_worker (void (*shorten) (guint), guint n)
{
  LinkPeer *peer;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltFuture) waiting = NULL;
  GThread *thread;

  limit_descriptors (MAX_DESCRIPTORS);
  peer = link_peer_new ();
  g_thread_unref (g_thread_new ("peer", serve, peer));
  TRY (call_int (peer, NULL) == 5);
  waiting = malt_worker_remote_eval (peer->worker, NULL, "sleep(100)");
  shorten (n);
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

static int
running_worker_needs_none (guint n_left)
{
  return use_running_worker (take_all_but, n_left);
}

static void
running_worker_needs_no_descriptor (void)
{
  for (guint n = 0; n <= MAX_LEFT; n++)
    CU_ASSERT_EQUAL (run_in_child (running_worker_needs_none, n), 0);
}

/* poll() refuses more descriptors than that; of which GLib warns. */
static int
running_worker_bears_limit (guint n)
{
  g_log_set_always_fatal (G_LOG_LEVEL_WARNING);
  return use_running_worker (limit_descriptors, n);
}

static void
running_worker_bears_a_limit_below_its_descriptors (void)
{
  for (guint n = 1; n <= MAX_LEFT; n++)
    CU_ASSERT_EQUAL (run_in_child (running_worker_bears_limit, n), 0);
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

/* Memory */

/* No arena of the C library has so much in reserve; and no frame of the peer may be as large. */
#define LARGE_BYTES ((gsize) 90 * 1024 * 1024)
#define FRAME_BYTES ((gsize) 60 * 1024 * 1024)

typedef struct
{
  LinkPeer *peer; /* (unowned) */
  char *large; /* (owned): a text of LARGE_BYTES */
  /* atomic: of a large frame that comes with the next answer, or in its place; 0: none */
  gint large_kind;
  gint n_host_errors; /* atomic */
} Memory;

static gboolean
read_all (int fd, guint8 *data, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      ssize_t n = read (fd, data, n_bytes);

      if (n <= 0)
        return FALSE;
      data += n;
      n_bytes -= (gsize) n;
    }
  return TRUE;
}

static gboolean
read_header (int fd, MaltFrameHeader *out_header)
{
  guint8 bytes[MALT_FRAME_HEADER_BYTES];
  guint8 dropped[4096];

  if (!read_all (fd, bytes, sizeof bytes) ||
      !malt_frame_header_parse (bytes, G_MAXUINT64, out_header, NULL))
    return FALSE;
  for (guint64 left = out_header->n_body_bytes; left > 0;)
    {
      gsize n = MIN (left, sizeof dropped);

      if (!read_all (fd, dropped, n))
        return FALSE;
      left -= n;
    }
  return TRUE;
}

/* The body of every kind: a byte, if it has one, and a text; the host gets no further. */
static void
write_large (Memory *memory, MaltFrameKind kind, guint32 id)
{
  const guint8 tags[] = { 1, 0x20 };
  gboolean has_byte = kind == MALT_FRAME_ERROR || kind == MALT_FRAME_OUTPUT;
  guint64 n_bytes = FRAME_BYTES;
  MaltFrameHeader header = { .n_body_bytes = n_bytes, .id = id, .kind = kind };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  malt_frame_header_write (&header, bytes);
  link_peer_write_raw (memory->peer, bytes, sizeof bytes);
  link_peer_write_raw (memory->peer, tags, has_byte ? 1 : 0);
  link_peer_write_raw (memory->peer, memory->large, n_bytes - (has_byte ? 1 : 0));
}

static gpointer
serve_large (gpointer data)
{
  Memory *memory = data;
  MaltFrameHeader header;

  while (read_header (memory->peer->fd, &header))
    {
      MaltFrameKind large = (MaltFrameKind) g_atomic_int_get (&memory->large_kind);

      if (header.kind == MALT_FRAME_HOST_RESULT &&
          (header.flags & MALT_FRAME_HOST_RESULT_IS_ERROR))
        g_atomic_int_inc (&memory->n_host_errors);
      if (header.kind != MALT_FRAME_CALL)
        continue;
      if (large != 0)
        write_large (memory, large, header.id);
      g_atomic_int_set (&memory->large_kind, 0);
      if (large != MALT_FRAME_OK && large != MALT_FRAME_ERROR)
        link_peer_answer_int (memory->peer, header.id, 5);
    }
  return NULL;
}

static gboolean
limit_memory (gsize n_more_bytes)
{
  g_autofree char *text = NULL;
  struct rlimit limit;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return FALSE;
  limit.rlim_cur =
      g_ascii_strtoull (text, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE) + n_more_bytes;
  limit.rlim_max = RLIM_INFINITY;
  return setrlimit (RLIMIT_AS, &limit) == 0;
}

static gboolean
lift_limit_of_memory (void)
{
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

  return setrlimit (RLIMIT_AS, &limit) == 0;
}

/* With an argument that the call takes over (nullable). 0: it failed for want of memory. */
static gint64
call_with (LinkPeer *peer, MaltValue *argument)
{
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  if (argument != NULL)
    malt_call_take_argument (call, argument);
  value = malt_worker_remote_call_fetch (peer->worker, call, NULL, &error);
  if (value != NULL)
    return malt_value_get_int64 (value);
  if (!is_short (error))
    g_printerr ("\n%s\n", error->message);
  return is_short (error) ? 0 : -1;
}

static gint64
call_with_large (Memory *memory, MaltFrameKind kind)
{
  g_atomic_int_set (&memory->large_kind, (gint) kind);
  return call_with (memory->peer, NULL);
}

static void
use_large_values (Memory *memory, MaltValue *string)
{
  const gsize n_bytes = LARGE_BYTES;
  LinkPeer *peer = memory->peer;
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (call_with (peer, malt_value_ref (string)) == 5);
  CHECK (call_with (peer, malt_value_new_string (memory->large)) == 0);
  CHECK (call_with (peer, malt_value_new_array (MALT_VALUE_UINT8, &n_bytes, 1,
                                                memory->large, n_bytes)) == 0);
  future = malt_worker_remote_eval (peer->worker, NULL, memory->large);
  CHECK (malt_future_fetch (future, NULL, &error) == NULL && is_short (error));
  CHECK (call_with_large (memory, MALT_FRAME_OK) == 0);
  CHECK (call_with (peer, NULL) == 5);
  CHECK (call_with_large (memory, MALT_FRAME_ERROR) == 0);
  CHECK (call_with_large (memory, MALT_FRAME_OUTPUT) == 5);
  CHECK (call_with_large (memory, MALT_FRAME_CHANNEL_ITEM) == 5);
  CHECK (call_with_large (memory, MALT_FRAME_HOST_CALL) == 5);
  CHECK (call_with (peer, NULL) == 5);
  CHECK (g_atomic_int_get (&memory->n_host_errors) == 1);
}

/* In this process, whose lines are counted; so it comes last. */
static void
large_values_fail_alone_without_memory (void)
{
  Memory memory = { .peer = link_peer_new (), .large = g_malloc (LARGE_BYTES + 1) };
  g_autoptr (MaltValue) string = NULL;
  GThread *thread;

  memset (memory.large, 'x', LARGE_BYTES);
  memory.large[LARGE_BYTES] = '\0';
  string = malt_value_new_string (memory.large);
  thread = g_thread_new ("peer", serve_large, &memory);
  CU_ASSERT_EQUAL (call_with (memory.peer, NULL), 5);
  CU_ASSERT (limit_memory (32u << 20));
  use_large_values (&memory, string);
  CU_ASSERT (lift_limit_of_memory ());
  CU_ASSERT_EQUAL (shutdown (memory.peer->fd, SHUT_RDWR), 0);
  g_thread_join (thread);
  link_peer_free (memory.peer);
  g_free (memory.large);
}

static const ProcessTest tests[] = {
  { "first_launch_and_config_fail_without_descriptors",
    first_launch_and_config_fail_without_descriptors },
  { "running_worker_needs_no_descriptor", running_worker_needs_no_descriptor },
  { "running_worker_bears_a_limit_below_its_descriptors",
    running_worker_bears_a_limit_below_its_descriptors },
  { "launches_fail_without_threads_or_processes",
    launches_fail_without_threads_or_processes },
  { "large_values_fail_alone_without_memory", large_values_fail_alone_without_memory },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "shortage of a host", tests);
}
