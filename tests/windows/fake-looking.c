/* SPDX-License-Identifier: MIT */
/* Words for what the fake was given: arguments, variables, secrets, standard input, a directory. */
#include "fake-julia.h"

/* Each in brackets. */
static void
run_arguments (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (char **argument = julia->argv + 1; *argument != NULL; argument++)
    g_string_append_printf (text, "[%s]", *argument);
  fake_julia_answer (julia, id, malt_value_new_string (text->str));
}

static void
run_program (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  fake_julia_answer (julia, id, malt_value_new_string (julia->argv[0]));
}

/* In base 16: its own, then the host's. */
static void
run_secrets (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  g_autoptr (GString) hex = g_string_new (NULL);

  for (gsize i = 0; i < sizeof julia->secrets; i++)
    g_string_append_printf (hex, "%02x", julia->secrets[i]);
  fake_julia_answer (julia, id, malt_value_new_string (hex->str));
}

static void
run_second_connection (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  fake_julia_answer (julia, id,
                     malt_value_new_string (julia->second_connection != NULL
                                                ? julia->second_connection
                                                : "none"));
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

/* How many bytes are left for evaluated code. */
static void
run_stdin (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  char bytes[64];
  DWORD n_read = 0;

  if (!ReadFile (GetStdHandle (STD_INPUT_HANDLE), bytes, sizeof bytes, &n_read, NULL))
    n_read = 0;
  fake_julia_answer (julia, id, malt_value_new_int64 (n_read));
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

const FakeCommand fake_looking_commands[] = {
  { "arguments", run_arguments },
  { "program", run_program },
  { "secrets", run_secrets },
  { "second-connection", run_second_connection },
  { "variable", run_variable },
  { "cwd", run_cwd },
  { "stdin", run_stdin },
  { "grandchild", run_grandchild },
  { NULL, NULL },
};
