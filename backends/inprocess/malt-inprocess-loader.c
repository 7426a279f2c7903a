/* SPDX-License-Identifier: MIT */
/*
 * The only place that knows functions of libjulia, and there are few: one that
 * initialises (its name differs between versions, not what it takes), jl_parse_opts,
 * jl_eval_string, jl_exception_occurred and jl_typeof_str. Everything else goes the other
 * way: Julia code calls functions of ours whose addresses it is given. So no header, no
 * structure and no root of Julia's is needed here.
 */
#include "malt-inprocess-loader.h"

#include "malt-inprocess-force.h"
#include "malt-inprocess-signals.h"
#include "malt-inprocess-stdio.h"
#include "platform/malt-library.h"

#include <malt/malt-error.h>

struct _MaltInProcessLibrary
{
  void (*init) (const char *bin_dir, const char *image);
  void (*parse_options) (int *argc, char ***argv);
  gpointer (*eval_string) (const char *text);
  gpointer (*exception_occurred) (void);
  const char *(*typeof_str) (gpointer value);
  int (*is_initialized) (void);
};

static const char *const init_names[] = { "jl_init_with_image__threading",
                                          "jl_init_with_image_file", "jl_init_with_image",
                                          NULL };

static gboolean
find_function (gpointer handle, const char *name, gpointer function,
               const MaltInProcessJulia *julia, GError **error)
{
  gpointer address = malt_library_find (handle, name);

  *(gpointer *) function = address;
  if (address == NULL)
    g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                 "julia '%s' cannot be embedded: '%s' has no function %s", julia->program,
                 julia->library, name);
  return address != NULL;
}

static gboolean
find_init (MaltInProcessLibrary *library, gpointer handle,
           const MaltInProcessJulia *julia, GError **error)
{
  for (const char *const *name = init_names; *name != NULL; name++)
    {
      *(gpointer *) &library->init = malt_library_find (handle, *name);
      if (library->init != NULL)
        return TRUE;
    }
  g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
               "julia '%s' cannot be embedded: '%s' has no known function that "
               "initialises it",
               julia->program, julia->library);
  return FALSE;
}

MaltInProcessLibrary *
malt_inprocess_library_open (const MaltInProcessJulia *julia, GError **error)
{
  g_autofree char *reason = NULL;
  g_autofree MaltInProcessLibrary *library = g_new0 (MaltInProcessLibrary, 1);
  gpointer handle;

  malt_inprocess_signals_before_load ();
  handle = malt_library_open (julia->library, &reason);
  malt_inprocess_signals_after_load ();
  if (handle == NULL)
    {
      g_set_error (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                   "julia '%s' cannot be embedded: %s", julia->program, reason);
      return NULL;
    }
  if (!find_init (library, handle, julia, error) ||
      !find_function (handle, "jl_parse_opts", &library->parse_options, julia, error) ||
      !find_function (handle, "jl_eval_string", &library->eval_string, julia, error) ||
      !find_function (handle, "jl_exception_occurred", &library->exception_occurred,
                      julia, error) ||
      !find_function (handle, "jl_typeof_str", &library->typeof_str, julia, error) ||
      !find_function (handle, "jl_is_initialized", &library->is_initialized, julia,
                      error))
    return NULL;
  if (library->is_initialized ())
    {
      g_set_error_literal (error, MALT_ERROR, MALT_ERROR_BACKEND_UNAVAILABLE,
                           "this program has initialised Julia itself: its runtime "
                           "cannot be shared");
      return NULL;
    }
  return g_steal_pointer (&library);
}

void
malt_inprocess_library_init (MaltInProcessLibrary *library,
                             const MaltInProcessJulia *julia, const char *const *options)
{
  int argc = (int) g_strv_length ((char **) options);
  char **argv = g_strdupv ((char **) options); /* Julia keeps pointers into it */
  MaltInProcessStdio stdio;
  g_autofree char *folder = NULL;

  malt_inprocess_signals_before_init ();
  library->parse_options (&argc, &argv);
  malt_inprocess_force_before_init ();
  malt_inprocess_stdio_before_init (&stdio);
  /* It loads further libraries by their names, and ends the process if one is not found.
   * Afterwards embed.jl sees to it. */
  folder = malt_library_swap_folder (julia->bin_dir);
  library->init (julia->bin_dir, julia->image);
  g_free (malt_library_swap_folder (folder));
  malt_inprocess_stdio_after_init (&stdio);
  malt_inprocess_force_after_init ();
  malt_inprocess_signals_after_init ();
}

gboolean
malt_inprocess_library_eval (MaltInProcessLibrary *library, const char *text,
                             GError **error)
{
  gpointer exception;

  library->eval_string (text);
  exception = library->exception_occurred ();
  if (exception == NULL)
    return TRUE;
  g_set_error (error, MALT_ERROR, MALT_ERROR_LAUNCH_FAILED,
               "Julia threw %s when libmalt began", library->typeof_str (exception));
  return FALSE;
}
