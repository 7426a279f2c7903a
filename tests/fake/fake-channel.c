/* SPDX-License-Identifier: MIT */
/* Channels of the fake evaluator: a queue that pushes its items to the host for as long
 * as it has credit. */
#include "fake-evaluator.h"

static FakeChannel *
find_channel (FakeEvaluator *evaluator, guint32 channel_id)
{
  for (guint i = 0; i < evaluator->channels->len; i++)
    {
      FakeChannel *channel = g_ptr_array_index (evaluator->channels, i);

      if (channel->id == channel_id)
        return channel;
    }
  return NULL;
}

void
fake_channel_free (FakeChannel *channel)
{
  g_queue_clear_full (&channel->items, (GDestroyNotify) malt_value_unref);
  g_free (channel);
  fake_count_live (-1);
}

static void
push_items (FakeChannel *self)
{
  g_autoptr (MaltWorker) worker = g_weak_ref_get (&self->evaluator->worker);
  g_autoptr (MaltChannel) channel =
      worker ? malt_worker_dup_channel (worker, self->id) : NULL;

  if (channel == NULL)
    return;
  while ((self->n_credit > 0 || self->is_greedy) && !g_queue_is_empty (&self->items))
    {
      self->n_credit -= self->n_credit > 0 ? 1 : 0;
      if (!malt_channel_push (channel, g_queue_pop_head (&self->items)))
        fake_count_refused_item ();
    }
  if (self->is_closed && !self->is_end_told && g_queue_is_empty (&self->items))
    {
      self->is_end_told = TRUE;
      malt_channel_push_closed (channel, NULL);
    }
}

typedef struct
{
  const char *name;
  gboolean is_closed; /* behind its items */
  gboolean is_greedy;
} ChannelForm;

static const ChannelForm forms[] = {
  { "channel", FALSE, FALSE },
  { "closing_channel", TRUE, FALSE },
  { "greedy_channel", FALSE, TRUE },
};

static const ChannelForm *
find_form (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      if (g_strcmp0 (forms[i].name, name) == 0)
        return &forms[i];
    }
  return NULL;
}

static FakeChannel *
channel_new (FakeEvaluator *evaluator, guint32 channel_id, const ChannelForm *form,
             gint64 n_items)
{
  FakeChannel *self = g_new0 (FakeChannel, 1);

  fake_count_live (1);
  self->evaluator = evaluator;
  self->id = channel_id;
  self->is_closed = form->is_closed;
  self->is_greedy = form->is_greedy;
  g_queue_init (&self->items);
  for (gint64 i = 1; i <= n_items; i++)
    g_queue_push_tail (&self->items, malt_value_new_int64 (i));
  return self;
}

/* Source text is one of the forms and a number N: a channel with 1 to N in it. */
void
fake_channel_open (FakeEvaluator *evaluator, guint32 channel_id, const char *source,
                   guint n_credit, guint32 call_id)
{
  g_auto (GStrv) words = g_strsplit (source, " ", 2);
  const ChannelForm *form = find_form (words[0]);
  FakeChannel *self;

  if (form == NULL)
    {
      fake_evaluator_answer (
          evaluator, call_id, NULL,
          fake_evaluator_exception (evaluator, "ArgumentError", "this is not a channel"));
      return;
    }
  self = channel_new (evaluator, channel_id, form,
                      words[1] ? g_ascii_strtoll (words[1], NULL, 10) : 0);
  self->n_credit = n_credit;
  g_ptr_array_add (evaluator->channels, self);
  fake_evaluator_answer (evaluator, call_id, malt_value_new_nothing (), NULL);
  push_items (self);
}

void
fake_channel_credit (FakeEvaluator *evaluator, guint32 channel_id, guint n_credit)
{
  FakeChannel *self = find_channel (evaluator, channel_id);

  if (self == NULL)
    return;
  self->n_credit += n_credit;
  push_items (self);
}

void
fake_channel_put (FakeEvaluator *evaluator, guint32 channel_id, MaltValue *value,
                  guint32 call_id)
{
  FakeChannel *self = find_channel (evaluator, channel_id);

  if (self == NULL || self->is_closed)
    {
      fake_evaluator_answer (evaluator, call_id, NULL,
                             fake_evaluator_exception (evaluator, "InvalidStateException",
                                                       "Channel is closed."));
      return;
    }
  g_queue_push_tail (&self->items, malt_value_ref (value));
  fake_evaluator_answer (evaluator, call_id, malt_value_new_nothing (), NULL);
  push_items (self);
}

void
fake_channel_close (FakeEvaluator *evaluator, guint32 channel_id, guint32 call_id)
{
  FakeChannel *self = find_channel (evaluator, channel_id);

  if (self != NULL)
    {
      self->is_closed = TRUE;
      push_items (self);
    }
  fake_evaluator_answer (evaluator, call_id, malt_value_new_nothing (), NULL);
}

void
fake_channel_state (FakeEvaluator *evaluator, guint32 channel_id, guint32 call_id)
{
  FakeChannel *self = find_channel (evaluator, channel_id);
  g_autoptr (MaltValue) is_open = malt_value_new_bool (self != NULL && !self->is_closed);
  g_autoptr (MaltValue) n_ready =
      malt_value_new_int64 (self ? (gint64) g_queue_get_length (&self->items) : 0);
  MaltValue *const parts[] = { is_open, n_ready };

  fake_evaluator_answer (evaluator, call_id, malt_value_new_tuple (parts, 2), NULL);
}

void
fake_channel_forget (FakeEvaluator *evaluator, guint32 channel_id)
{
  FakeChannel *self = find_channel (evaluator, channel_id);

  if (self != NULL)
    g_ptr_array_remove (evaluator->channels, self);
}
