/* SPDX-License-Identifier: MIT */
/* The language of the fake: a line is a word and what it is about. Here are the words for
 * answers, frames, output and interrupts. */
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

char **
fake_script_split (const char *rest, int n_words)
{
  return g_strsplit (rest, " ", n_words);
}

static void
answer_nothing (FakeJulia *julia, guint32 id)
{
  fake_julia_answer (julia, id, malt_value_new_nothing ());
}

/* Answers */

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

/* array N: the numbers from 0 to N - 1. */
static void
run_array (FakeJulia *julia, guint32 id, const char *rest)
{
  gsize n = (gsize) g_ascii_strtoull (rest, NULL, 10);
  g_autofree gint64 *numbers = g_new (gint64, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (gint64) i;
  fake_julia_answer (
      julia, id,
      malt_value_new_array (MALT_VALUE_INT64, &n, 1, numbers, n * sizeof *numbers));
}

/* throw TYPE MESSAGE */
static void
run_throw (FakeJulia *julia, guint32 id, const char *rest)
{
  g_auto (GStrv) words = fake_script_split (rest, 2);

  fake_julia_throw (julia, id, words[0], words[1] != NULL ? words[1] : "");
}

/* Frames that a script makes up */

static void
send_hex (FakeJulia *julia, const char *hex)
{
  g_autoptr (GBytes) bytes = fake_julia_bytes_of_hex (hex);

  fake_julia_send_bytes (julia, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* frame KIND FLAGS ZERO ID BODY [BYTES]: numbers and body in base 16; ID `this` is that
 * of this call. With BYTES the header says that there are so many. */
static void
run_frame (FakeJulia *julia, guint32 id, const char *rest)
{
  g_auto (GStrv) words = fake_script_split (rest, 6);
  guint16 zero = (guint16) strtoul (words[2], NULL, 16);
  MaltFrameHeader header = {
    .n_body_bytes =
        words[5] != NULL ? g_ascii_strtoull (words[5], NULL, 16) : strlen (words[4]) / 2,
    .id = strcmp (words[3], "this") == 0 ? id : (guint32) strtoul (words[3], NULL, 16),
    .kind = (MaltFrameKind) strtoul (words[0], NULL, 16),
    .flags = (guint8) strtoul (words[1], NULL, 16),
  };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  malt_frame_header_write (&header, bytes);
  memcpy (bytes + sizeof bytes - sizeof zero, &zero, sizeof zero);
  fake_julia_send_bytes (julia, bytes, sizeof bytes);
  send_hex (julia, words[4]);
}

/* Bytes as they are. */
static void
run_raw (FakeJulia *julia, G_GNUC_UNUSED guint32 id, const char *rest)
{
  send_hex (julia, rest);
}

static void
run_answer_twice (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  answer_nothing (julia, id);
  answer_nothing (julia, id);
}

/* Output */

static void
run_print (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_print (julia, MALT_STREAM_STDOUT, id, rest, strlen (rest));
  answer_nothing (julia, id);
}

static void
run_complain (FakeJulia *julia, guint32 id, const char *rest)
{
  fake_julia_print (julia, MALT_STREAM_STDERR, id, rest, strlen (rest));
  answer_nothing (julia, id);
}

/* bytes HEX: any. */
static void
run_bytes (FakeJulia *julia, guint32 id, const char *rest)
{
  g_autoptr (GBytes) bytes = fake_julia_bytes_of_hex (rest);

  fake_julia_print (julia, MALT_STREAM_STDOUT, id, g_bytes_get_data (bytes, NULL),
                    g_bytes_get_size (bytes));
  answer_nothing (julia, id);
}

/* Letters from a to p over and over, to one stream and the other in turn. */
static void
flood (FakeJulia *julia, guint32 id, guint64 n_left, gboolean is_raw)
{
  char piece[PIECE_BYTES];

  for (gsize i = 0; i < sizeof piece; i++)
    piece[i] = (char) ('a' + i % 16);
  while (n_left > 0)
    {
      gsize n = MIN (n_left, sizeof piece);

      for (int stream = MALT_STREAM_STDOUT; stream <= MALT_STREAM_STDERR; stream++)
        if (is_raw)
          fake_julia_print_raw ((MaltStream) stream, piece, n);
        else
          fake_julia_print (julia, (MaltStream) stream, id, piece, n);
      n_left -= n;
    }
}

/* flood BYTES: writes so many to each stream. */
static void
run_flood (FakeJulia *julia, guint32 id, const char *rest)
{
  flood (julia, id, g_ascii_strtoull (rest, NULL, 10), FALSE);
  answer_nothing (julia, id);
}

/* The same past the runtime. */
static void
run_raw_flood (FakeJulia *julia, guint32 id, const char *rest)
{
  flood (julia, id, g_ascii_strtoull (rest, NULL, 10), TRUE);
  answer_nothing (julia, id);
}

/* Interrupts */

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

/* The same, and whatever comes is not heard. */
static void
run_stubborn (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  fake_julia_print (julia, MALT_STREAM_STDOUT, id, "spinning\n", strlen ("spinning\n"));
  Sleep (INFINITE);
}

/* Answers when it is interrupted; reads frames meanwhile. */
static void
run_wait (FakeJulia *julia, guint32 id, G_GNUC_UNUSED const char *rest)
{
  julia->waiting_id = id;
}

static const FakeCommand commands[] = {
  { "int", run_int },
  { "text", run_text },
  { "array", run_array },
  { "throw", run_throw },
  { "frame", run_frame },
  { "raw", run_raw },
  { "answer-twice", run_answer_twice },
  { "print", run_print },
  { "complain", run_complain },
  { "bytes", run_bytes },
  { "flood", run_flood },
  { "raw-flood", run_raw_flood },
  { "spin", run_spin },
  { "stubborn", run_stubborn },
  { "wait", run_wait },
  { NULL, NULL },
};

static const FakeCommand *
find (const FakeCommand *command, const char *line, gsize n_word_bytes)
{
  for (; command->word != NULL; command++)
    if (strlen (command->word) == n_word_bytes &&
        strncmp (command->word, line, n_word_bytes) == 0)
      return command;
  return NULL;
}

void
fake_script_run (FakeJulia *julia, guint32 id, const char *line)
{
  const FakeCommand *const tables[] = { commands, fake_looking_commands,
                                        fake_ending_commands, fake_calling_commands };
  gsize n = strcspn (line, " ");
  const FakeCommand *command = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (tables) && command == NULL; i++)
    command = find (tables[i], line, n);
  if (command != NULL)
    command->run (julia, id, line[n] == ' ' ? line + n + 1 : line + n);
  else
    fake_julia_throw (julia, id, "UndefVarError", line);
}
