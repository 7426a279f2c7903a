/* SPDX-License-Identifier: MIT */
/* Where output goes that somebody brings: forwarded with a prefix, emitted, discarded;
 * and what is kept of it. */
#include "link-peer.h"

#include "process/malt-output.h"

#include <string.h>

static void
bring (MaltOutput *output, MaltStream stream, const char *text)
{
  malt_output_handle (output, stream, 7, text, strlen (text));
}

static void
each_forwarded_line_has_the_prefix_once (void)
{
  static const char expected[] = "[12] one\n[12] two\n[12] three\n";
  g_autoptr (LinkPeer) peer = link_peer_new ();
  g_autoptr (MaltOutput) output = malt_output_new (peer->worker);
  g_autofree char *seen = NULL;
  ProcessTestCapture *capture = process_test_capture ();

  CHECK (capture != NULL);
  malt_output_set_pid (output, 12);
  bring (output, MALT_STREAM_STDOUT, "one\ntw");
  bring (output, MALT_STREAM_STDOUT, "o\nthree");
  malt_output_end (output);
  malt_output_end (output);
  seen = process_test_release (capture, strlen (expected));
  CU_ASSERT_STRING_EQUAL (seen, expected);
}

typedef struct
{
  GString *text; /* (owned) */
  guint call_id;
} Heard;

static void
on_output (G_GNUC_UNUSED MaltWorker *worker, MaltStream stream, guint call_id,
           GBytes *bytes, gpointer data)
{
  Heard *heard = data;

  g_string_append (heard->text, stream == MALT_STREAM_STDERR ? "err:" : "out:");
  g_string_append_len (heard->text, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
  heard->call_id = call_id;
}

static gboolean
has_heard_two (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return strstr (((Heard *) data)->text->str, "two") != NULL;
}

static void
signal_says_stream_and_call (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("output", "signal");
  g_autoptr (MaltOutput) output = malt_output_new (peer->worker);
  g_autoptr (GString) text = g_string_new (NULL);
  Heard heard = { .text = text };

  g_signal_connect (peer->worker, "output", G_CALLBACK (on_output), &heard);
  bring (output, MALT_STREAM_STDOUT, "one ");
  bring (output, MALT_STREAM_STDERR, "two");
  CHECK (process_test_wait (has_heard_two, &heard, 5000));
  CU_ASSERT_STRING_EQUAL (text->str, "out:one err:two");
  CU_ASSERT_EQUAL (heard.call_id, 7);
}

static void
tail_is_of_stderr_and_what_is_added (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("output", "discard");
  g_autoptr (MaltOutput) output = malt_output_new (peer->worker);
  g_autofree char *tail = malt_output_dup_tail (output);
  const char *report = "signal (11): Segmentation fault\n";

  CHECK (tail == NULL);
  bring (output, MALT_STREAM_STDOUT, "not kept\n");
  bring (output, MALT_STREAM_STDERR, "kept\n");
  malt_output_add_to_tail (output, report, strlen (report));
  tail = malt_output_dup_tail (output);
  CU_ASSERT_STRING_EQUAL (tail, "kept\nsignal (11): Segmentation fault");
}

static void
tail_is_the_last_lines (void)
{
  g_autoptr (LinkPeer) peer = link_peer_new_with ("output", "discard");
  g_autoptr (MaltOutput) output = malt_output_new (peer->worker);
  g_autofree char *tail = NULL;

  for (int i = 0; i < 5000; i++)
    bring (output, MALT_STREAM_STDERR, i == 4999 ? "last\n" : "line\n");
  tail = malt_output_dup_tail (output);
  CHECK (tail != NULL);
  CU_ASSERT_EQUAL (strlen (tail), 20 * strlen ("line\n") - 1);
  CU_ASSERT (g_str_has_suffix (tail, "\nlast"));
}

static const ProcessTest tests[] = {
  { "each_forwarded_line_has_the_prefix_once", each_forwarded_line_has_the_prefix_once },
  { "signal_says_stream_and_call", signal_says_stream_and_call },
  { "tail_is_of_stderr_and_what_is_added", tail_is_of_stderr_and_what_is_added },
  { "tail_is_the_last_lines", tail_is_the_last_lines },
  { NULL, NULL },
};

int
main (int argc, char **argv)
{
  return process_test_main (argc, argv, "output", tests);
}
