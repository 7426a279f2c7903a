/* SPDX-License-Identifier: MIT */
/*
 * Sequences of frames, right and wrong, against a host that does all it can (sequence.h).
 *
 *   fuzz-sequence [--seed N] [--seconds S] [--sessions N] [--patience MS] [--trace] [--break NAME]
 *
 * The numbers of the sessions begin with the seed: one that went wrong is repeated by
 * --seed NUMBER --sessions 1. Memory is for the sanitizers to judge, leaks at the end,
 * which is why this is built with them (CMakeLists.txt). The last line is a JSON object
 * with what was done.
 */
#include "sequence.h"

#include "fuzz-mutate.h"
#include "malt-vectors.h"
#include "platform/malt-io-thread.h"
#include "platform/malt-socket.h"

#include <stdarg.h>
#include <stdlib.h>

enum
{
  MAX_STEPS = 150,
  WARM_SESSIONS = 20, /* after these nothing is made that stays */
};

static gint patience_ms = 60000;
static gboolean is_traced;

static struct
{
  guint n_sessions;
  guint n_calm;
  guint n_ended; /* by an error of protocol */
  guint64 n_steps;
} counts;

void
sequence_find (Sequence *sequence, const char *format, ...)
{
  va_list arguments;

  if (sequence->finding != NULL)
    return;
  va_start (arguments, format);
  sequence->finding = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

void
sequence_trace (Sequence *sequence, const char *way, const MaltFrameHeader *header)
{
  if (is_traced)
    g_printerr ("%" G_GINT64_FORMAT " %s %s %s id %u flags %u bytes %" G_GUINT64_FORMAT
                "\n",
                g_get_monotonic_time (), sequence->is_calm ? "calm" : "wild", way,
                malt_frame_kind_to_string ((guint8) header->kind), header->id,
                header->flags, header->n_body_bytes);
}

guint
sequence_pick (Sequence *sequence, guint n)
{
  return n == 0 ? 0 : (guint) g_rand_int (sequence->random) % n;
}

gint64
sequence_deadline (void)
{
  return g_get_monotonic_time () + (gint64) patience_ms * 1000;
}

void
sequence_iterate (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    {
    }
}

typedef struct
{
  GMutex lock;
  GCond is_met;
  gboolean is_there;
} Meeting;

static gboolean
meet (gpointer data)
{
  Meeting *meeting = data;

  g_mutex_lock (&meeting->lock);
  meeting->is_there = TRUE;
  g_cond_signal (&meeting->is_met);
  g_mutex_unlock (&meeting->lock);
  return G_SOURCE_REMOVE;
}

/* Of a lower priority than all that the library attaches. */
void
sequence_settle (void)
{
  Meeting meeting = { 0 };
  g_autoptr (GSource) source = g_idle_source_new ();

  g_mutex_init (&meeting.lock);
  g_cond_init (&meeting.is_met);
  g_source_set_priority (source, G_PRIORITY_LOW);
  g_source_set_callback (source, meet, &meeting, NULL);
  g_source_attach (source, malt_io_thread_get_context ());
  g_mutex_lock (&meeting.lock);
  while (!meeting.is_there)
    g_cond_wait (&meeting.is_met, &meeting.lock);
  g_mutex_unlock (&meeting.lock);
  g_mutex_clear (&meeting.lock);
  g_cond_clear (&meeting.is_met);
}

/* A session */

static void
ask_free (gpointer data)
{
  SequenceAsk *ask = data;

  g_object_unref (ask->future);
  g_free (ask);
}

static void
sink_free (gpointer data)
{
  SequenceSink *sink = data;

  g_object_unref (sink->channel);
  g_free (sink);
}

static LinkPeer *
peer_new (Sequence *sequence)
{
  static const char *const signals[] = { "sent", "on-its-way", "impossible", "none" };

  if (sequence->is_memory)
    return link_peer_new_silent ("way", "memory");
  return link_peer_new_silent ("signal", signals[sequence_pick (sequence, 4)]);
}

static Sequence *
sequence_new (guint64 number, GPtrArray *bodies)
{
  Sequence *sequence = g_new0 (Sequence, 1);

  sequence->number = number;
  sequence->random = g_rand_new_with_seed_array (
      (const guint32[]){ (guint32) number, (guint32) (number >> 32) }, 2);
  sequence->bodies = bodies;
  sequence->is_calm = sequence_pick (sequence, 3) == 0;
  sequence->is_stepped = sequence_pick (sequence, 2) == 0;
  sequence->is_memory = sequence_pick (sequence, 4) == 0;
  sequence->peer = peer_new (sequence);
  sequence->incoming = g_byte_array_new ();
  sequence->calls = g_array_new (FALSE, FALSE, sizeof (SequenceCall));
  sequence->interrupts = g_array_new (FALSE, FALSE, sizeof (guint32));
  sequence->sources = g_array_new (FALSE, FALSE, sizeof (SequenceSource));
  sequence->answered = g_hash_table_new (NULL, NULL);
  sequence->hit = g_hash_table_new (NULL, NULL);
  sequence->host_calls = g_hash_table_new (NULL, NULL);
  sequence->handles = g_hash_table_new (NULL, NULL);
  sequence->past = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  sequence->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  sequence->asks = g_ptr_array_new_with_free_func (ask_free);
  sequence->sinks = g_ptr_array_new_with_free_func (sink_free);
  sequence->values = g_ptr_array_new_with_free_func ((GDestroyNotify) malt_value_unref);
  sequence->threads = g_ptr_array_new ();
  sequence->cancellable = g_cancellable_new ();
  return sequence;
}

static void
sequence_free (Sequence *sequence)
{
  g_rand_free (sequence->random);
  g_clear_pointer (&sequence->peer, link_peer_free);
  g_byte_array_unref (sequence->incoming);
  g_array_unref (sequence->calls);
  g_array_unref (sequence->interrupts);
  g_array_unref (sequence->sources);
  g_hash_table_unref (sequence->answered);
  g_hash_table_unref (sequence->hit);
  g_hash_table_unref (sequence->host_calls);
  g_hash_table_unref (sequence->handles);
  g_ptr_array_unref (sequence->past);
  g_ptr_array_unref (sequence->kept);
  g_ptr_array_unref (sequence->asks);
  g_ptr_array_unref (sequence->sinks);
  g_ptr_array_unref (sequence->values);
  g_ptr_array_unref (sequence->threads);
  g_object_unref (sequence->cancellable);
  g_free (sequence->finding);
  g_free (sequence);
}

/* Sometimes it says something before, or nothing at all. */
static void
introduce (Sequence *sequence)
{
  if (!sequence->is_calm && sequence_pick (sequence, 8) == 0)
    sequence_worker_step (sequence);
  if (sequence->is_calm || sequence_pick (sequence, 30) > 0)
    sequence_introduce (sequence);
}

static void
run_steps (Sequence *sequence)
{
  guint n_steps = 1 + sequence_pick (sequence, MAX_STEPS);

  for (guint i = 0; i < n_steps && sequence->finding == NULL; i++)
    {
      if (sequence_pick (sequence, 9) < 5)
        sequence_host_step (sequence);
      else
        sequence_worker_step (sequence);
      if (sequence->is_stepped)
        sequence_settle ();
      sequence_iterate ();
      sequence_host_check (sequence);
      if (sequence_pick (sequence, 100) == 0)
        g_cancellable_cancel (sequence->cancellable);
      counts.n_steps++;
    }
}

static gboolean
is_served (Sequence *sequence)
{
  return !sequence_worker_serve (sequence) && sequence->asks->len == 0;
}

/* What still has a handle: a call, or an interrupt of one. */
static gboolean
is_released (Sequence *sequence)
{
  g_ptr_array_set_size (sequence->values, 0);
  sequence_worker_serve (sequence);
  return g_hash_table_size (sequence->handles) == 0;
}

/* FALSE: it does not come. Calls that the host has held back come now: a signal that is on
 * its way does that. */
static gboolean
serve_until (Sequence *sequence, gboolean (*condition) (Sequence *sequence))
{
  gint64 deadline_us = sequence_deadline ();

  while (sequence->finding == NULL && !condition (sequence))
    {
      malt_link_signal_sent (sequence->peer->link, TRUE);
      sequence_settle ();
      sequence_iterate ();
      sequence_host_check (sequence);
      if (g_get_monotonic_time () > deadline_us)
        return FALSE;
    }
  return TRUE;
}

/* Nothing is left open, and every handle that the host has had is given back. */
static void
finish_calmly (Sequence *sequence)
{
  g_autofree char *end = NULL;

  if (!serve_until (sequence, is_served))
    sequence_find (sequence, "%u calls are not done, %u host calls have no result",
                   sequence->asks->len, g_hash_table_size (sequence->host_calls));
  if (sequence->is_stepped && !serve_until (sequence, is_released))
    sequence_find (sequence, "%u handles were not released",
                   g_hash_table_size (sequence->handles));
  end = link_peer_dup_end (sequence->peer);
  if (end != NULL)
    sequence_find (sequence, "the connection has ended: %s", end);
}

/* By the worker, by the host, or because nobody refers to it any more. */
static void
end (Sequence *sequence)
{
  g_autofree char *text = link_peer_dup_end (sequence->peer);

  if (text != NULL && *text != '\0')
    counts.n_ended++;
  switch (sequence_pick (sequence, 3))
    {
    case 0:
      sequence_hang_up (sequence);
      sequence_settle ();
      break;
    case 1:
      g_ptr_array_set_size (sequence->values, 0);
      break;
    default:
      malt_link_shutdown (sequence->peer->link);
      break;
    }
  malt_worker_kill (sequence->peer->worker, 9, NULL);
  malt_link_close (sequence->peer->link);
  sequence_host_end (sequence);
}

static guint n_base_descriptors;

/* The library may still be about to let go of a link. */
static guint
count_descriptors (void)
{
  gint64 deadline_us = sequence_deadline ();
  guint n;

  do
    {
      sequence_settle ();
      n = process_test_count_descriptors ();
    }
  while (counts.n_sessions >= WARM_SESSIONS && n > n_base_descriptors &&
         g_get_monotonic_time () < deadline_us);
  return n;
}

static void
check_remains (Sequence *sequence)
{
  guint n = count_descriptors ();

  if (counts.n_sessions < WARM_SESSIONS)
    n_base_descriptors = MAX (n, n_base_descriptors);
  else if (n > n_base_descriptors)
    sequence_find (sequence, "%u descriptors are left", n - n_base_descriptors);
  if (link_peer_count_borrowed () > 0)
    sequence_find (sequence, "%u loans were not given back", link_peer_count_borrowed ());
}

/* What is left is left after the session is gone. */
static gboolean
run_session (guint64 number, GPtrArray *bodies)
{
  Sequence *sequence = sequence_new (number, bodies);
  Sequence *after;
  gboolean is_right;

  introduce (sequence);
  run_steps (sequence);
  if (sequence->is_calm)
    finish_calmly (sequence);
  end (sequence);
  counts.n_calm += sequence->is_calm ? 1 : 0;
  after = g_new0 (Sequence, 1);
  after->finding = g_steal_pointer (&sequence->finding);
  if (after->finding == NULL)
    {
      sequence_free (sequence);
      check_remains (after);
    }
  is_right = after->finding == NULL;
  if (!is_right)
    g_printerr ("session %" G_GUINT64_FORMAT ": %s\n", number, after->finding);
  g_free (after->finding);
  g_free (after);
  counts.n_sessions++;
  return is_right;
}

static gboolean
has_handle (MaltValue *value)
{
  gsize n = malt_value_get_n_children (value);

  if (malt_value_get_kind (value) == MALT_VALUE_HANDLE)
    return TRUE;
  for (gsize i = 0; i < MIN (n, 100); i++)
    {
      g_autoptr (MaltValue) child = malt_value_dup_child (value, i);

      if (child != NULL && has_handle (child))
        return TRUE;
    }
  return FALSE;
}

/* Handles have numbers that the worker gives out. */
static GPtrArray *
load_bodies (void)
{
  GPtrArray *bodies = fuzz_load_bodies ();

  for (guint i = 0; i < bodies->len; i++)
    {
      g_autoptr (MaltValue) value =
          malt_vectors_decode (g_ptr_array_index (bodies, i), NULL);

      if (value == NULL || has_handle (value))
        g_ptr_array_remove_index_fast (bodies, i--);
    }
  return bodies;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) bodies = load_bodies ();
  gint64 seed = 1;
  gint seconds = 0;
  gint n_sessions = 0;
  g_autofree char *name = NULL;
  const GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "number of the first session", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "how long", "S" },
    { "sessions", 0, 0, G_OPTION_ARG_INT, &n_sessions, "how many", "N" },
    { "trace", 0, 0, G_OPTION_ARG_NONE, &is_traced, "print frames", NULL },
    { "patience", 0, 0, G_OPTION_ARG_INT, &patience_ms, "for what must come", "MS" },
    { "break", 0, 0, G_OPTION_ARG_STRING, &name, "plant a fault", "NAME" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  gint64 deadline_us;
  gboolean is_right = TRUE;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) ||
      (name != NULL && !sequence_break (name)))
    {
      g_printerr ("fuzz-sequence: %s\n",
                  error != NULL ? error->message : "no such fault");
      return 2;
    }
  deadline_us = g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;
  while (is_right && (counts.n_sessions < (guint) n_sessions ||
                      g_get_monotonic_time () < deadline_us))
    is_right = run_session ((guint64) seed + counts.n_sessions, bodies);
  g_print (
      "{\"seed\": %" G_GINT64_FORMAT
      ", \"sessions\": %u, \"calm\": %u, \"ended\": %u, \"steps\": %" G_GUINT64_FORMAT
      ", \"finding\": %s}\n",
      seed, counts.n_sessions, counts.n_calm, counts.n_ended, counts.n_steps,
      is_right ? "false" : "true");
  return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
