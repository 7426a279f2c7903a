/* SPDX-License-Identifier: MIT */
/* The command-line flags of a worker's julia. */
#include "process/malt-julia-command.h"

#include "platform/malt-platform.h"
#include "process/malt-julia-options.h"

#include <malt/malt-worker-class.h>

const char *const malt_julia_output_choices[] = { "forward", "signal", "discard",
                                                  "inherit", NULL };

const char *const malt_julia_stdin_choices[] = { "null", "inherit", NULL };

/* On Windows a process inherits its standard handles only. */
const char *const malt_julia_descriptors_choices[] = {
  "none", MALT_PLATFORM_PICK ("inherit", NULL), NULL
};

gboolean
malt_julia_inherits (MaltWorker *worker, const char *option)
{
  return g_strcmp0 (malt_worker_get_option (worker, option), "inherit") == 0;
}

gboolean
malt_julia_keeps_compile_mode (MaltWorker *worker)
{
  g_auto (GStrv) flags = malt_worker_dup_option_strings (worker, "exeflags");

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

/* Julia 1.12 has a second thread by itself, in which `Threads.@spawn` and `@threads` put
 * what they run. An interrupt reaches the first thread only, so that these would go
 * on. */
static void
add_threads (GStrvBuilder *builder, MaltWorker *worker, const char *const *environment)
{
  const char *value = malt_worker_get_option (worker, "threads");

  if (value != NULL && *value != '\0')
    add_setting (builder, worker, "threads");
  else if (environment != NULL &&
           g_environ_getenv ((char **) environment, "JULIA_NUM_THREADS") == NULL)
    g_strv_builder_add (builder, "--threads=1");
}

void
malt_julia_add_flags (GStrvBuilder *builder, MaltWorker *worker,
                      const char *const *environment)
{
  g_auto (GStrv) flags = malt_worker_dup_option_strings (worker, "exeflags");

  g_strv_builder_add (builder, "--startup-file=no");
  /* The boot text is interpreted; it sets back what evaluated code is run with, unless
   * that is what the user wants. */
  if (!malt_julia_keeps_compile_mode (worker))
    g_strv_builder_add (builder, "--compile=min");
  add_threads (builder, worker, environment);
  add_setting (builder, worker, "project");
  if (flags != NULL)
    g_strv_builder_addv (builder, (const char **) flags);
}
