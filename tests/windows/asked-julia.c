/* SPDX-License-Identifier: MIT */
/*
 * Stands for a julia that is asked where its library is: it says what the files beside it
 * hold. `answer` goes to standard output and `complaint` to standard error; `status` is
 * the number that it exits with, or says that it never does. It needs no library.
 */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define EXIT_NOT_ASKED 77

static wchar_t folder[MAX_PATH + 16];

/* NULL: there is no such file, or the text's whole length. */
static char *
read_file (const wchar_t *name, size_t *out_n_bytes)
{
  static char text[200000];
  wchar_t path[MAX_PATH + 32];
  FILE *file;

  swprintf (path, MAX_PATH + 32, L"%ls\\%ls", folder, name);
  file = _wfopen (path, L"rb");
  *out_n_bytes = 0;
  if (file == NULL)
    return NULL;
  *out_n_bytes = fread (text, 1, sizeof text - 1, file);
  text[*out_n_bytes] = '\0';
  fclose (file);
  return text;
}

static void
say (const wchar_t *name, FILE *stream)
{
  size_t n_bytes;
  const char *text = read_file (name, &n_bytes);

  _setmode (_fileno (stream), _O_BINARY);
  if (text != NULL)
    fwrite (text, 1, n_bytes, stream);
  fflush (stream);
}

int
main (int argc, char **argv)
{
  const char *status;
  size_t n_bytes;

  GetModuleFileNameW (NULL, folder, MAX_PATH);
  *wcsrchr (folder, L'\\') = 0;
  if (argc < 3 || strcmp (argv[argc - 2], "-e") != 0 ||
      strstr (argv[argc - 1], "\"library=\"") == NULL)
    return EXIT_NOT_ASKED;
  say (L"answer", stdout);
  say (L"complaint", stderr);
  status = read_file (L"status", &n_bytes);
  if (status != NULL && strcmp (status, "never") == 0)
    Sleep (INFINITE);
  return status != NULL ? (int) strtoll (status, NULL, 0) : 0;
}
