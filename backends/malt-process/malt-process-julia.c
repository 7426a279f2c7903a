/* SPDX-License-Identifier: MIT */
/* How a worker's julia is run. */
#include "malt-process-julia.h"

#include "link/malt-julia-source.h"
#include "platform/malt-platform.h"
#include "platform/malt-process-launcher.h"
#include "process/malt-julia-command.h"

char *
malt_process_dup_boot (void)
{
  static const char *const transport_files[] = { "julia/judge.jl",
                                                 "malt-process/worker.jl", NULL };

  return malt_julia_dup_boot ("", transport_files);
}

char **
malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                            const char *const *environment, const char *boot,
                            const char *transport, guint parameter, const char *judge)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *number = g_strdup_printf ("%u", parameter);
  g_autofree char *stack =
      g_strdup_printf ("%" G_GSIZE_FORMAT, malt_platform_get_stack_bytes ());

  g_strv_builder_add (builder, julia);
  malt_julia_add_flags (builder, worker, environment);
  if (boot != NULL)
    g_strv_builder_add_many (builder, "-e", boot, "--", NULL);
  else
    g_strv_builder_add_many (builder, "-L", MALT_CHILD_SCRIPT_PATH, "--", "malt", NULL);
  g_strv_builder_add_many (builder, transport, number, judge, stack, NULL);
  if (malt_julia_keeps_compile_mode (worker))
    g_strv_builder_add (builder, "keep");
  return g_strv_builder_end (builder);
}
