/* SPDX-License-Identifier: MIT */
/* How a worker's julia is run. */
#include "malt-process-julia.h"

#include "link/malt-julia-source.h"
#include "platform/malt-platform.h"
#include "platform/malt-process-launcher.h"
#include "process/malt-julia-command.h"

#include <malt/malt-worker-class.h>

gboolean
malt_process_is_for_program (MaltWorker *worker)
{
  return malt_worker_get_option (worker, "program-flags") != NULL;
}

char *
malt_process_dup_boot (MaltWorker *worker)
{
  static const char *const files[] = { "julia/boot.jl", "malt-process/connect.jl",
                                       "julia/judge.jl", "malt-process/worker.jl", NULL };

  /* A program needs little of the boot, so that comes with the runtime. */
  return malt_julia_dup_boot ("", files + (malt_process_is_for_program (worker) ? 3 : 0));
}

GBytes *
malt_process_dup_runtime (MaltWorker *worker)
{
  static const char *const files[] = { "julia/boot.jl", "julia/runtime.jl",
                                       "julia/frames.jl", "julia/stream.jl", NULL };

  return malt_julia_dup_joined (files + !malt_process_is_for_program (worker));
}

char **
malt_process_dup_arguments (MaltWorker *worker, const char *julia,
                            const char *const *environment, const char *boot,
                            const MaltProcessGiven *given)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *script = malt_child_dup_given_path (given->script);
  g_autofree char *words = g_strdup_printf (
      "%s %u %d %" G_GSIZE_FORMAT " %d", given->port != 0 ? "connect" : "fd",
      given->port != 0 ? given->port : (guint) given->link, given->judge,
      malt_platform_get_stack_bytes (), given->script);
  g_auto (GStrv) own = g_strsplit (words, " ", -1);

  g_strv_builder_add (builder, julia);
  malt_julia_add_flags (builder, worker,
                        malt_process_is_for_program (worker) ? NULL : environment);
  if (given->script == 0)
    g_strv_builder_add_many (builder, "-e", boot, "--", NULL);
  else
    {
      g_auto (GStrv) flags = malt_worker_dup_option_strings (worker, "program-flags");

      /* Julia gets to these when the boot gives it the program. */
      g_strv_builder_add_many (builder, "-L", script, NULL);
      if (flags != NULL)
        g_strv_builder_addv (builder, (const char **) flags);
      g_strv_builder_add_many (builder, "--", "malt", NULL);
    }
  g_strv_builder_addv (builder, (const char **) own);
  if (malt_julia_keeps_compile_mode (worker))
    g_strv_builder_add (builder, "keep");
  return g_strv_builder_end (builder);
}
