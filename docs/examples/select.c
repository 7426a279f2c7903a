/* SPDX-License-Identifier: MIT */
/* A host that does not know what will evaluate its code. It wants two threads of every backend, and a directory and a variable of its own of
 * those whose workers are processes; a config line decides which it is. It prints the same with each. */
#include <malt/malt.h>

static const char *const process_backends[] = { "malt-process", "distributed" };

static const char *const sources[] = {
  "Threads.nthreads()",
  "sum(sqrt.(1:5))",
  "map(uppercase, [\"in\", \"any\"])",
};

/* What stands in a key file or in the environment stays; the host sets what it cannot do without. */
static MaltConfig *
make_config (GError **error)
{
  MaltConfig *config = malt_config_new_default (error);

  if (config == NULL)
    return NULL;
  malt_config_set_int (config, "threads", 2);
  for (gsize i = 0; i < G_N_ELEMENTS (process_backends); i++)
    {
      malt_config_set_for (config, process_backends[i], "cwd", g_get_tmp_dir ());
      malt_config_set_for (config, process_backends[i], "env", "SELECT_HOST=yes;");
    }
  return config;
}

static gboolean
evaluate (MaltWorker *worker, const char *source, GError **error)
{
  g_autoptr (MaltValue) value =
      malt_worker_remote_eval_fetch (worker, NULL, source, NULL, error);
  g_autofree char *text = value != NULL ? malt_value_to_string (value) : NULL;

  if (text != NULL)
    g_print ("%s = %s\n", source, text);
  return text != NULL;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltConfig) config = make_config (&error);
  g_autoptr (MaltWorker) worker =
      config != NULL ? malt_worker_launch (config, NULL, &error) : NULL;
  gboolean is_ok = worker != NULL;

  for (gsize i = 0; is_ok && i < G_N_ELEMENTS (sources); i++)
    is_ok = evaluate (worker, sources[i], &error);
  if (!is_ok)
    g_printerr ("%s\n", error->message);
  if (worker != NULL)
    malt_worker_stop (worker, NULL, NULL);
  return is_ok ? 0 : 1;
}
