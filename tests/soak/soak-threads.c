/* SPDX-License-Identifier: MIT */
/* The threads that run operations.
 *
 * Each goes through decks of cards, one for each unit of an operation's weight, which
 * are shuffled each time: so all operations come about as often as their weights
 * say, in an order that nobody chose. The order of a deck follows from the seed, the
 * thread and the number of the deck; all that an operation draws from the seed, the
 * thread and the number of the operation. */
#include "soak.h"

#include <unistd.h>

enum
{
  DECK_DOMAIN = 1, /* so that decks and operations draw different numbers */
  OPERATION_DOMAIN = 2,
  MAX_CARDS = 256
};

typedef struct
{
  const SoakOperation *cards[MAX_CARDS];
  guint n_cards;
} Deck;

static const SoakOperation *const tables[] = { soak_plain, soak_interrupts, soak_ends,
                                               soak_host, soak_memory };

static GMutex lock; /* guards threads, and what they say of their operations */
static GPtrArray *threads; /* (owned) (nullable): of SoakThread */
static gint64 end_us; /* constant while there are threads, as is latest_us */
static gint64 latest_us; /* the end, where operations have not come often enough */

/* Operations */

static gboolean
is_wanted (const SoakOperation *operation)
{
  char **only = soak_get_options ()->only;
  char **without = soak_get_options ()->without;

  return (only == NULL ||
          g_strv_contains ((const char *const *) only, operation->name)) &&
         (without == NULL ||
          !g_strv_contains ((const char *const *) without, operation->name));
}

static gboolean
is_possible (const SoakOperation *operation)
{
  return soak_can (operation->needs);
}

static GPtrArray *
list_operations (gboolean are_possible)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const SoakOperation *operation = tables[i]; operation->name; operation++)
      if (is_wanted (operation) && is_possible (operation) == are_possible)
        g_ptr_array_add (names, (gpointer) operation->name);
  return names;
}

GPtrArray *
soak_operations_possible (void)
{
  return list_operations (TRUE);
}

GPtrArray *
soak_operations_impossible (void)
{
  return list_operations (FALSE);
}

gboolean
soak_operation_exists (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const SoakOperation *operation = tables[i]; operation->name; operation++)
      if (g_str_equal (operation->name, name))
        return TRUE;
  return FALSE;
}

/* What a thread draws */

static GRand *
draw_from (guint32 domain, guint thread, guint number)
{
  guint64 seed = (guint64) soak_get_options ()->seed;
  const guint32 words[] = { (guint32) seed, (guint32) (seed >> 32), domain, thread,
                            number };

  return g_rand_new_with_seed_array (words, G_N_ELEMENTS (words));
}

gint64
soak_random (SoakThread *self, gint64 begin, gint64 end)
{
  return g_rand_int_range (self->random, (gint32) begin, (gint32) end);
}

gboolean
soak_chance (SoakThread *self, int n_in_100)
{
  return soak_random (self, 0, 100) < n_in_100;
}

/* Short waits are as frequent as long ones, and none at all as well. */
void
soak_wait_us (SoakThread *self, gint64 most_us)
{
  gint64 most = soak_chance (self, 50) ? most_us : most_us / 20;

  if (soak_chance (self, 80))
    g_usleep ((gulong) soak_random (self, 0, most + 1));
}

static void
shuffle (Deck *deck, const SoakThread *thread, guint number)
{
  GRand *random = draw_from (DECK_DOMAIN, thread->index, number);

  deck->n_cards = 0;
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const SoakOperation *operation = tables[i]; operation->name; operation++)
      for (guint j = 0; j < operation->weight; j++)
        if (is_wanted (operation) && is_possible (operation))
          deck->cards[deck->n_cards++] = operation;
  for (guint i = deck->n_cards; i > 1; i--)
    {
      guint j = (guint) g_rand_int_range (random, 0, (gint32) i);
      const SoakOperation *card = deck->cards[j];

      deck->cards[j] = deck->cards[i - 1];
      deck->cards[i - 1] = card;
    }
  g_rand_free (random);
}

/* Operations of a thread */

static void
enter (SoakThread *self, const SoakOperation *operation)
{
  self->random = draw_from (OPERATION_DOMAIN, self->index, self->number);
  g_mutex_lock (&lock);
  self->operation = operation;
  self->since_us = g_get_monotonic_time ();
  g_mutex_unlock (&lock);
  if (soak_get_options ()->is_traced)
    soak_note ("thread %u operation %u: %s %08x", self->index, self->number,
               operation->name, g_rand_int (self->random));
}

static void
leave (SoakThread *self)
{
  soak_count_operation (self->operation->name);
  if (soak_break_is_due ("hang"))
    for (;;)
      pause ();
  g_mutex_lock (&lock);
  self->operation = NULL;
  self->number++;
  g_clear_object (&self->cancellable);
  g_mutex_unlock (&lock);
  g_clear_pointer (&self->random, g_rand_free);
}

static gboolean
is_over (void)
{
  gint64 now_us = g_get_monotonic_time ();

  return now_us >= latest_us ||
         (now_us >= end_us && soak_has_enough () && !soak_break_is_pending ());
}

/* One operation at least. */
static gpointer
run_operations (gpointer data)
{
  SoakThread *self = data;
  Deck deck = { .n_cards = 0 };

  g_main_context_push_thread_default (self->context);
  for (guint i = 0; i == 0 || !is_over (); i++)
    {
      shuffle (&deck, self, i);
      for (guint j = 0; j < deck.n_cards && (i + j == 0 || !is_over ()); j++)
        {
          enter (self, deck.cards[j]);
          deck.cards[j]->run (self);
          leave (self);
        }
    }
  soak_flights_end (self);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* The watch */

GCancellable *
soak_patience (SoakThread *self, int n_seconds)
{
  g_mutex_lock (&lock);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->deadline_us = g_get_monotonic_time () + (gint64) n_seconds * G_USEC_PER_SEC;
  g_mutex_unlock (&lock);
  return self->cancellable;
}

gint64
soak_threads_look (void)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 longest_us = 0;
  g_autoptr (GPtrArray) due = g_ptr_array_new_with_free_func (g_object_unref);

  g_mutex_lock (&lock);
  for (guint i = 0; threads != NULL && i < threads->len; i++)
    {
      SoakThread *thread = threads->pdata[i];

      if (thread->operation != NULL)
        longest_us = MAX (longest_us, now_us - thread->since_us);
      if (thread->cancellable != NULL && thread->deadline_us < now_us)
        g_ptr_array_add (due, g_object_ref (thread->cancellable));
    }
  g_mutex_unlock (&lock);
  for (guint i = 0; i < due->len; i++)
    g_cancellable_cancel (due->pdata[i]);
  return longest_us;
}

void
soak_threads_describe (void)
{
  g_mutex_lock (&lock);
  for (guint i = 0; threads != NULL && i < threads->len; i++)
    {
      SoakThread *thread = threads->pdata[i];

      if (thread->operation == NULL)
        soak_note ("thread %u: between operations, %u done", thread->index,
                   thread->number);
      else
        soak_note ("thread %u: operation %u, %s, for %" G_GINT64_FORMAT " ms",
                   thread->index, thread->number, thread->operation->name,
                   (g_get_monotonic_time () - thread->since_us) / 1000);
    }
  g_mutex_unlock (&lock);
  soak_flights_describe ();
}

/* All of them */

static void
thread_free (gpointer data)
{
  SoakThread *self = data;

  g_queue_free (self->landed);
  g_main_context_unref (self->context);
  g_free (self);
}

/* Threads of the second run have other numbers than those of the first. */
void
soak_threads_run (gint64 n_ms, gint64 most_ms)
{
  static guint n_before;
  guint n_threads = (guint) soak_get_options ()->n_threads;

  g_mutex_lock (&lock);
  end_us = g_get_monotonic_time () + n_ms * 1000;
  latest_us = g_get_monotonic_time () + most_ms * 1000;
  threads = g_ptr_array_new_with_free_func (thread_free);
  for (guint i = 0; i < n_threads; i++)
    {
      SoakThread *self = g_new0 (SoakThread, 1);

      self->index = n_before + i;
      self->context = g_main_context_new ();
      self->landed = g_queue_new ();
      g_ptr_array_add (threads, self);
      self->thread = g_thread_new ("soak", run_operations, self);
    }
  n_before += n_threads;
  g_mutex_unlock (&lock);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (((SoakThread *) threads->pdata[i])->thread);
  g_mutex_lock (&lock);
  g_clear_pointer (&threads, g_ptr_array_unref);
  g_mutex_unlock (&lock);
}
