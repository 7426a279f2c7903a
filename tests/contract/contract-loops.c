/* SPDX-License-Identifier: MIT */
/* Waiting for events, and threads, for contract tests. */
#include "malt-contract.h"

/* Conditions that no event of the main context announces are looked at this often. */
#define LOOK_INTERVAL_MS 2

static gboolean
on_look (G_GNUC_UNUSED gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

gboolean
contract_until (ContractPredicate is_true, gpointer data, gint64 timeout_ms)
{
  GMainContext *context = g_main_context_ref_thread_default ();
  GSource *look = g_timeout_source_new (LOOK_INTERVAL_MS);
  gint64 deadline_ms = contract_now_ms () + timeout_ms;
  gboolean is_met;

  g_source_set_callback (look, on_look, NULL, NULL);
  g_source_attach (look, context);
  while (!(is_met = is_true (data)) && contract_now_ms () < deadline_ms)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (look);
  g_source_unref (look);
  g_main_context_unref (context);
  return is_met;
}

gpointer
contract_expect (ContractAwait *await)
{
  ContractAwait **ticket = g_new (ContractAwait *, 1);

  *ticket = await;
  await->ticket = ticket;
  return ticket;
}

void
contract_on_ready (G_GNUC_UNUSED GObject *source, GAsyncResult *result,
                   gpointer user_data)
{
  ContractAwait *await = *(ContractAwait **) user_data;

  if (await == NULL)
    {
      g_free (user_data);
      return;
    }
  if (await->on_ready != NULL)
    await->on_ready (await->data);
  await->n_calls++;
  await->thread = g_thread_self ();
  await->was_inside = await->was_inside || await->is_starting;
  g_set_object (&await->result, result);
  if (await->order != NULL)
    g_array_append_val (await->order, await->number);
}

static gboolean
has_result (gpointer data)
{
  return ((ContractAwait *) data)->result != NULL;
}

gboolean
contract_await (ContractAwait *await)
{
  if (!contract_until (has_result, await, CONTRACT_DEADLINE_MS))
    contract_note ("a callback has not come after %d ms", CONTRACT_DEADLINE_MS);
  return await->result != NULL;
}

void
contract_await_clear (ContractAwait *await)
{
  if (await->result != NULL)
    g_free (await->ticket);
  else if (await->ticket != NULL)
    *(ContractAwait **) await->ticket = NULL;
  await->ticket = NULL;
  g_clear_object (&await->result);
}

ContractContext *
contract_context_push (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  return context;
}

void
contract_context_pop (ContractContext *context)
{
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

typedef struct
{
  ContractThreadFunc func;
  gpointer data;
  guint index;
} ThreadStart;

static gpointer
run_thread (gpointer user_data)
{
  ThreadStart *start = user_data;

  start->func (start->index, start->data);
  return NULL;
}

void
contract_in_threads (guint n_threads, ContractThreadFunc func, gpointer data)
{
  g_autofree ThreadStart *starts = g_new (ThreadStart, n_threads);
  g_autofree GThread **threads = g_new (GThread *, n_threads);

  for (guint i = 0; i < n_threads; i++)
    {
      starts[i] = (ThreadStart){ .func = func, .data = data, .index = i };
      threads[i] = g_thread_new ("contract", run_thread, &starts[i]);
    }
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);
}
