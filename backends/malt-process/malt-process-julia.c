/* SPDX-License-Identifier: MIT */
/* How a worker's julia is run. */
#include "malt-process-julia.h"

#include "link/malt-julia-source.h"

#include <gio/gio.h>

/* Arguments */

static gboolean
sets_compile_mode (char **flags)
{
  for (char **flag = flags; flags != NULL && *flag != NULL; flag++)
    if (g_str_has_prefix (*flag, "--compile"))
      return TRUE;
  return FALSE;
}

static void
add_setting (GStrvBuilder *builder, MaltWorker *worker, const char *option)
{
  const char *value = malt_worker_get_option (worker, option);
  g_autofree char *flag = NULL;

  if (value == NULL || *value == '\0')
    return;
  flag = g_strdup_printf ("--%s=%s", option, value);
  g_strv_builder_add (builder, flag);
}

char **
malt_process_dup_arguments (MaltWorker *worker, const char *julia, const char *transport,
                            guint parameter)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) flags = malt_worker_dup_option_strings (worker, "exeflags");
  g_autofree char *text = malt_julia_dup_boot ("", "malt-process/worker.jl");
  g_autofree char *number = g_strdup_printf ("%u", parameter);

  g_strv_builder_add_many (builder, julia, "--startup-file=no", NULL);
  /* The boot text is interpreted; it sets back what evaluated code is run with, unless that is what the user wants. */
  if (!sets_compile_mode (flags))
    g_strv_builder_add (builder, "--compile=min");
  add_setting (builder, worker, "threads");
  add_setting (builder, worker, "project");
  if (flags != NULL)
    g_strv_builder_addv (builder, (const char **) flags);
  g_strv_builder_add_many (builder, "-e", text, "--", transport, number, NULL);
  if (sets_compile_mode (flags))
    g_strv_builder_add (builder, "keep");
  return g_strv_builder_end (builder);
}
