/* SPDX-License-Identifier: MIT */
/* Each kind of frame, as the other end of a link sees it: on a socket, and in memory. */
#include "link-peer.h"

#include "link-peer-socket.h"
#include "link/malt-julia-source.h"
#include "malt-vectors.h"
#include "platform/malt-socket.h"
#include "wire/malt-wire-reader.h"

#include <string.h>

/* Calls */

static void
modes_of_results_are_flags (void)
{
  static const struct
  {
    MaltResultMode mode;
    guint8 flags;
  } modes[] = {
    { MALT_RESULT_VALUE, MALT_FRAME_MODE_VALUE },
    { MALT_RESULT_DISCARD, MALT_FRAME_MODE_NOTHING },
    { MALT_RESULT_DISPLAY, MALT_FRAME_MODE_DISPLAY },
    { MALT_RESULT_HANDLE, MALT_FRAME_MODE_HANDLE },
  };
  g_autoptr (LinkPeer) peer = link_peer_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (MaltCall) call = malt_call_new_eval ("Base", "1");
      G_GNUC_UNUSED g_autoptr (MaltFuture) future = NULL;
      g_autoptr (GBytes) body = NULL;
      MaltFrameHeader header;

      malt_call_set_result_mode (call, modes[i].mode);
      future = malt_worker_remote_call (peer->worker, call);
      body = link_peer_expect_body (peer, MALT_FRAME_EVAL, &header);
      CHECK (body != NULL);
      CU_ASSERT_EQUAL (header.flags, modes[i].flags);
    }
}

/* Takes a body apart; the texts of its values. */
static char *
describe (GBytes *body)
{
  g_auto (MaltWireReader) reader;
  g_autoptr (GString) text = g_string_new (NULL);
  MaltValue *value;

  malt_wire_reader_init (&reader, body, NULL);
  while ((value = malt_wire_reader_take_value (&reader, NULL)) != NULL)
    {
      g_autofree char *printed = malt_value_to_string (value);

      g_string_append_printf (text, "%s; ", printed);
      malt_value_unref (value);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
calls_carry_function_arguments_and_options (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltValue) flag = malt_value_new_bool (TRUE);
  G_GNUC_UNUSED g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autofree char *text = NULL;
  MaltFrameHeader header;

  malt_call_take_argument (call, malt_value_new_int64 (6));
  malt_call_take_argument (call, malt_value_new_string ("x"));
  malt_call_add_keyword (call, "by", flag);
  malt_call_set_module (call, "Base");
  malt_call_set_result_mode (call, MALT_RESULT_DISPLAY);
  malt_call_set_display_size (call, 10, 40);
  future = malt_worker_remote_call (peer->worker, call);
  body = link_peer_expect_body (peer, MALT_FRAME_CALL, &header);
  CHECK (body != NULL);
  text = describe (body);
  CU_ASSERT_STRING_EQUAL (text, "\"f\"; (6, \"x\"); (by = true,); \"Base\"; "
                                "(10, 40, false); ");
}

static void
what_cannot_be_encoded_is_not_sent (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltValue) value = malt_value_new_nothing ();
  g_autoptr (MaltCall) call = malt_call_new ("f");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (MaltValue) none = NULL;

  for (guint i = 0; i < 200; i++)
    {
      MaltValue *outer = malt_value_new_tuple (&value, 1);
      malt_value_unref (value);
      value = outer;
    }
  malt_call_add_argument (call, value);
  CHECK (!malt_worker_remote_do (peer->worker, call, &error));
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_ENCODE));
  g_clear_error (&error);
  future = malt_worker_remote_call (peer->worker, call);
  none = malt_future_fetch (future, NULL, &error);
  CHECK (none == NULL && g_error_matches (error, MALT_ERROR, MALT_ERROR_ENCODE));
  CHECK (link_peer_is_silent (peer, 0));
}

/* A handle comes, is called, and is given back. */
static void
handles_are_called_and_released (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (peer->worker, NULL, "f");
  g_autoptr (GBytes) handle = malt_vectors_unhex ("2f0500000000000000"
                                                  "000000000100"
                                                  "01000000000000005400000000"
                                                  "010000000000000000");
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GBytes) body = NULL;
  g_auto (MaltWireWriter) writer;
  MaltFrameHeader header;
  guint32 id;

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_bytes (&writer, handle);
  link_peer_write (peer, &writer, MALT_FRAME_OK, 0, id);
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL && malt_value_get_kind (value) == MALT_VALUE_HANDLE);
  {
    g_autoptr (MaltCall) call = malt_call_new_for_handle (value);
    g_autoptr (MaltFuture) called = malt_worker_remote_call (peer->worker, call);

    body = link_peer_expect_body (peer, MALT_FRAME_CALL, &header);
    CHECK (body != NULL);
    CHECK (memcmp (g_bytes_get_data (body, NULL), "\x2f\x05", 2) == 0);
    link_peer_answer_int (peer, header.id, 3);
    CHECK (malt_future_wait (called, PROCESS_TEST_PATIENCE_MS, NULL, NULL));
  }
  g_clear_object (&future);
  g_clear_pointer (&value, malt_value_unref);
  g_clear_pointer (&body, g_bytes_unref);
  body = link_peer_expect_body (peer, MALT_FRAME_RELEASE, &header);
  CHECK (body != NULL && g_bytes_get_size (body) == 8);
  CHECK (memcmp (g_bytes_get_data (body, NULL), "\x05\0\0\0\0\0\0\0", 8) == 0);
}

/* Host functions */

static MaltValue *
seven (G_GNUC_UNUSED MaltWorker *worker, MaltValue **arguments,
       G_GNUC_UNUSED gsize n_arguments, G_GNUC_UNUSED gpointer user_data,
       G_GNUC_UNUSED GError **error)
{
  return malt_value_new_int64 (malt_value_get_int64 (arguments[0]) * 7);
}

static gpointer
export_seven (gpointer worker)
{
  return GINT_TO_POINTER (malt_worker_export_func (worker, "seven", seven, NULL, NULL,
                                                   MALT_EXPORT_DEFAULT, NULL));
}

static void
call_host (LinkPeer *peer, const char *name, guint32 id)
{
  g_autoptr (MaltValue) number = malt_value_new_int64 (6);
  g_autoptr (MaltValue) arguments = malt_value_new_tuple (&number, 1);
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_string_value (&writer, name);
  malt_wire_writer_put_value (&writer, arguments, NULL);
  malt_wire_writer_put_nothing (&writer);
  link_peer_write (peer, &writer, MALT_FRAME_HOST_CALL, 0, id);
}

static void
host_functions_are_bound_called_and_taken_back (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltValue) nothing = malt_value_new_nothing ();
  GThread *thread = g_thread_new ("exporter", export_seven, peer->worker);
  MaltFrameHeader header;
  g_autoptr (GBytes) bound = link_peer_expect_body (peer, MALT_FRAME_EXPORT, &header);
  g_autofree char *name = describe (bound);
  g_autoptr (GBytes) result = NULL;
  g_autoptr (GBytes) refusal = NULL;
  g_autoptr (GBytes) over = NULL;
  g_autofree char *text = NULL;

  link_peer_write_value (peer, nothing, MALT_FRAME_OK, header.id);
  CHECK (GPOINTER_TO_INT (g_thread_join (thread)));
  CU_ASSERT_STRING_EQUAL (name, "\"seven\"; ");
  call_host (peer, "seven", 77);
  result = link_peer_expect_body (peer, MALT_FRAME_HOST_RESULT, &header);
  CHECK (result != NULL && header.id == 77 && header.flags == 0);
  text = describe (result);
  CU_ASSERT_STRING_EQUAL (text, "42; ");
  call_host (peer, "eight", 78);
  refusal = link_peer_expect_body (peer, MALT_FRAME_HOST_RESULT, &header);
  CHECK (refusal != NULL && header.id == 78);
  CU_ASSERT_EQUAL (header.flags, MALT_FRAME_HOST_RESULT_IS_ERROR);
  CHECK (malt_worker_unexport (peer->worker, "seven"));
  over = link_peer_expect_body (peer, MALT_FRAME_EXPORT, &header);
  CHECK (over != NULL);
  CU_ASSERT_EQUAL (header.flags, MALT_FRAME_EXPORT_IS_OVER);
}

/* Output, errors */

static gboolean
has_output (gpointer peer)
{
  g_autofree char *output = link_peer_dup_output (peer);

  return *output != '\0';
}

static void
output_goes_to_the_owner (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_auto (MaltWireWriter) writer;
  g_autofree char *output = NULL;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, MALT_FRAME_STREAM_STDOUT);
  malt_wire_writer_put_raw (&writer, "hello", 5);
  link_peer_write (peer, &writer, MALT_FRAME_OUTPUT, 0, 1);
  CHECK (process_test_wait (has_output, peer, PROCESS_TEST_PATIENCE_MS));
  output = link_peer_dup_output (peer);
  CU_ASSERT_STRING_EQUAL (output, "hello");
}

static void
send_error (LinkPeer *peer, guint8 class, guint32 id)
{
  g_auto (MaltWireWriter) writer;

  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_put_u8 (&writer, class);
  malt_wire_writer_put_string_value (&writer, "ErrorException");
  malt_wire_writer_put_string_value (&writer, "message");
  malt_wire_writer_put_string_value (&writer, "");
  malt_wire_writer_put_u32 (&writer, 7);
  link_peer_write (peer, &writer, MALT_FRAME_ERROR, 0, id);
}

static void
classes_of_errors_are_codes (void)
{
  static const struct
  {
    guint8 class;
    MaltError code;
  } classes[] = {
    { MALT_FRAME_ERROR_REMOTE_EXCEPTION, MALT_ERROR_REMOTE_EXCEPTION },
    { MALT_FRAME_ERROR_ENCODE, MALT_ERROR_ENCODE },
    { MALT_FRAME_ERROR_DECODE, MALT_ERROR_DECODE },
  };
  g_autoptr (LinkPeer) peer = link_peer_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (peer->worker, NULL, "1");
      g_autoptr (GError) error = NULL;
      G_GNUC_UNUSED g_autoptr (MaltValue) value = NULL;
      guint32 id;

      CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
      send_error (peer, classes[i].class, id);
      value = malt_future_fetch (future, NULL, &error);
      CHECK (g_error_matches (error, MALT_ERROR, (gint) classes[i].code));
      CHECK (strstr (error->message, "message") != NULL);
    }
}

/* A body that breaks the protocol, behind one of HELLO or in its place. */
static void
wrong_bodies_end_the_connection (void)
{
  static const struct
  {
    MaltFrameKind kind;
    gboolean is_first;
    const char *body;
    const char *text;
  } cases[] = {
    { MALT_FRAME_RUNTIME_HELLO, FALSE, "", "twice" },
    { MALT_FRAME_RUNTIME_HELLO, TRUE, "0011223344556677", "not a runtime" },
    { MALT_FRAME_RUNTIME_HELLO, TRUE,
      "4d414c540d0a1a00"
      "0900"
      "0000",
      "expected version" },
    { MALT_FRAME_RUNTIME_HELLO, TRUE,
      "4d414c540d0a1a00"
      "0100",
      "2 bytes" },
    { MALT_FRAME_OK, TRUE, "01", "not HELLO" },
    { MALT_FRAME_CHANNEL_CLOSED, FALSE, "04", "reason of a closed channel" },
    { MALT_FRAME_HOST_CALL, FALSE,
      "20010000000000000061"
      "04"
      "01",
      "arguments of a host call" },
    { MALT_FRAME_HOST_CALL, FALSE, "01", "expected a String" },
    { MALT_FRAME_OUTPUT, FALSE, "0361", "unknown stream" },
    { MALT_FRAME_OUTPUT, FALSE, "", "1 bytes" },
    { MALT_FRAME_ERROR, FALSE, "09", "unknown class" },
    { MALT_FRAME_PONG, FALSE, "00", "end of the body" },
    { MALT_FRAME_CHANNEL_ITEM, FALSE, "", "1 bytes" },
    { MALT_FRAME_ACK, FALSE, "", "1 bytes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LinkPeer) peer =
          cases[i].is_first ? link_peer_new_silent ("signal", "none") : link_peer_new ();
      g_autoptr (GBytes) body = malt_vectors_unhex (cases[i].body);
      g_auto (MaltWireWriter) writer;
      g_autofree char *end = NULL;

      malt_wire_writer_init (&writer, NULL);
      malt_wire_writer_put_bytes (&writer, body);
      link_peer_write (peer, &writer, cases[i].kind, 0, 0);
      CHECK (process_test_wait (link_peer_has_end, peer, PROCESS_TEST_PATIENCE_MS));
      end = link_peer_dup_end (peer);
      if (strstr (end, cases[i].text) == NULL)
        g_printerr ("\ncase %zu: '%s'\n", i, end);
      CU_ASSERT (strstr (end, cases[i].text) != NULL);
    }
}

/* The end */

static void
answers_that_are_still_in_the_socket_are_given (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (peer->worker, NULL, "1");
  g_autoptr (MaltValue) value = NULL;
  guint32 id;

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
  CU_ASSERT_EQUAL (malt_link_get_sole_call (peer->link), id);
  link_peer_answer_int (peer, id, 9);
  malt_socket_end (peer->fd);
  malt_link_drain (peer->link);
  CHECK (malt_future_is_done (future));
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL && malt_value_get_int64 (value) == 9);
  CHECK (link_peer_has_end (peer));
  CU_ASSERT_EQUAL (malt_link_get_sole_call (peer->link), 0);
}

static void
shutdown_is_a_frame_and_after_the_end_nothing_is (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (GError) error = NULL;
  MaltFrameHeader header;
  g_autoptr (GBytes) body = NULL;
  int fds[2];

  malt_link_shutdown (peer->link);
  body = link_peer_expect_body (peer, MALT_FRAME_SHUTDOWN, &header);
  CHECK (body != NULL && g_bytes_get_size (body) == 0);
  malt_link_close (peer->link);
  malt_link_close (peer->link);
  malt_link_shutdown (peer->link);
  CHECK (link_peer_socket_pair (fds));
  CHECK (!malt_link_attach (peer->link, fds[0], &error));
  CHECK (g_error_matches (error, MALT_ERROR, MALT_ERROR_FAILED));
  malt_socket_close (fds[1]);
}

/* Memory of large answers is used again. */
static void
large_answers_come_one_after_the_other (void)
{
  const gsize n = (gsize) 3 << 20;
  g_autoptr (LinkPeer) peer = link_peer_new_with ("way", "stream");
  g_autofree guint8 *bytes = g_malloc0 (n);

  for (guint8 i = 1; i < 4; i++)
    {
      g_autoptr (MaltFuture) future = malt_worker_remote_eval (peer->worker, NULL, "1");
      g_autoptr (MaltValue) array = NULL;
      g_autoptr (MaltValue) value = NULL;
      guint32 id;

      memset (bytes, i, n);
      array = malt_value_new_array (MALT_VALUE_UINT8, &n, 1, bytes, n);
      CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
      link_peer_write_value (peer, array, MALT_FRAME_OK, id);
      value = malt_future_fetch (future, NULL, NULL);
      CHECK (value != NULL && malt_value_equal (value, array));
    }
}

/* In memory */

static MaltValue *
array_new (void)
{
  static const guint8 bytes[5000] = { 1, 2, 3 };
  const gsize n = sizeof bytes;

  return malt_value_new_array (MALT_VALUE_UINT8, &n, 1, bytes, n);
}

static void
arrays_are_lent_and_given_back (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("way", "memory");
  g_autoptr (MaltCall) call = malt_call_new ("identity");
  g_autoptr (MaltFuture) future = NULL;
  g_autoptr (MaltValue) array = array_new ();
  g_autoptr (MaltValue) value = NULL;
  g_autoptr (GBytes) body = NULL;
  g_auto (MaltWireWriter) writer;
  MaltFrameHeader header;

  malt_call_add_argument (call, array);
  future = malt_worker_remote_call (peer->worker, call);
  body = link_peer_expect_body (peer, MALT_FRAME_CALL, &header);
  /* Its address, and not its bytes. */
  CHECK (body != NULL && g_bytes_get_size (body) < 200);
  malt_wire_writer_init (&writer, NULL);
  malt_wire_writer_set_lends (&writer, TRUE);
  malt_wire_writer_put_value (&writer, array, NULL);
  link_peer_write (peer, &writer, MALT_FRAME_OK, 0, header.id);
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL && malt_value_equal (value, array));
  CU_ASSERT_EQUAL (link_peer_count_borrowed (), 1);
  g_clear_object (&future);
  g_clear_pointer (&value, malt_value_unref);
  CU_ASSERT_EQUAL (link_peer_count_borrowed (), 0);
}

static void
an_interrupt_that_nobody_reads_is_taken_back (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("way", "memory");
  g_autoptr (MaltFuture) future = malt_worker_remote_eval (peer->worker, NULL, "1");
  g_autoptr (MaltValue) value = NULL;
  guint32 id;

  CHECK (link_peer_expect (peer, MALT_FRAME_EVAL, &id));
  CU_ASSERT_EQUAL (malt_future_interrupt (future, MALT_INTERRUPT_DEFAULT, NULL, NULL),
                   MALT_INTERRUPT_UNDELIVERABLE);
  CHECK (link_peer_is_silent (peer, 0));
  link_peer_answer_int (peer, id, 4);
  value = malt_future_fetch (future, NULL, NULL);
  CHECK (value != NULL && malt_value_get_int64 (value) == 4);
}

static void
a_runtime_may_refuse_its_host (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_silent ("way", "memory");
  g_autofree char *refusal = NULL;

  send_error (peer, MALT_FRAME_ERROR_REMOTE_EXCEPTION, 0);
  refusal = link_peer_dup_refusal (peer);
  CU_ASSERT_STRING_EQUAL (refusal, "message");
  CHECK (!link_peer_has_end (peer));
}

static void
a_wrong_frame_in_memory_ends_the_connection (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("way", "memory");
  g_autofree char *end = NULL;

  link_peer_answer_int (peer, 99, 1);
  end = link_peer_dup_end (peer);
  CHECK (end != NULL && strstr (end, "not outstanding") != NULL);
  /* It is not read any longer. */
  link_peer_answer_int (peer, 99, 1);
}

static void
functions_at_addresses_are_asked_for_and_given (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("way", "memory");
  g_autoptr (GBytes) owner = g_bytes_new_static ("code", 4);
  const MaltDirectFunction function = { .code = owner,
                                        .signature = "i64(i64)",
                                        .owner = owner };
  MaltFrameHeader header;
  g_autoptr (GBytes) asked = NULL;
  g_autoptr (GBytes) given = NULL;
  guint64 address;

  malt_link_native (peer->link, NULL, "sin", "f64(f64)", 5);
  asked = link_peer_expect_body (peer, MALT_FRAME_NATIVE, &header);
  CHECK (asked != NULL && header.id == 5);
  /* A cell, and two texts. */
  CU_ASSERT_EQUAL (g_bytes_get_size (asked), 8 + 9 + 3 + 9 + 8);
  malt_link_export_direct (peer->link, "f", &function, 6);
  given = link_peer_expect_body (peer, MALT_FRAME_EXPORT, &header);
  CHECK (given != NULL && header.id == 6);
  CU_ASSERT_EQUAL (header.flags, MALT_FRAME_EXPORT_DIRECT);
  memcpy (&address, (const guint8 *) g_bytes_get_data (given, NULL) + 10, 8);
  CU_ASSERT_EQUAL (address, (guintptr) owner);
}

/* Sources */

static void
sources_are_joined_in_order (void)
{
  static const char *const files[] = { "julia/frames.jl", "julia/stream.jl", NULL };
  g_autoptr (GBytes) first = malt_julia_dup_source ("julia/frames.jl");
  g_autoptr (GBytes) second = malt_julia_dup_source ("julia/stream.jl");
  g_autoptr (GBytes) joined = malt_julia_dup_joined (files);
  g_autoptr (GBytes) runtime = malt_julia_dup_runtime (files);
  g_autofree char *boot = malt_julia_dup_boot ("const X = \"$x\\n\"\n", files);
  gsize n_first, n_joined, n_runtime;
  const char *text;

  CHECK (first != NULL && second != NULL);
  g_bytes_get_data (first, &n_first);
  text = g_bytes_get_data (joined, &n_joined);
  CU_ASSERT_EQUAL (n_joined, n_first + g_bytes_get_size (second));
  CHECK (memcmp (text + n_first, g_bytes_get_data (second, NULL),
                 g_bytes_get_size (second)) == 0);
  text = g_bytes_get_data (runtime, &n_runtime);
  CHECK (n_runtime > n_joined);
  CHECK (memcmp (text + n_runtime - n_joined, g_bytes_get_data (joined, NULL),
                 n_joined) == 0);
  CHECK (g_str_has_prefix (boot, "Core.eval("));
  CHECK (strstr (boot, "\"const X = \\\"\\$x\\\\n\\\"\n") != NULL);
  CHECK (strstr (boot, "\n#") == NULL && strstr (boot, "\n ") == NULL);
  CHECK (g_str_has_suffix (boot, "\n\"))\n"));
}

static const ProcessTest tests[] = {
  PROCESS_TEST (modes_of_results_are_flags),
  PROCESS_TEST (calls_carry_function_arguments_and_options),
  PROCESS_TEST (what_cannot_be_encoded_is_not_sent),
  PROCESS_TEST (handles_are_called_and_released),
  PROCESS_TEST (host_functions_are_bound_called_and_taken_back),
  PROCESS_TEST (output_goes_to_the_owner),
  PROCESS_TEST (classes_of_errors_are_codes),
  PROCESS_TEST (wrong_bodies_end_the_connection),
  PROCESS_TEST (answers_that_are_still_in_the_socket_are_given),
  PROCESS_TEST (shutdown_is_a_frame_and_after_the_end_nothing_is),
  PROCESS_TEST (large_answers_come_one_after_the_other),
  PROCESS_TEST (arrays_are_lent_and_given_back),
  PROCESS_TEST (an_interrupt_that_nobody_reads_is_taken_back),
  PROCESS_TEST (a_runtime_may_refuse_its_host),
  PROCESS_TEST (a_wrong_frame_in_memory_ends_the_connection),
  PROCESS_TEST (functions_at_addresses_are_asked_for_and_given),
  PROCESS_TEST (sources_are_joined_in_order),
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "link frames", tests);
}
