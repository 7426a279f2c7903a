/* SPDX-License-Identifier: MIT */
/*
 * Stands for libjulia as far as it is loaded and initialised, not beyond: it needs a
 * neighbour, loads another one by its name when it is initialised, as Julia does, and
 * then says by the name of an exception how it found things.
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define OFFERED __declspec(dllexport)

OFFERED int jl_is_initialized (void);
OFFERED void jl_parse_opts (int *argc, char ***argv);
OFFERED void jl_init_with_image__threading (const char *bin_dir, const char *image);
OFFERED void *jl_eval_string (const char *text);
OFFERED void *jl_exception_occurred (void);
OFFERED const char *jl_typeof_str (void *value);

int asked_neighbour (void);

static char said[128];

int
jl_is_initialized (void)
{
  return asked_neighbour () != 1;
}

void
jl_parse_opts (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
}

/* Is the folder that it is told the one that it lies in? */
static int
is_own_folder (const char *bin_dir)
{
  static const char inside[] = "an address in this library";
  HMODULE self = NULL;
  wchar_t path[MAX_PATH] = L"";
  wchar_t told[MAX_PATH] = L"";

  GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                          GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                      (LPCWSTR) (const void *) inside, &self);
  GetModuleFileNameW (self, path, MAX_PATH);
  *wcsrchr (path, L'\\') = 0;
  MultiByteToWideChar (CP_UTF8, 0, bin_dir, -1, told, MAX_PATH);
  return _wcsicmp (path, told) == 0;
}

void
jl_init_with_image__threading (const char *bin_dir, const char *image)
{
  HMODULE late = LoadLibraryExW (L"libasked-late", NULL, LOAD_WITH_ALTERED_SEARCH_PATH);

  snprintf (said, sizeof said, "Neighbour%s, folder %s, image %s",
            late != NULL ? "Found" : "Missing",
            is_own_folder (bin_dir) ? "right" : "wrong",
            strstr (image, "image") != NULL ? "right" : "wrong");
}

void *
jl_eval_string (const char *text)
{
  (void) text;
  return NULL;
}

void *
jl_exception_occurred (void)
{
  return said;
}

const char *
jl_typeof_str (void *value)
{
  return value;
}
