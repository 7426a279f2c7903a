/* SPDX-License-Identifier: MIT */
/* The port on which a worker connects back: in a host that has no descriptor left, by a
 * worker that is slow. */
#include "process-test.h"

#include "link/malt-link-listener.h"
#include "platform/malt-io-thread.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum
{
  SLOWNESS_MS = 3000
};

typedef struct
{
  MaltLinkListener *listener; /* (owned) */
  GBytes *secrets; /* (owned) */
  gint fd; /* (owned), atomic: of the worker once it is connected, else -1 */
  gint is_short; /* atomic: it was given up */
} Port;

static void
on_connected (int fd, GError *error, gpointer data)
{
  Port *port = data;

  g_atomic_int_set (&port->fd, fd);
  g_atomic_int_set (&port->is_short,
                    g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES));
  g_clear_error (&error);
}

static gboolean
is_short (gpointer data)
{
  return g_atomic_int_get (&((Port *) data)->is_short);
}

static gboolean
is_connected (gpointer data)
{
  return g_atomic_int_get (&((Port *) data)->fd) >= 0;
}

typedef struct
{
  GSourceFunc func;
  gpointer data;
  gint is_done; /* atomic */
} Task;

static gboolean
run_task (gpointer data)
{
  Task *task = data;

  task->func (task->data);
  g_atomic_int_set (&task->is_done, TRUE);
  return G_SOURCE_REMOVE;
}

static gboolean
is_done (gpointer data)
{
  return g_atomic_int_get (&((Task *) data)->is_done);
}

/* Runs @func in the I/O thread, and waits for it. */
static void
run_in_io_thread (GSourceFunc func, gpointer data)
{
  Task task = { func, data, FALSE };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, run_task, &task, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  process_test_wait (is_done, &task, G_MAXUINT);
}

static gboolean
start (gpointer data)
{
  malt_link_listener_start (((Port *) data)->listener, on_connected, data);
  return G_SOURCE_REMOVE;
}

static gboolean
close_port (gpointer data)
{
  malt_link_listener_free (((Port *) data)->listener);
  return G_SOURCE_REMOVE;
}

static void
port_clear (Port *port)
{
  if (port->listener == NULL)
    return;
  run_in_io_thread (close_port, port);
  if (is_connected (port))
    close (port->fd);
  g_bytes_unref (port->secrets);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Port, port_clear)

/* From now on no descriptor can be opened: the limit is the lowest number that is free. */
static void
deny_descriptors (struct rlimit *out_saved)
{
  struct rlimit limit;
  int fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

  getrlimit (RLIMIT_NOFILE, out_saved);
  limit = *out_saved;
  limit.rlim_cur = (rlim_t) fd;
  setrlimit (RLIMIT_NOFILE, &limit);
  close (fd);
}

static gint64
get_cpu_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (gint64) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static gboolean
never (G_GNUC_UNUSED gpointer data)
{
  return FALSE;
}

static gboolean
connect_to (int fd, guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port) };

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  return connect (fd, (struct sockaddr *) &address, sizeof address) == 0;
}

static void
port_rests_while_there_is_no_descriptor (void)
{
  g_autoptr (GError) error = NULL;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_auto (Port) port = { .fd = -1 };
  struct rlimit saved;
  gint64 used_ms;
  gboolean is_reached;

  port.listener = malt_link_listener_new (&error);
  CHECK_NO_ERROR (error);
  port.secrets = malt_link_listener_dup_secrets (port.listener);
  run_in_io_thread (start, &port);
  deny_descriptors (&saved);
  is_reached = connect_to (fd, malt_link_listener_get_port (port.listener));
  used_ms = get_cpu_ms ();
  process_test_wait (never, NULL, 500);
  used_ms = get_cpu_ms () - used_ms;
  setrlimit (RLIMIT_NOFILE, &saved);
  CHECK (is_reached);
  CU_ASSERT (used_ms < 200);
  CHECK (send (fd, g_bytes_get_data (port.secrets, NULL), 32, MSG_NOSIGNAL) == 32);
  CHECK (process_test_wait (is_connected, &port, PROCESS_TEST_PATIENCE_MS));
  close (fd);
}

/* On a loaded machine a worker may be stopped for seconds between its connection and its
 * first word. */
static void
worker_that_is_slow_to_speak_is_heard (void)
{
  g_autoptr (GError) error = NULL;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_auto (Port) port = { .fd = -1 };

  port.listener = malt_link_listener_new (&error);
  CHECK_NO_ERROR (error);
  port.secrets = malt_link_listener_dup_secrets (port.listener);
  run_in_io_thread (start, &port);
  CHECK (connect_to (fd, malt_link_listener_get_port (port.listener)));
  CHECK (!process_test_wait (is_connected, &port, SLOWNESS_MS));
  CHECK (send (fd, g_bytes_get_data (port.secrets, NULL), 32, MSG_NOSIGNAL) == 32);
  CHECK (process_test_wait (is_connected, &port, PROCESS_TEST_PATIENCE_MS));
  close (fd);
}

static void
port_is_given_up_when_no_descriptor_comes (void)
{
  g_autoptr (GError) error = NULL;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_auto (Port) port = { .fd = -1 };
  struct rlimit saved;
  gboolean is_given_up;

  port.listener = malt_link_listener_new (&error);
  CHECK_NO_ERROR (error);
  port.secrets = malt_link_listener_dup_secrets (port.listener);
  run_in_io_thread (start, &port);
  deny_descriptors (&saved);
  connect_to (fd, malt_link_listener_get_port (port.listener));
  is_given_up = process_test_wait (is_short, &port, PROCESS_TEST_PATIENCE_MS);
  setrlimit (RLIMIT_NOFILE, &saved);
  CU_ASSERT (is_given_up);
  close (fd);
}

static const ProcessTest tests[] = {
  { "port_rests_while_there_is_no_descriptor", port_rests_while_there_is_no_descriptor },
  { "worker_that_is_slow_to_speak_is_heard", worker_that_is_slow_to_speak_is_heard },
  { "port_is_given_up_when_no_descriptor_comes",
    port_is_given_up_when_no_descriptor_comes },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "listener", tests);
}
