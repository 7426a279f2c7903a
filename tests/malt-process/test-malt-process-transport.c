/* SPDX-License-Identifier: MIT */
/* The transports: all carry the same, none leaks its descriptors, and strangers at the
 * port of tcp-connect gain nothing. */
#include "process-test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Strangers that say nothing, and much less time than it would take to wait for one after
 * the other. */
enum
{
  N_SILENT = 200
};
#define MOST_DELAY_US (10 * (gint64) G_USEC_PER_SEC)

static const char *const transports[] = { "transport=tcp", "transport=socketpair",
                                          "transport=tcp-connect" };

static const char *program;

static void
every_transport_carries_large_values_both_ways (void)
{
  const gsize n = 1000000;
  g_autofree double *numbers = g_new (double, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (double) i * 0.5;
  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (transports[i]);
      g_autoptr (MaltCall) call = malt_call_new ("x -> x .+ 1");
      g_autoptr (MaltValue) result = NULL;
      g_autoptr (GError) error = NULL;
      const double *data;
      gsize n_bytes;

      CHECK (worker != NULL);
      malt_call_take_argument (call, malt_value_new_array (MALT_VALUE_FLOAT64, &n, 1,
                                                           numbers, n * sizeof (double)));
      result = malt_worker_remote_call_fetch (worker, call, NULL, &error);
      CHECK_NO_ERROR (error);
      data = malt_value_get_array_data (result, &n_bytes);
      CHECK (n_bytes == n * sizeof (double));
      CHECK (((gsize) data & 15) == 0);
      CHECK (data[0] == 1.0 && data[n - 1] == numbers[n - 1] + 1.0);
    }
}

/* A child of evaluated code lists its descriptors: its own three and the directory it reads. */
static void
child_of_evaluated_code_has_no_descriptor_of_ours (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltWorker) other = process_test_launch (transports[i]);
      g_autoptr (MaltWorker) worker = process_test_launch (transports[i]);
      g_autofree char *list = NULL;

      CHECK (worker != NULL && other != NULL);
      list = process_test_eval (worker, "read(`ls /proc/self/fd`, String)");
      CU_ASSERT_STRING_EQUAL (list, "\"0\\n1\\n2\\n3\\n\"");
    }
}

static void
worker_has_no_descriptor_of_another_worker (void)
{
  g_autoptr (MaltWorker) other = process_test_launch ("transport=tcp");
  g_autoptr (MaltWorker) worker = process_test_launch ("transport=tcp");
  /* The link is the only socket that is not libuv's own. */
  const char *const source = "count(f -> startswith(f, \"socket:\") , [try "
                             "readlink(\"/proc/self/fd/$f\") catch; \"\" end "
                             "for f in readdir(\"/proc/self/fd\")])";

  CHECK (worker != NULL && other != NULL);
  CHECK (process_test_eval_int (worker, source) <= 1 + 2);
}

static const char *const both[] = { "descriptors=none", "descriptors=inherit" };

/* What descriptors of a worker lead to, or of what it starts. */
static char *
dup_names (MaltWorker *worker, const int *fds, gsize n_fds, gboolean of_child)
{
  g_autoptr (GString) source = g_string_new (
      of_child ? "[try read(`readlink /proc/self/fd/$d`, String)[1:end-1]; catch; \"-\" "
                 "end for d in ["
               : "[try readlink(\"/proc/self/fd/$d\"); catch; \"-\" end for d in [");

  for (gsize i = 0; i < n_fds; i++)
    g_string_append_printf (source, "%d, ", fds[i]);
  g_string_append (source, "]] |> x -> join(x, ' ')");
  return process_test_eval (worker, source->str);
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

/* The numbers are beyond what libuv takes for itself. The last one is the host's own. */
static void
descriptors_of_the_host_are_inherited_under_their_numbers_if_wanted (void)
{
  const int fds[] = { open_zero (120, F_DUPFD), open_zero (900, F_DUPFD),
                      open_zero (1015, F_DUPFD), open_zero (130, F_DUPFD_CLOEXEC) };

  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    for (int is_inherited = 0; is_inherited < 2; is_inherited++)
      {
        g_autoptr (MaltWorker) worker =
            process_test_launch (transports[i], both[is_inherited]);
        const char *expected =
            is_inherited ? "\"/dev/zero /dev/zero /dev/zero -\"" : "\"- - - -\"";

        CHECK (worker != NULL);
        for (int of_child = 0; of_child < 2; of_child++)
          {
            g_autofree char *names =
                dup_names (worker, fds, G_N_ELEMENTS (fds), of_child);

            CU_ASSERT_STRING_EQUAL (names, expected);
          }
        CHECK (process_test_eval_int (worker, "1 + 1") == 2);
      }
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

static void
set_limit (rlim_t n)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = n;
  setrlimit (RLIMIT_NOFILE, &limit);
}

/* The numbers where what a worker is given is put first are taken; then all are. */
static void
few_descriptors_suffice_and_none_are_an_error_with_the_reason (void)
{
  const int fds[] = { open_zero (62, F_DUPFD), open_zero (99, F_DUPFD) };
  struct rlimit saved;
  int first_free;

  getrlimit (RLIMIT_NOFILE, &saved);
  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltConfig) config = process_test_config (transports[i], both[1]);
      g_autoptr (MaltWorker) worker = NULL;
      g_autoptr (MaltWorker) none = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *names = NULL;

      set_limit (100);
      worker = malt_worker_launch (config, NULL, NULL);
      first_free = open_zero (0, F_DUPFD_CLOEXEC);
      close (first_free);
      set_limit ((rlim_t) first_free);
      none = malt_worker_launch (config, NULL, &error);
      setrlimit (RLIMIT_NOFILE, &saved);
      CHECK (worker != NULL);
      names = dup_names (worker, fds, G_N_ELEMENTS (fds), FALSE);
      CU_ASSERT_STRING_EQUAL (names, "\"/dev/zero /dev/zero\"");
      CHECK (none == NULL && g_error_matches (error, MALT_ERROR, MALT_ERROR_RESOURCES));
      CHECK (strstr (error->message, g_strerror (EMFILE)) != NULL);
    }
  close (fds[0]);
  close (fds[1]);
}

/* In the place of julia: bothers the host at the port it was told, then becomes julia. */

static int
connect_to (int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    _exit (3);
  return fd;
}

static void
send_wrong_token (int port, gsize n_bytes)
{
  char bytes[64] = "wrong";
  if (send (connect_to (port), bytes, n_bytes, MSG_NOSIGNAL) < 0)
    _exit (4);
}

static int
attack_and_become_julia (char **argv)
{
  int port = 0;

  for (char **argument = argv; *argument != NULL; argument++)
    if (strcmp (*argument, "connect") == 0)
      port = atoi (argument[1]);
  for (int i = 0; i < 5; i++)
    {
      send_wrong_token (port, 32);
      send_wrong_token (port, 7);
    }
  for (int i = 0; i < N_SILENT; i++)
    connect_to (port);
  execv (getenv ("REAL_JULIA"), argv);
  return 5;
}

static char *
find_julia (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch (NULL);
  g_autofree char *quoted = process_test_eval (worker, "ENV[\"MALT_JULIA\"]");
  char *julia = g_strndup (quoted + 1, strlen (quoted) - 2);

  return julia;
}

static gint64
time_launch (const char *option, const char *second_option)
{
  gint64 start_us = g_get_monotonic_time ();
  g_autoptr (MaltWorker) worker =
      process_test_launch ("transport=tcp-connect", option, second_option);

  if (worker == NULL || process_test_eval_int (worker, "2 + 3") != 5)
    return -1;
  return g_get_monotonic_time () - start_us;
}

static void
strangers_at_the_port_neither_get_in_nor_delay (void)
{
  g_autofree char *julia = find_julia ();
  g_autofree char *julia_option = g_strconcat ("julia=", program, NULL);
  g_autofree char *env_option =
      g_strconcat ("env=MALT_TEST_ATTACK=1;REAL_JULIA=", julia, NULL);
  gint64 alone_us = time_launch (NULL, NULL);
  gint64 attacked_us = time_launch (julia_option, env_option);

  CHECK (alone_us > 0);
  CHECK (attacked_us > 0);
  CU_ASSERT (attacked_us - alone_us < MOST_DELAY_US);
}

static void
standard_input_does_not_go_with_tokens (void)
{
  g_autoptr (MaltConfig) config =
      process_test_config ("transport=tcp-connect", "stdin=inherit");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltWorker) worker = malt_worker_launch (config, NULL, &error);

  CHECK (worker == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_CONFIG));
}

static void
standard_input_of_evaluated_code_is_empty (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (transports[i]);

      CHECK (worker != NULL);
      CHECK (process_test_eval_int (worker, "length(read(stdin))") == 0);
    }
}

static void
message_beyond_the_limit_ends_the_worker (void)
{
  g_autoptr (MaltWorker) worker = process_test_launch ("max-frame-bytes=1000000");
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  MaltTermination *termination;

  CHECK (worker != NULL);
  value = malt_worker_remote_eval_fetch (worker, NULL, "zeros(UInt8, 2_000_000)", NULL,
                                         &error);
  CHECK (value == NULL);
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_WORKER_TERMINATED));
  termination = malt_error_get_termination (error);
  CHECK (malt_termination_get_reason (termination) == MALT_TERMINATION_PROTOCOL);
  CHECK (strstr (malt_termination_get_stderr (termination), "1000000") != NULL);
}

/* A signal would end the wrapper, which runs now and then, and with that the worker. */
static void
julia_that_is_the_child_of_a_wrapper_is_not_signalled (void)
{
  g_autofree char *julia = find_julia ();
  g_autofree char *text = g_strdup_printf (
      "\"%s\" \"$@\" & while kill -0 $!; do sleep 0.01; done; wait $!", julia);
  g_auto (ProcessTestScript) script = process_test_script_new (text);
  g_autofree char *option = g_strconcat ("julia=", script.path, NULL);
  g_autoptr (MaltWorker) worker = process_test_launch (option);
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GError) error = NULL;

  CHECK (worker != NULL);
  g_free (process_test_eval (worker, "string(1)"));
  future = process_test_start_running (
      worker, "begun(); let t = time(); while time() < t + 6; end; 5; end");
  CHECK (malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, &error) ==
         MALT_INTERRUPT_UNDELIVERABLE);
  CHECK_NO_ERROR (error);
  value = malt_future_fetch (future, NULL, &error);
  CHECK_NO_ERROR (error);
  CHECK (malt_value_get_int64 (value) == 5);
}

/* It stands in everybody's `ps`; and what evaluated code sees of it is Julia's. With tokens
 * the boot text is in it. */
static void
command_line_is_short (void)
{
  for (gsize i = 0; i < 2; i++)
    {
      g_autoptr (MaltWorker) worker = process_test_launch (transports[i]);
      gint64 n_bytes;

      CHECK (worker != NULL);
      n_bytes = process_test_eval_int (worker, "length(read(\"/proc/self/cmdline\")) - "
                                               "length(ENV[\"MALT_JULIA\"])");
      CHECK (n_bytes > 0 && n_bytes <= 200);
      CHECK (process_test_eval_int (
                 worker, "Int(PROGRAM_FILE == \"\" && isempty(ARGS) && !isinteractive() "
                         "&& Base.JLOptions().compile_enabled == 1)") == 1);
    }
}

static const ProcessTest tests[] = {
  { "every_transport_carries_large_values_both_ways",
    every_transport_carries_large_values_both_ways },
  { "child_of_evaluated_code_has_no_descriptor_of_ours",
    child_of_evaluated_code_has_no_descriptor_of_ours },
  { "worker_has_no_descriptor_of_another_worker",
    worker_has_no_descriptor_of_another_worker },
  { "descriptors_of_the_host_are_inherited_under_their_numbers_if_wanted",
    descriptors_of_the_host_are_inherited_under_their_numbers_if_wanted },
  { "few_descriptors_suffice_and_none_are_an_error_with_the_reason",
    few_descriptors_suffice_and_none_are_an_error_with_the_reason },
  { "strangers_at_the_port_neither_get_in_nor_delay",
    strangers_at_the_port_neither_get_in_nor_delay },
  { "standard_input_does_not_go_with_tokens", standard_input_does_not_go_with_tokens },
  { "standard_input_of_evaluated_code_is_empty",
    standard_input_of_evaluated_code_is_empty },
  { "message_beyond_the_limit_ends_the_worker",
    message_beyond_the_limit_ends_the_worker },
  { "julia_that_is_the_child_of_a_wrapper_is_not_signalled",
    julia_that_is_the_child_of_a_wrapper_is_not_signalled },
  { "command_line_is_short", command_line_is_short },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  g_autofree char *path = g_canonicalize_filename (argv[0], NULL);

  if (getenv ("MALT_TEST_ATTACK") != NULL)
    return attack_and_become_julia (argv);
  program = path;
  return process_test_main_with_julia (argc, argv, "transports", tests);
}
