/* SPDX-License-Identifier: MIT */
/* Shared libraries on Unix. */
#include "process/malt-library.h"

#include <dlfcn.h>

gpointer
malt_library_open (const char *path, char **out_reason)
{
  /* What Julia's own libraries and packages need of libjulia they look for in the global scope. */
  gpointer library = dlopen (path, RTLD_NOW | RTLD_GLOBAL);

  if (library == NULL)
    *out_reason = g_strdup (dlerror ());
  return library;
}

gpointer
malt_library_find (gpointer library, const char *name)
{
  return dlsym (library, name);
}
