/* SPDX-License-Identifier: MIT */
/* Writes what evaluated code prints, and what the command has to say about it, in the
 * order in which it came. */
/*
 * Whoever reads may be slow or stop reading, while the command must still answer to
 * signals. So a thread of its own does the writing, and the main thread hands it
 * pieces through a queue. One thread for both streams keeps their order where they are
 * the same terminal or file.
 *
 * When standard output cannot be written any more, the writer says so, once, in the
 * main thread, and drops what is for it from then on. It ends, and says so, when it is
 * told that nothing more will come and has written all.
 */
#include "malt-cli-host.h"
#include "malt-cli.h"

#include <errno.h>
#include <string.h>

struct _MaltCliWriter
{
  GAsyncQueue *pieces; /* (owned): of Piece; one without bytes is the last */
  GThread *thread; /* (owned) */
  MaltCliWriterFunc func; /* called in the main thread */
  gpointer user_data;
  gboolean is_lost; /* standard output; writer thread only */
};

typedef struct
{
  int descriptor;
  GBytes *bytes; /* (owned) (nullable) */
} Piece;

static void
piece_free (gpointer data)
{
  Piece *piece = data;

  g_clear_pointer (&piece->bytes, g_bytes_unref);
  g_free (piece);
}

/* What the main thread is told. */
typedef struct
{
  MaltCliWriter *writer;
  MaltCliWriterEvent event;
  int error_number;
} Notice;

static gboolean
on_notice (gpointer user_data)
{
  Notice *notice = user_data;

  notice->writer->func (notice->event, notice->error_number, notice->writer->user_data);
  return G_SOURCE_REMOVE;
}

static void
notify (MaltCliWriter *writer, MaltCliWriterEvent event, int error_number)
{
  Notice *notice = g_new (Notice, 1);

  notice->writer = writer;
  notice->event = event;
  notice->error_number = error_number;
  g_idle_add_full (G_PRIORITY_DEFAULT, on_notice, notice, g_free);
}

/* Returns 0 or the number of the error. */
static int
write_all (int descriptor, const char *text, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      gssize n = malt_cli_host_write (descriptor, text, n_bytes);

      if (n < 0)
        return errno;
      text += n;
      n_bytes -= (gsize) n;
    }
  return 0;
}

static void
write_piece (MaltCliWriter *writer, Piece *piece)
{
  gsize n_bytes;
  const char *text = g_bytes_get_data (piece->bytes, &n_bytes);
  int error_number;

  if (piece->descriptor == MALT_CLI_STDOUT && writer->is_lost)
    return;
  error_number = write_all (piece->descriptor, text, n_bytes);
  if (error_number == 0 || piece->descriptor != MALT_CLI_STDOUT)
    return;
  writer->is_lost = TRUE;
  notify (writer, MALT_CLI_WRITER_LOST, error_number);
}

static gpointer
write_pieces (gpointer data)
{
  MaltCliWriter *writer = data;
  gboolean is_last = FALSE;

  while (!is_last)
    {
      Piece *piece = g_async_queue_pop (writer->pieces);

      is_last = piece->bytes == NULL;
      if (!is_last)
        write_piece (writer, piece);
      piece_free (piece);
    }
  notify (writer, MALT_CLI_WRITER_DONE, 0);
  return NULL;
}

MaltCliWriter *
malt_cli_writer_new (MaltCliWriterFunc func, gpointer user_data)
{
  MaltCliWriter *writer = g_new0 (MaltCliWriter, 1);

  writer->pieces = g_async_queue_new_full (piece_free);
  writer->func = func;
  writer->user_data = user_data;
  writer->thread = g_thread_new ("malt-writer", write_pieces, writer);
  return writer;
}

static void
push (MaltCliWriter *writer, int descriptor, GBytes *bytes)
{
  Piece *piece = g_new (Piece, 1);

  piece->descriptor = descriptor;
  piece->bytes = bytes;
  g_async_queue_push (writer->pieces, piece);
}

void
malt_cli_writer_write (MaltCliWriter *writer, int descriptor, GBytes *bytes)
{
  if (g_bytes_get_size (bytes) > 0)
    push (writer, descriptor, g_bytes_ref (bytes));
}

void
malt_cli_writer_print (MaltCliWriter *writer, int descriptor, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  malt_cli_writer_write (writer, descriptor, bytes);
}

/* Nothing more will come. MALT_CLI_WRITER_DONE follows when all is written. */
void
malt_cli_writer_close (MaltCliWriter *writer)
{
  push (writer, -1, NULL);
}

/* After MALT_CLI_WRITER_DONE. */
void
malt_cli_writer_free (MaltCliWriter *writer)
{
  g_thread_join (writer->thread);
  g_async_queue_unref (writer->pieces);
  g_free (writer);
}
