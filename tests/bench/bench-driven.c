/* SPDX-License-Identifier: MIT */
/* Drives a process that measures: one command a line, one figure a line. */
#include "bench.h"

struct _BenchDriven
{
  GSubprocess *process; /* (owned) */
  GDataInputStream *answers; /* (owned) */
  gint64 host_pid;
  gint64 worker_pid;
};

static char *
read_answer (BenchDriven *driven, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  char *line = g_data_input_stream_read_line (driven->answers, NULL, NULL, &local_error);

  if (line)
    return line;
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                         "a process that measures has ended");
  return NULL;
}

static gboolean
read_ready (BenchDriven *driven, GError **error)
{
  g_autofree char *line = read_answer (driven, error);
  g_auto (GStrv) words = NULL;

  if (!line)
    return FALSE;
  words = g_strsplit (line, " ", 4);
  if (g_strv_length (words) != 4 || !g_str_equal (words[0], "ready"))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "expected ready from a process that measures, got '%.100s'", line);
      return FALSE;
    }
  driven->host_pid = g_ascii_strtoll (words[1], NULL, 10);
  driven->worker_pid = g_ascii_strtoll (words[2], NULL, 10);
  return TRUE;
}

BenchDriven *
bench_driven_start (const char *const *arguments, GError **error)
{
  g_autoptr (BenchDriven) driven = g_new0 (BenchDriven, 1);

  driven->process = g_subprocess_newv (
      arguments, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
  if (!driven->process)
    return NULL;
  driven->answers =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (driven->process));
  if (!read_ready (driven, error))
    return NULL;
  return g_steal_pointer (&driven);
}

/* The end of its input ends the process, and that what it has started. */
void
bench_driven_stop (BenchDriven *driven)
{
  if (driven->process)
    {
      g_output_stream_close (g_subprocess_get_stdin_pipe (driven->process), NULL, NULL);
      g_subprocess_wait (driven->process, NULL, NULL);
    }
  g_clear_object (&driven->answers);
  g_clear_object (&driven->process);
  g_free (driven);
}

double
bench_driven_measure (BenchDriven *driven, const char *command, guint n, GError **error)
{
  g_autofree char *line = g_strdup_printf ("%s %u\n", command, n);
  g_autofree char *answer = NULL;

  if (!g_output_stream_write_all (g_subprocess_get_stdin_pipe (driven->process), line,
                                  strlen (line), NULL, NULL, error))
    return -1;
  answer = read_answer (driven, error);
  return answer ? g_ascii_strtod (answer, NULL) : -1;
}

void
bench_driven_pin (BenchDriven *driven, int host_processor, int worker_processor)
{
  if (driven->host_pid == driven->worker_pid)
    {
      bench_pin_parts (driven->host_pid, host_processor, worker_processor);
      return;
    }
  bench_pin (driven->host_pid, host_processor);
  bench_pin (driven->worker_pid, worker_processor);
}
