/* SPDX-License-Identifier: MIT */
#include "link-interrupt.h"

static void
on_interrupted (GObject *object, GAsyncResult *result, gpointer user_data)
{
  LinkInterrupt *interrupt = user_data;
  g_autoptr (GError) error = NULL;
  MaltInterruptResult outcome =
      malt_worker_interrupt_finish (MALT_WORKER (object), result, &error);
  g_atomic_int_set (&interrupt->result, error == NULL ? (gint) outcome : -2);
}

void
link_interrupt_start (LinkPeer *peer, MaltFuture *future, MaltInterruptFlags flags,
                      LinkInterrupt *interrupt)
{
  interrupt->result = -1;
  malt_worker_interrupt_async (peer->worker, future, flags, NULL, on_interrupted,
                               interrupt);
}

gboolean
link_interrupt_has_ended (gpointer interrupt)
{
  g_main_context_iteration (NULL, FALSE);
  return g_atomic_int_get (&((LinkInterrupt *) interrupt)->result) != -1;
}

gboolean
link_interrupt_has_result (LinkInterrupt *interrupt, MaltInterruptResult result)
{
  return process_test_wait (link_interrupt_has_ended, interrupt,
                            PROCESS_TEST_PATIENCE_MS) &&
         g_atomic_int_get (&interrupt->result) == (gint) result;
}

MaltFuture *
link_interrupt_start_eval (LinkPeer *peer, guint32 *out_id)
{
  MaltFuture *future = malt_worker_remote_eval (peer->worker, NULL, "work()");
  if (!link_peer_expect (peer, MALT_FRAME_EVAL, out_id))
    g_error ("no EVAL");
  return future;
}

MaltFuture *
link_interrupt_start_busy (LinkPeer *peer, guint32 *out_id)
{
  link_peer_hog (peer);
  return link_interrupt_start_eval (peer, out_id);
}

gboolean
link_interrupt_has_signal (gpointer peer)
{
  return link_peer_count_signals (peer) > 0;
}

gboolean
link_interrupt_wait_for_signal (LinkPeer *peer)
{
  return process_test_wait (link_interrupt_has_signal, peer, PROCESS_TEST_PATIENCE_MS);
}

gboolean
link_interrupt_hit (LinkPeer *peer, guint32 id, LinkInterrupt *interrupt)
{
  link_peer_answer_exception (peer, id, "InterruptException");
  return link_interrupt_has_result (interrupt, MALT_INTERRUPT_DELIVERED);
}
