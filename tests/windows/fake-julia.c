/* SPDX-License-Identifier: MIT */
/*
 * Stands for julia.exe in tests: takes the same arguments, proves itself in the same way,
 * and speaks the same protocol (docs/protocol.md). What it evaluates are lines of a small
 * language (fake-script.c); called with the functions of bridge.jl it plays the bridge
 * (fake-bridge.c), whose workers are this program again. How it starts, and what it does
 * wrong there, says a variable (fake-start.c).
 *
 * Frames are read, and nearly all is done, in one thread. Events of the console come in a
 * thread of the system; the bridge has a thread for each worker, which reads what that
 * prints (fake-bridged.c).
 */
#include "fake-julia.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FakeJulia fake;

/* Bytes */

void
fake_julia_send_bytes (FakeJulia *julia, gconstpointer data, gsize n_bytes)
{
  const char *at = data;

  while (n_bytes > 0)
    {
      int n = send (julia->socket, at, (int) MIN (n_bytes, G_MAXINT), 0);
      if (n <= 0)
        _exit (0);
      at += n;
      n_bytes -= (gsize) n;
    }
}

void
fake_julia_receive_bytes (FakeJulia *julia, gpointer data, gsize n_bytes)
{
  char *at = data;

  while (n_bytes > 0)
    {
      int n = recv (julia->socket, at, (int) MIN (n_bytes, G_MAXINT), 0);
      if (n <= 0)
        _exit (0);
      at += n;
      n_bytes -= (gsize) n;
    }
}

GBytes *
fake_julia_bytes_of_hex (const char *hex)
{
  gsize n_bytes = strlen (hex) / 2;
  guint8 *bytes = g_malloc (n_bytes + 1);

  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8) (g_ascii_xdigit_value (hex[2 * i]) * 16 +
                         g_ascii_xdigit_value (hex[2 * i + 1]));
  return g_bytes_new_take (bytes, n_bytes);
}

/* Frames */

static void
send_flagged (FakeJulia *julia, MaltWireWriter *writer, MaltFrameKind kind, guint32 id,
              guint8 flags)
{
  g_autoptr (MaltWireFrame) frame = malt_wire_writer_finish (writer, kind, flags, id);

  g_mutex_lock (&julia->send_lock);
  for (gsize i = 0; i < frame->n_segments; i++)
    {
      gsize n_bytes;
      const char *bytes = g_bytes_get_data (frame->segments[i], &n_bytes);
      fake_julia_send_bytes (julia, bytes, n_bytes);
    }
  g_mutex_unlock (&julia->send_lock);
}

void
fake_julia_send (FakeJulia *julia, MaltWireWriter *writer, MaltFrameKind kind, guint32 id)
{
  send_flagged (julia, writer, kind, id, 0);
}

void
fake_julia_answer (FakeJulia *julia, guint32 id, MaltValue *value)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_value (&writer, value, NULL);
  fake_julia_send (julia, &writer, MALT_FRAME_OK, id);
  malt_value_unref (value);
}

void
fake_julia_throw (FakeJulia *julia, guint32 id, const char *type, const char *message)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, MALT_FRAME_ERROR_REMOTE_EXCEPTION);
  malt_wire_writer_put_string_value (&writer, type);
  malt_wire_writer_put_string_value (&writer, message);
  malt_wire_writer_put_string_value (&writer, "Stacktrace:\n [1] top-level scope");
  malt_wire_writer_put_u32 (&writer, (guint32) strlen (message));
  send_flagged (julia, &writer, MALT_FRAME_ERROR, id,
                strcmp (type, "InterruptException") == 0 ? MALT_FRAME_WAS_INTERRUPTED
                                                         : 0);
}

void
fake_julia_print_raw (MaltStream stream, gconstpointer bytes, gsize n_bytes)
{
  HANDLE handle =
      GetStdHandle (stream == MALT_STREAM_STDERR ? STD_ERROR_HANDLE : STD_OUTPUT_HANDLE);
  const char *at = bytes;
  DWORD n_written;

  while (n_bytes > 0 && WriteFile (handle, at, (DWORD) n_bytes, &n_written, NULL))
    {
      at += n_written;
      n_bytes -= n_written;
    }
}

void
fake_julia_print (FakeJulia *julia, MaltStream stream, guint32 id, const char *text,
                  gsize n_bytes)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  if (!julia->sends_output)
    {
      fake_julia_print_raw (stream, text, n_bytes);
      return;
    }
  malt_wire_writer_put_u8 (&writer, stream == MALT_STREAM_STDERR
                                        ? MALT_FRAME_STREAM_STDERR
                                        : MALT_FRAME_STREAM_STDOUT);
  malt_wire_writer_put_raw (&writer, text, n_bytes);
  fake_julia_send (julia, &writer, MALT_FRAME_OUTPUT, id);
}

static void
acknowledge (FakeJulia *julia, guint32 id)
{
  gboolean is_waiting = id == julia->waiting_id;
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer,
                           is_waiting ? MALT_FRAME_ACK_DELIVERED : MALT_FRAME_ACK_GONE);
  fake_julia_send (julia, &writer, MALT_FRAME_ACK, id);
  if (is_waiting)
    {
      julia->waiting_id = 0;
      fake_julia_throw (julia, id, "InterruptException", "InterruptException:");
    }
}

static void
evaluate (FakeJulia *julia, guint32 id, guint8 flags, GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) module = NULL;
  g_autofree char *source = NULL;
  g_autofree char *file = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  module = malt_wire_reader_take_value (&reader, NULL);
  source = module != NULL ? malt_wire_reader_take_string_value (&reader, NULL) : NULL;
  if (flags & MALT_FRAME_PROGRAM && source != NULL)
    file = malt_wire_reader_take_string_value (&reader, NULL);
  if (file != NULL)
    {
      g_autofree char *message = g_strdup_printf ("no program %s here", file);

      fake_julia_throw (julia, id, "SystemError", message);
    }
  else if (source == NULL)
    fake_julia_throw (julia, id, "ErrorException", "expected a line of script");
  else
    fake_script_run (julia, id, source);
}

/* `identity` gives its argument; the rest are functions of the bridge. */
static void
call (FakeJulia *julia, guint32 id, GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) arguments = NULL;
  g_autofree char *function = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  function = malt_wire_reader_take_string_value (&reader, NULL);
  arguments = function != NULL ? malt_wire_reader_take_value (&reader, NULL) : NULL;
  if (arguments != NULL && strcmp (function, "identity") == 0 &&
      malt_value_get_n_children (arguments) == 1)
    fake_julia_answer (julia, id, malt_value_dup_child (arguments, 0));
  else if (arguments == NULL || !fake_bridge_call (julia, id, function, arguments))
    fake_julia_throw (julia, id, "UndefVarError", "not a function of the bridge");
}

static void
shut_down (FakeJulia *julia)
{
  if (julia->at_shutdown != NULL)
    fake_script_run (julia, 0, julia->at_shutdown);
  else
    ExitProcess (0);
}

static void
handle (FakeJulia *julia, const MaltFrameHeader *header, GBytes *body)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  switch (header->kind)
    {
    case MALT_FRAME_EVAL:
      evaluate (julia, header->id, header->flags, body);
      break;
    case MALT_FRAME_CALL:
      call (julia, header->id, body);
      break;
    case MALT_FRAME_INTERRUPT:
      acknowledge (julia, header->id);
      break;
    case MALT_FRAME_PING:
      fake_julia_send (julia, &writer, MALT_FRAME_PONG, header->id);
      break;
    case MALT_FRAME_SHUTDOWN:
      shut_down (julia);
      break;
    default:
      if (!fake_channel_handle (julia, header, body))
        fake_calling_handle (julia, header, body);
      break;
    }
}

static G_GNUC_NORETURN void
serve (FakeJulia *julia)
{
  for (;;)
    {
      guint8 bytes[MALT_FRAME_HEADER_BYTES];
      g_autoptr (GBytes) body = NULL;
      MaltFrameHeader header;
      gpointer data;

      fake_julia_receive_bytes (julia, bytes, sizeof bytes);
      if (!malt_frame_header_parse (bytes, MALT_FRAME_DEFAULT_MAX_BYTES, &header, NULL))
        _exit (FAKE_EXIT_USAGE);
      data = g_malloc (header.n_body_bytes + 1);
      fake_julia_receive_bytes (julia, data, header.n_body_bytes);
      body = g_bytes_new_take (data, header.n_body_bytes);
      handle (julia, &header, body);
    }
}

/* The program */

static BOOL WINAPI
on_console_event (DWORD event)
{
  g_atomic_int_set (&fake.console_event, (gint) event + 1);
  SetEvent (fake.interrupted);
  return TRUE;
}

/* A crash ends the process with the number of the exception, and nobody looks at it with
 * a debugger. */
static LONG WINAPI
on_crash (G_GNUC_UNUSED EXCEPTION_POINTERS *exception)
{
  return EXCEPTION_EXECUTE_HANDLER;
}

/* What stands behind the word --: the transport and its parameter. */
static char **
find_own_arguments (char **argv)
{
  while (*argv != NULL && strcmp (*argv, "--") != 0)
    argv++;
  return *argv != NULL && argv[1] != NULL && argv[2] != NULL ? argv + 1 : NULL;
}

int
main (void)
{
  char **own;

  fake.argv = g_win32_get_command_line ();
  own = find_own_arguments (fake.argv);
  SetErrorMode (SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  SetUnhandledExceptionFilter (on_crash);
  if (fake.argv[1] != NULL && strcmp (fake.argv[1], "--sleep") == 0)
    {
      Sleep (INFINITE);
      return 0;
    }
  if (own == NULL || strcmp (own[0], "connect") != 0)
    return FAKE_EXIT_USAGE;
  g_mutex_init (&fake.send_lock);
  fake.sends_output = own[2] != NULL && strcmp (own[2], "worker") == 0;
  fake.interrupted = CreateEventW (NULL, FALSE, FALSE, NULL);
  /* A process that leads a group begins with Ctrl-C turned off. */
  SetConsoleCtrlHandler (NULL, FALSE);
  SetConsoleCtrlHandler (on_console_event, TRUE);
  fake_start (&fake, (u_short) atoi (own[1]));
  serve (&fake);
}
