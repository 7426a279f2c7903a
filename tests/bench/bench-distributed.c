/* SPDX-License-Identifier: MIT */
/* Drives distributed.jl: one command a line, one figure a line. */
#include "bench.h"

struct _BenchDistributed
{
  GSubprocess *process; /* (owned) */
  GDataInputStream *answers; /* (owned) */
  gint64 host_pid;
  gint64 worker_pid;
};

static char *
read_answer (BenchDistributed *distributed, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  char *line =
      g_data_input_stream_read_line (distributed->answers, NULL, NULL, &local_error);

  if (line)
    return line;
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                         "the Julia process that measures Distributed has ended");
  return NULL;
}

static gboolean
read_ready (BenchDistributed *distributed, GError **error)
{
  g_autofree char *line = read_answer (distributed, error);
  g_auto (GStrv) words = NULL;

  if (!line)
    return FALSE;
  words = g_strsplit (line, " ", 4);
  if (g_strv_length (words) != 4 || !g_str_equal (words[0], "ready"))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "expected ready from distributed.jl, got '%.100s'", line);
      return FALSE;
    }
  distributed->host_pid = g_ascii_strtoll (words[1], NULL, 10);
  distributed->worker_pid = g_ascii_strtoll (words[2], NULL, 10);
  return TRUE;
}

BenchDistributed *
bench_distributed_start (const char *julia, GError **error)
{
  g_autoptr (BenchDistributed) distributed = g_new0 (BenchDistributed, 1);

  distributed->process = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error, julia,
      "--startup-file=no", "--color=no", BENCH_SOURCE_DIR "/distributed.jl", NULL);
  if (!distributed->process)
    return NULL;
  distributed->answers =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (distributed->process));
  if (!read_ready (distributed, error))
    return NULL;
  return g_steal_pointer (&distributed);
}

/* The end of its input ends the Julia process, and that its worker. */
void
bench_distributed_stop (BenchDistributed *distributed)
{
  if (distributed->process)
    {
      g_output_stream_close (g_subprocess_get_stdin_pipe (distributed->process), NULL,
                             NULL);
      g_subprocess_wait (distributed->process, NULL, NULL);
    }
  g_clear_object (&distributed->answers);
  g_clear_object (&distributed->process);
  g_free (distributed);
}

double
bench_distributed_measure (BenchDistributed *distributed, const char *command, guint n,
                           GError **error)
{
  g_autofree char *line = g_strdup_printf ("%s %u\n", command, n);
  g_autofree char *answer = NULL;

  if (!g_output_stream_write_all (g_subprocess_get_stdin_pipe (distributed->process),
                                  line, strlen (line), NULL, NULL, error))
    return -1;
  answer = read_answer (distributed, error);
  return answer ? g_ascii_strtod (answer, NULL) : -1;
}

void
bench_distributed_pin (BenchDistributed *distributed, int host_processor,
                       int worker_processor)
{
  bench_pin (distributed->host_pid, host_processor);
  bench_pin (distributed->worker_pid, worker_processor);
}
