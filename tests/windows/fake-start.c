/* SPDX-License-Identifier: MIT */
/*
 * How the fake begins: it reads the secrets, connects back, proves itself, and says
 * HELLO. The variable FAKE_START names one of the ways to do it otherwise, which are in a
 * table at the end.
 */
#include "fake-julia.h"

#include <string.h>
#include <unistd.h>

#define VERSION_TEXT "1.99.0"

enum
{
  N_CROWD = 70, /* more than the host hears at once */
  EXIT_ABSENT = 4,
  EXIT_CUT = 6
};

static void
read_secrets (guint8 *secrets)
{
  DWORD n_read = 0;

  for (DWORD n = 0; n < 2 * FAKE_SECRET_BYTES; n += n_read)
    if (!ReadFile (GetStdHandle (STD_INPUT_HANDLE), secrets + n,
                   2 * FAKE_SECRET_BYTES - n, &n_read, NULL) ||
        n_read == 0)
      _exit (FAKE_EXIT_USAGE);
}

/* INVALID_SOCKET: nobody listens. */
static SOCKET
open_connection (u_short port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  SOCKET connection = socket (AF_INET, SOCK_STREAM, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (connect (connection, (struct sockaddr *) &address, sizeof address) == 0)
    return connection;
  closesocket (connection);
  return INVALID_SOCKET;
}

static void
connect_back (FakeJulia *julia, u_short port)
{
  julia->socket = open_connection (port);
  if (julia->socket == INVALID_SOCKET)
    _exit (FAKE_EXIT_STRANGER);
}

/* Ends the program if the host cannot do the same. */
static void
await_proof (FakeJulia *julia)
{
  guint8 answer[FAKE_SECRET_BYTES];

  fake_julia_receive_bytes (julia, answer, FAKE_SECRET_BYTES);
  if (memcmp (answer, julia->secrets + FAKE_SECRET_BYTES, FAKE_SECRET_BYTES) != 0)
    _exit (FAKE_EXIT_STRANGER);
}

static void
prove (FakeJulia *julia, u_short port)
{
  connect_back (julia, port);
  fake_julia_send_bytes (julia, julia->secrets, FAKE_SECRET_BYTES);
  await_proof (julia);
}

static void
say_hello (FakeJulia *julia, const char *magic, guint16 major)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_raw (&writer, magic, MALT_WIRE_MAGIC_BYTES);
  malt_wire_writer_put_u16 (&writer, major);
  malt_wire_writer_put_u16 (&writer, MALT_WIRE_MINOR);
  malt_wire_writer_put_u32 (&writer, (guint32) GetCurrentProcessId ());
  malt_wire_writer_put_text (&writer, VERSION_TEXT, -1);
  fake_julia_send (julia, &writer, MALT_FRAME_RUNTIME_HELLO, 0);
}

/* Distributed waits for a line like that of its workers. */
static void
be_ready (FakeJulia *julia)
{
  static const char line[] = "julia_worker:9009#127.0.0.1\n";

  if (julia->sends_output)
    fake_julia_print_raw (MALT_STREAM_STDOUT, line, strlen (line));
}

static void
start_well (FakeJulia *julia, u_short port)
{
  prove (julia, port);
  be_ready (julia);
  say_hello (julia, MALT_WIRE_MAGIC, MALT_WIRE_MAJOR);
}

/* Says what went wrong where a user can read it. */
static void
exit_at_once (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED u_short port)
{
  static const char words[] = "no start today\n";

  fake_julia_print_raw (MALT_STREAM_STDERR, words, strlen (words));
  _exit (EXIT_ABSENT);
}

static void
crash_at_once (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED u_short port)
{
  RaiseException ((DWORD) STATUS_ACCESS_VIOLATION, 0, 0, NULL);
}

static void
stay_away (G_GNUC_UNUSED FakeJulia *julia, G_GNUC_UNUSED u_short port)
{
  Sleep (INFINITE);
}

static void
stay_silent (FakeJulia *julia, u_short port)
{
  connect_back (julia, port);
  Sleep (INFINITE);
}

/* Says whether it is told the host's secret, or hung up on. */
static void
leave_as_stranger (FakeJulia *julia)
{
  char byte;
  const char *words =
      recv (julia->socket, &byte, 1, 0) > 0 ? "was answered\n" : "was hung up on\n";

  fake_julia_print_raw (MALT_STREAM_STDERR, words, strlen (words));
  _exit (FAKE_EXIT_STRANGER);
}

static void
send_wrong_secret (FakeJulia *julia, u_short port)
{
  connect_back (julia, port);
  julia->secrets[FAKE_SECRET_BYTES - 1] ^= 1;
  fake_julia_send_bytes (julia, julia->secrets, FAKE_SECRET_BYTES);
  leave_as_stranger (julia);
}

static void
send_host_secret (FakeJulia *julia, u_short port)
{
  connect_back (julia, port);
  fake_julia_send_bytes (julia, julia->secrets + FAKE_SECRET_BYTES, FAKE_SECRET_BYTES);
  leave_as_stranger (julia);
}

static void
send_half_secret (FakeJulia *julia, u_short port)
{
  connect_back (julia, port);
  fake_julia_send_bytes (julia, julia->secrets, FAKE_SECRET_BYTES / 2);
  shutdown (julia->socket, SD_SEND);
  leave_as_stranger (julia);
}

static void
send_secret_in_pieces (FakeJulia *julia, u_short port)
{
  BOOL on = TRUE;

  connect_back (julia, port);
  setsockopt (julia->socket, IPPROTO_TCP, TCP_NODELAY, (const char *) &on, sizeof on);
  for (int i = 0; i < FAKE_SECRET_BYTES; i++)
    fake_julia_send_bytes (julia, julia->secrets + i, 1);
  await_proof (julia);
  be_ready (julia);
  say_hello (julia, MALT_WIRE_MAGIC, MALT_WIRE_MAJOR);
}

/* Others come first and say nothing. */
static void
come_behind_a_crowd (FakeJulia *julia, u_short port)
{
  for (int i = 0; i < N_CROWD; i++)
    open_connection (port);
  start_well (julia, port);
}

/* Two at once, who know the secret both: one is let in, the other one is hung up on, and
 * then nobody listens. */
static void
come_twice (FakeJulia *julia, u_short port)
{
  SOCKET other = open_connection (port);
  SOCKET third;
  char byte;
  gboolean is_dropped;

  start_well (julia, port);
  send (other, (const char *) julia->secrets, FAKE_SECRET_BYTES, 0);
  is_dropped = recv (other, &byte, 1, 0) <= 0;
  third = open_connection (port);
  julia->second_connection = !is_dropped               ? "answered"
                             : third != INVALID_SOCKET ? "heard"
                                                       : "refused";
}

static void
say_other_version (FakeJulia *julia, u_short port)
{
  prove (julia, port);
  say_hello (julia, MALT_WIRE_MAGIC, MALT_WIRE_MAJOR + 1);
}

static void
say_other_magic (FakeJulia *julia, u_short port)
{
  prove (julia, port);
  say_hello (julia, "WALT\r\n\x1a", MALT_WIRE_MAJOR);
}

static void
say_nonsense (FakeJulia *julia, u_short port)
{
  prove (julia, port);
  fake_julia_send_bytes (julia, "HTTP/1.1 200 OK\r\n\r\n", 19);
}

static void
answer_first (FakeJulia *julia, u_short port)
{
  prove (julia, port);
  fake_julia_answer (julia, 1, malt_value_new_nothing ());
}

/* The header of HELLO, and no more. */
static void
say_half_hello (FakeJulia *julia, u_short port)
{
  const MaltFrameHeader header = { .n_body_bytes = 30, .kind = MALT_FRAME_RUNTIME_HELLO };
  guint8 bytes[MALT_FRAME_HEADER_BYTES];

  prove (julia, port);
  malt_frame_header_write (&header, bytes);
  fake_julia_send_bytes (julia, bytes, sizeof bytes);
  _exit (EXIT_CUT);
}

static const struct
{
  const char *name;
  void (*start) (FakeJulia *julia, u_short port);
} ways[] = {
  { "exit", exit_at_once },
  { "crash", crash_at_once },
  { "absent", stay_away },
  { "silent", stay_silent },
  { "wrong-secret", send_wrong_secret },
  { "host-secret", send_host_secret },
  { "half-secret", send_half_secret },
  { "pieces", send_secret_in_pieces },
  { "crowd", come_behind_a_crowd },
  { "twice", come_twice },
  { "version", say_other_version },
  { "magic", say_other_magic },
  { "nonsense", say_nonsense },
  { "answer", answer_first },
  { "half-hello", say_half_hello },
};

void
fake_start (FakeJulia *julia, u_short port)
{
  const char *name = g_getenv ("FAKE_START");
  WSADATA data;

  read_secrets (julia->secrets);
  WSAStartup (MAKEWORD (2, 2), &data);
  for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (ways); i++)
    if (strcmp (ways[i].name, name) == 0)
      {
        ways[i].start (julia, port);
        return;
      }
  start_well (julia, port);
}
