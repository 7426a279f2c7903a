/* SPDX-License-Identifier: MIT */
/* The language of the fake: a line is a word and what it is about. */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
  SPIN_MS = 60000,
  PIECE_BYTES = 4096,
  EXIT_NOT_INTERRUPTED = 99
};

typedef void (*Command) (FakeJulia *julia, guint32 id, const char *rest);

static void
run_int (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_answer (julia, id, malt_value_new_int64 (g_ascii_strtoll (rest, NULL, 10)));
}

static void
run_text (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_answer (julia, id, malt_value_new_string (rest));
}

/* throw TYPE MESSAGE */
static void
run_throw (FakeJulia *julia, guint32 id, const char *rest)
{
  g_auto (GStrv) words = g_strsplit (rest, " ", 2);

  fake_julia_throw (julia, id, words[0], words[1] != NULL ? words[1] : "");
}

static void
run_print (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_print (julia, MALT_STREAM_STDOUT, id, rest, strlen (rest));
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

static void
run_complain (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_print (julia, MALT_STREAM_STDERR, id, rest, strlen (rest));
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

/* flood BYTES: writes so many, which are the alphabet over and over. */
static void
run_flood (FakeJulia *julia, guint32 id, const char *rest)
{
  guint64 n_left = g_ascii_strtoull (rest, NULL, 10);
  char piece[PIECE_BYTES];

  for (gsize i = 0; i < sizeof piece; i++)
    piece[i] = (char) ('a' + i % 16);
  while (n_left > 0)
    {
      gsize n = MIN (n_left, sizeof piece);
      fake_julia_print (julia, MALT_STREAM_STDOUT, id, piece, n);
      n_left -= n;
    }
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

/* The arguments that it was given, each in brackets. */
static void
run_arguments (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (char **argument = julia->argv + 1; *argument != NULL; argument++)
    g_string_append_printf (text, "[%s]", *argument);
  fake_julia_answer (julia, id, malt_value_new_string (text->str));
}

/* In one of the usual ways of writing bytes. */
static gboolean
tells (const char *text, const guint8 *secret)
{
  g_autofree char *base64 = g_base64_encode (secret, FAKE_SECRET_BYTES);
  g_autofree char *lower = g_ascii_strdown (text, -1);
  GString *hex = g_string_new (NULL);
  gboolean is_told;

  for (int i = 0; i < FAKE_SECRET_BYTES; i++)
    g_string_append_printf (hex, "%02x", secret[i]);
  is_told = strstr (lower, hex->str) != NULL || strstr (text, base64) != NULL;
  g_string_free (hex, TRUE);
  return is_told;
}

/* Do its environment or its command line tell a secret? How long what was searched is, or -1. */
static void
run_leaks (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_auto (GStrv) variables = g_get_environ ();
  g_autofree char *lines = g_strjoinv ("\n", variables);
  g_autofree char *command =
      g_utf16_to_utf8 ((const gunichar2 *) GetCommandLineW (), -1, NULL, NULL, NULL);
  g_autofree char *text = g_strconcat (lines, "\n", command, NULL);
  gboolean is_told =
      tells (text, julia->secrets) || tells (text, julia->secrets + FAKE_SECRET_BYTES);

  fake_julia_answer (julia, id,
                     malt_value_new_int64 (is_told ? -1 : (gint64) strlen (text)));
}

static void
run_variable (FakeJulia *julia, guint32 id, const char *rest)
{
  const char *value = g_getenv (rest);

  fake_julia_answer (julia, id,
                     value != NULL ? malt_value_new_string (value)
                                   : malt_value_new_nothing ());
}

static void
run_cwd (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_autofree char *directory = g_get_current_dir ();

  fake_julia_answer (julia, id, malt_value_new_string (directory));
}

/* How many bytes of standard input are left for evaluated code. */
static void
run_stdin (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  char bytes[64];
  DWORD n_read = 0;

  if (!ReadFile (GetStdHandle (STD_INPUT_HANDLE), bytes, sizeof bytes, &n_read, NULL))
    n_read = 0;
  fake_julia_answer (julia, id, malt_value_new_int64 (n_read));
}

static void
run_exit (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED guint32 id, const char *rest)
{
  exit (atoi (rest));
}

/* Answers, and is gone. */
static void
run_answer_and_exit (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_answer (julia, id, malt_value_new_nothing ());
  _exit (atoi (rest));
}

static void
run_crash (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED guint32 id,
           G_GNUC_UNUSED const char *rest)
{
  /* What a bad access does, without the debugger that would look at one. */
  TerminateProcess (GetCurrentProcess (), (UINT) STATUS_ACCESS_VIOLATION);
}

/* Starts a process that does nothing, and says its number. */
static void
run_grandchild (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_autofree char *line = g_strdup_printf ("\"%s\" --sleep", julia->argv[0]);
  g_autofree wchar_t *wide_line = malt_handle_dup_wide (line);
  STARTUPINFOW startup = { .cb = sizeof startup };
  PROCESS_INFORMATION process = { 0 };

  if (!CreateProcessW (NULL, wide_line, NULL, NULL, FALSE, 0, NULL, NULL, &startup,
                       &process))
    {
      fake_julia_throw (julia, id, "ErrorException", "no grandchild");
      return;
    }
  CloseHandle (process.hThread);
  CloseHandle (process.hProcess);
  fake_julia_answer (julia, id, malt_value_new_int64 (process.dwProcessId));
}

/* Reads no frames until an event of the console comes. */
static void
run_spin (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  ResetEvent (julia->interrupted);
  fake_julia_print (julia, MALT_STREAM_STDOUT, id, "spinning\n", strlen ("spinning\n"));
  if (WaitForSingleObject (julia->interrupted, SPIN_MS) != WAIT_OBJECT_0)
    _exit (EXIT_NOT_INTERRUPTED);
  fake_julia_throw (julia, id, "InterruptException", "InterruptException:");
}

/* Answers when it is interrupted; reads frames meanwhile. */
static void
run_wait (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  julia->waiting_id = id;
}

/* Sends what is no frame. */
static void
run_babble (FakeJulia *julia, G_GNUC_UNUSED guint32 id, G_GNUC_UNUSED const char *rest)
{
  send (julia->socket, "this is not a frame at all", 26, 0);
}

static const struct
{
  const char *word;
  Command run;
} commands[] = {
  { "int", run_int },
  { "text", run_text },
  { "throw", run_throw },
  { "print", run_print },
  { "complain", run_complain },
  { "flood", run_flood },
  { "arguments", run_arguments },
  { "leaks", run_leaks },
  { "variable", run_variable },
  { "cwd", run_cwd },
  { "stdin", run_stdin },
  { "exit", run_exit },
  { "answer-and-exit", run_answer_and_exit },
  { "crash", run_crash },
  { "grandchild", run_grandchild },
  { "spin", run_spin },
  { "wait", run_wait },
  { "babble", run_babble },
};

void
fake_script_run (FakeJulia *julia, guint32 id, const char *line)
{
  gsize n = strcspn (line, " ");

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strlen (commands[i].word) == n && strncmp (commands[i].word, line, n) == 0)
      {
        commands[i].run (julia, id, line[n] == ' ' ? line + n + 1 : line + n);
        return;
      }
  fake_julia_throw (julia, id, "UndefVarError", line);
}
