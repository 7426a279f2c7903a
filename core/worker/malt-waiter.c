/* SPDX-License-Identifier: MIT */
/* Waiting for one of several things to happen, and telling the one who waits.
 *
 * Every asynchronous operation of core ends in one of several ways: the answer comes,
 * the worker ends, the cancellable fires. These come from different threads. The one
 * that claims the waiter first decides the result; what comes later finds it claimed
 * and drops what it brings (or, as a channel does, gives it to the next in line). So
 * the claim, one atomic exchange, is all the locking there is.
 *
 * g_task_return_*() may run the callback at once when it is called in the task's own
 * context. That would be inside whatever call of the host's made the operation end,
 * which rule B2 forbids; so the return is always put off to an idle source of that
 * context. Its priority is the default, like that of the sources that emit signals, so
 * that callbacks and signals keep the order in which they were caused.
 *
 * The cancellable is watched by a signal handler that owns a reference to the waiter.
 * g_cancellable_disconnect() would wait for a handler that runs, which may be the one
 * that disconnects; and GLib leaks a GCancellableSource that is destroyed while
 * g_cancellable_cancel() runs. */
#include "worker/malt-waiter.h"

#include "platform/malt-platform.h"
#include <malt/malt-error.h>

typedef enum
{
  ANSWER_POINTER,
  ANSWER_INT,
  ANSWER_ERROR,
} AnswerKind;

struct _MaltWaiter
{
  gatomicrefcount ref_count;
  gint is_claimed; /* atomic */
  GTask *task; /* (owned) */
  GMutex lock; /* guards cancel_handler */
  gulong cancel_handler; /* 0: none */
  /* These are set before the handler is connected. */
  MaltWaiterCancelFunc on_cancel; /* (nullable) */
  gpointer cancel_data;
  GDestroyNotify cancel_destroy;
};

typedef struct
{
  GTask *task; /* (owned) */
  AnswerKind kind;
  gpointer pointer; /* (owned) */
  GDestroyNotify destroy;
  gssize number;
  GError *error; /* (owned) */
} Answer;

MaltWaiter *
malt_waiter_new (gpointer source_object, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag)
{
  MaltWaiter *waiter = g_new0 (MaltWaiter, 1);

  g_atomic_ref_count_init (&waiter->ref_count);
  g_mutex_init (&waiter->lock);
  waiter->task = g_task_new (source_object, cancellable, callback, user_data);
  g_task_set_source_tag (waiter->task, source_tag);
  g_task_set_check_cancellable (waiter->task, FALSE);
  return waiter;
}

MaltWaiter *
malt_waiter_ref (MaltWaiter *waiter)
{
  g_atomic_ref_count_inc (&waiter->ref_count);
  return waiter;
}

void
malt_waiter_unref (MaltWaiter *waiter)
{
  if (!g_atomic_ref_count_dec (&waiter->ref_count))
    return;
  if (waiter->cancel_destroy != NULL)
    waiter->cancel_destroy (waiter->cancel_data);
  g_object_unref (waiter->task);
  g_mutex_clear (&waiter->lock);
  g_free (waiter);
}

GTask *
malt_waiter_get_task (MaltWaiter *waiter)
{
  return waiter->task;
}

gboolean
malt_waiter_claim (MaltWaiter *waiter)
{
  return g_atomic_int_compare_and_exchange (&waiter->is_claimed, FALSE, TRUE);
}

/* Cancellation */

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  MaltWaiter *waiter = data;

  if (!malt_waiter_claim (waiter))
    return;
  if (waiter->on_cancel != NULL)
    waiter->on_cancel (waiter, waiter->cancel_data);
  malt_waiter_return_error (waiter, g_error_new_literal (MALT_ERROR, MALT_ERROR_CANCELLED,
                                                         "the operation was cancelled"));
}

static void
on_closure_gone (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  malt_waiter_unref (data);
}

void
malt_waiter_watch_cancellable (MaltWaiter *waiter, MaltWaiterCancelFunc on_cancel,
                               gpointer data, GDestroyNotify destroy)
{
  GCancellable *cancellable = g_task_get_cancellable (waiter->task);

  waiter->on_cancel = on_cancel;
  waiter->cancel_data = data;
  waiter->cancel_destroy = destroy;
  if (cancellable == NULL)
    return;
  g_mutex_lock (&waiter->lock);
  if (!g_atomic_int_get (&waiter->is_claimed))
    waiter->cancel_handler =
        g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                               malt_waiter_ref (waiter), on_closure_gone, 0);
  g_mutex_unlock (&waiter->lock);
  if (g_cancellable_is_cancelled (cancellable))
    on_cancelled (cancellable, waiter);
}

static void
stop_watching (MaltWaiter *waiter)
{
  gulong handler;

  g_mutex_lock (&waiter->lock);
  handler = waiter->cancel_handler;
  waiter->cancel_handler = 0;
  g_mutex_unlock (&waiter->lock);
  if (handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (waiter->task), handler);
}

/* Answers */

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  if (answer->pointer != NULL && answer->destroy != NULL)
    answer->destroy (answer->pointer);
  g_clear_error (&answer->error);
  g_object_unref (answer->task);
  g_free (answer);
}

static gboolean
on_answer (gpointer data)
{
  Answer *answer = data;

  if (answer->kind == ANSWER_POINTER)
    g_task_return_pointer (answer->task, g_steal_pointer (&answer->pointer),
                           answer->destroy);
  else if (answer->kind == ANSWER_INT)
    g_task_return_int (answer->task, answer->number);
  else
    g_task_return_error (answer->task, g_steal_pointer (&answer->error));
  return G_SOURCE_REMOVE;
}

static void
give_answer (MaltWaiter *waiter, const Answer *template)
{
  Answer *answer = g_memdup2 (template, sizeof *template);
  GSource *source = g_idle_source_new ();

  stop_watching (waiter);
  answer->task = g_object_ref (waiter->task);
  g_source_set_static_name (source, "malt: answer");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_answer, answer, answer_free);
  g_source_attach (source, g_task_get_context (waiter->task));
  g_source_unref (source);
}

void
malt_waiter_return_pointer (MaltWaiter *waiter, gpointer value, GDestroyNotify destroy)
{
  give_answer (waiter, &(Answer){
                           .kind = ANSWER_POINTER,
                           .pointer = value,
                           .destroy = destroy,
                       });
}

void
malt_waiter_return_int (MaltWaiter *waiter, gssize value)
{
  give_answer (waiter, &(Answer){ .kind = ANSWER_INT, .number = value });
}

void
malt_waiter_return_error (MaltWaiter *waiter, GError *error)
{
  give_answer (waiter, &(Answer){ .kind = ANSWER_ERROR, .error = error });
}

/* Blocking */

void
malt_blocking_begin (MaltBlocking *blocking)
{
  blocking->result = NULL;
  blocking->context = malt_platform_new_context ();
  g_main_context_push_thread_default (blocking->context);
}

void
malt_blocking_on_ended (G_GNUC_UNUSED GObject *object, GAsyncResult *result,
                        gpointer user_data)
{
  MaltBlocking *blocking = user_data;

  blocking->result = g_object_ref (result);
}

GAsyncResult *
malt_blocking_run (MaltBlocking *blocking)
{
  while (blocking->result == NULL)
    g_main_context_iteration (blocking->context, TRUE);
  return blocking->result;
}

void
malt_blocking_end (MaltBlocking *blocking)
{
  g_main_context_pop_thread_default (blocking->context);
  g_clear_object (&blocking->result);
  g_clear_pointer (&blocking->context, g_main_context_unref);
}
