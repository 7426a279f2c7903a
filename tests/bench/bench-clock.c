/* SPDX-License-Identifier: MIT */
/* Time, and the processors that threads may use. */
#include "bench.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

static double
read_clock (clockid_t clock)
{
  struct timespec now = { 0 };

  clock_gettime (clock, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

double
bench_now_us (void)
{
  return read_clock (CLOCK_MONOTONIC) * 1e6;
}

/* Processor time that the process has used, in all its threads. */
double
bench_process_seconds (gint64 pid)
{
  clockid_t clock;

  if (clock_getcpuclockid ((pid_t) pid, &clock) != 0)
    return 0;
  return read_clock (clock);
}

/* What this process may use when it starts; later calls give the same although threads
 * are pinned by then. */
static const cpu_set_t *
initial_processors (void)
{
  static cpu_set_t set;
  static gsize is_read = 0;

  if (g_once_init_enter (&is_read))
    {
      CPU_ZERO (&set);
      sched_getaffinity (0, sizeof set, &set);
      g_once_init_leave (&is_read, 1);
    }
  return &set;
}

void
bench_get_processors (BenchProcessors *out_processors)
{
  const cpu_set_t *set = initial_processors ();

  out_processors->n_processors = 0;
  for (int i = 0; i < CPU_SETSIZE; i++)
    {
      if (!CPU_ISSET ((size_t) i, set))
        continue;
      if (out_processors->n_processors < G_N_ELEMENTS (out_processors->processors))
        out_processors->processors[out_processors->n_processors] = i;
      out_processors->n_processors++;
    }
}

static void
pin_task (pid_t task, int processor)
{
  cpu_set_t set = *initial_processors ();

  if (processor >= 0)
    {
      CPU_ZERO (&set);
      CPU_SET ((size_t) processor, &set);
    }
  sched_setaffinity (task, sizeof set, &set);
}

void
bench_pin (gint64 pid, int processor)
{
  bench_pin_parts (pid, processor, processor);
}

void
bench_pin_parts (gint64 pid, int main_processor, int other_processor)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  const char *task;

  while (tasks && (task = g_dir_read_name (tasks)) != NULL)
    pin_task ((pid_t) atoi (task), atoi (task) == pid ? main_processor : other_processor);
}
