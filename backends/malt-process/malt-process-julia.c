/* SPDX-License-Identifier: MIT */
/* How a worker's julia is run. */
#include "malt-process-julia.h"

#include "link/malt-julia-source.h"
#include "process/malt-julia-command.h"

char **
malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                            const char *const *environment, const char *transport,
                            guint parameter, const char *judge)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  static const char *const transport_files[] = { "julia/judge.jl",
                                                 "malt-process/worker.jl", NULL };
  g_autofree char *text = malt_julia_dup_boot ("", transport_files);
  g_autofree char *number = g_strdup_printf ("%u", parameter);

  g_strv_builder_add (builder, julia);
  malt_julia_add_flags (builder, worker, environment);
  g_strv_builder_add_many (builder, "-e", text, "--", transport, number, judge, NULL);
  if (malt_julia_keeps_compile_mode (worker))
    g_strv_builder_add (builder, "keep");
  return g_strv_builder_end (builder);
}
