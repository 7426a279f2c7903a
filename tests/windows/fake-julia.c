/* SPDX-License-Identifier: MIT */
/*
 * Stands for julia.exe in tests: takes the same arguments, proves itself in the same way, and speaks the same protocol (docs/protocol.md). What it
 * evaluates are lines of a small language (fake-script.c); called with the functions of bridge.jl it plays the bridge (fake-bridge.c), whose workers are
 * this program again.
 *
 * Everything is done in one thread, which reads frames, but for events of the console, which come in a thread of the system.
 */
#include "fake-julia.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION_TEXT "1.99.0"

enum
{
  EXIT_STRANGER = 1, /* the host did not prove itself */
  EXIT_USAGE = 2
};

static FakeJulia fake;

/* Bytes */

static void
send_all (FakeJulia *julia, const char *data, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      int n = send (julia->socket, data, (int) MIN (n_bytes, G_MAXINT), 0);
      if (n <= 0)
        _exit (0);
      data += n;
      n_bytes -= (gsize) n;
    }
}

/* The end of the stream ends the program at once. */
static void
receive_all (FakeJulia *julia, gpointer data, gsize n_bytes)
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

/* Frames */

void
fake_julia_send (FakeJulia *julia, MaltWireWriter *writer, MaltFrameKind kind, guint32 id)
{
  g_autoptr (MaltWireFrame) frame = malt_wire_writer_finish (writer, kind, 0, id);

  for (gsize i = 0; i < frame->n_segments; i++)
    {
      gsize n_bytes;
      const char *bytes = g_bytes_get_data (frame->segments[i], &n_bytes);
      send_all (julia, bytes, n_bytes);
    }
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
  fake_julia_send (julia, &writer, MALT_FRAME_ERROR, id);
}

void
fake_julia_print (FakeJulia *julia, MaltStream stream, guint32 id, const char *text,
                  gsize n_bytes)
{
  g_auto (MaltWireWriter) writer;
  DWORD n_written;

  malt_wire_writer_init (&writer, NULL);
  if (!julia->sends_output)
    {
      WriteFile (GetStdHandle (stream == MALT_STREAM_STDERR ? STD_ERROR_HANDLE
                                                            : STD_OUTPUT_HANDLE),
                 text, (DWORD) n_bytes, &n_written, NULL);
      return;
    }
  malt_wire_writer_put_u8 (&writer, stream == MALT_STREAM_STDERR
                                        ? MALT_FRAME_STREAM_STDERR
                                        : MALT_FRAME_STREAM_STDOUT);
  malt_wire_writer_put_raw (&writer, text, n_bytes);
  fake_julia_send (julia, &writer, MALT_FRAME_OUTPUT, id);
}

static void
say_hello (FakeJulia *julia)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, MALT_WIRE_MAGIC, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MAJOR);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_u32 (&writer, (guint32) GetCurrentProcessId ());
  malt_wire_writer_put_text (&writer, VERSION_TEXT, -1);
  fake_julia_send (julia, &writer, MALT_FRAME_RUNTIME_HELLO, 0);
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
evaluate (FakeJulia *julia, guint32 id, GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) module = NULL;
  g_autofree char *source = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  module = malt_wire_reader_take_value (&reader, NULL);
  source = module != NULL ? malt_wire_reader_take_string_value (&reader, NULL) : NULL;
  if (source == NULL)
    fake_julia_throw (julia, id, "ErrorException", "expected a line of script");
  else
    fake_script_run (julia, id, source);
}

static void
call (FakeJulia *julia, guint32 id, GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (MaltValue) arguments = NULL;
  g_autofree char *function = NULL;

  malt_wire_reader_init (&reader, body, NULL);
  function = malt_wire_reader_take_string_value (&reader, NULL);
  arguments = function != NULL ? malt_wire_reader_take_value (&reader, NULL) : NULL;
  if (arguments == NULL || !fake_bridge_call (julia, id, function, arguments))
    fake_julia_throw (julia, id, "UndefVarError", "not a function of the bridge");
}

static void
handle (FakeJulia *julia, const MaltFrameHeader *header, GBytes *body)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  switch (header->kind)
    {
    case MALT_FRAME_EVAL:
      evaluate (julia, header->id, body);
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
      exit (0);
    default:
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

      receive_all (julia, bytes, sizeof bytes);
      if (!malt_frame_header_parse (bytes, MALT_FRAME_DEFAULT_MAX_BYTES, &header, NULL))
        _exit (EXIT_USAGE);
      data = g_malloc (header.n_body_bytes + 1);
      receive_all (julia, data, header.n_body_bytes);
      body = g_bytes_new_take (data, header.n_body_bytes);
      handle (julia, &header, body);
    }
}

/* The start */

static BOOL WINAPI
on_console_event (DWORD event)
{
  g_atomic_int_set (&fake.console_event, (gint) event + 1);
  SetEvent (fake.interrupted);
  return TRUE;
}

static void
read_secrets (guint8 *secrets)
{
  DWORD n_read = 0;

  for (DWORD n = 0; n < 2 * FAKE_SECRET_BYTES; n += n_read)
    if (!ReadFile (GetStdHandle (STD_INPUT_HANDLE), secrets + n,
                   2 * FAKE_SECRET_BYTES - n, &n_read, NULL) ||
        n_read == 0)
      _exit (EXIT_USAGE);
}

static void
connect_back (FakeJulia *julia, u_short port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  guint8 answer[FAKE_SECRET_BYTES];
  WSADATA data;

  read_secrets (julia->secrets);
  WSAStartup (MAKEWORD (2, 2), &data);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  julia->socket = socket (AF_INET, SOCK_STREAM, 0);
  if (connect (julia->socket, (struct sockaddr *) &address, sizeof address) != 0)
    _exit (EXIT_STRANGER);
  send_all (julia, (const char *) julia->secrets, FAKE_SECRET_BYTES);
  receive_all (julia, answer, FAKE_SECRET_BYTES);
  if (memcmp (answer, julia->secrets + FAKE_SECRET_BYTES, FAKE_SECRET_BYTES) != 0)
    _exit (EXIT_STRANGER);
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
main (int argc, char **argv)
{
  char **own;

  fake.argc = argc;
  fake.argv = g_win32_get_command_line ();
  own = find_own_arguments (fake.argv);
  if (argc > 1 && strcmp (argv[1], "--sleep") == 0)
    {
      Sleep (INFINITE);
      return 0;
    }
  if (own == NULL || strcmp (own[0], "connect") != 0)
    return EXIT_USAGE;
  fake.sends_output = own[2] != NULL && strcmp (own[2], "worker") == 0;
  fake.interrupted = CreateEventW (NULL, FALSE, FALSE, NULL);
  /* A process that leads a group begins with Ctrl-C turned off. */
  SetConsoleCtrlHandler (NULL, FALSE);
  SetConsoleCtrlHandler (on_console_event, TRUE);
  connect_back (&fake, (u_short) atoi (own[1]));
  say_hello (&fake);
  serve (&fake);
}
