/* SPDX-License-Identifier: MIT */
/* Words for ends: by itself, by a crash, at a bad moment. */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>

static UINT
read_code (const char *text)
{
  return (UINT) strtoul (text, NULL, 0);
}

/* Without any more ado. */
static G_GNUC_NORETURN void
end_with (UINT code)
{
  TerminateProcess (GetCurrentProcess (), code);
  abort ();
}

/* exit CODE */
static void
run_exit (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED guint32 id, const char *rest)
{
  ExitProcess (read_code (rest));
}

/* Answers, and is gone. */
static void
run_answer_and_exit (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_answer (julia, id, malt_value_new_nothing ());
  end_with (read_code (rest));
}

/* last-words CODE TEXT: prints to both streams, past the runtime, and is gone. */
static void
run_last_words (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED guint32 id,
                const char *rest)
{
  g_auto (GStrv) words = fake_script_split (rest, 2);

  fake_julia_print_raw (MALT_STREAM_STDOUT, words[1], strlen (words[1]));
  fake_julia_print_raw (MALT_STREAM_STDERR, words[1], strlen (words[1]));
  end_with (read_code (words[0]));
}

/* half-answer CODE: the answer is longer than what comes of it. */
static void
run_half_answer (FakeJulia *julia, guint32 id, const char *rest)
{
  const MaltFrameHeader header = { .n_body_bytes = 1 << 20,
                                   .id = id,
                                   .kind = MALT_FRAME_OK };
  guint8 bytes[MALT_FRAME_HEADER_BYTES + 100] = { 0 };

  malt_frame_header_write (&header, bytes);
  fake_julia_send_bytes (julia, bytes, sizeof bytes);
  end_with (read_code (rest));
}

/* Closes the connection, and lives on. */
static void
run_hang_up (FakeJulia *julia, G_GNUC_UNUSED guint32 id, G_GNUC_UNUSED const char *rest)
{
  closesocket (julia->socket);
  Sleep (INFINITE);
}

/* Answers, and reads no frame any more. */
static void
run_deaf (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  if (id != 0)
    fake_julia_answer (julia, id, malt_value_new_nothing ());
  Sleep (INFINITE);
}

/* at-shutdown LINE: what SHUTDOWN runs. */
static void
run_at_shutdown (FakeJulia *julia, guint32 id, const char *rest)
{
  g_free (julia->at_shutdown);
  julia->at_shutdown = g_strdup (rest);
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

/* Crashes, each by what really causes it. */

static volatile int zero;
static volatile int one = 1;
static int *volatile nowhere = (int *) 8;

static void
crash_by_access (void)
{
  *nowhere = 1;
}

/* As the system does it. A real one is more than Wine can tell. */
static void
crash_by_stack (void)
{
  RaiseException ((DWORD) STATUS_STACK_OVERFLOW, EXCEPTION_NONCONTINUABLE, 0, NULL);
}

static void
crash_by_division (void)
{
  zero = one / zero;
}

static void
crash_by_instruction (void)
{
  __builtin_trap ();
}

static void
crash_by_abort (void)
{
  abort ();
}

static const struct
{
  const char *name;
  void (*crash) (void);
} crashes[] = {
  { "access", crash_by_access },     { "stack", crash_by_stack },
  { "division", crash_by_division }, { "instruction", crash_by_instruction },
  { "abort", crash_by_abort },
};

/* crash NAME */
static void
run_crash (FakeJulia *julia, guint32 id, const char *rest)
{
  for (gsize i = 0; i < G_N_ELEMENTS (crashes); i++)
    if (strcmp (crashes[i].name, rest) == 0)
      crashes[i].crash ();
  fake_julia_throw (julia, id, "ErrorException", "no such crash");
}

const FakeCommand fake_ending_commands[] = {
  { "exit", run_exit },
  { "answer-and-exit", run_answer_and_exit },
  { "last-words", run_last_words },
  { "half-answer", run_half_answer },
  { "hang-up", run_hang_up },
  { "deaf", run_deaf },
  { "at-shutdown", run_at_shutdown },
  { "crash", run_crash },
  { NULL, NULL },
};
