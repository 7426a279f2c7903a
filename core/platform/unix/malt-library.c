/* SPDX-License-Identifier: MIT */
/* Shared libraries on Unix. */
#include "platform/malt-library.h"

#include <dlfcn.h>
#ifdef __ELF__
#include <link.h>
#endif
#include <string.h>

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

/* Libraries say themselves where those lie that they need. */
char *
malt_library_swap_folder (G_GNUC_UNUSED const char *folder)
{
  return NULL;
}

#ifdef __ELF__
gboolean
malt_library_is_whole (const char *bytes, gsize n_bytes)
{
  ElfW (Ehdr) header;
  ElfW (Phdr) segment;

  if (n_bytes < sizeof header)
    return FALSE;
  memcpy (&header, bytes, sizeof header);
  if (memcmp (header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof segment || header.e_phoff > n_bytes ||
      header.e_phnum > (n_bytes - header.e_phoff) / sizeof segment)
    return FALSE;
  for (gsize i = 0; i < header.e_phnum; i++)
    {
      memcpy (&segment, bytes + header.e_phoff + i * sizeof segment, sizeof segment);
      if (segment.p_offset > n_bytes || segment.p_filesz > n_bytes - segment.p_offset)
        return FALSE;
    }
  return TRUE;
}
#else
gboolean
malt_library_is_whole (G_GNUC_UNUSED const char *bytes, G_GNUC_UNUSED gsize n_bytes)
{
  return TRUE;
}
#endif

char *
malt_library_dup_folder (void)
{
  static const char inside[] = "an address in this library";
  Dl_info place = { .dli_fname = NULL };

  if (dladdr (inside, &place) == 0 || place.dli_fname == NULL ||
      !g_path_is_absolute (place.dli_fname))
    return NULL;
  return g_path_get_dirname (place.dli_fname);
}
