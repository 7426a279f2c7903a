/* SPDX-License-Identifier: MIT */
/* Nothing here blocks: a worker is launched, asked and stopped from a main loop, as in
 * a program with windows. */
#include <malt/malt.h>

typedef struct
{
  GMainLoop *loop;
  MaltWorker *worker;
} Program;

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Program *program = user_data;
  gboolean was_running = FALSE;

  malt_worker_stop_finish (MALT_WORKER (source), result, &was_running, NULL);
  g_print ("stopped, was %s\n", was_running ? "running" : "gone");
  g_main_loop_quit (program->loop);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Program *program = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) value = NULL;
  g_autofree char *text = NULL;

  value = malt_worker_remote_eval_finish (MALT_WORKER (source), result, &error);
  text = value ? malt_value_to_string (value) : NULL;
  g_print ("answer: %s\n", value ? text : error->message);
  malt_worker_stop_async (program->worker, -1, -1, NULL, on_stopped, program);
}

static gboolean
on_tick (gpointer user_data)
{
  guint *n_ticks = user_data;

  (*n_ticks)++;
  return G_SOURCE_CONTINUE;
}

static void
on_launched (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Program *program = user_data;
  g_autoptr (GError) error = NULL;

  program->worker = malt_worker_launch_finish (result, &error);
  if (!program->worker)
    {
      g_printerr ("%s\n", error->message);
      g_main_loop_quit (program->loop);
      return;
    }
  malt_worker_remote_eval_async (program->worker, NULL, "sleep(0.5); sort([3, 1, 2])",
                                 NULL, on_answer, program);
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (MaltConfig) config = malt_config_new_default (&error);
  Program program = { .loop = loop };
  guint n_ticks = 0;
  gboolean has_worker;

  if (!config)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_timeout_add (20, on_tick, &n_ticks);
  malt_worker_launch_async (config, NULL, on_launched, &program);
  g_main_loop_run (loop);

  g_print ("the loop went on meanwhile: %s\n", n_ticks > 10 ? "yes" : "no");
  has_worker = program.worker != NULL;
  g_clear_object (&program.worker);
  return has_worker ? 0 : 1;
}
